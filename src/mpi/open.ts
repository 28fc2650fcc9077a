/**
 * Opening MPI, once in a process, and leaving it however the process ends.
 *
 * @module
 */
import { readOptions } from "../options.ts";
import { Communicator, reasonText } from "./communicator.ts";
import { openLibrary } from "./library.ts";
import { MpiTransport } from "./mpi_transport.ts";

/** Options of {@linkcode openMpi}. */
export interface OpenMpiOptions {
  /** The library's file; by default that of the launcher, or the first one found. */
  library?: string | undefined;
}

/** MPI can be initialised once in a process. */
let opened: { file: string; transport: MpiTransport } | undefined;

/**
 * Joins the processes that `mpirun`, `mpiexec` or `srun` has started, through Open MPI
 * (`libmpi.so.40`) or MPICH and its relatives (`libmpich.so.12`). Needs Deno and `--allow-ffi`.
 *
 * Which library: the one named; else that of the launcher that started the process; else the first
 * one found. A library of another launcher takes every process for the only one: that is noticed
 * and throws. A process that no launcher started is the only rank of its own.
 *
 * How it ends: an error that nobody catches, or another exit code than 0, ends all ranks within
 * seconds, with this rank's number and the reason on standard error; if a rank is killed, its
 * launcher ends the others. When all ranks end well, MPI is finalised as the last act of each.
 *
 * @param options `library`, a file.
 * @returns The communicator of all ranks.
 * @throws {Error} If no library is found, it belongs to another launcher, or MPI reports an error.
 * @throws {Deno.errors.NotCapable} Without `--allow-ffi`.
 * @throws {TypeError} If an option is unknown, or `library` names another file than is open already.
 *
 * @example With MPI where asked for, else alone
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { openMpi, singleProcess } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * // mpirun -n 4 deno run --allow-ffi script.ts --mpi
 * await using comm = Deno.args.includes("--mpi") ? await openMpi() : singleProcess();
 * assertEquals(comm.allReduce(tensor(1)).item(), comm.size);
 * ```
 */
export function openMpi(options: OpenMpiOptions = {}): Promise<Communicator> {
  return new Promise((resolve) => {
    const { library } = readOptions("openMpi", options, { library: undefined });
    if (typeof Deno === "undefined") {
      throw new Error(`Cannot open MPI in this runtime: its foreign functions are those of Deno`);
    }
    if (opened === undefined) {
      const found = openLibrary(library);
      opened = { file: found.file, transport: new MpiTransport(found) };
      leaveWell(opened.transport);
    } else if (library !== undefined && library !== opened.file) {
      throw new TypeError(
        `Cannot open MPI a second time in one process with another library: ` +
          `current values are "${opened.file}" and "${library}"`,
      );
    }
    resolve(new Communicator(opened.transport));
  });
}

/** Takes care that a rank that fails ends the others, which would wait for it forever. */
function leaveWell(transport: MpiTransport): void {
  addEventListener("error", (event) => transport.abort(reasonText(event.error)));
  addEventListener("unhandledrejection", (event) => transport.abort(reasonText(event.reason)));
  addEventListener("unload", () => {
    if (Deno.exitCode !== 0) transport.abort(`its program ended with code ${Deno.exitCode}`);
    transport.finalize();
  });
}

/**
 * Finding an MPI library, and the functions in it.
 *
 * @module
 */
import type { Abi, Constants, Handle } from "./abi.ts";
import { launcherOf } from "./launcher.ts";
import { MPICH } from "./mpich.ts";
import { OPEN_MPI } from "./open_mpi.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Numbers = ArrayBufferView;

/** The functions of the standard that are used here, as C has them; most return an error code. */
export interface MpiFunctions {
  MPI_Init(argc: null, argv: null): number;
  MPI_Initialized(flag: Numbers): number;
  MPI_Finalize(): number;
  MPI_Abort(comm: Handle, code: number): number;
  MPI_Comm_rank(comm: Handle, rank: Numbers): number;
  MPI_Comm_size(comm: Handle, size: Numbers): number;
  MPI_Comm_set_errhandler(comm: Handle, handler: Handle): number;
  MPI_Error_string(code: number, text: Bytes, length: Numbers): number;
  MPI_Get_library_version(text: Bytes, length: Numbers): number;
  MPI_Barrier(comm: Handle): number;
  MPI_Bcast(values: Numbers, count: number, type: Handle, root: number, comm: Handle): number;
  MPI_Allreduce(
    send: Deno.PointerValue,
    receive: Numbers,
    count: number,
    type: Handle,
    reduction: Handle,
    comm: Handle,
  ): number;
  MPI_Allgatherv(
    send: Deno.PointerValue,
    sendCount: number,
    sendType: Handle,
    receive: Numbers,
    counts: Numbers,
    offsets: Numbers,
    type: Handle,
    comm: Handle,
  ): number;
  MPI_Reduce_scatter(
    send: Deno.PointerValue,
    receive: Numbers,
    counts: Numbers,
    type: Handle,
    reduction: Handle,
    comm: Handle,
  ): number;
  /** C's own: every library brings it along. */
  getenv(name: Bytes): Deno.PointerValue;
}

/** A library that has been opened. */
export interface MpiLibrary {
  /** The file. */
  readonly file: string;
  /** Its family. */
  readonly abi: Abi;
  /** Its predefined objects. */
  readonly constants: Constants;
  /** Its functions. */
  readonly functions: MpiFunctions;
}

/** The parameters of the functions; "handle" is a pointer or a number, by family. */
const SIGNATURES: Record<keyof MpiFunctions, string> = {
  MPI_Init: "pointer pointer",
  MPI_Initialized: "buffer",
  MPI_Finalize: "",
  MPI_Abort: "handle i32",
  MPI_Comm_rank: "handle buffer",
  MPI_Comm_size: "handle buffer",
  MPI_Comm_set_errhandler: "handle handle",
  MPI_Error_string: "i32 buffer buffer",
  MPI_Get_library_version: "buffer buffer",
  MPI_Barrier: "handle",
  MPI_Bcast: "buffer i32 handle i32 handle",
  MPI_Allreduce: "pointer buffer i32 handle handle handle",
  MPI_Allgatherv: "pointer i32 handle buffer buffer buffer handle handle",
  MPI_Reduce_scatter: "pointer buffer buffer handle handle handle",
  getenv: "buffer",
};

/** The symbols as Deno wants them described. */
function symbolsFor(handle: Abi["handle"]): Deno.ForeignLibraryInterface {
  const entries = Object.entries(SIGNATURES).map(([name, signature]) => {
    const parameters = signature.split(" ").filter((kind) => kind !== "")
      .map((kind) => kind === "handle" ? handle : kind) as Deno.NativeType[];
    return [name, { parameters, result: name === "getenv" ? "pointer" : "i32" }] as const;
  });
  return Object.fromEntries(entries);
}

/** Opens a file as a library of a family; throws where it is none. */
function open(file: string, abi: Abi): MpiLibrary {
  const constants = abi.constants(file);
  const { symbols } = Deno.dlopen(file, symbolsFor(abi.handle));
  return { file, abi, constants, functions: symbols as unknown as MpiFunctions };
}

const ADVICE =
  `install Open MPI (libmpi.so.40; on Debian "apt-get install openmpi-bin") or MPICH ` +
  `(libmpich.so.12; "apt-get install mpich"), or name the file as library`;

/** What is wrong with a file; throws where it is the permission that is missing. */
function problemOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    throw new Deno.errors.NotCapable(
      `Cannot open MPI as calling its library needs permission: run with --allow-ffi`,
      { cause: error },
    );
  }
  // Behind what Deno says of itself is what the loader of libraries says.
  return String(error).split(": ").slice(3).join(": ");
}

/** The library in a file that the user has named. */
function openNamed(file: string): MpiLibrary {
  const problems: string[] = [];
  for (const abi of [OPEN_MPI, MPICH]) {
    try {
      return open(file, abi);
    } catch (error) {
      problems.push(problemOf(error));
    }
  }
  throw new Error(
    `Cannot open MPI as "${file}" must be a library of Open MPI or of MPICH's family: ` +
      problems.at(-1),
  );
}

/** The first file of a family that can be opened. */
function openFirst(abi: Abi): MpiLibrary | undefined {
  for (const file of abi.files) {
    try {
      return open(file, abi);
    } catch (error) {
      problemOf(error);
    }
  }
  return undefined;
}

/**
 * Opens the named library, or else that of the launcher that has started this process, or else the
 * first one found.
 */
export function openLibrary(
  file: string | undefined,
  [openMpi, mpich]: readonly [Abi, Abi] = [OPEN_MPI, MPICH],
): MpiLibrary {
  if (file !== undefined) return openNamed(file);
  const first = openFirst(openMpi);
  if (first !== undefined && launcherOf(variablesOf(first)).library !== "MPICH") return first;
  const found = openFirst(mpich) ?? first;
  if (found !== undefined) return found;
  const names = [...openMpi.files, ...mpich.files].join(", ");
  throw new Error(
    `Cannot open MPI as none of ${names} was found: ${ADVICE}; ` +
      `singleProcess() offers the same without a library`,
  );
}

/** The environment, which the library needs no further permission to see. */
export function variablesOf(library: MpiLibrary): (name: string) => string | undefined {
  return (name) => {
    const found = library.functions.getenv(new TextEncoder().encode(`${name}\0`));
    return found === null ? undefined : new Deno.UnsafePointerView(found).getCString();
  };
}

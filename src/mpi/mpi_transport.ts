/**
 * MPI as a transport.
 *
 * @module
 */
import { type DType, dtypeOf, type TypedArray } from "../dtype.ts";
import type { Handle } from "./abi.ts";
import { checkLauncher, launcherOf } from "./launcher.ts";
import { type MpiLibrary, variablesOf } from "./library.ts";
import type { NumberArray, Reduction, Transport } from "./transport.ts";

/** The longest texts of both families. */
const ERROR_BYTES = 512;
const VERSION_BYTES = 8192;

/** MPI counts in `int`. */
const LARGEST_COUNT = 2 ** 31 - 1;

/** How long a launcher may take to pass on a line. */
const PASSED_ON_MS = 200;

/** All processes that a launcher has started. */
export class MpiTransport implements Transport {
  readonly name: string;
  readonly rank: number;
  readonly size: number;
  readonly #library: MpiLibrary;

  /** Initialises MPI, which a process can do once. */
  constructor(library: MpiLibrary) {
    this.#library = library;
    const { functions, constants, file } = library;
    this.#call("openMpi", functions.MPI_Init(null, null));
    const { world, errorsReturn } = constants;
    this.#call("openMpi", functions.MPI_Comm_set_errhandler(world, errorsReturn));
    this.rank = this.#number((out) => functions.MPI_Comm_rank(world, out));
    this.size = this.#number((out) => functions.MPI_Comm_size(world, out));
    this.name = this.#text(
      VERSION_BYTES,
      (text, length) => functions.MPI_Get_library_version(text, length),
    ).split(/[,\n]/)[0]!.replace(/\s+/g, " ")
      .replace(/^MPICH Version: /, "MPICH ").trim();
    const { rank, size, name } = this;
    checkLauncher(launcherOf(variablesOf(library)), { rank, size, name, file });
  }

  allReduce(values: NumberArray, reduction: Reduction): void {
    const { functions: { MPI_Allreduce }, constants: { inPlace, reductions, world } } =
      this.#library;
    const [count, type] = [this.#count("allReduce", values), this.#type(values)];
    const code = MPI_Allreduce(inPlace, values, count, type, reductions[reduction], world);
    this.#call("allReduce", code);
  }

  broadcast(values: TypedArray, root: number): void {
    const { functions: { MPI_Bcast }, constants: { world } } = this.#library;
    const [count, type] = [this.#count("broadcast", values), this.#type(values)];
    this.#call("broadcast", MPI_Bcast(values, count, type, root, world));
  }

  allGather(values: TypedArray, counts: readonly number[]): void {
    const { functions: { MPI_Allgatherv }, constants: { inPlace, world } } = this.#library;
    this.#count("allGather", values);
    const type = this.#type(values);
    const [extents, offsets] = [Int32Array.from(counts), offsetsOf(counts)];
    const code = MPI_Allgatherv(inPlace, 0, type, values, extents, offsets, type, world);
    this.#call("allGather", code);
  }

  reduceScatter(values: NumberArray, counts: readonly number[]): NumberArray {
    const { functions: { MPI_Reduce_scatter }, constants: { inPlace, reductions, world } } =
      this.#library;
    this.#count("reduceScatter", values);
    const [type, extents] = [this.#type(values), Int32Array.from(counts)];
    const code = MPI_Reduce_scatter(inPlace, values, extents, type, reductions.sum, world);
    this.#call("reduceScatter", code);
    return values.slice(0, counts[this.rank]);
  }

  barrier(): void {
    const { functions, constants } = this.#library;
    this.#call("barrier", functions.MPI_Barrier(constants.world));
  }

  abort(reason: string): never {
    const text = `Rank ${this.rank} of ${this.size} ends the job: ${reason}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(text));
    // Launchers pass on what ranks print, but not what they find after the job has ended.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PASSED_ON_MS);
    this.#library.functions.MPI_Abort(this.#library.constants.world, 1);
    Deno.exit(1);
  }

  /** Takes leave of the other ranks; waits for them. */
  finalize(): void {
    this.#call("finalize", this.#library.functions.MPI_Finalize());
  }

  #type(values: TypedArray): Handle {
    return this.#library.constants.types[dtypeOf(values) as DType];
  }

  #count(caller: string, { length }: TypedArray): number {
    if (length <= LARGEST_COUNT) return length;
    throw new RangeError(
      `Cannot compute ${caller} as MPI takes at most ${LARGEST_COUNT} values in one call: ` +
        `current number is ${length}`,
    );
  }

  #call(caller: string, code: number): void {
    if (code === 0) return;
    const text = this.#text(
      ERROR_BYTES,
      (text, length) => this.#library.functions.MPI_Error_string(code, text, length),
    );
    throw new Error(`Cannot compute ${caller} as MPI reports: ${text}`);
  }

  #number(read: (out: Int32Array) => number): number {
    const out = new Int32Array(1);
    this.#call("openMpi", read(out));
    return out[0]!;
  }

  #text(
    bytes: number,
    read: (text: Uint8Array<ArrayBuffer>, length: Int32Array) => number,
  ): string {
    const [text, length] = [new Uint8Array(bytes), new Int32Array(1)];
    read(text, length);
    return new TextDecoder().decode(text.subarray(0, length[0])).replace(/\0.*$/s, "").trim();
  }
}

/** Where each part begins. */
function offsetsOf(counts: readonly number[]): Int32Array {
  let end = 0;
  return Int32Array.from(counts, (count) => (end += count) - count);
}

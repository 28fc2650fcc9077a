/**
 * A group of processes and what they can do together.
 *
 * @module
 */
import { describe } from "../describe.ts";
import type { AwaitUsingDisposable } from "../disposal.ts";
import { checkChoice, checkNumber, readOptions } from "../options.ts";
import { allocate, isFloating } from "../dtype.ts";
import { asTensor, fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { cast } from "../ops/mod.ts";
import { apply } from "../trace.ts";
import { flattenTree, type TensorTree } from "../tree.ts";
import { allGatherOp, allReduceOp, unpack } from "./collectives.ts";
import { agree, callOf } from "./agree.ts";
import { ALONE, type Transport } from "./transport.ts";

/** Options of {@linkcode Communicator.allReduce}. */
export interface AllReduceOptions {
  /** What the ranks' numbers become: `"sum"` by default, `"mean"` or `"max"`. */
  op?: "sum" | "mean" | "max" | undefined;
}

/** Options of {@linkcode Communicator.broadcast}. */
export interface BroadcastOptions {
  /** The rank whose values all get; 0 by default. */
  root?: number | undefined;
}

/**
 * A group of processes, called ranks, that run the same program on different data, and what they do
 * together. Made by {@linkcode openMpi} and {@linkcode singleProcess}.
 *
 * Every rank must call the same methods in the same order; each call returns when all ranks have
 * done their part. {@linkcode Communicator.allReduce} and {@linkcode Communicator.allGather} are
 * operations with gradients of any order: what is differentiated is the sum of the functions of all
 * ranks, and all ranks differentiate together. They can be part of a compiled CPU program, where
 * the ranks' shares keep their sizes: it remembers the numbers of rows with which it was recorded.
 *
 * @example The same script alone and on many machines
 * ```ts
 * import { type Communicator, singleProcess } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * const countCells = (comm: Communicator, cells: number) =>
 *   comm.allReduce({ cells }, { op: "sum" }).cells.item();
 * assertEquals(countCells(singleProcess(), 700), 700);
 * ```
 */
export class Communicator {
  readonly #transport: Transport;
  #open = true;

  /**
   * Use {@linkcode openMpi} or {@linkcode singleProcess}.
   *
   * @ignore
   */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The number of this process, from 0 to `size` − 1. */
  get rank(): number {
    return this.#transport.rank;
  }

  /** How many processes there are. */
  get size(): number {
    return this.#transport.size;
  }

  /** What carries the numbers: the MPI library and its version. */
  get name(): string {
    return this.#transport.name;
  }

  /**
   * Reduces the tensors of a tree over all ranks: all numbers of one type travel in one buffer, in
   * which they are reduced in place.
   *
   * @param tree Tensors of `float32`, `float64` or `int32` of the same shapes on all ranks.
   * @param options `op`: `"sum"` by default, `"mean"` (not of `int32`), or `"max"`, whose gradient is
   * split equally among equal values.
   * @returns The same tree, with the same values on every rank. Sums of `int32` are `float64`, as those
   * of `sum` are.
   * @throws {TypeError} On every rank, if a rank's tree differs from another's: names the rank, and
   * both shapes. If a type cannot be reduced.
   * @throws {Error} If MPI reports an error.
   */
  allReduce<T>(tree: T, options: AllReduceOptions = {}): TensorTree<T> {
    const caller = "allReduce";
    const { op } = readOptions(caller, options, { op: "sum" });
    checkChoice(caller, "op", op, ["sum", "mean", "max"]);
    const transport = this.#ready(caller);
    const { leaves: given, rebuild } = flattenTree(caller, tree);
    for (const { dtype } of given) {
      if (isFloating(dtype) || (dtype === "int32" && op !== "mean")) continue;
      throw new TypeError(
        `Cannot compute allReduce as the ${op} of ${dtype} is not defined: cast it to float32 first`,
      );
    }
    const call = callOf(`allReduce (${op})`, given);
    const leaves = given.map((x) => op === "sum" && x.dtype === "int32" ? cast(x, "float64") : x);
    if (leaves.length === 0) agree(transport, call);
    const results = new Map<Tensor, Tensor>();
    for (const dtype of ["float32", "float64", "int32"]) {
      const group = leaves.filter((x) => x.dtype === dtype);
      if (group.length === 0) continue;
      const reduced = apply(allReduceOp, group, { transport, op: op as "sum", call });
      unpack(reduced, group).forEach((y, i) => results.set(group[i]!, y));
    }
    return rebuild(leaves.map((x) => results.get(x))) as TensorTree<T>;
  }

  /**
   * Gives all ranks the values of one: as one buffer of bytes, so of any types. Has no gradient.
   *
   * @param tree Tensors of the same shapes and types on all ranks; only the root's values matter.
   * @param options `root`, the rank that gives, 0 by default.
   * @returns The root's tree.
   * @throws {TypeError} On every rank, if a rank's tree differs from another's: names the rank, and
   * both shapes. If this rank's is under differentiation.
   * @throws {RangeError} If there is no such root.
   * @throws {Error} If MPI reports an error.
   */
  broadcast<T>(tree: T, options: BroadcastOptions = {}): TensorTree<T> {
    const caller = "broadcast";
    const { root } = readOptions(caller, options, { root: 0 });
    checkNumber(caller, "root", root, { integer: true, min: 0, max: this.size - 1 });
    const transport = this.#ready(caller);
    const { leaves, rebuild } = flattenTree(caller, tree);
    const bytes = pack(leaves);
    agree(transport, callOf(`broadcast (from rank ${root})`, leaves));
    transport.broadcast(bytes, root);
    return rebuild(unpackBytes(bytes, leaves)) as TensorTree<T>;
  }

  /**
   * The rows of all ranks, one rank behind the other: on every rank the same tensor. Ranks may have
   * different numbers of rows, or none. Backwards, every rank gets what all ranks have found for its
   * rows; so a loss that compares all pairs of cells is exact over the cells of all ranks.
   *
   * @param x Rows along the first axis, of any type.
   * @returns All rows.
   * @throws {TypeError} If `x` has no axis. On every rank, if a rank has rows of another shape or
   * type: names the rank, and both shapes.
   * @throws {Error} If MPI reports an error.
   */
  allGather(x: TensorLike): Tensor {
    const transport = this.#ready("allGather");
    const operand = asTensor(x);
    const { shape } = operand;
    if (shape.length === 0) {
      throw new TypeError(`Cannot compute allGather as x must have rows: current shape is []`);
    }
    agree(transport, callOf("allGather", [operand], { rows: true }));
    const counts = new Int32Array(this.size);
    counts[this.rank] = shape[0]!;
    transport.allGather(counts, new Array(this.size).fill(1));
    return apply(allGatherOp, [operand], { transport, rows: [...counts] });
  }

  /**
   * Returns when all ranks have come here.
   *
   * @throws {TypeError} On every rank, if a rank calls something else: names the rank.
   * @throws {Error} If MPI reports an error.
   */
  barrier(): void {
    const transport = this.#ready("barrier");
    agree(transport, callOf("barrier", []));
    transport.barrier();
  }

  /**
   * Ends all ranks at once, with this rank's number and the reason on standard error. An error that
   * nobody catches does the same.
   *
   * @param reason An error, or a text.
   */
  abort(reason: unknown): never {
    this.#transport.abort(reasonText(reason));
  }

  #ready(caller: string): Transport {
    if (this.#open) return this.#transport;
    throw new TypeError(`Cannot compute ${caller} as the communicator has been disposed of`);
  }

  static {
    Object.defineProperty(this.prototype, Symbol.asyncDispose, {
      value(this: Communicator) {
        this.#open = false;
        return Promise.resolve();
      },
    });
  }
}

/**
 * The use of a communicator ends with the block that declares it by `await using`. MPI itself is
 * finalised when the process ends, as only then it is known whether this rank has failed.
 */
export interface Communicator extends AwaitUsingDisposable {}

/**
 * A communicator of one process, without MPI: for scripts that also run alone, and for tests.
 *
 * @returns A communicator of rank 0 and size 1.
 *
 * @example Alone, everything is where it belongs
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { singleProcess } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * await using comm = singleProcess();
 * assertEquals([comm.rank, comm.size], [0, 1]);
 * assertEquals(comm.allGather(tensor([[1, 2]])).toArray(), [[1, 2]]);
 * ```
 */
export function singleProcess(): Communicator {
  return new Communicator(ALONE);
}

/** Throws a `TypeError` that names the caller unless `comm` is a communicator. */
export function checkCommunicator(caller: string, comm: unknown): asserts comm is Communicator {
  if (comm instanceof Communicator) return;
  throw new TypeError(
    `Cannot compute ${caller} as comm must be what openMpi or singleProcess returned: ` +
      `current value is ${describe(comm)}`,
  );
}

/** A reason as text: an error with its stack. */
export function reasonText(reason: unknown): string {
  return reason instanceof Error ? reason.stack ?? String(reason) : String(reason);
}

/** The values of all tensors as bytes. */
function pack(leaves: readonly Tensor[]): Uint8Array<ArrayBuffer> {
  if (leaves.some((x) => x.trace !== null)) {
    throw new TypeError(
      `Cannot compute broadcast under differentiation or in a program, as it has no gradient: ` +
        `do it before`,
    );
  }
  const bytes = new Uint8Array(leaves.reduce((sum, { data }) => sum + data.byteLength, 0));
  let at = 0;
  for (const { data } of leaves) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Tensors of the same shapes and types with these values. */
function unpackBytes(bytes: Uint8Array<ArrayBuffer>, like: readonly Tensor[]): Tensor[] {
  let at = 0;
  return like.map(({ shape, dtype, size }) => {
    const data = allocate(dtype, size);
    new Uint8Array(data.buffer).set(bytes.subarray(at, at += data.byteLength));
    return fromData(data, shape, dtype);
  });
}

/**
 * How numbers travel between ranks: in typed arrays, at once, by all ranks together.
 *
 * @module
 */
import type { TypedArray } from "../dtype.ts";

/** What ranks' numbers become at each position. */
export type Reduction = "sum" | "max";

/** The arrays that can be reduced. */
export type NumberArray = Float32Array | Float64Array | Int32Array;

/**
 * A group of processes that call the same functions in the same order, each of which returns when
 * every process has done its part. MPI is one; {@linkcode singleProcess} is another.
 */
export interface Transport {
  /** What carries the numbers, with its version. */
  readonly name: string;
  /** The number of this process, from 0 on. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /** Puts the sum or the maximum over all ranks in the place of the values, on every rank. */
  allReduce(values: NumberArray, reduction: Reduction): void;
  /** Puts the values of one rank in the place of those of all others. */
  broadcast(values: TypedArray, root: number): void;
  /** Fills in the others' parts: that of rank r is `counts[r]` values behind those before it. */
  allGather(values: TypedArray, counts: readonly number[]): void;
  /** The own part of the sum over all ranks; uses the array up. */
  reduceScatter(values: NumberArray, counts: readonly number[]): NumberArray;
  /** Returns when all ranks have come here. */
  barrier(): void;
  /** Ends all ranks, with the reason on standard error. */
  abort(reason: string): never;
}

/** A group of one, in which nothing needs to travel. */
export const ALONE: Transport = {
  name: "a single process",
  rank: 0,
  size: 1,
  allReduce() {},
  broadcast() {},
  allGather() {},
  reduceScatter: (values) => values,
  barrier() {},
  abort(reason) {
    throw new Error(reason);
  },
};

/**
 * Ranks that are threads of one process, which share memory in place of a network.
 *
 * @module
 */
import type { TypedArray } from "../../src/dtype.ts";
import type { NumberArray, Reduction, Transport } from "../../src/mpi/mod.ts";

/** What each rank can send at once, in bytes. */
const AREA = 1 << 20;

/** The words at the start of the memory: how many have arrived, how often all have, who gave up. */
const [ARRIVED, ROUND, ABORTED] = [0, 1, 2];
const WORDS = 4;

/** The memory that ranks share. */
export function sharedMemory(size: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * WORDS + size * AREA);
}

/** A rank as a thread. */
export class SimulatedTransport implements Transport {
  readonly name = "simulated ranks";
  readonly memory: SharedArrayBuffer;
  readonly rank: number;
  readonly size: number;
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer, rank: number, size: number) {
    this.memory = memory;
    this.rank = rank;
    this.size = size;
    this.#words = new Int32Array(memory, 0, WORDS);
  }

  allReduce(values: NumberArray, reduction: Reduction): void {
    this.#exchange(values, (parts) => {
      for (let i = 0; i < values.length; i++) {
        values[i] = parts.map((part) => part[i]!).reduce((a, b) =>
          reduction === "max" ? Math.max(a, b) : a + b
        );
      }
    });
  }

  broadcast(values: TypedArray, root: number): void {
    this.#exchange(values, (parts) => (values as Float64Array).set(parts[root]!));
  }

  allGather(values: TypedArray, counts: readonly number[]): void {
    const startOf = (rank: number) => counts.slice(0, rank).reduce((a, b) => a + b, 0);
    this.#exchange(values, (parts) => {
      counts.forEach((count, r) => {
        (values as Float64Array).set(
          parts[r]!.subarray(startOf(r), startOf(r) + count),
          startOf(r),
        );
      });
    });
  }

  reduceScatter(values: NumberArray, counts: readonly number[]): NumberArray {
    this.allReduce(values, "sum");
    const start = counts.slice(0, this.rank).reduce((a, b) => a + b, 0);
    return values.slice(start, start + counts[this.rank]!);
  }

  barrier(): void {
    const round = Atomics.load(this.#words, ROUND);
    if (Atomics.add(this.#words, ARRIVED, 1) === this.size - 1) {
      Atomics.store(this.#words, ARRIVED, 0);
      Atomics.add(this.#words, ROUND, 1);
      Atomics.notify(this.#words, ROUND);
    }
    while (Atomics.load(this.#words, ROUND) === round) {
      if (Atomics.load(this.#words, ABORTED) !== 0) throw new Error("another rank has failed");
      Atomics.wait(this.#words, ROUND, round, 100);
    }
  }

  abort(reason: string): never {
    Atomics.store(this.#words, ABORTED, 1);
    Atomics.notify(this.#words, ROUND);
    throw new Error(reason);
  }

  /** Shows every rank the values of all. */
  #exchange(values: TypedArray, use: (parts: TypedArray[]) => void): void {
    const partOf = (rank: number) => {
      const kind = values.constructor as new (m: SharedArrayBuffer, at: number, n: number) => never;
      return new kind(this.memory, 4 * WORDS + rank * AREA, values.length) as TypedArray;
    };
    (partOf(this.rank) as Float64Array).set(values);
    this.barrier();
    use(Array.from({ length: this.size }, (_, rank) => partOf(rank)));
    this.barrier();
  }
}

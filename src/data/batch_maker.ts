/**
 * Batches of an epoch, made of what a file holds: plain arrays, which threads can send each other.
 *
 * @module
 */
import { allocate, type TypedArray } from "../dtype.ts";
import { EpochOrder, type EpochPlan, windowOf } from "./epoch_order.ts";
import { holdRows, rowPointers, type StoredMatrix } from "./file_matrix.ts";
import { type EntryStore, type HeldRows, sortedRows, type SparseRows } from "./held_rows.ts";

/** Which rows come into which batch. */
export interface BatchRows {
  /** What decides about their order. */
  readonly plan: EpochPlan;
  /** The rows to go over; all of the matrix where there are none. */
  readonly rows: Int32Array | undefined;
  /** Whether batches are entries. */
  readonly sparse?: boolean | undefined;
}

/** What batches are made of. */
export interface BatchSource extends BatchRows {
  /** The matrix whose rows they have. */
  readonly matrix: StoredMatrix;
}

/** A batch before it is padded and labelled. */
export interface MadeBatch {
  /** The row of each cell in the file. */
  readonly rows: Int32Array<ArrayBuffer>;
  /** Their values: `batchSize` × columns, zeros behind them; or only those that are held. */
  readonly x: TypedArray | EntryBatch;
}

/** Entries of a batch by rows: zeros behind the last one. */
export interface EntryBatch extends EntryStore {
  /** Where the entries of each row begin, and the last ones end. */
  readonly indptr: Int32Array;
}

/** Rows that were read at once, and the place of each of the window's. */
export interface Window {
  readonly number: number;
  readonly rows: Int32Array;
  readonly places: Int32Array;
  readonly held: HeldRows;
}

/** Makes the batches of an epoch, one after the other. */
export class BatchMaker {
  readonly #source: BatchSource;
  readonly #order: EpochOrder;
  #window: Window | undefined;
  #capacity: Promise<number> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * A maker for one epoch.
   *
   * @param source What the batches are made of.
   * @param epoch The number of the epoch.
   */
  constructor(source: BatchSource, epoch: number) {
    this.#source = source;
    this.#order = new EpochOrder(source.plan, epoch);
  }

  /** Makes a batch, after those that were asked for before. */
  make(number: number): Promise<MadeBatch> {
    const made = this.#last.then(() => this.#make(number));
    this.#last = made;
    return made;
  }

  async #make(number: number): Promise<MadeBatch> {
    const { plan, sparse } = this.#source;
    const { batchSize } = plan;
    const window = await this.read(windowOf(plan, number));
    const from = number * batchSize % plan.window;
    const rows = window.rows.slice(from, from + batchSize);
    const places = window.places.subarray(from, from + batchSize);
    const x = sparse ? await this.#entries(window.held, places) : this.#values(window.held, places);
    return { rows, x };
  }

  #values(held: HeldRows, places: Int32Array): TypedArray {
    const { matrix: { dtype, shape: [, columns] }, plan } = this.#source;
    const x = allocate(dtype, plan.batchSize * columns);
    places.forEach((place, i) => held.put(place, x, i * columns));
    return x;
  }

  async #entries(held: HeldRows, places: Int32Array): Promise<EntryBatch> {
    const { matrix: { dtype }, plan: { batchSize } } = this.#source;
    const size = await (this.#capacity ??= this.#mostEntries());
    const x = { data: allocate(dtype, size), indices: new Int32Array(size) };
    const indptr = new Int32Array(batchSize + 1);
    let at = 0;
    for (let i = 0; i < batchSize; i++) {
      if (i < places.length) at += (held as SparseRows).take(places[i]!, x, at);
      indptr[i + 1] = at;
    }
    return { ...x, indptr };
  }

  /** How many entries a batch of the epoch has at most, rounded up: epochs shall have one size. */
  async #mostEntries(): Promise<number> {
    const { matrix, plan: { batchSize, window } } = this.#source;
    const pointers = (await rowPointers(matrix))!;
    let most = 1;
    for (let number = 0; number * window < this.#order.length; number++) {
      const rows = this.#rowsOf(number);
      for (let start = 0; start < rows.length; start += batchSize) {
        let entries = 0;
        for (const row of rows.subarray(start, start + batchSize)) {
          entries += pointers[row + 1]! - pointers[row]!;
        }
        most = Math.max(most, entries);
      }
    }
    return roundUp(most);
  }

  /** The rows of a window, in their order. */
  #rowsOf(number: number): Int32Array {
    const subset = this.#source.rows;
    const order = this.#order.window(number);
    return subset === undefined ? order : order.map((place) => subset[place]!);
  }

  /** Reads a window, unless it is the one that was read last. */
  async read(number: number): Promise<Window> {
    if (this.#window?.number === number) return this.#window;
    // The old rows need not be kept while the new ones are read.
    this.#window = undefined;
    const rows = this.#rowsOf(number);
    const { sorted, places } = sortedRows(rows);
    const held = await holdRows(this.#source.matrix, sorted);
    return this.#window = { number, rows, places, held };
  }
}

/** The next number that is an eighth of a power of two, so that sizes are few. */
function roundUp(count: number): number {
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(count)) - 4);
  return Math.ceil(count / step) * step;
}

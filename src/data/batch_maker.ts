/**
 * Batches of an epoch, made of what a file holds: plain arrays, which threads can send each other.
 *
 * @module
 */
import { allocate, type TypedArray } from "../dtype.ts";
import { EpochOrder, type EpochPlan } from "./epoch_order.ts";
import { holdRows, type StoredMatrix } from "./file_matrix.ts";
import { type HeldRows, sortedRows } from "./held_rows.ts";

/** What batches are made of. */
export interface BatchSource {
  /** The matrix whose rows they have. */
  readonly matrix: StoredMatrix;
  /** What decides about their order. */
  readonly plan: EpochPlan;
  /** The rows to go over; all of the matrix where there are none. */
  readonly rows: Int32Array | undefined;
}

/** A batch before it is padded and labelled. */
export interface MadeBatch {
  /** The row of each cell in the file. */
  readonly rows: Int32Array<ArrayBuffer>;
  /** Their values: `batchSize` × columns, zeros behind them. */
  readonly x: TypedArray;
}

/** Rows that were read at once, and the place of each of the window's. */
interface Window {
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
    const { matrix, plan: { batchSize, window: size } } = this.#source;
    const columns = matrix.shape[1];
    const start = number * batchSize;
    const window = await this.#read(Math.floor(start / size));
    const from = start % size;
    const rows = window.rows.slice(from, from + batchSize);
    const x = allocate(matrix.dtype, batchSize * columns);
    rows.forEach((_, i) => window.held.put(window.places[from + i]!, x, i * columns));
    return { rows, x };
  }

  async #read(number: number): Promise<Window> {
    if (this.#window?.number === number) return this.#window;
    // The old rows need not be kept while the new ones are read.
    this.#window = undefined;
    const subset = this.#source.rows;
    const order = this.#order.window(number);
    const rows = subset === undefined ? order : order.map((place) => subset[place]!);
    const { sorted, places } = sortedRows(rows);
    const held = await holdRows(this.#source.matrix, sorted);
    return this.#window = { number, rows, places, held };
  }
}

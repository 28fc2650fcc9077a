/**
 * Epochs of batches of cells: in which order they are made, and what users get of them.
 *
 * @module
 */
import type { StartThreads } from "../backends/cpu/start_threads.ts";
import { formatBytes } from "../describe.ts";
import { BYTES } from "../dtype.ts";
import { checkNumber, refuseMore } from "../options.ts";
import { MAX_BYTES } from "../shape.ts";
import { fromData, type Tensor } from "../tensor.ts";
import type { AnnDataFile } from "./anndata.ts";
import type { BatchEntries, BatchForm } from "./batch_forms.ts";
import { BatchMaker, type MadeBatch } from "./batch_maker.ts";
import { EpochWorkers } from "./batch_workers.ts";
import { type CellLabels, readLabels } from "./cell_labels.ts";
import { countBatches, type EpochPlan, windowOf } from "./epoch_order.ts";
import type { StoredMatrix } from "./file_matrix.ts";

/** Some cells. */
export interface CellBatch<X extends Tensor | BatchEntries = Tensor> {
  /**
   * Their values: [`batchSize`, genes], with zeros where the batch is padded. Or their entries: as
   * many for all batches of an epoch, zeros behind the last one that `indptr` tells of.
   */
  readonly x: X;
  /** Which rows are cells, as booleans: [`batchSize`]. */
  readonly mask: Tensor;
  /** How many rows are cells. They come first. */
  readonly count: number;
  /** The row of each in the file, −1 where the batch is padded. */
  readonly index: Int32Array;
  /**
   * The columns that were asked for: [`batchSize`] each. Of categories they are the codes, −1 where
   * one is missing or the batch is padded; of numbers and booleans zeros where it is padded.
   */
  readonly obs: Readonly<Record<string, Tensor>>;
}

/** Epochs of batches. Made by {@linkcode cellLoader}. */
export interface CellLoader<X extends Tensor | BatchEntries = Tensor>
  extends AsyncIterable<CellBatch<X>> {
  /** How many batches an epoch has, for every rank. */
  readonly batches: number;
  /** How many rows a batch has. */
  readonly batchSize: number;
  /**
   * An epoch by its number, from a batch on: so training goes on where it was ended.
   *
   * @param epoch A whole number of at least 0; it decides about the order.
   * @param start The first batch; 0 by default.
   */
  epoch(epoch: number, start?: number): AsyncGenerator<CellBatch<X>, void, undefined>;
  /** The next epoch: 0, then 1, and so on. */
  [Symbol.asyncIterator](): AsyncGenerator<CellBatch<X>, void, undefined>;
}

/** The matrix, if batches of its rows can be had in the form that is wanted. */
export function checkForm(
  matrix: StoredMatrix,
  { sparse, file, plan, layer = "X" }: Omit<LoaderParts<never>, "form">,
): StoredMatrix {
  checkBatch(matrix, plan.batchSize, sparse);
  if (!sparse || matrix.format === "csr") return matrix;
  throw new TypeError(
    `Cannot compute cellLoader as "${layer}" of "${file.path}" must be stored by rows (csr) where ` +
      `sparse is true: current format is ${matrix.format}; leave sparse out, or write it so`,
  );
}

/** Throws where a batch, or of a sparse one what tells where its rows are, takes too much memory. */
function checkBatch({ shape, dtype }: StoredMatrix, rows: number, sparse: boolean): void {
  const bytes = sparse ? rows * BYTES.int32 : rows * Math.max(1, shape[1]) * BYTES[dtype];
  if (bytes <= MAX_BYTES) return;
  throw new RangeError(
    `Cannot compute cellLoader as a batch must take at most ${formatBytes(MAX_BYTES)}: ` +
      `current value of batchSize is ${rows}, which takes ${formatBytes(bytes)}`,
  );
}

/** What a loader is made of. */
export interface LoaderParts<X> {
  readonly file: AnnDataFile;
  readonly plan: EpochPlan;
  readonly rows: Int32Array | undefined;
  readonly layer: string | undefined;
  readonly obs: readonly string[];
  readonly prefetch: number;
  /** What batches hold. */
  readonly form: BatchForm<X>;
  readonly sparse: boolean;
  readonly workers: { readonly count: number; readonly start: StartThreads } | undefined;
}

/** What is read of a file before the first batch. */
interface Opened {
  readonly matrix: StoredMatrix;
  readonly labels: readonly (readonly [key: string, labels: CellLabels])[];
}

/** Epochs of the batches of a file. */
export class Loader<X extends Tensor | BatchEntries> implements CellLoader<X> {
  readonly batches: number;
  readonly batchSize: number;
  readonly #parts: LoaderParts<X>;
  #opened: Promise<Opened> | undefined;
  #epochs = 0;

  constructor(parts: LoaderParts<X>) {
    this.#parts = parts;
    this.batches = countBatches(parts.plan);
    this.batchSize = parts.plan.batchSize;
  }

  [Symbol.asyncIterator](): AsyncGenerator<CellBatch<X>, void, undefined> {
    return this.epoch(this.#epochs++);
  }

  epoch(epoch: number, start = 0): AsyncGenerator<CellBatch<X>, void, undefined> {
    if (arguments.length > 2) refuseMore("epoch", "start", 2, arguments);
    const range = { integer: true, min: 0 };
    checkNumber("epoch", "epoch", epoch, { ...range, max: 2 ** 32 - 1 });
    checkNumber("epoch", "start", start, { ...range, max: this.batches });
    return this.#run(epoch, start);
  }

  async *#run(epoch: number, start: number): AsyncGenerator<CellBatch<X>, void, undefined> {
    const opened = await this.#open();
    const workers = start < this.batches ? this.#startWorkers(opened, epoch, start) : undefined;
    try {
      yield* this.#batches(workers ?? this.#maker(opened, epoch), opened, start);
    } finally {
      workers?.end();
    }
  }

  async *#batches(
    maker: Pick<BatchMaker, "make">,
    opened: Opened,
    start: number,
  ): AsyncGenerator<CellBatch<X>, void, undefined> {
    const batches: Promise<CellBatch<X>>[] = [];
    let last: Promise<unknown> = Promise.resolve();
    const finish = (made: MadeBatch) => this.#finish(made, opened);
    for (let i = start, next = start; i < this.batches; i++) {
      for (; next < this.batches && next <= i + this.#parts.prefetch; next++) {
        const made = maker.make(next);
        const batch = last.then(() => made).then(finish);
        // One that fails is told in its turn, or not at all where the epoch is left before.
        for (const promise of [made, batch]) promise.catch(() => {});
        last = batch;
        batches.push(batch);
      }
      yield await batches.shift()!;
    }
  }

  #maker({ matrix }: Opened, epoch: number): BatchMaker {
    const { plan, rows, sparse } = this.#parts;
    return new BatchMaker({ matrix, plan, rows, sparse }, epoch);
  }

  /** The workers of an epoch from a batch on, where there is something that they can open. */
  #startWorkers({ matrix }: Opened, epoch: number, start: number): EpochWorkers | undefined {
    const { file, plan, rows, sparse, layer, workers } = this.#parts;
    if (workers === undefined) return undefined;
    const [first, last] = [start, this.batches - 1].map((batch) => windowOf(plan, batch));
    const stride = Math.min(workers.count, last! - first! + 1);
    const { shape, dtype } = matrix;
    const task = { layer, shape, dtype, plan, rows, sparse, epoch, first: first!, stride };
    return EpochWorkers.start(workers.start, file, task);
  }

  /** The batch that users get. */
  async #finish({ rows, x }: MadeBatch, { matrix, labels }: Opened): Promise<CellBatch<X>> {
    const { batchSize } = this;
    const { dtype, shape: [, columns] } = matrix;
    return {
      x: await this.#parts.form(x, [batchSize, columns], dtype),
      mask: fromData(new Uint8Array(batchSize).fill(1, 0, rows.length), [batchSize], "bool"),
      count: rows.length,
      index: Int32Array.from({ length: batchSize }, (_, i) => rows[i] ?? -1),
      obs: Object.fromEntries(labels.map(([key, labels]) => [key, labels.take(rows, batchSize)])),
    };
  }

  #open(): Promise<Opened> {
    const { file, layer, obs } = this.#parts;
    const open = async () => ({
      matrix: checkForm(layer === undefined ? file.X : await file.layer(layer), this.#parts),
      labels: await Promise.all(
        obs.map(async (key) => [key, await readLabels(file, key)] as const),
      ),
    });
    return this.#opened ??= open();
  }
}

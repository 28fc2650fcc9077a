/**
 * Batches of cells for training, from files that may be larger than memory.
 *
 * @module
 */
import { describe } from "../describe.ts";
import {
  checkArray,
  checkBoolean,
  checkFunction,
  checkNumber,
  checkText,
  readOptions,
  refuseMore,
} from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { AnnDataFile } from "./anndata.ts";
import { type BatchEntries, entriesForm, type Transform, valuesForm } from "./batch_forms.ts";
import { findBatchWorkers } from "./batch_workers.ts";
import { type CellLoader, checkForm, Loader } from "./cell_epochs.ts";
import { countBatches, type EpochPlan } from "./epoch_order.ts";
import type { SparseMatrix } from "./sparse.ts";

/** Options of {@linkcode cellLoader}. */
export interface CellLoaderOptions {
  /** How many rows every batch has. */
  batchSize: number;
  /** Whether every epoch has a random order of its own; `false` by default. */
  shuffle?: boolean | undefined;
  /** What the orders are drawn from, a whole number; 0 by default. */
  seed?: number | undefined;
  /** How many batches are made ahead, while a step runs; 2 by default. */
  prefetch?: number | undefined;
  /** How many workers make batches while a step runs, each a window at a time; 0 by default. */
  workers?: number | undefined;
  /** Whether rows that fill no batch are left out; `false` by default: the last batch is padded. */
  drop?: boolean | undefined;
  /** What becomes of the rows of each batch: another tensor with as many rows. */
  transform?: ((x: Tensor) => Tensor | Promise<Tensor>) | undefined;
  /** A layer instead of `X`. */
  layer?: string | undefined;
  /** Columns that annotate the cells, whose values come with each batch; none by default. */
  obs?: readonly string[] | undefined;
  /** The rows to go over, each once; all by default. */
  rows?: readonly number[] | Int32Array | undefined;
  /** Which part of every epoch this one takes, from 0 on; 0 by default. */
  rank?: number | undefined;
  /** Among how many ranks an epoch is shared out; 1 by default. */
  ranks?: number | undefined;
  /** How many neighbouring rows stay together when blocks are shuffled; 32 by default. */
  block?: number | undefined;
  /**
   * How many rows are read at once and shuffled among each other, rounded down to whole batches;
   * by default as many as have 2²⁴ values.
   */
  window?: number | undefined;
}

/** Options of {@linkcode cellLoader} for batches without their zeros. */
export interface SparseLoaderOptions extends Omit<CellLoaderOptions, "transform"> {
  /** Whether batches hold entries in place of all values, of a matrix stored by rows. */
  sparse: true;
  /** What becomes of the rows of each batch: as many, with no more entries. */
  transform?: ((x: SparseMatrix) => SparseMatrix | Promise<SparseMatrix>) | undefined;
}

/** The most workers, of which each has the modules, and a window, in a memory of its own. */
const MAX_WORKERS = 64;

/** How many values a window has by default. */
const WINDOW = 2 ** 24;

const DEFAULTS = {
  batchSize: undefined,
  shuffle: false,
  seed: 0,
  prefetch: 2,
  workers: 0,
  drop: false,
  sparse: false,
  transform: undefined,
  layer: undefined,
  obs: [],
  rows: undefined,
  rank: 0,
  ranks: 1,
  block: 32,
  window: undefined,
};

/**
 * Goes over the cells of a file in batches of one size, epoch after epoch, with as little of it in
 * memory as is needed.
 *
 * A shuffled epoch goes over blocks of neighbouring rows in a random order; a window of many blocks
 * is read at once, and its rows are shuffled among each other. The same seed and epoch give the same
 * order, on every machine and whatever the format; every row comes once. Files by rows (`"csr"`,
 * dense) suit: of one by columns (`"csc"`) each window costs a pass over all of it.
 *
 * Of `ranks` parts every one has as many batches; together they have all rows, none twice. Without
 * `drop`, the last batch is padded (of a rank that has fewer rows, the last one may have none at
 * all), so that compiled programs meet one shape: losses leave padding out by `mask`, or by
 * `ignoreIndex: -1` where they take codes of categories. With `drop`, fewer than
 * `batchSize` rows per rank are left out, in a shuffled epoch other ones each time.
 *
 * With `sparse: true`, batches of a matrix that is stored by rows hold the entries that are not zero,
 * for {@linkcode sparseMatmul}: where a tenth of 2,000 genes is expressed, training a small network
 * takes 0.6 of the time (`deno task bench:loader`). All batches of an epoch are padded to as many
 * entries: the most that one of them has, rounded up by at most an eighth, so that epochs rarely
 * differ.
 *
 * With `workers`, other threads read, decompress and make the same batches while a step runs;
 * `transform` stays on the calling one. They open the source of the file once more: bytes, and what a
 * stream gave, are copied to each. Cells that were read whole from such bytes (tables, `.npy`, `.npz`)
 * are batched without workers. These serve all loaders of a file, and end with it, or two seconds
 * after the last epoch; an epoch that is neither ended nor left keeps the program running.
 *
 * **Differs from PyTorch's `DataLoader`** in that `workers` are threads that share one order and one
 * `prefetch`, in that batches have one size by padding, and in that cells far from each other in a
 * file come into the same batch only by way of `window`: make it larger where the file is sorted, say
 * by type, or shuffle such a file once.
 *
 * @param file The open file, which must stay open.
 * @param options `batchSize`, and others.
 * @returns The epochs: `for await` goes over the next one, `epoch` over any.
 * @throws {TypeError} If the file is none, an option is unknown or of another kind, or no worker can
 * start.
 * @throws {RangeError} If an option is out of range, there is no such column or layer, or there is no
 * batch.
 *
 * @example Two epochs, and on from where they were ended
 * ```ts
 * import { cellLoader, openCells } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const table = new Blob(["CD3E,CD19\n4,0\n0,7\n1,1\n5,0\n0,9\n"]);
 * await using file = await openCells(table);
 * const loader = cellLoader(file, { batchSize: 2, shuffle: true, seed: 1 });
 * assertEquals(loader.batches, 3);
 * for (let epoch = 0; epoch < 2; epoch++) {
 *   let cells = 0;
 *   for await (const { x, count } of loader) {
 *     assertEquals(x.shape, [2, 2]);
 *     cells += count;
 *   }
 *   assertEquals(cells, 5);
 * }
 * const last: number[][] = [];
 * for await (const { mask } of loader.epoch(1, 2)) last.push([...mask.data]);
 * assertEquals(last, [[1, 0]]);
 * ```
 *
 * @example Batches without their zeros, into the first layer of a network
 * ```ts
 * import { ones } from "@cellgrad/cellgrad";
 * import { cellLoader, encodeAnnData, openCells, sparse, sparseMatmul } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = await encodeAnnData({ X: sparse([[0, 2, 0], [1, 0, 0], [0, 0, 4], [3, 0, 0]]) });
 * await using file = await openCells(bytes);
 * const totals: number[] = [];
 * for await (const { x } of cellLoader(file, { batchSize: 2, sparse: true })) {
 *   totals.push(...sparseMatmul({ ...x, shape: [2, 3] }, ones([3, 1])).data);
 * }
 * assertEquals(totals, [2, 1, 4, 3]);
 * ```
 */
export function cellLoader(
  file: AnnDataFile,
  options: CellLoaderOptions & { sparse?: false | undefined },
): CellLoader;
/** The same of batches without their zeros. */
export function cellLoader(
  file: AnnDataFile,
  options: SparseLoaderOptions,
): CellLoader<BatchEntries>;
export function cellLoader(
  file: AnnDataFile,
  options: CellLoaderOptions | SparseLoaderOptions,
): CellLoader | CellLoader<BatchEntries> {
  if (arguments.length > 2) refuseMore("cellLoader", "options", 2, arguments);
  if (!(file instanceof AnnDataFile)) {
    throw new TypeError(
      `Cannot compute cellLoader as file must be a file that openCells or openAnnData has opened: ` +
        `current value is ${describe(file)}`,
    );
  }
  const settled = readOptions("cellLoader", options, DEFAULTS);
  const { batchSize, shuffle, seed, prefetch, drop, transform, layer, rank, ranks } = settled;
  const whole = (name: string, value: unknown, min: number, max = 2 ** 31 - 1) =>
    checkNumber("cellLoader", name, value, { integer: true, min, max });
  whole("batchSize", batchSize, 1);
  whole("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  whole("prefetch", prefetch, 0, 1024);
  whole("workers", settled.workers, 0, MAX_WORKERS);
  whole("ranks", ranks, 1);
  whole("rank", rank, 0, ranks - 1);
  whole("block", settled.block, 1);
  if (settled.window !== undefined) whole("window", settled.window, batchSize);
  checkBoolean("cellLoader", "shuffle", shuffle);
  checkBoolean("cellLoader", "drop", drop);
  checkBoolean("cellLoader", "sparse", settled.sparse);
  if (transform !== undefined) checkFunction("cellLoader", "transform", transform);
  if (layer !== undefined) checkMember(file, "layer", layer, file.keys.layers);
  checkArray("cellLoader", "obs", settled.obs);
  for (const key of settled.obs) checkMember(file, "obs", key, file.keys.obs);
  const rows = settled.rows === undefined ? undefined : checkRows(file, settled.rows);
  const window = settled.window ?? Math.max(batchSize, Math.floor(WINDOW / (file.nVars || 1)));
  const plan: EpochPlan = {
    count: rows?.length ?? file.nObs,
    batchSize,
    shuffle,
    seed,
    block: settled.block,
    window: window - window % batchSize,
    drop,
    rank,
    ranks,
  };
  if (countBatches(plan) === 0) {
    throw new RangeError(
      `Cannot compute cellLoader as there is no batch: ${plan.count} rows of "${file.path}" among ` +
        `${ranks} ranks do not fill ${batchSize} rows${drop ? ", and drop is true" : ""}`,
    );
  }
  const { sparse, obs, workers: count } = settled;
  const workers = count === 0 ? undefined : { count, start: findBatchWorkers() };
  const parts = { file, plan, rows, layer, obs, prefetch, sparse, workers };
  if (layer === undefined) checkForm(file.X, parts);
  return sparse
    ? new Loader({ ...parts, form: entriesForm(transform as Transform<SparseMatrix>) })
    : new Loader({ ...parts, form: valuesForm(transform as Transform<Tensor>) });
}

function checkMember(
  file: AnnDataFile,
  name: string,
  key: unknown,
  keys: readonly string[],
): void {
  checkText("cellLoader", name, key);
  if (keys.includes(key)) return;
  throw new RangeError(
    `Cannot compute cellLoader as ${name} must be of "${file.path}", which has ` +
      `${keys.join(", ") || "none"}: current value is ${key}`,
  );
}

function checkRows(file: AnnDataFile, rows: unknown): Int32Array {
  if (!(rows instanceof Int32Array)) checkArray("cellLoader", "rows", rows);
  const given = rows as ArrayLike<number>;
  const seen = new Uint8Array(file.nObs);
  for (let i = 0; i < given.length; i++) {
    const row = given[i]!;
    const isRow = Number.isInteger(row) && row >= 0 && row < file.nObs;
    if (isRow && seen[row]!++ === 0) continue;
    throw new RangeError(
      `Cannot compute cellLoader as rows must be different whole numbers from 0 to ` +
        `${file.nObs - 1}: current value at position ${i} is ${describe(row)}` +
        (isRow ? ", a second time" : ""),
    );
  }
  return Int32Array.from(given);
}

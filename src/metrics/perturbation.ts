/**
 * How well the effects of perturbations are predicted.
 *
 * @module
 */
import { checkAxes, checkNumber, readOptions, refuseMore } from "../options.ts";
import { checkLabels } from "../labels.ts";
import { correlation } from "./pearson.ts";
import { meanOf, readLabels, readMatrix, readNumbers, type Values } from "./values.ts";

/** Options of {@linkcode perturbationMetrics}. */
export interface PerturbationOptions {
  /** The mean expression of control cells: one number per gene. */
  ctrlMean: Values;
  /** The perturbation of each cell, counted from 0. */
  perturbation: Values;
  /** Differentially expressed genes: a row of gene numbers per perturbation, strongest first. */
  deIndices: Values;
  /** How many genes of each row of `deIndices` count; 20 by default. */
  topK?: number | undefined;
}

/** Correlations and errors, each a number or a list of them. */
export interface PerturbationScores<T> {
  /** Correlation of predicted and true mean expression over all genes. */
  pearson: T;
  /** The same over the differentially expressed genes. */
  pearsonDe: T;
  /** Correlation of predicted and true change from control over all genes. */
  pearsonDelta: T;
  /** The same over the differentially expressed genes. */
  pearsonDeltaDe: T;
  /** Mean squared error of the mean expression over all genes. */
  mse: T;
  /** The same over the differentially expressed genes. */
  mseDe: T;
}

/** The scores of single perturbations: a table with one row per perturbation that has cells. */
export interface PerturbationTable extends PerturbationScores<Float64Array> {
  /** Which perturbation the row is about. */
  perturbation: Int32Array;
  /** How many cells it has. */
  cells: Int32Array;
}

/** What {@linkcode perturbationMetrics} returns. */
export interface PerturbationMetrics {
  /** The scores of each perturbation, column by column. */
  perPerturbation: PerturbationTable;
  /** Their means; every perturbation counts the same, however many cells it has. */
  mean: PerturbationScores<number>;
}

/**
 * Agreement of predicted and true expression after perturbations, by perturbation.
 *
 * With P̄ and T̄ the mean predicted and true expression of a perturbation's cells, and C the mean
 * of control cells, all over genes:
 *
 * - `pearson` = r(P̄, T̄); `pearsonDelta` = r(P̄ − C, T̄ − C): in [−1, 1], higher is better
 * - `mse` = mean (P̄ − T̄)²: at least 0, lower is better
 * - `…De`: the same over the perturbation's first `topK` differentially expressed genes
 *
 * Report the delta. Most genes do not change, so `pearson` is near 1 for whoever predicts that
 * nothing happens; the `pearsonDelta` of that prediction is 0. A correlation that is not defined
 * (constant values) is 0, see {@linkcode pearson}; changes that differ by no more than rounding, that
 * of float32 where any of the numbers are of that type, are constant.
 *
 * Source: GEARS, `compute_metrics` and `deeper_analysis` (Roohani et al. 2023,
 * https://doi.org/10.1038/s41587-023-01905-6), as scFormer uses them. Deviations: control cells are
 * no perturbation here (GEARS counts them in the means over all genes); a perturbation with one
 * cell has scores (GEARS divides by its deviation of 0); any `topK` works. A perturbation without
 * cells has no row in the table; without any cells the means are 0.
 *
 * @param pred Predicted expression (cells, genes).
 * @param truth True expression (cells, genes).
 * @param options `ctrlMean` (genes); `perturbation` (cells), row numbers of `deIndices`;
 * `deIndices` (perturbations, at least `topK`), gene numbers; `topK`, 20 by default.
 * @returns `{ perPerturbation, mean }`, both with `pearson`, `pearsonDe`, `pearsonDelta`,
 * `pearsonDeltaDe`, `mse` and `mseDe`: arrays, and numbers.
 * @throws {TypeError} If shapes disagree, a label is not a whole number, or an option is unknown or
 * of the wrong kind.
 * @throws {RangeError} If a perturbation or a gene number is out of range, or `topK` is.
 *
 * @example One perturbation whose direction is predicted, at half of its size
 * ```ts
 * import { perturbationMetrics } from "@cellgrad/cellgrad/metrics";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const { perPerturbation, mean } = perturbationMetrics([[2, 3.5, 5]], [[3, 3, 5]], {
 *   ctrlMean: [1, 4, 5],
 *   perturbation: [0],
 *   deIndices: [[0, 1]],
 *   topK: 2,
 * });
 * assertAlmostEquals(perPerturbation.pearsonDelta[0]!, 1);
 * assertEquals(mean.mseDe, (1 + 0.25) / 2);
 * ```
 */
export function perturbationMetrics(
  pred: Values,
  truth: Values,
  options: PerturbationOptions,
): PerturbationMetrics {
  if (arguments.length > 3) refuseMore("perturbationMetrics", "options", 3, arguments);
  const study = readStudy(pred, truth, options);
  const rows = study.cells.flatMap((cells, p) => cells.length > 0 ? [scoreOne(study, p)] : []);
  const scores = mapScores((name) => Float64Array.from(rows, (row) => row[name]));
  return {
    perPerturbation: {
      perturbation: Int32Array.from(rows, (row) => row.perturbation),
      cells: Int32Array.from(rows, (row) => row.cells),
      ...scores,
    },
    mean: mapScores((name) => meanOf(scores[name])),
  };
}

function mapScores<T>(f: (name: keyof PerturbationScores<T>) => T): PerturbationScores<T> {
  return {
    pearson: f("pearson"),
    pearsonDe: f("pearsonDe"),
    pearsonDelta: f("pearsonDelta"),
    pearsonDeltaDe: f("pearsonDeltaDe"),
    mse: f("mse"),
    mseDe: f("mseDe"),
  };
}

/** What is compared, checked; cells and differentially expressed genes by perturbation. */
interface Study {
  pred: ArrayLike<number>;
  truth: ArrayLike<number>;
  control: ArrayLike<number>;
  cells: readonly number[][];
  deGenes: ArrayLike<number>[];
  /** How far, relative to their size, the numbers are rounded. */
  unit: number;
}

function readStudy(pred: Values, truth: Values, options: PerturbationOptions): Study {
  const caller = "perturbationMetrics";
  const given = readOptions(caller, options, {
    ctrlMean: undefined as unknown as Values,
    perturbation: undefined as unknown as Values,
    deIndices: undefined as unknown as Values,
    topK: 20,
  });
  const missing = Object.entries(given).find(([, value]) => value === undefined);
  if (missing) throw new TypeError(`Cannot compute ${caller} as ${missing[0]} must be given`);
  const p = readMatrix(caller, "pred", pred, ["cells", "genes"]);
  const [cells, genes] = p.shape as [number, number];
  const t = readMatrix(caller, "truth", truth, [cells, genes]);
  const ctrlMean = readNumbers(caller, "ctrlMean", given.ctrlMean);
  checkAxes(caller, "ctrlMean", ctrlMean, [genes]);
  const de = readMatrix(caller, "deIndices", given.deIndices, ["perturbations", "k"]);
  const [perturbations, width] = de.shape as [number, number];
  checkNumber(caller, "topK", given.topK, { min: 1, max: width, integer: true });
  const ids = readLabels(caller, "perturbation", given.perturbation);
  checkAxes(caller, "perturbation", ids, [cells]);
  checkLabels(caller, ids, perturbations, { argument: "perturbation" });
  const chosen = checkLabels(caller, de, genes, { argument: "deIndices" }).data;
  const deGenes = Array.from(
    { length: perturbations },
    (_, i) => chosen.subarray(i * width, i * width + given.topK),
  );
  const cellsOf = deGenes.map((): number[] => []);
  ids.data.forEach((perturbation: number, cell: number) => cellsOf[perturbation]!.push(cell));
  const data = { pred: p.data, truth: t.data, control: ctrlMean.data };
  const unit = Object.values(data).some(isSingle) ? 2 ** -23 : 2 ** -52;
  return { ...data, cells: cellsOf, deGenes, unit };
}

/** Whether float32 holds all numbers. */
function isSingle(values: ArrayLike<number>): boolean {
  return Array.prototype.every.call(values, (value) => value === Math.fround(value));
}

/** A row of the table. */
function scoreOne(
  study: Study,
  perturbation: number,
): PerturbationScores<number> & { perturbation: number; cells: number } {
  const { pred, truth, control, cells, deGenes } = study;
  const rows = cells[perturbation]!;
  const [p, t] = [pred, truth].map((data) => meanRow(data, control.length, rows));
  const [dp, dt] = [pred, truth].map((data) => changeOf(study, data, rows));
  const genes = deGenes[perturbation]!;
  const de = (values: Float64Array) => Float64Array.from(genes, (gene) => values[gene]!);
  const deChange = ({ means, rounding }: Change) => ({ means: de(means), rounding: de(rounding) });
  const squares = p!.map((mean, gene) => (mean - t![gene]!) ** 2);
  return {
    perturbation,
    cells: rows.length,
    pearson: correlation(p!, t!),
    pearsonDe: correlation(de(p!), de(t!)),
    pearsonDelta: correlation(withoutNoise(dp!), withoutNoise(dt!)),
    pearsonDeltaDe: correlation(withoutNoise(deChange(dp!)), withoutNoise(deChange(dt!))),
    mse: meanOf(squares),
    mseDe: meanOf(de(squares)),
  };
}

/** How far cells are from the control, by gene. */
interface Change {
  /** The means of the differences. */
  means: Float64Array;
  /** How far rounding may have taken them. */
  rounding: Float64Array;
}

function changeOf({ control, unit }: Study, data: ArrayLike<number>, rows: number[]): Change {
  const [sums, sizes] = [new Float64Array(control.length), new Float64Array(control.length)];
  for (const row of rows) {
    for (let gene = 0; gene < control.length; gene++) {
      const [value, base] = [data[row * control.length + gene]!, control[gene]!];
      sums[gene]! += value - base;
      sizes[gene]! += Math.abs(value) + Math.abs(base);
    }
  }
  const share = unit / rows.length + 2 ** -52;
  return {
    means: sums.map((sum) => sum / rows.length),
    rounding: sizes.map((size) => size * share),
  };
}

/** The changes; zeros where, but for rounding, all may be one number. */
function withoutNoise({ means, rounding }: Change): Float64Array {
  const least = means.reduce(
    (least, mean, gene) => Math.max(least, mean - rounding[gene]!),
    -Infinity,
  );
  const most = means.reduce((most, mean, gene) => Math.min(most, mean + rounding[gene]!), Infinity);
  return least <= most ? new Float64Array(means.length) : means;
}

function meanRow(data: ArrayLike<number>, width: number, rows: readonly number[]): Float64Array {
  const sums = new Float64Array(width);
  for (const row of rows) {
    for (let gene = 0; gene < width; gene++) sums[gene]! += data[row * width + gene]!;
  }
  return sums.map((sum) => sum / rows.length);
}

/**
 * Matrices with one row per cell, as the single-cell losses share them, and comparisons of all pairs
 * of cells without room for all of them at once.
 *
 * @module
 */
import { floating, promoteAll } from "../ops/elementwise.ts";
import { cast, split, squeeze, sum } from "../ops/mod.ts";
import { formatShape } from "../shape.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { checkAxes, checkSameShape, checkTensorLike } from "../options.ts";
import { divideByCount } from "./reduction.ts";
import { checkNotNegative } from "../ranges.ts";
import { mapRowBlocks } from "../transforms/map_row_blocks.ts";

/** The arguments that have one entry per cell, by their names. */
export type CellArguments = Readonly<Record<string, Tensor>>;

/** Throws a `TypeError` unless all arguments have the same number of cells, at least one. */
export function checkSameCells(caller: string, cells: CellArguments): void {
  const [first, ...others] = Object.entries(cells) as [string, Tensor][];
  const [name, { shape }] = first!;
  const count = shape[0]!;
  if (count === 0) {
    throw new TypeError(
      `Cannot compute ${caller} as ${name} must hold at least one cell: ` +
        `current shape is ${formatShape(shape)}`,
    );
  }
  for (const [other, x] of others) {
    if (x.shape[0] === count) continue;
    throw new TypeError(
      `Cannot compute ${caller} as ${name} and ${other} must have the same number of cells: ` +
        `current values are ${count} and ${x.shape[0]}`,
    );
  }
}

/**
 * Matrices of the same cells, in the stronger of their floating types.
 *
 * @param caller The function's name, for messages.
 * @param matrices By argument name, the values and the name of the second axis.
 * @returns The matrices, in the order given.
 * @throws {TypeError} If one is no matrix, the numbers of cells differ, or there are none.
 */
export function readCells(
  caller: string,
  matrices: Readonly<Record<string, readonly [values: TensorLike, columns: string]>>,
): Tensor[] {
  const names = Object.keys(matrices);
  const given = Object.fromEntries(names.map((name) => [name, matrices[name]![0]]));
  const tensors = promoteAll(caller, given).map(floating);
  tensors.forEach((x, i) => checkAxes(caller, names[i]!, x, ["cells", matrices[names[i]!]![1]]));
  checkSameCells(caller, Object.fromEntries(names.map((name, i) => [name, tensors[i]!])));
  return tensors;
}

/** Labels, one for each of the cells of a matrix; their values are not looked at. */
export function readCellLabels(
  caller: string,
  cells: CellArguments,
  argument: string,
  labels: TensorLike,
): Tensor {
  const given = asTensor(labels, "float64", caller, argument);
  checkAxes(caller, argument, given, ["cells"]);
  checkSameCells(caller, { ...cells, [argument]: given });
  return given;
}

/**
 * What each of the cells of a matrix counts, in its floating type; `null` where none is given.
 *
 * @param caller The function's name, for messages.
 * @param cells The matrix, by its name.
 * @param weights The weights by the option's name.
 * @returns (n), at least 0.
 * @throws {TypeError} If there is not one weight per cell.
 * @throws {RangeError} If one is negative.
 */
export function readCellWeights(
  caller: string,
  cells: CellArguments,
  weights: Readonly<Record<string, TensorLike | undefined>>,
): Tensor | null {
  const [[name, given], { dtype }] = [Object.entries(weights)[0]!, Object.values(cells)[0]!];
  if (given === undefined) return null;
  checkTensorLike(caller, name, given);
  const read = cast(readCellLabels(caller, cells, name, given), dtype);
  checkNotNegative(caller, name, read);
  return read;
}

/**
 * How many values one step of a loss may make: all pairs of 2048 cells, 16 MiB in float32. A loss
 * and its gradient hold 20 to 50 such matrices at a time, whatever the number of cells: 0.4 to 0.9
 * GiB, as measured. Blocks of a quarter of this take as long, twice as large ones longer; and up to
 * here all cells are compared at once, which saves computing them again for the gradient, a third of
 * the time.
 */
const LARGEST = 1 << 22;

function rowsAtOnce(perRow: number, largest: number): number {
  return Math.max(1, Math.floor(largest / perRow));
}

/** Whether {@linkcode mapCells} compares so many cells at once. */
export function fitsAtOnce(cells: number, perRow: number, largest: number = LARGEST): boolean {
  return cells <= rowsAtOnce(perRow, largest);
}

/**
 * Results of one row per cell, computed a block of cells at a time where all at once are too many.
 *
 * @param f From the rows of some cells and what all share to one row of results per cell. It treats
 * each cell by itself, so that blocks change nothing but the order in which gradients are added up.
 * @param rowInputs What has one row per cell.
 * @param sharedInputs What is compared with: whatever else f uses that may be differentiated.
 * @param perRow How many values the largest step of f makes for each cell.
 * @param largest How many it may make at once.
 * @returns The results for all cells.
 */
export function mapCells<R extends readonly Tensor[], S extends readonly Tensor[]>(
  f: (block: R, shared: S) => Tensor,
  rowInputs: R,
  sharedInputs: S,
  perRow: number,
  largest: number = LARGEST,
): Tensor {
  const rows = rowsAtOnce(perRow, largest);
  if (rowInputs[0]!.shape[0]! <= rows) return f(rowInputs, sharedInputs);
  return mapRowBlocks<R, S>(f, rowInputs as never, sharedInputs as never, { rows });
}

/** Two embeddings of the same cells, in the stronger of their types. */
export function readViews(caller: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const views = readCells(caller, { a: [a, "features"], b: [b, "features"] }) as [Tensor, Tensor];
  checkSameShape(caller, { a: views[0], b: views[1] });
  return views;
}

/** From a sum and a number of terms for each cell, (n, 2), to the mean term; 0 where there are none. */
export function meanOfRows(sums: Tensor): Tensor {
  const [total, count] = split(sum(sums, { axis: 0 }), 2) as [Tensor, Tensor];
  return squeeze(divideByCount(total, count));
}

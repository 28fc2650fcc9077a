/**
 * Matrices with one row per cell, as the single-cell losses share them.
 *
 * @module
 */
import { floating, promoteAll } from "../ops/elementwise.ts";
import { formatShape } from "../shape.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { checkAxes } from "../options.ts";

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
  const tensors = promoteAll(...Object.values(matrices).map(([values]) => values)).map(floating);
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
  const given = asTensor(labels, "float64");
  checkAxes(caller, argument, given, ["cells"]);
  checkSameCells(caller, { ...cells, [argument]: given });
  return given;
}

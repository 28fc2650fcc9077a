/**
 * Cells beside one row for each class, as the losses with class centres or proxies share them.
 *
 * @module
 */
import { checkLabels } from "../labels.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { formatShape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readCellLabels } from "./cells.ts";
import { checkAxes } from "../options.ts";

/** Embeddings, rows of classes and labels that fit together. */
export interface ClassRows {
  /** (n, d), at least one cell. */
  cells: Tensor;
  /** (C, d), in the same type, at least one class. */
  rows: Tensor;
  /** (n), `int32` in [0, C). */
  labels: Tensor;
}

/**
 * Checks embeddings, rows of classes and labels against each other.
 *
 * @param caller The function's name, for messages.
 * @param embeddings (n, d)
 * @param classRows (C, d), by the argument's name.
 * @param labels (n), whole numbers in [0, C).
 * @returns All three, the floating ones in the stronger of their types.
 * @throws {TypeError} If the shapes do not fit, there is no cell or no class, or labels are not whole
 * numbers.
 * @throws {RangeError} If a label names no class.
 */
export function readClassRows(
  caller: string,
  embeddings: TensorLike,
  classRows: Readonly<Record<string, TensorLike>>,
  labels: TensorLike,
): ClassRows {
  const [name, given] = Object.entries(classRows)[0]!;
  const [cells, rows] = promoteAll(caller, { embeddings, [name]: given }).map(floating) as [
    Tensor,
    Tensor,
  ];
  checkAxes(caller, "embeddings", cells, ["cells", "features"]);
  checkAxes(caller, name, rows, ["classes", cells.shape[1]!]);
  if (rows.shape[0] === 0) {
    throw new TypeError(
      `Cannot compute ${caller} as ${name} must hold at least one class: ` +
        `current shape is ${formatShape(rows.shape)}`,
    );
  }
  const numbers = readCellLabels(caller, { embeddings: cells }, "labels", labels);
  return { cells, rows, labels: checkLabels(caller, numbers, rows.shape[0]!) };
}

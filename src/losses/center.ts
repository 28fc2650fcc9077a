/**
 * Centre loss.
 *
 * @module
 */
import { div, gather, square, sub, sum } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readClassRows } from "./class_rows.ts";
import { refuseMore } from "../options.ts";

/**
 * Center loss: cells are drawn to the centre of their class, which is learned with them. Lower is
 * better; at least 0, in the squared unit of the embeddings.
 *
 * `L = 1/n Σ_i ½ ‖x_i − c_{y_i}‖²`
 *
 * The gradient of a centre is the sum over its cells of `(c − x) / n`: a centre without cells gets
 * none, and one of many cells more than one of few. It does not keep classes apart: add it, with a
 * small weight, to a loss that does, such as {@linkcode crossEntropyLoss}.
 *
 * **Differs from the original**, which sums over the cells of the batch, and moves centres by a rule
 * of its own, `Σ (c − x) / (1 + n_c)` times a rate, which is not the gradient. The widespread
 * `center_loss.py` (KaiyangZhou/pytorch-center-loss) lacks the factor ½, expands the square, and
 * adds 1e-12 for each class that is not the cell's own.
 *
 * Source: Wen et al. 2016, https://doi.org/10.1007/978-3-319-46478-7_31, equation 2.
 *
 * @param embeddings (n, d): one embedding per cell.
 * @param labels (n): for each cell its class, whole numbers in [0, C).
 * @param centers (C, d): one centre per class. Gradients reach them.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, there is no cell or no class, or labels are not whole
 * numbers.
 * @throws {RangeError} If a label names no class.
 *
 * @example Two cells, each at a distance of its own
 * ```ts
 * import { centerLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(centerLoss([[3, 4], [0, 0]], [0, 1], [[0, 0], [1, 0]]).item(), (25 + 1) / 4);
 * ```
 */
export function centerLoss(
  embeddings: TensorLike,
  labels: TensorLike,
  centers: TensorLike,
): Tensor {
  if (arguments.length > 3) refuseMore("centerLoss", "centers", 3, arguments);
  const read = readClassRows("centerLoss", embeddings, { centers }, labels);
  const apart = sub(read.cells, gather(read.rows, read.labels));
  return div(sum(square(apart)), 2 * read.cells.shape[0]!);
}

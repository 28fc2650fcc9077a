/**
 * Boundary loss of segmentations.
 *
 * @module
 */
import { mul, softmax } from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { formatShape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkSameShape, refuseMore } from "../options.ts";
import { reduceLosses } from "./reduction.ts";

/**
 * Boundary loss: how far from the outline of its class each predicted probability lies, on the wrong
 * side of it; a distance between outlines that does not depend on how large the regions are. Lower is
 * better; negative where most of the probability is where it should be.
 *
 * `L = mean softmax(z) · φ`
 *
 * over samples, classes and positions, the background included, with the signed distances φ of the
 * labels, negative inside: `signedDistance` of `@cellgrad/cellgrad/data` computes them once for each
 * image. It is linear in the probabilities, and in the unit of the distances. By itself it
 * may settle on empty regions: add it to {@linkcode diceLoss}, with a weight that grows while
 * training.
 *
 * **Differs from the original** in nothing that is here; how its distances differ is told with
 * `signedDistance`.
 *
 * Source: Kervadec et al. 2019, arXiv:1812.07032; https://github.com/LIVIAETS/boundary-loss,
 * `SurfaceLoss`.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param distanceMaps (N, C, …spatial): the signed distance to the outline of each class.
 * @returns The loss, a scalar; 0 for nothing.
 * @throws {TypeError} If the shapes do not fit.
 *
 * @example Three places in a row, the last of class 1
 * ```ts
 * import { boundaryLoss } from "@cellgrad/cellgrad/losses";
 * import { signedDistance } from "@cellgrad/cellgrad/data";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const maps = signedDistance([[0, 0, 1]], 2); // [-2, -1, 1] and [2, 1, -1]
 * const right = [[[9, 9, -9], [-9, -9, 9]]];
 * assertAlmostEquals(boundaryLoss(right, maps).item(), (-2 - 1 - 1) / 6, 1e-6);
 * ```
 */
export function boundaryLoss(logits: TensorLike, distanceMaps: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("boundaryLoss", "distanceMaps", 2, arguments);
  const [scores, maps] = promoteAll("boundaryLoss", { logits, distanceMaps }).map(floating) as [
    Tensor,
    Tensor,
  ];
  checkSameShape("boundaryLoss", { logits: scores, distanceMaps: maps });
  if (scores.rank < 2 || scores.shape[1]! < 2) {
    throw new TypeError(
      `Cannot compute boundaryLoss as logits must have the shape [N, C, …spatial] with at least ` +
        `two classes: current shape is ${formatShape(scores.shape)}`,
    );
  }
  return reduceLosses(mul(softmax(scores, { axis: 1 }), maps), "mean");
}

/**
 * RNA velocity against the change of expression.
 *
 * @module
 */
import { add, div, mean, mul, sqrt, square, sub, sum } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readCells } from "./cells.ts";
import { checkNumber, checkSameShape, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode velocityConsistencyLoss}. */
export interface VelocityConsistencyOptions {
  /** The time step, above 0, in the time unit of the velocity; 0.1 by default. */
  dt?: number | undefined;
  /** The weight of the direction, at least 0; 1 by default. */
  cosineWeight?: number | undefined;
  /** The weight of the length, at least 0; 1 by default. */
  magnitudeWeight?: number | undefined;
}

/**
 * Consistency of predicted RNA velocity with the change of expression: over a time step, the
 * velocity should point to where the cell is found then, and reach as far. Lower is better, about 0
 * where `future = expression + dt · velocity`.
 *
 * `L = w_c mean_i (1 − ⟨a_i, b_i⟩ / |a_i||b_i|) + w_m mean_i (|a_i| − |b_i|)²`, with `a = dt · v` the
 * predicted step, `b = f − x` the observed one, and `|a| = √(Σ a² + 1e-8)`
 *
 * The direction term has no unit and lies in [0, 2]: 0 for the same direction, 1 for a right angle,
 * 2 for the opposite. The length term has the squared unit of expression; it compares lengths, not
 * vectors, so each term alone can be 0 for a wrong prediction.
 *
 * The 1e-8 under the root keeps values and gradients finite where a cell stands still: its direction
 * term is 1, not undefined. It also biases short steps: parallel vectors of length 1e-4 have a
 * cosine of 0.5, and much shorter ones of about 0. Choose `dt` so that steps are longer than 1e-3.
 *
 * Source: DiffBio `src/diffbio/losses/singlecell_losses.py`, `VelocityConsistencyLoss`.
 *
 * @param expression (n, g): expression of each cell now, x.
 * @param velocity (n, g): its predicted change per unit of time, v.
 * @param futureExpression (n, g): its expression one time step later, f.
 * @param options `dt`, 0.1 by default; `cosineWeight`, w_c, 1; `magnitudeWeight`, w_m, 1.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the arguments are no matrices of the same shape or hold no cell, or an
 * option does not exist.
 * @throws {RangeError} If `dt` is not above 0, or a weight is negative.
 *
 * @example A prediction that points the wrong way
 * ```ts
 * import { velocityConsistencyLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = velocityConsistencyLoss([[1, 1]], [[3, 4]], [[-2, -3]], { dt: 1 });
 * assertAlmostEquals(loss.item(), 2, 1e-6);
 * ```
 */
export function velocityConsistencyLoss(
  expression: TensorLike,
  velocity: TensorLike,
  futureExpression: TensorLike,
  options: VelocityConsistencyOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("velocityConsistencyLoss", "options", 4, arguments);
  const caller = "velocityConsistencyLoss";
  const { dt, cosineWeight, magnitudeWeight } = readOptions(caller, options, {
    dt: 0.1,
    cosineWeight: 1,
    magnitudeWeight: 1,
  });
  checkNumber(caller, "dt", dt, { above: 0 });
  checkNumber(caller, "cosineWeight", cosineWeight, { min: 0 });
  checkNumber(caller, "magnitudeWeight", magnitudeWeight, { min: 0 });
  const [x, v, f] = readCells(caller, {
    expression: [expression, "genes"],
    velocity: [velocity, "genes"],
    futureExpression: [futureExpression, "genes"],
  }) as [Tensor, Tensor, Tensor];
  checkSameShape(caller, { expression: x, velocity: v, futureExpression: f });
  const [predicted, observed] = [mul(v, dt), sub(f, x)];
  const [reach, distance] = [softLength(predicted), softLength(observed)];
  const cosine = div(sum(mul(predicted, observed), { axis: 1 }), mul(reach, distance));
  return add(
    mul(mean(sub(1, cosine)), cosineWeight),
    mul(mean(square(sub(reach, distance))), magnitudeWeight),
  );
}

/** The length of each row, at least 1e-4. */
function softLength(x: Tensor): Tensor {
  return sqrt(add(sum(square(x), { axis: 1 }), 1e-8));
}

/**
 * Energy distance between two clouds of points.
 *
 * @module
 */
import { add, expandDims, lessEqual, mul, reshape, sqrt, sub, sum, where } from "../ops/mod.ts";
import { checkBoolean, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type CloudWeights, readMasses, readPoints, UNWEIGHTED } from "./clouds.ts";
import { batchMeans, kernelMeans, withoutSelf } from "./kernels.ts";

/** Options of {@linkcode energyDistance}. */
export interface EnergyDistanceOptions extends CloudWeights {
  /** Whether the value is the square of a distance, which is usual; `true` by default. */
  squared?: boolean | undefined;
  /** Whether no point is compared with itself; `false` by default. */
  unbiased?: boolean | undefined;
}

/**
 * Energy distance between two clouds of points, which sees any difference of their distributions and
 * has nothing to choose. Lower is better; at least 0, and 0 for the same distributions.
 *
 * `L = 2 E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖`
 *
 * with means over all pairs, of a point with itself as well: `Σ_ij w_i v_j ‖x_i − y_j‖` with weights,
 * which are divided by their sum. The unit is that of the points; with `squared: false`, the root of
 * it, a metric between distributions, with gradient 0 where it is 0.
 *
 * With `unbiased`, the means within a cloud are over pairs of different points,
 * `Σ_{i≠j} w_i w_j ‖x_i − x_j‖ / (1 − Σ w²)`: the value does not grow with fewer points, and may be
 * below 0, where its root is taken for 0. A single point has no such pair: its mean is 0.
 *
 * Time is n², and memory that of a block of points above 2048 of them; the gradient then computes
 * each block once more, in a program never. The gradient is 0 between equal points.
 *
 * **Differs from others** in scale: geomloss's `SamplesLoss("energy")`, which Arc's State trains
 * with, is half of it, `E‖x − y‖ − ½ E‖x − x′‖ − ½ E‖y − y′‖`; SciPy's `energy_distance` is its root.
 * Both agree with it otherwise. Distances come from differences here, and keep their digits far from
 * the origin; with `torch.cdist` they do not.
 *
 * Source: Székely & Rizzo 2013, Energy statistics, https://doi.org/10.1016/j.jspi.2013.03.018; between
 * cells with and without a perturbation: Peidli et al. 2024, scPerturb,
 * https://doi.org/10.1038/s41592-023-02144-y.
 *
 * @param x (n, d): one row per point.
 * @param y (m, d)
 * @param options `weightsX`, `weightsY`, none by default; `squared`, `true`; `unbiased`, `false`.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the points are no matrices with the same number of columns, or there are
 * none, the numbers of weights differ from theirs, or an option does not exist.
 * @throws {RangeError} If a weight is negative, or all of them are 0.
 *
 * @example Two points at a distance of 3, of which one counts twice
 * ```ts
 * import { energyDistance } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * assertEquals(energyDistance([[0]], [[3]]).item(), 6);
 * const loss = energyDistance([[0], [3]], [[3]], { weightsX: [1, 2] });
 * assertAlmostEquals(loss.item(), 2 / 3, 1e-6);
 * ```
 */
export function energyDistance(
  x: TensorLike,
  y: TensorLike,
  options: EnergyDistanceOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("energyDistance", "options", 3, arguments);
  const caller = "energyDistance";
  const { weightsX, weightsY, squared, unbiased } = readOptions(caller, options, {
    ...UNWEIGHTED,
    squared: true,
    unbiased: false,
  });
  checkBoolean(caller, "squared", squared);
  checkBoolean(caller, "unbiased", unbiased);
  const [a, b] = readPoints(caller, x, y);
  const [w, v] = [
    expandDims(readMasses(caller, { x: a }, { weightsX }), 1),
    expandDims(readMasses(caller, { y: b }, { weightsY }), 1),
  ];
  return energyOf([a, w], [b, v], { squared, unbiased });
}

/** Points, and what each of them counts as a column. */
type Cloud = readonly [points: Tensor, shares: Tensor];

/** The distance of clouds; `largest` is that of {@linkcode mapCells}. */
export function energyOf(
  x: Cloud,
  y: Cloud,
  { squared, unbiased }: { squared: boolean; unbiased: boolean },
  largest?: number,
): Tensor {
  const within = ([points, shares]: Cloud) => {
    const own = reshape(batchMeans(points, shares, ENERGY, largest), [1]);
    return unbiased ? withoutSelf(own, shares, ENERGY) : own;
  };
  const between = sum(mul(x[1], kernelMeans(x[0], y[0], y[1], ENERGY, largest)));
  const energy = sum(sub(add(within(x), within(y)), mul(between, 2)));
  if (squared) return energy;
  const none = lessEqual(energy, 0);
  return where(none, 0, sqrt(where(none, 1, energy)));
}

/** Minus the distance. */
const ENERGY = { name: "energy", widths: [] } as const;

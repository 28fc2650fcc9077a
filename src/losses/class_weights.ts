/**
 * Class weights from class counts.
 *
 * @module
 */
import { isFloating } from "../dtype.ts";
import { cast, div, equal, mul, sum, where } from "../ops/mod.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { checkAxes, checkChoice, readOptions, refuseMore } from "../options.ts";
import { checkFiniteCounts } from "../ranges.ts";

/** How {@linkcode classWeights} scales: N/n, N/(K n), or the latter with mean 1. */
export type ClassWeightNormalization = "plain" | "balanced" | "meanOne";

/** Options of {@linkcode classWeights}. */
export interface ClassWeightOptions {
  /** The scale; `"plain"` by default. */
  normalization?: ClassWeightNormalization | undefined;
}

/**
 * Weights that make up for class imbalance: inversely proportional to how often a class occurs.
 *
 * With n_c voxels or cells of class c, N in all and K classes:
 *
 * | `normalization` | weight | for 80, 10, 7 and 3 % |
 * | --- | --- | --- |
 * | `"plain"` | `N / n_c` | 1.25, 10.0, 14.3, 33.3 |
 * | `"balanced"` | `N / (K n_c)`, scikit-learn's | 0.313, 2.50, 3.57, 8.33 |
 * | `"meanOne"` | the same, scaled to mean 1 | 0.0849, 0.679, 0.971, 2.26 |
 *
 * The scale cancels in the mean of {@linkcode crossEntropyLoss}, which divides by the weights, but
 * not in {@linkcode focalLoss}, {@linkcode focalDiceLoss} or any sum: there `"plain"` weights make
 * the loss about N / n times as large, so lower the learning rate or take `"meanOne"`.
 *
 * A class that does not occur gets weight 0: no label asks for it.
 *
 * **Differs from the original**: dinov3_playground's guide prints the plain weights above
 * (`[1.25 10.0 14.3 33.3]`), while its code computes `"meanOne"`. The default is what the guide
 * says; `"meanOne"` is what the code does, absent classes included: they count among the K, so the
 * weights of the others come out larger.
 *
 * Source: dinov3_playground `LOSS_FUNCTION_GUIDE.md` and `memory_efficient_training.py`;
 * `"balanced"` as `compute_class_weight` of scikit-learn (King & Zeng 2001,
 * https://doi.org/10.1093/oxfordjournals.pan.a004868).
 *
 * @param counts How often each class occurs, of the shape [classes]: counts or shares, at least 0.
 * @param options `normalization`, `"plain"` by default.
 * @returns The weights, of the shape [classes]: in the type of floating counts, else `float64`, so
 * that they are exact for every loss; losses take them in the type of their logits.
 * @throws {TypeError} If the counts are no vector, the normalization is unknown, or an option does
 * not exist.
 * @throws {RangeError} If a count is negative, infinite or NaN.
 *
 * @example The guide's four classes
 * ```ts
 * import { classWeights } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = classWeights([80, 10, 7, 3]).toArray() as number[];
 * assertEquals(weights.map((w) => w.toPrecision(3)), ["1.25", "10.0", "14.3", "33.3"]);
 * assertEquals(classWeights([5, 0, 5]).toArray(), [2, 0, 2]);
 * ```
 */
export function classWeights(counts: TensorLike, options: ClassWeightOptions = {}): Tensor {
  if (arguments.length > 2) refuseMore("classWeights", "options", 2, arguments);
  const { normalization } = readOptions("classWeights", options, { normalization: "plain" });
  checkChoice("classWeights", "normalization", normalization, ["plain", "balanced", "meanOne"]);
  const given = asTensor(counts, "float64", "classWeights", "counts");
  checkAxes("classWeights", "counts", given, ["classes"]);
  const n = isFloating(given.dtype) ? given : cast(given, "float64");
  checkFiniteCounts("classWeights", "counts", n);
  const absent = equal(n, 0);
  const inverse = where(absent, 0, div(sum(n), where(absent, 1, n)));
  if (normalization === "plain") return inverse;
  const balanced = div(inverse, n.size);
  if (normalization === "balanced") return balanced;
  const total = sum(balanced);
  return div(mul(balanced, n.size), where(equal(total, 0), 1, total));
}

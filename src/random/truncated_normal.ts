/**
 * Normal numbers between two bounds.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import {
  add,
  cast,
  customVjp,
  div,
  erf,
  erfc,
  erfinv,
  exp,
  greater,
  less,
  log,
  minimum,
  mul,
  neg,
  sqrt,
  square,
  sub,
  where,
} from "../ops/mod.ts";
import { checkTensorLike, readOptions, refuseMore } from "../options.ts";
import { checkRangeOp } from "../ranges.ts";
import type { Shape } from "../shape.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { draw } from "./continuous.ts";
import { split } from "./keys.ts";
import { checkFits, checkKey, uniformOp } from "./ops.ts";

/** Options of {@linkcode truncatedNormal}. */
export interface TruncatedNormalOptions {
  /** The least value; −2 by default. */
  low?: TensorLike | undefined;
  /** The largest value; 2 by default. */
  high?: TensorLike | undefined;
  /** `float32` or `float64`; `float32` by default. */
  dtype?: DType | undefined;
}

/**
 * Numbers from the standard normal distribution, as far as they lie between two bounds.
 *
 * The quantile of a number between the probabilities of the bounds, so gradients reach these where
 * they are tensors. One of them may be infinite, or both, and both may lie far out on one side:
 * probabilities are those of the nearer tail. For another mean and standard deviation, bounds are
 * `(bound − mean) / standardDeviation`, and the result is multiplied and shifted.
 *
 * @param key A random key.
 * @param shape The extents of the result.
 * @param options `low`, −2 by default, and `high`, 2 by default: numbers or tensors that broadcast to
 * `shape`; `dtype`.
 * @returns A tensor of `shape`, from `low` to `high`.
 * @throws {TypeError} If `key` is no random key, the shapes do not fit, `dtype` is not floating, or
 * an option is unknown.
 * @throws {RangeError} If `low` is not less than `high`, or what lies between them is so unlikely
 * that `dtype` does not hold its probability: beyond 12 in `float32`, beyond 37 in `float64`.
 *
 * @example Weights without outliers
 * ```ts
 * import { key, truncatedNormal } from "@cellgrad/cellgrad/random";
 * import { assert } from "@std/assert";
 *
 * const weights = truncatedNormal(key(0), [64, 32]).mul(0.02);
 * assert(weights.data.every((w) => Math.abs(w) <= 0.04));
 * ```
 */
export function truncatedNormal(
  key: Tensor,
  shape: Shape,
  options: TruncatedNormalOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("truncatedNormal", "options", 3, arguments);
  checkKey("truncatedNormal", key);
  const defaults = { low: -2, high: 2, dtype: "float32" };
  const settled = readOptions("truncatedNormal", options, defaults);
  const dtype = settled.dtype as DType;
  const [low, high] = (["low", "high"] as const).map((name) => {
    checkTensorLike("truncatedNormal", name, settled[name]);
    return asTensor(settled[name], "float64", "truncatedNormal", name);
  }) as [Tensor, Tensor];
  const ends = sharesBetween(key, shape, dtype);
  checkFits("truncatedNormal", "low", low.shape, shape);
  checkFits("truncatedNormal", "high", high.shape, shape);
  return quantile(ends, cast(low, dtype), cast(high, dtype));
}

/** A uniform number in (0, 1), and its complement. */
interface Ends {
  u: Tensor;
  complement: Tensor;
}

/** Uniform numbers of twice the digits that one draw has, so that none is lost near 0 and near 1. */
function sharesBetween(key: Tensor, shape: Shape, dtype: DType): Ends {
  const step = dtype === "float64" ? 2 ** -52 : 2 ** -23;
  const [coarse, fine] = split(key).map((own) =>
    draw("truncatedNormal", uniformOp, own, shape, dtype)
  );
  const rest = add(fine!, step / 2);
  const join = (whole: Tensor, part: Tensor) => minimum(add(whole, mul(part, step)), 1 - step / 2);
  return {
    u: join(coarse!, rest),
    complement: join(sub(1 - step, coarse!), sub(1, rest)),
  };
}

/** The number below which a share of the distribution between two bounds lies. */
function quantile(ends: Ends, low: Tensor, high: Tensor): Tensor {
  // Mirrored, so that the bound farther out is the lower one.
  const isMirrored = greater(add(low, high), 0);
  const u = where(isMirrored, ends.complement, ends.u);
  const from = mul(where(isMirrored, neg(high), low), Math.SQRT1_2);
  const to = mul(where(isMirrored, neg(low), high), Math.SQRT1_2);
  const [before, until] = [erfc(neg(from)), erfc(neg(to))];
  checkWidth(sub(until, before));
  const tail = add(before, mul(sub(until, before), u));
  const central = add(erf(from), mul(sub(erf(to), erf(from)), u));
  const isOut = less(central, -0.9);
  const t = where(
    isOut,
    neg(inverseErfc(where(isOut, tail, 0.1))),
    erfinv(where(isOut, 0, central)),
  );
  const x = mul(where(isMirrored, neg(t), t), Math.SQRT2);
  return where(less(x, low), low, where(greater(x, high), high, x));
}

/** Throws a `RangeError` where nothing lies between the bounds, as far as the type can tell. */
function checkWidth(width: Tensor): void {
  apply(checkRangeOp, [mul(width, 0.5)], {
    caller: "truncatedNormal",
    must: `low must be less than high, by a probability that ${width.dtype} holds`,
    low: width.dtype === "float64" ? 2 ** -1022 : 2 ** -126,
    high: 1,
    what: "probability at position",
  });
}

/** `z` with `erfc(z) = c`, of small `c`: Newton's steps from the leading terms for large `z`. */
const inverseErfc = customVjp({
  name: "inverseErfc",
  forward(c) {
    const rest = neg(log(c!));
    let z = sqrt(sub(rest, mul(log(mul(rest, Math.PI)), 0.5)));
    for (let step = 0; step < 3; step++) {
      const tail = erfc(z);
      z = add(z, div(mul(add(log(tail), rest), tail), slope(z)));
    }
    return z;
  },
  vjp: (g, z) => [neg(div(g, slope(z)))],
});

/** How fast `erfc` falls. */
function slope(z: Tensor): Tensor {
  return mul(exp(neg(square(z))), 2 / Math.sqrt(Math.PI));
}

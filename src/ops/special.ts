/**
 * The error function and the gamma family.
 *
 * @module
 */
import { refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { mul, neg, square } from "./arithmetic.ts";
import { applyFloating, type Elementwise, unary } from "./elementwise.ts";
import { exp } from "./exponential.ts";

/** The slope of the error function. */
function bell(x: Tensor): Tensor {
  return mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI));
}

/** `erf x`. */
export const erfOp: Elementwise = unary("erf", "erf(a)", (g, _y, [x]) => mul(g, bell(x!)));

/** `1 − erf x`. */
export const erfcOp: Elementwise = unary(
  "erfc",
  "erfc(a)",
  (g, _y, [x]) => neg(mul(g, bell(x!))),
);

/** The number of which x is the error function. */
export const erfinvOp: Elementwise = unary(
  "erfinv",
  "erfinv(a)",
  (g, y) => mul(g, mul(exp(square(y)), Math.sqrt(Math.PI) / 2)),
);

/** `log |Γ(x)|`. */
export const lgammaOp: Elementwise = unary(
  "lgamma",
  "lgamma(a)",
  (g, _y, [x]) => mul(g, digamma(x!)),
);

const polygammas = new Map<number, Elementwise>();

/** The derivative of digamma of order `n`. */
export function polygammaOp(n: number): Elementwise {
  const known = polygammas.get(n);
  if (known !== undefined) return known;
  const name = n === 0 ? "digamma" : "polygamma";
  const made = unary(
    name,
    `polygamma${n}(a)`,
    (g, _y, [x]) => mul(g, applyFloating(polygammaOp(n + 1), x!)),
  );
  polygammas.set(n, made);
  return made;
}

/** `Γ′(x) / Γ(x)`. */
export const digammaOp: Elementwise = polygammaOp(0);

/**
 * The error function: how much of a normal distribution with variance ½ lies within x of its mean.
 *
 * @param x Any shape.
 * @returns `2/√π ∫₀ˣ e^(−t²) dt`, in [−1, 1].
 *
 * @example Within one standard deviation
 * ```ts
 * import { erf, tensor } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const x = tensor(Math.SQRT1_2, { dtype: "float64" });
 * assertAlmostEquals(erf(x).item(), 0.6826894921370859, 1e-15);
 * ```
 */
export function erf(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("erf", "x", 1, arguments);
  return applyFloating(erfOp, x);
}

/**
 * What the error function leaves of 1, with all its digits where that is little.
 *
 * @param x Any shape.
 * @returns `1 − erf x`, in [0, 2].
 *
 * @example A tail that `1 - erf(x)` would lose
 * ```ts
 * import { erfc, tensor } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(erfc(tensor(6, { dtype: "float64" })).item() * 1e17, 2.15197367, 1e-8);
 * ```
 */
export function erfc(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("erfc", "x", 1, arguments);
  return applyFloating(erfcOp, x);
}

/**
 * Inverse of the error function, with all digits towards both ends. The quantile of a standard
 * normal distribution at p is `√2 erfinv(2p − 1)`.
 *
 * @param x Any shape.
 * @returns The y with `erf y = x`; ±∞ at ±1, NaN beyond.
 *
 * @example Half of a normal distribution lies within 0.67 standard deviations
 * ```ts
 * import { erfinv } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(erfinv(0.5).item() * Math.SQRT2, 0.6744897, 1e-6);
 * ```
 */
export function erfinv(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("erfinv", "x", 1, arguments);
  return applyFloating(erfinvOp, x);
}

/**
 * Logarithm of the gamma function's absolute value: `log (x − 1)!` for whole x.
 *
 * @param x Any shape.
 * @returns `log |Γ(x)|`; ∞ at 0, at the negative integers and at ±∞.
 *
 * @example The factorial of four
 * ```ts
 * import { lgamma, tensor } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(lgamma(tensor(5, { dtype: "float64" })).item(), Math.log(24), 1e-14);
 * ```
 */
export function lgamma(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("lgamma", "x", 1, arguments);
  return applyFloating(lgammaOp, x);
}

/**
 * Digamma, the derivative of {@linkcode lgamma}.
 *
 * @param x Any shape.
 * @returns `Γ′(x) / Γ(x)`; −∞ at 0, ∞ at −0, NaN at the negative integers.
 *
 * @example At one it is minus Euler's constant
 * ```ts
 * import { digamma, tensor } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(digamma(tensor(1, { dtype: "float64" })).item(), -0.5772156649015329, 1e-14);
 * ```
 */
export function digamma(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("digamma", "x", 1, arguments);
  return applyFloating(digammaOp, x);
}

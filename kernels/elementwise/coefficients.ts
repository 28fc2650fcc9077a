/**
 * The numbers behind exponentials, logarithms and angles in single precision, in WebAssembly and in
 * WGSL: intervals that arguments are reduced to, and the polynomials that serve there.
 *
 * Polynomials were fitted to the least largest error (Remez) with coefficients of 24 bits, and are
 * listed from the constant on.
 *
 * @module
 */

/** `log 2` in two parts: times the first, whole numbers up to 2¹⁴ are exact. */
export const LN2_HIGH = 0.693359375;
export const LN2_LOW: number = Math.LN2 - LN2_HIGH;

/** `(e^r − 1 − r) / r²` for `|r| ≤ ½ log 2`. */
export const EXP_TAIL = [
  0.4999999403953552,
  0.16666515171527863,
  0.041668083518743515,
  0.008369348011910915,
  0.0013840367319062352,
] as const;

/** `(log((1 + s) / (1 − s)) / s − 2) / s²` in s² for numbers from √½ to √2. */
export const LOG_TAIL = [0.6666677594184875, 0.39977553486824036, 0.2987212836742401] as const;

/** `(sin r / r − 1) / r²` and `(cos r − 1 + r²/2) / r⁴`, in r² for `|r| ≤ π/4`. */
export const SIN_TAIL = [
  -0.16666655242443085,
  0.008332190103828907,
  -0.00019518405315466225,
] as const;
export const COS_TAIL = [0.04166664555668831, -0.00138873013202101, 2.4430670237052254e-5] as const;

/** `π/2` in four parts: times the first three, whole numbers up to 2¹³ are exact. */
export const HALF_PI_PARTS = [
  1.5703125,
  0.0004837512969970703,
  7.549533620476723e-08,
  2.5633440682570896e-12,
] as const;

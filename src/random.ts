/**
 * Random numbers from explicit keys.
 *
 * There is no global generator and no hidden state: a {@linkcode key} is a value, every function
 * takes one, and the same key gives the same numbers, bit for bit, in every engine and on every
 * machine. New keys come from {@linkcode split} and {@linkcode foldIn}; use each key once.
 *
 * The bits are Threefry-2x32 of the key and the element's position (Salmon et al. 2011,
 * https://doi.org/10.1145/2063384.2063405), so an element's number does not depend on how many
 * others are drawn before it. Keys and uniform numbers are those of JAX's default generator. What
 * samplers need beyond IEEE arithmetic (logarithms, exponentials, quantiles) is written out in
 * IEEE-exact steps, because `Math.log` differs in the last bit between engines. Only {@linkcode gumbel},
 * {@linkcode truncatedNormal}, {@linkcode beta} and {@linkcode dirichlet} apply functions to what they
 * drew, and are the same up to their rounding.
 *
 * @example A key per purpose
 * ```ts
 * import { bernoulli, key, normal, split } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const [weightKey, maskKey] = split(key(42));
 * const weights = normal(weightKey!, [200, 32], { standardDeviation: 0.1 });
 * const mask = bernoulli(maskKey!, 0.15, { shape: [8, 200] });
 * assertEquals([weights.shape, mask.dtype], [[200, 32], "bool"]);
 * ```
 *
 * @module
 */
export {
  gamma,
  type GammaOptions,
  normal,
  type NormalOptions,
  uniform,
  type UniformOptions,
} from "./random/continuous.ts";
export {
  bernoulli,
  categorical,
  permutation,
  poisson,
  type SampleOptions,
} from "./random/discrete.ts";
export { exponential, gumbel, laplace, type SampleTypeOptions } from "./random/exponential.ts";
export { foldIn, key, split } from "./random/keys.ts";
export { multivariateNormal } from "./random/multivariate_normal.ts";
export { beta, dirichlet, type SharesOptions } from "./random/shares.ts";
export { truncatedNormal, type TruncatedNormalOptions } from "./random/truncated_normal.ts";
export { choice, type ChoiceOptions, integers } from "./random/whole.ts";

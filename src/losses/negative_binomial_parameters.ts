/**
 * What other libraries call the parameters of negative binomials.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { add, broadcastTo, exp, log, log1p, mul, neg, reciprocal, sub } from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { isPlainObject, refuseMore } from "../options.ts";
import { checkNotNegative, checkPositive, checkShares } from "../ranges.ts";
import { broadcastShapes } from "../shape.ts";

/** The parameters of negative binomials, under one of the names that are in use. */
export type NegativeBinomialNames =
  /** scVI: means, and inverse dispersions. */
  | { mu: TensorLike; theta: TensorLike }
  /** DESeq2 and edgeR: means, and dispersions `1 / θ`. */
  | { mu: TensorLike; dispersion: TensorLike }
  /** PyTorch, and scVI's other way: θ, and log-odds `log(μ / θ)`. */
  | { totalCount: TensorLike; logits: TensorLike }
  /** The same with probabilities `μ / (μ + θ)`, of which SciPy and R have 1 less. */
  | { totalCount: TensorLike; probs: TensorLike };

/** The parameters as our losses take them. */
export interface NegativeBinomialParameters {
  /** Means, for {@linkcode negativeBinomialLoss}. */
  mu: Tensor;
  /** Inverse dispersions, for the same. */
  theta: Tensor;
  /** Logarithms of the means, for {@linkcode zinbLoss}. */
  logRate: Tensor;
  /** Logarithms of the inverse dispersions, for the same. */
  logTheta: Tensor;
}

/**
 * The parameters of negative binomials as {@linkcode negativeBinomialLoss} and {@linkcode zinbLoss}
 * take them, from whatever pair of names a library has for them.
 *
 * | names | whose | mean | inverse dispersion θ |
 * | --- | --- | --- | --- |
 * | `mu`, `theta` | scVI | `mu` | `theta` |
 * | `mu`, `dispersion` | DESeq2, edgeR: variance `μ + dispersion · μ²` | `mu` | `1 / dispersion` |
 * | `totalCount`, `logits` | PyTorch, scVI's other way | `totalCount · e^logits` | `totalCount` |
 * | `totalCount`, `probs` | the same | `totalCount · p / (1 − p)` | `totalCount` |
 *
 * Logarithms are not taken of exponentials, so that logits of ±1e4 keep their `logRate`. The two
 * tensors must broadcast; `mu` and `logRate` have the shape that results.
 *
 * **Mind the probability**: of PyTorch's `probs`, SciPy's and R's p is 1 less, and so it is of a
 * negative binomial in most books.
 *
 * Source: scvi-tools `distributions/_negative_binomial.py`; PyTorch `distributions/negative_binomial.py`;
 * Love et al. 2014, https://doi.org/10.1186/s13059-014-0550-8.
 *
 * @param names One of the four pairs.
 * @returns Means and inverse dispersions, and their logarithms.
 * @throws {TypeError} If the names are no such pair, or the shapes do not broadcast.
 * @throws {RangeError} If a mean is negative, a dispersion or count not above 0, or a probability not in
 * [0, 1].
 *
 * @example The same count by DESeq2's names and by PyTorch's
 * ```ts
 * import { negativeBinomialLoss, negativeBinomialParameters } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const deseq = negativeBinomialParameters({ mu: [6], dispersion: [0.5] });
 * const torch = negativeBinomialParameters({ totalCount: [2], logits: [Math.log(3)] });
 * const losses = [deseq, torch].map(({ mu, theta }) => negativeBinomialLoss([4], mu, theta).item());
 * assertAlmostEquals(losses[0]!, losses[1]!, 1e-6);
 * ```
 */
export function negativeBinomialParameters(
  names: NegativeBinomialNames,
): NegativeBinomialParameters {
  if (arguments.length > 1) refuseMore("negativeBinomialParameters", "names", 1, arguments);
  const given: unknown = names;
  if (!isPlainObject(given)) throw noPair(describe(given));
  const pair = Object.keys(given).filter((name) => given[name] !== undefined).sort().join(", ");
  if (!Object.hasOwn(WAYS, pair)) throw noPair(`{ ${pair} }`);
  const chosen = pair.split(", ").map((name) => [name, given[name] as TensorLike]);
  const [first, second] = promoteAll(CALLER, Object.fromEntries(chosen))
    .map(floating) as [Tensor, Tensor];
  const shape = broadcastShapes(CALLER, first.shape, second.shape);
  const { mu, logRate, ...rest } = WAYS[pair as keyof typeof WAYS](first, second);
  return { mu: broadcastTo(mu, shape), logRate: broadcastTo(logRate, shape), ...rest };
}

const CALLER = "negativeBinomialParameters";

/** From a pair of parameters, in the order of their names, to all. */
const WAYS = {
  "mu, theta": (mu: Tensor, theta: Tensor) => {
    checkNotNegative(CALLER, "mu", mu);
    checkPositive(CALLER, "theta", theta);
    return { mu, theta, logRate: log(mu), logTheta: log(theta) };
  },
  "dispersion, mu": (dispersion: Tensor, mu: Tensor) => {
    checkNotNegative(CALLER, "mu", mu);
    checkPositive(CALLER, "dispersion", dispersion, "for none, take poissonLoss");
    const theta = reciprocal(dispersion);
    return { mu, theta, logRate: log(mu), logTheta: neg(log(dispersion)) };
  },
  "logits, totalCount": (logits: Tensor, theta: Tensor) => {
    checkPositive(CALLER, "totalCount", theta);
    const logTheta = log(theta);
    return { mu: mul(theta, exp(logits)), theta, logRate: add(logTheta, logits), logTheta };
  },
  "probs, totalCount": (probs: Tensor, theta: Tensor) => {
    checkShares(CALLER, "probs", probs);
    return WAYS["logits, totalCount"](sub(log(probs), log1p(neg(probs))), theta);
  },
};

function noPair(found: string): TypeError {
  const ways = Object.keys(WAYS).map((way) => way.replace(", ", " and ")).join("; ");
  return new TypeError(
    `Cannot compute ${CALLER} as names must be one of the pairs ${ways}: current value is ${found}`,
  );
}

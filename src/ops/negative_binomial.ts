/**
 * The likelihood of counts as operations of their own: composed of log-gammas, it would lose all
 * digits of single precision where dispersions are large.
 *
 * @module
 */
import type { Composite, InputRule } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { add, clip, div, mul, neg, square, sub } from "./arithmetic.ts";
import { equal, where } from "./compare.ts";
import {
  applyFloating,
  type Elementwise,
  elementwise,
  type Scalars,
  unary,
} from "./elementwise.ts";
import { exp, log, relu } from "./exponential.ts";
import { digamma, polygammaOp } from "./special.ts";

const trigamma = (x: Tensor) => applyFloating(polygammaOp(1), x);

/** What log-gamma has beyond the first terms of Stirling's series. */
export const binetOp: Elementwise = unary(
  "binet",
  "binet(a)",
  (g, _y, [x]) => mul(g, binetSlope(x!)),
);

function binetSlope(x: Tensor): Tensor {
  return add(sub(digamma(x), log(x)), div(0.5, x));
}

/** The derivative of `θ log(1 + ε/θ)`: with `t = ε/θ`, `log(1 + t) − t / (1 + t)`. */
export const offsetByDispersionOp: Elementwise = unary(
  "offsetByDispersion",
  "offsetByDispersion(a, p)",
  (g, _y, [theta], [epsilon]) =>
    neg(mul(g, div(square(div(epsilon!, add(theta!, epsilon!))), theta!))),
);

/** `θ log(1 + ε/θ)` */
export const dispersionOffsetOp: Elementwise = unary(
  "dispersionOffset",
  "dispersionOffset(a, p)",
  (g, _y, [theta], epsilon) => mul(g, applyFloating(offsetByDispersionOp, theta!, epsilon)),
);

/** A derivative of a function of counts, means, inverse dispersions and ε. */
type Slope = (x: Tensor, mean: Tensor, theta: Tensor, epsilon: number) => Tensor;

/** A record of counts, means and inverse dispersions; ε, its parameter, is added to the means. */
function ofCounts(name: string, expression: string, slopes: readonly Slope[]): Elementwise {
  const rules = slopes.map((slope): InputRule<Scalars> => (g, _y, [x, mean, theta], [epsilon]) =>
    mul(g, slope(x!, mean!, theta!, epsilon!))
  );
  return elementwise(name, expression, rules);
}

/** The derivative that an operation computes. */
const by = (op: Elementwise): Slope => (x, mean, theta, epsilon) =>
  apply(op, [x, mean, theta], [epsilon]);

/** A derivative of `−log NB` of second order, of means that ε was added to. */
const ofMeans =
  (slope: (x: Tensor, mu: Tensor, theta: Tensor) => Tensor): Slope => (x, mean, theta, epsilon) =>
    slope(x, add(mean, epsilon), theta);

/** The derivatives of second order, by two arguments. */
const CURVATURE = {
  countCount: (x: Tensor, _mu: Tensor, theta: Tensor) =>
    sub(trigamma(add(x, 1)), trigamma(add(x, theta))),
  countMean: (_x: Tensor, mu: Tensor, theta: Tensor) => neg(div(div(theta, add(mu, theta)), mu)),
  countDispersion: (x: Tensor, mu: Tensor, theta: Tensor) =>
    sub(div(1, add(mu, theta)), trigamma(add(x, theta))),
  meanMean: (x: Tensor, mu: Tensor, theta: Tensor) =>
    sub(div(x, square(mu)), div(add(x, theta), square(add(mu, theta)))),
  meanDispersion(x: Tensor, mu: Tensor, theta: Tensor) {
    const sum = add(mu, theta);
    return sub(div(1, sum), div(add(x, theta), square(sum)));
  },
  dispersionDispersion(x: Tensor, mu: Tensor, theta: Tensor) {
    const bend = sub(trigamma(theta), trigamma(add(x, theta)));
    const inverse = sub(div(1, add(mu, theta)), div(1, theta));
    return add(add(bend, inverse), CURVATURE.meanDispersion(x, mu, theta));
  },
};

/** The derivative of `−log NB` by the count. */
export const negativeBinomialByCountOp: Elementwise = ofCounts(
  "negativeBinomialByCount",
  "negativeBinomialByCount(a, b, c, p)",
  [CURVATURE.countCount, CURVATURE.countMean, CURVATURE.countDispersion].map(ofMeans),
);

/** The derivative by the mean. */
export const negativeBinomialByMeanOp: Elementwise = ofCounts(
  "negativeBinomialByMean",
  "(b - a + p) / (b + p) * (c / (c + b + p))",
  [CURVATURE.countMean, CURVATURE.meanMean, CURVATURE.meanDispersion].map(ofMeans),
);

/** The derivative by the inverse dispersion. */
export const negativeBinomialByDispersionOp: Elementwise = ofCounts(
  "negativeBinomialByDispersion",
  "negativeBinomialByDispersion(a, b, c, p)",
  [CURVATURE.countDispersion, CURVATURE.meanDispersion, CURVATURE.dispersionDispersion].map(
    ofMeans,
  ),
);

const SLOPES = [
  negativeBinomialByCountOp,
  negativeBinomialByMeanOp,
  negativeBinomialByDispersionOp,
] as const;

/** `−log NB` but for what depends on the inverse dispersion alone, where the count is not 0. */
export const negativeBinomialOfCountOp: Elementwise = ofCounts(
  "negativeBinomialOfCount",
  "negativeBinomial(a, b, c, p)",
  [
    by(negativeBinomialByCountOp),
    by(negativeBinomialByMeanOp),
    (x, mean, theta, epsilon) => {
      const slope = by(negativeBinomialByDispersionOp)(x, mean, theta, epsilon);
      return sub(slope, where(equal(x, 0), 0, binetSlope(theta)));
    },
  ],
);

/**
 * `−log NB` of counts, means and inverse dispersions that broadcast. Its derivative by the last is
 * taken as a whole: that of its two parts would cancel.
 */
export const negativeBinomialOp: Composite<number> = {
  name: "negativeBinomial",
  compose(inputs, epsilon) {
    const [x, , theta] = inputs as [Tensor, Tensor, Tensor];
    const own = where(equal(x, 0), 0, applyFloating(binetOp, theta));
    return add(apply(negativeBinomialOfCountOp, inputs, [epsilon]), own);
  },
  vjp: (g, _y, inputs, epsilon, wanted) =>
    SLOPES.map((slope, i) => wanted[i] ? mul(g, apply(slope, inputs, [epsilon])) : null),
};

/** `−log NB` of every count, with `epsilon` added inside logarithms. */
export function negativeBinomial(
  x: Tensor,
  mean: Tensor,
  theta: Tensor,
  epsilon: number,
): Tensor {
  const offset = applyFloating(dispersionOffsetOp, theta, [epsilon]);
  return sub(apply(negativeBinomialOp, [x, mean, theta], epsilon), offset);
}

/** Logarithms of means are so large at most; beyond, the value is a line. */
const LARGEST = 70;

/** The same of the logarithms of means and inverse dispersions. */
export function negativeBinomialOfLogarithms(
  x: Tensor,
  logMean: Tensor,
  logTheta: Tensor,
  epsilon: number,
): Tensor {
  const theta = exp(logTheta);
  const value = negativeBinomial(x, exp(clip(logMean, -Infinity, LARGEST)), theta, epsilon);
  return add(value, mul(theta, relu(sub(logMean, LARGEST))));
}

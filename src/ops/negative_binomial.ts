/**
 * The likelihood of counts as operations of their own: composed of log-gammas, it would lose all
 * digits of single precision where dispersions are large.
 *
 * @module
 */
import {
  type Argument,
  type CountArrays,
  type CountOptions,
  negativeBinomialSlopes,
  negativeBinomialValues,
} from "../../kernels/negative_binomial/reference.ts";
import { allocate } from "../dtype.ts";
import type { OpaqueOp, Spec } from "../op.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { add, div, mul, neg, square, sub } from "./arithmetic.ts";
import { applyFloating } from "./elementwise.ts";
import { exp, polygammaOp, sigmoid, softplus } from "./exponential.ts";
import { broadcastTo } from "./layout.ts";

const ARGUMENTS: readonly Argument[] = ["count", "mean", "dispersion"];

function arraysOf([x, mean, dispersion]: readonly Tensor[]): CountArrays {
  return { x: x!.data, mean: mean!.data, dispersion: dispersion!.data };
}

/** An array of a result's floating type. */
function floats({ shape, dtype }: Spec): Float32Array | Float64Array {
  return allocate(dtype, sizeOf(shape)) as Float32Array | Float64Array;
}

/** `−log NB` of counts, means and inverse dispersions of one shape. */
export const negativeBinomialOp: OpaqueOp<CountOptions> = {
  kind: "opaque",
  name: "negativeBinomial",
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  forward(inputs, params, spec) {
    const out = floats(spec);
    negativeBinomialValues(out, arraysOf(inputs), params);
    return out;
  },
  vjp: (g, _y, inputs, params, wanted) =>
    ARGUMENTS.map((by, i) =>
      wanted[i] ? mul(g, apply(negativeBinomialSlopeOp, inputs, { ...params, by })) : null
    ),
};

/** A derivative of {@linkcode negativeBinomialOp}. */
export const negativeBinomialSlopeOp: OpaqueOp<CountOptions & { by: Argument }> = {
  kind: "opaque",
  name: "negativeBinomialSlope",
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  forward(inputs, params, spec) {
    const out = floats(spec);
    negativeBinomialSlopes(out, params.by, arraysOf(inputs), params);
    return out;
  },
  vjp(g, y, inputs, { by, logs, epsilon }, wanted) {
    const rule = logs ? curvatureByLogarithms : curvature;
    const [row, own] = [rule(inputs, y, epsilon), ARGUMENTS.indexOf(by)];
    return ARGUMENTS.map((_, i) => wanted[i] ? mul(g, row(own, i)) : null);
  },
};

/** `−log NB` of every count; means and dispersions of fewer axes are repeated. */
export function negativeBinomial(
  x: Tensor,
  mean: Tensor,
  dispersion: Tensor,
  options: CountOptions,
): Tensor {
  const inputs = [x, mean, dispersion].map((one) => broadcastTo(one, x.shape));
  return apply(negativeBinomialOp, inputs, options);
}

/** The second derivative by two arguments, given as places. */
type Curvature = (i: number, j: number) => Tensor;

const trigamma = (x: Tensor) => applyFloating(polygammaOp(1), x);

function curvature([x, mean, theta]: readonly Tensor[], _y: Tensor, epsilon: number): Curvature {
  const mu = add(mean!, epsilon);
  const total = add(x!, theta!);
  const sum = add(mu, theta!);
  const rest = () => sub(div(1, sum), div(total, square(sum)));
  const rules = [
    () => sub(trigamma(add(x!, 1)), trigamma(total)),
    () => neg(div(div(theta!, sum), mu)),
    () => sub(div(1, sum), trigamma(total)),
    () => sub(div(x!, square(mu)), div(total, square(sum))),
    rest,
    () => {
      const bend = add(sub(trigamma(theta!), trigamma(total)), offsetCurvature(theta!, epsilon));
      return add(bend, add(sub(div(1, sum), div(1, theta!)), rest()));
    },
  ];
  return (i, j) => pick(rules, i, j);
}

/** Minus the second derivative of `θ log(1 + ε / θ)`. */
function offsetCurvature(theta: Tensor, epsilon: number): Tensor {
  return div(square(div(epsilon, add(theta, epsilon))), theta);
}

function curvatureByLogarithms(
  [x, a, b]: readonly Tensor[],
  y: Tensor,
  epsilon: number,
): Curvature {
  const theta = exp(b!);
  const total = add(x!, theta);
  const share = sigmoid(sub(a!, Math.log(epsilon)));
  const odds = sub(add(a!, softplus(sub(Math.log(epsilon), a!))), b!);
  const [p, q] = [sigmoid(neg(odds)), sigmoid(odds)];
  const rules = [
    () => sub(trigamma(add(x!, 1)), trigamma(total)),
    () => neg(mul(share, p)),
    () => sub(p, mul(theta, trigamma(total))),
    () => {
      const slope = sub(mul(theta, q), mul(x!, p));
      return mul(share, add(mul(sub(1, share), slope), mul(share, mul(total, mul(p, q)))));
    },
    () => mul(share, mul(q, sub(mul(theta, q), mul(x!, p)))),
    () => {
      const bend = add(sub(trigamma(theta), trigamma(total)), offsetCurvature(theta, epsilon));
      const rest = sub(sub(mul(theta, mul(2, p)), mul(total, square(p))), theta);
      return add(y, add(mul(square(theta), bend), rest));
    },
  ];
  return (i, j) => pick(rules, i, j);
}

/** The entry of a symmetric matrix that is given row by row from the diagonal on. */
function pick(rules: readonly (() => Tensor)[], i: number, j: number): Tensor {
  const [row, column] = i < j ? [i, j] : [j, i];
  return rules[[0, 2, 3][row]! + column]!();
}

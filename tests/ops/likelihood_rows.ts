/** Rows of the tables for the likelihoods of counts. */
import fc from "fast-check";
import type { Op } from "../../src/op.ts";
import * as likelihood from "../../src/ops/negative_binomial.ts";
import * as entropy from "../../src/ops/relative_entropy.ts";
import { sizeOf, stridesOf } from "../../src/shape.ts";
import { fromData, type Tensor } from "../../src/tensor.ts";
import { promotePair } from "../../src/ops/elementwise.ts";
import { apply } from "../../src/trace.ts";
import { numbers, shapes, tensors } from "./arbitraries.ts";
import type { Row as ElementwiseRow } from "./elementwise_table.ts";
import type { Row } from "./structural_table.ts";

/** Stirling's series, far out where a few terms do; then back by the recurrence. */
export function lgammaByShift(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 40; z++) shift += Math.log(z);
  const series = 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1260 * z ** 5);
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series - shift;
}

/** The same for its derivative. */
export function digammaByShift(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 40; z++) shift += 1 / z;
  return Math.log(z) - 1 / (2 * z) - 1 / (12 * z ** 2) + 1 / (120 * z ** 4) -
    1 / (252 * z ** 6) - shift;
}

/** What log-gamma has beyond the first terms of Stirling's series. */
function binet(y: number): number {
  return lgammaByShift(y) - (y - 0.5) * Math.log(y) + y - Math.log(2 * Math.PI) / 2;
}

/** The formula as books have it. */
function negativeBinomial(x: number, mu: number, theta: number): number {
  return lgammaByShift(theta) + lgammaByShift(x + 1) - lgammaByShift(x + theta) +
    theta * Math.log(1 + mu / theta) + x * Math.log(1 + theta / mu);
}

const EPSILON = 0.25;

const COUNT = [0.1, 6] as const;
const MEAN = [0.2, 5] as const;
const DISPERSION = [0.3, 6] as const;

function row(op: Op<never>, reference: (x: number, mu: number, theta: number) => number) {
  return {
    op,
    call: (...inputs: Tensor[]) => apply(op as Op<readonly number[]>, inputs, [EPSILON]),
    domain: [COUNT, MEAN, DISPERSION],
    reference: (x, mu, theta) => reference(x!, mu! + EPSILON, theta!),
    differentiable: [0, 1, 2],
  } satisfies ElementwiseRow;
}

/** The rows of elementwise records. */
export const LIKELIHOOD_ELEMENTWISE: readonly ElementwiseRow[] = [
  {
    op: likelihood.binetOp,
    call: (x) => apply(likelihood.binetOp, [x!], []),
    domain: [DISPERSION],
    reference: binet,
    differentiable: [0],
  },
  {
    op: likelihood.offsetByDispersionOp,
    call: (x) => apply(likelihood.offsetByDispersionOp, [x!], [EPSILON]),
    domain: [DISPERSION],
    reference: (theta) => Math.log(1 + EPSILON / theta) - EPSILON / (theta + EPSILON),
    differentiable: [0],
  },
  {
    op: likelihood.dispersionOffsetOp,
    call: (x) => apply(likelihood.dispersionOffsetOp, [x!], [EPSILON]),
    domain: [DISPERSION],
    reference: (theta) => theta * Math.log(1 + EPSILON / theta),
    differentiable: [0],
  },
  row(
    likelihood.negativeBinomialByCountOp,
    (x, mu, theta) => digammaByShift(x + 1) - digammaByShift(x + theta) + Math.log(1 + theta / mu),
  ),
  row(
    likelihood.negativeBinomialByMeanOp,
    (x, mu, theta) => (x + theta) / (theta + mu) - x / mu,
  ),
  row(
    likelihood.negativeBinomialByDispersionOp,
    (x, mu, theta) =>
      digammaByShift(theta) - digammaByShift(x + theta) + Math.log(1 + mu / theta) +
      (x - mu) / (theta + mu),
  ),
  row(
    likelihood.negativeBinomialOfCountOp,
    (x, mu, theta) => negativeBinomial(x, mu, theta) - binet(theta),
  ),
  {
    op: entropy.logRatioOp,
    call: (a, b) => apply(entropy.logRatioOp, promotePair("logRatio", a!, b!), []),
    domain: [MEAN, MEAN],
    reference: (a, b) => Math.log(a) - Math.log(b),
    differentiable: [0, 1],
  },
  {
    op: entropy.relativeEntropyOp,
    call: (a, b) => apply(entropy.relativeEntropyOp, promotePair("relativeEntropy", a!, b!), []),
    domain: [MEAN, MEAN],
    reference: (a, b) => a * (Math.log(a) - Math.log(b)) - a + b,
    differentiable: [0, 1],
  },
];

/** Counts, means and dispersions of one shape, and a way to read them. */
const inputs = shapes.chain((shape) =>
  fc.tuple(...[COUNT, MEAN, DISPERSION].map((domain) => tensors(shape, numbers([...domain]))))
    .map((xs) => ({
      shape,
      inputs: xs,
      at: (position: readonly number[]) => {
        const strides = stridesOf(shape);
        const place = position.reduce((sum, p, i) => sum + p * strides[i]!, 0);
        return xs.map((x) => x.data[place]!) as [number, number, number];
      },
    }))
);

const none = fromData(new Float64Array(sizeOf([0, 2])), [0, 2]);

/** The row of the composite. */
export const LIKELIHOOD_ROWS: readonly Row[] = [
  {
    op: likelihood.negativeBinomialOp,
    order: 2,
    cases: inputs.map(({ shape, inputs, at }) => ({
      inputs,
      call: (...xs: Tensor[]) => apply(likelihood.negativeBinomialOp, xs, EPSILON),
      shape,
      value(position: readonly number[]) {
        const [x, mu, theta] = at(position);
        return negativeBinomial(x, mu + EPSILON, theta);
      },
    })),
    edges: [{
      call: () => apply(likelihood.negativeBinomialOp, [none, none, none], EPSILON),
      expected: none,
    }],
  },
];

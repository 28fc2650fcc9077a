/** Rows of the table for the likelihoods of counts. */
import fc from "fast-check";
import * as likelihood from "../../src/ops/negative_binomial.ts";
import { sizeOf, stridesOf } from "../../src/shape.ts";
import { fromData, type Tensor } from "../../src/tensor.ts";
import { apply } from "../../src/trace.ts";
import { numbers, shapes, tensors } from "./arbitraries.ts";
import { digammaByShift, lgammaByShift } from "./elementwise_table.ts";
import type { Row } from "./structural_table.ts";

type Options = { logs: boolean; epsilon: number };

const ARGUMENTS = ["count", "mean", "dispersion"] as const;

/** The formula as books have it. */
function negativeBinomial(x: number, mu: number, theta: number, epsilon: number): number {
  return lgammaByShift(theta) + lgammaByShift(x + 1) - lgammaByShift(x + theta) +
    theta * Math.log(1 + mu / (theta + epsilon)) + x * Math.log(1 + theta / (mu + epsilon));
}

function slopes(x: number, mu: number, theta: number, epsilon: number): number[] {
  const total = theta + mu + epsilon;
  return [
    digammaByShift(x + 1) - digammaByShift(x + theta) + Math.log(total / (mu + epsilon)),
    (x + theta) / total - x / (mu + epsilon),
    digammaByShift(theta) - digammaByShift(x + theta) + Math.log(total / (theta + epsilon)) +
    (x + theta) / total - theta / (theta + epsilon),
  ];
}

const options: fc.Arbitrary<Options> = fc.record({
  logs: fc.boolean(),
  epsilon: fc.constantFrom(1e-8, 0.25),
});

/** Counts, means and dispersions of one shape, as the options have them, and a way to read them. */
const inputs = fc.tuple(shapes, options).chain(([shape, given]) =>
  fc.tuple(
    tensors(shape, numbers([0.1, 6])),
    ...[[0.2, 5], [0.3, 6]].map(
      (interval) => tensors(shape, numbers(interval as [number, number])),
    ),
  ).map((xs) => ({
    shape,
    given,
    inputs: xs.map((x, i) => given.logs && i > 0 ? x.log() : x),
    at: (position: readonly number[]) => {
      const strides = stridesOf(shape);
      const place = position.reduce((sum, p, i) => sum + p * strides[i]!, 0);
      return xs.map((x) => x.data[place]!) as [number, number, number];
    },
  }))
);

const none = fromData(new Float64Array(sizeOf([0, 2])), [0, 2]);
const edge = (by?: typeof ARGUMENTS[number]) => {
  const given = { logs: false, epsilon: 1e-8 };
  const xs = [none, none, none];
  return by === undefined
    ? apply(likelihood.negativeBinomialOp, xs, given)
    : apply(likelihood.negativeBinomialSlopeOp, xs, { ...given, by });
};

/** The rows. */
export const LIKELIHOOD_ROWS: readonly Row[] = [
  {
    op: likelihood.negativeBinomialOp,
    order: 2,
    cases: inputs.map(({ shape, given, inputs, at }) => ({
      inputs,
      call: (...xs: Tensor[]) => apply(likelihood.negativeBinomialOp, xs, given),
      shape,
      value: (position: readonly number[]) => negativeBinomial(...at(position), given.epsilon),
    })),
    edges: [{ call: () => edge(), expected: none }],
  },
  {
    op: likelihood.negativeBinomialSlopeOp,
    order: 2,
    cases: fc.tuple(inputs, fc.integer({ min: 0, max: 2 })).map(
      ([{ shape, given, inputs, at }, i]) => ({
        inputs,
        call: (...xs: Tensor[]) =>
          apply(likelihood.negativeBinomialSlopeOp, xs, { ...given, by: ARGUMENTS[i]! }),
        shape,
        value(position: readonly number[]) {
          const values = at(position);
          const slope = slopes(...values, given.epsilon)[i]!;
          return given.logs && i > 0 ? slope * values[i]! : slope;
        },
      }),
    ),
    edges: [{ call: () => edge("mean"), expected: none }],
  },
];

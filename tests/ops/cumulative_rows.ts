/** Rows of the tables for cumulative operations and quantiles. */
import fc from "fast-check";
import type { Op } from "../../src/op.ts";
import * as cumulative from "../../src/ops/cumulative.ts";
import { floating } from "../../src/ops/elementwise.ts";
import { interpolateOp } from "../../src/ops/quantile.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/shape.ts";
import { fromData, type Tensor, tensor } from "../../src/tensor.ts";
import { apply } from "../../src/trace.ts";
import { numbers, shapes, tensors } from "./arbitraries.ts";
import type { Row as ElementwiseRow } from "./elementwise_table.ts";
import type { Case, Row } from "./structural_table.ts";

type Options = cumulative.Direction;

const f64 = (data: number[], shape: number[]) => tensor(data, { shape, dtype: "float64" });
const none = f64([], [0, 2]);

/** The values of a line up to a position, in the order in which they are met. */
function upTo(x: Tensor, position: readonly number[], { axis, reverse }: Options): number[] {
  const strides = stridesOf(x.shape);
  const at = position.reduce((sum, p, i) => sum + p * strides[i]!, 0);
  const own = position[axis]!;
  const count = reverse ? x.shape[axis]! - own : own + 1;
  return Array.from(
    { length: count },
    (_, k) => x.data[at + (reverse ? count - 1 - k : k - own) * strides[axis]!]!,
  );
}

/** Values that are all different, of both signs and 0. */
function distinct(shape: Shape): fc.Arbitrary<Tensor> {
  const order = Array.from({ length: sizeOf(shape) }, (_, i) => i);
  return fc.shuffledSubarray(order, { minLength: order.length, maxLength: order.length })
    .map((some) => fromData(Float64Array.from(some, (v) => v / 2 - 1), shape));
}

function row(
  op: Op<never>,
  call: (x: Tensor, options: Options) => Tensor,
  combine: (values: number[]) => number,
  edges: Row["edges"],
): Row {
  const cases = shapes.filter((shape) => shape.length > 0).chain((shape) =>
    fc.tuple(distinct(shape), fc.nat({ max: shape.length - 1 }), fc.boolean())
  ).map(([x, axis, reverse]): Case => ({
    inputs: [x],
    call: (y) => call(y, { axis, reverse }),
    shape: x.shape,
    value: (position) => combine(upTo(x, position, { axis, reverse })),
  }));
  return { op, order: 2, cases, edges };
}

const { cumLogSumExp, cumMax, cumprod, cumsum, recurrenceOp } = cumulative;

/** The rows of records that are not elementwise. */
export const CUMULATIVE_ROWS: readonly Row[] = [
  row(cumulative.cumsumOp, cumsum, (found) => found.reduce((a, b) => a + b, 0), [
    { call: () => cumsum(none), expected: none },
    { call: () => cumsum(none, { axis: 0, reverse: true }), expected: none },
    { call: () => cumsum(f64([1, NaN, 2], [3])), expected: f64([1, NaN, NaN], [3]) },
    { call: () => cumsum([true, false, true]), expected: tensor(Int32Array.of(1, 1, 2)) },
    {
      call: () => cumsum(tensor(Int32Array.of(2 ** 31 - 1, 1))),
      expected: f64([2 ** 31 - 1, 2 ** 31], [2]),
    },
  ]),
  row(cumulative.cumprodOp, cumprod, (found) => found.reduce((a, b) => a * b, 1), [
    { call: () => cumprod(none), expected: none },
    { call: () => cumprod(f64([2, 0, NaN], [3])), expected: f64([2, 0, NaN], [3]) },
    {
      call: () => cumprod(tensor(Int32Array.of(2 ** 30, 4))),
      expected: f64([2 ** 30, 2 ** 32], [2]),
    },
  ]),
  row(cumulative.cumMaxOp, cumMax, (found) => Math.max(...found), [
    { call: () => cumMax(none), expected: none },
    { call: () => cumMax(f64([1, NaN, 2], [3])), expected: f64([1, NaN, NaN], [3]) },
    { call: () => cumMax(f64([-Infinity, -1], [2])), expected: f64([-Infinity, -1], [2]) },
    { call: () => cumMax(tensor(Int32Array.of(-5, -7))), expected: tensor(Int32Array.of(-5, -5)) },
  ]),
  row(
    cumulative.cumLogSumExpOp as Op<never>,
    cumLogSumExp,
    (found) => Math.log(found.reduce((sum, x) => sum + Math.exp(x), 0)),
    [
      { call: () => cumLogSumExp(none), expected: none },
      {
        call: () => cumLogSumExp(f64([-Infinity, -1000, 1000, Infinity, 0, NaN], [6])),
        expected: f64([-Infinity, -1000, 1000, Infinity, Infinity, NaN], [6]),
      },
      { call: () => cumLogSumExp(f64([0, 0], [2])), expected: f64([0, Math.LN2], [2]) },
    ],
  ),
  {
    op: recurrenceOp,
    order: 2,
    cases: shapes.filter((shape) => shape.length > 0).chain((shape) =>
      fc.tuple(
        tensors(shape, numbers([-2, 2])),
        tensors(shape, numbers([-2, 2])),
        fc.nat({ max: shape.length - 1 }),
        fc.boolean(),
      )
    ).map(([a, b, axis, reverse]): Case => ({
      inputs: [a, b],
      call: (x, y) => apply(recurrenceOp, [floating(x!), floating(y!)], { axis, reverse }),
      shape: a.shape,
      value(position) {
        const [factors, summands] = [a, b].map((x) => upTo(x, position, { axis, reverse }));
        return factors!.reduce((state, factor, i) => factor * state + summands![i]!, 0);
      },
    })),
    edges: [{
      call: () => apply(recurrenceOp, [none, none], { axis: 0, reverse: false }),
      expected: none,
    }],
  },
];

/** The row of what lies between two values. */
export const INTERPOLATE_ROW: ElementwiseRow = {
  op: interpolateOp,
  call: (...inputs) => apply(interpolateOp, inputs.map(floating), []),
  domain: [[-3, -0.5], [0.5, 3], [0.1, 0.9]],
  reference: (a, b, c) => a! + (b! - a!) * c!,
  differentiable: [0, 1, 2],
};

/** Every operation's rows of the tables, called with extreme integers. */
import fc from "fast-check";
import { fromData, type Tensor } from "../../src/tensor.ts";
import type { DType } from "../../src/dtype.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import { ROWS as ELEMENTWISE } from "./elementwise_table.ts";
import { LIKELIHOOD_ELEMENTWISE, LIKELIHOOD_ROWS } from "./likelihood_rows.ts";
import { ROWS as STRUCTURAL } from "./structural_table.ts";
import { clip, sum } from "../../src/ops/mod.ts";

/** One call with integers. */
export interface IntegerCall {
  /** What is called. */
  name: string;
  /** The call. */
  call: (...inputs: Tensor[]) => Tensor;
  /** Its operands, all `int32`. */
  inputs: Tensor[];
}

const ENDS = [2 ** 31 - 1, -(2 ** 31), 0, -1, 1, 2 ** 31 - 2, 2 ** 24 + 1, 46341, -3, 2 ** 30 + 1];

/** Extreme integers, in an order of their own for each seed. */
export function extremes(shape: Shape, seed: number): Tensor {
  const next = (i: number) => ENDS[(i * (2 * seed + 1) + 3 * seed) % ENDS.length]!;
  return fromData(Int32Array.from({ length: sizeOf(shape) }, (_, i) => next(i)), shape);
}

function isRefused(call: () => Tensor): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}

const LARGE = [37, 11] as const;

const elementwise = ELEMENTWISE.filter((row) => !LIKELIHOOD_ELEMENTWISE.includes(row)).flatMap((
  { op, call, domain },
): IntegerCall[] =>
  [LARGE, [], [5]].map((shape) => ({
    name: op.name,
    call,
    inputs: domain.map((_, i) => extremes(shape, i)),
  }))
);

const structural = STRUCTURAL.filter((row) => !LIKELIHOOD_ROWS.includes(row)).flatMap((
  { op, cases },
): IntegerCall[] =>
  fc.sample(cases, { numRuns: 6, seed: 12 }).map(({ call, inputs }) => ({
    name: op.name,
    call,
    inputs: inputs.map(({ shape }, i) => extremes(shape, i)),
  }))
);

const axes = [undefined, 0, 1, 2, [0, 2]].map((axis): IntegerCall => ({
  name: `sum over ${axis}`,
  call: (x) => sum(x, { axis }),
  inputs: [extremes([7, 6, 5], 0)],
}));

const limits = [[-Infinity, 5], [-1e10, 1e10], [-5, Infinity], [-7, 2 ** 40]].map(
  ([low, high]): IntegerCall => ({
    name: `clip to ${low} and ${high}`,
    call: (x) => clip(x, low!, high!),
    inputs: [extremes(LARGE, 0)],
  }),
);

/** The calls that take integers, with the type of their results. */
export const INTEGER_CALLS: readonly (IntegerCall & { dtype: DType })[] = [
  ...elementwise,
  ...structural,
  ...axes,
  ...limits,
].flatMap((one) =>
  isRefused(() => one.call(...one.inputs)) ? [] : [{ ...one, dtype: one.call(...one.inputs).dtype }]
);

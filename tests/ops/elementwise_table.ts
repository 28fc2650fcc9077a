/** One row per elementwise record: where to test it, against what, and where it has kinks. */
import type { Op } from "../../src/op.ts";
import * as arithmetic from "../../src/ops/arithmetic.ts";
import * as compare from "../../src/ops/compare.ts";
import * as exponential from "../../src/ops/exponential.ts";
import * as hyperbolic from "../../src/ops/hyperbolic.ts";
import * as rounding from "../../src/ops/rounding.ts";
import * as special from "../../src/ops/special.ts";
import * as trigonometric from "../../src/ops/trigonometric.ts";
import type { Tensor } from "../../src/tensor.ts";
import { INTERPOLATE_ROW } from "./cumulative_rows.ts";
import { digammaByShift, lgammaByShift, LIKELIHOOD_ELEMENTWISE } from "./likelihood_rows.ts";

/** A row of the table. */
export interface Row {
  op: Op<never>;
  call: (...inputs: Tensor[]) => Tensor;
  /** The interval of each operand. */
  domain: readonly (readonly [number, number])[];
  /** The same function of numbers, independent of the record's expression. */
  reference: (...values: number[]) => number;
  /** Values that operands keep away from, where there is no derivative. */
  kinks?: readonly number[];
  /** Operands that have a gradient; none for piecewise constant functions. */
  differentiable: readonly number[];
  /** Whether operands must differ. */
  distinct?: boolean;
}

const R = [-3, 3] as const;
const P = [0.2, 4] as const;
const B = [0, 1] as const;

const WHOLE = [-3, -2, -1, 0, 1, 2, 3];

/** The error function by its series around 0. */
function erfBySeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; k < 80; k++) {
    term *= -x * x / k;
    sum += term / (2 * k + 1);
  }
  return 2 / Math.sqrt(Math.PI) * sum;
}

function inverseErfByBisection(x: number): number {
  let [low, high] = [-4, 4];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (erfBySeries(middle) < x) low = middle;
    else high = middle;
  }
  return low;
}

const one = { differentiable: [0] };
const two = { differentiable: [0, 1] };
const none = { differentiable: [] };

const { addOp, subOp, mulOp, divOp, negOp, absOp, signOp } = arithmetic;
const { maximumOp, minimumOp, clipOp, powOp, powConstantOp } = arithmetic;

/** The rows. */
export const ROWS: readonly Row[] = [
  { op: addOp, call: arithmetic.add, domain: [R, R], reference: (a, b) => a + b, ...two },
  { op: subOp, call: arithmetic.sub, domain: [R, R], reference: (a, b) => a - b, ...two },
  { op: mulOp, call: arithmetic.mul, domain: [R, R], reference: (a, b) => a * b, ...two },
  { op: divOp, call: arithmetic.div, domain: [R, P], reference: (a, b) => a / b, ...two },
  { op: negOp, call: arithmetic.neg, domain: [R], reference: (a) => 0 - a, ...one },
  { op: absOp, call: arithmetic.abs, domain: [R], kinks: [0], reference: Math.abs, ...one },
  { op: signOp, call: arithmetic.sign, domain: [R], kinks: [0], reference: Math.sign, ...none },
  {
    op: maximumOp,
    call: arithmetic.maximum,
    domain: [R, R],
    reference: (a, b) => a > b ? a : b,
    distinct: true,
    ...two,
  },
  {
    op: minimumOp,
    call: arithmetic.minimum,
    domain: [R, R],
    reference: (a, b) => a < b ? a : b,
    distinct: true,
    ...two,
  },
  {
    op: clipOp,
    call: (x) => arithmetic.clip(x, -1, 2),
    domain: [R],
    kinks: [-1, 2],
    reference: (a) => a < -1 ? -1 : a > 2 ? 2 : a,
    ...one,
  },
  {
    op: powOp,
    call: arithmetic.pow,
    domain: [P, R],
    reference: (a, b) => Math.exp(b * Math.log(a)),
    ...two,
  },
  {
    op: powConstantOp,
    call: (x) => arithmetic.pow(x, 3),
    domain: [R],
    reference: (a) => a * a * a,
    ...one,
  },
  {
    op: compare.equalOp,
    call: compare.equal,
    domain: [B, B],
    reference: (a, b) => +(a === b),
    ...none,
  },
  {
    op: compare.notEqualOp,
    call: compare.notEqual,
    domain: [B, B],
    reference: (a, b) => +(a !== b),
    ...none,
  },
  {
    op: compare.lessOp,
    call: compare.less,
    domain: [R, R],
    reference: (a, b) => +(a < b),
    ...none,
  },
  {
    op: compare.lessEqualOp,
    call: compare.lessEqual,
    domain: [R, R],
    reference: (a, b) => +(a <= b),
    ...none,
  },
  {
    op: compare.whereOp,
    call: (c, a, b) => compare.where(compare.less(c, 0), a, b),
    domain: [R, R, R],
    kinks: [0],
    reference: (c, a, b) => c < 0 ? a : b,
    differentiable: [1, 2],
  },
  {
    op: exponential.sqrtOp,
    call: exponential.sqrt,
    domain: [P],
    reference: (a) => a ** 0.5,
    ...one,
  },
  {
    op: exponential.expOp,
    call: exponential.exp,
    domain: [R],
    reference: (a) => Math.E ** a,
    ...one,
  },
  {
    op: exponential.expm1Op,
    call: exponential.expm1,
    domain: [R],
    reference: (a) => 2 * Math.exp(a / 2) * Math.sinh(a / 2),
    ...one,
  },
  {
    op: exponential.logOp,
    call: exponential.log,
    domain: [P],
    reference: (a) => Math.log2(a) * Math.LN2,
    ...one,
  },
  {
    op: exponential.log1pOp,
    call: exponential.log1p,
    domain: [P],
    reference: (a) => Math.log(1 + a),
    ...one,
  },
  {
    op: trigonometric.sinOp,
    call: trigonometric.sin,
    domain: [R],
    reference: (a) => Math.cos(a - Math.PI / 2),
    ...one,
  },
  {
    op: trigonometric.cosOp,
    call: trigonometric.cos,
    domain: [R],
    reference: (a) => Math.sin(a + Math.PI / 2),
    ...one,
  },
  {
    op: hyperbolic.tanhOp,
    call: hyperbolic.tanh,
    domain: [R],
    reference: (a) => Math.sinh(a) / Math.cosh(a),
    ...one,
  },
  {
    op: exponential.sigmoidOp,
    call: exponential.sigmoid,
    domain: [R],
    reference: (a) => (1 + Math.tanh(a / 2)) / 2,
    ...one,
  },
  {
    op: exponential.softplusOp,
    call: exponential.softplus,
    domain: [R],
    reference: (a) => Math.log(1 + Math.exp(a)),
    ...one,
  },
  {
    op: special.lgammaOp,
    call: special.lgamma,
    domain: [[0.1, 20]],
    reference: lgammaByShift,
    ...one,
  },
  {
    op: special.digammaOp,
    call: special.digamma,
    domain: [[0.3, 20]],
    reference: digammaByShift,
    ...one,
  },
  { op: special.erfOp, call: special.erf, domain: [R], reference: erfBySeries, ...one },
  {
    op: special.erfcOp,
    call: special.erfc,
    domain: [R],
    reference: (a) => 1 - erfBySeries(a),
    ...one,
  },
  {
    op: exponential.log2Op,
    call: exponential.log2,
    domain: [P],
    reference: (a) => Math.log(a) / Math.LN2,
    ...one,
  },
  {
    op: trigonometric.atan2Op,
    call: trigonometric.atan2,
    domain: [R, P],
    reference: (a, b) => Math.atan(a / b),
    ...two,
  },
  {
    op: rounding.floorOp,
    call: rounding.floor,
    domain: [R],
    kinks: WHOLE,
    reference: Math.floor,
    ...none,
  },
  {
    op: rounding.ceilOp,
    call: rounding.ceil,
    domain: [R],
    kinks: WHOLE,
    reference: Math.ceil,
    ...none,
  },
  {
    op: rounding.roundOp,
    call: rounding.round,
    domain: [R],
    kinks: WHOLE.map((x) => x + 0.5),
    reference: Math.round,
    ...none,
  },
  {
    op: rounding.modOp,
    call: rounding.mod,
    domain: [[5.2, 5.8], [2, 2.3]],
    reference: (a, b) => a - 2 * b,
    ...two,
  },
  INTERPOLATE_ROW,
  {
    op: exponential.exp2Op,
    call: exponential.exp2,
    domain: [R],
    reference: (a) => Math.exp(a * Math.LN2),
    ...one,
  },
  {
    op: exponential.log10Op,
    call: exponential.log10,
    domain: [P],
    reference: (a) => Math.log(a) / Math.LN10,
    ...one,
  },
  {
    op: trigonometric.tanOp,
    call: trigonometric.tan,
    domain: [[-1.2, 1.2]],
    reference: (a) => Math.sin(a) / Math.cos(a),
    ...one,
  },
  {
    op: trigonometric.asinOp,
    call: trigonometric.asin,
    domain: [[-0.9, 0.9]],
    reference: (a) => Math.PI / 2 - Math.acos(a),
    ...one,
  },
  {
    op: trigonometric.acosOp,
    call: trigonometric.acos,
    domain: [[-0.9, 0.9]],
    reference: (a) => Math.PI / 2 - Math.asin(a),
    ...one,
  },
  {
    op: trigonometric.atanOp,
    call: trigonometric.atan,
    domain: [R],
    reference: (a) => Math.asin(a / Math.sqrt(1 + a * a)),
    ...one,
  },
  {
    op: hyperbolic.sinhOp,
    call: hyperbolic.sinh,
    domain: [R],
    reference: (a) => (Math.exp(a) - Math.exp(-a)) / 2,
    ...one,
  },
  {
    op: hyperbolic.coshOp,
    call: hyperbolic.cosh,
    domain: [R],
    reference: (a) => (Math.exp(a) + Math.exp(-a)) / 2,
    ...one,
  },
  {
    op: hyperbolic.asinhOp,
    call: hyperbolic.asinh,
    domain: [R],
    reference: (a) => Math.log(a + Math.sqrt(a * a + 1)),
    ...one,
  },
  {
    op: hyperbolic.acoshOp,
    call: hyperbolic.acosh,
    domain: [[1.2, 4]],
    reference: (a) => Math.log(a + Math.sqrt(a * a - 1)),
    ...one,
  },
  {
    op: hyperbolic.atanhOp,
    call: hyperbolic.atanh,
    domain: [[-0.9, 0.9]],
    reference: (a) => Math.log((1 + a) / (1 - a)) / 2,
    ...one,
  },
  {
    op: special.erfinvOp,
    call: special.erfinv,
    domain: [[-0.9, 0.9]],
    reference: inverseErfByBisection,
    ...one,
  },
  {
    op: rounding.truncOp,
    call: rounding.trunc,
    domain: [R],
    kinks: WHOLE,
    reference: Math.trunc,
    ...none,
  },
  ...LIKELIHOOD_ELEMENTWISE,
];

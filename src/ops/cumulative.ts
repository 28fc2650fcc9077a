/**
 * Running sums, products and extremes along an axis.
 *
 * The gradient of each is a linear recurrence along the axis, walked from the other end; that of a
 * linear recurrence is one, too.
 *
 * @module
 */
import { accumulateRows } from "../../kernels/cumulative/reference.ts";
import { full } from "../create.ts";
import { allocate } from "../dtype.ts";
import { type Composite, type CumulativeOp, perInput, type Vjp } from "../op.ts";
import { checkOptions } from "../options.ts";
import { extentsAround, normalizeAxes, normalizeAxis, reducedShape, sizeOf } from "../shape.ts";
import { asOperand, asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { abs, add, div, minimum, mul, sub } from "./arithmetic.ts";
import { CUMULATIVE, REDUCE } from "./checks.ts";
import { equal, less, where } from "./compare.ts";
import { floating, numeric } from "./elementwise.ts";
import { exp, log } from "./exponential.ts";
import { concat, slice } from "./join.ts";
import { broadcastTo, cast, reshape } from "./layout.ts";
import { middleAxis, type ReduceOptions } from "./reduce.ts";

/** Along which axis to accumulate, and from which end. */
export interface Direction {
  /** The axis. */
  axis: number;
  /** Whether to begin at its end. */
  reverse: boolean;
}

/** Options of {@linkcode cumsum} and its kind. */
export interface CumulativeOptions {
  /** The axis, negative ones counted from the end; −1 by default. */
  axis?: number | undefined;
  /** Whether to begin at the end of the axis; `false` by default. */
  reverse?: boolean | undefined;
}

function cumulative(
  name: string,
  combination: CumulativeOp<Direction>["combination"],
  vjp: Vjp<Direction>,
): CumulativeOp<Direction> {
  return {
    kind: "cumulative",
    name,
    combination,
    along: (direction) => direction,
    lift: ({ axis, reverse }) => ({ axis: axis + 1, reverse }),
    infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
    forward(inputs, { axis, reverse }, { shape, dtype }) {
      const out = allocate(dtype, sizeOf(shape));
      const data = inputs.map((x) => x.data);
      accumulateRows(out, data, extentsAround(shape, axis), combination, reverse);
      return out;
    },
    vjp,
  };
}

/** The sum of the values up to each place. */
export const cumsumOp: CumulativeOp<Direction> = cumulative(
  "cumsum",
  "sum",
  perInput((g, _y, _x, direction) => apply(cumsumOp, [g], turned(direction))),
);

/** The product of the values up to each place. */
export const cumprodOp: CumulativeOp<Direction> = cumulative(
  "cumprod",
  "product",
  perInput((g, y, [x], direction) => {
    const back = turned(direction);
    const later = apply(recurrenceOp, [previous(x!, back, 0), g], back);
    return mul(later, previous(y, direction, 1));
  }),
);

/** The largest value up to each place; equal ones share the gradient. */
export const cumMaxOp: CumulativeOp<Direction> = cumulative(
  "cumMax",
  "max",
  perInput((g, y, [x], direction) => {
    const back = turned(direction);
    const isTop = cast(equal(x!, y), y.dtype);
    const goesOn = cast(equal(y, previous(y, direction, NaN)), y.dtype);
    const ties = apply(recurrenceOp, [goesOn, isTop], direction);
    const later = apply(recurrenceOp, [previous(goesOn, back, 0), div(g, ties)], back);
    return mul(isTop, later);
  }),
);

/** `s = a s + b`, from 0 on. */
export const recurrenceOp: CumulativeOp<Direction> = cumulative(
  "recurrence",
  "recurrence",
  (g, s, [a], direction) => {
    const back = turned(direction);
    const later = apply(recurrenceOp, [previous(a!, back, 0), g], back);
    return [mul(later, previous(s, direction, 0)), later];
  },
);

/** `log Σ e^x` up to each place: sums of what is at most 1, taken relative to the largest so far. */
export const cumLogSumExpOp: Composite<Direction> = {
  name: "cumLogSumExp",
  compose([x], direction) {
    const largest = apply(cumMaxOp, [x!], direction);
    const top = where(less(abs(largest), Infinity), largest, 0);
    const isFirst = equal(previous(largest, direction, -Infinity), -Infinity);
    const decay = where(isFirst, 0, exp(sub(previous(top, direction, 0), top)));
    return add(log(apply(recurrenceOp, [decay, exp(sub(x!, top))], direction)), top);
  },
  vjp(g, y, [x], direction) {
    const back = turned(direction);
    const next = previous(y, back, Infinity);
    const later = apply(recurrenceOp, [share(y, next), g], back);
    return [mul(share(x!, y), later)];
  },
};

/** `e^(part − whole)`: of equal infinities, 1 of ∞ and 0 of −∞. */
function share(part: Tensor, whole: Tensor): Tensor {
  const apart = sub(part, whole);
  const same = where(equal(part, whole), minimum(part, 0), apart);
  return exp(where(equal(abs(part), Infinity), same, apart));
}

function turned({ axis, reverse }: Direction): Direction {
  return { axis, reverse: !reverse };
}

/** The value before each place, where one begins from; `start` before the first. */
function previous(x: Tensor, { axis, reverse }: Direction, start: number): Tensor {
  const count = x.shape[axis]!;
  if (count === 0) return x;
  const first = broadcastTo(
    cast(asTensor(start), x.dtype),
    x.shape.map((n, i) => i === axis ? 1 : n),
  );
  const from = x.shape.map((_, i) => i === axis && reverse ? 1 : 0);
  const to = x.shape.map((n, i) => i === axis && !reverse ? n - 1 : n);
  const rest = slice(x, from, to);
  return concat(reverse ? [rest, first] : [first, rest], { axis });
}

/** The operation along the axis of the options. */
function accumulate(
  op: CumulativeOp<Direction> | Composite<Direction>,
  x: Tensor,
  { axis = -1, reverse = false }: CumulativeOptions,
): Tensor {
  return apply(op, [x], { axis: normalizeAxis(op.name, axis, x.rank), reverse });
}

/** Integers as `float64`, which holds more of them; truth values are counted as `int32`. */
function exact(x: Tensor): Tensor {
  return x.dtype === "int32" ? cast(x, "float64") : numeric(x);
}

/**
 * Running sum along an axis, accumulated in float64: `y[i] = Σ x[j]` over all `j ≤ i`.
 *
 * As with `sum`, `int32` gives `float64`, which no graphics card has, and booleans are counted as
 * `int32`. In `float32` on a graphics card, sums run in float32, as a tree.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, −1 by default (NumPy flattens); `reverse`, `false` by default: over all
 * `j ≥ i`.
 * @returns A tensor of the shape of `x`.
 * @throws {RangeError} If the axis does not exist.
 *
 * @example Cells so far
 * ```ts
 * import { cumsum } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cumsum([1, 2, 3]).toArray(), [1, 3, 6]);
 * assertEquals(cumsum([1, 2, 3], { reverse: true }).toArray(), [6, 5, 3]);
 * ```
 */
export function cumsum(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("cumsum", CUMULATIVE, 1, arguments);
  return accumulate(cumsumOp, exact(asOperand("cumsum", x)), options);
}

/**
 * Running product along an axis, accumulated in float64: `y[i] = Π x[j]` over all `j ≤ i`. Its
 * gradients are right where values are 0, too: none is divided by. `int32` gives `float64`.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, −1 by default; `reverse`, `false` by default: over all `j ≥ i`.
 * @returns A tensor of the shape of `x`.
 * @throws {RangeError} If the axis does not exist.
 *
 * @example Shares that survive
 * ```ts
 * import { cumprod } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cumprod([0.5, 0.5, 0]).toArray(), [0.5, 0.25, 0]);
 * ```
 */
export function cumprod(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("cumprod", CUMULATIVE, 1, arguments);
  return accumulate(cumprodOp, exact(asOperand("cumprod", x)), options);
}

/**
 * Largest value so far along an axis: `y[i] = max x[j]` over all `j ≤ i`. NaN wins from where it is
 * on. Values that are equally large share the gradient of each place that they are the largest of,
 * as with `max`; PyTorch gives it to the last of them.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, −1 by default; `reverse`, `false` by default: over all `j ≥ i`.
 * @returns A tensor of the shape of `x`.
 * @throws {RangeError} If the axis does not exist.
 *
 * @example Records
 * ```ts
 * import { cumMax } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cumMax([1, 3, 2, 4]).toArray(), [1, 3, 3, 4]);
 * ```
 */
export function cumMax(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("cumMax", CUMULATIVE, 1, arguments);
  return accumulate(cumMaxOp, numeric(asOperand("cumMax", x)), options);
}

/**
 * Logarithm of the running sum of exponentials along an axis, relative to the largest value so far:
 * finite wherever the result is. −∞ adds nothing and gets the gradient 0; ∞ takes the gradient of
 * all places from it on, and each of several ∞ takes it all, as in JAX.
 *
 * @param x Any shape of rank 1 or more; integers become `float32`.
 * @param options `axis`, −1 by default; `reverse`, `false` by default: from the end.
 * @returns `y[i] = log Σ e^x[j]` over all `j ≤ i`.
 * @throws {RangeError} If the axis does not exist.
 *
 * @example Sums of probabilities from their logarithms
 * ```ts
 * import { cumLogSumExp, exp, log } from "@cellgrad/cellgrad";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * assertAllClose(exp(cumLogSumExp(log([0.1, 0.2, 0.7]))), [0.1, 0.3, 1], { rtol: 1e-6 });
 * ```
 */
export function cumLogSumExp(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("cumLogSumExp", CUMULATIVE, 1, arguments);
  return accumulate(cumLogSumExpOp, floating(asOperand("cumLogSumExp", x)), options);
}

/**
 * Product over axes, in float64 to its end. Its gradients, of any order, are right where values
 * are 0, too: each is the product of all others. `int32` gives `float64`, exact up to 2⁵³.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns The products; 1 where there is nothing to multiply.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example The gradient at a zero
 * ```ts
 * import { grad, prod, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(prod([2, 0, 5]).item(), 0);
 * assertEquals(grad((x: Tensor) => prod(x))([2, 0, 5]).toArray(), [0, 10, 0]);
 * ```
 */
export function prod(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("prod", REDUCE, 1, arguments);
  const operand = exact(asOperand("prod", x));
  const axes = normalizeAxes("prod", options.axis, operand.rank);
  const shape = reducedShape(operand.shape, axes, options.keepDims ?? false);
  const { source, extents: { outer, count, inner } } = middleAxis(operand, axes);
  if (count === 0) return full(shape, 1, { dtype: operand.dtype });
  const running = accumulate(cumprodOp, reshape(source, [outer, count, inner]), { axis: 1 });
  return reshape(slice(running, [0, count - 1]), shape);
}

/**
 * Checks for whoever writes losses: gradients against differences, tensors against tensors.
 *
 * @example Checking a loss of your own
 * ```ts
 * import { type Tensor } from "@cellgrad/cellgrad";
 * import { checkGradients } from "@cellgrad/cellgrad/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const logCosh = (x: Tensor) => x.exp().add(x.neg().exp()).div(2).log().mean();
 * const { checked, skipped } = checkGradients(logCosh, [[0.3, -1.2, 2]], { order: 2 });
 * assertEquals([checked, skipped], [6, 0]);
 * ```
 *
 * @module
 */
import { describe } from "./describe.ts";
import { isFloating } from "./dtype.ts";
import { cast, mul, sum } from "./ops/mod.ts";
import { checkFunction, checkOptions, type Checks, numberIn } from "./options.ts";
import { formatShape, sameShape } from "./shape.ts";
import { asTensor, fromData, type Tensor, type TensorLike } from "./tensor.ts";
import { grad } from "./transforms/grad.ts";

/** Options of {@linkcode checkGradients}. */
export interface CheckGradientsOptions {
  /** How many times to differentiate: 1 by default; 2 also checks second derivatives. */
  order?: 1 | 2 | undefined;
  /** Relative tolerance; 1e-6 by default. */
  rtol?: number | undefined;
  /** Absolute tolerance; 1e-8 by default. */
  atol?: number | undefined;
  /** The share of entries that may lie at kinks; 0.1 by default. */
  maxSkipped?: number | undefined;
}

const TOLERANCES = { rtol: numberIn({ min: 0 }), atol: numberIn({ min: 0 }) };

const CHECK_GRADIENTS: Checks<CheckGradientsOptions> = {
  order: numberIn({ integer: true, min: 1, max: 2 }),
  ...TOLERANCES,
  maxSkipped: numberIn({ min: 0, max: 1 }),
};

/** What {@linkcode checkGradients} looked at. */
export interface GradientReport {
  /** How many derivatives agreed with their differences. */
  checked: number;
  /** How many lie at kinks, where one-sided differences disagree. */
  skipped: number;
}

/**
 * Inputs for a function: something that becomes a tensor for each parameter that takes one, up to
 * the first that takes none. `never` where that one is not optional.
 */
export type TensorInputs<
  Args extends readonly unknown[],
  Before extends readonly TensorLike[] = readonly [],
> = number extends Args["length"] ? Tensor extends Args[number] ? readonly TensorLike[] : never
  : Args extends readonly [] ? Before
  : Args extends readonly [infer First, ...infer Rest]
    ? Tensor extends First ? TensorInputs<Rest, readonly [...Before, TensorLike]> : never
  : Args extends readonly [(infer First)?, ...infer Rest]
    ? Tensor extends First ? Before | TensorInputs<Rest, readonly [...Before, TensorLike]> : Before
  : never;

/** A difference quotient's step, relative to the argument where that is large. */
const STEP = 6e-6;

/** The smaller step that tells a kink from curvature. */
const FINE = 1 / 8;

/**
 * Checks the gradient of a function against central differences in float64.
 *
 * Every entry of every floating input is moved by 6e-6·max(1, |x|) to both sides. A derivative a
 * agrees with the difference n where `|a − n| ≤ atol + rtol·max(|a|, |n|)`. Entries where the
 * one-sided differences disagree at every step lie at a kink: they are skipped and counted, unless
 * the derivative is not finite. An output of many values is summed with fixed irregular weights
 * first.
 *
 * @param f A function of tensors that returns a tensor.
 * @param inputs Its arguments; floating ones are taken to float64, integers are constants.
 * @param options `order`, 1 by default; `rtol`, 1e-6; `atol`, 1e-8; `maxSkipped`, 0.1.
 * @returns How many derivatives were checked, and how many skipped.
 * @throws {TypeError} If there is nothing to check: no input is floating, or none has a value.
 * @throws {Error} If a derivative disagrees, naming it, or more than `maxSkipped` or all are skipped.
 *
 * @example A gradient that is right
 * ```ts
 * import { type Tensor } from "@cellgrad/cellgrad";
 * import { checkGradients } from "@cellgrad/cellgrad/testing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(checkGradients((x: Tensor) => x.tanh(), [[0.5, -2]]).checked, 2);
 * ```
 */
export function checkGradients(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly TensorLike[],
  options?: CheckGradientsOptions,
): GradientReport;
/** Checks the gradient of a function that takes more than tensors, which is left at its default. */
export function checkGradients<Args extends readonly unknown[]>(
  f: (...inputs: Args) => Tensor,
  inputs: TensorInputs<Args>,
  options?: CheckGradientsOptions,
): GradientReport;
export function checkGradients(
  f: (...inputs: never[]) => Tensor,
  inputs: readonly TensorLike[],
  options: CheckGradientsOptions = {},
): GradientReport {
  checkFunction("checkGradients", "f", f);
  if (arguments.length > 2) checkOptions("checkGradients", CHECK_GRADIENTS, 2, arguments);
  if (!Array.isArray(inputs) || inputs.includes(undefined)) {
    throw new TypeError(
      `Cannot compute checkGradients as inputs must be an array of f's arguments: ` +
        `current value is ${describe(inputs)}`,
    );
  }
  const points = inputs.map((input) => {
    const x = asTensor(input, "float64");
    return isFloating(x.dtype) ? cast(x, "float64") : x;
  });
  const argnums = points.flatMap((x, i) => isFloating(x.dtype) ? [i] : []);
  requireEntries(points, argnums);
  const objective = (...xs: Tensor[]) => project(f(...xs as never[]));
  const report = checkOnce(objective, points, argnums, options, "derivative");
  if ((options.order ?? 1) < 2) return report;
  const slope = (...xs: Tensor[]) =>
    grad(objective as (...args: Tensor[]) => Tensor, { argnums })(...xs)
      .map((g) => project(g as Tensor)).reduce((a, b) => a.add(b));
  const second = checkOnce(slope, points, argnums, options, "second derivative");
  return {
    checked: report.checked + second.checked,
    skipped: report.skipped + second.skipped,
  };
}

/** Throws a `TypeError` unless there is an entry to move. */
function requireEntries(points: readonly Tensor[], argnums: readonly number[]): void {
  if (argnums.some((i) => points[i]!.size > 0)) return;
  const found = points.map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`);
  throw new TypeError(
    `Cannot compute checkGradients as inputs must have a floating value to check: ` +
      `current inputs are ${found.length === 0 ? "none" : found.join(" and ")}`,
  );
}

/** A sum with irregular weights between ½ and 1½, so that no two entries can cancel by chance. */
function project(y: Tensor): Tensor {
  const weights = Float64Array.from({ length: y.size }, (_, i) => 1 + 0.5 * Math.sin(1.7 * i + 1));
  return sum(mul(y, fromData(weights, y.shape)));
}

function checkOnce(
  objective: (...xs: Tensor[]) => Tensor,
  points: readonly Tensor[],
  argnums: readonly number[],
  options: CheckGradientsOptions,
  what: string,
): GradientReport {
  const { rtol = 1e-6, atol = 1e-8, maxSkipped = 0.1 } = options;
  const gradients = grad(objective, { argnums })(...points) as readonly Tensor[];
  let [checked, skipped] = [0, 0];
  argnums.forEach((argument, k) => {
    gradients[k]!.data.forEach((derivative: number, entry: number) => {
      const at = (offset: number) => objective(...movedTo(points, argument, entry, offset)).item();
      const verdict = compare(at, points[argument]!.data[entry]!, derivative, rtol, atol);
      if (verdict === "agrees") checked++;
      else if (verdict === "kink") skipped++;
      else {
        throw new Error(
          `Cannot confirm the ${what} by input ${argument} at ${
            formatPosition(entry, points[argument]!)
          }: computed ${derivative}, by differences ${verdict}`,
        );
      }
    });
  });
  if (checked === 0 || skipped > maxSkipped * (checked + skipped)) {
    throw new Error(
      `Cannot confirm the gradient as ${skipped} of ${checked + skipped} entries lie at kinks: ` +
        (checked === 0 ? "nothing was checked" : `at most ${maxSkipped * 100} % may`),
    );
  }
  return { checked, skipped };
}

/** Whether a derivative agrees with differences; else what they say. */
function compare(
  at: (offset: number) => number,
  x: number,
  derivative: number,
  rtol: number,
  atol: number,
): "agrees" | "kink" | number {
  const step = STEP * Math.max(1, Math.abs(x));
  const close = (n: number) =>
    Math.abs(derivative - n) <= atol + rtol * Math.max(Math.abs(derivative), Math.abs(n));
  const [above, below] = [at(step), at(-step)];
  const central = (above - below) / (2 * step);
  if (close(central)) return "agrees";
  const fine = step * FINE;
  const [middle, fineAbove, fineBelow] = [at(0), at(fine), at(-fine)];
  if (close((fineAbove - fineBelow) / (2 * fine))) return "agrees";
  const gap = Math.abs(above - 2 * middle + below) / step;
  const fineGap = Math.abs(fineAbove - 2 * middle + fineBelow) / fine;
  const kink = fineGap > gap / 2 && fineGap > 1e-6 * Math.max(1, Math.abs(middle));
  return kink && Number.isFinite(derivative) ? "kink" : central;
}

function movedTo(
  points: readonly Tensor[],
  argument: number,
  entry: number,
  offset: number,
): Tensor[] {
  return points.map((x, i) => {
    if (i !== argument) return x;
    const data = x.data.slice();
    data[entry]! += offset;
    return fromData(data, x.shape);
  });
}

function formatPosition(entry: number, x: Tensor): string {
  const position: number[] = [];
  let rest = entry;
  for (let axis = x.rank - 1; axis >= 0; axis--) {
    position.unshift(rest % x.shape[axis]!);
    rest = Math.floor(rest / x.shape[axis]!);
  }
  return formatShape(position);
}

/** Options of {@linkcode assertAllClose}. */
export interface AllCloseOptions {
  /** Relative tolerance; 1e-6 by default. */
  rtol?: number | undefined;
  /** Absolute tolerance; 1e-8 by default. */
  atol?: number | undefined;
}

/**
 * Asserts that two tensors have the same shape and nearly the same values:
 * `|actual − expected| ≤ atol + rtol·|expected|`. NaN equals NaN, and infinities themselves.
 *
 * @param actual What was computed.
 * @param expected What it should be.
 * @param options `rtol`, 1e-6 by default; `atol`, 1e-8 by default.
 * @throws {Error} If shapes or values differ; the message shows the worst entry.
 *
 * @example Rounding is no difference
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * assertAllClose(tensor([0.1, 0.2]).add(0.1), [0.2, 0.3]);
 * ```
 */
export function assertAllClose(
  actual: TensorLike,
  expected: TensorLike,
  options: AllCloseOptions = {},
): void {
  if (arguments.length > 2) checkOptions("assertAllClose", TOLERANCES, 2, arguments);
  const { rtol = 1e-6, atol = 1e-8 } = options;
  const a = asTensor(actual, "float64", "assertAllClose", "actual");
  const b = asTensor(expected, "float64", "assertAllClose", "expected");
  if (!sameShape(a.shape, b.shape)) {
    throw new Error(
      `Expected the same shape: actual is ${formatShape(a.shape)}, ` +
        `expected is ${formatShape(b.shape)}`,
    );
  }
  const [x, y] = [a.data, b.data];
  let [worst, at, count] = [0, -1, 0];
  for (let i = 0; i < x.length; i++) {
    if (Object.is(x[i], y[i]) || x[i] === y[i]) continue;
    const excess = Math.abs(x[i]! - y[i]!) / (atol + rtol * Math.abs(y[i]!));
    if (excess <= 1) continue;
    count++;
    const severity = Number.isNaN(excess) ? Infinity : excess;
    if (severity > worst) [worst, at] = [severity, i];
  }
  if (count === 0) return;
  throw new Error(
    `Expected all values within rtol ${rtol} and atol ${atol}: ${count} of ${x.length} differ, ` +
      `most at ${formatPosition(at, a)}: actual is ${x[at]}, expected is ${y[at]}`,
  );
}

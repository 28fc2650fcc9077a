/**
 * Learning rates that change over time: functions of the number of updates made before.
 *
 * They are made of operations, so they can be part of a recorded program, and of each other:
 * `warmup(cosine(0.1, { steps: 900 }), { steps: 100 })`. Any function of the step that returns a
 * tensor of shape `[]`, or a number, serves as well.
 *
 * @module
 */
import { full } from "../create.ts";
import { describe } from "../describe.ts";
import { isFloating } from "../dtype.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import {
  add,
  cast,
  cos,
  div,
  greaterEqual,
  less,
  maximum,
  minimum,
  mul,
  sub,
  where,
} from "../ops/mod.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { checkLearningRate, type LearningRate, rateFrom } from "./optimizer.ts";

/** The learning rate after a number of updates, as a tensor of the step's shape. */
export type Schedule = (step: TensorLike) => Tensor;

/** A schedule that a function of the step as a floating tensor describes. */
export function makeSchedule(caller: string, rate: (step: Tensor) => Tensor): Schedule {
  return (step, ...rest: unknown[]) => {
    if (rest.length > 0) refuseMore(caller, "step", 0, rest);
    const given = asOperand(caller, step, "step");
    return rate(isFloating(given.dtype) ? given : cast(given, "float32"));
  };
}

/**
 * The same learning rate at every step.
 *
 * @param learningRate The learning rate, at least 0.
 * @returns A schedule.
 * @throws {TypeError} If `learningRate` is no number.
 * @throws {RangeError} If it is negative.
 *
 * @example Whatever the step
 * ```ts
 * import { constant } from "@cellgrad/cellgrad/optim";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(constant(0.5)(1000).item(), 0.5);
 * ```
 */
export function constant(learningRate: number): Schedule {
  if (arguments.length > 1) refuseMore("constant", "learningRate", 1, arguments);
  checkNumber("constant", "learningRate", learningRate, { min: 0 });
  return makeSchedule("constant", ({ shape, dtype }) => full(shape, learningRate, { dtype }));
}

/** Options of {@linkcode cosine}. */
export interface CosineOptions {
  /** After how many updates the end is reached, at least 1. */
  steps: number;
  /** The learning rate from there on; 0 by default. */
  final?: number | undefined;
}

/**
 * From a learning rate down to another along half a wave of the cosine:
 * `final + (learningRate − final)·(1 + cos(π·step/steps))/2`, and `final` from `steps` on.
 *
 * Source: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983 (one period).
 *
 * @param learningRate The learning rate of the first update, at least 0.
 * @param options `steps`; `final`, 0 by default.
 * @returns A schedule.
 * @throws {TypeError} If an option is unknown or no number.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Half way down
 * ```ts
 * import { cosine } from "@cellgrad/cellgrad/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const schedule = cosine(1, { steps: 100, final: 0.2 });
 * assertAlmostEquals(schedule(50).item(), 0.6, 1e-6);
 * ```
 */
export function cosine(learningRate: number, options: CosineOptions): Schedule {
  if (arguments.length > 2) refuseMore("cosine", "options", 2, arguments);
  const { steps, final } = readOptions("cosine", options, {
    steps: undefined as unknown as number,
    final: 0,
  });
  checkNumber("cosine", "learningRate", learningRate, { min: 0 });
  checkNumber("cosine", "steps", steps, { min: 1, integer: true });
  checkNumber("cosine", "final", final, { min: 0 });
  return makeSchedule("cosine", (step) => {
    const angle = mul(minimum(div(step, steps), 1), Math.PI);
    return add(mul(add(cos(angle), 1), (learningRate - final) / 2), final);
  });
}

/** Options of {@linkcode step}. */
export interface StepOptions {
  /** After how many updates the learning rate changes: whole numbers, in ascending order. */
  milestones: readonly number[];
  /** What it is multiplied with at each of them, above 0; 0.1 by default. */
  factor?: number | undefined;
}

/**
 * A learning rate that is multiplied with a factor at each of some milestones.
 *
 * @param learningRate The learning rate of the first update, at least 0.
 * @param options `milestones`; `factor`, 0.1 by default.
 * @returns A schedule.
 * @throws {TypeError} If an option is unknown or of the wrong kind.
 * @throws {RangeError} If a value is out of range, or the milestones do not ascend.
 *
 * @example Halved twice
 * ```ts
 * import { step } from "@cellgrad/cellgrad/optim";
 * import { assertEquals } from "@std/assert";
 *
 * const schedule = step(1, { milestones: [100, 200], factor: 0.5 });
 * assertEquals([99, 100, 500].map((at) => schedule(at).item()), [1, 0.5, 0.25]);
 * ```
 */
export function step(learningRate: number, options: StepOptions): Schedule {
  if (arguments.length > 2) refuseMore("step", "options", 2, arguments);
  const { milestones, factor } = readOptions("step", options, {
    milestones: undefined as unknown as readonly number[],
    factor: 0.1,
  });
  checkNumber("step", "learningRate", learningRate, { min: 0 });
  checkNumber("step", "factor", factor, { above: 0 });
  checkMilestones(milestones);
  return makeSchedule("step", (now) =>
    milestones.reduce(
      (rate, milestone) => mul(rate, where(greaterEqual(now, milestone), factor, 1)),
      full(now.shape, learningRate, { dtype: now.dtype }),
    ));
}

function checkMilestones(milestones: unknown): void {
  if (!Array.isArray(milestones) || milestones.includes(undefined)) {
    throw new TypeError(
      `Cannot compute step as milestones must be an array of whole numbers: ` +
        `current value is ${describe(milestones)}`,
    );
  }
  milestones.forEach((at, i) =>
    checkNumber("step", `milestones[${i}]`, at, {
      integer: true,
      ...(i === 0 ? { min: 0 } : { above: milestones[i - 1] }),
    })
  );
}

/** Options of {@linkcode warmup}. */
export interface WarmupOptions {
  /** How many updates the way up takes, at least 1. */
  steps: number;
  /** The learning rate of the first update; 0 by default. */
  initial?: number | undefined;
}

/**
 * A straight way up from a small learning rate to the first one of another schedule, which then
 * follows: `initial + (schedule(0) − initial)·step/steps` before `steps`, then
 * `schedule(step − steps)`.
 *
 * Source: Goyal et al. 2017, https://arxiv.org/abs/1706.02677.
 *
 * @param schedule What follows: a schedule, or a number for a constant one.
 * @param options `steps`; `initial`, 0 by default, with which the first update changes nothing.
 * @returns A schedule.
 * @throws {TypeError} If an option is unknown or of the wrong kind.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Up, then down
 * ```ts
 * import { cosine, warmup } from "@cellgrad/cellgrad/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const schedule = warmup(cosine(1, { steps: 90 }), { steps: 10 });
 * [[5, 0.5], [10, 1], [55, 0.5], [100, 0]].forEach(([step, rate]) =>
 *   assertAlmostEquals(schedule(step!).item(), rate!, 1e-6)
 * );
 * ```
 */
export function warmup(schedule: LearningRate, options: WarmupOptions): Schedule {
  if (arguments.length > 2) refuseMore("warmup", "options", 2, arguments);
  const { steps, initial } = readOptions("warmup", options, {
    steps: undefined as unknown as number,
    initial: 0,
  });
  checkLearningRate("warmup", schedule);
  checkNumber("warmup", "steps", steps, { min: 1, integer: true });
  checkNumber("warmup", "initial", initial, { min: 0 });
  const after = (step: Tensor) => rateFrom(schedule, step);
  return makeSchedule("warmup", (now) => {
    const rise = mul(sub(after(mul(now, 0)), initial), div(now, steps));
    return where(less(now, steps), add(rise, initial), after(maximum(sub(now, steps), 0)));
  });
}

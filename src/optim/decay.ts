/**
 * Learning rates that fall, and schedules one after the other.
 *
 * @module
 */
import { checkArray, checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import { add, div, exp, less, maximum, minimum, mod, mul, pow, sub, where } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import { checkLearningRate, type LearningRate, rateFrom } from "./optimizer.ts";
import { makeSchedule, type Schedule } from "./schedules.ts";

/** Options of {@linkcode exponentialDecay}. */
export interface ExponentialDecayOptions {
  /** What the learning rate is multiplied with in so many updates, above 0. */
  factor: number;
  /** After how many updates, at least 1; 1 by default. */
  steps?: number | undefined;
  /** Whether it changes only then, and not in between; `false` by default. */
  staircase?: boolean | undefined;
  /** What it does not fall below; 0 by default. */
  final?: number | undefined;
}

/**
 * A learning rate that is multiplied with the same factor again and again:
 * `max(learningRate·factor^(step/steps), final)`, where `staircase` of the whole part of the quotient.
 *
 * With `steps` of 1 PyTorch's `ExponentialLR`, otherwise optax's `exponential_decay`.
 *
 * @param learningRate The learning rate of the first update, at least 0.
 * @param options `factor`; `steps`, 1 by default; `staircase`, `false` by default; `final`, 0 by
 * default.
 * @returns A schedule.
 * @throws {TypeError} If an option is unknown or of the wrong kind.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Halved every 100 updates
 * ```ts
 * import { exponentialDecay } from "@cellgrad/cellgrad/optim";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const schedule = exponentialDecay(1, { factor: 0.5, steps: 100 });
 * assertAllClose(schedule([0, 50, 100, 200]), [1, Math.SQRT1_2, 0.5, 0.25]);
 * ```
 */
export function exponentialDecay(
  learningRate: number,
  options: ExponentialDecayOptions,
): Schedule {
  if (arguments.length > 2) refuseMore("exponentialDecay", "options", 2, arguments);
  const { factor, steps, staircase, final } = readOptions("exponentialDecay", options, {
    factor: undefined as unknown as number,
    steps: 1,
    staircase: false,
    final: 0,
  });
  checkNumber("exponentialDecay", "learningRate", learningRate, { min: 0 });
  checkNumber("exponentialDecay", "factor", factor, { above: 0 });
  checkNumber("exponentialDecay", "steps", steps, { min: 1, integer: true });
  checkBoolean("exponentialDecay", "staircase", staircase);
  checkNumber("exponentialDecay", "final", final, { min: 0 });
  return makeSchedule("exponentialDecay", (step) => {
    // By remainders, as devices may divide with errors of some ulp.
    const turns = div(staircase ? sub(step, mod(step, steps)) : step, steps);
    const share = exp(mul(turns, Math.log(factor)));
    return maximum(mul(share, learningRate), final);
  });
}

/** Options of {@linkcode polynomialDecay}. */
export interface PolynomialDecayOptions {
  /** After how many updates the end is reached, at least 1. */
  steps: number;
  /** The power of what is left of the way, above 0; 1 by default, a straight line. */
  power?: number | undefined;
  /** The learning rate from there on; 0 by default. */
  final?: number | undefined;
}

/**
 * From a learning rate to another along a power of what is left of the way:
 * `final + (learningRate − final)·(1 − step/steps)^power`, and `final` from `steps` on.
 *
 * optax's `polynomial_schedule`; with `final` 0 PyTorch's `PolynomialLR`.
 *
 * @param learningRate The learning rate of the first update, at least 0.
 * @param options `steps`; `power`, 1 by default; `final`, 0 by default.
 * @returns A schedule.
 * @throws {TypeError} If an option is unknown or no number.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Down as a parabola
 * ```ts
 * import { polynomialDecay } from "@cellgrad/cellgrad/optim";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const schedule = polynomialDecay(1, { steps: 10, power: 2 });
 * assertAllClose(schedule([0, 5, 10, 99]), [1, 0.25, 0, 0]);
 * ```
 */
export function polynomialDecay(
  learningRate: number,
  options: PolynomialDecayOptions,
): Schedule {
  if (arguments.length > 2) refuseMore("polynomialDecay", "options", 2, arguments);
  const { steps, power, final } = readOptions("polynomialDecay", options, {
    steps: undefined as unknown as number,
    power: 1,
    final: 0,
  });
  checkNumber("polynomialDecay", "learningRate", learningRate, { min: 0 });
  checkNumber("polynomialDecay", "steps", steps, { min: 1, integer: true });
  checkNumber("polynomialDecay", "power", power, { above: 0 });
  checkNumber("polynomialDecay", "final", final, { min: 0 });
  return makeSchedule("polynomialDecay", (step) => {
    const left = sub(1, minimum(div(step, steps), 1));
    return add(mul(power === 1 ? left : pow(left, power), learningRate - final), final);
  });
}

/**
 * Schedules one after the other, each of which starts at its own step 0: the first up to the first
 * boundary, the next from there on, as optax's `join_schedules`.
 *
 * @param schedules Schedules, or numbers for constant ones.
 * @param boundaries The step from which each but the first holds: whole numbers, in ascending order.
 * @returns A schedule.
 * @throws {TypeError} If `schedules` are no schedules, or there is not one boundary between each two.
 * @throws {RangeError} If a boundary is not whole, or they do not ascend.
 *
 * @example Up, constant, down
 * ```ts
 * import { joinSchedules, polynomialDecay, warmup } from "@cellgrad/cellgrad/optim";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const down = polynomialDecay(1, { steps: 10 });
 * const schedule = joinSchedules([warmup(1, { steps: 10 }), 1, down], [10, 90]);
 * assertAllClose(schedule([5, 10, 89, 90, 95]), [0.5, 1, 1, 1, 0.5]);
 * ```
 */
export function joinSchedules(
  schedules: readonly LearningRate[],
  boundaries: readonly number[],
): Schedule {
  if (arguments.length > 2) refuseMore("joinSchedules", "boundaries", 2, arguments);
  checkArray("joinSchedules", "schedules", schedules);
  checkArray("joinSchedules", "boundaries", boundaries);
  if (schedules.length !== boundaries.length + 1) {
    throw new TypeError(
      `Cannot compute joinSchedules as there must be one boundary between each two schedules: ` +
        `current numbers are ${schedules.length} and ${boundaries.length}`,
    );
  }
  schedules.forEach((schedule) => checkLearningRate("joinSchedules", schedule));
  boundaries.forEach((at, i) =>
    checkNumber("joinSchedules", `boundaries[${i}]`, at, {
      integer: true,
      ...(i === 0 ? { min: 0 } : { above: boundaries[i - 1]! }),
    })
  );
  const [first, ...rest] = schedules.map((s) => (step: Tensor) => rateFrom(s, step));
  return makeSchedule("joinSchedules", (step) =>
    rest.reduce((rate, schedule, i) => {
      const own = schedule(maximum(sub(step, boundaries[i]!), 0));
      return where(less(step, boundaries[i]!), rate, own);
    }, first!(step)));
}

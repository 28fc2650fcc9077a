/**
 * RMSprop and Adagrad: steps divided by the root of squared gradients.
 *
 * @module
 */
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import { add, div, maximum, mul, square, sub } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import { safeSqrt } from "./adam.ts";
import {
  checkLearningRate,
  decayedBy,
  type Follow,
  type LearningRate,
  makeOptimizer,
  type Optimizer,
} from "./optimizer.ts";

/** Options of {@linkcode rmsprop}. */
export interface RmspropOptions {
  /** About how far each parameter moves per step: a number of at least 0, or a schedule. */
  learningRate: LearningRate;
  /** How slowly the mean squared gradient changes, in [0, 1); 0.99 by default. */
  alpha?: number | undefined;
  /** Added to the root of the mean squared gradient, above 0; 1e-8 by default. */
  epsilon?: number | undefined;
  /** How much of the last step is kept, in [0, 1); 0 by default. */
  momentum?: number | undefined;
  /** Whether the mean gradient is taken off, so that its variance divides; `false` by default. */
  centered?: boolean | undefined;
  /** What is added to the gradient for each unit of the parameter; 0 by default. */
  weightDecay?: number | undefined;
}

/**
 * RMSprop: gradients divided by the root of a running average of their squares.
 *
 * `g ← g + weightDecay·p`, `v ← αv + (1 − α)g²`, `p ← p − learningRate · g/(√v + ε)`; with `momentum`
 * `b ← momentum·b + g/(√v + ε)`, `p ← p − learningRate·b`; where `centered`, `m ← αm + (1 − α)g` and
 * `v − m²` stands for `v`. These are the rules of PyTorch's `RMSprop`, but that rounding never makes
 * `v − m²` negative.
 *
 * Source: Tieleman and Hinton 2012, lecture 6.5; Graves 2013, https://arxiv.org/abs/1308.0850.
 *
 * @param options `learningRate`; `alpha`, 0.99 by default; `epsilon`, 1e-8 by default; `momentum`, 0 by
 * default; `centered`, `false` by default; `weightDecay`, 0 by default.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moments `second`,
 * `first` where `centered`, and `momentum` where that is above 0.
 * @throws {TypeError} If an option is unknown or of the wrong kind; from `init` and `update`, if
 * parameters, gradients and state do not belong together.
 * @throws {RangeError} If a value is out of range.
 *
 * @example The first step is of one size for gradients of every size
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { rmsprop } from "@cellgrad/cellgrad/optim";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const optimizer = rmsprop({ learningRate: 0.01, alpha: 0.99 });
 * const params = tensor([1, 1]);
 * const updated = optimizer.update([1000, -0.1], optimizer.init(params), params);
 * assertAllClose(updated.params, [0.9, 1.1], { atol: 1e-6 });
 * ```
 */
export function rmsprop(options: RmspropOptions): Optimizer {
  if (arguments.length > 1) refuseMore("rmsprop", "options", 1, arguments);
  const settings = readOptions("rmsprop", options, {
    learningRate: undefined as unknown as LearningRate,
    alpha: 0.99,
    epsilon: 1e-8,
    momentum: 0,
    centered: false,
    weightDecay: 0,
  });
  const { learningRate, alpha, epsilon, momentum, centered, weightDecay } = settings;
  checkLearningRate("rmsprop", learningRate);
  checkNumber("rmsprop", "alpha", alpha, { min: 0, below: 1 });
  checkNumber("rmsprop", "epsilon", epsilon, { above: 0 });
  checkNumber("rmsprop", "momentum", momentum, { min: 0, below: 1 });
  checkBoolean("rmsprop", "centered", centered);
  checkNumber("rmsprop", "weightDecay", weightDecay, { min: 0 });
  const average = (m: Tensor, x: Tensor) => add(mul(m, alpha), mul(x, 1 - alpha));
  const scaled = (g: Tensor, [second, first]: readonly Tensor[]) => {
    const spread = centered ? maximum(sub(second!, square(first!)), 0) : second!;
    return div(g, add(safeSqrt(spread), epsilon));
  };
  const follow: Follow = (b, g, { followed }) => add(mul(b, momentum), scaled(g, followed));
  return makeOptimizer({
    name: "rmsprop",
    learningRate,
    adjust: decayedBy(weightDecay),
    moments: {
      second: (v, g) => average(v, square(g)),
      ...centered && { first: average },
      ...momentum > 0 && { momentum: follow },
    },
    step: ({ param, grad, moments, rate }) =>
      sub(param, mul(momentum > 0 ? moments.at(-1)! : scaled(grad, moments), rate)),
  });
}

/** Options of {@linkcode adagrad}. */
export interface AdagradOptions {
  /** How far each parameter moves in its first step: a number of at least 0, or a schedule. */
  learningRate: LearningRate;
  /** How fast the learning rate falls, as `1/(1 + t·learningRateDecay)`; 0 by default. */
  learningRateDecay?: number | undefined;
  /** What the sum of squared gradients is at first, at least 0; 0 by default. */
  initialAccumulator?: number | undefined;
  /** Added to the root of the sum of squared gradients, above 0; 1e-10 by default. */
  epsilon?: number | undefined;
  /** What is added to the gradient for each unit of the parameter; 0 by default. */
  weightDecay?: number | undefined;
}

/**
 * Adagrad: gradients divided by the root of the sum of all their squares so far.
 *
 * `g ← g + weightDecay·p`, `s ← s + g²`,
 * `p ← p − learningRate/(1 + (t − 1)·learningRateDecay) · g/(√s + ε)` at step t, counted from 1, as in
 * PyTorch's `Adagrad`.
 *
 * Source: Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html.
 *
 * @param options `learningRate`; `learningRateDecay`, 0 by default; `initialAccumulator`, 0 by default;
 * `epsilon`, 1e-10 by default; `weightDecay`, 0 by default.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moment `sum`.
 * @throws {TypeError} If an option is unknown or of the wrong kind; from `init` and `update`, if
 * parameters, gradients and state do not belong together.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Steps become shorter
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { adagrad } from "@cellgrad/cellgrad/optim";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const optimizer = adagrad({ learningRate: 1 });
 * const start = tensor([0]);
 * const { params, state } = optimizer.update([4], optimizer.init(start), start);
 * assertAllClose(params, [-1]);
 * assertAllClose(optimizer.update([3], state, params).params, [-1.6]);
 * ```
 */
export function adagrad(options: AdagradOptions): Optimizer {
  if (arguments.length > 1) refuseMore("adagrad", "options", 1, arguments);
  const settings = readOptions("adagrad", options, {
    learningRate: undefined as unknown as LearningRate,
    learningRateDecay: 0,
    initialAccumulator: 0,
    epsilon: 1e-10,
    weightDecay: 0,
  });
  const { learningRate, learningRateDecay, initialAccumulator, epsilon, weightDecay } = settings;
  checkLearningRate("adagrad", learningRate);
  checkNumber("adagrad", "learningRateDecay", learningRateDecay, { min: 0 });
  checkNumber("adagrad", "initialAccumulator", initialAccumulator, { min: 0 });
  checkNumber("adagrad", "epsilon", epsilon, { above: 0 });
  checkNumber("adagrad", "weightDecay", weightDecay, { min: 0 });
  return makeOptimizer({
    name: "adagrad",
    learningRate,
    adjust: decayedBy(weightDecay),
    moments: { sum: (s, g) => add(s, square(g)) },
    start: { sum: initialAccumulator },
    step({ param, grad, moments: [sum], rate, count }) {
      const own = div(rate, add(mul(sub(count, 1), learningRateDecay), 1));
      return sub(param, mul(div(grad, add(safeSqrt(sum!), epsilon)), own));
    },
  });
}

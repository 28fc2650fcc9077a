/**
 * Adam, and Adam with decoupled weight decay.
 *
 * @module
 */
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { add, div, expm1, greater, mul, neg, sqrt, square, sub, where } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import {
  checkLearningRate,
  type LearningRate,
  makeOptimizer,
  type Optimizer,
} from "./optimizer.ts";

/** Options of {@linkcode adam}. */
export interface AdamOptions {
  /** About how far each parameter moves per step: a number of at least 0, or a schedule. */
  learningRate: LearningRate;
  /** How slowly the mean gradient changes, in [0, 1); 0.9 by default. */
  beta1?: number | undefined;
  /** How slowly the mean squared gradient changes, in [0, 1); 0.999 by default. */
  beta2?: number | undefined;
  /** Added to the root of the mean squared gradient, above 0; 1e-8 by default. */
  epsilon?: number | undefined;
}

/** Options of {@linkcode adamw}. */
export interface AdamWOptions extends AdamOptions {
  /** The share of each parameter that is taken off per unit of learning rate; 0.01 by default. */
  weightDecay?: number | undefined;
}

const DEFAULTS = {
  learningRate: undefined as unknown as LearningRate,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
};

/**
 * Adam: steps whose size adapts to each parameter, by running averages of the gradient and of its
 * square.
 *
 * At step t, counted from 1: `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`,
 * `p ← p − learningRate · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)`, as in PyTorch's `Adam`. The
 * corrections are computed as `−expm1(t·log β)`, which keeps their digits in float32.
 *
 * The update is differentiable, also where a gradient is 0.
 *
 * Source: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980.
 *
 * @param options `learningRate`; `beta1`, 0.9 by default; `beta2`, 0.999 by default; `epsilon`,
 * 1e-8 by default.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moments `first` and
 * `second`.
 * @throws {TypeError} If an option is unknown or of the wrong kind; from `init` and `update`, if
 * parameters, gradients and state do not belong together.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Fitting a line
 * ```ts
 * import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { adam } from "@cellgrad/cellgrad/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [x, y] = [tensor([0, 1, 2]), tensor([1, 3, 5])];
 * const loss = (p: { w: Tensor; b: Tensor }) => x.mul(p.w).add(p.b).sub(y).square().mean();
 * const optimizer = adam({ learningRate: 0.1 });
 * let params = { w: tensor(0), b: tensor(0) };
 * let state = optimizer.init(params);
 * for (let i = 0; i < 300; i++) {
 *   ({ params, state } = optimizer.update(grad(loss)(params), state, params));
 * }
 * assertAlmostEquals(params.w.item(), 2, 0.01);
 * assertAlmostEquals(params.b.item(), 1, 0.01);
 * ```
 */
export function adam(options: AdamOptions): Optimizer {
  if (arguments.length > 1) refuseMore("adam", "options", 1, arguments);
  return makeAdam("adam", { ...readOptions("adam", options, DEFAULTS), weightDecay: 0 });
}

/**
 * AdamW: {@linkcode adam}, with weights that decay by themselves and not through the gradient.
 *
 * Before the step of Adam, `p ← p·(1 − learningRate·weightDecay)`, as in PyTorch's `AdamW`: the
 * decay is not divided by the gradient's size, so all parameters shrink alike.
 *
 * Source: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101.
 *
 * @param options Those of {@linkcode adam}; `weightDecay`, 0.01 by default.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moments `first` and
 * `second`.
 * @throws {TypeError} If an option is unknown or of the wrong kind; from `init` and `update`, if
 * parameters, gradients and state do not belong together.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Without a gradient the parameters shrink
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { adamw } from "@cellgrad/cellgrad/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const optimizer = adamw({ learningRate: 0.1, weightDecay: 0.5 });
 * const params = [tensor([1, -2])];
 * const updated = optimizer.update([tensor([0, 0])], optimizer.init(params), params);
 * assertAlmostEquals(updated.params[0]!.data[1]!, -1.9, 1e-6);
 * ```
 */
export function adamw(options: AdamWOptions): Optimizer {
  if (arguments.length > 1) refuseMore("adamw", "options", 1, arguments);
  return makeAdam("adamw", readOptions("adamw", options, { ...DEFAULTS, weightDecay: 0.01 }));
}

/** The settings of both, with their defaults filled in. */
interface Settings {
  learningRate: LearningRate;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

function makeAdam(name: string, settings: Settings): Optimizer {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = settings;
  checkLearningRate(name, learningRate);
  checkNumber(name, "beta1", beta1, { min: 0, below: 1 });
  checkNumber(name, "beta2", beta2, { min: 0, below: 1 });
  checkNumber(name, "epsilon", epsilon, { above: 0 });
  checkNumber(name, "weightDecay", weightDecay, { min: 0 });
  return makeOptimizer({
    name,
    learningRate,
    moments: {
      first: (m, g) => add(mul(m, beta1), mul(g, 1 - beta1)),
      second: (v, g) => add(mul(v, beta2), mul(square(g), 1 - beta2)),
    },
    step({ param, moments: [first, second], rate, count }) {
      const scale = div(rate, correction(beta1, count));
      const root = div(safeSqrt(second!), sqrt(correction(beta2, count)));
      const kept = weightDecay === 0 ? param : mul(param, sub(1, mul(rate, weightDecay)));
      return sub(kept, mul(div(first!, add(root, epsilon)), scale));
    },
  });
}

/** `1 − β^count`: what an average that started at 0 has seen so far. */
export function correction(beta: number, count: Tensor): Tensor {
  // A β of 0 has an infinite logarithm, which devices need not know; e^−100 vanishes beside 1 too.
  return neg(expm1(mul(count, Math.max(Math.log(beta), -100))));
}

/** The square root, with gradient 0 at 0. */
export function safeSqrt(x: Tensor): Tensor {
  const positive = greater(x, 0);
  return where(positive, sqrt(where(positive, x, 1)), x);
}

/**
 * Optimizers that are close to Adam: Lion, NAdam and LAMB.
 *
 * @module
 */
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import {
  add,
  div,
  equal,
  exp,
  logicalOr,
  mul,
  norm,
  sign,
  sqrt,
  square,
  sub,
  where,
} from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import { type AdamWOptions, correction, safeSqrt } from "./adam.ts";
import {
  checkLearningRate,
  decayedBy,
  type LearningRate,
  makeOptimizer,
  type Optimizer,
  type Rule,
} from "./optimizer.ts";

/** Settings that all of them have. */
interface Settings {
  learningRate: LearningRate;
  beta1: number;
  beta2: number;
  weightDecay: number;
}

const REQUIRED = { learningRate: undefined as unknown as LearningRate };

function checkSettings(name: string, settings: Settings & { epsilon?: number }): void {
  checkLearningRate(name, settings.learningRate);
  checkNumber(name, "beta1", settings.beta1, { min: 0, below: 1 });
  checkNumber(name, "beta2", settings.beta2, { min: 0, below: 1 });
  if ("epsilon" in settings) checkNumber(name, "epsilon", settings.epsilon, { above: 0 });
  checkNumber(name, "weightDecay", settings.weightDecay, { min: 0 });
}

/** `βx + (1 − β)y` */
function blend(x: Tensor, y: Tensor, beta: number): Tensor {
  return add(mul(x, beta), mul(y, 1 - beta));
}

/** Adam's moments. */
function adamMoments({ beta1, beta2 }: Settings): Rule["moments"] {
  return {
    first: (m, g) => blend(m, g, beta1),
    second: (v, g) => blend(v, square(g), beta2),
  };
}

/** Options of {@linkcode lion}. */
export type LionOptions = Omit<AdamWOptions, "epsilon">;

/**
 * Lion: steps of the same size for all parameters, in the direction of a running average's sign.
 *
 * `p ← p − learningRate · (sign(β₁m + (1 − β₁)g) + weightDecay·p)`, then `m ← β₂m + (1 − β₂)g`, with
 * the defaults of optax. Learning rates are some 3 to 10 times smaller than those of
 * {@linkcode adamw}, weight decay as much larger.
 *
 * Source: Chen et al. 2023, https://arxiv.org/abs/2302.06675.
 *
 * @param options `learningRate`; `beta1`, 0.9 by default; `beta2`, 0.99 by default; `weightDecay`,
 * 1e-3 by default.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moment `first`.
 * @throws {TypeError} If an option is unknown or of the wrong kind; from `init` and `update`, if
 * parameters, gradients and state do not belong together.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Only the sign counts
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { lion } from "@cellgrad/cellgrad/optim";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const optimizer = lion({ learningRate: 0.1, weightDecay: 0 });
 * const params = tensor([1, 1, 1]);
 * const updated = optimizer.update([1e3, -1e-3, 0], optimizer.init(params), params);
 * assertAllClose(updated.params, [0.9, 1.1, 1]);
 * ```
 */
export function lion(options: LionOptions): Optimizer {
  if (arguments.length > 1) refuseMore("lion", "options", 1, arguments);
  const defaults = { ...REQUIRED, beta1: 0.9, beta2: 0.99, weightDecay: 1e-3 };
  const settings = readOptions("lion", options, defaults);
  checkSettings("lion", settings);
  const { learningRate, beta1, beta2, weightDecay } = settings;
  return makeOptimizer({
    name: "lion",
    learningRate,
    moments: { first: (m, g) => blend(m, g, beta2) },
    step({ param, grad, before: [first], rate }) {
      const direction = sign(blend(first!, grad, beta1));
      return sub(param, mul(add(direction, mul(param, weightDecay)), rate));
    },
  });
}

/** Options of {@linkcode nadam}. */
export interface NadamOptions extends AdamWOptions {
  /** How fast the momentum approaches `beta1`, at least 0; 4e-3 by default. */
  momentumDecay?: number | undefined;
}

/**
 * NAdam: Adam that looks ahead along its momentum, as Nesterov's does.
 *
 * With `μₜ = β₁(1 − ½·0.96^(t·momentumDecay))` and Adam's moments m and v,
 * `p ← p − learningRate · ((1 − μₜ)/(1 − μ₁…μₜ)·g + μₜ₊₁/(1 − μ₁…μₜ₊₁)·m) / (√(v/(1 − β₂ᵗ)) + ε)`, after
 * `g ← g + weightDecay·p`, as in PyTorch's `NAdam`
 * (whose form for single tensors had one factor μₜ too many up to version 1.13).
 *
 * Source: Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ.
 *
 * @param options Those of {@linkcode adam}; `weightDecay`, 0 by default; `momentumDecay`, 4e-3 by
 * default.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moments `first` and
 * `second`, and `product`, `μ₁…μₜ`, a number for each parameter.
 * @throws {TypeError} If an option is unknown or of the wrong kind; from `init` and `update`, if
 * parameters, gradients and state do not belong together.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Down a parabola
 * ```ts
 * import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { nadam } from "@cellgrad/cellgrad/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = (x: Tensor) => x.sub(3).square().sum();
 * const optimizer = nadam({ learningRate: 0.1 });
 * let params = tensor(0);
 * let state = optimizer.init(params);
 * for (let i = 0; i < 200; i++) {
 *   ({ params, state } = optimizer.update(grad(loss)(params), state, params));
 * }
 * assertAlmostEquals(params.item(), 3, 1e-2);
 * ```
 */
export function nadam(options: NadamOptions): Optimizer {
  if (arguments.length > 1) refuseMore("nadam", "options", 1, arguments);
  const settings = readOptions("nadam", options, {
    ...REQUIRED,
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, momentumDecay: 4e-3 },
  });
  checkSettings("nadam", settings);
  const { learningRate, beta1, beta2, epsilon, weightDecay, momentumDecay } = settings;
  checkNumber("nadam", "momentumDecay", momentumDecay, { min: 0 });
  const momentum = (count: Tensor) =>
    mul(sub(1, mul(exp(mul(count, Math.log(0.96) * momentumDecay)), 0.5)), beta1);
  return makeOptimizer({
    name: "nadam",
    learningRate,
    adjust: decayedBy(weightDecay),
    moments: {
      ...adamMoments(settings),
      product: (all, _grad, { count }) => mul(all, momentum(count)),
    },
    start: { product: 1 },
    numbers: ["product"],
    step({ param, grad, moments: [first, second, product], rate, count }) {
      const [now, next] = [momentum(count), momentum(add(count, 1))];
      const root = add(div(safeSqrt(second!), sqrt(correction(beta2, count))), epsilon);
      const own = mul(grad, div(sub(1, now), sub(1, product!)));
      const ahead = mul(first!, div(next, sub(1, mul(product!, next))));
      return sub(param, mul(div(add(own, ahead), root), rate));
    },
  });
}

/**
 * LAMB: Adam whose step is scaled to the length of each parameter tensor, for large batches.
 *
 * With Adam's step `r = m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε) + weightDecay·p`,
 * `p ← p − learningRate · ‖p‖/‖r‖ · r`, the norms over a whole tensor; the quotient is 1 where one of
 * them is 0. The defaults are those of optax.
 *
 * Source: You et al. 2020, https://arxiv.org/abs/1904.00962, with the identity for φ.
 *
 * @param options Those of {@linkcode adam}, but `epsilon`, 1e-6 by default; `weightDecay`, 0 by
 * default.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moments `first` and
 * `second`.
 * @throws {TypeError} If an option is unknown or of the wrong kind; from `init` and `update`, if
 * parameters, gradients and state do not belong together.
 * @throws {RangeError} If a value is out of range.
 *
 * @example A step in proportion to the parameters
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { lamb } from "@cellgrad/cellgrad/optim";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const optimizer = lamb({ learningRate: 0.1 });
 * const params = { large: tensor([30, 40]), small: tensor([0.3, 0.4]) };
 * const { params: next } = optimizer.update(params, optimizer.init(params), params);
 * assertAllClose(next.large.sub(params.large).norm(), 5, { rtol: 1e-5 });
 * assertAllClose(next.small.sub(params.small).norm(), 0.05, { rtol: 1e-5 });
 * ```
 */
export function lamb(options: AdamWOptions): Optimizer {
  if (arguments.length > 1) refuseMore("lamb", "options", 1, arguments);
  const settings = readOptions("lamb", options, {
    ...REQUIRED,
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay: 0 },
  });
  checkSettings("lamb", settings);
  const { learningRate, beta1, beta2, epsilon, weightDecay } = settings;
  return makeOptimizer({
    name: "lamb",
    learningRate,
    moments: adamMoments(settings),
    step({ param, moments: [first, second], rate, count }) {
      const root = add(div(safeSqrt(second!), sqrt(correction(beta2, count))), epsilon);
      const adapted = div(div(first!, correction(beta1, count)), root);
      const move = add(adapted, mul(param, weightDecay));
      const [length, reach] = [norm(param), norm(move)];
      const isZero = logicalOr(equal(length, 0), equal(reach, 0));
      const trust = where(isZero, 1, div(length, where(isZero, 1, reach)));
      return sub(param, mul(move, mul(trust, rate)));
    },
  });
}

/**
 * Optimizers, gradient clipping and learning-rate schedules.
 *
 * An optimizer is a pair of pure functions. `init(params)` gives the state before the first step;
 * `update(grads, state, params)` gives `{ params, state }` after one. Parameters are tensors, or
 * arrays and plain objects of them; nothing is changed in place.
 *
 * @example Training
 * ```ts
 * import { type Tensor, tensor, valueAndGrad } from "@cellgrad/cellgrad";
 * import { adamw, clipByGlobalNorm, cosine, warmup } from "@cellgrad/cellgrad/optim";
 * import { assertLess } from "@std/assert";
 *
 * const [x, y] = [tensor([[1, 2], [3, 4], [5, 6]]), tensor([1, 2, 3])];
 * const loss = (p: { w: Tensor; b: Tensor }) => x.matmul(p.w).add(p.b).sub(y).square().mean();
 *
 * const learningRate = warmup(cosine(0.1, { steps: 190 }), { steps: 10 });
 * const optimizer = adamw({ learningRate, weightDecay: 1e-4 });
 * let params = { w: tensor([0, 0]), b: tensor(0) };
 * let state = optimizer.init(params);
 * for (let i = 0; i < 200; i++) {
 *   const [, grads] = valueAndGrad(loss)(params);
 *   ({ params, state } = optimizer.update(clipByGlobalNorm(grads, 1), state, params));
 * }
 * assertLess(loss(params).item(), 0.01);
 * ```
 *
 * @module
 */
export { adam, type AdamOptions, adamw, type AdamWOptions } from "./adam.ts";
export { lamb, lion, type LionOptions, nadam, type NadamOptions } from "./adam_kin.ts";
export {
  accumulateGradients,
  type AccumulateGradientsOptions,
  type MovingAverage,
  movingAverage,
  type MovingAverageOptions,
} from "./averages.ts";
export { byPath, masked } from "./by_path.ts";
export { clipByGlobalNorm, globalNorm } from "./clip.ts";
export {
  exponentialDecay,
  type ExponentialDecayOptions,
  joinSchedules,
  polynomialDecay,
  type PolynomialDecayOptions,
} from "./decay.ts";
export {
  type LearningRate,
  type Optimizer,
  type OptimizerState,
  type OptimizerUpdate,
} from "./optimizer.ts";
export {
  constant,
  cosine,
  type CosineOptions,
  type Schedule,
  step,
  type StepOptions,
  warmup,
  type WarmupOptions,
} from "./schedules.ts";
export { adagrad, type AdagradOptions, rmsprop, type RmspropOptions } from "./rmsprop.ts";
export { sgd, type SgdOptions } from "./sgd.ts";

/**
 * Gradient descent.
 *
 * @module
 */
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import { add, mul, sub } from "../ops/mod.ts";
import {
  checkLearningRate,
  decayedBy,
  type LearningRate,
  makeOptimizer,
  type Optimizer,
} from "./optimizer.ts";

/** Options of {@linkcode sgd}. */
export interface SgdOptions {
  /** How far to go: a number of at least 0, or a schedule. */
  learningRate: LearningRate;
  /** How much of the last direction is kept, in [0, 1); 0 by default. */
  momentum?: number | undefined;
  /** Whether to look ahead along the momentum; `false` by default. */
  nesterov?: boolean | undefined;
  /** What is added to the gradient for each unit of the parameter; 0 by default. */
  weightDecay?: number | undefined;
}

/**
 * Stochastic gradient descent, with momentum where wanted.
 *
 * `g ← g + weightDecay·p`, `b ← momentum·b + g`, `p ← p − learningRate·b`; with `nesterov` the last
 * is `p ← p − learningRate·(g + momentum·b)`. These are the rules of PyTorch's `SGD` without
 * dampening: the learning rate stands outside of the momentum, so a change of it acts at once.
 *
 * Source: Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html.
 *
 * @param options `learningRate`; `momentum`, 0 by default; `nesterov`, `false` by default;
 * `weightDecay`, 0 by default.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moment `momentum`,
 * or none where `momentum` is 0.
 * @throws {TypeError} If an option is unknown or of the wrong kind; from `init` and `update`, if
 * parameters, gradients and state do not belong together.
 * @throws {RangeError} If a value is out of range, or `nesterov` goes without momentum.
 *
 * @example Down a parabola
 * ```ts
 * import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { sgd } from "@cellgrad/cellgrad/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = (p: { x: Tensor }) => p.x.sub(3).square().sum();
 * const optimizer = sgd({ learningRate: 0.05, momentum: 0.5 });
 * let params = { x: tensor(0) };
 * let state = optimizer.init(params);
 * for (let i = 0; i < 100; i++) {
 *   ({ params, state } = optimizer.update(grad(loss)(params), state, params));
 * }
 * assertAlmostEquals(params.x.item(), 3, 1e-3);
 * ```
 */
export function sgd(options: SgdOptions): Optimizer {
  if (arguments.length > 1) refuseMore("sgd", "options", 1, arguments);
  const { learningRate, momentum, nesterov, weightDecay } = readOptions("sgd", options, {
    learningRate: undefined as unknown as LearningRate,
    momentum: 0,
    nesterov: false,
    weightDecay: 0,
  });
  checkLearningRate("sgd", learningRate);
  checkNumber("sgd", "momentum", momentum, { min: 0, below: 1 });
  checkNumber("sgd", "weightDecay", weightDecay, { min: 0 });
  checkBoolean("sgd", "nesterov", nesterov);
  if (nesterov && momentum === 0) {
    throw new RangeError(
      "Cannot compute sgd as nesterov needs a momentum above 0: current value is 0",
    );
  }
  return makeOptimizer({
    name: "sgd",
    learningRate,
    adjust: decayedBy(weightDecay),
    moments: momentum === 0 ? {} : { momentum: (b, grad) => add(mul(b, momentum), grad) },
    step({ param, grad, moments: [b], rate }) {
      if (b === undefined) return sub(param, mul(grad, rate));
      return sub(param, mul(nesterov ? add(grad, mul(b, momentum)) : b, rate));
    },
  });
}

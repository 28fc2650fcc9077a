/**
 * Averages over several updates: of gradients, and of parameters.
 *
 * @module
 */
import { zeros } from "../create.ts";
import { checkBoolean, checkNumber, checkObject, readOptions, refuseMore } from "../options.ts";
import { add, cast, div, equal, mod, mul, round, sub, where } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import { type LikeTree, type TensorTree, treeMap } from "../tree.ts";
import { correction } from "./adam.ts";
import { checkOptimizer } from "./by_path.ts";
import {
  checkMoment,
  fitGradient,
  mapTrees,
  type Optimizer,
  type OptimizerState,
} from "./optimizer.ts";

/** Options of {@linkcode accumulateGradients}. */
export interface AccumulateGradientsOptions {
  /** Over how many updates gradients are averaged, at least 1. */
  steps: number;
}

/** Where the gradients since the last move are added up. */
const SUM = "accumulated";

/**
 * An optimizer that moves only at every so many-th update, by the mean of the gradients since: as if
 * the batch were so many times larger.
 *
 * In between, parameters and moments stay as they are. Schedules count moves. As optax's
 * `MultiSteps`.
 *
 * @param optimizer What moves the parameters.
 * @param options `steps`.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moments of the optimizer
 * and `accumulated`; its step counts updates, of which `float32` holds 2²⁴.
 * @throws {TypeError} If `optimizer` is none or an option is unknown or no number.
 * @throws {RangeError} If `steps` is no whole number of at least 1.
 *
 * @example A step after two halves of a batch
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { accumulateGradients, sgd } from "@cellgrad/cellgrad/optim";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = accumulateGradients(sgd({ learningRate: 1 }), { steps: 2 });
 * const start = tensor([10]);
 * const first = optimizer.update([1], optimizer.init(start), start);
 * assertEquals(first.params.item(), 10);
 * assertEquals(optimizer.update([3], first.state, first.params).params.item(), 8);
 * ```
 */
export function accumulateGradients(
  optimizer: Optimizer,
  options: AccumulateGradientsOptions,
): Optimizer {
  const caller = "accumulateGradients";
  if (arguments.length > 2) refuseMore(caller, "options", 2, arguments);
  const { steps } = readOptions(caller, options, { steps: undefined as unknown as number });
  checkOptimizer(caller, "optimizer", optimizer);
  checkNumber(caller, "steps", steps, { integer: true, min: 1, max: 2 ** 20 });
  return {
    init<T>(params: T) {
      if (arguments.length > 1) refuseMore(caller, "params", 1, arguments);
      const sum = zerosLikeTree(caller, params) as TensorTree<T>;
      const { step, moments } = optimizer.init(params);
      if (Object.hasOwn(moments, SUM)) {
        throw new TypeError(
          `Cannot compute ${caller} as optimizer must not accumulate gradients itself: ` +
            `take the product of both steps`,
        );
      }
      return { step, moments: { ...moments, [SUM]: sum } };
    },
    update<T>(grads: unknown, state: OptimizerState<TensorTree<T>>, params: T) {
      if (arguments.length > 3) refuseMore(caller, "params", 3, arguments);
      checkObject(caller, "state", state);
      checkObject(caller, "state.moments", state.moments);
      const { [SUM]: sum, ...moments } = state.moments;
      if (sum === undefined) {
        throw new TypeError(
          `Cannot compute ${caller} as state.moments must have an entry ${SUM}: ` +
            `take the state that its init() returned`,
        );
      }
      const total = mapTrees(
        caller,
        ([p, s, g], place) => add(checkMoment(caller, s!, p!), fitGradient(caller, g!, p!, place)),
        { params, [`state.moments.${SUM}`]: sum, grads },
      );
      const { moves, isDue } = countMoves(state.step, steps);
      const average = treeMap((g) => div(g, steps), total) as LikeTree<TensorTree<T>>;
      const moved = optimizer.update<T>(average, { step: moves, moments }, params);
      const choose = <A>(yes: A, no: unknown) =>
        treeMap((a, b) => where(isDue, a, b), yes, no) as unknown as TensorTree<T>;
      const kept = Object.entries(moments).map(([name, tree]) =>
        [name, choose(moved.state.moments[name], tree)] as const
      );
      const rest = treeMap((s) => where(isDue, 0, s), total) as unknown as TensorTree<T>;
      return {
        params: choose(moved.params, params),
        state: {
          step: add(state.step, 1),
          moments: { ...Object.fromEntries(kept), [SUM]: rest },
        },
      };
    },
  };
}

function zerosLikeTree(caller: string, params: unknown): unknown {
  const zeroLike = ([x]: readonly Tensor[]) => zeros(x!.shape, { dtype: x!.dtype });
  return mapTrees(caller, zeroLike, { params });
}

/** How often an optimizer has moved before an update, and whether it does now. */
function countMoves(step: Tensor, steps: number): { moves: Tensor; isDue: Tensor } {
  const rest = mod(step, steps);
  // Rounded, as devices may divide with errors of some ulp.
  const moves = cast(round(div(cast(sub(step, rest), "float32"), steps)), "int32");
  return { moves, isDue: equal(rest, steps - 1) };
}

/** Options of {@linkcode movingAverage}. */
export interface MovingAverageOptions {
  /** How much of the average stays at each update, in [0, 1); 0.999 by default. */
  decay?: number | undefined;
  /** Whether the average is divided by what it has seen so far; `true` by default. */
  debias?: boolean | undefined;
}

/** An average that follows parameters: pure functions, as those of an {@linkcode Optimizer}. */
export interface MovingAverage {
  /** The state before the first update: zeros. */
  init<T>(params: T): OptimizerState<TensorTree<T>>;
  /** The average, and the state, after the parameters were seen once more. */
  update<T>(
    params: T,
    state: NoInfer<OptimizerState<TensorTree<T>>>,
  ): { average: TensorTree<T>; state: OptimizerState<TensorTree<T>> };
}

/**
 * An exponential moving average of parameters, which often predicts better than the last ones.
 *
 * `a ← decay·a + (1 − decay)·p`, from 0 on; with `debias` the result is `a / (1 − decayᵗ)` after t
 * updates, so that the first average is the first parameters. As optax's `ema`.
 *
 * @param options `decay`, 0.999 by default; `debias`, `true` by default.
 * @returns `{ init(params), update(params, state) }`; `update` gives `{ average, state }`.
 * @throws {TypeError} If an option is unknown or of the wrong kind; from `init` and `update`, if
 * parameters and state do not belong together.
 * @throws {RangeError} If `decay` is out of range.
 *
 * @example The mean of what was seen, the last counting most
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { movingAverage } from "@cellgrad/cellgrad/optim";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const follower = movingAverage({ decay: 0.5 });
 * const first = follower.update(tensor([3]), follower.init(tensor([3])));
 * assertAllClose(first.average, [3]);
 * assertAllClose(follower.update(tensor([6]), first.state).average, [5]);
 * ```
 */
export function movingAverage(options: MovingAverageOptions = {}): MovingAverage {
  const caller = "movingAverage";
  if (arguments.length > 1) refuseMore(caller, "options", 1, arguments);
  const { decay, debias } = readOptions(caller, options, { decay: 0.999, debias: true });
  checkNumber(caller, "decay", decay, { min: 0, below: 1 });
  checkBoolean(caller, "debias", debias);
  return {
    init<T>(params: T) {
      if (arguments.length > 1) refuseMore(caller, "params", 1, arguments);
      const average = zerosLikeTree(caller, params) as TensorTree<T>;
      return { step: zeros([], { dtype: "int32" }), moments: { average } };
    },
    update<T>(params: T, state: OptimizerState<TensorTree<T>>) {
      if (arguments.length > 2) refuseMore(caller, "state", 2, arguments);
      checkObject(caller, "state", state);
      checkObject(caller, "state.moments", state.moments);
      const follow = ([p, a]: readonly Tensor[]) =>
        add(mul(checkMoment(caller, a!, p!), decay), mul(p!, 1 - decay));
      const trees = { params, "state.moments.average": state.moments.average };
      const followed = mapTrees(caller, follow, trees) as TensorTree<T>;
      const step = add(state.step, 1);
      const result = debias
        ? treeMap((a) => div(a, correction(decay, cast(step, a.dtype))), followed)
        : followed;
      return {
        average: result as TensorTree<T>,
        state: { step, moments: { average: followed } },
      };
    },
  };
}

/**
 * Training on many ranks: each has all parameters and a share of the data.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { fromData, Tensor } from "../tensor.ts";
import { checkFunction, checkNumber, checkObject, readOptions } from "../options.ts";
import type { Optimizer, OptimizerState, OptimizerUpdate } from "../optim/mod.ts";
import { checkKey } from "../random/ops.ts";
import { foldIn } from "../random.ts";
import type { LikeTree, TensorTree } from "../tree.ts";
import { checkCommunicator, type Communicator } from "./communicator.ts";
import { parallelValueAndGrad } from "./gradient.ts";
import { checkIdentical } from "./identical.ts";

const CALLER = "dataParallel";

/** Options of {@linkcode dataParallel}. */
export interface DataParallelOptions<S> {
  /** What turns gradients into new parameters. */
  optimizer: Optimizer;
  /** After every how many steps the ranks' states are compared; 100 by default, 0 for never. */
  checkEvery?: number | undefined;
  /** How much a rank's share counts; by default its number of rows. */
  weight?: ((share: S) => number) | undefined;
}

/** All that training goes on from: the same on every rank, bit for bit. */
export interface TrainingState<T> {
  /** The parameters. */
  params: T;
  /** What the optimizer remembers. */
  optimizer: OptimizerState<T>;
  /** How many steps were made: an `int32` tensor of shape `[]`. */
  step: Tensor;
  /** The random key of the whole training. */
  key: Tensor;
}

/** Training on many ranks, as {@linkcode dataParallel} makes it. */
export interface DataParallel<T, S> {
  /** The state before the first step; parameters and key are those of rank 0. */
  start(params: LikeTree<T>, key: Tensor): TrainingState<TensorTree<T>>;
  /** One step on this rank's share: the new state, and the loss over the shares of all ranks. */
  step(
    state: TrainingState<TensorTree<T>>,
    share: S,
  ): { state: TrainingState<TensorTree<T>>; value: Tensor };
}

/**
 * Trains on many ranks: each computes loss and gradient of its share of the data, one all-reduce
 * makes of them those of all data (see {@linkcode parallelValueAndGrad}), and every rank makes the
 * same update. Nothing is overlapped or delayed.
 *
 * All ranks start with the parameters of rank 0, and stay the same bit for bit, which is checked.
 * `step` gets a random key of its own for each training step and rank, made by folding both into the
 * training's key.
 *
 * @param step The loss of a share: a function of the parameters, the share and a random key.
 * @param comm The ranks.
 * @param options `optimizer`; `checkEvery`, 100 by default; `weight`, the share's number of rows by
 * default.
 * @returns `{ start(params, key), step(state, share) }`.
 * @throws {TypeError} If an option is unknown or missing.
 * @throws {RangeError} If `checkEvery` is no whole number of at least 0.
 * @throws {Error} From `step`, if the ranks' states differ, naming tensor and rank.
 *
 * @example Fitting a mean, alone or on many ranks
 * ```ts
 * import { type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { dataParallel, shardRows, singleProcess } from "@cellgrad/cellgrad/mpi";
 * import { sgd } from "@cellgrad/cellgrad/optim";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using comm = singleProcess();
 * const loss = (p: Tensor, share: Tensor) => share.sub(p).square().mean();
 * const training = dataParallel(loss, comm, { optimizer: sgd({ learningRate: 0.25 }) });
 * const share = shardRows(tensor([1, 2, 6]), comm);
 * let state = training.start(tensor(0), key(0));
 * for (let i = 0; i < 30; i++) ({ state } = training.step(state, share));
 * assertAlmostEquals(state.params.item(), 3, 1e-5);
 * ```
 */
export function dataParallel<T, S>(
  step: (params: T, share: S, key: Tensor) => Tensor,
  comm: Communicator,
  options: DataParallelOptions<S>,
): DataParallel<T, S> {
  const { optimizer, checkEvery, weight } = readOptions(CALLER, options, {
    optimizer: undefined as unknown as Optimizer,
    checkEvery: 100,
    weight: undefined,
  });
  checkFunction(CALLER, "step", step);
  checkCommunicator(CALLER, comm);
  if (typeof optimizer?.init !== "function" || typeof optimizer.update !== "function") {
    throw new TypeError(
      `Cannot compute ${CALLER} as optimizer must be one, such as adam({ learningRate: 1e-3 }): ` +
        `current value is ${describe(optimizer)}`,
    );
  }
  checkNumber(CALLER, "checkEvery", checkEvery, { integer: true, min: 0 });
  const gradient = parallelValueAndGrad(step, comm, { weight });
  return {
    start(params, key) {
      checkKey(CALLER, key);
      const shared = comm.broadcast({ params, key });
      const own = shared.params as TensorTree<T>;
      const optimizerState = optimizer.init(own) as OptimizerState<TensorTree<T>>;
      return { params: own, optimizer: optimizerState, step: countOf(0), key: shared.key };
    },
    step(state, share) {
      checkState(state);
      const key = foldIn(foldIn(state.key, state.step), comm.rank);
      const [value, gradients] = gradient(state.params as LikeTree<T>, share, key);
      const { params, state: optimizerState } = optimizer.update(
        gradients as never,
        state.optimizer as never,
        state.params,
      ) as OptimizerUpdate<TensorTree<T>>;
      const made = state.step.item() + 1;
      const next = { params, optimizer: optimizerState, step: countOf(made), key: state.key };
      if (checkEvery > 0 && made % checkEvery === 0) checkIdentical(next, comm);
      return { state: next, value };
    },
  };
}

/** Throws a `TypeError` unless a state is one that `start` or `step` returned. */
function checkState(state: TrainingState<unknown>): void {
  checkObject(CALLER, "state", state);
  const counts = state.step instanceof Tensor && state.step.dtype === "int32" &&
    state.step.rank === 0;
  if (counts && state.params !== undefined && state.optimizer !== undefined) {
    return checkKey(CALLER, state.key);
  }
  throw new TypeError(
    `Cannot compute ${CALLER} as state must come from start or step, with params, optimizer, step and ` +
      `key: current value has ${Object.keys(state).join(", ") || "none of them"}`,
  );
}

function countOf(steps: number): Tensor {
  return fromData(Int32Array.of(steps), []);
}

/**
 * Values and gradients over the data of all ranks.
 *
 * @module
 */
import { full } from "../create.ts";
import { checkFunction, checkNumber, readOptions } from "../options.ts";
import { div, mul } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import { valueAndGrad } from "../transforms/grad.ts";
import { type LikeTree, type TensorTree, treeMap } from "../tree.ts";
import { checkCommunicator, type Communicator } from "./communicator.ts";
import { rowsOf } from "./shard.ts";

const caller = "parallelValueAndGrad";

/** Options of {@linkcode parallelValueAndGrad}. */
export interface ParallelGradientOptions<S> {
  /**
   * How much a rank's share counts, at least 0; by default its number of rows, so that means over
   * shares become the mean over all cells. For a mean over masked entries: how many there are.
   */
  weight?: ((share: S) => number) | undefined;
}

/**
 * The value of a loss and its gradient over the data of all ranks, each of which has a share.
 *
 * With the loss Lᵣ of rank r's share and its weight wᵣ, the value is `Σ wᵣLᵣ / Σ wᵣ`: for means over
 * shares of different sizes, the mean over all cells. The gradient is that of this value, exactly,
 * also where the losses of ranks depend on one another's data through
 * {@linkcode Communicator.allGather}. A loss that is the same on all ranks counts once.
 * Value, gradient and weight travel in one all-reduce, after the backward pass.
 *
 * @param loss The loss of a share: a function of the parameters, the share, and anything else.
 * @param comm The ranks.
 * @param options `weight`, a function of the share; its number of rows by default.
 * @returns A function of the same arguments that returns `[value, gradient]`, the same on all ranks.
 * Alone, it is `valueAndGrad`.
 * @throws {TypeError} When called, if the tensors of the share differ in their numbers of rows and
 * there is no `weight`.
 * @throws {RangeError} When called, if a weight is negative or not finite, or all are 0, or if the
 * share has no rows and there is no `weight`.
 *
 * @example A mean over all cells
 * ```ts
 * import { type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { parallelValueAndGrad, shardRows, singleProcess } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * await using comm = singleProcess();
 * const cells = shardRows(tensor([1, 2, 6]), comm);
 * const loss = (p: Tensor, share: Tensor) => share.mul(p).mean();
 * const [value, gradient] = parallelValueAndGrad(loss, comm)(tensor(2), cells);
 * assertEquals([value.item(), gradient.item()], [6, 3]);
 * ```
 */
export function parallelValueAndGrad<T, S, R extends unknown[]>(
  loss: (params: T, share: S, ...rest: R) => Tensor,
  comm: Communicator,
  options: ParallelGradientOptions<S> = {},
): (params: LikeTree<T>, share: S, ...rest: R) => [Tensor, TensorTree<T>] {
  const { weight } = readOptions(caller, options, { weight: undefined });
  checkFunction(caller, "loss", loss);
  checkCommunicator(caller, comm);
  if (weight !== undefined) checkFunction(caller, "weight", weight);
  return (params, share, ...rest) => {
    const own = weight === undefined ? countRows(share) : weight(share);
    checkNumber(caller, "weight", own, { min: 0 });
    const alone = comm.size === 1;
    const weighted = (p: T) => alone ? loss(p, share, ...rest) : mul(loss(p, share, ...rest), own);
    const [value, gradient] = valueAndGrad(weighted)(params) as [Tensor, TensorTree<T>];
    if (alone) return [value, gradient];
    const sums = comm.allReduce({ value, gradient, weight: full([], own, { dtype: value.dtype }) });
    const total = sums.weight.item();
    checkNumber(caller, "the sum of all weights", total, { above: 0 });
    return [
      div(sums.value, total),
      treeMap((g) => div(g, total), sums.gradient) as TensorTree<T>,
    ];
  };
}

/** The rows of a share: at least one, as the mean over none is no number. */
function countRows(share: unknown): number {
  const rows = rowsOf(caller, "the share", share);
  if (rows > 0) return rows;
  throw new RangeError(
    `Cannot compute ${caller} as every rank needs at least one row: its share has none; ` +
      `use fewer ranks, or larger batches`,
  );
}

/**
 * Training on many machines over MPI, which clusters have: Open MPI, or MPICH and its relatives.
 *
 * Every process (rank) runs the same script on its share of the data. {@linkcode dataParallel}
 * makes one training of them; {@linkcode Communicator.allGather} and
 * {@linkcode Communicator.allReduce} are operations with gradients, so that losses that compare all
 * pairs of cells are exact over the cells of all ranks. Only this entry point needs `--allow-ffi`,
 * and nothing needs MPI where {@linkcode singleProcess} takes its place.
 *
 * @example A loss over the cells of all ranks
 * ```ts
 * import { mmdLoss, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { parallelValueAndGrad, shardRows, singleProcess } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * await using comm = singleProcess(); // or: await openMpi()
 * const all = { cells: tensor([[0, 1], [1, 0], [4, 1]]), batch: tensor([0, 0, 1]).cast("int32") };
 * const own = shardRows(all, comm);
 * const loss = (scale: Tensor, share: typeof own) =>
 *   mmdLoss(comm.allGather(share.cells.mul(scale)), comm.allGather(share.batch));
 * const [value, gradient] = parallelValueAndGrad(loss, comm)(tensor(1), own);
 * assertEquals(value.item(), gradient.item());
 * ```
 *
 * @module
 */
export { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
export type { AwaitUsingDisposable } from "../disposal.ts";
export {
  type AllReduceOptions,
  type BroadcastOptions,
  Communicator,
  singleProcess,
} from "./communicator.ts";
export {
  type DataParallel,
  dataParallel,
  type DataParallelOptions,
  type TrainingState,
} from "./data_parallel.ts";
export { type ParallelGradientOptions, parallelValueAndGrad } from "./gradient.ts";
export { checkIdentical } from "./identical.ts";
export { openMpi, type OpenMpiOptions } from "./open.ts";
export { type Ranked, type RowRange, shardRange, shardRows } from "./shard.ts";
export type { NumberArray, Reduction, Transport } from "./transport.ts";

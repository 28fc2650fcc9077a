/** The objective of the integration over the mini-batch of all ranks. */
import type { Tensor } from "@cellgrad/cellgrad";
import { scgptObjective } from "@cellgrad/cellgrad/losses";
import type { Communicator } from "@cellgrad/cellgrad/mpi";
import { mixingLoss, type ObjectiveSettings } from "../integrate/variants.ts";
import { type CellBatch, forward, type Model } from "./model.ts";

export type Mixing = "dab" | "batchMixing" | "mmd";

/**
 * scGPT's objective of a rank's share of a mini-batch. What compares cells with each other (ECS,
 * MMD, batch mixing), and the discriminator's loss, are of the gathered cells of all ranks: the
 * same on every rank, and so counted once. What is left are means over the share's hidden values,
 * so shares are to be weighted by {@linkcode countHidden}.
 */
export function gatheredObjective(
  comm: Communicator,
  mixing: Mixing,
  { ecsThreshold, ecsWeight, dabWeight, reversal }: ObjectiveSettings,
): (model: Model, share: CellBatch) => Tensor {
  return (model, share) => {
    const { dabLogits, ...outputs } = forward(model, share, reversal);
    const cellEmbeddings = comm.allGather(outputs.cellEmbeddings);
    const batchLabels = comm.allGather(share.batchLabels);
    const dab = mixing === "dab";
    const { total } = scgptObjective(
      { ...outputs, cellEmbeddings, dabLogits: dab ? comm.allGather(dabLogits!) : undefined },
      { values: share.values, mask: share.mask, batchLabels: dab ? batchLabels : undefined },
      { ecsThreshold, ecsWeight, dabWeight },
    );
    const mixed = mixingLoss(mixing, cellEmbeddings, batchLabels, model.batches.shape[0]!);
    return mixed === undefined ? total : total.add(mixed.mul(dabWeight));
  };
}

/** How many values of a share are hidden: how much its means count. */
export function countHidden({ mask }: CellBatch): number {
  return mask.cast("int32").sum().item();
}

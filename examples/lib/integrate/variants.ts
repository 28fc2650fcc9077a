/** The objective, whole and with one thing changed at a time. */
import { batchMixingLoss, mmdLoss, type Tensor, type TensorLike } from "@cellgrad/cellgrad";
import { scgptObjective } from "@cellgrad/cellgrad/losses";
import type { LossParts } from "../training/mod.ts";
import { type CellBatch, forward, type Model } from "./model.ts";

/** The weights and thresholds of the terms. */
export interface ObjectiveSettings {
  /** The similarity from which ECS pushes cells apart. */
  ecsThreshold: number;
  ecsWeight: number;
  /** The weight of DAB, or of what stands in its place. */
  dabWeight: number;
  /** The factor of the reversed gradient. */
  reversal: number;
}

/** What is changed in the objective or the sampling. */
export interface Variant {
  name: string;
  /** What is changed, for readers. */
  title: string;
  /** Whether the decoder from the genes' tokens learns; `true` by default. */
  mlm?: boolean;
  /** Whether the decoder from the embedding learns; `true` by default. */
  mvc?: boolean;
  /** Whether the decoders also predict what is expressed at all; `true` by default. */
  zero?: boolean;
  /** Whether cells are pushed apart; `true` by default. */
  ecs?: boolean;
  /** What mixes the batches; `"dab"` by default. */
  mixing?: "dab" | "batchMixing" | "mmd" | "nothing";
  /** The factor of the reversed gradient, in place of the setting. */
  reversal?: number;
  /** Whether each mini-batch holds cells of one batch only, as in scGPT; `true` by default. */
  perBatch?: boolean;
}

/** All terms. */
export const FULL: Variant = { name: "full", title: "all terms" };

/**
 * One thing changed at a time. What stands in place of DAB compares the batches of a mini-batch, so
 * these need to be mixed; DAB with mixed ones is there to compare with.
 */
export const ABLATIONS: readonly Variant[] = [
  { name: "no_mlm", title: "without MLM", mlm: false },
  { name: "no_mvc", title: "without MVC", mvc: false },
  { name: "no_zero", title: "without zero or not", zero: false },
  { name: "no_ecs", title: "without ECS", ecs: false },
  { name: "no_dab", title: "without DAB", mixing: "nothing" },
  { name: "full_reversal", title: "DAB reversed in full", reversal: 1 },
  { name: "mixed", title: "DAB, mixed", perBatch: false },
  { name: "mixed_no_dab", title: "without DAB, mixed", mixing: "nothing", perBatch: false },
  { name: "batch_mixing", title: "batchMixingLoss, mixed", mixing: "batchMixing", perBatch: false },
  { name: "mmd", title: "mmdLoss, mixed", mixing: "mmd", perBatch: false },
];

/** Squared distances between embeddings of length 1 are at most 4: this tells near from far. */
const TEMPERATURE = 0.1;

/** Widths of the kernels, for distances between 0 and 2. */
const BANDWIDTHS = [0.25, 0.5, 1];

/** The loss of a variant: scGPT's objective, and what stands in place of DAB. */
export function objectiveOf(
  variant: Variant,
  settings: ObjectiveSettings,
  batches: number,
): (model: Model, cells: CellBatch) => LossParts {
  const { mlm = true, mvc = true, zero = true, ecs = true, mixing = "dab" } = variant;
  const { ecsThreshold, ecsWeight, dabWeight, reversal } = settings;
  return (model, cells) => {
    const { outputs: all, kept } = forward(model, cells, variant.reversal ?? reversal);
    const { dabLogits, ...outputs } = all;
    const { values, mask, batchLabels } = cells;
    const { total, parts } = scgptObjective(
      mixing === "dab" ? { ...outputs, dabLogits } : outputs,
      mixing === "dab" ? { values, mask, batchLabels } : { values, mask },
      {
        gepc: mvc,
        explicitZeroProb: zero,
        ecsThreshold: ecs ? ecsThreshold : 0,
        ecsWeight,
        dabWeight,
      },
    );
    const { mse, zeroLogProb, ...others } = parts;
    const own = mlm ? { mse, zeroLogProb } : {};
    const hidden = mlm ? total : [mse, zeroLogProb].reduce<Tensor>(
      (sum, part) => part === undefined ? sum : sum.sub(part),
      total,
    );
    const extra = mixingLoss(mixing, outputs.cellEmbeddings, batchLabels, batches);
    return {
      total: extra === undefined ? hidden : hidden.add(extra.mul(dabWeight)),
      parts: { ...own, ...others, ...(extra === undefined ? {} : { [mixing]: extra }) },
      kept,
    };
  };
}

/** What mixes batches in place of DAB, on embeddings of length 1. */
export function mixingLoss(
  mixing: Variant["mixing"],
  embeddings: Tensor,
  labels: TensorLike,
  nBatches: number,
): Tensor | undefined {
  const cells = embeddings.l2Normalize();
  if (mixing === "batchMixing") {
    return batchMixingLoss(cells, labels, { nBatches, temperature: TEMPERATURE });
  }
  if (mixing === "mmd") {
    return mmdLoss(cells, labels, { nBatches, kernel: "rbf", bandwidths: BANDWIDTHS });
  }
  return undefined;
}

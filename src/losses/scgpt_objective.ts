/**
 * The training objective of scGPT.
 *
 * @module
 */
import type { Tensor, TensorLike } from "../tensor.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import { elasticCellSimilarityLoss } from "./elastic_cell_similarity.ts";
import { maskedMseLoss } from "./masked_mse.ts";
import { negLogBernoulliLoss } from "./neg_log_bernoulli.ts";
import {
  checkSwitches,
  checkWeights,
  type Objective,
  ObjectiveFields,
  weightedTotal,
} from "./objective.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";

/** What the model put out, for B cells and G genes. */
export interface ScgptOutputs {
  /** (B, G): expression, predicted from the genes (masked language modelling). */
  mlmOutput: TensorLike;
  /** (B, G): the probability that a gene is expressed, despite its name in scGPT. */
  mlmZeroProbs?: TensorLike | undefined;
  /** (B, G): expression, predicted from the cell embedding (GEPC). */
  mvcOutput?: TensorLike | undefined;
  /** (B, G): the probability that a gene is expressed, from the cell embedding. */
  mvcZeroProbs?: TensorLike | undefined;
  /** (B, d): the embeddings of the cells. */
  cellEmbeddings?: TensorLike | undefined;
  /** (B, K): the discriminator's logits of the batches, with the gradient reversed before it. */
  dabLogits?: TensorLike | undefined;
}

/** What the outputs of {@linkcode scgptObjective} are compared with. */
export interface ScgptTargets {
  /** (B, G): true expression; above 0 is expressed. */
  values: TensorLike;
  /** (B, G): which values were hidden from the model. */
  mask: TensorLike;
  /** (B), whole numbers in [0, K): the batch of each cell. */
  batchLabels?: TensorLike | undefined;
}

/** Options of {@linkcode scgptObjective}. */
export interface ScgptOptions {
  /** Whether expression is also predicted from the cell embedding; `true` by default. */
  gepc?: boolean | undefined;
  /** Whether it is also predicted whether genes are expressed at all; `true` by default. */
  explicitZeroProb?: boolean | undefined;
  /** The threshold of elastic cell similarity, in [0, 1]; 0.8 by default, 0 leaves it out. */
  ecsThreshold?: number | undefined;
  /** The weight of elastic cell similarity, at least 0; 10 by default. */
  ecsWeight?: number | undefined;
  /** The weight of the adversarial term, at least 0; 1 by default. */
  dabWeight?: number | undefined;
  /** Whether to look that probabilities are some; `true` by default. */
  check?: boolean | undefined;
}

/** The names of the parts of {@linkcode scgptObjective}. */
export type ScgptPart = "mse" | "zeroLogProb" | "gepc" | "gepcZeroLogProb" | "ecs" | "dab";

/**
 * The objective with which scGPT is fine-tuned to integrate batches. Lower is better.
 *
 * `mse + zeroLogProb + gepc + gepcZeroLogProb + ecsWeight · ecs + dabWeight · dab`
 *
 * | part | loss | in use where |
 * | --- | --- | --- |
 * | `mse` | {@linkcode maskedMseLoss} of `mlmOutput` | always |
 * | `zeroLogProb` | {@linkcode negLogBernoulliLoss} of `mlmZeroProbs` | `explicitZeroProb` |
 * | `gepc` | {@linkcode maskedMseLoss} of `mvcOutput` | `gepc` |
 * | `gepcZeroLogProb` | {@linkcode negLogBernoulliLoss} of `mvcZeroProbs` | both |
 * | `ecs` | {@linkcode elasticCellSimilarityLoss} | `ecsThreshold` above 0 |
 * | `dab` | {@linkcode crossEntropyLoss} of `dabLogits` | `dabLogits` and `batchLabels` given |
 *
 * The gradient reversal belongs into the model, before its discriminator
 * ({@linkcode gradientReversal}); {@linkcode domainAdversarialLoss} has both.
 *
 * Despite the name, `mlmZeroProbs` and `mvcZeroProbs` are the probabilities that a value is **not**
 * zero, as in the original. The factor 10 of the elastic term is in its code, and missing from notes
 * on it. There the adversarial term is always in use; here data without batches give neither logits
 * nor labels.
 *
 * Source: scGPT `examples/finetune_integration.py` (Cui et al. 2024,
 * https://doi.org/10.1038/s41592-024-02201-0).
 *
 * @param outputs The model's outputs.
 * @param targets The true values, the mask, and the batches.
 * @param options `gepc`, `true` by default; `explicitZeroProb`, `true`; `ecsThreshold`, 0.8;
 * `ecsWeight`, 10; `dabWeight`, 1; `check`, `true`.
 * @returns `{ total, parts }`: the weighted sum, and the losses in use, before their weights.
 * @throws {TypeError} If an output or target that a part needs is missing, shapes do not fit, or an
 * output, target or option does not exist.
 * @throws {RangeError} If an option, a label or a mask is out of range, or a probability by more than
 * 1e-3, unless `check` is `false`.
 *
 * @example Prediction from the genes and from the cell
 * ```ts
 * import { scgptObjective } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const { total, parts } = scgptObjective(
 *   { mlmOutput: [[1, 2]], mvcOutput: [[3, 9]] },
 *   { values: [[2, 0]], mask: [[1, 0]] },
 *   { explicitZeroProb: false, ecsThreshold: 0 },
 * );
 * assertEquals([parts.mse?.item(), parts.gepc?.item(), total.item()], [1, 1, 2]);
 * ```
 */
export function scgptObjective(
  outputs: ScgptOutputs,
  targets: ScgptTargets,
  options: ScgptOptions = {},
): Objective<ScgptPart> {
  if (arguments.length > 3) refuseMore("scgptObjective", "options", 3, arguments);
  const caller = "scgptObjective";
  const settled = readOptions(caller, options, DEFAULTS);
  const { gepc, explicitZeroProb, ecsThreshold, ecsWeight, dabWeight, check } = settled;
  checkNumber(caller, "ecsThreshold", ecsThreshold, { min: 0, max: 1 });
  checkWeights(caller, { ecsWeight, dabWeight });
  checkSwitches(caller, { gepc, explicitZeroProb, check });
  const fields = new ObjectiveFields(caller, { outputs, targets }, FIELDS);

  const bernoulli = (probs: TensorLike, target: TensorLike, mask: TensorLike) =>
    negLogBernoulliLoss(probs, target, mask, { check });
  const parts: { [P in ScgptPart]?: Tensor } = {
    mse: fields.masked(maskedMseLoss, "outputs.mlmOutput"),
  };
  if (explicitZeroProb) {
    const remedy = "give it, or set explicitZeroProb to false";
    parts.zeroLogProb = fields.masked(bernoulli, "outputs.mlmZeroProbs", remedy);
  }
  if (gepc) {
    const remedy = "give it, or set gepc to false";
    parts.gepc = fields.masked(maskedMseLoss, "outputs.mvcOutput", remedy);
  }
  if (gepc && explicitZeroProb) {
    const remedy = "give it, or set gepc or explicitZeroProb to false";
    parts.gepcZeroLogProb = fields.masked(bernoulli, "outputs.mvcZeroProbs", remedy);
  }
  if (ecsThreshold > 0) {
    const cells = fields.need("outputs.cellEmbeddings", "give it, or set ecsThreshold to 0");
    parts.ecs = elasticCellSimilarityLoss(cells, { threshold: ecsThreshold });
  }
  if (outputs.dabLogits !== undefined || targets.batchLabels !== undefined) {
    const remedy = "give both outputs.dabLogits and targets.batchLabels, or neither";
    parts.dab = crossEntropyLoss(
      fields.need("outputs.dabLogits", remedy),
      fields.need("targets.batchLabels", remedy),
    );
  }
  return weightedTotal(parts, { ecs: ecsWeight, dab: dabWeight });
}

const DEFAULTS = {
  gepc: true,
  explicitZeroProb: true,
  ecsThreshold: 0.8,
  ecsWeight: 10,
  dabWeight: 1,
  check: true,
};

const FIELDS = {
  outputs: [
    "mlmOutput",
    "mlmZeroProbs",
    "mvcOutput",
    "mvcZeroProbs",
    "cellEmbeddings",
    "dabLogits",
  ],
  targets: ["values", "mask", "batchLabels"],
};

/**
 * The training objective of scFormer.
 *
 * @module
 */
import type { Tensor, TensorLike } from "../tensor.ts";
import { contrastiveCellEmbeddingLoss } from "./contrastive_cell_embedding.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import { elasticCellSimilarityLoss } from "./elastic_cell_similarity.ts";
import { maskedMseLoss } from "./masked_mse.ts";
import {
  checkSwitches,
  checkWeights,
  type Objective,
  ObjectiveFields,
  weightedTotal,
} from "./objective.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";

/** What the model put out, for B cells and G genes. */
export interface ScformerOutputs {
  /** (B, G): expression, predicted from the genes (masked language modelling). */
  mlmOutput: TensorLike;
  /** (B, C): logits of the cell types. */
  clsLogits?: TensorLike | undefined;
  /** (B, G): expression, predicted from the cell embedding. */
  mvcOutput?: TensorLike | undefined;
  /** (B, d): the embeddings of the cells. */
  cellEmbeddings?: TensorLike | undefined;
  /** (B, d): their embeddings from a second pass, with other dropout. */
  cellEmbeddings2?: TensorLike | undefined;
}

/** What the outputs of {@linkcode scformerObjective} are compared with. */
export interface ScformerTargets {
  /** (B, G): true expression. */
  values: TensorLike;
  /** (B, G): which values count; all of them in the original. */
  mask: TensorLike;
  /** (B), whole numbers in [0, C): the type of each cell. */
  clsLabels?: TensorLike | undefined;
}

/** Options of {@linkcode scformerObjective}. */
export interface ScformerOptions {
  /** Whether cell types are classified; `false` by default. */
  cls?: boolean | undefined;
  /** Whether two embeddings of each cell are contrasted; `false` by default. */
  cce?: boolean | undefined;
  /** Whether expression is also predicted from the cell embedding; `false` by default. */
  mvc?: boolean | undefined;
  /** Whether elastic cell similarity is used; `false` by default. */
  ecs?: boolean | undefined;
  /** The weight of the contrast, at least 0; 10 by default. */
  cceWeight?: number | undefined;
  /** The weight of elastic cell similarity, at least 0; 10 by default. */
  ecsWeight?: number | undefined;
  /** The threshold of elastic cell similarity, in [0, 1]; 0.85 by default. */
  ecsThreshold?: number | undefined;
  /** The temperature of the contrast, above 0; 0.5 by default. */
  temperature?: number | undefined;
}

/** The names of the parts of {@linkcode scformerObjective}. */
export type ScformerPart = "mse" | "cls" | "cce" | "mvc" | "ecs";

/**
 * The objective with which scFormer is trained to predict perturbations. Lower is better.
 *
 * `mse + cls + cceWeight · cce + mvc + ecsWeight · ecs`
 *
 * | part | loss | in use where |
 * | --- | --- | --- |
 * | `mse` | {@linkcode maskedMseLoss} of `mlmOutput` | always |
 * | `cls` | {@linkcode crossEntropyLoss} of `clsLogits` | `cls` |
 * | `cce` | {@linkcode contrastiveCellEmbeddingLoss} of both embeddings | `cce` |
 * | `mvc` | {@linkcode maskedMseLoss} of `mvcOutput` | `mvc` |
 * | `ecs` | {@linkcode elasticCellSimilarityLoss} of `cellEmbeddings` | `ecs` |
 *
 * All parts but the first are off by default, as in the original. There the mask is all ones; its
 * decoder for `mvcOutput` keeps gradients from the gene embeddings (`"inner product, detach"`). The
 * weights of 10 are numbers without a name in its code.
 *
 * Source: scFormer `examples/perturbation/dev_perturb.py` (Cui et al. 2022,
 * https://doi.org/10.1101/2022.11.20.517285).
 *
 * @param outputs The model's outputs.
 * @param targets The true values, the mask, and the cell types.
 * @param options `cls`, `cce`, `mvc` and `ecs`, all `false` by default; `cceWeight`, 10; `ecsWeight`,
 * 10; `ecsThreshold`, 0.85; `temperature`, 0.5.
 * @returns `{ total, parts }`: the weighted sum, and the losses in use, before their weights.
 * @throws {TypeError} If an output or target that a part needs is missing, shapes do not fit, or an
 * output, target or option does not exist.
 * @throws {RangeError} If an option, a label or a mask is out of range.
 *
 * @example Expression and cell types
 * ```ts
 * import { scformerObjective } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const { total, parts } = scformerObjective(
 *   { mlmOutput: [[1, 2]], clsLogits: [[0, 0]] },
 *   { values: [[2, 3]], mask: [[1, 1]], clsLabels: [1] },
 *   { cls: true },
 * );
 * assertAlmostEquals(parts.cls!.item(), Math.LN2, 1e-6);
 * assertAlmostEquals(total.item(), 1 + Math.LN2, 1e-6);
 * ```
 */
export function scformerObjective(
  outputs: ScformerOutputs,
  targets: ScformerTargets,
  options: ScformerOptions = {},
): Objective<ScformerPart> {
  if (arguments.length > 3) refuseMore("scformerObjective", "options", 3, arguments);
  const caller = "scformerObjective";
  const settled = readOptions(caller, options, DEFAULTS);
  const { cls, cce, mvc, ecs, cceWeight, ecsWeight, ecsThreshold, temperature } = settled;
  checkWeights(caller, { cceWeight, ecsWeight });
  checkSwitches(caller, { cls, cce, mvc, ecs });
  checkNumber(caller, "ecsThreshold", ecsThreshold, { min: 0, max: 1 });
  checkNumber(caller, "temperature", temperature, { above: 0 });
  const fields = new ObjectiveFields(caller, { outputs, targets }, FIELDS);
  const need = (field: string, option: string) =>
    fields.need(field, `give it, or set ${option} to false`);

  const parts: { [P in ScformerPart]?: Tensor } = {
    mse: fields.masked(maskedMseLoss, "outputs.mlmOutput"),
  };
  if (cls) {
    const labels = need("targets.clsLabels", "cls");
    parts.cls = crossEntropyLoss(need("outputs.clsLogits", "cls"), labels);
  }
  if (cce) {
    parts.cce = contrastiveCellEmbeddingLoss(
      need("outputs.cellEmbeddings", "cce"),
      need("outputs.cellEmbeddings2", "cce"),
      { temperature },
    );
  }
  if (mvc) {
    const remedy = "give it, or set mvc to false";
    parts.mvc = fields.masked(maskedMseLoss, "outputs.mvcOutput", remedy);
  }
  if (ecs) {
    const cells = need("outputs.cellEmbeddings", "ecs");
    parts.ecs = elasticCellSimilarityLoss(cells, { threshold: ecsThreshold });
  }
  return weightedTotal(parts, { cce: cceWeight, ecs: ecsWeight });
}

const DEFAULTS = {
  cls: false,
  cce: false,
  mvc: false,
  ecs: false,
  cceWeight: 10,
  ecsWeight: 10,
  ecsThreshold: 0.85,
  temperature: 0.5,
};

const FIELDS = {
  outputs: ["mlmOutput", "clsLogits", "mvcOutput", "cellEmbeddings", "cellEmbeddings2"],
  targets: ["values", "mask", "clsLabels"],
};

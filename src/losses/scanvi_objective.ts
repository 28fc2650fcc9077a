/**
 * The training objective of scANVI.
 *
 * @module
 */
import type { Tensor } from "../tensor.ts";
import { checkChoice, readOptions, refuseMore } from "../options.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import {
  checkSwitches,
  checkWeights,
  type Objective,
  ObjectiveFields,
  weightedTotal,
} from "./objective.ts";
import { latentParts, readTypes, UNKNOWN } from "./scanvi_parts.ts";
import { COUNT_FIELDS, hasLibrary, libraryKl, LIKELIHOODS, reconstruction } from "./scvi_parts.ts";
import type { ScanviOptions, ScanviOutputs, ScanviPart, ScanviTargets } from "./scanvi_fields.ts";

/**
 * The objective of scANVI, scVI with cell types: the negative evidence bound of a cell, in which z₁
 * comes from a deeper z₂ and a cell type, and a classifier's cross entropy. Lower is better.
 *
 * `reconstruction + z1 + klWeight (klZ2 + klLabels + klLibrary) + classificationRatio · classification`
 *
 * | part | loss, a mean over cells | in use where |
 * | --- | --- | --- |
 * | `reconstruction` | as {@linkcode scviObjective} has it | always |
 * | `z1` | `log q(z₁ \| x) − Σ_k p_k log p(z₁ \| z₂ₖ, k)` at the z₁ that was drawn | always |
 * | `klZ2` | `Σ_k p_k KL(q(z₂ \| z₁, k) \| N(0, 1))` | always |
 * | `klLabels` | `KL(p \| labelPrior)` | always |
 * | `klLibrary` | as {@linkcode scviObjective} has it | given |
 * | `classification` | {@linkcode crossEntropyLoss} of the labelled cells | `labels` given |
 *
 * with `p = softmax(classLogits)`. `z1` is an estimate of a divergence from one draw, and may be
 * negative; its gradient goes through z₁ to the encoder. What depends on a cell type has it first:
 * scvi-tools' `view(n_labels, -1)` of the rows that `broadcast_labels` makes.
 *
 * In scvi-tools, labelled cells take p from the classifier, too, and learn their types from the cross
 * entropy alone. `conditionOnLabels: true` is the bound of the paper: p of a labelled cell is its
 * label, without a divergence from the prior.
 *
 * `z1` is part of scvi-tools' reconstruction loss: `klWeight`, which it raises from 0 to 1 in the
 * first 400 epochs, does not weigh it, but weighs `klLibrary`, unlike in scVI. The classification
 * ratio of its training plan is 50.
 *
 * Source: Xu et al. 2021, https://doi.org/10.15252/msb.20209620; scvi-tools `module/_scanvae.py`,
 * `SCANVAE.loss`, commit 09d2f78, and `train/_trainingplans.py` of 1.1 and later.
 *
 * @param outputs The model's outputs.
 * @param targets The counts, the labels, and what the library sizes of batches are.
 * @param options `likelihood`, `"zinb"` by default; `klWeight`, 1; `classificationRatio`, 50;
 * `conditionOnLabels`, `false`; `check`, `true`.
 * @returns `{ total, parts }`: the weighted sum, and the losses in use, before their weights.
 * @throws {TypeError} If an output or target that a part needs is missing, shapes do not fit, or an
 * output, target or option does not exist.
 * @throws {RangeError} If an option or a label is out of range, the prior is none, or a count is
 * negative, unless `check` is `false`.
 *
 * @example A cell of unknown type
 * ```ts
 * import { scanviObjective } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const z = [[0]];
 * const byType = [[[0]], [[0]]]; // two types, one cell, one dimension
 * const { parts } = scanviObjective(
 *   {
 *     ...{ logRate: [[0]], z1: z, mean: z, logVariance: z, classLogits: [[0, 9]] },
 *     ...{ z2Mean: byType, z2LogVariance: byType, priorMean: byType, priorLogVariance: byType },
 *   },
 *   { counts: [[0]] },
 *   { likelihood: "poisson" },
 * );
 * assertAlmostEquals(parts.z1!.item(), 0, 1e-6);
 * assertAlmostEquals(parts.klLabels!.item(), Math.LN2, 2e-3); // it is sure of the second type
 * ```
 */
export function scanviObjective(
  outputs: ScanviOutputs,
  targets: ScanviTargets,
  options: ScanviOptions = {},
): Objective<ScanviPart> {
  if (arguments.length > 3) refuseMore("scanviObjective", "options", 3, arguments);
  const caller = "scanviObjective";
  const settled = readOptions(caller, options, DEFAULTS);
  const { likelihood, klWeight, classificationRatio, conditionOnLabels, check } = settled;
  checkChoice(caller, "likelihood", likelihood, LIKELIHOODS);
  checkWeights(caller, { klWeight, classificationRatio });
  checkSwitches(caller, { conditionOnLabels, check });
  const fields = new ObjectiveFields(caller, { outputs, targets }, FIELDS);
  const { loss, rates } = reconstruction(caller, fields, likelihood, check);
  const types = readTypes(caller, fields, rates, conditionOnLabels);
  const parts: { [P in ScanviPart]?: Tensor } = {
    reconstruction: loss,
    ...latentParts(caller, fields, rates, types.shares),
    klLabels: types.divergence,
  };
  if (hasLibrary(outputs, targets)) parts.klLibrary = libraryKl(caller, fields, rates);
  if (targets.labels !== undefined) {
    const logits = outputs.classificationLogits ?? fields.need("outputs.classLogits");
    parts.classification = crossEntropyLoss(logits, targets.labels, { ignoreIndex: UNKNOWN });
  }
  const weights = { klZ2: klWeight, klLabels: klWeight, klLibrary: klWeight };
  return weightedTotal(parts, { ...weights, classification: classificationRatio });
}

const DEFAULTS = {
  likelihood: "zinb",
  klWeight: 1,
  classificationRatio: 50,
  conditionOnLabels: false,
  check: true,
} as const;

const FIELDS = {
  outputs: [
    ...COUNT_FIELDS.outputs,
    ...["z1", "mean", "logVariance", "z2Mean", "z2LogVariance", "priorMean", "priorLogVariance"],
    ...["classLogits", "classificationLogits"],
  ],
  targets: [...COUNT_FIELDS.targets, "labels", "labelPrior"],
};

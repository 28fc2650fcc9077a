/**
 * The training objective of scVI.
 *
 * @module
 */
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkChoice, checkNumber, checkSameShape, readOptions, refuseMore } from "../options.ts";
import { checkSameCells, readCells } from "./cells.ts";
import { normalKl } from "./gaussian.ts";
import { checkSwitches, type Objective, ObjectiveFields, weightedTotal } from "./objective.ts";
import {
  COUNT_FIELDS,
  type CountLikelihood,
  type CountOutputs,
  type CountTargets,
  hasLibrary,
  libraryKl,
  LIKELIHOODS,
  reconstruction,
} from "./scvi_parts.ts";

/** What the model put out, for B cells, G genes and L latent dimensions. */
export interface ScviOutputs extends CountOutputs {
  /** (B, L): means of the latent variables z. */
  mean: TensorLike;
  /** (B, L): logarithms of their variances. */
  logVariance: TensorLike;
}

/** Options of {@linkcode scviObjective}. */
export interface ScviOptions {
  /** The noise of counts; `"zinb"` by default. */
  likelihood?: CountLikelihood | undefined;
  /** The weight of the divergence of z, at least 0; 1 by default. */
  klWeight?: number | undefined;
  /** Whether to look that no count is negative; `true` by default. */
  check?: boolean | undefined;
}

/** The names of the parts of {@linkcode scviObjective}. */
export type ScviPart = "reconstruction" | "klZ" | "klLibrary";

/**
 * The objective of scVI, the negative evidence bound of a cell. Lower is better, in nats per cell.
 *
 * `reconstruction + klWeight · klZ + klLibrary`
 *
 * | part | loss | in use where |
 * | --- | --- | --- |
 * | `reconstruction` | −log-likelihood of the counts, summed over genes: {@linkcode zinbLoss}, {@linkcode negativeBinomialLoss} or a Poisson | always |
 * | `klZ` | {@linkcode normalKl} of z from the standard normal | always |
 * | `klLibrary` | the same of the logarithm of the library size, from its batch's normal | given |
 *
 * Each is a mean over cells. `klWeight` is what scvi-tools raises from 0 to 1 in the first 400 epochs;
 * it does not weigh `klLibrary`. Current scvi-tools takes the observed library size by default, and
 * then there is no such part. `logRate` is the logarithm of the decoder's `px_rate`: the log-softmax
 * of its scale plus the logarithm of the library size.
 *
 * **Differs from the original**: all is computed from logarithms, without scvi-tools' differences of
 * log-gammas, of which float32 leaves no digit where θ is large, and without exponentials that
 * overflow. Negative counts are refused. logTheta is kept within ±10. The 1e-4 that scvi-tools adds to
 * variances belongs into the encoder.
 *
 * Source: Lopez et al. 2018, https://doi.org/10.1038/s41592-018-0229-2; scvi-tools
 * `module/_vae.py`, `VAE.loss`, commit 0094950.
 *
 * @param outputs The model's outputs.
 * @param targets The counts, and what the library sizes of batches are.
 * @param options `likelihood`, `"zinb"` by default; `klWeight`, 1; `check`, `true`.
 * @returns `{ total, parts }`: the weighted sum, and the losses in use, before their weights.
 * @throws {TypeError} If an output or target that a part needs is missing, shapes do not fit, or an
 * output, target or option does not exist.
 * @throws {RangeError} If an option or a label is out of range, a variance of a batch is not above 0,
 * or a count is negative, unless `check` is `false`.
 *
 * @example One gene that is never seen, and a posterior that is off by 1
 * ```ts
 * import { scviObjective } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const { total, parts } = scviObjective(
 *   { logRate: [[0]], mean: [[1]], logVariance: [[0]] },
 *   { counts: [[0]] },
 *   { likelihood: "poisson", klWeight: 0.1 },
 * );
 * assertEquals([parts.reconstruction?.item(), parts.klZ?.item()], [1, 0.5]);
 * assertEquals(total.item().toFixed(6), "1.050000");
 * ```
 */
export function scviObjective(
  outputs: ScviOutputs,
  targets: CountTargets,
  options: ScviOptions = {},
): Objective<ScviPart> {
  if (arguments.length > 3) refuseMore("scviObjective", "options", 3, arguments);
  const caller = "scviObjective";
  const { likelihood, klWeight, check } = readOptions(caller, options, {
    likelihood: "zinb",
    klWeight: 1,
    check: true,
  });
  checkChoice(caller, "likelihood", likelihood, LIKELIHOODS);
  checkNumber(caller, "klWeight", klWeight, { min: 0 });
  checkSwitches(caller, { check });
  const fields = new ObjectiveFields(caller, { outputs, targets }, FIELDS);
  const { loss, rates } = reconstruction(caller, fields, likelihood, check);
  const [m, v] = readCells(caller, {
    "outputs.mean": [fields.need("outputs.mean"), "dimensions"],
    "outputs.logVariance": [fields.need("outputs.logVariance"), "dimensions"],
  }) as [Tensor, Tensor];
  checkSameShape(caller, { "outputs.mean": m, "outputs.logVariance": v });
  checkSameCells(caller, { "outputs.logRate": rates, "outputs.mean": m });
  const parts: { [P in ScviPart]?: Tensor } = { reconstruction: loss, klZ: normalKl(m, v) };
  if (hasLibrary(outputs, targets)) parts.klLibrary = libraryKl(caller, fields, rates);
  return weightedTotal(parts, { klZ: klWeight });
}

const FIELDS = {
  outputs: [...COUNT_FIELDS.outputs, "mean", "logVariance"],
  targets: COUNT_FIELDS.targets,
};

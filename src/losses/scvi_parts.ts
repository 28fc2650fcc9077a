/**
 * What the objectives of scVI and scANVI share: how well counts are reconstructed, and how far the
 * size of libraries is from that of their batch.
 *
 * @module
 */
import { clip, div, exp, gather, log, reshape, sqrt, sub, sum } from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { negativeBinomialOfLogarithms } from "../ops/negative_binomial.ts";
import { checkLabels } from "../labels.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkAxes, checkSameShape } from "../options.ts";
import { checkNotNegative, checkPositive } from "../ranges.ts";
import { readCellLabels, readCells } from "./cells.ts";
import { normalKl } from "./gaussian.ts";
import type { ObjectiveFields } from "./objective.ts";
import { negLogPoisson } from "./poisson.ts";
import { readEntries } from "./reduction.ts";
import { zinbLoss } from "./zinb.ts";

/** The noise of counts. */
export type CountLikelihood = "zinb" | "nb" | "poisson";

/** Their names. */
export const LIKELIHOODS: readonly CountLikelihood[] = ["zinb", "nb", "poisson"];

/** What a decoder of counts puts out, for B cells and G genes, and an encoder of library sizes. */
export interface CountOutputs {
  /** (B, G): logarithms of the means, the size of the library included. */
  logRate: TensorLike;
  /** (G) or (B, G): logarithms of the inverse dispersions; for `"zinb"` and `"nb"`. */
  logTheta?: TensorLike | undefined;
  /** (B, G): log-odds of dropout; for `"zinb"`. */
  dropoutLogits?: TensorLike | undefined;
  /** (B): means of the logarithms of the library sizes, where these are latent. */
  libraryMean?: TensorLike | undefined;
  /** (B): logarithms of their variances. */
  libraryLogVariance?: TensorLike | undefined;
}

/** What these outputs are compared with. */
export interface CountTargets {
  /** (B, G): observed counts. */
  counts: TensorLike;
  /** (B), whole numbers in [0, K): the batch of each cell, where library sizes are latent. */
  batchLabels?: TensorLike | undefined;
  /** (K): the mean of the logarithms of the library sizes of each batch. */
  libraryPriorMean?: TensorLike | undefined;
  /** (K): their variance. */
  libraryPriorVariance?: TensorLike | undefined;
}

/** The names of the fields. */
export const COUNT_FIELDS = {
  outputs: ["logRate", "logTheta", "dropoutLogits", "libraryMean", "libraryLogVariance"],
  targets: ["counts", "batchLabels", "libraryPriorMean", "libraryPriorVariance"],
} as const;

/** Logarithms of dispersions are kept within ±10, as by {@linkcode zinbLoss}. */
const [LIMIT, EPSILON] = [10, 1e-8];

/** The negative log-likelihood of counts: summed over genes, the mean over cells. */
export function reconstruction(
  caller: string,
  fields: ObjectiveFields,
  likelihood: CountLikelihood,
  check: boolean,
): { loss: Tensor; rates: Tensor } {
  const [x, rates] = readCells(caller, {
    "targets.counts": [fields.need("targets.counts"), "genes"],
    "outputs.logRate": [fields.need("outputs.logRate"), "genes"],
  }) as [Tensor, Tensor];
  checkSameShape(caller, { "targets.counts": x, "outputs.logRate": rates });
  if (check) checkNotNegative(caller, "targets.counts", x);
  const mean = (total: Tensor) => ({ loss: div(total, x.shape[0]!), rates });
  if (likelihood === "poisson") return mean(sum(negLogPoisson(x, exp(rates))));
  const need = (field: string, others: string) =>
    fields.need(field, `give it, or set likelihood to ${others}`);
  const entries = { "targets.counts": x, "outputs.logRate": rates };
  const spread = { "outputs.logTheta": need("outputs.logTheta", '"poisson"') };
  if (likelihood === "nb") {
    const [counts, rate, theta] = readEntries(caller, entries, spread) as [Tensor, Tensor, Tensor];
    const limited = clip(theta, -LIMIT, LIMIT);
    return mean(sum(negativeBinomialOfLogarithms(counts, rate, limited, EPSILON)));
  }
  const logits = need("outputs.dropoutLogits", '"nb" or "poisson"');
  const [counts, rate, dropout, theta] = readEntries(
    caller,
    { ...entries, "outputs.dropoutLogits": logits },
    spread,
  ) as [Tensor, Tensor, Tensor, Tensor];
  return mean(zinbLoss(counts, rate, theta, dropout, { check: false }));
}

/** Whether an objective was given anything about latent library sizes. */
export function hasLibrary(outputs: CountOutputs, targets: CountTargets): boolean {
  return [outputs.libraryMean, outputs.libraryLogVariance, targets.libraryPriorMean]
    .concat([targets.libraryPriorVariance, targets.batchLabels])
    .some((field) => field !== undefined);
}

/** The divergence of library sizes from the log-normal prior of each cell's batch: its mean. */
export function libraryKl(caller: string, fields: ObjectiveFields, cells: Tensor): Tensor {
  const remedy =
    "give all of outputs.libraryMean, outputs.libraryLogVariance, targets.batchLabels, " +
    "targets.libraryPriorMean and targets.libraryPriorVariance, or none";
  const names = ["outputs.libraryMean", "outputs.libraryLogVariance"]
    .concat(["targets.libraryPriorMean", "targets.libraryPriorVariance"]);
  const [m, v, means, variances] = promoteAll(
    caller,
    Object.fromEntries(names.map((name) => [name, fields.need(name, remedy)])),
  )
    .map(floating) as [Tensor, Tensor, Tensor, Tensor];
  checkAxes(caller, names[0]!, m, [cells.shape[0]!]);
  checkAxes(caller, names[1]!, v, [cells.shape[0]!]);
  checkAxes(caller, names[2]!, means, ["batches"]);
  checkAxes(caller, names[3]!, variances, [means.shape[0]!]);
  checkPositive(caller, names[3]!, variances);
  const given = readCellLabels(
    caller,
    { "outputs.logRate": cells },
    "targets.batchLabels",
    fields.need("targets.batchLabels", remedy),
  );
  const batches = checkLabels(caller, given, means.shape[0]!, { argument: "targets.batchLabels" });
  const [mean, variance] = [gather(means, batches), gather(variances, batches)];
  const column = (x: Tensor) => reshape(x, [-1, 1]);
  return normalKl(column(div(sub(m, mean), sqrt(variance))), column(sub(v, log(variance))));
}

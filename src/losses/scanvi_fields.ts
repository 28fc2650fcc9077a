/**
 * What the objective of scANVI takes.
 *
 * @module
 */
import type { TensorLike } from "../tensor.ts";
import type { CountLikelihood, CountOutputs, CountTargets } from "./scvi_parts.ts";

/** What the model put out, for B cells, G genes, K cell types, and L and D latent dimensions. */
export interface ScanviOutputs extends CountOutputs {
  /** (B, L): the z₁ that was drawn, from which the counts were decoded. */
  z1: TensorLike;
  /** (B, L): means of z₁. */
  mean: TensorLike;
  /** (B, L): logarithms of its variances. */
  logVariance: TensorLike;
  /** (K, B, D): means of z₂, given z₁ and each type. */
  z2Mean: TensorLike;
  /** (K, B, D): logarithms of its variances. */
  z2LogVariance: TensorLike;
  /** (K, B, L): means of z₁, given the z₂ that was drawn and each type. */
  priorMean: TensorLike;
  /** (K, B, L): logarithms of its variances. */
  priorLogVariance: TensorLike;
  /** (B, K): the classifier's logits of z₁. */
  classLogits: TensorLike;
  /**
   * (M, K): its logits of the cells that `labels` are of, from the mean of z₁ in scvi-tools;
   * `classLogits` by default.
   */
  classificationLogits?: TensorLike | undefined;
}

/** What the outputs of {@linkcode scanviObjective} are compared with. */
export interface ScanviTargets extends CountTargets {
  /** (M), whole numbers in [0, K), or −1 for cells without a label. */
  labels?: TensorLike | undefined;
  /** (K): how likely each type is, all in all; the same for all by default. */
  labelPrior?: TensorLike | undefined;
}

/** Options of {@linkcode scanviObjective}. */
export interface ScanviOptions {
  /** The noise of counts; `"zinb"` by default. */
  likelihood?: CountLikelihood | undefined;
  /** The weight of the divergences of z₂, types and library sizes, at least 0; 1 by default. */
  klWeight?: number | undefined;
  /** The weight of the cross entropy, at least 0; 50 by default. */
  classificationRatio?: number | undefined;
  /** Whether labelled cells have their label for their type; `false` by default. */
  conditionOnLabels?: boolean | undefined;
  /** Whether to look that no count is negative; `true` by default. */
  check?: boolean | undefined;
}

/** The names of the parts of {@linkcode scanviObjective}. */
export type ScanviPart =
  | ("reconstruction" | "z1" | "klZ2" | "klLabels")
  | ("klLibrary" | "classification");

/**
 * What losses of cell types share: their input, and parameters that mean the same in each.
 *
 * @module
 */
import { classWeights, oneHot, type Tensor } from "@cellgrad/cellgrad";
import type { Cells } from "../cells.ts";
import type { Sizes } from "../loss_entry.ts";

/** A logit for each type. */
export const logits = ({ classes }: Sizes): { logits: number } => ({ logits: classes });

/** How the losses of cells become one. */
export const REDUCTION = {
  kind: "choice",
  choices: ["mean", "sum"],
  default: "mean",
  about: "How the losses of cells become one number",
} as const;

/** How types are weighed. */
export const WEIGHTING = {
  kind: "choice",
  choices: ["none", "plain", "balanced", "meanOne"],
  default: "none",
  about: "Weights of the types by how rare they are, as classWeights() scales them",
} as const;

/** The exponent of focal losses. */
export const GAMMA = {
  kind: "number",
  default: 2,
  min: 0,
  about: "How strongly easy cells are turned down",
} as const;

/** Which p_t focal losses take. */
export const PT_FROM_WEIGHTED = {
  kind: "switch",
  default: false,
  about: "Whether p_t is taken from the weighted cross entropy",
} as const;

/** What is added to a ratio. */
export const SMOOTH = {
  kind: "number",
  default: 1,
  min: 0,
  about: "Added above and below",
} as const;

/** A choice of weights. */
export type Weighting = typeof WEIGHTING.choices[number];

/**
 * Weights of the types.
 *
 * @param normalization How they are scaled.
 * @param cells The cells, whose types are counted.
 * @returns (C), or `undefined` for none.
 */
export function weightsOf(
  normalization: Weighting,
  { labels, classes }: Cells,
): Tensor | undefined {
  if (normalization === "none") return undefined;
  const counts = classes.map(() => 0);
  for (const label of labels.data) counts[label]!++;
  return classWeights(counts, { normalization });
}

/**
 * Types as columns.
 *
 * @param cells The cells.
 * @returns (n, C): 1 for each cell's own type, else 0.
 */
export function oneHotTypes({ labels, classes }: Cells): Tensor {
  return oneHot(labels, classes.length);
}

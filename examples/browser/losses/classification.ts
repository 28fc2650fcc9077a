/**
 * Losses that tell types of cells apart.
 *
 * @module
 */
import {
  classWeights,
  crossEntropyLoss,
  diceLoss,
  differentiableAuroc,
  focalDiceLoss,
  focalLoss,
  hmcnLoss,
  maskedVoxelLoss,
  sigmoid,
  type Tensor,
  tverskyLoss,
  unicellFocalLoss,
} from "@cellgrad/cellgrad";
import { type Cells, twoLevels } from "../cells.ts";
import { defineLoss, type LossEntry, type Sizes } from "../loss_entry.ts";

const logits = ({ classes }: Sizes) => ({ logits: classes });

const REDUCTION = {
  kind: "choice",
  choices: ["mean", "sum"],
  default: "mean",
  about: "How the losses of cells become one number",
} as const;

const WEIGHTING = {
  kind: "choice",
  choices: ["none", "plain", "balanced", "meanOne"],
  default: "none",
  about: "Weights of the types by how rare they are, as classWeights() scales them",
} as const;

const GAMMA = {
  kind: "number",
  default: 2,
  min: 0,
  about: "How strongly easy cells are turned down",
} as const;

const PT_FROM_WEIGHTED = {
  kind: "switch",
  default: false,
  about: "Whether p_t is taken from the weighted cross entropy",
} as const;

const SMOOTH = { kind: "number", default: 1, min: 0, about: "Added above and below" } as const;

type Weighting = typeof WEIGHTING.choices[number];

function weightsOf(normalization: Weighting, { labels, classes }: Cells): Tensor | undefined {
  if (normalization === "none") return undefined;
  const counts = classes.map(() => 0);
  for (const label of labels.data) counts[label]!++;
  return classWeights(counts, { normalization });
}

/** The losses, in the order in which they are listed. */
export const CLASSIFICATION: readonly LossEntry[] = [
  defineLoss({
    name: "crossEntropyLoss",
    family: "Cell types",
    about: "How unlikely the model finds each cell's own type.",
    parameters: {
      labelSmoothing: {
        kind: "number",
        default: 0,
        min: 0,
        max: 1,
        about: "The share of each target that is spread evenly over all types",
      },
      weight: WEIGHTING,
      reduction: REDUCTION,
    },
    outputs: logits,
    compute: ({ outputs, cells }, { weight, ...options }) =>
      crossEntropyLoss(outputs.logits, cells.labels, {
        ...options,
        weight: weightsOf(weight, cells),
      }),
  }),
  defineLoss({
    name: "focalLoss",
    family: "Cell types",
    about: "Cross entropy that turns down cells which the model finds easy.",
    parameters: {
      gamma: GAMMA,
      alpha: { kind: "number", default: 1, min: 0, about: "A factor on the whole loss" },
      weight: WEIGHTING,
      ptFromWeighted: PT_FROM_WEIGHTED,
      reduction: REDUCTION,
    },
    outputs: logits,
    compute: ({ outputs, cells }, { weight, ...options }) =>
      focalLoss(outputs.logits, cells.labels, { ...options, weight: weightsOf(weight, cells) }),
  }),
  defineLoss({
    name: "unicellFocalLoss",
    family: "Cell types",
    about: "The focal loss as UniCell has it: averaged over cells and types, clamped at 1e-7.",
    parameters: {
      gamma: GAMMA,
      alpha: { kind: "number", default: 1, min: 0, about: "A factor on the whole loss" },
      reduction: REDUCTION,
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) =>
      unicellFocalLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "hmcnLoss",
    family: "Cell types",
    about: "Levels of a hierarchy at once: here any cell, and its type; beta · global + local.",
    parameters: {
      inputType: {
        kind: "choice",
        choices: ["expr", "pca", "scFoundation", "GeneFormer", "scGPT"],
        default: "expr",
        about: "scGPT for logits; the others for probabilities",
      },
      maskMissingLevels: {
        kind: "switch",
        default: false,
        about: "Whether cells without a class on a level are left out of it",
      },
      beta: { kind: "number", default: 0.5, min: 0, about: "UniCell's weight of the levels" },
    },
    outputs: ({ classes }) => ({ levels: 2, types: classes }),
    compute: ({ outputs, cells }, { beta, ...options }) => {
      const read = options.inputType === "scGPT" ? (x: Tensor) => x : sigmoid;
      const { hierarchy, labels } = twoLevels(cells);
      const local = [read(outputs.types)];
      const parts = hmcnLoss(read(outputs.levels), local, labels, hierarchy, options);
      return parts.global.mul(beta).add(parts.local);
    },
  }),
  defineLoss({
    name: "differentiableAuroc",
    family: "Cell types",
    about: "A soft area under the ROC curve for the first type; 1 less it is trained.",
    parameters: {
      temperature: {
        kind: "number",
        default: 1,
        above: 0,
        about: "How soft the comparison of two scores is",
      },
    },
    outputs: () => ({ score: 1 }),
    compute: ({ outputs, cells }, options) => {
      const positive = cells.labels.equal(0);
      return differentiableAuroc(outputs.score.reshape([-1]), positive, options).neg().add(1);
    },
  }),
  defineLoss({
    name: "diceLoss",
    family: "Segmentation",
    about: "How little predicted and true members of each type overlap.",
    parameters: {
      smooth: SMOOTH,
      perClass: {
        kind: "switch",
        default: true,
        about: "Whether to average over types, or to pool their cells",
      },
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) => diceLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "tverskyLoss",
    family: "Segmentation",
    about: "Overlap, with prices of its own for false positives and false negatives.",
    parameters: {
      alpha: { kind: "number", default: 0.7, min: 0, about: "Weight of false positives" },
      beta: { kind: "number", default: 0.3, min: 0, about: "Weight of false negatives" },
      smooth: SMOOTH,
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) => tverskyLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "focalDiceLoss",
    family: "Segmentation",
    about: "A weighted sum of the focal and the Dice loss.",
    parameters: {
      gamma: GAMMA,
      focalWeight: { kind: "number", default: 0.5, min: 0, about: "Weight of the focal part" },
      diceWeight: { kind: "number", default: 0.5, min: 0, about: "Weight of the Dice part" },
      smooth: { ...SMOOTH, about: "Smoothing of the Dice part" },
      weight: WEIGHTING,
      ptFromWeighted: PT_FROM_WEIGHTED,
    },
    outputs: logits,
    compute: ({ outputs, cells }, { weight, ...options }) =>
      focalDiceLoss(outputs.logits, cells.labels, {
        ...options,
        weight: weightsOf(weight, cells),
      }),
  }),
  defineLoss({
    name: "maskedVoxelLoss",
    family: "Segmentation",
    about: "Cross entropy or focal loss of some cells only: here of two thirds of them.",
    parameters: {
      gamma: {
        kind: "number",
        default: undefined,
        min: 0,
        about: "The focusing exponent; nothing is cross entropy",
      },
      weight: WEIGHTING,
      ptFromWeighted: { ...PT_FROM_WEIGHTED, default: true },
    },
    outputs: logits,
    compute: ({ outputs, cells }, { weight, ...options }) =>
      maskedVoxelLoss(outputs.logits, cells.labels, cells.counted, {
        ...options,
        weight: weightsOf(weight, cells),
      }),
  }),
];

/**
 * Losses that tell types of cells apart.
 *
 * @module
 */
import {
  asymmetricLoss,
  binaryCrossEntropyLoss,
  binaryCrossEntropyWithLogitsLoss,
  crossEntropyLoss,
  differentiableAuroc,
  focalLoss,
  hmcnLoss,
  polyLoss,
  sigmoid,
  type Tensor,
  unicellFocalLoss,
} from "@cellgrad/cellgrad";
import { twoLevels } from "../cells.ts";
import { defineLoss, type LossEntry } from "../loss_entry.ts";
import {
  GAMMA,
  logits,
  oneHotTypes,
  PT_FROM_WEIGHTED,
  REDUCTION,
  WEIGHTING,
  weightsOf,
} from "./shared.ts";

const POSITIVE_WEIGHT = {
  kind: "number",
  default: undefined,
  min: 0,
  about: "A factor of the own type; nothing is 1",
} as const;

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
    name: "polyLoss",
    family: "Cell types",
    about: "Cross entropy and a share of 1 − p of each cell's own type.",
    parameters: {
      epsilon: { kind: "number", default: 1, min: -1, about: "The weight of 1 − p" },
      reduction: REDUCTION,
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) => polyLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "binaryCrossEntropyLoss",
    family: "Cell types",
    about: "Whether a cell is of each type, type by type, from probabilities.",
    parameters: { positiveWeight: POSITIVE_WEIGHT, reduction: REDUCTION },
    outputs: logits,
    compute: ({ outputs, cells }, options) =>
      binaryCrossEntropyLoss(sigmoid(outputs.logits), oneHotTypes(cells), options),
  }),
  defineLoss({
    name: "binaryCrossEntropyWithLogitsLoss",
    family: "Cell types",
    about: "The same from logits, which is more accurate.",
    parameters: { positiveWeight: POSITIVE_WEIGHT, reduction: REDUCTION },
    outputs: logits,
    compute: ({ outputs, cells }, options) =>
      binaryCrossEntropyWithLogitsLoss(outputs.logits, oneHotTypes(cells), options),
  }),
  defineLoss({
    name: "asymmetricLoss",
    family: "Cell types",
    about: "The same, where the many types that a cell is not of are turned down more.",
    parameters: {
      gammaNegative: {
        kind: "number",
        default: 4,
        min: 0,
        about: "How strongly types that a cell is not of are turned down once they are easy",
      },
      gammaPositive: {
        kind: "number",
        default: 1,
        min: 0,
        about: "How strongly a cell's own type is",
      },
      clip: {
        kind: "number",
        default: 0.05,
        min: 0,
        below: 1,
        about: "Other types of a probability up to this do not count",
      },
      reduction: REDUCTION,
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) =>
      asymmetricLoss(outputs.logits, oneHotTypes(cells), options),
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
];

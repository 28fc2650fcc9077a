/**
 * Losses of segmentation: how predicted and true members of each type overlap.
 *
 * @module
 */
import {
  diceCrossEntropyLoss,
  diceLoss,
  focalDiceLoss,
  focalTverskyLoss,
  generalizedDiceLoss,
  jaccardLoss,
  lovaszLoss,
  maskedVoxelLoss,
  matthewsLoss,
  tverskyLoss,
  unifiedFocalLoss,
} from "@cellgrad/cellgrad";
import { defineLoss, type LossEntry } from "../loss_entry.ts";
import { GAMMA, logits, PT_FROM_WEIGHTED, SMOOTH, WEIGHTING, weightsOf } from "./shared.ts";

const PER_CLASS = {
  kind: "switch",
  default: true,
  about: "Whether to average over types, or to pool their cells",
} as const;

const REGIONS = {
  activation: {
    kind: "choice",
    choices: ["softmax", "sigmoid"],
    default: "softmax",
    about: "Whether types exclude each other, or each is by itself",
  },
  absent: {
    kind: "choice",
    choices: ["count", "skip"],
    default: "count",
    about: "Whether types that no cell has count",
  },
} as const;

const SQUARED = {
  kind: "switch",
  default: false,
  about: "Whether sizes are sums of squares",
} as const;

const PRICES = {
  alpha: { kind: "number", default: 0.7, min: 0, about: "Weight of false positives" },
  beta: { kind: "number", default: 0.3, min: 0, about: "Weight of false negatives" },
} as const;

/** The losses, in the order in which they are listed. */
export const SEGMENTATION: readonly LossEntry[] = [
  defineLoss({
    name: "diceLoss",
    family: "Segmentation",
    about: "How little predicted and true members of each type overlap.",
    parameters: {
      smooth: SMOOTH,
      perClass: PER_CLASS,
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) => diceLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "jaccardLoss",
    family: "Segmentation",
    about: "One less the intersection over the union, harder on small overlaps than Dice.",
    parameters: { smooth: SMOOTH, perClass: PER_CLASS, ...REGIONS, squared: SQUARED },
    outputs: logits,
    compute: ({ outputs, cells }, options) => jaccardLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "generalizedDiceLoss",
    family: "Segmentation",
    about: "One overlap of all types, in which rare ones count as much as common ones.",
    parameters: { smooth: { ...SMOOTH, default: 1e-5 }, ...REGIONS, squared: SQUARED },
    outputs: logits,
    compute: ({ outputs, cells }, options) =>
      generalizedDiceLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "tverskyLoss",
    family: "Segmentation",
    about: "Overlap, with prices of its own for false positives and false negatives.",
    parameters: {
      ...PRICES,
      smooth: SMOOTH,
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) => tverskyLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "focalTverskyLoss",
    family: "Segmentation",
    about: "A power of each type's Tversky loss, which turns types up or down that are hard.",
    parameters: {
      gamma: { kind: "number", default: 0.75, above: 0, about: "The power" },
      ...PRICES,
      smooth: SMOOTH,
      perClass: PER_CLASS,
      ...REGIONS,
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) =>
      focalTverskyLoss(outputs.logits, cells.labels, options),
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
  defineLoss({
    name: "diceCrossEntropyLoss",
    family: "Segmentation",
    about: "A weighted sum of the Dice loss and cross entropy.",
    parameters: {
      diceWeight: { kind: "number", default: 1, min: 0, about: "Weight of the Dice part" },
      crossEntropyWeight: {
        kind: "number",
        default: 1,
        min: 0,
        about: "Weight of the cross entropy",
      },
      smooth: { ...SMOOTH, about: "Smoothing of the Dice part" },
      perClass: PER_CLASS,
      absent: REGIONS.absent,
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) =>
      diceCrossEntropyLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "unifiedFocalLoss",
    family: "Segmentation",
    about:
      "Focal cross entropy and focal Tversky, under three parameters; the first type is the rest.",
    parameters: {
      weight: {
        kind: "number",
        default: 0.5,
        min: 0,
        max: 1,
        about: "The share of the focal part",
      },
      delta: {
        kind: "number",
        default: 0.6,
        min: 0,
        max: 1,
        about: "The weight of the types but the first, and of their cells that are missed",
      },
      gamma: { ...GAMMA, default: 0.5, below: 1 },
      form: {
        kind: "choice",
        choices: ["asymmetric", "symmetric"],
        default: "asymmetric",
        about: "Whether the first type has exponents of its own, or those of all",
      },
    },
    outputs: logits,
    compute: ({ outputs, cells }, options) =>
      unifiedFocalLoss(outputs.logits, cells.labels, options),
  }),
  defineLoss({
    name: "lovaszLoss",
    family: "Segmentation",
    about: "The intersection over the union itself, extended to probabilities; it has many kinks.",
    parameters: {},
    outputs: logits,
    compute: ({ outputs, cells }) => lovaszLoss(outputs.logits, cells.labels),
  }),
  defineLoss({
    name: "matthewsLoss",
    family: "Segmentation",
    about: "One less the correlation of predicted and true types over all cells.",
    parameters: {},
    outputs: logits,
    compute: ({ outputs, cells }) => matthewsLoss(outputs.logits, cells.labels),
  }),
];

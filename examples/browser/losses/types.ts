/** Losses that tell types of cells apart, or measure how predicted and true members overlap. */
import * as cg from "@cellgrad/cellgrad";
import { twoLevels } from "../cells.ts";
import { defineLoss, family, type LossEntry } from "../loss_entry.ts";
import { choice, flag, number, type Parameters, type ValuesOf } from "../parameters.ts";
import {
  GAMMA,
  logits,
  ofTypes,
  PT_FROM_WEIGHTED,
  REDUCTION,
  weighed,
  WEIGHTING,
} from "./shared.ts";

const ALPHA = number(1, { min: 0 }, "A factor on the whole loss");
const BINARY = {
  positiveWeight: number(undefined, { min: 0 }, "A factor of the own type; nothing is 1"),
  reduction: REDUCTION,
};

/** A loss of each type by itself. */
function ofEachType<const P extends Parameters>(
  about: string,
  parameters: P,
  loss: (logits: cg.Tensor, members: cg.Tensor, options: ValuesOf<P>) => cg.Tensor,
) {
  return ofTypes(
    about,
    parameters,
    (logits, labels, options) => loss(logits, cg.oneHot(labels, logits.shape[1]!), options),
  );
}

/** The losses of cell types, in the order in which they are listed. */
export const CLASSIFICATION: readonly LossEntry[] = family("Cell types", {
  crossEntropyLoss: ofTypes("How unlikely the model finds each cell's own type.", {
    labelSmoothing: number(
      0,
      { min: 0, max: 1 },
      "The share of each target that is spread evenly over all types",
    ),
    weight: WEIGHTING,
    reduction: REDUCTION,
  }, weighed(cg.crossEntropyLoss)),
  focalLoss: ofTypes("Cross entropy that turns down cells which the model finds easy.", {
    gamma: GAMMA,
    alpha: ALPHA,
    weight: WEIGHTING,
    ptFromWeighted: PT_FROM_WEIGHTED,
    reduction: REDUCTION,
  }, weighed(cg.focalLoss)),
  unicellFocalLoss: ofTypes(
    "The focal loss as UniCell has it: averaged over cells and types, clamped at 1e-7.",
    { gamma: GAMMA, alpha: ALPHA, reduction: REDUCTION },
    cg.unicellFocalLoss,
  ),
  polyLoss: ofTypes("Cross entropy and a share of 1 − p of each cell's own type.", {
    epsilon: number(1, { min: -1 }, "The weight of 1 − p"),
    reduction: REDUCTION,
  }, cg.polyLoss),
  binaryCrossEntropyLoss: ofEachType(
    "Whether a cell is of each type, type by type, from probabilities.",
    BINARY,
    (logits, members, options) => cg.binaryCrossEntropyLoss(cg.sigmoid(logits), members, options),
  ),
  binaryCrossEntropyWithLogitsLoss: ofEachType(
    "The same from logits, which is more accurate.",
    BINARY,
    cg.binaryCrossEntropyWithLogitsLoss,
  ),
  asymmetricLoss: ofEachType(
    "The same, where the many types that a cell is not of are turned down more.",
    {
      gammaNegative: number(
        4,
        { min: 0 },
        "How strongly types that a cell is not of are turned down once they are easy",
      ),
      gammaPositive: number(1, { min: 0 }, "How strongly a cell's own type is"),
      clip: number(
        0.05,
        { min: 0, below: 1 },
        "Other types of a probability up to this do not count",
      ),
      reduction: REDUCTION,
    },
    cg.asymmetricLoss,
  ),
  hmcnLoss: defineLoss({
    about: "Levels of a hierarchy at once: here any cell, and its type; beta · global + local.",
    parameters: {
      inputType: choice(
        ["expr", "pca", "scFoundation", "GeneFormer", "scGPT"],
        "scGPT for logits; the others for probabilities",
      ),
      maskMissingLevels: flag(false, "Whether cells without a class on a level are left out of it"),
      beta: number(0.5, { min: 0 }, "UniCell's weight of the levels"),
    },
    outputs: ({ classes }) => ({ levels: 2, types: classes }),
    compute: ({ outputs, cells }, { beta, ...options }) => {
      const read = options.inputType === "scGPT" ? (x: cg.Tensor) => x : cg.sigmoid;
      const { hierarchy, labels } = twoLevels(cells);
      const local = [read(outputs.types)];
      const parts = cg.hmcnLoss(read(outputs.levels), local, labels, hierarchy, options);
      return parts.global.mul(beta).add(parts.local);
    },
  }),
  differentiableAuroc: defineLoss({
    about: "A soft area under the ROC curve for the first type; 1 less it is trained.",
    parameters: {
      temperature: number(1, { above: 0 }, "How soft the comparison of two scores is"),
    },
    outputs: () => ({ score: 1 }),
    compute: ({ outputs, cells }, options) => {
      const positive = cells.labels.equal(0);
      return cg.differentiableAuroc(outputs.score.reshape([-1]), positive, options).neg().add(1);
    },
  }),
});

const SMOOTH = number(1, { min: 0 }, "Added above and below");
const DICE_SMOOTH = { ...SMOOTH, about: "Smoothing of the Dice part" };
const PER_CLASS = flag(true, "Whether to average over types, or to pool their cells");
const ABSENT = choice(["count", "skip"], "Whether types that no cell has count");
const REGIONS = {
  activation: choice(
    ["softmax", "sigmoid"],
    "Whether types exclude each other, or each is by itself",
  ),
  absent: ABSENT,
};
const SQUARED = flag(false, "Whether sizes are sums of squares");
const PRICES = {
  alpha: number(0.7, { min: 0 }, "Weight of false positives"),
  beta: number(0.3, { min: 0 }, "Weight of false negatives"),
};

/** The losses of overlaps, in the order in which they are listed. */
export const SEGMENTATION: readonly LossEntry[] = family("Segmentation", {
  diceLoss: ofTypes(
    "How little predicted and true members of each type overlap.",
    { smooth: SMOOTH, perClass: PER_CLASS },
    cg.diceLoss,
  ),
  jaccardLoss: ofTypes(
    "One less the intersection over the union, harder on small overlaps than Dice.",
    { smooth: SMOOTH, perClass: PER_CLASS, ...REGIONS, squared: SQUARED },
    cg.jaccardLoss,
  ),
  generalizedDiceLoss: ofTypes(
    "One overlap of all types, in which rare ones count as much as common ones.",
    { smooth: { ...SMOOTH, default: 1e-5 }, ...REGIONS, squared: SQUARED },
    cg.generalizedDiceLoss,
  ),
  tverskyLoss: ofTypes(
    "Overlap, with prices of its own for false positives and false negatives.",
    { ...PRICES, smooth: SMOOTH },
    cg.tverskyLoss,
  ),
  focalTverskyLoss: ofTypes(
    "A power of each type's Tversky loss, which turns types up or down that are hard.",
    {
      gamma: number(0.75, { above: 0 }, "The power"),
      ...PRICES,
      smooth: SMOOTH,
      perClass: PER_CLASS,
      ...REGIONS,
    },
    cg.focalTverskyLoss,
  ),
  focalDiceLoss: ofTypes("A weighted sum of the focal and the Dice loss.", {
    gamma: GAMMA,
    focalWeight: number(0.5, { min: 0 }, "Weight of the focal part"),
    diceWeight: number(0.5, { min: 0 }, "Weight of the Dice part"),
    smooth: DICE_SMOOTH,
    weight: WEIGHTING,
    ptFromWeighted: PT_FROM_WEIGHTED,
  }, weighed(cg.focalDiceLoss)),
  maskedVoxelLoss: defineLoss({
    about: "Cross entropy or focal loss of some cells only: here of two thirds of them.",
    parameters: {
      gamma: number(undefined, { min: 0 }, "The focusing exponent; nothing is cross entropy"),
      weight: WEIGHTING,
      ptFromWeighted: { ...PT_FROM_WEIGHTED, default: true },
    },
    outputs: logits,
    compute: ({ outputs, cells }, values) =>
      weighed<typeof values>((logits, labels, options) =>
        cg.maskedVoxelLoss(logits, labels, cells.counted, options)
      )(outputs.logits, cells.labels, values),
  }),
  diceCrossEntropyLoss: ofTypes("A weighted sum of the Dice loss and cross entropy.", {
    diceWeight: number(1, { min: 0 }, "Weight of the Dice part"),
    crossEntropyWeight: number(1, { min: 0 }, "Weight of the cross entropy"),
    smooth: DICE_SMOOTH,
    perClass: PER_CLASS,
    absent: ABSENT,
  }, cg.diceCrossEntropyLoss),
  unifiedFocalLoss: ofTypes(
    "Focal cross entropy and focal Tversky, under three parameters; the first type is the rest.",
    {
      weight: number(0.5, { min: 0, max: 1 }, "The share of the focal part"),
      delta: number(
        0.6,
        { min: 0, max: 1 },
        "The weight of the types but the first, and of their cells that are missed",
      ),
      gamma: { ...GAMMA, default: 0.5, below: 1 },
      form: choice(
        ["asymmetric", "symmetric"],
        "Whether the first type has exponents of its own, or those of all",
      ),
    },
    cg.unifiedFocalLoss,
  ),
  lovaszLoss: ofTypes(
    "The intersection over the union itself, extended to probabilities; it has many kinks.",
    {},
    cg.lovaszLoss,
  ),
  matthewsLoss: ofTypes(
    "One less the correlation of predicted and true types over all cells.",
    {},
    cg.matthewsLoss,
  ),
});

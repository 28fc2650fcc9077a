/**
 * The loss-function guide's decision tree.
 *
 * @module
 */
import type { LossConfig } from "./loss_config.ts";
import { checkBoolean, checkChoice, readOptions, refuseMore } from "../options.ts";

/** What is wrong, or wanted, or what the labels are like. */
export type LossProblem =
  | "over-predicting"
  | "under-predicting"
  | "optimize-iou"
  | "fp-fn-control"
  | "baseline"
  | "small-structures"
  | "absent-classes"
  | "multi-label"
  | "thin-structures"
  | "boundaries";

/** What {@linkcode recommendLoss} wants to know. */
export interface LossSituation {
  /** Whether classes are imbalanced, as 80 % background and 3 % of the rarest class are; required. */
  imbalance: boolean;
  /** What the main problem is; `"baseline"`, just starting, by default. */
  problem?: LossProblem | undefined;
}

/** What {@linkcode recommendLoss} returns. */
export interface LossRecommendation {
  /** For {@linkcode createLoss}; add `classCounts` or `labels` where it says `useClassWeighting`. */
  config: LossConfig;
  /** Why, and what to do next. */
  reason: string;
}

const BALANCED: LossRecommendation = {
  config: { lossType: "ce" },
  reason: "Without class imbalance, cross entropy is simple, fast and well understood",
};

/** What labels ask for, balanced or not. */
const LABELS: Partial<Record<LossProblem, LossRecommendation>> = {
  "absent-classes": {
    config: { lossType: "dice", absent: "skip", diceSmooth: 1 },
    reason:
      "Where many batches lack a class, its Dice loss is all or nothing: absent classes are " +
      "skipped. Add ce or focal for their false alarms, or take dice_ce",
  },
  "multi-label": {
    config: { lossType: "dice_ce", activation: "sigmoid" },
    reason:
      "Labels that do not exclude each other are channels by themselves: sigmoid in place of " +
      "softmax, for Dice and for the cross entropy. bce is the latter alone",
  },
  "thin-structures": {
    config: { lossType: "cldice", skeletonIterations: 3, diceSmooth: 1 },
    reason:
      "Of vessels and filaments it counts whether they are connected, not how thick they are: " +
      "clDice compares centrelines. Set skeletonIterations to half of the largest width, and add " +
      "dice, as clDice alone sees no background",
  },
  boundaries: {
    config: { lossType: "hausdorff", hausdorffAlpha: 2 },
    reason:
      "Where outlines matter, mistakes cost by how far they lie from them. Begin with dice or " +
      "dice_ce and add this as it settles; boundaryLoss does it with distances computed once",
  },
};

const TREE: Partial<Record<LossProblem, LossRecommendation>> = {
  "over-predicting": {
    config: { lossType: "focal", focalGamma: 2, useClassWeighting: true },
    reason:
      "High recall with low IoU is over-prediction: focal loss turns down what is classified " +
      "well. If the IoU stays low, go on to focal_dice, then to tversky with alpha 0.7 and beta 0.3",
  },
  "under-predicting": {
    config: { lossType: "tversky", tverskyAlpha: 0.3, tverskyBeta: 0.7, diceSmooth: 1 },
    reason:
      "Low recall with high precision is under-prediction: Tversky loss with beta above alpha " +
      "makes misses cost more than false alarms",
  },
  "optimize-iou": {
    config: {
      lossType: "focal_dice",
      focalGamma: 2,
      focalWeight: 0.5,
      diceWeight: 0.5,
      diceSmooth: 1,
      useClassWeighting: true,
    },
    reason:
      "Dice aims at the overlap itself and focal loss handles the imbalance: best overall. For " +
      "more IoU, set focalWeight 0.3 and diceWeight 0.7",
  },
  "fp-fn-control": {
    config: { lossType: "tversky", tverskyAlpha: 0.7, tverskyBeta: 0.3, diceSmooth: 1 },
    reason: "Tversky loss weighs false positives by alpha and misses by beta: 0.7 and 0.3 favour " +
      "precision, 0.3 and 0.7 recall",
  },
  baseline: {
    config: { lossType: "weighted_ce", useClassWeighting: true },
    reason: "Cross entropy weighted by inverse class frequency is the simplest loss for imbalance",
  },
  "small-structures": {
    config: {
      lossType: "focal_tversky",
      focalTverskyGamma: 0.75,
      tverskyAlpha: 0.3,
      tverskyBeta: 0.7,
      diceSmooth: 1,
    },
    reason:
      "Small regions are missed before they are found: misses cost more than false alarms, and " +
      "a power below 1 trains classes that are nearly right to the end",
  },
};

/**
 * The loss-function guide's decision tree: which loss for which problem, and why.
 *
 * | imbalance | problem | loss |
 * | --- | --- | --- |
 * | no | any | `ce` |
 * | yes | `"over-predicting"`: high recall, low IoU | `focal`, γ = 2 |
 * | yes | `"under-predicting"`: high precision, low recall | `tversky`, 0.3 and 0.7 |
 * | yes | `"optimize-iou"` | `focal_dice` |
 * | yes | `"fp-fn-control"` | `tversky`, 0.7 and 0.3 |
 * | yes | `"baseline"`: just starting | `weighted_ce` |
 * | yes | `"small-structures"`: regions of few voxels | `focal_tversky`, 0.3 and 0.7 |
 * | any | `"absent-classes"`: many images lack a class | `dice` that skips it |
 * | any | `"multi-label"`: labels do not exclude each other | `dice_ce` by sigmoid |
 * | any | `"thin-structures"`: vessels, filaments | `cldice` |
 * | any | `"boundaries"`: outlines matter | `hausdorff` |
 *
 * Source: dinov3_playground `LOSS_FUNCTION_GUIDE.md`; the second branch is its setting against
 * under-prediction, which its tree leaves out, and those after `"baseline"` are ours.
 *
 * @param situation `imbalance`, and `problem`, `"baseline"` by default.
 * @returns `{ config, reason }`, the configuration for {@linkcode createLoss}.
 * @throws {TypeError} If `imbalance` is no boolean, or the problem is unknown.
 *
 * @example Too much of everything is called mitochondria
 * ```ts
 * import { createLoss, recommendLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 *
 * const { config, reason } = recommendLoss({ imbalance: true, problem: "over-predicting" });
 * assertEquals(config.lossType, "focal");
 * assertStringIncludes(reason, "High recall");
 * const loss = createLoss({ ...config, classCounts: [80, 10, 7, 3] });
 * assertStringIncludes(loss.describe(), "Focal gamma: 2.0");
 * ```
 */
export function recommendLoss(situation: LossSituation): LossRecommendation {
  if (arguments.length > 1) refuseMore("recommendLoss", "situation", 1, arguments);
  const { imbalance, problem } = readOptions("recommendLoss", situation, {
    imbalance: undefined as unknown as boolean,
    problem: "baseline",
  });
  checkBoolean("recommendLoss", "imbalance", imbalance);
  checkChoice("recommendLoss", "problem", problem, [TREE, LABELS].flatMap(Object.keys));
  const { config, reason } = LABELS[problem] ?? (imbalance ? TREE[problem]! : BALANCED);
  return { config: { ...config }, reason };
}

/**
 * How a segmentation does on each class, and what to do about it.
 *
 * @module
 */
import { formatShape } from "../shape.ts";
import { asTensor, type TensorLike } from "../tensor.ts";
import {
  checkArray,
  checkAxes,
  checkNumber,
  checkObject,
  checkSameShape,
  checkText,
  readOptions,
  refuseMore,
} from "../options.ts";
import { checkScores } from "../ranges.ts";

/** What {@linkcode diagnoseClasses} reads; what `segmentationMetrics` returns will do. */
export interface ClassScores {
  /** The share of each class that was found, [classes]. */
  recall: TensorLike;
  /** The share of right ones among those predicted as the class, [classes]. */
  precision: TensorLike;
}

/** Options of {@linkcode diagnoseClasses}. */
export interface DiagnoseOptions {
  /** The classes' names; their numbers by default. */
  names?: readonly string[] | undefined;
  /** By how much recall and precision may differ in balance; 0.2 by default. */
  tolerance?: number | undefined;
}

/** What is the matter with a class. */
export type ClassVerdict = "balanced" | "over-predicting" | "under-predicting";

/** One row of {@linkcode diagnoseClasses}. */
export interface ClassDiagnosis {
  /** The class. */
  name: string;
  /** The share of it that was found. */
  recall: number;
  /** The share of right ones among those predicted. */
  precision: number;
  /** Intersection over union. */
  iou: number;
  /** What is the matter. */
  verdict: ClassVerdict;
  /** What to do about it. */
  advice: string;
}

const ADVICE: Record<ClassVerdict, string> = {
  balanced: "Recall and precision agree: leave the loss as it is",
  "over-predicting": "High recall, low precision: raise focalGamma to 3 or 5, scale the class " +
    "weights down, or take tversky with tverskyAlpha 0.7 and tverskyBeta 0.3",
  "under-predicting": "Low recall, high precision: weigh the class up, or take tversky with " +
    "tverskyAlpha 0.3 and tverskyBeta 0.7",
};

/** The IoU that the guide calls decent; 0.6 and 0.75, which make it, are not below. */
export const DECENT_IOU: number = 0.5 - 1e-9;

/** The advice for a class in balance below that. */
const LOW =
  "Recall and precision agree, but both are low: the loss is in balance, so look at the " +
  "labels, the network and how long it is trained";

/** The advice for a class of which nothing was found. */
const MISSED = "Nothing of it was found: check that it occurs, weigh it up, or take a Dice loss";

/**
 * The loss-function guide's monitoring table: for each class recall, precision and IoU, a verdict,
 * and what to do about it. {@linkcode diagnosisTable} prints it as the guide does.
 *
 * | verdict | when | guide's example |
 * | --- | --- | --- |
 * | `"balanced"` | recall and precision differ by 0.2 at most | nuc: 0.67, 0.71 |
 * | `"over-predicting"` | recall is larger by more | mito: 0.91, 0.45 |
 * | `"under-predicting"` | precision is larger by more, or nothing was found | |
 *
 * The guide gives examples, no limit: 0.2 is between those that it calls balanced (0.04 apart at
 * most) and the one that it does not (0.46). Balance alone is no success: below an IoU of 0.5, which
 * the guide calls decent, the advice says where else to look. The IoU is `1 / (1/P + 1/R − 1)`, as it must be; the
 * guide's own column is off by rounding (0.42 for mito, where it is 0.43).
 *
 * Source: dinov3_playground `LOSS_FUNCTION_GUIDE.md`, "Monitoring Results".
 *
 * @param metrics Recall and precision of each class; other members are not read.
 * @param options `names`, the classes' numbers by default; `tolerance`, 0.2.
 * @returns One row per class.
 * @throws {TypeError} If recall and precision are not vectors of one length, or there are not as
 * many names.
 * @throws {RangeError} If a score or the tolerance is not in [0, 1].
 *
 * @example The guide's mitochondria
 * ```ts
 * import { diagnoseClasses } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const metrics = { recall: [0.95, 0.91], precision: [0.92, 0.45] };
 * const [bg, mito] = diagnoseClasses(metrics, { names: ["bg", "mito"] });
 * assertEquals([bg?.verdict, mito?.verdict], ["balanced", "over-predicting"]);
 * ```
 */
export function diagnoseClasses(
  metrics: ClassScores,
  options: DiagnoseOptions = {},
): ClassDiagnosis[] {
  if (arguments.length > 2) refuseMore("diagnoseClasses", "options", 2, arguments);
  const name = "diagnoseClasses";
  checkObject(name, "metrics", metrics);
  const { names, tolerance } = readOptions(name, options, { names: undefined, tolerance: 0.2 });
  checkNumber(name, "tolerance", tolerance, { min: 0, max: 1 });
  const [recall, precision] = (["recall", "precision"] as const).map((field) =>
    asTensor(metrics[field], "float64", name, `metrics.${field}`)
  );
  checkAxes(name, "recall", recall!, ["classes"]);
  checkSameShape(name, { recall: recall!, precision: precision! });
  checkScores(name, "recall", recall!);
  checkScores(name, "precision", precision!);
  if (names !== undefined) {
    checkArray(name, "names", names);
    names.forEach((text, i) => checkText(name, `names[${i}]`, text));
  }
  if (names !== undefined && names.length !== recall!.size) {
    throw new TypeError(
      `Cannot compute ${name} as names must name every class: current value has ${names.length}, ` +
        `recall has the shape ${formatShape(recall!.shape)}`,
    );
  }
  const precisions = precision!.toArray() as number[];
  return (recall!.toArray() as number[]).map((found, c) => ({
    name: names?.[c] ?? String(c),
    ...judge(found, precisions[c]!, tolerance),
  }));
}

function judge(
  recall: number,
  precision: number,
  tolerance: number,
): Omit<ClassDiagnosis, "name"> {
  const either = recall + precision - recall * precision;
  const iou = either > 0 ? recall * precision / either : 0;
  const missed = recall === 0;
  const limit = tolerance + 1e-9; // 0.8 − 0.6 is more than 0.2
  const verdict = missed || precision - recall > limit
    ? "under-predicting"
    : recall - precision > limit
    ? "over-predicting"
    : "balanced";
  const low = verdict === "balanced" && iou < DECENT_IOU;
  const advice = missed ? MISSED : low ? LOW : ADVICE[verdict];
  return { recall, precision, iou, verdict, advice };
}

/**
 * Overlap of predicted and labelled regions, counted once for all losses of it.
 *
 * @module
 */
import {
  any,
  cast,
  div,
  equal,
  less,
  mul,
  notEqual,
  slice,
  square,
  stopGradient,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import { readWeight } from "./class_logits.ts";
import { type ClassTargets, type Shares, sharesOf } from "./class_targets.ts";
import { checkOverlap, type OverlapSettings } from "./overlap_options.ts";
import { reduceLosses } from "./reduction.ts";

/** Soft counts of voxels of each class: (C), or (N, C) per sample; less an axis where pooled. */
export interface Counts {
  /** `Σ q y`. */
  truePositives: Tensor;
  /** `Σ q (1 − y)`; of squares, `Σ q² − Σ q y`. */
  falsePositives: Tensor;
  /** `Σ y`; of squares, `Σ y²`. */
  labelled: Tensor;
}

/** What is counted, and over which axes. */
type Counted = Shares & { axis: number[] };

/** The counts of a prediction. */
export interface Overlap extends Counts {
  /** What was counted. */
  shares: Counted;
  /** One factor for each class that is counted; `null` by default. */
  weight: Tensor | null;
}

/**
 * Checks the options, and counts what overlaps. Probabilities are selected by labels, not multiplied,
 * so that a tiny denominator has no infinite gradient to multiply.
 *
 * @param caller The function's name, for messages.
 * @param targets What {@linkcode readClassTargets} read.
 * @param settings The options.
 * @returns The counts.
 */
export function countOverlap(
  caller: string,
  targets: ClassTargets,
  settings: OverlapSettings,
): Overlap {
  checkOverlap(caller, targets, settings);
  const { includeBackground, activation, weight, squared, perSample } = settings;
  const first = includeBackground ? 0 : 1;
  const { predicted: q, actual: y } = sharesOf(targets, activation, first);
  const axis = q.shape.flatMap((_, i) => i === 1 || (i === 0 && perSample) ? [] : [i]);
  const shares = { predicted: q, actual: y, axis };
  const factors = weight === undefined
    ? null
    : readWeight(caller, weight, targets.classes, q.dtype);
  return {
    ...(targets.labels === null ? countShares : countLabels)(shares, squared),
    shares,
    weight: factors && slice(factors, first),
  };
}

function countLabels({ predicted: q, actual: own, axis }: Counted, squared: boolean): Counts {
  const size = squared ? square(q) : q;
  return {
    truePositives: sum(where(own, q, 0), { axis }),
    falsePositives: sum(where(own, squared ? sub(size, q) : 0, size), { axis }),
    labelled: cast(sum(own, { axis }), q.dtype),
  };
}

function countShares({ predicted: q, actual: y, axis }: Counted, squared: boolean): Counts {
  const both = mul(q, y);
  return {
    truePositives: sum(both, { axis }),
    falsePositives: sum(squared ? sub(square(q), both) : mul(q, sub(1, y)), { axis }),
    labelled: sum(squared ? square(y) : y, { axis }),
  };
}

/** `Σ y`, without squares. */
export function countVolume({ shares: { predicted, actual, axis } }: Overlap): Tensor {
  return cast(sum(actual, { axis }), predicted.dtype);
}

/**
 * Losses by the counts of each class, or of all that count together, reduced.
 *
 * @param overlap The counts.
 * @param settings The options.
 * @param loss The loss of counts.
 * @returns What `reduction` says.
 */
export function reduceRatios(
  overlap: Overlap,
  settings: OverlapSettings,
  loss: (counts: Counts) => Tensor,
): Tensor {
  const { weight, labelled } = overlap;
  const present = presentIn(labelled, settings);
  if (settings.perClass !== false) {
    const losses = loss(overlap);
    return reducePresent(weight === null ? losses : mul(losses, weight), present, settings);
  }
  const pool = (x: Tensor) => sum(present === null ? x : where(present, x, 0), { axis: -1 });
  const pooled = loss({
    truePositives: pool(overlap.truePositives),
    falsePositives: pool(overlap.falsePositives),
    labelled: pool(labelled),
  });
  return reducePresent(pooled, present && any(present, { axis: -1 }), settings);
}

/** Which classes are labelled, where that matters; `null` where all count. */
export function presentIn(labelled: Tensor, { absent }: OverlapSettings): Tensor | null {
  return absent === "skip" ? notEqual(labelled, 0) : null;
}

/** Losses of what is present, reduced; the mean is over what counts, and 0 where nothing does. */
export function reducePresent(
  losses: Tensor,
  present: Tensor | null,
  { reduction }: OverlapSettings,
): Tensor {
  if (present === null) return reduceLosses(losses, reduction);
  return reduceLosses(where(present, losses, 0), reduction, sum(present));
}

/**
 * `a / b`, and 1 where b is 0: a class that is neither labelled nor predicted is no mistake. Where b is
 * next to nothing, so that its inverse may not be a number, the ratio is as good as constant.
 */
export function overlapRatio(a: Tensor, b: Tensor): Tensor {
  const empty = equal(b, 0);
  const tiny = less(b, b.dtype === "float32" ? 2 ** -100 : 2 ** -1000);
  const constant = div(stopGradient(a), stopGradient(where(empty, 1, b)));
  return where(empty, 1, where(tiny, constant, div(a, where(tiny, 1, b))));
}

/** What several trainings under one loss have in common, and where they differ. */
import { type ClassVerdict, diagnoseClasses } from "@cellgrad/cellgrad";
import { MISSING } from "../format.ts";
import type { Configuration } from "./configurations.ts";
import type { Run } from "./learn.ts";
import { CLASSES } from "./micrograph.ts";

/** Measures of one class, means over the trainings. */
export interface ClassMeasures {
  name: string;
  /** Share of its pixels that were found. */
  recall: number;
  /** Share of right ones among the pixels given it. */
  precision: number;
  iou: number;
  /** Pixels given it, over pixels of it: above 1 is over-prediction. */
  area: number;
  /** The guide's verdict; none where no training came to its end. */
  verdict: ClassVerdict | undefined;
}

export interface LossMeasures {
  configuration: Configuration;
  /** Mean IoU of each training; NaN, here and below, where its loss became NaN. */
  meanIous: number[];
  /** Their mean. */
  meanIou: number;
  /** Their standard deviation. */
  spread: number;
  /** Trainings whose loss became NaN. */
  failures: number;
  /** Pixels given any organelle, over pixels of organelles, per training. */
  areas: number[];
  /** Their mean. */
  area: number;
  /** Mean over the organelles of recall, and of precision, per training. */
  recalls: number[];
  /** See `recalls`. */
  precisions: number[];
  /** Mean IoU of the two rarest classes, per training. */
  rareIous: number[];
  /** Means per class. */
  classes: ClassMeasures[];
  /** Training loss in the last epoch, per training. */
  trainLosses: number[];
  /** Mean IoU after each epoch, `[training][epoch]`. */
  curves: number[][];
  /** 1 − Dice loss on the held-out pixels after each epoch, `[training][epoch]`. */
  overlaps: number[][];
  /** Standard deviation of mean IoU over the trainings after the first epoch. */
  earlySpread: number;
}

/** The numbers that are numbers: trainings that broke down have NaN. */
function finite(values: readonly number[]): number[] {
  return values.filter(Number.isFinite);
}

/** The mean of the finite ones among numbers. */
export function mean(values: readonly number[]): number {
  const kept = finite(values);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

/** The standard deviation of the finite ones among numbers, as of a sample (n − 1). */
export function standardDeviation(values: readonly number[]): number {
  const kept = finite(values);
  const centre = mean(kept);
  return Math.sqrt(kept.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (kept.length - 1));
}

/** Sums up the trainings under one loss. */
export function summarize(configuration: Configuration, runs: readonly Run[]): LossMeasures {
  const over = (f: (metrics: Metrics) => number) =>
    runs.map(({ metrics }) => metrics === undefined ? NaN : f(metrics));
  const organelles = (values: ArrayLike<number>) => mean(Array.from(values).slice(1));
  const finished = runs.filter((run) => run.metrics !== undefined);
  const measured = (name: string) =>
    finished.map(({ history }) => history.map(({ measures }) => measures[name]!));
  const meanIous = over(({ meanIou }) => meanIou);
  const areas = over(({ confusion }) => areaOf(confusion));
  const curves = measured("meanIou");
  return {
    configuration,
    meanIous,
    meanIou: mean(meanIous),
    spread: standardDeviation(meanIous),
    failures: runs.length - finished.length,
    areas,
    area: mean(areas),
    recalls: over(({ recall }) => organelles(recall)),
    precisions: over(({ precision }) => organelles(precision)),
    rareIous: over(({ iou }) => mean([iou[2]!, iou[3]!])),
    classes: classMeasures(finished.map(({ metrics }) => metrics!)),
    trainLosses: runs.map(({ history }) => history.at(-1)?.losses.total ?? NaN),
    curves,
    overlaps: measured("softDice"),
    earlySpread: standardDeviation(curves.map((curve) => curve[0]!)),
  };
}

type Metrics = NonNullable<Run["metrics"]>;
type Confusion = readonly ArrayLike<number>[];

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}

/** Pixels given any organelle, over pixels of organelles. */
function areaOf(confusion: Confusion): number {
  const given = sum(confusion.map((row) => sum(row) - row[0]!));
  return given / sum(confusion.slice(1).map(sum));
}

function classMeasures(metrics: readonly Metrics[]): ClassMeasures[] {
  const over = (values: (m: Metrics) => number) => mean(metrics.map(values));
  const scores = CLASSES.map((name, c) => ({
    name,
    recall: over(({ recall }) => recall[c]!),
    precision: over(({ precision }) => precision[c]!),
    iou: over(({ iou }) => iou[c]!),
    area: over(({ confusion }) => sum(confusion.map((row) => row[c]!)) / sum(confusion[c]!)),
  }));
  const verdicts = metrics.length === 0 ? [] : diagnoseClasses({
    recall: scores.map(({ recall }) => recall),
    precision: scores.map(({ precision }) => precision),
  });
  return scores.map((score, c) => ({ ...score, verdict: verdicts[c]?.verdict }));
}

/** A ratio of areas as text; a dash where there is none. */
export function formatArea(area: number): string {
  return Number.isFinite(area) ? `${area.toFixed(2)} ×` : MISSING;
}

/** How much organelles are over-predicted, in the guide's words. */
export function overPredictionWord(area: number): string {
  if (!Number.isFinite(area)) return MISSING;
  if (area > 1.5) return "high";
  if (area > 1.2) return "moderate";
  return area >= 0.8 ? "low" : "too few";
}

/** How stable trainings are, in the guide's words. */
export function stabilityWord({ spread, failures }: LossMeasures): string {
  if (failures > 0) return "diverges";
  if (spread <= 0.01) return "excellent";
  return spread <= 0.025 ? "good" : "unstable";
}

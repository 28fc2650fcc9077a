/** Random segmentations with random options, and the losses of overlaps in plain numbers. */
import { softmax, type Tensor, where } from "@cellgrad/cellgrad";
import fc from "fast-check";
import { type ClassCase, classCases, floats, gridNumbers } from "../arbitraries.ts";
import { ignoreOff } from "./laws.ts";

/** The options of all of them. */
export interface Options {
  smooth: number;
  activation: "softmax" | "sigmoid" | "none";
  includeBackground: boolean;
  absent: "count" | "skip";
  perSample: boolean;
  weight?: Tensor;
  squared?: boolean;
  perClass?: boolean;
  ignoreIndex?: number;
  reduction: "mean" | "sum" | "none";
}

/** Logits, targets and options that go with each other, and what the targets stand for. */
export interface OverlapCase {
  logits: Tensor;
  targets: Tensor;
  /** The share of class c in sample n at position i. */
  share: (n: number, c: number, i: number) => number;
  /** Whether position i of sample n counts. */
  counts: (n: number, i: number) => boolean;
  options: Options;
}

const chosen = {
  smooth: fc.oneof(fc.constantFrom(0, 1e-5, 1), gridNumbers(0.1, 3)),
  activation: fc.constantFrom("softmax" as const, "sigmoid" as const, "none" as const),
  includeBackground: fc.boolean(),
  absent: fc.constantFrom("count" as const, "skip" as const),
  perSample: fc.boolean(),
  reduction: fc.constantFrom("mean" as const, "sum" as const, "none" as const),
};

/** Shares of the classes that leave out those above the label of each position. */
function sharesOf({ logits, labels }: ClassCase): Tensor {
  const all = softmax(logits, { axis: 1 });
  const isKept = all.mul(0).add(1).cumsum({ axis: 1 }).lessEqual(labels.expandDims(1).add(1));
  return where(isKept, all, 0);
}

/** One channel of a segmentation, labelled 0 and 1. */
function channelOf({ logits, labels, mask, weight }: ClassCase): ClassCase {
  return {
    logits: logits.slice([0, 1], [logits.shape[0]!, 2]),
    labels: labels.mul(0).add(labels.equal(1)).cast("int32"),
    mask,
    weight: weight.slice(1, 2),
  };
}

/** Segmentations by labels, ignored ones among them, one-hot, by shares, and of one channel. */
export const overlapCases: fc.Arbitrary<OverlapCase> = fc.record({
  given: classCases(),
  kind: fc.constantFrom("labels", "ignored", "one-hot", "shares", "channel"),
  weighted: fc.boolean(),
  ...chosen,
}).map(({ given, kind, weighted, ...options }) => {
  const isChannel = kind === "channel";
  if (isChannel) {
    options.includeBackground = true;
    if (options.activation === "softmax") options.activation = "sigmoid";
  }
  const { logits, labels, mask, weight } = isChannel ? channelOf(given) : given;
  const [, classes] = logits.shape as [number, number];
  const positions = labels.size / labels.shape[0]!;
  const shares = sharesOf(given);
  const at = (n: number, i: number) => n * positions + i;
  const share = (n: number, c: number, i: number) =>
    kind === "shares"
      ? shares.data[at(n * classes + c, i)]!
      : Number(labels.data[at(n, i)] === (isChannel ? 1 : c));
  const oneHot = where(
    shares.mul(0).add(1).cumsum({ axis: 1 }).equal(labels.expandDims(1).add(1)),
    1,
    shares.mul(0),
  );
  return {
    logits: options.activation === "none" ? softmax(logits, { axis: 1 }).mul(0.9) : logits,
    targets: kind === "one-hot"
      ? oneHot
      : kind === "shares"
      ? shares
      : kind === "ignored"
      ? ignoreOff(labels, mask, 9)
      : labels,
    share,
    counts: (n: number, i: number) => kind !== "ignored" || mask.data[at(n, i)] !== 0,
    options: {
      ...options,
      ...(weighted ? { weight } : {}),
      ...(kind === "ignored" ? { ignoreIndex: 9 } : {}),
    },
  };
});

/** Segmentations by shares that are never 0, which may be differentiated by. */
export const shareCases: fc.Arbitrary<{ logits: Tensor; shares: Tensor; weight: Tensor }> = fc
  .record({
    logits: floats([2, 3, 2]),
    shares: floats([2, 3, 2], 0.05, 0.95),
    weight: floats([3], 0.1, 5),
  });

/** Counts of one class of some samples. */
export interface Counted {
  tp: number;
  fp: number;
  fn: number;
  volume: number;
}

function probability(logits: readonly number[], c: number, activation: string): number {
  if (activation === "none") return logits[c]!;
  if (activation === "sigmoid") return 1 / (1 + Math.exp(-logits[c]!));
  return Math.exp(logits[c]!) / logits.reduce((sum, z) => sum + Math.exp(z), 0);
}

/** The counts by samples, or of all together, and by classes. */
export function countPlainly({ logits, share, counts, options }: OverlapCase): Counted[][] {
  const [samples, classes, ...spatial] = logits.shape as [number, number];
  const positions = spatial.reduce((a, b) => a * b, 1);
  const z = (n: number, c: number, i: number) => logits.data[(n * classes + c) * positions + i]!;
  const first = options.includeBackground ? 0 : 1;
  const rows = Array.from(
    { length: options.perSample ? samples : 1 },
    () => Array.from({ length: classes - first }, () => ({ tp: 0, fp: 0, fn: 0, volume: 0 })),
  );
  const square = (x: number) => options.squared === true ? x * x : x;
  for (let n = 0; n < samples; n++) {
    for (let i = 0; i < positions; i++) {
      if (!counts(n, i)) continue;
      const all = Array.from({ length: classes }, (_, c) => z(n, c, i));
      for (let c = first; c < classes; c++) {
        const [q, y] = [probability(all, c, options.activation), share(n, c, i)];
        const row = rows[options.perSample ? n : 0]![c - first]!;
        row.tp += q * y;
        row.fp += square(q) - q * y;
        row.fn += square(y) - q * y;
        row.volume += y;
      }
    }
  }
  return rows;
}

/** Losses with whether they count, reduced. */
function reducePlainly(losses: [loss: number, present: boolean][], options: Options): number[] {
  const counted = losses.filter(([, present]) => present || options.absent === "count");
  const total = counted.reduce((sum, [loss]) => sum + loss, 0);
  if (options.reduction === "sum") return [total];
  if (options.reduction === "mean") return [counted.length === 0 ? 0 : total / counted.length];
  return losses.map(([loss, present]) => present || options.absent === "count" ? loss : 0);
}

const sumOf = (rows: Counted[]): Counted =>
  rows.reduce((a, b) => ({
    tp: a.tp + b.tp,
    fp: a.fp + b.fp,
    fn: a.fn + b.fn,
    volume: a.volume + b.volume,
  }), { tp: 0, fp: 0, fn: 0, volume: 0 });

/** A loss with a ratio of each class, in plain numbers. */
export function ratioLoss(c: OverlapCase, loss: (counts: Counted) => number): number[] {
  const { options } = c;
  const first = options.includeBackground ? 0 : 1;
  const losses = countPlainly(c).flatMap((row): [number, boolean][] => {
    if (options.perClass === false) {
      const pooled = sumOf(row.filter(({ volume }) => options.absent === "count" || volume !== 0));
      return [[loss(pooled), pooled.volume !== 0]];
    }
    return row.map((counts, i) => [
      loss(counts) * (options.weight?.data[i + first] ?? 1),
      counts.volume !== 0,
    ]);
  });
  return reducePlainly(losses, options);
}

/** The generalized Dice loss in plain numbers. */
export function generalizedPlainly(c: OverlapCase): number[] {
  const { options } = c;
  const first = options.includeBackground ? 0 : 1;
  return reducePlainly(
    countPlainly(c).map((row) => {
      const inverse = row.map(({ volume }) => volume === 0 ? 0 : 1 / volume ** 2);
      const most = options.absent === "count" ? Math.max(...inverse) : 0;
      const weights = row.map(({ volume }, i) =>
        (volume === 0 ? most : inverse[i]!) * (options.weight?.data[i + first] ?? 1)
      );
      const over = (x: (counts: Counted) => number) =>
        row.reduce((sum, counts, i) => sum + weights[i]! * x(counts), options.smooth);
      const both = over(({ tp }) => 2 * tp);
      return [
        1 - ratio(both, over(({ tp, fp, fn }) => 2 * tp + fp + fn)),
        row.some(({ volume }) => volume !== 0),
      ];
    }),
    options,
  );
}

/** `a / b`, and 1 for `0 / 0`. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 1 : a / b;
}

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { segmentationMetrics } from "@cellgrad/cellgrad/metrics";
import { speedClaim, testClaims } from "../../../examples/lib/segment/claims.ts";
import { GUIDE_LOSSES, VARIANTS } from "../../../examples/lib/segment/configurations.ts";
import type { Run } from "../../../examples/lib/segment/learn.ts";
import {
  type LossMeasures,
  overPredictionWord,
  stabilityWord,
  summarize,
} from "../../../examples/lib/segment/measures.ts";

/** Ten pixels of each class, of which the first so many of each are given class 0. */
function run(missed: number[], meanIou = 0.5): Run {
  const truth = Int32Array.from({ length: 40 }, (_, i) => Math.floor(i / 10));
  const prediction = truth.map((label, i) => i % 10 < missed[label]! ? 0 : label);
  const metrics = segmentationMetrics(prediction, truth, { numClasses: 4 });
  const history = [0.1, meanIou].map((iou, i) => ({
    epoch: i + 1,
    losses: { total: 1 },
    measures: { meanIou: iou, softDice: iou },
  }));
  return { metrics, prediction, history };
}

const FAILED: Run = { metrics: undefined, prediction: undefined, history: [], failure: "NaN" };

/** All losses with the same measures, but for some. */
function measured(changes: Record<string, Partial<LossMeasures>>) {
  const base = [0, 1, 2].map(() => run([0, 2, 2, 2]));
  return Object.fromEntries(
    [...GUIDE_LOSSES, ...VARIANTS].map((configuration) => [configuration.id, {
      ...summarize(configuration, base),
      ...changes[configuration.id],
    }]),
  );
}

Deno.test("summarize() counts the area marked and the recall of organelles", () => {
  const { area, recalls, precisions, classes } = summarize(GUIDE_LOSSES[0]!, [run([0, 5, 5, 5])]);
  assertAlmostEquals(area, 0.5);
  assertEquals([recalls, precisions], [[0.5], [1]]);
  assertEquals(classes.map(({ verdict }) => verdict), [
    "over-predicting",
    "under-predicting",
    "under-predicting",
    "under-predicting",
  ]);
});

Deno.test("summarize() counts trainings that broke down and measures the others", () => {
  const loss = summarize(GUIDE_LOSSES[0]!, [run([0, 0, 0, 0]), FAILED, run([0, 0, 0, 0])]);
  assertEquals([loss.failures, loss.meanIou, loss.spread], [1, 1, 0]);
  assertEquals(loss.meanIous, [1, NaN, 1]);
  assertEquals(stabilityWord(loss), "diverges");
});

Deno.test("overPredictionWord() speaks as the guide does", () => {
  const words = [0.5, 0.8, 1, 1.3, 1.9, NaN].map(overPredictionWord);
  assertEquals(words, ["too few", "low", "low", "moderate", "high", "–"]);
});

function verdictOf(claims: ReturnType<typeof testClaims>, beginning: string) {
  return claims.find(({ claim }) => claim.startsWith(beginning))?.verdict;
}

Deno.test("testClaims() decides by paired differences beyond two standard errors", () => {
  const verdict = (weighted: number[]) =>
    verdictOf(
      testClaims(measured({
        ce: { meanIous: [0.4, 0.5, 0.6] },
        weighted_ce: { meanIous: weighted },
      })),
      "Weighted CE has a better",
    );
  assertEquals(verdict([0.45, 0.56, 0.65]), "holds");
  assertEquals(verdict([0.35, 0.46, 0.54]), "does not hold");
  assertEquals(verdict([0.45, 0.46, 0.61]), "undecided");
});

Deno.test("testClaims() leaves out trainings that broke down", () => {
  const claims = testClaims(measured({
    ce: { meanIous: [0.4, 0.5, 0.6] },
    weighted_ce: { meanIous: [0.45, NaN, 0.66] },
  }));
  assertEquals(verdictOf(claims, "Weighted CE has a better"), "holds");
});

Deno.test("testClaims() compares the order of the losses with the table", () => {
  const like = (sign: number) =>
    Object.fromEntries(GUIDE_LOSSES.map(({ id, guide }) => [id, {
      meanIou: sign * guide!.meanIou,
    }]));
  const verdict = (sign: number) => verdictOf(testClaims(measured(like(sign))), "The order");
  assertEquals([verdict(1), verdict(-1)], ["holds", "does not hold"]);
});

Deno.test("speedClaim() compares the two fast losses with the other four", () => {
  const times = (slow: number) =>
    new Map(GUIDE_LOSSES.map(({ id, guide }) => [id, {
      step: guide!.speed === "fast" ? 1 : slow,
      loss: 1,
    }]));
  assertEquals([1.05, 1.5].map((slow) => speedClaim(times(slow)).verdict), [
    "does not hold",
    "holds",
  ]);
});

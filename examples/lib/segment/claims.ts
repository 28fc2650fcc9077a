/**
 * What the guide claims of its losses, put to the test.
 *
 * Losses are compared training by training, as all losses share first weights and order of pixels:
 * a difference counts where its mean is more than two standard errors from 0.
 */
import { pearson } from "@cellgrad/cellgrad";
import { formatMetric, formatPercent } from "../format.ts";
import { formatArea, type LossMeasures, mean, standardDeviation } from "./measures.ts";
import type { StepTime } from "./timing.ts";

/** How a claim fared. */
export type Verdict = "holds" | "does not hold" | "undecided";

export interface Claim {
  claim: string;
  found: string;
  verdict: Verdict;
}

/** The measured losses by `id`. */
export type Measured = Readonly<Record<string, LossMeasures>>;

/** Over how many standard errors a difference counts. */
const CLEAR = 2;

/** The mean difference of paired values, and its standard error. */
function paired(a: readonly number[], b: readonly number[]) {
  const differences = a.map((value, i) => value - b[i]!).filter(Number.isFinite);
  const error = standardDeviation(differences) / Math.sqrt(differences.length);
  return { difference: mean(differences), error };
}

/** Whether `a` is larger than `b` by `least` at least. */
function larger(a: readonly number[], b: readonly number[], least = 0): Verdict {
  const { difference, error } = paired(a, b);
  if (difference - least > CLEAR * error) return "holds";
  return difference - least < -CLEAR * error ? "does not hold" : "undecided";
}

/** All of them hold, or one does not. */
function all(...verdicts: Verdict[]): Verdict {
  if (verdicts.includes("does not hold")) return "does not hold";
  return verdicts.includes("undecided") ? "undecided" : "holds";
}

function whether(condition: boolean): Verdict {
  return condition ? "holds" : "does not hold";
}

function versus(
  a: readonly number[],
  b: readonly number[],
  format: (value: number) => string = formatMetric,
): string {
  return `${format(mean(a))} against ${format(mean(b))}`;
}

/** That one loss has more of something than another. */
function more(claim: string, a: readonly number[], b: readonly number[], note = ""): Claim {
  return { claim, found: versus(a, b) + note, verdict: larger(a, b) };
}

/** Puts the guide's claims to the test. */
export function testClaims(m: Measured): Claim[] {
  return [...imbalanceClaims(m), ...focalClaims(m), ...overlapClaims(m), ...rankingClaims(m)];
}

function imbalanceClaims(m: Measured): Claim[] {
  const [ce, weighted] = [m.ce!, m.weighted_ce!];
  return [
    {
      claim: "CE over-predicts rare classes (table: over-prediction high)",
      found: `It marks ${formatArea(ce.area)} the area of the organelles; recall ` +
        `${formatMetric(mean(ce.recalls))}, precision ${formatMetric(mean(ce.precisions))}`,
      verdict: larger(ce.areas, ce.areas.map(() => 1.2)),
    },
    more(
      "Weighted CE has a better mean IoU than CE (table: 0.42 against 0.35)",
      weighted.meanIous,
      ce.meanIous,
    ),
    {
      claim: "Weighted CE can cause over-prediction",
      found: `It marks ${formatArea(weighted.area)} the area of the organelles, precision ` +
        formatMetric(mean(weighted.precisions)),
      verdict: larger(weighted.areas, weighted.areas.map(() => 1.2)),
    },
  ];
}

function focalClaims(m: Measured): Claim[] {
  const [weighted, focal, plain] = [m.weighted_ce!, m.focal!, m.focal_plain!];
  return [
    {
      claim:
        "Focal loss, with class weights, reduces over-prediction: use it where recall is high " +
        "and IoU is low",
      found: `It marks ${versus(focal.areas, weighted.areas, formatArea)} under weighted CE. ` +
        `Without class weights: ${formatArea(plain.area)}`,
      verdict: larger(weighted.areas, focal.areas, 0.1),
    },
    more(
      "Focal loss has a better IoU on rare classes than weighted CE",
      focal.rareIous,
      weighted.rareIous,
      " (mitochondria and nucleus)",
    ),
    {
      claim: "Focal loss has a lower training loss than weighted CE",
      found:
        `${versus(focal.trainLosses, weighted.trainLosses)} in the last epoch. Weighted CE is ` +
        "divided by the sum of the weights, focal loss by the number of pixels: the two cannot be " +
        "compared",
      verdict: larger(weighted.trainLosses, focal.trainLosses),
    },
    more(
      "Focal loss clearly beats CE in mean IoU (table: 0.55 against 0.35)",
      focal.meanIous,
      m.ce!.meanIous,
    ),
  ];
}

function overlapClaims(m: Measured): Claim[] {
  const [ce, dice, tversky, turned] = [m.ce!, m.dice!, m.tversky!, m.tversky_recall!];
  const agreement = pearson(dice.overlaps.flat(), dice.curves.flat());
  return [
    more(
      "Dice loss handles imbalance well: better mean IoU than weighted CE (0.52 against 0.42)",
      dice.meanIous,
      m.weighted_ce!.meanIous,
    ),
    {
      claim: "IoU follows 1 − Dice loss closely",
      found: `Pearson's r is ${formatMetric(agreement)} over all epochs and trainings under Dice ` +
        "(above 0.9 it is called close, below 0.7 not)",
      verdict: agreement > 0.9 ? "holds" : agreement > 0.7 ? "undecided" : "does not hold",
    },
    {
      claim: "Dice loss is less stable than CE, above all in the first epochs",
      found: `After the first epoch its mean IoU varies by ${formatMetric(dice.earlySpread)} ` +
        `(standard deviation over trainings), that of CE by ${formatMetric(ce.earlySpread)}; ` +
        `at the end by ${formatMetric(dice.spread)} and ${formatMetric(ce.spread)}`,
      verdict: whether(dice.failures > 0 || dice.earlySpread > 1.5 * ce.earlySpread),
    },
    {
      claim: "Tversky with α 0.7, β 0.3 gives more precision, with α 0.3, β 0.7 more recall",
      found: `Precision ${versus(tversky.precisions, turned.precisions)}, recall ` +
        versus(tversky.recalls, turned.recalls),
      verdict: all(
        larger(tversky.precisions, turned.precisions),
        larger(turned.recalls, tversky.recalls),
      ),
    },
  ];
}

function rankingClaims(m: Measured): Claim[] {
  const [combined, plain] = [m.focal_dice!, m.focal_dice_plain!];
  const six = Object.values(m).filter(({ configuration }) => configuration.guide !== undefined);
  const best = six.reduce((a, b) => b.meanIou > a.meanIou ? b : a);
  const others = six.filter((loss) => loss !== combined);
  const changes = [m.focal!, m.focal_plain!, m.tversky!];
  const areas = changes.map(({ area }) => formatArea(area));
  const order = pearson(
    ranks(six.map(({ configuration }) => configuration.guide!.meanIou)),
    ranks(six.map(({ meanIou }) => meanIou)),
  );
  return [
    {
      claim: "Focal+Dice, with class weights, is the best of all (0.62)",
      found: `${formatMetric(combined.meanIou)}; the best is ${best.configuration.name} with ` +
        `${formatMetric(best.meanIou)}. Without class weights: ${formatMetric(plain.meanIou)}`,
      verdict: all(...others.map((loss) => larger(combined.meanIous, loss.meanIous))),
    },
    {
      claim:
        "Where over-prediction stays, reduce the class weights, or take Tversky with α 0.7, β 0.3",
      found: `Focal loss marks ${areas[0]} the area of the organelles with class weights, ` +
        `${areas[1]} without; Tversky ${areas[2]}. Mean IoU ` +
        changes.map(({ meanIou }) => formatMetric(meanIou)).join(", "),
      verdict: all(
        larger(m.focal!.areas, m.focal_plain!.areas, 0.1),
        larger(m.focal!.areas, m.tversky!.areas, 0.1),
      ),
    },
    {
      claim: "The order of the losses by mean IoU is that of the table",
      found: `Spearman's rank correlation of the six with the table is ${order.toFixed(2)} ` +
        "(1: the same order, 0: no relation, −1: reversed)",
      verdict: order > 0.8 ? "holds" : order > 0.5 ? "undecided" : "does not hold",
    },
  ];
}

/** Ranks from 0 on; equal values do not occur among means of many pixels. */
function ranks(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return values.map((value) => sorted.indexOf(value));
}

/** The claim on speed; it rests on times, so it is not part of what a seed decides. */
export function speedClaim(times: ReadonlyMap<string, StepTime>): Claim {
  const of = (...ids: string[]) => mean(ids.map((id) => times.get(id)!.step));
  const fast = of("ce", "weighted_ce");
  const moderate = of("focal", "dice", "focal_dice", "tversky");
  const extra = moderate / fast - 1;
  return {
    claim: "CE and weighted CE are fast, the others moderate; focal loss trains slightly slower",
    found: `A step under the other four takes ${formatPercent(Math.abs(extra))} ` +
      `${extra < 0 ? "less" : "more"} time than under the two (above 10 % counts)`,
    verdict: extra > 0.1 ? "holds" : "does not hold",
  };
}

/** The sections of the segmentation report. */
import { formatMetric, MISSING } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { typeLook } from "../plots.ts";
import { bar, legend, table } from "../report_parts.ts";
import type { Claim, Verdict } from "./claims.ts";
import { balanceFigure, curveFigure, iouFigure } from "./figures.ts";
import { CLASSES } from "./micrograph.ts";
import {
  formatArea,
  type LossMeasures,
  mean,
  overPredictionWord,
  stabilityWord,
} from "./measures.ts";
import type { StepTime } from "./timing.ts";

/** Titles of columns of words, without a least width. */
function wordTitles(names: readonly string[], words: readonly string[]): Markup {
  const title = (name: string) =>
    words.includes(name)
      ? markup`<th scope="col" class="words" style="min-width:0">${name}</th>`
      : markup`<th scope="col">${name}</th>`;
  return markup`<tr>${names.map(title)}</tr>`;
}

/** Pairs of columns under one title each. */
const GUIDE_HEAD: Markup = markup`<tr><th rowspan="2" scope="col">loss</th>
<th colspan="2" scope="colgroup" style="text-align:center">mean IoU</th><th colspan="2" scope="colgroup" style="text-align:center">over-prediction</th>
<th colspan="2" scope="colgroup" style="text-align:center">stability</th><th colspan="3" scope="colgroup" style="text-align:center">speed</th></tr>
<tr><th scope="col">guide</th><th scope="col">measured</th><th scope="col">guide</th>
<th scope="col">measured</th><th scope="col">guide</th><th scope="col">measured</th>
<th scope="col">guide</th><th scope="col">ms/step</th><th scope="col">ms/loss</th></tr>`;

/** One loss of the guide's table. */
function guideRow(m: LossMeasures, time: StepTime | undefined): Markup {
  const { name, guide } = m.configuration;
  const broken = m.failures > 0 ? `, ${m.failures} NaN` : "";
  return markup`<tr><th scope="row">${name}</th><td>${guide?.meanIou.toFixed(2)}</td>
<td><b>${formatMetric(m.meanIou)}</b> ± ${formatMetric(m.spread)}</td>
<td>${guide?.overPrediction}</td><td>${overPredictionWord(m.area)}, ${formatArea(m.area)}</td>
<td>${guide?.stability}</td><td>${stabilityWord(m)}${broken}</td>
<td>${guide?.speed}</td><td>${time?.step.toFixed(2)}</td><td>${time?.loss.toFixed(2)}</td></tr>\n`;
}

const DOT_LEGEND = legend([
  [{ color: "var(--accent)", symbol: "circle" }, "measured, one per training"],
  [{ color: "var(--wrong)", symbol: "diamond" }, "expected by the guide"],
]);

/** The guide's table, with what was measured beside each entry. */
export function tableSection(
  measures: readonly LossMeasures[],
  times: ReadonlyMap<string, StepTime>,
): Markup {
  const six = measures.filter(({ configuration }) => configuration.guide);
  const rows = six.map((m) => guideRow(m, times.get(m.configuration.id)));
  const trainings = six[0]!.meanIous.length;
  return markup`<section>
<h2>The guide's table, measured</h2>
<p class="quiet">Left of each pair what the guide expects, right what was measured on held-out images
over ${trainings} trainings. Mean IoU: 1 is best; ± is the standard deviation over trainings. Area:
pixels marked as any organelle over pixels of organelles; 1.00 × is right, above 1.5 × is called high,
above 1.2 × moderate, below 0.8 × too few. Stability: a standard deviation of mean IoU up to 0.010 is
called excellent, up to 0.025 good; NaN: trainings whose loss broke down. Times: milliseconds, fastest
of many rounds in turn, lower is better; a step is network, loss and gradient on one batch; ms/loss is
the loss and its gradient alone.</p>
${table("The guide's table, measured", GUIDE_HEAD, rows)}
<figure>
<figcaption>Mean IoU on the held-out images; further right is better. Each dot is one training;
diamonds are what the guide expects.</figcaption>
${iouFigure(six)}
${DOT_LEGEND}
</figure>
</section>`;
}

const MARKS: Record<Verdict, string> = { "holds": "✓", "does not hold": "✗", "undecided": "?" };

const CLAIM_COLUMNS = ["verdict", "the guide says", "measured here"];

/** Which of the guide's claims hold. */
export function claimsSection(claims: readonly Claim[]): Markup {
  const color = (verdict: Verdict) =>
    verdict === "holds" ? "--accent" : verdict === "undecided" ? "--quiet" : "--wrong";
  // No least widths: the three columns fit a phone.
  const row = ({ claim, found, verdict }: Claim) =>
    markup`<tr><td class="words" style="min-width:0;padding-left:0;overflow-wrap:normal"><b
style="color:var(${color(verdict)})">${MARKS[verdict]}</b> ${verdict}</td>
<td class="words" style="min-width:0">${claim}</td>
<td class="words" style="min-width:0">${found}</td></tr>\n`;
  const count = (verdict: Verdict) => claims.filter((claim) => claim.verdict === verdict).length;
  return markup`<section>
<h2>Which of the guide's claims hold</h2>
<p class="quiet">Of ${claims.length} claims ${count("holds")} hold here, ${
    count("does not hold")
  } do
not, and ${
    count("undecided")
  } cannot be decided. Losses are compared training by training, as all share first weights and
order of pixels: a difference counts where its mean is over two standard errors from 0. This is one
kind of image and one small network: a claim that fails here may hold elsewhere, but is no law.</p>
${table("Claims of the guide", wordTitles(CLAIM_COLUMNS, CLAIM_COLUMNS), claims.map(row))}
</section>`;
}

/** Recall and precision per class, drawn and as a table. */
export function classSection(measures: readonly LossMeasures[]): Markup {
  const six = measures.filter(({ configuration }) => configuration.guide);
  const panel = (name: string, index: number) =>
    markup`<div><h3>${name}</h3>${balanceFigure(six, index)}</div>\n`;
  const classRow = (m: LossMeasures) => (c: LossMeasures["classes"][number]) =>
    markup`<tr><th scope="row">${m.configuration.name}</th><td class="words">${c.name}</td>
${[c.recall, c.precision, c.iou].map(bar)}<td>${formatArea(c.area)}</td><td class="words">${
      c.verdict ?? MISSING
    }</td></tr>\n`;
  return markup`<section>
<h2>Each class</h2>
<figure>
<figcaption>Recall (share of the class that was found) against precision (share of right pixels among
those marked), means over trainings; both from 0 to 1, top right is best. Under the dashed line more
is marked than there is: over-prediction. Class weights move a loss down and to the right.</figcaption>
<div class="panels" style="--least:220px;--most:300px">
${CLASSES.map(panel).slice(1)}</div>
${legend(six.map(({ configuration }, loss) => [typeLook(loss), configuration.name]))}
</figure>
<p class="quiet">The same as numbers, for all losses and classes: recall, precision and IoU from 0 to
1, higher is better; area marked over area there is, 1.00 × is right; and the guide's verdict: recall
and precision more than 0.2 apart are out of balance.</p>
${
    table(
      "Measures per loss and class",
      wordTitles(["loss", "class", "recall", "precision", "IoU", "area", "verdict"], [
        "class",
        "verdict",
      ]),
      measures.flatMap((m) => m.classes.map(classRow(m))),
    )
  }
</section>`;
}

/** Mean IoU over the epochs. */
export function curveSection(measures: readonly LossMeasures[]): Markup {
  const top = Math.max(0.7, ...measures.flatMap(({ curves }) => curves.flat()));
  const panel = (m: LossMeasures) =>
    markup`<div><h3>${m.configuration.name}</h3>${
      m.curves.length > 0 ? curveFigure(m, top) : markup`<p>No training came to its end.</p>`
    }</div>\n`;
  return markup`<section>
<h2>Training</h2>
<figure>
<figcaption>Mean IoU on the held-out images after each epoch (one pass over the training pixels);
higher is better. The line is the mean over trainings, the band reaches from the worst to the best:
a wide band is an unstable loss.</figcaption>
<div class="panels" style="--least:165px;--most:230px">
${measures.map(panel)}</div>
</figure>
</section>`;
}

/** The losses that the guide mentions but does not measure. */
export function variantSection(measures: readonly LossMeasures[]): Markup {
  const of = (id: string) => measures.find(({ configuration }) => configuration.id === id)!;
  const groups = [
    ["focal", "focal_upstream", "focal_plain"],
    ["focal_dice", "focal_dice_plain"],
    ["tversky", "tversky_recall"],
  ];
  const row = (m: LossMeasures) =>
    markup`<tr><th scope="row">${m.configuration.name}</th><td>${formatMetric(m.meanIou)} ± ${
      formatMetric(m.spread)
    }</td><td>${formatMetric(mean(m.recalls))}</td><td>${
      formatMetric(mean(m.precisions))
    }</td><td>${formatArea(m.area)}</td></tr>\n`;
  return markup`<section>
<h2>Where the effects come from</h2>
<p class="quiet">The guide recommends class weights with focal loss and with Focal+Dice. Each beside
the same without them; focal loss also as the guide's own code computes it, with p from the weighted
cross entropy; and Tversky beside its mirror image. Recall and precision are means over the
three organelles; area marked over area there is. Class weights decide how much is marked; the focal
factor hardly changes it.</p>
${
    table(
      "Losses and their variants",
      ["loss", "mean IoU", "recall", "precision", "area"],
      groups.flat().map((id) => row(of(id))),
    )
  }
</section>`;
}

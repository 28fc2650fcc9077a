/** The sections of the integration report. */
import { formatCount, formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { DISTINCT_LOOKS } from "../plots.ts";
import { legend, table } from "../report_parts.ts";
import {
  ablationPlot,
  cloudPlot,
  describeCell,
  type Group,
  groupsOf,
  lossPlots,
  MEASURES,
} from "./figures.ts";
import type { Measures } from "./measures.ts";
import type { IntegrationResult } from "./result.ts";

/** The panels of the cells: their title, what they show, and where they are taken from. */
const CLOUDS = [
  {
    title: "Before, by batch",
    caption: "Colours that lie apart are a batch effect: cells differ by where they were measured.",
    when: "before",
    by: "batch",
  },
  {
    title: "After, by batch",
    caption: "Good: all colours everywhere, like confetti.",
    when: "after",
    by: "batch",
  },
  {
    title: "Before, by cell type",
    caption: "A type that lies in several clouds is torn apart by the batches.",
    when: "before",
    by: "type",
  },
  {
    title: "After, by cell type",
    caption: "Good: one cloud per type, and types apart.",
    when: "after",
    by: "type",
  },
] as const;

const legendEntry = ({ name, look, cells }: Group) =>
  [look, `${name} (${formatCount(cells.length)})`] as const;

/** The cells before and after, by batch and by type. */
export function cloudSection(result: IntegrationResult): Markup {
  const { typeNames, batchNames, types, batches } = result;
  const { cells } = result.before;
  const some = cells.length < types.length
    ? ` ${formatCount(cells.length)} of the ${formatCount(types.length)} cells are drawn.`
    : "";
  const repeated = Math.max(typeNames.length, batchNames.length) > DISTINCT_LOOKS
    ? " There are more names than looks: some share colour and symbol."
    : "";
  const groups = { batch: groupsOf(batchNames, batches), type: groupsOf(typeNames, types) };
  const figure = ({ title, caption, when, by }: typeof CLOUDS[number]) =>
    markup`<figure>
<h3>${title}</h3>
<figcaption>${caption}</figcaption>
${cloudPlot(result[when], groups[by], describeCell(result))}
${legend(groups[by].map(legendEntry))}
</figure>\n`;
  return markup`<section>
<h2>The cells, before and after</h2>
<p class="quiet">Each symbol is a cell. t-SNE places cells that are near each other (in all principal
components before, in the learned embedding after) near each other in the plane; the coordinates have
no unit, no direction is better, and distances between clouds mean little. Names are followed by the
number of cells.${some}${repeated}</p>
<div class="panels paired" style="--least:440px;--most:520px">
${CLOUDS.map(figure)}</div>
</section>`;
}

function headings(first: string): Markup {
  const heading = ({ name, good }: typeof MEASURES[number]) =>
    markup`<th scope="col">${name}<br><span class="quiet">${good} is better</span></th>`;
  return markup`<tr><th scope="col">${first}</th>${MEASURES.map(heading)}</tr>`;
}

function row(title: string, measures: Measures): Markup {
  const cells = MEASURES.map(({ key }) => markup`<td>${formatMetric(measures[key])}</td>`);
  return markup`<tr><th scope="row">${title}</th>${cells}</tr>\n`;
}

/** All measures of all seeds, and what they mean. */
export function measureSection({ repeats, origin }: IntegrationResult): Markup {
  const rows = repeats.map(({ seed, before, after }) => [
    row(`seed ${seed}, before`, before),
    row(`seed ${seed}, after`, after),
  ]);
  const other = {
    simulated: "other cells and another network",
    synthetic: "another batch effect on the same cells and another network",
    measured: "another network on the same cells",
  }[origin];
  const meaning = ({ name, meaning }: typeof MEASURES[number]) =>
    markup`<div><dt>${name}</dt><dd style="text-align:left;flex:0 0 74%">${meaning}</dd></div>\n`;
  return markup`<section>
<h2>What integration does to the measures</h2>
<p class="quiet">None of them has a unit. Before: in the leading principal components of the
standardized expression, as many as the embedding has values. After: in the embedding that all terms
together have learned. Each seed is ${other}. A silhouette width by batch is not among the measures: it
compares a cell with the nearest other batch alone, so that batches which overlap in pairs give 0
however far apart the pairs lie (Rautenstrauch and Ohler 2025, doi 10.1038/s41587-025-02743-4).</p>
${table("Measures before and after", headings("seed"), rows)}
<dl style="grid-template-columns:repeat(auto-fill,minmax(min(330px,100%),1fr))">
${MEASURES.map(meaning)}</dl>
</section>`;
}

/** What each term is for: the measures without it. */
export function ablationSection({ ablation, repeats }: IntegrationResult): Markup | undefined {
  if (ablation.length < 2) return undefined;
  const { before, seed } = repeats[0]!;
  const rows = [
    row("before integration", before),
    ...ablation.map(({ title, measures }) => row(title, measures)),
  ];
  const drawn = MEASURES.filter(({ key }) => key === "ilisi" || key === "clisi" || key === "ari");
  const figure = (measure: typeof MEASURES[number]) =>
    markup`<div>${ablationPlot(ablation, before, measure)}</div>\n`;
  return markup`<section>
<h2>What each term is for</h2>
<p class="quiet">The same cells (seed ${seed}), with one thing changed at a time. MLM and MVC
include their share of “zero or not”, whether a gene is expressed at all. “Reversed in full”: the
discriminator’s gradient has factor 1, as in scGPT. “Mixed”: mini-batches hold cells of all batches;
otherwise of one batch each, as in scGPT. batchMixingLoss and mmdLoss take DAB’s place and weight; they
compare the batches within a mini-batch, so these must be mixed.</p>
<figure>
<figcaption>iLISI, cLISI and ARI (no unit; right is better) of each variant. The solid line is the
objective with all terms, the dashed one the cells before integration. A dot left of the solid line
of iLISI: batches are mixed less without what was changed. A dot left of it for cLISI or ARI: types
are less apart.</figcaption>
<div class="panels" style="--least:340px;--most:480px">
${drawn.map(figure)}</div>
</figure>
${table("Measures with one thing changed", headings("changed"), rows)}
<p class="quiet">One seed: differences of a few hundredths are chance; the seeds in the table above
show how much it does.</p>
</section>`;
}

/** The parts of the loss by epoch. */
export function lossSection({ history, batchNames }: IntegrationResult): Markup {
  const panel = ({ title, plot }: ReturnType<typeof lossPlots>[number]) =>
    markup`<div><h3>${title}</h3>
${plot}</div>\n`;
  const chance = formatMetric(Math.log(batchNames.length));
  return markup`<section>
<h2>Training</h2>
<figure>
<figcaption>Means over the mini-batches of each epoch, each panel with its own scale. Squared errors
are those of hidden values, in squares of log expression; “zero or not” is the negative log-likelihood; ECS has no
unit. Lower is better for all of these. DAB is what the discriminator is left with: where the
embedding does not tell it the batch, ${chance}, the logarithm of the number of batches. That alone does not
show that batches are mixed, as a discriminator that has learned too little, or sees a collapsed embedding, is there, too: see iLISI.</figcaption>
<div class="panels" style="--least:165px;--most:230px">
${lossPlots(history).map(panel)}</div>
</figure>
</section>`;
}

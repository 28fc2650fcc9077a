/** The sections of the trajectory report. */
import { formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { typeLook } from "../plots.ts";
import { legend, table } from "../report_parts.ts";
import type { BatchedCells } from "./batches.ts";
import type { Trajectory } from "./cells.ts";
import { arrowFigure, cosineFigure, embed, embeddingFigure } from "./figures.ts";
import type { LearnedStructure } from "./structure.ts";
import type { MixingMeasures } from "./structure_measures.ts";
import type { LearnedVelocity, VelocityMeasures } from "./velocity.ts";

const circles = (names: readonly string[]) =>
  legend(names.map((name, index) => [{ ...typeLook(index), symbol: "circle" }, name]));

/** Learned, true and wrongly learned velocities as arrows. */
export function fieldSection(cells: Trajectory, learned: readonly LearnedVelocity[]): Markup {
  const embedding = embed(cells);
  const of = (id: string) => learned.find(({ variant }) => variant.id === id)!;
  const panel = (name: string, velocity: LearnedVelocity["velocity"]) =>
    markup`<div><h3>${name}</h3>${arrowFigure(embedding, velocity, cells.labels)}</div>\n`;
  return markup`<section>
<h2>The velocity field</h2>
<figure>
<figcaption>Each dot is a cell, coloured by its fate and placed by its ${cells.unit} in the plane that
shows the fates apart; cells begin where the colours mingle. Each arrow is the mean velocity of the cells in one square, projected into the
plane; within a panel, longer is faster (each panel has its own scale). Good: the arrows of the first
panel point as those of the second. In the third the loss was negated, and cells run backwards.
</figcaption>
${circles(cells.fates)}
<div class="panels" style="--least:290px;--most:460px">
${panel("Learned", of("both").velocity)}${panel("True", cells.velocity)}
${panel("Learned with the wrong sign", of("negated").velocity)}</div>
</figure>
</section>`;
}

function velocityRow(name: string, m: VelocityMeasures): Markup {
  return markup`<tr><th scope="row">${name}</th><td><b>${formatMetric(m.cosine)}</b></td>
<td>${formatMetric(m.cosineOfAll)}</td><td>${m.lengthRatio.toFixed(2)} ×</td></tr>\n`;
}

/** How well directions and lengths are met. */
export function velocitySection(
  cells: Trajectory,
  learned: readonly LearnedVelocity[],
  base: { observed: VelocityMeasures; mean: VelocityMeasures },
): Markup {
  const of = (id: string) => learned.find(({ variant }) => variant.id === id)!.measures;
  const panel = (name: string, m: VelocityMeasures, color: string) =>
    markup`<div><h3>${name}<span class="quiet"> · mean ${formatMetric(m.cosine)}</span></h3>${
      cosineFigure(m.cosines, color)
    }</div>\n`;
  const rows = [
    ...learned.map(({ variant, measures }) => velocityRow(variant.name, measures)),
    velocityRow("Not learned: the observed step itself", base.observed),
    velocityRow("Not learned: the mean step of all cells", base.mean),
  ];
  return markup`<section>
<h2>How well it is met, on held-out cells</h2>
<p class="quiet">velocityConsistencyLoss compares the predicted step, ${
    cells.dt.toFixed(2)
  } times the
velocity, with the observed one: 1 − cosine for the direction, the squared difference for the length.
Cosine with the true direction: 1 is the same direction, 0 a right angle, −1 the opposite;
${of("both").moving} of ${cells.test.length} held-out cells move (their true velocity is at least a
quarter of the mean one), the others rest and have no direction to speak of. Length: predicted over
true, 1.00 × is right; where readings carry noise, observed steps are longer than true ones, and the
length term learns that.</p>
${table("Velocities of cells", ["learned by", "cosine, moving", "all cells", "length"], rows)}
<figure>
<figcaption>How the cosines of the moving held-out cells are spread: share of cells per tenth. Bars
far to the right are good.</figcaption>
<div class="panels" style="--least:220px;--most:280px">
${panel("Both terms", of("both"), "var(--accent)")}
${panel("The observed step", base.observed, "var(--quiet)")}
${panel("Wrong sign", of("negated"), "var(--wrong)")}</div>
</figure>
</section>`;
}

/** Which sign each loss takes. */
export function signSection(): Markup {
  const words = ["lower means", "sign", "mind"];
  const rows = [
    ["batchMixingLoss", "batches are mixed", "+", "The entropy is negated inside already"],
    ["clusteringCompactnessLoss", "clusters are tight and apart", "+", "Has no upper bound"],
    ["shannonDiversityLoss of each cell", "cells are decided", "+", "Higher is more diverse"],
    [
      "simpsonDiversityLoss of the mean cell",
      "all clusters are used",
      "+",
      "Lower is more diverse",
    ],
    [
      "velocityConsistencyLoss",
      "velocities point to the future",
      "+",
      "Compares lengths, not vectors, in its second term",
    ],
  ] as const;
  return markup`<section>
<h2>Which sign each loss takes</h2>
<p class="quiet">All of these are to be minimised as they are. The names of two mislead: both diversity
losses are called losses, but one grows with diversity and the other falls. DiffBio's example of
combined training negates the batch mixing loss “to maximize” it, which trains against mixing.</p>
${
    table(
      "Signs of the losses",
      ["loss", ...words],
      rows.map(([name, ...entries]) =>
        markup`<tr><th scope="row">${name}</th>${
          entries.map((word) => markup`<td class="words">${word}</td>`)
        }</tr>\n`
      ),
      words,
    )
  }
</section>`;
}

const STRUCTURE_COLUMNS = [
  "objective",
  "batch entropy",
  "iLISI",
  "silhouette",
  "ARI",
  "indecision",
  "clusters used",
  "radius",
];

/** What the embeddings are like, and what they were made of. */
function structureRows(
  { inputs, typeCount }: BatchedCells,
  before: MixingMeasures,
  learned: readonly LearnedStructure[],
): Markup[] {
  const cellsOf = (values: readonly (number | undefined)[]) =>
    values.map((value) => markup`<td>${formatMetric(value)}</td>`);
  const none = markup`<td>–</td>`;
  const first = markup`<tr><th scope="row">Before: ${inputs.shape[1]!} principal components</th>${
    cellsOf([before.batchEntropy, before.ilisi, before.silhouette, undefined, undefined])
  }${[none, none]}</tr>\n`;
  const rows = learned.map(({ variant, measures: m }) =>
    markup`<tr><th scope="row">${variant.name}</th>${
      cellsOf([m.batchEntropy, m.ilisi, m.silhouette, m.ari, m.indecision])
    }<td>${m.clustersUsed} of ${typeCount}</td><td>${m.radius.toFixed(1)}</td></tr>\n`
  );
  return [first, ...rows];
}

/** Every embedding, by cell type and by batch. */
function embeddingFigures(cells: BatchedCells, learned: readonly LearnedStructure[]): Markup {
  const names = (count: number, what: string) =>
    Array.from({ length: count }, (_, i) => `${what} ${i}`);
  const panel = ({ variant, embedding }: LearnedStructure) =>
    markup`<div><h3>${variant.name}</h3><p class="quiet">${variant.note}</p>
<div class="panels" style="--least:150px;--most:260px;gap:4px">
<div>${embeddingFigure(embedding, cells.types)}</div>
<div>${embeddingFigure(embedding, cells.batches)}</div></div></div>\n`;
  return markup`<figure>
<figcaption>Every embedding twice: left coloured by cell type, where separate colours are good; right
by batch, where mixed colours are good. Axes are in the embedding's own unit and differ between
panels: mind the numbers under “Compactness negated”.</figcaption>
${circles(names(cells.typeCount, "left: type"))}${circles(names(cells.batchCount, "right: batch"))}
<div class="panels" style="--least:340px;--most:260px">
${learned.map(panel)}</div>
</figure>`;
}

/** The structure losses in one objective, with right and wrong signs. */
export function structureSection(
  cells: BatchedCells,
  before: MixingMeasures,
  learned: readonly LearnedStructure[],
): Markup {
  return markup`<section>
<h2>One objective of all structure losses</h2>
<p class="quiet">An autoencoder into the plane, on simulated cells of ${cells.typeCount} types in
${cells.batchCount} batches; no loss sees the types. Batch entropy and iLISI: how mixed the batches
are among neighbours, from 0 to 1, higher is better. Silhouette by cell type: from −1 to 1, higher is
better. ARI: agreement of the learned clusters with the types, 1 is the same, 0 chance. Indecision:
entropy of a cell's assignment, from 0 (decided) to 1. Radius: root mean square distance from the
centre, in the embedding's own unit; a large one has run away.</p>
${table("Embeddings by signs", STRUCTURE_COLUMNS, structureRows(cells, before, learned))}
${embeddingFigures(cells, learned)}
</section>`;
}

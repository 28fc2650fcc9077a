/** The sections of the report on perturbations. */
import { formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { curvePlot } from "../plots.ts";
import { bar, table } from "../report_parts.ts";
import { type ConditionKind, HELD_OUT_KINDS } from "./design.ts";
import { changeMap, changePlot, type GeneChange, type MapRow } from "./figures.ts";
import {
  cellsOf,
  heldOut,
  meanExpression,
  meanOfRows,
  rank,
  type Scores,
  TOP_GENES,
} from "./measures.ts";
import type { Method, PerturbResult } from "./report.ts";

/** All scores of all methods. */
export function scoreSection({ baselines, models }: PerturbResult): Markup {
  const methods = [...models, ...baselines];
  const row = ({ name, scores: { all } }: Method) =>
    markup`<tr><th scope="row">${name}</th>${
      [all.pearsonDelta, all.pearsonDeltaDe, all.pearson, all.pearsonDe].map(bar)
    }<td>${formatMetric(all.mse)}</td><td>${formatMetric(all.mseDe)}</td></tr>\n`;
  const kindRow = ({ name, scores }: Method) =>
    markup`<tr><th scope="row">${name}</th>${
      HELD_OUT_KINDS.map((kind) => bar(scores.kinds[kind]?.pearsonDelta))
    }</tr>\n`;
  return markup`<section>
<h2>How well held-out effects are predicted</h2>
<p class="quiet">Means over all held-out perturbations. Pearson correlation over genes, between the
predicted and the observed mean expression of a perturbation's cells, or of the change of that mean
against control; from −1 to 1, higher is better. Top: over the ${TOP_GENES} genes that changed most
clearly. MSE: mean squared error in squared log-expression, lower is better. Correlation on all genes
is high for whoever predicts that nothing happens, as genes differ more than perturbations: the change is
what counts. Sum of single changes: what each activated gene did alone, if that was seen. The known
effect comes from the simulation; it falls short of 1 as the observed cells are few and noisy.</p>
${
    table("Scores of all methods", [
      "predicted by",
      "change",
      "change, top",
      "all genes",
      "top genes",
      "MSE",
      "MSE, top",
    ], methods.map(row))
  }
<h3>Pearson correlation on the change, by what is new</h3>
<p class="quiet">From −1 to 1, higher is better. Combinations of two genes that were both seen
alone, of which one was, or none; and single activations of genes that were never activated in
training. Of a new gene, the model knows only how it behaves in other cells.</p>
${table("Scores by kind", ["predicted by", ...HELD_OUT_KINDS], methods.map(kindRow))}
</section>`;
}

/** The predicted and the observed change of each gene. */
function changesOf({ experiment, models }: PerturbResult, condition: number): GeneChange[] {
  const control = meanExpression(experiment, cellsOf(experiment, -1));
  const cells = cellsOf(experiment, condition);
  const observed = meanExpression(experiment, cells);
  const predicted = meanOfRows(models[0]!.predict(condition, cells), control.length);
  const top = new Set(rank(experiment, cells).slice(0, TOP_GENES));
  return Array.from(control, (rest, gene) => ({
    gene,
    observed: observed[gene]! - rest,
    predicted: predicted[gene]! - rest,
    top: top.has(gene),
    perturbed: experiment.conditions[condition]!.genes.includes(gene),
  }));
}

/** The perturbation of a kind whose score is the median: neither the best nor the worst. */
function typical(
  { experiment }: PerturbResult,
  { pearsonDelta }: Scores,
  kind: ConditionKind,
): { condition: number; score: number } | undefined {
  const ranked = heldOut(experiment)
    .map((condition, i) => ({ condition, score: pearsonDelta[i]! }))
    .filter(({ condition }) => experiment.conditions[condition]!.kind === kind)
    .sort((a, b) => a.score - b.score);
  return ranked[Math.floor(ranked.length / 2)];
}

/** Predicted against observed changes, one perturbation of each kind. */
export function changeSection(result: PerturbResult): Markup {
  const chosen = HELD_OUT_KINDS.flatMap((kind) => {
    const found = typical(result, result.models[0]!.scores, kind);
    return found === undefined
      ? []
      : [{ kind, ...found, genes: changesOf(result, found.condition) }];
  });
  const largest = Math.max(
    ...chosen.flatMap(({ genes }) =>
      genes.flatMap(({ observed, predicted }) => [Math.abs(observed), Math.abs(predicted)])
    ),
  );
  const most = 2 * Math.ceil(largest / 2);
  const panel = ({ kind, condition, score, genes }: typeof chosen[number]) =>
    markup`<div><h3>${result.experiment.conditions[condition]!.name}<br><span class="quiet">${kind},
Pearson ${formatMetric(score)}</span></h3>
${changePlot(genes, most)}</div>\n`;
  const entry = (look: Markup, text: string) =>
    markup`<li><svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><circle cx="7" cy="7"
r="4.5" ${look}/></svg>${text}</li>`;
  return markup`<section>
<h2>Predicted and observed changes</h2>
<figure>
<figcaption>One held-out perturbation of each kind, that of median correlation. Each dot is a gene:
the change of its mean log-expression against control, observed (to the right) and predicted by ${
    result.models[0]!.name
  } (upwards), in natural-log units. Good are dots on the dashed line; dots nearer to the horizontal
middle are effects predicted too small.</figcaption>
<ul class="legend">${entry(TOP, `the ${TOP_GENES} most clearly changed genes`)}${
    entry(OTHER, "other genes")
  }${entry(RING, "ringed: the perturbed genes")}</ul>
<div class="panels" style="--least:240px;--most:340px">
${chosen.map(panel)}</div>
</figure>
</section>`;
}

/** The looks of dots in the legend. */
const TOP = markup`fill="var(--wrong)"`;
const OTHER = markup`fill="var(--accent)"`;
const RING = markup`fill="none" stroke="currentColor" stroke-width="1.6"`;

/** A few lines of each kind in the map. */
const LINES_PER_KIND = 3;

/** Observed above predicted changes of all genes, some perturbations of each kind. */
export function mapSection(result: PerturbResult): Markup {
  const { experiment } = result;
  const chosen = HELD_OUT_KINDS.flatMap((kind) =>
    heldOut(experiment).filter((c) => experiment.conditions[c]!.kind === kind)
      .slice(0, LINES_PER_KIND)
  );
  const rows = chosen.flatMap((condition): MapRow[] => {
    const genes = changesOf(result, condition);
    const { name } = experiment.conditions[condition]!;
    return [
      { label: `${name}, observed`, changes: genes.map(({ observed }) => observed), gap: true },
      { label: "predicted", changes: genes.map(({ predicted }) => predicted), gap: false },
    ];
  });
  const order = similarOrder(rows.filter(({ gap }) => gap).map(({ changes }) => changes));
  return markup`<section>
<h2>The changes of all genes</h2>
<figure>
<figcaption>Each pair of lines is a held-out perturbation: observed above, predicted below. Each column
is a gene, genes that change alike side by side. Colour is the change of mean log-expression against
control, in natural-log units: orange up, blue down, full colour from 1.5 on. Good are pairs of equal
lines; a paler lower line is an effect predicted too small.</figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="Map of changes">
${changeMap(rows, order, 1.5)}
</div>
</figure>
</section>`;
}

/** Genes in an order in which each is followed by the one most like it. */
function similarOrder(rows: readonly ArrayLike<number>[]): number[] {
  const left = new Set(Array.from({ length: rows[0]!.length }, (_, gene) => gene));
  const distance = (a: number, b: number) =>
    rows.reduce((sum, row) => sum + (row[a]! - row[b]!) ** 2, 0);
  const mean = (gene: number) => rows.reduce((sum, row) => sum + row[gene]!, 0);
  let current = [...left].reduce((a, b) => mean(b) > mean(a) ? b : a);
  const order = [current];
  left.delete(current);
  while (left.size > 0) {
    current = [...left].reduce((a, b) => distance(current, b) < distance(current, a) ? b : a);
    order.push(current);
    left.delete(current);
  }
  return order;
}

/** All held-out perturbations, one by one. */
export function conditionSection({ experiment, baselines, models }: PerturbResult): Markup {
  const [, mean, sum, known] = baselines as [Method, Method, Method, Method];
  const shown = [models[0]!, mean, sum, known];
  const row = (condition: number, i: number) => {
    const { name, kind } = experiment.conditions[condition]!;
    return markup`<tr><th scope="row">${name}</th><td class="words">${kind}</td>${
      shown.map(({ scores }) => bar(scores.pearsonDelta[i]))
    }</tr>\n`;
  };
  return markup`<section>
<h2>Each held-out perturbation</h2>
<p class="quiet">Pearson correlation on the change against control, over all genes; from −1 to 1,
higher is better; a bar that is empty stands for 0 or less.</p>
${
    table(
      "Scores of each held-out perturbation",
      ["perturbation", "kind", ...shown.map(({ name }) => name)],
      heldOut(experiment).map(row),
      ["kind"],
    )
  }
</section>`;
}

/** The loss, and what it does to held-out perturbations. */
export function trainingSection({ models, budget }: PerturbResult): Markup {
  const losses = models.map(({ history }) => history.map(({ losses }) => losses.total!));
  const loss = (model: Method, i: number) =>
    markup`<div><h3>${model.name}</h3>
${
      curvePlot({ training: losses[i]!, heldOut: [] }, {
        label: "loss",
        top: Math.max(...losses[i]!),
        epochs: budget.epochs,
      })
    }
${
      curvePlot(
        { heldOut: model.history.map(({ measures }) => Math.max(0, measures.heldOutPearson!)) },
        { label: "Pearson on the change", top: 1, epochs: budget.epochs },
      )
    }</div>\n`;
  return markup`<section>
<h2>Training</h2>
<figure>
<figcaption>After each epoch (one pass over the training cells). Solid: the loss, masked MSE in squared
log-expression plus what other terms are on, mean over cells; lower is better. It does not reach 0, as
a cell cannot be told from its control. Dashed: Pearson correlation on the change, over a few cells of
each held-out perturbation; higher is better, values below 0 are drawn as 0.</figcaption>
<div class="panels" style="--least:200px;--most:260px">
${models.map(loss)}</div>
</figure>
</section>`;
}

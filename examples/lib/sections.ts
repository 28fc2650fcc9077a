/**
 * The sections of a report: each figure with a caption that says what it shows, in which units and
 * which direction is good.
 */
import { formatCount, formatMetric, formatPercent, MISSING } from "./format.ts";
import { type Markup, markup } from "./html.ts";
import {
  confusionPlot,
  type CurveAxes,
  curvePlot,
  DISTINCT_LOOKS,
  type FoldCurves,
  type Look,
  type Plane,
  scatterPlot,
  typeLook,
} from "./plots.ts";
import { bar, curveLegend, legend, table } from "./report_parts.ts";
import type { AnnotationResult, ClassResult } from "./report.ts";

const CORRECT: Look = { color: "var(--type-4)", symbol: "circle" };
const WRONG: Look = { color: "var(--wrong)", symbol: "times" };
const NOT_PREDICTED: Look = { color: "var(--line)", symbol: "circle" };

const MISTAKEN = "most often mistaken for (share of the type)";

/** The type that a type's cells were most often mistaken for. */
function commonestMistake(result: AnnotationResult, type: number): string {
  const row = result.confusion[type] ?? [];
  const total = row.reduce((sum, cells) => sum + cells, 0);
  const wrong = row.map((cells, prediction) => prediction === type ? 0 : cells);
  const most = Math.max(0, ...wrong);
  if (most === 0) return MISSING;
  return `${result.classes[wrong.indexOf(most)]} (${formatPercent(most / total)})`;
}

export function perClassSection(result: AnnotationResult): Markup {
  const row = ({ name, cells, recall, precision, f1, iou }: ClassResult, type: number) =>
    markup`<tr><th scope="row">${name}</th><td>${formatCount(cells)}</td>${
      [recall, precision, f1, iou].map(bar)
    }<td class="words">${commonestMistake(result, type)}</td></tr>\n`;
  return markup`<section>
<h2>Each cell type</h2>
<p class="quiet">All measures run from 0 to 1 and higher is better; the bars show the same numbers.
Recall: share of the type's cells that were found. Precision: share of the cells given this type
that are of it. F1: their harmonic mean. IoU: cells in both, over cells in either. A dash: not
defined, as no cell has the type or was given it.</p>
${
    table(
      "Measures per cell type",
      ["type", "cells", "recall", "precision", "F1", "IoU", MISTAKEN],
      result.perClass.map(row),
      [MISTAKEN],
    )
  }
</section>`;
}

export function confusionSection({ classes, confusion }: AnnotationResult): Markup {
  return markup`<section>
<h2>Which types are taken for which</h2>
<figure>
<figcaption>Each row holds the cells of one true type, each column the cells given one type. The
numbers are cells; no number means no cells. Colour is the share of the row, in percent. Good is a
strongly coloured diagonal (outlined) and nothing beside it.</figcaption>
<p class="quiet">0 % <span class="ramp"></span> 100 % of the true type</p>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">
${confusionPlot(classes, confusion)}
</div>
</figure>
</section>`;
}

function panels(result: AnnotationResult, folds: readonly FoldCurves[], axes: CurveAxes): Markup {
  const panel = (fold: FoldCurves, index: number) =>
    markup`<div><h3>Fold ${index + 1}<span class="quiet"> · accuracy ${
      formatMetric(result.foldAccuracies[index])
    }</span></h3>
${curvePlot(fold, axes)}</div>\n`;
  return markup`<div class="panels" style="--least:165px;--most:230px">
${folds.map(panel)}</div>`;
}

function accuracyFigure(result: AnnotationResult, epochs: number): Markup | undefined {
  const folds = result.folds.map(({ validationAccuracy = [] }) => ({
    heldOut: validationAccuracy,
  }));
  if (folds.every(({ heldOut }) => heldOut.length === 0)) return undefined;
  return markup`<figure>
<figcaption>The accuracy on the held-out cells after each epoch, per fold: share of cells given
their type, from 0 to 1. Higher is better.</figcaption>
${panels(result, folds, { label: "accuracy (share of cells)", top: 1, epochs })}
</figure>`;
}

/** Loss per fold and, where it was recorded, accuracy per fold. */
export function curveSection(result: AnnotationResult): Markup {
  const folds = result.folds.map(({ trainLoss, validationLoss }) => ({
    training: trainLoss,
    heldOut: validationLoss,
  }));
  const losses = folds.flatMap(({ training, heldOut }) => [...training, ...heldOut]);
  if (losses.length === 0) {
    return markup`<section><h2>Training</h2><p>No epoch was finished.</p></section>`;
  }
  const top = losses.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0) || 1;
  const epochs = Math.max(...folds.map(({ training }) => training.length));
  return markup`<section>
<h2>Training</h2>
<figure>
<figcaption>The loss after each epoch (one pass over the training cells), per fold: mean over cells,
in nats, weighted as the settings below say. Lower is better. A dashed line that rises while the
solid one falls means that the network learns its training cells by heart.</figcaption>
${curveLegend()}
${panels(result, folds, { label: "loss (nats per cell)", top, epochs })}
</figure>
${accuracyFigure(result, epochs)}
</section>`;
}

function axisLabel(component: number, share: number): string {
  const explained = Number.isFinite(share) ? ` (${(100 * share).toFixed(1)} % of variance)` : "";
  return `principal component ${component}${explained}`;
}

/** The cells in two principal components, by type and by correctness. */
export function planeSection(result: AnnotationResult): Markup {
  const { truth, embedding: { cells, x, y, explainedVariance: [first, second] } } = result;
  const plane: Plane = { x, y, labels: [axisLabel(1, first), axisLabel(2, second)] };
  const sampled = cells.length < truth.length
    ? `${formatCount(cells.length)} of the ${formatCount(truth.length)} cells are drawn, evenly ` +
      "spread; z-scores and components are theirs."
    : "";
  return markup`<section>
<h2>The cells in two dimensions</h2>
<p class="quiet">Each symbol is a cell, placed by the first two principal components of its gene
expression (scores, no unit; no direction is better). ${sampled}</p>
<div class="panels paired" style="--least:440px;--most:520px">
${typeFigure(result, plane)}
${correctnessFigure(result, plane)}
</div>
</section>`;
}

/** Some drawn cells, by their places among these, how they look, and how many there are in all. */
interface Group {
  name: string;
  look: Look;
  cells: number[];
  total: number;
}

function describeCell({ classes, truth, prediction, confidence }: AnnotationResult, cell: number) {
  const type = (label: number, otherwise: string) => classes[label] ?? otherwise;
  const probability = confidence === undefined || prediction[cell]! < 0
    ? ""
    : `, probability ${formatMetric(confidence[cell])}`;
  return `Cell ${cell + 1}: true ${type(truth[cell]!, MISSING)}, ` +
    `predicted ${type(prediction[cell]!, MISSING)}${probability}`;
}

function scatter(result: AnnotationResult, plane: Plane, groups: readonly Group[]): Markup {
  return scatterPlot(plane, groups, (at) => describeCell(result, result.embedding.cells[at]!));
}

function legendOf(groups: readonly Group[]): Markup {
  return legend(groups.map(({ name, look, total }) => [look, `${name} (${formatCount(total)})`]));
}

/** Where the drawn cells are that something is true of. */
function drawnWhere({ embedding: { cells } }: AnnotationResult, of: (cell: number) => boolean) {
  return [...cells.keys()].filter((at) => of(cells[at]!));
}

function typeFigure(result: AnnotationResult, plane: Plane): Markup {
  const { classes, truth } = result;
  const groups = classes.map((name, type) => ({
    name,
    look: typeLook(type),
    cells: drawnWhere(result, (cell) => truth[cell] === type),
    total: truth.reduce((total, label) => total + Number(label === type), 0),
  }));
  const repeated = classes.length > DISTINCT_LOOKS
    ? " There are more types than looks: some share colour and symbol."
    : "";
  return markup`<figure>
<h3>By true type</h3>
<figcaption>Types that lie apart here are easy to tell apart; types that overlap need the other
components. Rare types are drawn on top.${repeated}</figcaption>
${scatter(result, plane, groups.toSorted((a, b) => b.total - a.total))}
${legendOf(groups)}
</figure>`;
}

function correctnessFigure(result: AnnotationResult, plane: Plane): Markup {
  const { truth, prediction } = result;
  const nameOf = (type: number, cell: number) =>
    type < 0 ? "not predicted" : type === truth[cell] ? "correct" : "wrong";
  const looks = { "not predicted": NOT_PREDICTED, correct: CORRECT, wrong: WRONG };
  const groups = Object.entries(looks).map(([name, look]) => ({
    name,
    look,
    cells: drawnWhere(result, (cell) => nameOf(prediction[cell]!, cell) === name),
    total: prediction.reduce((total, type, cell) => total + Number(nameOf(type, cell) === name), 0),
  })).filter(({ look, total }) => total > 0 || look !== NOT_PREDICTED);
  return markup`<figure>
<h3>By correctness</h3>
<figcaption>Each cell as predicted while its fold was held out; wrong ones are drawn on top. Few
crosses are good. Crosses within one cloud are cells that look like another type; crosses at a
border are types that the network cannot separate.</figcaption>
${scatter(result, plane, groups)}
${legendOf(groups)}
</figure>`;
}

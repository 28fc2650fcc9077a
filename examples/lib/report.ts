/** The report of a cross-validated cell-type annotation: one self-contained HTML file. */
import { formatCount, formatMetric } from "./format.ts";
import { type Markup, markup } from "./html.ts";
import { reportPage, settingsSection, tiles } from "./report_parts.ts";
import { confusionSection, curveSection, perClassSection, planeSection } from "./sections.ts";

/** The cells behind a run. */
export interface DatasetSummary {
  /** File or generator that the cells come from. */
  source: string;
  cells: number;
  genes: number;
  /** Number of genes that the network sees. */
  genesUsed: number;
  /** Whether the cells were simulated rather than measured. */
  simulated: boolean;
  /** What was left out of the file and what was done with it; nothing by default. */
  notes?: readonly string[];
}

/** Losses and accuracies of one fold, one value per epoch. */
export interface FoldHistory {
  /** Mean loss over the training cells. */
  trainLoss: readonly number[];
  /** Mean loss over the held-out cells. */
  validationLoss: readonly number[];
  /** Share of held-out cells whose type was predicted. */
  validationAccuracy?: readonly number[];
}

/** Measures of one cell type, pooled over the folds; NaN or undefined where there is none. */
export interface ClassResult {
  name: string;
  cells: number;
  /** Share of the type's cells that were found. */
  recall: number | undefined;
  /** Share of the cells given this type that are of it. */
  precision: number | undefined;
  /** Harmonic mean of recall and precision. */
  f1: number | undefined;
  /** Intersection over union of true and predicted cells. */
  iou: number | undefined;
}

/** Everything that {@linkcode annotationReport} shows. */
export interface AnnotationResult {
  title: string;
  dataset: DatasetSummary;
  settings: Readonly<Record<string, string | number>>;
  /** The loss in words: its `describe()`. */
  lossDescription: string;
  /** Names of the cell types; labels index them. */
  classes: readonly string[];
  /** Histories of the folds that were reached. */
  folds: readonly FoldHistory[];
  /** Counts, `[true][predicted]`, pooled over the folds. */
  confusion: readonly (readonly number[])[];
  perClass: readonly ClassResult[];
  /** Share of predicted cells whose type is right. */
  accuracy: number | undefined;
  /** Mean of F1 over the types. */
  macroF1: number | undefined;
  /** Accuracy of each finished fold on its held-out cells. */
  foldAccuracies: readonly number[];
  /** The first two principal components of the cells that are drawn. */
  embedding: {
    /** The cells: all of them, or a part that is evenly spread. */
    cells: Int32Array;
    x: Float64Array;
    y: Float64Array;
    /** Shares of the variance that the two explain, from 0 to 1. */
    explainedVariance: readonly [number, number];
  };
  /** True type of each cell. */
  truth: Int32Array;
  /** Predicted type of each cell; -1 where the run was stopped before its fold. */
  prediction: Int32Array;
  /** Predicted probability of the predicted type, per cell. */
  confidence?: ArrayLike<number> | undefined;
  elapsedSeconds: number;
  /** Whether the run was stopped before its end. */
  interrupted: boolean;
}

export function annotationReport(result: AnnotationResult): string {
  return reportPage(
    result.title,
    markup`<p class="quiet">${source(result)}</p>
${notes(result)}`,
    [
      numbers(result),
      perClassSection(result),
      confusionSection(result),
      curveSection(result),
      planeSection(result),
      settingsSection(result.settings, markup`<pre>${result.lossDescription}</pre>\n`),
    ],
  );
}

function source({ dataset }: AnnotationResult): string {
  const { cells, genes, genesUsed } = dataset;
  const used = genesUsed === genes ? "all used" : `${formatCount(genesUsed)} used`;
  return `${dataset.source} · ${formatCount(cells)} cells · ${formatCount(genes)} genes, ${used}`;
}

function notes({ dataset, interrupted, prediction, foldAccuracies }: AnnotationResult): Markup[] {
  const predicted = prediction.reduce((total, type) => total + Number(type >= 0), 0);
  const list: Markup[] = [];
  if (interrupted) {
    list.push(
      markup`<p class="note"><strong>Interrupted.</strong> The run was stopped before its end.
This report covers what was reached: ${formatCount(foldAccuracies.length)} finished
${foldAccuracies.length === 1 ? "fold" : "folds"}, ${formatCount(predicted)} of
${formatCount(prediction.length)} cells predicted.</p>`,
    );
  }
  if (dataset.simulated) {
    list.push(
      markup`<p class="note"><strong>Simulated cells.</strong> These cells come from a random
model, not from an experiment: they show how well the method works, nothing about biology.</p>`,
    );
  }
  if (dataset.notes !== undefined && dataset.notes.length > 0) {
    list.push(markup`<p class="note">${dataset.notes.join(". ")}.</p>`);
  }
  return list;
}

/** Share of the commonest type: what one gets by always guessing it. */
function guessingAccuracy(confusion: AnnotationResult["confusion"]): number {
  const totals = confusion.map((row) => row.reduce((sum, cells) => sum + cells, 0));
  return Math.max(0, ...totals) / totals.reduce((sum, cells) => sum + cells, 0);
}

function numbers(result: AnnotationResult): Markup {
  const folds = result.foldAccuracies.filter(Number.isFinite);
  const ends = [Math.min(...folds), Math.max(...folds)].map(formatMetric);
  return tiles([
    [formatMetric(result.accuracy), "accuracy: share of cells given their type; 1 is best"],
    [
      formatMetric(result.macroF1),
      "macro F1: mean over the types, rare ones count alike; 1 is best",
    ],
    [
      formatMetric(guessingAccuracy(result.confusion)),
      "accuracy of always guessing the commonest type",
    ],
    [[...new Set(ends)].join("–"), `accuracy of the single folds (${folds.length} finished)`],
  ], result.elapsedSeconds);
}

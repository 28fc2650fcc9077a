/** The report on hierarchical annotation: one self-contained HTML file. */
import { formatCount, formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { reportPage, settingsSection, tiles } from "../report_parts.ts";
import type { EpochRecord } from "../training/mod.ts";
import type { AnnotatedCells } from "./annotated_cells.ts";
import type { LearnSettings } from "./classifiers.ts";
import type { Measures } from "./measures.ts";
import {
  comparisonSection,
  confusionSection,
  levelSection,
  trainingSection,
  treeSection,
  typeSection,
} from "./sections.ts";

/** Everything that {@linkcode hierarchyReport} shows. */
export interface HierarchyResult {
  cells: AnnotatedCells;
  settings: LearnSettings;
  device: string;
  /** The flat classifier as the demo reads it. */
  flat: Measures;
  /** The hierarchical classifier, read down the tree. */
  hierarchical: Measures;
  /** Each classifier, read in the other's way. */
  others: Measures[];
  /** What the local heads tell by themselves, per level below the root. */
  localAccuracy: number[];
  /** Share of cells whose depth the global head tells. */
  depthAccuracy: number;
  /** The hierarchical classifier's losses, per fold. */
  histories: EpochRecord[][];
  elapsedSeconds: number;
}

export function hierarchyReport(result: HierarchyResult): string {
  const { cells } = result;
  return reportPage(
    "Cell types along an ontology",
    markup`<p class="quiet">${cells.source} · ${formatCount(cells.labels.length)} cells · ${
      formatCount(cells.expression.shape[1]!)
    } genes · ${cells.ontology}: ${cells.classes.length} types, ${cells.hierarchy.ids.length} terms on
${cells.hierarchy.classes.length} levels</p>
${simulatedNote(cells)}`,
    [
      numbers(result),
      treeSection(result),
      comparisonSection(result),
      levelSection(result),
      typeSection(result),
      confusionSection(result),
      trainingSection(result),
      describeSettings(result),
    ],
  );
}

function simulatedNote({ simulated }: AnnotatedCells): Markup | undefined {
  if (!simulated) return undefined;
  return markup`<p class="note"><strong>Simulated cells.</strong> These cells come from a random
model on the tree of types, not from an experiment: they show how the method works, nothing about
blood.</p>`;
}

function numbers({ flat, hierarchical, elapsedSeconds }: HierarchyResult): Markup {
  const pair = (read: (measures: Measures) => string) => `${read(hierarchical)} / ${read(flat)}`;
  return tiles([
    [
      pair((m) => formatMetric(m.macroF1)),
      "macro F1, hierarchical / flat: mean over the types; 1 is best",
    ],
    [
      pair((m) => formatMetric(m.hierarchicalF1)),
      "hierarchical F1, hierarchical / flat: near misses cost less; 1 is best",
    ],
    [
      pair((m) => String(m.outsideBranch)),
      "cells given a type of another main branch, hierarchical / flat; fewer are better",
    ],
    [
      pair((m) => formatMetric(m.accuracy)),
      "accuracy, hierarchical / flat: share of cells given their type; 1 is best",
    ],
  ], elapsedSeconds);
}

function describeSettings({ settings, device }: HierarchyResult): Markup {
  const { units, beta, focalWeight, gamma, learningRate, epochs, folds, seed } = settings;
  return settingsSection({
    loss: "β · global + local + φ · focal",
    "β, weight of the global loss": beta,
    "φ, weight of the focal loss": focalWeight,
    "γ of the focal loss": gamma,
    "class weights of the focal loss": "N / n",
    "units of the hidden layer": units.hidden,
    "units per level": units.level,
    optimizer: "AdamW, weight decay 5",
    "learning rate": learningRate,
    epochs,
    folds,
    seed,
    device,
  });
}

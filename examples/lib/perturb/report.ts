/** The report on predicted perturbations: one self-contained HTML file. */
import { formatCount, formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { reportPage, settingsSection, tiles } from "../report_parts.ts";
import type { EpochRecord } from "../training/mod.ts";
import type { Experiment, ExperimentSizes } from "./experiment.ts";
import type { Budget } from "./learn.ts";
import { heldOut, type Predictor, type Scores } from "./measures.ts";
import {
  changeSection,
  conditionSection,
  mapSection,
  scoreSection,
  trainingSection,
} from "./sections.ts";

/** A way of predicting, and how good it is. */
export interface Method {
  name: string;
  predict: Predictor;
  scores: Scores;
  /** Losses after each epoch; none for baselines. */
  history: EpochRecord[];
}

/** Everything that {@linkcode perturbReport} shows. */
export interface PerturbResult {
  experiment: Experiment;
  sizes: ExperimentSizes;
  budget: Budget;
  seed: number;
  device: string;
  /** Simple guesses, the known effect last. */
  baselines: Method[];
  /** The trained networks; the figures show the first. */
  models: Method[];
  elapsedSeconds: number;
}

export function perturbReport(result: PerturbResult): string {
  const { experiment, sizes } = result;
  const unseen = heldOut(experiment).length;
  const cells = formatCount(experiment.types.length);
  return reportPage(
    "Effects of perturbations, predicted",
    markup`<p class="quiet">simulateExperiment() · ${cells} cells · ${
      formatCount(sizes.genes)
    } genes · ${experiment.conditions.length - unseen} perturbations to learn from, ${unseen} held
out</p>
<p class="note"><strong>Simulated experiment.</strong> Activating a gene moves the pathways that it
belongs to, two genes together move them less than the sum of both, and every perturbation moves one
pathway. So the effects are known; they say nothing about biology, whose effects are smaller and less
orderly.</p>`,
    [
      numbers(result),
      scoreSection(result),
      changeSection(result),
      mapSection(result),
      conditionSection(result),
      trainingSection(result),
      describeSettings(result),
    ],
  );
}

function numbers({ baselines, models, elapsedSeconds }: PerturbResult): Markup {
  const [nothing, mean, , known] = baselines as [Method, Method, Method, Method];
  const change = ({ scores }: Method) => formatMetric(scores.all.pearsonDelta);
  const model = models[0]!;
  return tiles([
    [change(model), "Pearson correlation on the change against control, held out; 1 is best"],
    [
      `${change(nothing)} and ${change(mean)}`,
      "the same for no change, and for the mean of training perturbations",
    ],
    [change(known), "the same for the known effect: what can be reached, as cells are noisy"],
    [
      formatMetric(model.scores.all.pearsonDeltaDe),
      "Pearson correlation on the change, over the ten most clearly changed genes; 1 is best",
    ],
  ], elapsedSeconds);
}

function describeSettings({ sizes, budget, seed, device }: PerturbResult): Markup {
  return settingsSection({
    genes: sizes.genes,
    pathways: sizes.pathways,
    "genes that can be activated": sizes.perturbable,
    "of these seen alone": sizes.seenGenes,
    "combinations to learn from": sizes.trainCombinations,
    "held-out combinations of a kind": sizes.testCombinations,
    "control cells": sizes.controls,
    "cells per perturbation": sizes.cellsPerCondition,
    layers: budget.layers,
    "values per token": budget.embedding,
    optimizer: "Adam, gradients clipped at 1",
    "learning rate": budget.learningRate,
    "decay per epoch": budget.decay,
    "cells per step": budget.batch,
    epochs: budget.epochs,
    seed,
    device,
  });
}

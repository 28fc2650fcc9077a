/**
 * Training scFormer's generator on a perturbation experiment, and what it predicts.
 *
 * As in GEARS and scFormer, a perturbed cell has no "before": each is paired with a control cell, drawn
 * anew in every epoch, here of the same cell type. The mask is all ones.
 */
import { ones, scformerObjective, type Tensor, tensor } from "@cellgrad/cellgrad";
import { adam } from "@cellgrad/cellgrad/optim";
import { foldIn, key, uniform } from "@cellgrad/cellgrad/random";
import {
  decayPerEpoch,
  shuffledBatches,
  trainIn,
  type TrainingContext,
  type TrainResult,
} from "../training/mod.ts";
import type { Experiment, ExperimentSizes } from "./experiment.ts";
import { score } from "./measures.ts";
import {
  forward,
  type Generator,
  type GeneratorInput,
  type GeneratorSizes,
  initGenerator,
  predict,
  type Terms,
} from "./model.ts";

/** How long, and how large a network. */
export interface Budget extends Omit<GeneratorSizes, "genes"> {
  /** Passes over the training cells. */
  epochs: number;
  /** Cells per step. */
  batch: number;
  /** Adam's learning rate in the first epoch. */
  learningRate: number;
  /** What the rate is multiplied with after each epoch. */
  decay: number;
}

/** Where trainings run, and what decides their numbers. */
export interface LearnContext extends TrainingContext {
  sizes: ExperimentSizes;
  /** Decides first weights, batches and pairs. */
  seed: number;
}

/** Held-out cells per perturbation that are looked at after each epoch. */
const WATCHED = 6;

type Batch = { input: GeneratorInput; values: Tensor; types: Tensor; key: Tensor };

/** Trains a generator; `terms` are on besides the masked MSE. */
export async function learn(
  experiment: Experiment,
  terms: Terms,
  budget: Budget,
  context: LearnContext,
): Promise<TrainResult<Generator>> {
  const { seed, sizes } = context;
  const name = termName(terms);
  const training = {
    name: name.replaceAll(" + ", "-"),
    label: name,
    settings: { ...sizes, ...budget, terms: name },
    every: 50,
  };
  return await trainIn(context, training, {
    ...trainingOf(experiment, terms, budget, foldIn(key(seed), 1)),
    evaluate: (model) => ({ heldOutPearson: watch(experiment, model, seed) }),
  });
}

function trainingOf(experiment: Experiment, terms: Terms, budget: Budget, runKey: Tensor) {
  const { epochs, batch, learningRate, decay, ...network } = budget;
  const items = trainingCells(experiment);
  const genes = experiment.expression.shape[1]!;
  const mask = ones([batch, genes]);
  const stepsPerEpoch = Math.floor(items.length / batch);
  const schedule = decayPerEpoch(learningRate, { factor: decay, stepsPerEpoch, epochs });
  return {
    parameters: initGenerator(foldIn(runKey, 0), { ...network, genes }),
    key: foldIn(runKey, 1),
    epochs,
    clip: 1,
    optimizer: adam({ learningRate: schedule }),
    loss(model: Generator, { input, values, types, key }: Batch) {
      const targets = { values, mask, clsLabels: terms.cls ? types : undefined };
      return scformerObjective(forward(model, input, key, terms), targets, { ...terms });
    },
    batches: (epochKey: Tensor) => shuffledBatches(epochKey, items.length, { size: batch }),
    prepare: (positions: Int32Array, stepKey: Tensor): Batch =>
      batchOf(experiment, Array.from(positions, (position) => items[position]!), stepKey),
  };
}

/** The objective's parts, such as `mse + mvc`. */
export function termName(terms: Terms): string {
  const on = Object.entries(terms).filter(([, value]) => value).map(([name]) => name);
  return ["mse", ...on].join(" + ");
}

/** Control cells and cells of the perturbations to learn from. */
function trainingCells({ conditionOf, conditions }: Experiment): number[] {
  return [...conditionOf.keys()].filter((cell) =>
    (conditions[conditionOf[cell]!]?.kind ?? "training") === "training"
  );
}

function batchOf(experiment: Experiment, targets: readonly number[], stepKey: Tensor): Batch {
  return {
    input: inputOf(experiment, targets, foldIn(stepKey, 0)),
    values: experiment.expression.gather(targets),
    types: tensor(Int32Array.from(targets, (cell) => experiment.types[cell]!)),
    key: foldIn(stepKey, 1),
  };
}

/** For each cell a control cell of the same type, and what was done to the cell. */
function inputOf(
  { expression, conditionOf, conditions, types }: Experiment,
  targets: readonly number[],
  drawKey: Tensor,
): GeneratorInput {
  const genes = expression.shape[1]!;
  const pools = [0, 1].map((type) =>
    [...conditionOf.keys()].filter((cell) => conditionOf[cell]! < 0 && types[cell] === type)
  );
  const draws = uniform(drawKey, [targets.length]).data;
  const controls = targets.map((cell, i) => {
    const pool = pools[types[cell]!]!;
    return pool[Math.floor(draws[i]! * pool.length)]!;
  });
  const flags = new Int32Array(targets.length * genes);
  targets.forEach((cell, i) => {
    for (const gene of conditions[conditionOf[cell]!]?.genes ?? []) flags[i * genes + gene] = 1;
  });
  const shape = [targets.length, genes];
  return { values: expression.gather(controls), flags: tensor(flags, { shape }) };
}

/**
 * Predicts the cells of one perturbation (cells, genes), each from a control cell that the seed
 * decides.
 */
export function predictCells(
  experiment: Experiment,
  model: Generator,
  cells: readonly number[],
  seed: number,
): Float32Array {
  const drawKey = foldIn(foldIn(key(seed), 2), cells[0]!);
  return predict(model, inputOf(experiment, cells, drawKey)).data as Float32Array;
}

/** The mean Pearson correlation on the change, from a few cells of each held-out perturbation. */
function watch(experiment: Experiment, model: Generator, seed: number): number {
  const scores = score(
    experiment,
    (_, cells) => predictCells(experiment, model, cells, seed),
    WATCHED,
  );
  return scores.all.pearsonDelta;
}

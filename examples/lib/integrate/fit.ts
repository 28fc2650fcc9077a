/** Training one variant, and what its embedding is worth. */
import type { Tensor } from "@cellgrad/cellgrad";
import { highlyVariableGenes, scale } from "@cellgrad/cellgrad/data";
import { adam } from "@cellgrad/cellgrad/optim";
import { foldIn, key } from "@cellgrad/cellgrad/random";
import { digestOf } from "../cells/digest.ts";
import { LARGEST_SCORE } from "../z_scores.ts";
import {
  decayPerEpoch,
  type EpochRecord,
  groupedBatches,
  maskValues,
  shuffledBatches,
  trainIn,
  type TrainingContext,
} from "../training/mod.ts";
import type { BatchedCells } from "./cells.ts";
import { type CellBatch, embed, initModel, type Model } from "./model.ts";
import { objectiveOf, type ObjectiveSettings, type Variant } from "./variants.ts";

export interface FitSettings extends ObjectiveSettings {
  epochs: number;
  layers: number;
  /** The most variable genes that the network sees at most. */
  genes: number;
  /** About how far each weight moves per step, in the first epoch. */
  learningRate: number;
  maskRatio: number;
}

/** Which training it is. */
export interface FitOptions {
  /** Decides first weights, masks and the order of the cells. */
  seed: number;
  /** Of the checkpoint. */
  name: string;
  context: TrainingContext;
}

export interface Fit {
  /** (cells, d) */
  embedding: Tensor;
  /** The losses by epoch. */
  history: EpochRecord[];
}

/** Values per embedding of a cell. */
export const EMBEDDING = 32;

/** Cells per step. */
const BATCH = 32;

/** Steps between two checkpoints. */
const CHECKPOINT_EVERY = 25;

/** Expression (cells, genes) as the principal components see it: z-scores. */
export function standardize(expression: Tensor): Tensor {
  return scale(expression, { maxValue: LARGEST_SCORE }).values;
}

/** What is added to a gene's standard deviation, so that those that hardly vary stay small. */
const LEAST_SPREAD = 0.1;

/** Expression (cells, genes) as the network sees it: variable genes, of one spread; 0 stays 0. */
function visibleGenes(expression: Tensor, most: number): Tensor {
  const chosen = expression.shape[1]! > most
    ? expression.gather(highlyVariableGenes(expression, { top: most }).indices, { axis: 1 })
    : expression;
  const spread = chosen.variance({ axis: 0 }).sqrt().add(LEAST_SPREAD);
  return chosen.div(spread).minimum(LARGEST_SCORE);
}

export async function fit(
  cells: BatchedCells,
  variant: Variant,
  settings: FitSettings,
  { seed, name, context }: FitOptions,
): Promise<Fit> {
  const { expression, batches } = cells;
  const { epochs, layers, learningRate, maskRatio } = settings;
  const count = expression.shape[0]!;
  const seen = visibleGenes(expression, settings.genes);
  const kinds = cells.batchNames.length;
  const sizes = { genes: seen.shape[1]!, batches: kinds, embedding: EMBEDDING, layers };
  const epochBatches = (epochKey: Tensor) =>
    variant.perBatch ?? true
      ? groupedBatches(epochKey, batches, { size: BATCH })
      : shuffledBatches(epochKey, count, { size: BATCH });
  const schedule = { stepsPerEpoch: epochBatches(key(seed)).length, epochs };
  const { source, origin } = cells;
  const digest = await digestOf(expression);
  const identity = { variant: variant.name, cells: source, digest, batches: origin, ...settings };
  const training = {
    name,
    label: `seed ${seed}, ${variant.title}`,
    settings: identity,
    every: CHECKPOINT_EVERY,
  };
  const { parameters, history } = await trainIn<Model, CellBatch>(context, training, {
    parameters: initModel(foldIn(key(seed), 0), sizes),
    loss: objectiveOf(variant, settings, kinds),
    optimizer: adam({ learningRate: decayPerEpoch(learningRate, schedule) }),
    batches: epochBatches,
    prepare: (items, stepKey) => {
      const values = seen.gather(items);
      const batchLabels = Int32Array.from(items, (cell) => batches[cell]!);
      return { ...maskValues(stepKey, values, { ratio: maskRatio }), values, batchLabels };
    },
    epochs,
    key: foldIn(key(seed), 1),
    clip: 1,
  });
  return { embedding: embed(parameters, seen, batches), history };
}

/**
 * Training one variant, and what its embedding is worth.
 *
 * @module
 */
import type { Tensor } from "@cellgrad/cellgrad";
import { scale } from "@cellgrad/cellgrad/data";
import { adam } from "@cellgrad/cellgrad/optim";
import { foldIn, key } from "@cellgrad/cellgrad/random";
import { digestOf } from "../cells/digest.ts";
import {
  decayPerEpoch,
  type EpochRecord,
  groupedBatches,
  lossProgress,
  maskValues,
  shuffledBatches,
  train,
  type TrainingDevice,
} from "../training/mod.ts";
import type { BatchedCells } from "./cells.ts";
import { type CellBatch, embed, initModel, type Model } from "./model.ts";
import { objectiveOf, type ObjectiveSettings, type Variant } from "./variants.ts";

/** Settings of a training. */
export interface FitSettings extends ObjectiveSettings {
  /** How often each cell is seen. */
  epochs: number;
  /** Units of the hidden layer. */
  hidden: number;
  /** About how far each weight moves per step, in the first epoch. */
  learningRate: number;
  /** The share of a cell's genes that is hidden. */
  maskRatio: number;
}

/** Where and how to train. */
export interface FitOptions {
  /** The settings. */
  settings: FitSettings;
  /** Decides first weights, masks and the order of the cells. */
  seed: number;
  /** The checkpoint. */
  file: string;
  /** Whether to go on from it. */
  resume: boolean;
  /** What to run on. */
  device: TrainingDevice;
  /** Stops the training. */
  signal: AbortSignal;
}

/** A trained variant. */
export interface Fit {
  /** (cells, d), or `undefined` where the training was interrupted. */
  embedding: Tensor | undefined;
  /** The losses by epoch. */
  history: EpochRecord[];
}

/** Values per embedding of a cell. */
export const EMBEDDING = 32;

/** Values per embedding of a gene or a batch. */
export const TOKENS = 16;

/** Cells per step. */
const BATCH = 32;

/** Steps between two checkpoints. */
const CHECKPOINT_EVERY = 25;

/** z-scores are limited to this size, as scanpy's tutorials do. */
const LARGEST_SCORE = 10;

/** Expression (cells, genes) as the network and the principal components see it: z-scores. */
export function standardize(expression: Tensor): Tensor {
  return scale(expression, { maxValue: LARGEST_SCORE }).values;
}

/**
 * Trains a variant.
 *
 * @param cells The cells.
 * @param variant What is changed in the objective.
 * @param options Settings, seed, checkpoint and device.
 * @returns The embedding and the history.
 */
export async function fit(
  cells: BatchedCells,
  variant: Variant,
  options: FitOptions,
): Promise<Fit> {
  const { expression, batches } = cells;
  const { settings, seed, file, resume, device, signal } = options;
  const { epochs, hidden, learningRate, maskRatio } = settings;
  const count = expression.shape[0]!;
  const standardized = standardize(expression);
  const kinds = cells.batchNames.length;
  const sizes = { batches: kinds, hidden, embedding: EMBEDDING, tokens: TOKENS };
  const epochBatches = (epochKey: Tensor) =>
    variant.perBatch ?? true
      ? groupedBatches(epochKey, batches, { size: BATCH })
      : shuffledBatches(epochKey, count, { size: BATCH });
  const schedule = { stepsPerEpoch: epochBatches(key(seed)).length, epochs };
  const { source, origin } = cells;
  const digest = await digestOf(expression);
  const identity = { variant: variant.name, cells: source, digest, batches: origin, ...settings };
  const { parameters, history, interrupted } = await train<Model, CellBatch>({
    parameters: initModel(foldIn(key(seed), 0), expression.mean({ axis: 0 }), sizes),
    loss: objectiveOf(variant, settings, kinds),
    optimizer: adam({ learningRate: decayPerEpoch(learningRate, schedule) }),
    batches: epochBatches,
    prepare: (items, stepKey) => ({
      ...maskValues(stepKey, standardized.gather(items), { ratio: maskRatio, maskValue: 0 }),
      values: expression.gather(items),
      batchLabels: Int32Array.from(items, (cell) => batches[cell]!),
    }),
    epochs,
    key: foldIn(key(seed), 1),
    clip: 1,
    checkpoint: { file, resume, every: CHECKPOINT_EVERY, settings: identity },
    progress: lossProgress({ label: `seed ${seed}, ${variant.title}` }),
    device,
    signal,
  });
  return { embedding: interrupted ? undefined : embed(parameters, standardized), history };
}

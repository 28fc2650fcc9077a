/**
 * Training one classifier of pixels under one loss and one seed, and what it does to images that it
 * has not seen.
 *
 * @module
 */
import { diceLoss, type Tensor, tensor } from "@cellgrad/cellgrad";
import { type SegmentationMetrics, segmentationMetrics } from "@cellgrad/cellgrad/metrics";
import { adam } from "@cellgrad/cellgrad/optim";
import { foldIn, key } from "@cellgrad/cellgrad/random";
import { forward, initNetwork, type Network } from "../network.ts";
import {
  DivergedError,
  type EpochRecord,
  lossProgress,
  shuffledBatches,
  train,
  type TrainingDevice,
} from "../training/mod.ts";
import { type Configuration, lossOf } from "./configurations.ts";
import { CLASSES } from "./micrograph.ts";
import type { PixelData } from "./pixels.ts";

/** The budget, the same for all losses. */
export interface Budget {
  /** Passes over the training pixels. */
  epochs: number;
  /** Pixels per step. */
  batch: number;
  /** Units of the hidden layer. */
  hidden: number;
  /** Adam's learning rate. */
  learningRate: number;
}

/** Where a run computes, what it continues, and when it stops. */
export interface RunContext {
  /** Where the steps run. */
  device: TrainingDevice;
  /** Folder of the checkpoints. */
  folder: string;
  /** Whether to continue from checkpoints. */
  resume: boolean;
  /** What decides the pixels, for the checkpoints. */
  settings: Readonly<Record<string, string | number | boolean>>;
  /** The seed of the program: decides first weights and the order of the pixels. */
  seed: number;
  /** Stops between two steps. */
  signal: AbortSignal;
}

/** What one training has led to. */
export interface Run {
  /** Measures on the held-out images; `undefined` where the loss became NaN. */
  metrics: SegmentationMetrics | undefined;
  /** The class predicted for each held-out pixel. */
  prediction: Int32Array | undefined;
  /** Losses and held-out measures after each epoch. */
  history: EpochRecord[];
  /** Why it was stopped, where the loss became NaN. */
  failure?: string;
}

/** The batch that a step sees. */
type Batch = { features: Tensor; labels: Tensor };

/**
 * Trains one classifier.
 *
 * @param data The pixels.
 * @param configuration The loss.
 * @param repeat The number of the training under this loss, from 0: all losses share its first
 * weights and its order of the pixels.
 * @param budget How long, and how large a network.
 * @param context Where, and from where on.
 * @returns What it has led to; `undefined` where it was interrupted.
 */
export async function learn(
  data: PixelData,
  configuration: Configuration,
  repeat: number,
  budget: Budget,
  context: RunContext,
): Promise<Run | undefined> {
  try {
    const result = await train({
      ...trainingOf(data, configuration, foldIn(key(context.seed), repeat), budget),
      evaluate: (network) => measure(data, network),
      progress: lossProgress({ label: `${configuration.name}, training ${repeat + 1}` }),
      device: context.device,
      signal: context.signal,
      checkpoint: {
        file: `${context.folder}/${configuration.id}-${repeat}.safetensors`,
        resume: context.resume,
        settings: { ...context.settings, ...budget, loss: configuration.id },
      },
    });
    if (result.interrupted) return undefined;
    const prediction = predict(result.parameters, data.test.features);
    const metrics = score(prediction, data.test.labels);
    return { metrics, prediction, history: result.history };
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    return { metrics: undefined, prediction: undefined, history: [], failure: error.message };
  }
}

function trainingOf(
  { train: pixels, classCounts }: PixelData,
  configuration: Configuration,
  runKey: Tensor,
  { epochs, batch, hidden, learningRate }: Budget,
) {
  const loss = lossOf(configuration, classCounts);
  const inputs = pixels.features.shape[1]!;
  return {
    parameters: initNetwork(foldIn(runKey, 0), inputs, hidden, CLASSES.length),
    key: foldIn(runKey, 1),
    epochs,
    optimizer: adam({ learningRate }),
    loss: (network: Network, { features, labels }: Batch) => ({
      total: loss(forward(network, features), labels),
      parts: {},
    }),
    batches: (epochKey: Tensor) => shuffledBatches(epochKey, pixels.labels.length, { size: batch }),
    prepare: (items: Int32Array): Batch => ({
      features: pixels.features.gather(items),
      labels: tensor(Int32Array.from(items, (pixel) => pixels.labels[pixel]!)),
    }),
  };
}

/** The most probable class of each pixel. */
function predict(network: Network, features: Tensor): Int32Array {
  return Int32Array.from(forward(network, features).argMax({ axis: 1 }).data);
}

function score(prediction: Int32Array, truth: Int32Array): SegmentationMetrics {
  return segmentationMetrics(prediction, truth, { numClasses: CLASSES.length });
}

/** After an epoch: mean IoU, and the soft overlap that the Dice loss is made of. */
function measure({ test }: PixelData, network: Network): { meanIou: number; softDice: number } {
  const logits = forward(network, test.features);
  const prediction = Int32Array.from(logits.argMax({ axis: 1 }).data);
  return {
    meanIou: score(prediction, test.labels).meanIou,
    softDice: 1 - diceLoss(logits, test.labels).item(),
  };
}

/**
 * Training one classifier of pixels under one loss and one seed, and what it does to images that it
 * has not seen.
 */
import { diceLoss, type Tensor, tensor } from "@cellgrad/cellgrad";
import { type SegmentationMetrics, segmentationMetrics } from "@cellgrad/cellgrad/metrics";
import { adam } from "@cellgrad/cellgrad/optim";
import { foldIn, key } from "@cellgrad/cellgrad/random";
import { forward, initNetwork, type Network } from "../network.ts";
import {
  type Budget,
  DivergedError,
  type EpochRecord,
  shuffledBatches,
  trainIn,
  type TrainingContext,
} from "../training/mod.ts";
import { type Configuration, lossOf } from "./configurations.ts";
import { CLASSES } from "./micrograph.ts";
import type { PixelData } from "./pixels.ts";

/** Where runs compute, and what decides their numbers. */
export interface RunContext extends TrainingContext {
  /** What decides the pixels. */
  settings: Readonly<Record<string, string | number | boolean>>;
  /** The seed of the program: decides first weights and the order of the pixels. */
  seed: number;
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

type Batch = { features: Tensor; labels: Tensor };

/** Trains one classifier: all losses share first weights and order of the pixels, by `repeat`. */
export async function learn(
  data: PixelData,
  configuration: Configuration,
  repeat: number,
  budget: Budget,
  context: RunContext,
): Promise<Run> {
  const training = {
    name: `${configuration.id}-${repeat}`,
    label: `${configuration.name}, training ${repeat + 1}`,
    settings: { ...context.settings, ...budget, loss: configuration.id },
  };
  try {
    const result = await trainIn(context, training, {
      ...trainingOf(data, configuration, foldIn(key(context.seed), repeat), budget),
      evaluate: (network) => measure(data, network),
    });
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

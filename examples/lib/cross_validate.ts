/** Training a classifier of cells, and what it does to cells that it has not seen. */
import {
  compile,
  concat,
  type Tensor,
  tensor,
  type TensorLike,
  valueAndGrad,
} from "@cellgrad/cellgrad";
import { scale, type ScaleOptions, stratifiedFolds } from "@cellgrad/cellgrad/data";
import { accuracy } from "@cellgrad/cellgrad/metrics";
import { adamw } from "@cellgrad/cellgrad/optim";
import { foldIn, key, permutation } from "@cellgrad/cellgrad/random";
import { type Cells, sortTypes } from "./cells.ts";
import { type Expression, takeCells } from "./cells/matrix.ts";
import { forward, initNetwork, type Network } from "./network.ts";
import type { TrainingDevice } from "./training/device.ts";
import { DivergedError } from "./training/nan_guard.ts";
import { onHost } from "./training/trees.ts";
import { LARGEST_SCORE } from "./z_scores.ts";

/** A loss of logits (cells, classes) and labels (cells). */
export type Loss = (logits: Tensor, labels: TensorLike) => Tensor;

export interface TrainingSettings {
  epochs: number;
  hidden: number;
  learningRate: number;
  folds: number;
  /** Decides the division, the first weights and the order of the cells. */
  seed: number;
  device: TrainingDevice;
}

/** What a fold has shown, epoch by epoch. */
export interface FoldRun {
  /** Mean loss of the training cells while they were learned from. */
  trainLoss: number[];
  /** Loss of the held-out cells after the epoch. */
  validationLoss: number[];
  /** Accuracy on the held-out cells after the epoch. */
  validationAccuracy: number[];
}

/** What cross-validation has shown. */
export interface CrossValidation {
  /** One run per fold that was begun. */
  folds: FoldRun[];
  /** Accuracies of the finished folds. */
  foldAccuracies: number[];
  /** The predicted class of each cell when it was held out; −1 where its fold was not finished. */
  prediction: Int32Array;
  /** The probability of that class. */
  confidence: Float64Array;
}

/** Called after each epoch; `false` stops. */
export type OnEpoch = (fold: number, epoch: number, run: FoldRun) => Promise<boolean>;

/** Cells per step. */
const BATCH = 64;

/** Cells that are predicted together. */
const BLOCK = 4096;

/**
 * The share of each weight that decays per unit of learning rate: with a rate of 0.001, half a percent
 * per step. A few hundred cells do not determine a hundred thousand weights; this does.
 */
const WEIGHT_DECAY = 5;

/**
 * Trains one network per fold and predicts the cells that the fold holds out; a training that diverges
 * is a `DivergedError`.
 */
export async function crossValidate(
  given: Cells<Expression>,
  makeLoss: (trainLabels: Int32Array) => Loss,
  settings: TrainingSettings,
  onEpoch: OnEpoch,
): Promise<CrossValidation> {
  const { folds: count, seed } = settings;
  const { before, ...sorted } = sortTypes(given);
  const cells = { ...given, ...sorted };
  const result: CrossValidation = {
    folds: [],
    foldAccuracies: [],
    prediction: new Int32Array(cells.labels.length).fill(-1),
    confidence: new Float64Array(cells.labels.length),
  };
  for (const [fold, { train, test }] of stratifiedFolds(cells.labels, count, { seed }).entries()) {
    const statistics = statisticsOf(cells.expression, train);
    const seen = select(cells, train, statistics);
    const unseen = select(cells, test, statistics);
    const run: FoldRun = { trainLoss: [], validationLoss: [], validationAccuracy: [] };
    result.folds.push(run);
    const logits = await trainFold(
      seen,
      unseen,
      makeLoss(seen.labels),
      { ...settings, fold, classes: cells.classes.length, key: foldIn(key(seed), fold) },
      (epoch) => onEpoch(fold, epoch, run),
      run,
    );
    if (logits === undefined) break;
    const probabilities = logits.softmax();
    const predicted = probabilities.argMax({ axis: 1 });
    const best = probabilities.max({ axis: 1 });
    test.forEach((cell, i) => {
      result.prediction[cell] = before[predicted.data[i]!]!;
      result.confidence[cell] = best.data[i]!;
    });
    result.foldAccuracies.push(accuracy(predicted, unseen.labels));
  }
  return result;
}

/** Means and standard deviations of genes, and where z-scores are cut off. */
type Statistics = Required<Pick<ScaleOptions, "mean" | "standardDeviation" | "maxValue">>;

/** The genes' statistics in some of the cells. */
function statisticsOf(expression: Expression, cells: Int32Array): Statistics {
  const { mean, standardDeviation } = scale(takeCells(expression, cells), { zeroCenter: false });
  return { mean, standardDeviation, maxValue: LARGEST_SCORE };
}

/** Some cells: their labels, and the z-scores of those that a list names, made when they are needed. */
interface Part {
  labels: Int32Array;
  scores: (list: Int32Array) => Tensor;
}

function select(
  { expression, labels }: Pick<Cells<Expression>, "expression" | "labels">,
  cells: Int32Array,
  statistics: Statistics,
): Part {
  return {
    labels: cells.map((cell) => labels[cell]!),
    scores: (list) => scale(takeCells(expression, list.map((i) => cells[i]!)), statistics).values,
  };
}

/** The logits of all cells of a part. */
function logitsOf(network: Network, { labels, scores }: Part): Tensor {
  const blocks: Tensor[] = [];
  for (let start = 0; start < labels.length; start += BLOCK) {
    const cells = range(start, Math.min(start + BLOCK, labels.length));
    blocks.push(forward(network, scores(cells)));
  }
  return concat(blocks);
}

function range(start: number, end: number): Int32Array {
  return Int32Array.from({ length: end - start }, (_, i) => start + i);
}

/** What a network trained on some cells makes of others; `undefined` where it was stopped. */
async function trainFold(
  seen: Part,
  unseen: Part,
  loss: Loss,
  settings: TrainingSettings & { fold: number; classes: number; key: Tensor },
  onEpoch: (epoch: number) => Promise<boolean>,
  run: FoldRun,
): Promise<Tensor | undefined> {
  const { device } = settings;
  const cells = seen.labels.length;
  const optimizer = adamw({ learningRate: settings.learningRate, weightDecay: WEIGHT_DECAY });
  const objective = valueAndGrad((network: Network, x: Tensor, labels: Tensor) =>
    loss(forward(network, x), labels)
  );
  const example = batchOf(seen, range(0, Math.min(BATCH, cells)));
  let network = initNetwork(settings.key, example[0].shape[1]!, settings.hidden, settings.classes);
  let state = optimizer.init(network);
  const step = (from: Network, memory: typeof state, x: Tensor, labels: Tensor) => {
    const [value, gradient] = objective(from, x, labels);
    return { value, ...optimizer.update(gradient, memory, from) };
  };
  await using program = await compile(step, [network, state, ...example], { device });
  let logits: Tensor | undefined;
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    const order = permutation(foldIn(settings.key, epoch), cells).data as Int32Array;
    const losses: StepLoss[] = [];
    for (let start = 0; start < cells; start += BATCH) {
      const list = order.subarray(start, start + BATCH);
      const { value, ...next } = await program(network, state, ...batchOf(seen, list));
      ({ params: network, state } = next);
      losses.push({ value, cells: list.length });
    }
    logits = logitsOf(await onHost(network), unseen);
    run.trainLoss.push(await meanOf(losses));
    checkLearning(run.trainLoss, logits, settings.fold);
    run.validationLoss.push(loss(logits, unseen.labels).item());
    run.validationAccuracy.push(accuracy(logits.argMax({ axis: 1 }), unseen.labels));
    if (!await onEpoch(epoch)) return undefined;
  }
  return logits;
}

/** Stops a training whose loss, or what the network makes of cells, is no number any more. */
function checkLearning(losses: readonly number[], logits: Tensor, fold: number): void {
  const loss = losses.at(-1)!;
  if (Number.isFinite(loss) && logits.data.every(Number.isFinite)) return;
  const what = Number.isFinite(loss)
    ? "the network's output became NaN"
    : `the loss became ${loss}`;
  throw new DivergedError(
    `Training stopped in fold ${fold + 1}, epoch ${losses.length}, as ${what}: ` +
      `try a smaller --learning-rate`,
  );
}

/** The mean loss of a step, and of how many cells. */
interface StepLoss {
  value: Tensor;
  cells: number;
}

/** The mean over the cells of all steps. */
async function meanOf(losses: readonly StepLoss[]): Promise<number> {
  const values = await Promise.all(losses.map(({ value }) => value.read()));
  const total = losses.reduce((sum, { cells }) => sum + cells, 0);
  return losses.reduce((sum, { cells }, i) => sum + values[i]![0]! * cells, 0) / total;
}

/** The z-scores and the labels that a step sees. */
function batchOf({ labels, scores }: Part, list: Int32Array): [Tensor, Tensor] {
  return [scores(list), tensor(list.map((i) => labels[i]!))];
}

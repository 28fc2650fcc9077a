/**
 * Training a classifier of cells, and what it does to cells that it has not seen.
 *
 * @module
 */
import { compile, type Tensor, tensor, type TensorLike, valueAndGrad } from "@cellgrad/cellgrad";
import { scale, stratifiedFolds } from "@cellgrad/cellgrad/data";
import { accuracy } from "@cellgrad/cellgrad/metrics";
import { adamw } from "@cellgrad/cellgrad/optim";
import { foldIn, key, permutation } from "@cellgrad/cellgrad/random";
import { type Cells, sortTypes } from "./cells.ts";
import { forward, initNetwork, type Network } from "./network.ts";
import type { TrainingDevice } from "./training/device.ts";
import { onHost } from "./training/trees.ts";

/** A loss of logits (cells, classes) and labels (cells). */
export type Loss = (logits: Tensor, labels: TensorLike) => Tensor;

/** Settings of the training. */
export interface TrainingSettings {
  /** How often each training cell is seen. */
  epochs: number;
  /** Units of the hidden layer. */
  hidden: number;
  /** About how far each weight moves per step. */
  learningRate: number;
  /** How many parts the cells are divided into. */
  folds: number;
  /** Decides the division, the first weights and the order of the cells. */
  seed: number;
  /** What the training runs on. */
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

/** z-scores are limited to this size, as scanpy's tutorials do. */
const LARGEST_SCORE = 10;

/**
 * The share of each weight that decays per unit of learning rate: with a rate of 0.001, half a percent
 * per step. A few hundred cells do not determine a hundred thousand weights; this does.
 */
const WEIGHT_DECAY = 5;

/** Trains one network per fold and predicts the cells that the fold holds out. */
export async function crossValidate(
  given: Cells,
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
    const seen = select(cells, train);
    const unseen = select(cells, test);
    const { mean, standardDeviation, values } = scale(seen.x, { maxValue: LARGEST_SCORE });
    const heldOut = scale(unseen.x, { mean, standardDeviation, maxValue: LARGEST_SCORE }).values;
    const run: FoldRun = { trainLoss: [], validationLoss: [], validationAccuracy: [] };
    result.folds.push(run);
    const network = await trainFold(
      { ...seen, x: values },
      { ...unseen, x: heldOut },
      makeLoss(seen.labels),
      { ...settings, classes: cells.classes.length, key: foldIn(key(seed), fold) },
      (epoch) => onEpoch(fold, epoch, run),
      run,
    );
    if (network === undefined) break;
    const probabilities = forward(network, heldOut).softmax();
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

/** Some cells: their expression and labels. */
interface Part {
  x: Tensor;
  labels: Int32Array;
}

function select(cells: Cells, positions: Int32Array): Part {
  return {
    x: cells.expression.gather(positions),
    labels: Int32Array.from(positions, (cell) => cells.labels[cell]!),
  };
}

/** A network trained on some cells, watched on others; `undefined` where it was stopped. */
async function trainFold(
  seen: Part,
  unseen: Part,
  loss: Loss,
  settings: TrainingSettings & { classes: number; key: Tensor },
  onEpoch: (epoch: number) => Promise<boolean>,
  run: FoldRun,
): Promise<Network | undefined> {
  const cells = seen.labels.length;
  const optimizer = adamw({ learningRate: settings.learningRate, weightDecay: WEIGHT_DECAY });
  const objective = valueAndGrad((network: Network, x: Tensor, labels: Tensor) =>
    loss(forward(network, x), labels)
  );
  let network = initNetwork(settings.key, seen.x.shape[1]!, settings.hidden, settings.classes);
  let state = optimizer.init(network);
  const step = (from: Network, memory: typeof state, x: Tensor, labels: Tensor) => {
    const [value, gradient] = objective(from, x, labels);
    return { value, ...optimizer.update(gradient, memory, from) };
  };
  const labelsOf = tensor(seen.labels);
  const example = tensor(Int32Array.from({ length: Math.min(BATCH, cells) }, (_, i) => i));
  await using program = await compile(
    step,
    [network, state, seen.x.gather(example), labelsOf.gather(example)],
    { device: settings.device },
  );
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    const order = permutation(foldIn(settings.key, epoch), cells);
    const losses: { value: Tensor; cells: number }[] = [];
    for (let start = 0; start < cells; start += BATCH) {
      const batch = order.slice(start, Math.min(start + BATCH, cells));
      const { value, ...next } = await program(
        network,
        state,
        seen.x.gather(batch),
        labelsOf.gather(batch),
      );
      ({ params: network, state } = next);
      losses.push({ value, cells: batch.size });
    }
    const logits = forward(await onHost(network), unseen.x);
    const values = await Promise.all(losses.map(({ value }) => value.read()));
    run.trainLoss.push(
      losses.reduce((sum, { cells }, i) => sum + values[i]![0]! * cells, 0) / cells,
    );
    run.validationLoss.push(loss(logits, unseen.labels).item());
    run.validationAccuracy.push(accuracy(logits.argMax({ axis: 1 }), unseen.labels));
    if (!await onEpoch(epoch)) return undefined;
  }
  return await onHost(network);
}

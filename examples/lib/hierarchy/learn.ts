/**
 * Training the flat and the hierarchical classifier, fold by fold, on the same cells in the same
 * order.
 */
import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { stratifiedFolds } from "@cellgrad/cellgrad/data";
import { accuracy } from "@cellgrad/cellgrad/metrics";
import { adamw } from "@cellgrad/cellgrad/optim";
import { foldIn, key } from "@cellgrad/cellgrad/random";
import { digestOf } from "../cells/digest.ts";
import {
  type EpochRecord,
  shuffledBatches,
  trainIn,
  type TrainingContext,
} from "../training/mod.ts";
import { scaleBoth } from "../z_scores.ts";
import type { AnnotatedCells } from "./annotated_cells.ts";
import {
  type Batch,
  type Classifier,
  flatClassifier,
  hmcnClassifier,
  type LearnSettings,
} from "./classifiers.ts";
import type { HmcnOutputs } from "./model.ts";

/** What a classifier says of each cell when the cell was held out. */
export interface HeldOut {
  /** (cells, types): the probability of each type. */
  types: Float64Array;
  /** Per level below the root (cells, classes): the probability of each class; flat: none. */
  locals: Float64Array[];
  /** (cells, levels): the probability of lying as deep; flat: empty. */
  global: Float64Array;
  /** Per fold: the losses after each epoch. */
  histories: EpochRecord[][];
}

/** Cells per step. */
const BATCH = 64;
/** As in the flat demo: the share of each weight that decays per unit of learning rate. */
const WEIGHT_DECAY = 5;

/** Trains both classifiers on every fold, and asks them about the cells that it holds out. */
export async function learnBoth(
  cells: AnnotatedCells,
  settings: LearnSettings,
  context: TrainingContext,
): Promise<{ flat: HeldOut; hmcn: HeldOut }> {
  const flat = emptyHeldOut(cells, false);
  const hmcn = emptyHeldOut(cells, true);
  const folds = stratifiedFolds(cells.labels, settings.folds, { seed: settings.seed });
  for (const [fold, { train: seen, test }] of folds.entries()) {
    const labels = Int32Array.from(seen, (cell) => cells.labels[cell]!);
    const of = (list: Int32Array) => cells.expression.gather(list);
    const { seen: x, heldOut } = scaleBoth(of(seen), of(test));
    const data = { fold, x, heldOut, labels, test };
    await learnFold(cells, flatClassifier(cells, settings, labels), flat, data, settings, context);
    await learnFold(cells, hmcnClassifier(cells, settings, labels), hmcn, data, settings, context);
  }
  return { flat, hmcn };
}

function emptyHeldOut({ labels, classes, hierarchy }: AnnotatedCells, heads: boolean): HeldOut {
  const perCell = (columns: number) => new Float64Array(labels.length * columns);
  const levels = heads ? hierarchy.classes : [];
  return {
    types: perCell(classes.length),
    locals: levels.slice(1).map(({ length }) => perCell(length)),
    global: perCell(levels.length),
    histories: [],
  };
}

/** One fold: its training cells, scaled, and the held-out ones on the same scale. */
interface FoldData {
  fold: number;
  x: Tensor;
  heldOut: Tensor;
  labels: Int32Array;
  test: Int32Array;
}

/** Trains one classifier on one fold and writes down what it says. */
async function learnFold<P extends object>(
  cells: AnnotatedCells,
  classifier: Classifier<P>,
  into: HeldOut,
  data: FoldData,
  settings: LearnSettings,
  context: TrainingContext,
): Promise<void> {
  const { fold, heldOut, test } = data;
  const { seed: _, units, ...shared } = settings;
  const training = {
    name: `${classifier.name}-${fold}`,
    label: `${classifier.name}, fold ${fold + 1} of ${settings.folds}`,
    settings: {
      ...{ source: cells.source, cells: cells.labels.length, ontology: cells.ontology },
      digest: await digestOf(cells.expression),
      ...units,
      ...shared,
    },
    every: 50,
  };
  const result = await trainIn(context, training, trainingOf(cells, classifier, data, settings));
  into.histories.push(result.history);
  note(into, test, classifier.outputs(result.parameters, heldOut));
}

function trainingOf<P extends object>(
  cells: AnnotatedCells,
  { init, loss, outputs }: Classifier<P>,
  { fold, x, heldOut, labels, test }: FoldData,
  { epochs, learningRate, seed }: LearnSettings,
) {
  const foldKey = foldIn(key(seed), fold);
  const truth = Int32Array.from(test, (cell) => cells.labels[cell]!);
  const held = batchOf(cells, heldOut, truth);
  return {
    parameters: init(foldKey, x.shape[1]!),
    key: foldKey,
    epochs,
    loss,
    optimizer: adamw({ learningRate, weightDecay: WEIGHT_DECAY }),
    // Those of `deno task demo`, so that both see the same cells at the same step.
    batches: (_: Tensor, epoch: number) =>
      shuffledBatches(foldIn(foldKey, epoch + 1), labels.length, {
        size: BATCH,
        remainder: "keep",
      }),
    prepare: (items: Int32Array): Batch =>
      batchOf(cells, x.gather(items), Int32Array.from(items, (item) => labels[item]!)),
    evaluate: (model: P) => ({
      heldOutLoss: loss(model, held).total.item(),
      heldOutAccuracy: accuracy(outputs(model, heldOut).types.argMax({ axis: 1 }), truth),
    }),
  };
}

function batchOf({ nodes }: AnnotatedCells, x: Tensor, types: Int32Array): Batch {
  return { x, types: tensor(types), nodes: tensor(types.map((type) => nodes[type]!)) };
}

function note(
  into: HeldOut,
  test: Int32Array,
  { types, locals = [], global }: { types: Tensor } & Partial<HmcnOutputs>,
): void {
  const copy = (values: Tensor, target: Float64Array) => {
    const width = values.shape[1]!;
    test.forEach((cell, i) =>
      target.set(values.data.subarray(i * width, (i + 1) * width) as Float32Array, cell * width)
    );
  };
  copy(types.softmax(), into.types);
  locals.forEach((values, level) => copy(values, into.locals[level]!));
  if (global !== undefined) copy(global, into.global);
}

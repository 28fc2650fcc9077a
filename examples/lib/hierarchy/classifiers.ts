/** The two classifiers: their first parameters, losses and heads. */
import {
  classWeights,
  crossEntropyLoss,
  focalLoss,
  hmcnLoss,
  type Tensor,
} from "@cellgrad/cellgrad";
import { forward, initNetwork, type Network } from "../network.ts";
import type { LossParts } from "../training/mod.ts";
import type { AnnotatedCells } from "./annotated_cells.ts";
import { forwardHmcn, type Hmcn, type HmcnOutputs, initHmcn } from "./model.ts";

export interface LearnSettings {
  epochs: number;
  folds: number;
  /** Units of the hidden layer, and of each level's. */
  units: { hidden: number; level: number };
  learningRate: number;
  /** The weight of the global loss. */
  beta: number;
  focalWeight: number;
  /** How much the focal loss plays down what is easy. */
  gamma: number;
  /** Decides folds, first weights and the order of the cells. */
  seed: number;
}

export type Batch = { x: Tensor; types: Tensor; nodes: Tensor };

/** A kind of classifier. */
export interface Classifier<P extends object> {
  name: string;
  /** Its first parameters. */
  init: (key: Tensor, inputs: number) => P;
  loss: (model: P, batch: Batch) => LossParts;
  /** Its heads: logits of the types, and those of the hierarchy where it has them. */
  outputs: (model: P, x: Tensor) => { types: Tensor } & Partial<HmcnOutputs>;
}

/** The training cells of one fold decide the weights of the types. */
function weightsOf(cells: AnnotatedCells, labels: Int32Array): Tensor {
  const counts = cells.classes.map((_, type) => labels.filter((label) => label === type).length);
  return classWeights(counts).cast("float32");
}

/** The demo's classifier: two layers under weighted cross entropy. */
export function flatClassifier(
  cells: AnnotatedCells,
  settings: LearnSettings,
  labels: Int32Array,
): Classifier<Network> {
  const weight = weightsOf(cells, labels);
  return {
    name: "flat",
    init: (first, inputs) =>
      initNetwork(first, inputs, settings.units.hidden, cells.classes.length),
    loss: (model, { x, types }) => ({
      total: crossEntropyLoss(forward(model, x), types, { weight }),
      parts: {},
    }),
    outputs: (model, x) => ({ types: forward(model, x) }),
  };
}

/**
 * UniCell's: β · global + local + focal. The focal loss has class weights here, and is divided by
 * those of the batch, as weighted cross entropy is.
 */
export function hmcnClassifier(
  cells: AnnotatedCells,
  settings: LearnSettings,
  labels: Int32Array,
): Classifier<Hmcn> {
  const { hierarchy } = cells;
  const weight = weightsOf(cells, labels);
  const { units, beta, focalWeight, gamma } = settings;
  const sizes = {
    ...units,
    classes: hierarchy.classes.map(({ length }) => length),
    types: cells.classes.length,
  };
  return {
    name: "hmcn",
    init: (first, inputs) => initHmcn(first, { ...sizes, inputs }),
    loss(model, { x, types, nodes }) {
      const outputs = forwardHmcn(model, x);
      const { global, local } = hmcnLoss(outputs.global, outputs.locals, nodes, hierarchy);
      const sum = focalLoss(outputs.types, types, { gamma, weight, reduction: "sum" });
      const focal = sum.div(weight.gather(types).sum());
      const total = global.mul(beta).add(local).add(focal.mul(focalWeight));
      return { total, parts: { global, local, focal } };
    },
    outputs: forwardHmcn,
  };
}

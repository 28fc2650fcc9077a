/**
 * The network of hierarchical annotation (HMCN), as UniCell builds it, at a small size.
 *
 * An encoder is followed by one layer per level of the hierarchy. Each sees the layer above and the
 * encoder's output once more, and has a local head that names the classes of its level. The last
 * layer bears the global head, which says how deep a cell's type lies. The head that names the type
 * sees the encoder and all levels; UniCell's sees the last level only, which for a few hundred cells
 * and ten levels is far from what they are. UniCell normalizes layers and drops values out; here
 * strong weight decay keeps them in check, as in the flat classifier.
 *
 * @module
 */
import { concat, matmul, relu, sigmoid, type Tensor, zeros } from "@cellgrad/cellgrad";
import { normal, split } from "@cellgrad/cellgrad/random";

/** Weights (inputs, outputs) and biases (outputs). */
export type Linear = {
  /** (inputs, outputs) */
  weight: Tensor;
  /** (outputs) */
  bias: Tensor;
};

/** All parameters. */
export type Hmcn = {
  /** From expression to the hidden layer. */
  encoder: Linear;
  /** The layer of each level below the root. */
  levels: Linear[];
  /** The local head of each level: one output per class. */
  locals: Linear[];
  /** The global head: one output per level. */
  global: Linear;
  /** The head of the types. */
  types: Linear;
};

/** The network's sizes. */
export interface HmcnSizes {
  /** Genes. */
  inputs: number;
  /** Units of the hidden layer. */
  hidden: number;
  /** Units per level. */
  level: number;
  /** Classes on each level, the root's first. */
  classes: readonly number[];
  /** Types. */
  types: number;
}

/** A random network, with weights as in `initNetwork`. */
export function initHmcn(key: Tensor, sizes: HmcnSizes): Hmcn {
  const { inputs, hidden, level, classes, types } = sizes;
  const below = classes.slice(1);
  const keys = split(key, 3 + 2 * below.length) as Tensor[];
  const linear = (k: number, from: number, to: number, gain: number): Linear => ({
    weight: normal(keys[k]!, [from, to]).mul(Math.sqrt(gain / from)),
    bias: zeros([to]),
  });
  return {
    encoder: linear(0, inputs, hidden, 2),
    levels: below.map((_, i) => linear(3 + i, hidden + (i === 0 ? 0 : level), level, 2)),
    locals: below.map((count, i) => linear(3 + below.length + i, level, count, 1)),
    global: linear(1, level, classes.length, 1),
    types: linear(2, hidden + below.length * level, types, 1),
  };
}

function apply({ weight, bias }: Linear, x: Tensor): Tensor {
  return matmul(x, weight).add(bias);
}

/** What the heads put out. */
export interface HmcnOutputs {
  /** (cells, levels): the probability that a cell's type lies as deep as the level, or deeper. */
  global: Tensor;
  /** Per level below the root (cells, classes): the probability of each class. */
  locals: Tensor[];
  /** (cells, types): logits of the types. */
  types: Tensor;
}

/** The heads' outputs for cells (cells, genes). */
export function forwardHmcn(model: Hmcn, x: Tensor): HmcnOutputs {
  const encoded = relu(apply(model.encoder, x));
  const locals: Tensor[] = [];
  const layers = [encoded];
  let layer = encoded;
  model.levels.forEach((level, i) => {
    layer = relu(apply(level, i === 0 ? encoded : concat([layer, encoded], { axis: 1 })));
    layers.push(layer);
    locals.push(sigmoid(apply(model.locals[i]!, layer)));
  });
  return {
    global: sigmoid(apply(model.global, layer)),
    locals,
    types: apply(model.types, concat(layers, { axis: 1 })),
  };
}

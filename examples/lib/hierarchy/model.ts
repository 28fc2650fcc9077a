/**
 * The network of hierarchical annotation (HMCN), as UniCell builds it, at a small size.
 *
 * An encoder is followed by one layer per level of the hierarchy. Each sees the layer above and the
 * encoder's output once more, and has a local head that names the classes of its level. The last
 * layer bears the global head, which says how deep a cell's type lies. The head that names the type
 * sees the encoder and all levels; UniCell's sees the last level only, which for a few hundred cells
 * and ten levels is far from what they are. UniCell normalizes layers and drops values out; here
 * strong weight decay keeps them in check, as in the flat classifier.
 */
import { concat, relu, sigmoid, type Tensor } from "@cellgrad/cellgrad";
import { split } from "@cellgrad/cellgrad/random";
import { applyLinear, initLinear, type Linear } from "../linear.ts";

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

export interface HmcnSizes {
  /** Genes. */
  inputs: number;
  hidden: number;
  level: number;
  /** Classes on each level, the root's first. */
  classes: readonly number[];
  types: number;
}

/** A random network, with weights as in `initLinear`. */
export function initHmcn(key: Tensor, sizes: HmcnSizes): Hmcn {
  const { inputs, hidden, level, classes, types } = sizes;
  const below = classes.slice(1);
  const keys = split(key, 3 + 2 * below.length) as Tensor[];
  const linear = (k: number, from: number, to: number, gain: number) =>
    initLinear(keys[k]!, from, to, gain);
  return {
    encoder: linear(0, inputs, hidden, 2),
    levels: below.map((_, i) => linear(3 + i, hidden + (i === 0 ? 0 : level), level, 2)),
    locals: below.map((count, i) => linear(3 + below.length + i, level, count, 1)),
    global: linear(1, level, classes.length, 1),
    types: linear(2, hidden + below.length * level, types, 1),
  };
}

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
  const encoded = relu(applyLinear(model.encoder, x));
  const locals: Tensor[] = [];
  const layers = [encoded];
  let layer = encoded;
  model.levels.forEach((level, i) => {
    layer = relu(applyLinear(level, i === 0 ? encoded : concat([layer, encoded], { axis: 1 })));
    layers.push(layer);
    locals.push(sigmoid(applyLinear(model.locals[i]!, layer)));
  });
  return {
    global: sigmoid(applyLinear(model.global, layer)),
    locals,
    types: applyLinear(model.types, concat(layers, { axis: 1 })),
  };
}

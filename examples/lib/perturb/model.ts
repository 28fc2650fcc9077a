/**
 * scFormer's generator at a small size: a transformer over the genes of a cell.
 *
 * A gene's token is the sum of what it is, how much of it there is, and whether it is perturbed. The
 * encoder's layers normalize after each sum, as PyTorch's `TransformerEncoderLayer` does by default;
 * a token in front stands for the cell (`cell_emb_style="cls"`). Expression after the perturbation is
 * read off each gene's token by one linear layer.
 *
 * @module
 */
import {
  broadcastTo,
  concat,
  expandDims,
  gather,
  layerNorm,
  matmul,
  mvcDecoder,
  relu,
  reshape,
  softmax,
  type Tensor,
  tensor,
  transpose,
  where,
  zeros,
} from "@cellgrad/cellgrad";
import type { ScformerOptions, ScformerOutputs } from "@cellgrad/cellgrad/losses";
import { bernoulli, foldIn, normal, split } from "@cellgrad/cellgrad/random";
import { applyLinear, initLinear, type Linear } from "../linear.ts";

/** One layer of the encoder. */
export type EncoderLayer = {
  /** To the heads' queries. */
  queries: Linear;
  /** To the heads' keys. */
  keys: Linear;
  /** To the heads' values. */
  values: Linear;
  /** From the heads back. */
  mixed: Linear;
  /** The feed-forward network's first part. */
  wide: Linear;
  /** Its second part. */
  narrow: Linear;
};

/** All parameters. */
export type Generator = {
  /** (genes + 1, d): what a gene is; the last row is the cell's token. */
  genes: Tensor;
  /** (2, d): not perturbed, perturbed. */
  flags: Tensor;
  /** From a value to d. */
  value: Linear[];
  /** The transformer. */
  layers: EncoderLayer[];
  /** From d to expression. */
  decoder: Linear;
  /** From the cell's token to its type (CLS). */
  types: Linear;
  /** From the cell's token to expression (MVC). */
  mvc: { Wq: Tensor; bq: Tensor; W: Tensor };
};

/** The network's sizes. */
export interface GeneratorSizes {
  /** Genes. */
  genes: number;
  /** Values per token. */
  embedding: number;
  /** Layers of the encoder. */
  layers: number;
}

/** Attention heads. */
const HEADS = 4;
/** The share of values that dropout takes out. */
const DROPOUT = 0.1;

/** Which parts of the objective are on. */
export type Terms = Required<Pick<ScformerOptions, "cls" | "cce" | "mvc" | "ecs">>;

/** What the network sees: control cells, and what is to be done to them. */
export type GeneratorInput = {
  /** (cells, genes): expression before. */
  values: Tensor;
  /** (cells, genes): 1 for perturbed genes, else 0. */
  flags: Tensor;
};

/** A random network. */
export function initGenerator(
  key: Tensor,
  { genes, embedding: d, layers }: GeneratorSizes,
): Generator {
  const keys = split(key, 8 + 6 * layers) as [Tensor, ...Tensor[]];
  const linear = (k: number, inputs: number, outputs: number, gain?: number) =>
    initLinear(keys[k]!, inputs, outputs, gain);
  return {
    genes: normal(keys[0]!, [genes + 1, d]),
    flags: concat([zeros([1, d]), normal(keys[1]!, [1, d])]),
    value: [linear(2, 1, d, 2), linear(3, d, d)],
    layers: Array.from({ length: layers }, (_, layer): EncoderLayer => {
      const k = 8 + 6 * layer;
      return {
        queries: linear(k, d, d),
        keys: linear(k + 1, d, d),
        values: linear(k + 2, d, d),
        mixed: linear(k + 3, d, d),
        wide: linear(k + 4, d, 2 * d, 2),
        narrow: linear(k + 5, 2 * d, d),
      };
    }),
    decoder: linear(4, d, 1),
    types: linear(5, d, 2),
    mvc: { Wq: linear(6, d, d).weight, bq: zeros([d]), W: linear(7, d, d).weight },
  };
}

/** Takes values out at random and scales up the others; without a key, nothing. */
function dropout(x: Tensor, key: Tensor | undefined, site: number): Tensor {
  if (key === undefined) return x;
  const kept = bernoulli(foldIn(key, site), tensor(1 - DROPOUT), { shape: x.shape });
  return where(kept, x.div(1 - DROPOUT), 0);
}

/** Every token looks at all tokens. x: (cells, tokens, d). */
function attend(layer: EncoderLayer, x: Tensor): Tensor {
  const [cells, tokens, d] = x.shape as [number, number, number];
  const heads = (part: Linear) =>
    transpose(reshape(applyLinear(part, x), [cells, tokens, HEADS, d / HEADS]), [0, 2, 1, 3]);
  const [queries, keys, values] = [layer.queries, layer.keys, layer.values].map(heads) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const scores = matmul(queries, transpose(keys, [0, 1, 3, 2])).mul(Math.sqrt(HEADS / d));
  const mixed = transpose(matmul(softmax(scores), values), [0, 2, 1, 3]);
  return applyLinear(layer.mixed, reshape(mixed, [cells, tokens, d]));
}

/** The tokens (cells, genes + 1, d), the cell's first, and the genes' embeddings (cells, genes, d). */
function encode(model: Generator, { values, flags }: GeneratorInput, key?: Tensor) {
  const [cells, genes] = values.shape as [number, number];
  const d = model.genes.shape[1]!;
  const embeddings = layerNorm(model.genes);
  const own = broadcastTo(expandDims(embeddings.slice([0, 0], [genes, d]), 0), [cells, genes, d]);
  const [first, second] = model.value as [Linear, Linear];
  const amount = layerNorm(applyLinear(second, relu(applyLinear(first, expandDims(values, 2)))));
  const flag = gather(model.flags, flags);
  const cell = broadcastTo(reshape(embeddings.slice([genes, 0], [genes + 1, d]), [1, 1, d]), [
    cells,
    1,
    d,
  ]);
  let x = concat([cell, own.add(dropout(amount, key, 0)).add(flag)], { axis: 1 });
  model.layers.forEach((layer, i) => {
    x = layerNorm(x.add(dropout(attend(layer, x), key, 2 * i + 1)));
    const forward = applyLinear(layer.narrow, relu(applyLinear(layer.wide, x)));
    x = layerNorm(x.add(dropout(forward, key, 2 * i + 2)));
  });
  return { tokens: x, own };
}

/** Expression after the perturbation (cells, genes). */
export function predict(model: Generator, input: GeneratorInput): Tensor {
  const { tokens } = encode(model, input);
  return decode(model, tokens);
}

function decode(model: Generator, tokens: Tensor): Tensor {
  const [cells, all, d] = tokens.shape as [number, number, number];
  const genes = tokens.slice([0, 1, 0], [cells, all, d]);
  return reshape(applyLinear(model.decoder, genes), [cells, all - 1]);
}

/** All that the heads put out in training: what `scformerObjective` is given. */
export function forward(
  model: Generator,
  input: GeneratorInput,
  key: Tensor,
  terms: Terms,
): ScformerOutputs {
  const { tokens, own } = encode(model, input, foldIn(key, 0));
  const cellEmbeddings = cellOf(tokens);
  return {
    mlmOutput: decode(model, tokens),
    cellEmbeddings,
    clsLogits: terms.cls ? applyLinear(model.types, cellEmbeddings) : undefined,
    cellEmbeddings2: terms.cce ? cellOf(encode(model, input, foldIn(key, 1)).tokens) : undefined,
    mvcOutput: terms.mvc
      ? mvcDecoder(cellEmbeddings, own, model.mvc, { archStyle: "inner product, detach" }).pred
      : undefined,
  };
}

function cellOf(tokens: Tensor): Tensor {
  return gather(tokens, 0, { axis: 1 });
}

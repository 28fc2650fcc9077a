/**
 * The layers that scGPT and scFormer have in common, beyond those of `./nn`: encoders of genes and
 * values, and heads that read a cell's token. Parameters have the names of their `state_dict`s.
 *
 * Source: scGPT `scgpt/model/model.py` and scFormer `scformer/model/generation_model.py`.
 */
import * as cg from "@cellgrad/cellgrad";
import type { MvcDecoded, MvcDecoderOptions } from "@cellgrad/cellgrad/losses";
import * as nn from "@cellgrad/cellgrad/nn";
import { split, uniform } from "@cellgrad/cellgrad/random";

type Tensor = cg.Tensor;

export type Linear = nn.Initialized<nn.LinearParams>;
export type Norm = nn.Initialized<nn.NormParams>;
export type Embedding = nn.Initialized<nn.EmbeddingParams>;

/** Embeddings that are normalized: `GeneEncoder`, `BatchLabelEncoder`, `CategoryValueEncoder`. */
export type NormalizedEmbedding = { embedding: Embedding; enc_norm: Norm };

/** What makes d numbers of a value: `ContinuousValueEncoder`, scFormer's `ValueEncoding`. */
export type ValueEncoder = { linear1: Linear; linear2: Linear; norm: Norm };

/** `ClsDecoder` and `AdversarialDiscriminator`: linear layers, each with a norm behind. */
export type Classifier = { _decoder: nn.Numbered<Linear | Norm>; out_layer: Linear };

/** `MVCDecoder`; `W_zero_logit` predicts what is expressed at all. */
export type CellDecoder = { gene2query: Linear; W: { weight: Tensor }; W_zero_logit?: Linear };

/** How large a transformer is. */
export interface TransformerSizes {
  vocabulary: number;
  /** Numbers per token. */
  dModel: number;
  heads: number;
  /** Units of the feed-forward parts. */
  feedForward: number;
  layers: number;
  /** Whether expression is predicted from cells, too. */
  mvc?: boolean;
}

/** How a transformer is run. */
export interface TransformerOptions {
  heads: number;
  /** The share of values that is dropped where there is a key; 0 by default. */
  dropout?: number;
  /** The random key of dropout. */
  key?: Tensor;
  /** The number of `<pad>`, which is hidden from all tokens; none by default. */
  padding?: number;
}

/** (…) ids to (…, d); the row of the id `padding` gets no gradient, as in PyTorch. */
export function pick(params: Embedding, ids: cg.TensorLike, padding?: number): Tensor {
  const rows = nn.embedding(params, ids);
  if (padding === undefined) return rows;
  return cg.where(
    cg.expandDims(cg.equal(ids, padding), rows.rank - 1),
    cg.stopGradient(rows),
    rows,
  );
}

/** The same, normalized. */
export function embed(params: NormalizedEmbedding, ids: cg.TensorLike, padding?: number): Tensor {
  return nn.layerNorm(params.enc_norm, pick(params.embedding, ids, padding));
}

/** Larger values are as good as this one. */
const LARGEST_VALUE = 512;

/** (cells, tokens) values to (cells, tokens, d). */
export function encodeValues(
  { linear1, linear2, norm }: ValueEncoder,
  values: Tensor,
  options: { rate: number; key: Tensor | undefined },
): Tensor {
  const clipped = cg.expandDims(cg.clip(values, -Infinity, LARGEST_VALUE), 2);
  return nn.dropout(
    nn.layerNorm(norm, nn.linear(linear2, nn.linear(linear1, clipped).relu())),
    options,
  );
}

/** (cells, d) to logits (cells, classes). */
export function classify(
  { _decoder, out_layer }: Classifier,
  cells: Tensor,
  activation: (x: Tensor) => Tensor,
): Tensor {
  const hidden = Object.values(_decoder).reduce<Tensor>(
    (x, layer) =>
      layer.weight.rank === 2 ? activation(nn.linear(layer, x)) : nn.layerNorm(layer as Norm, x),
    cells,
  );
  return nn.linear(out_layer, hidden);
}

/** Expression out of cells (cells, D) and genes (cells, tokens, d), by `mvcDecoder`. */
export function decodeCells(
  { gene2query, W, W_zero_logit }: CellDecoder,
  cells: Tensor,
  genes: Tensor,
  archStyle: MvcDecoderOptions["archStyle"],
): MvcDecoded {
  const zero = W_zero_logit && { Wz: W_zero_logit.weight, bz: W_zero_logit.bias };
  const params = { Wq: gene2query.weight, bq: gene2query.bias, W: W.weight, ...zero };
  return cg.mvcDecoder(cells, genes, params, { archStyle, explicitZeroProb: zero !== undefined });
}

/** Random embeddings, of PyTorch's distribution. */
export function initEmbed(key: Tensor, entries: number, d: number): NormalizedEmbedding {
  return { embedding: nn.initEmbedding(key, entries, d), enc_norm: nn.initLayerNorm(d) };
}

/** Random embeddings of genes, within ±0.1. */
export function initGenes(key: Tensor, entries: number, d: number): NormalizedEmbedding {
  const weight = uniform(key, [entries, d], { min: -0.1, max: 0.1 });
  return { embedding: { weight }, enc_norm: nn.initLayerNorm(d) };
}

export function initValues(key: Tensor, d: number): ValueEncoder {
  const [first, second] = split(key) as [Tensor, Tensor];
  return {
    linear1: nn.initLinear(first, 1, d),
    linear2: nn.initLinear(second, d, d),
    norm: nn.initLayerNorm(d),
  };
}

/** A random classifier of three layers; in PyTorch's list activations have numbers, too. */
export function initClassifier(key: Tensor, d: number, classes: number): Classifier {
  const keys = split(key, 3) as [Tensor, Tensor, Tensor];
  return {
    _decoder: {
      0: nn.initLinear(keys[0], d, d),
      2: nn.initLayerNorm(d),
      3: nn.initLinear(keys[1], d, d),
      5: nn.initLayerNorm(d),
    },
    out_layer: nn.initLinear(keys[2], d, classes),
  };
}

/** A random decoder of cells of D values and genes of d. */
export function initCellDecoder(key: Tensor, d: number, D: number, zero: boolean): CellDecoder {
  const keys = split(key, 3) as [Tensor, Tensor, Tensor];
  return {
    gene2query: nn.initLinear(keys[0], d, d),
    W: { weight: nn.initLinear(keys[1], d, D).weight },
    ...zero ? { W_zero_logit: nn.initLinear(keys[2], d, D) } : {},
  };
}

/** Attention as the checkpoints of flash-attn name it, and as PyTorch does. */
const NAMES = [[/\.self_attn\.(_impl\.)?Wqkv\./, ".self_attn.in_proj_"]] as const;

/**
 * Weights from a file (`readSafetensors` of `model.state_dict()`), by the names of the original, in
 * the form of `like`. The names of flash-attn (`self_attn.Wqkv.weight`), with which scGPT's
 * checkpoints were written, become PyTorch's, as in scGPT's `load_pretrained`; the counter
 * `num_batches_tracked` is left out.
 */
export function loadWeights<P extends object>(
  tensors: Readonly<Record<string, Tensor>>,
  like: P,
): P {
  const named = Object.entries(tensors)
    .filter(([name]) => !name.endsWith(".num_batches_tracked"))
    .map(([name, x]) => [NAMES.reduce((text, [from, to]) => text.replace(from, to), name), x]);
  return nn.fromStateDict<P>(Object.fromEntries(named), { like });
}

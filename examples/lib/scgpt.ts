/**
 * scGPT: a transformer over the genes of a cell, with all its encoders and heads.
 *
 * A token is a gene's embedding plus what its value becomes, normalized by the statistics of the
 * cells' batch where there is domain-specific batch normalisation (DSBN). The first token, `<cls>`,
 * stands for the cell. Decoders predict expression from each gene's token (MLM) and from the cell's
 * alone (MVC, which its code calls GEPC), a classifier the cell's type, and a discriminator behind a
 * reversed gradient its batch (DAB). Parameters have the names of scGPT's `state_dict`, and what a
 * tree of them has is what is computed: heads without parameters are left out.
 *
 * Not here are the pass of generative pretraining, whose attention has parameters of its own
 * (`flag_encoder` is there to be loaded), `pre_norm`, and cell embeddings by pooling.
 *
 * Source: scGPT `scgpt/model/model.py`, `TransformerModel` (Cui et al. 2024,
 * https://doi.org/10.1038/s41592-024-02201-0).
 */
import * as cg from "@cellgrad/cellgrad";
import type { ScgptOutputs } from "@cellgrad/cellgrad/losses";
import * as nn from "@cellgrad/cellgrad/nn";
import { split } from "@cellgrad/cellgrad/random";
import { domainNorm, type DomainNorms, initDomainNorms } from "./domain_norm.ts";
import {
  type CellDecoder,
  type Classifier,
  classify,
  decodeCells,
  embed,
  type Embedding,
  encodeValues,
  initCellDecoder,
  initClassifier,
  initEmbed,
  initGenes,
  initValues,
  type Linear,
  type NormalizedEmbedding,
  type TransformerOptions,
  type TransformerSizes,
  type ValueEncoder,
} from "./token_layers.ts";

type Tensor = cg.Tensor;

/** All parameters, by scGPT's names. */
export interface ScgptParams {
  /** What a gene is. */
  encoder: NormalizedEmbedding;
  /** (2, d): perceived and generated genes; only generative pretraining reads it. */
  flag_encoder?: Embedding;
  /** Values as numbers or as bins; without it they scale the genes' embeddings. */
  value_encoder?: ValueEncoder | NormalizedEmbedding;
  /** The batch of a cell, which both decoders are told. */
  batch_encoder?: NormalizedEmbedding;
  /** DSBN: the norms of the batches. */
  dsbn?: DomainNorms;
  transformer_encoder: ReturnType<typeof nn.initTransformerEncoder>;
  /** From tokens to expression, and to whether a gene is expressed at all. */
  decoder: { fc: nn.Numbered<Linear>; zero_logit?: nn.Numbered<Linear> };
  /** From cells to types. */
  cls_decoder?: Classifier;
  /** From cells to expression. */
  mvc_decoder?: CellDecoder;
  /** From cells to batches. */
  grad_reverse_discriminator?: Classifier;
}

/** Cells as tokens, `<cls>` first. */
export interface ScgptInput {
  /** (cells, tokens): numbers of genes in the vocabulary. */
  genes: cg.TensorLike;
  /** (cells, tokens): their values, or the bins of these. */
  values: Tensor;
  /** (cells): batches; the first cell's decides for all which norm DSBN takes, as in the original. */
  batchLabels?: cg.TensorLike | undefined;
}

export interface ScgptOptions extends TransformerOptions {
  /** Whether DSBN normalizes by the cells at hand, and moves its statistics; `false` by default. */
  training?: boolean;
  /** The factor of the reversed gradient; 1 by default. */
  reversal?: number;
}

/** What the heads put out, and the norms after these cells. */
export interface ScgptResult {
  /** What `scgptObjective` takes; expression is (cells, tokens). */
  outputs: ScgptOutputs & { mlmOutput: Tensor; cellEmbeddings: Tensor };
  /** (cells, types) */
  clsLogits?: Tensor | undefined;
  /** DSBN with running statistics that have moved, to be put in place of the old. */
  dsbn?: DomainNorms | undefined;
}

/** Runs the model: from parameters and cells as tokens to what the heads put out. */
export function scgpt(params: ScgptParams, input: ScgptInput, options: ScgptOptions): ScgptResult {
  const { heads, dropout = 0, key, training = false, padding, reversal = 1 } = options;
  const [valueKey, encoderKey] = key === undefined ? [] : split(key);
  const genes = embed(params.encoder, input.genes, padding);
  const values = { rate: dropout, key: valueKey };
  const summed = tokensOf(params, genes, input, values);
  const { output, dsbn } = normalize(params, summed, input, training);
  const keyPaddingMask = padding === undefined ? undefined : cg.equal(input.genes, padding);
  const layers = { heads, dropout, key: encoderKey, keyPaddingMask };
  const tokens = nn.transformerEncoder(params.transformer_encoder, output, layers);
  const cells = cg.gather(tokens, 0, { axis: 1 });
  const { cls_decoder, grad_reverse_discriminator: discriminator } = params;
  return {
    outputs: {
      ...decode(params, input, { tokens, cells, genes }),
      cellEmbeddings: cells,
      dabLogits: discriminator &&
        classify(discriminator, cg.gradientReversal(cells, { scale: reversal }), cg.leakyRelu),
    },
    clsLogits: cls_decoder && classify(cls_decoder, cells, cg.relu),
    dsbn,
  };
}

/** Genes with their values, (cells, tokens, d). */
function tokensOf(
  { value_encoder: encoder }: ScgptParams,
  genes: Tensor,
  { values }: ScgptInput,
  dropout: { rate: number; key: Tensor | undefined },
): Tensor {
  if (encoder === undefined) return genes.mul(cg.expandDims(values, 2));
  const own = "embedding" in encoder
    ? embed(encoder, values.cast("int32"))
    : encodeValues(encoder, values, dropout);
  return genes.add(own);
}

/** The tokens by the norm of the cells' batch. */
function normalize(
  { dsbn }: ScgptParams,
  tokens: Tensor,
  { batchLabels }: ScgptInput,
  training: boolean,
): { output: Tensor; dsbn?: DomainNorms } {
  if (dsbn === undefined) return { output: tokens };
  const label = cg.gather(batchLabels!, 0);
  const { output, norms } = domainNorm(dsbn, cg.transpose(tokens, [0, 2, 1]), label, { training });
  return { output: cg.transpose(output, [0, 2, 1]), dsbn: norms };
}

/** Expression out of tokens and out of cells. */
function decode(
  { batch_encoder, decoder, mvc_decoder }: ScgptParams,
  { batchLabels }: ScgptInput,
  { tokens, cells, genes }: Record<"tokens" | "cells" | "genes", Tensor>,
) {
  const batch = batch_encoder && embed(batch_encoder, batchLabels!);
  const told = batch === undefined
    ? tokens
    : cg.concat([tokens, cg.broadcastTo(cg.expandDims(batch, 1), tokens.shape)], { axis: 2 });
  const read = (layers: nn.Numbered<Linear>) =>
    cg.squeeze(nn.mlp(layers, told, { activation: "leakyRelu" }), 2);
  const whole = batch === undefined ? cells : cg.concat([cells, batch], { axis: 1 });
  const mvc = mvc_decoder && decodeCells(mvc_decoder, whole, genes, "inner product");
  return {
    mlmOutput: read(decoder.fc),
    mlmZeroProbs: decoder.zero_logit && cg.sigmoid(read(decoder.zero_logit)),
    mvcOutput: mvc?.pred,
    mvcZeroProbs: mvc?.zeroProbs,
  };
}

/** How large a model is, and which parts it has besides those that every one has. */
export interface ScgptSizes extends TransformerSizes {
  /** Bins of values, where these are not numbers. */
  bins?: number;
  /** Types of cells to classify. */
  types?: number;
  /** Whether it is predicted whether genes are expressed at all. */
  zeroProbs?: boolean;
  /** Batches; with them come their embedding, the discriminator, and DSBN. */
  batches?: number;
  /** Whether DSBN scales and shifts. */
  affine?: boolean;
}

/** Random parameters, of scGPT's distributions; parts of them may be taken out. */
export function initScgpt(key: Tensor, sizes: ScgptSizes): ScgptParams {
  const { vocabulary, dModel: d, bins, types, batches, affine = false } = sizes;
  const { heads, feedForward, layers, mvc = false, zeroProbs = false } = sizes;
  const keys = split(key, 10);
  const told = batches === undefined ? d : 2 * d;
  const expression = (k: number) => nn.initMlp(keys[k]!, [told, d, d, 1]);
  return {
    encoder: initGenes(keys[0]!, vocabulary, d),
    flag_encoder: nn.initEmbedding(keys[1]!, 2, d),
    value_encoder: bins === undefined ? initValues(keys[2]!, d) : initEmbed(keys[2]!, bins, d),
    ...batches === undefined ? {} : {
      batch_encoder: initEmbed(keys[3]!, batches, d),
      dsbn: initDomainNorms(batches, d, affine),
      grad_reverse_discriminator: initClassifier(keys[4]!, d, batches),
    },
    transformer_encoder: nn.initTransformerEncoder(keys[5]!, {
      dModel: d,
      heads,
      feedForward,
      layers,
    }),
    decoder: { fc: expression(6), ...zeroProbs ? { zero_logit: expression(7) } : {} },
    ...types === undefined ? {} : { cls_decoder: initClassifier(keys[8]!, d, types) },
    ...mvc ? { mvc_decoder: initCellDecoder(keys[9]!, d, told, zeroProbs) } : {},
  };
}

/**
 * The network that integrates batches on many ranks: small, with the heads of scGPT.
 *
 * An encoder of two layers sees a cell's genes, some of them hidden, and gives its embedding. Two
 * decoders predict expression: one (MLM) from the encoder's hidden layer, the other (MVC) from the
 * embedding alone, both by inner products with embeddings of the genes. Both are told the cell's
 * batch, so that the embedding need not hold it. A discriminator guesses the batch from the
 * embedding, through a reversed gradient (DAB).
 */
import * as cg from "@cellgrad/cellgrad";
import type { ScgptOutputs } from "@cellgrad/cellgrad/losses";
import { normal, split } from "@cellgrad/cellgrad/random";
import { applyLinear, initLinear, initWeight, type Linear } from "../linear.ts";

type Tensor = cg.Tensor;

export type Model = {
  /** From standardized expression (genes) to the hidden layer. */
  encoder: Linear;
  /** (genes, hidden): what stands for each gene where it is hidden. */
  hiddenGenes: Tensor;
  /** From the hidden layer to the cell embedding. */
  embedding: Linear;
  /** (genes, d): embeddings of the genes, shared by both decoders. */
  genes: Tensor;
  /** (genes): expression on top of which both decoders predict, the genes' means at first. */
  levels: Tensor;
  /** (batches, d): embeddings of the batches, shared by both decoders. */
  batches: Tensor;
  /** From hidden layer and batch to expression, by way of the genes' embeddings. */
  mlm: Linear;
  /** The same to the probability of being expressed. */
  mlmZero: Linear;
  /** The decoder from the cell embedding, that of `mvcDecoder`. */
  mvc: { Wq: Tensor; bq: Tensor; W: Tensor; Wz: Tensor; bz: Tensor };
  /** The layers that guess the batch. */
  discriminator: Linear[];
};

export interface ModelSizes {
  batches: number;
  hidden: number;
  /** Values per embedding of a cell. */
  embedding: number;
  /** Values per embedding of a gene or a batch. */
  tokens: number;
}

/** Values per embedding of a gene or a batch. */
export const TOKENS = 16;

/** A batch of cells, as the loss sees it. */
export type CellBatch = {
  /** (cells, genes): standardized expression, 0 where it is hidden. */
  visible: Tensor;
  /** (cells, genes): which values are hidden. */
  mask: Tensor;
  /** (cells, genes): expression. */
  values: Tensor;
  /** (cells): the batch of each cell. */
  batchLabels: Int32Array;
};

/** What the heads put out, and the cells' embeddings. */
export type ModelOutputs = Required<ScgptOutputs> & {
  /** (cells, d): layer-normalized, as the output of scGPT's transformer is. */
  cellEmbeddings: Tensor;
};

/**
 * The variance of what decoders add to the genes' levels at first, in parts of their usual one. Large
 * errors at the start would push the embeddings of all cells the same way, beyond the similarity from
 * which ECS pulls them together for good.
 */
const QUIET = 0.01;

/** A random network; levels are the genes' mean expression. */
export function initModel(key: Tensor, levels: Tensor, sizes: ModelSizes): Model {
  const { batches, hidden, embedding, tokens: d } = sizes;
  const genes = levels.size;
  const keys = split(key, 14) as [Tensor, ...Tensor[]];
  const linear = (k: number, inputs: number, outputs: number, gain?: number) =>
    initLinear(keys[k]!, inputs, outputs, gain);
  return {
    encoder: linear(0, genes, hidden, 2),
    hiddenGenes: initWeight(keys[1]!, genes, hidden),
    embedding: linear(2, hidden, embedding),
    genes: normal(keys[3]!, [genes, d]),
    levels,
    batches: normal(keys[4]!, [batches, d]),
    mlm: linear(5, hidden + d, d, QUIET),
    mlmZero: linear(6, hidden + d, d, QUIET),
    mvc: {
      Wq: initWeight(keys[7]!, d, d),
      bq: cg.zeros([d]),
      W: initWeight(keys[8]!, embedding + d, d, QUIET),
      Wz: initWeight(keys[9]!, embedding + d, d, QUIET),
      bz: cg.zeros([embedding + d]),
    },
    discriminator: [
      linear(10, embedding, embedding, 2),
      linear(11, embedding, embedding, 2),
      linear(12, embedding, batches),
    ],
  };
}

/** The hidden layer (cells, hidden). */
function encode(model: Model, visible: Tensor, mask?: Tensor): Tensor {
  const seen = applyLinear(model.encoder, visible);
  const all = mask === undefined
    ? seen
    : seen.add(cg.matmul(mask.cast("float32"), model.hiddenGenes));
  return cg.relu(cg.layerNorm(all));
}

/** The logits of the batches (cells, batches), as scGPT's `AdversarialDiscriminator` has them. */
function guessBatch(layers: readonly Linear[], embeddings: Tensor): Tensor {
  const [first, second, last] = layers as [Linear, Linear, Linear];
  const hidden = [first, second].reduce(
    (x, layer) => cg.layerNorm(cg.leakyRelu(applyLinear(layer, x))),
    embeddings,
  );
  return applyLinear(last, hidden);
}

/** All that the heads put out for a batch of cells: what `scgptObjective` is given. */
export function forward(
  model: Model,
  { visible, mask, batchLabels }: CellBatch,
  scale: number,
): ModelOutputs {
  const hidden = encode(model, visible, mask);
  const cellEmbeddings = cg.layerNorm(applyLinear(model.embedding, hidden));
  const batches = model.batches.shape[0]!;
  const batch = cg.matmul(cg.oneHot(batchLabels, batches), model.batches);
  const context = cg.concat([hidden, batch], { axis: 1 });
  const genes = cg.transpose(model.genes);
  const perCell = cg.expandDims(model.genes, 0).broadcastTo([
    visible.shape[0]!,
    ...model.genes.shape,
  ]);
  const mvc = cg.mvcDecoder(cg.concat([cellEmbeddings, batch], { axis: 1 }), perCell, model.mvc, {
    explicitZeroProb: true,
  });
  return {
    mlmOutput: cg.matmul(applyLinear(model.mlm, context), genes).add(model.levels),
    mlmZeroProbs: cg.sigmoid(cg.matmul(applyLinear(model.mlmZero, context), genes)),
    mvcOutput: mvc.pred.add(model.levels),
    mvcZeroProbs: mvc.zeroProbs!,
    cellEmbeddings,
    dabLogits: guessBatch(model.discriminator, cg.gradientReversal(cellEmbeddings, { scale })),
  };
}

/** The embeddings (cells, d) of standardized cells, of length 1 as scGPT uses them. */
export function embed(model: Model, standardized: Tensor): Tensor {
  return cg.layerNorm(applyLinear(model.embedding, encode(model, standardized))).l2Normalize();
}

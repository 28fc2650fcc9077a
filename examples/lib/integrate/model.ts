/**
 * scGPT at a small size, on cells whose genes are all the vocabulary.
 *
 * It begins from nothing, not from 33 million cells, and so that it learns all the same:
 *
 * - Values scale the embeddings of the genes (`input_emb_style="scaling"` of scGPT), and the cell's own
 *   token begins at 0. After DSBN the mean of the tokens then is what tells cells apart. With the
 *   encoder of values, all cells look alike at first, more alike than the similarity from which ECS
 *   pulls them together for good.
 * - What is read off the cell's token is small at first, as large errors would push all cells the same
 *   way.
 */
import * as cg from "@cellgrad/cellgrad";
import type { ScgptOutputs } from "@cellgrad/cellgrad/losses";
import { initScgpt, scgpt, type ScgptInput, type ScgptParams } from "../scgpt.ts";
import type { CellDecoder } from "../token_layers.ts";

type Tensor = cg.Tensor;

export type Model = ScgptParams;

export interface ModelSizes {
  genes: number;
  batches: number;
  /** Values per token, and so per embedding of a cell. */
  embedding: number;
  layers: number;
}

/** A batch of cells, as the loss sees it. */
export type CellBatch = {
  /** (cells, genes): expression, −1 where it is hidden. */
  visible: Tensor;
  /** (cells, genes): which values are hidden. */
  mask: Tensor;
  /** (cells, genes): expression. */
  values: Tensor;
  /** (cells): the batch of each cell. */
  batchLabels: Int32Array;
};

const HEADS = 4;
/** What is read off the cell's token at first, in parts of what PyTorch's weights would give. */
const QUIET = 0.1;

export function initModel(key: Tensor, sizes: ModelSizes): Model {
  const { genes, batches, embedding, layers } = sizes;
  const { value_encoder: _, mvc_decoder, ...rest } = initScgpt(key, {
    ...{ vocabulary: genes + 1, dModel: embedding, heads: HEADS, feedForward: embedding, layers },
    ...{ batches, mvc: true, zeroProbs: true },
  });
  return { ...rest, mvc_decoder: quiet(mvc_decoder!) };
}

function quiet({ gene2query, W, W_zero_logit }: CellDecoder): CellDecoder {
  const { weight, bias } = W_zero_logit!;
  return {
    gene2query,
    W: { weight: W.weight.mul(QUIET) },
    W_zero_logit: { weight: weight.mul(QUIET), bias },
  };
}

/** Cells as tokens: the cell's own with value 0, which comes last in the vocabulary, then genes. */
function tokensOf(values: Tensor, batchLabels: cg.TensorLike): ScgptInput {
  const [cells, genes] = values.shape as [number, number];
  const ids = Int32Array.from({ length: genes + 1 }, (_, i) => (i + genes) % (genes + 1));
  return {
    genes: cg.broadcastTo(cg.expandDims(cg.tensor(ids), 0), [cells, genes + 1]),
    values: cg.concat([cg.zeros([cells, 1]), values], { axis: 1 }),
    batchLabels,
  };
}

/**
 * What `scgptObjective` is given for a batch of cells, and the norms of the batches after these.
 */
export function forward(model: Model, { visible, batchLabels }: CellBatch, reversal: number): {
  outputs: ScgptOutputs & { cellEmbeddings: Tensor };
  kept: { dsbn: Model["dsbn"] | undefined };
} {
  const input = tokensOf(visible, batchLabels);
  const { outputs, dsbn } = scgpt(model, input, { heads: HEADS, training: true, reversal });
  const ofGenes = (x: cg.TensorLike | undefined) =>
    cg.slice(x as Tensor, [0, 1], input.values.shape);
  return {
    outputs: {
      ...outputs,
      mlmOutput: ofGenes(outputs.mlmOutput),
      mlmZeroProbs: ofGenes(outputs.mlmZeroProbs),
      mvcOutput: ofGenes(outputs.mvcOutput),
      mvcZeroProbs: ofGenes(outputs.mvcZeroProbs),
    },
    kept: { dsbn },
  };
}

/** Cells that are embedded at a time. */
const CHUNK = 64;

/** The embeddings (cells, d) of cells (cells, genes), of length 1 as scGPT uses them. */
export function embed(model: Model, expression: Tensor, batches: Int32Array): Tensor {
  // DSBN takes one norm for all: cells of one batch at a time.
  const order = Int32Array.from(batches.keys()).sort((a, b) => batches[a]! - batches[b]!);
  const chunks: Tensor[] = [];
  for (let start = 0; start < order.length;) {
    const batch = batches[order[start]!]!;
    const chunk = order.slice(start, start + CHUNK).filter((cell) => batches[cell] === batch);
    const input = tokensOf(expression.gather(chunk), chunk.map(() => batch));
    chunks.push(scgpt(model, input, { heads: HEADS }).outputs.cellEmbeddings);
    start += chunk.length;
  }
  const back = new Int32Array(order.length);
  order.forEach((cell, position) => back[cell] = position);
  return cg.concat(chunks).gather(back).l2Normalize();
}

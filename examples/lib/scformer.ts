/**
 * scFormer's generator: a transformer over the genes of a cell that is told which of them are
 * perturbed.
 *
 * A token is the sum of what a gene is, how much of it there is, and whether it is perturbed. The
 * first token stands for the cell (`cell_emb_style="cls"`, the only one here). Expression after the
 * perturbation is read off each gene's token by one linear layer (MLM); other heads read the cell's
 * token: its type (CLS), and expression again (MVC). Parameters have the names of scFormer's
 * `state_dict`.
 *
 * Source: scFormer `scformer/model/generation_model.py`, `TransformerGenerator` (Cui et al. 2022,
 * https://doi.org/10.1101/2022.11.20.517285).
 */
import * as cg from "@cellgrad/cellgrad";
import type { MvcDecoderOptions, ScformerOutputs } from "@cellgrad/cellgrad/losses";
import * as nn from "@cellgrad/cellgrad/nn";
import { foldIn, split, uniform } from "@cellgrad/cellgrad/random";
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
  initGenes,
  initValues,
  type Linear,
  type NormalizedEmbedding,
  pick,
  type TransformerOptions,
  type TransformerSizes,
  type ValueEncoder,
} from "./token_layers.ts";

type Tensor = cg.Tensor;

/** All parameters, by scFormer's names. */
export interface ScformerParams {
  /** What a gene is. */
  encoder: NormalizedEmbedding;
  /** How much of it there is. */
  value_encoder: ValueEncoder;
  /** (3, d): not perturbed, perturbed, and padding. */
  pert_encoder: Embedding;
  transformer_encoder: ReturnType<typeof nn.initTransformerEncoder>;
  /** From tokens to expression. */
  decoder: Linear;
  /** From cells to types. */
  cls_decoder: Classifier;
  /** From cells to expression. */
  mvc_decoder?: CellDecoder;
}

/** Cells as tokens, the cell's first. */
export interface ScformerInput {
  /** (cells, tokens): numbers of genes in the vocabulary. */
  genes: cg.TensorLike;
  /** (cells, tokens): expression before. */
  values: Tensor;
  /** (cells, tokens): 1 for perturbed genes, else 0, and 2 for padding. */
  flags: cg.TensorLike;
}

export interface ScformerOptions extends TransformerOptions {
  /** Whether MVC trains the genes' embeddings, too; `"inner product"` by default. */
  archStyle?: MvcDecoderOptions["archStyle"];
  /** Whether cells are embedded a second time, with other dropout (CCE); `false` by default. */
  twice?: boolean | undefined;
}

/** What `scformerObjective` takes; expression is (cells, tokens). */
export type ScformerResult = ScformerOutputs & {
  mlmOutput: Tensor;
  mvcOutput: Tensor | undefined;
  cellEmbeddings: Tensor;
};

export function scformer(
  params: ScformerParams,
  input: ScformerInput,
  options: ScformerOptions,
): ScformerResult {
  const { key, twice = false, archStyle = "inner product" } = options;
  const pass = (n: number) => encode(params, input, options, key && foldIn(key, n));
  const { genes, tokens } = pass(0);
  const cells = cg.gather(tokens, 0, { axis: 1 });
  const { mvc_decoder } = params;
  return {
    mlmOutput: cg.squeeze(nn.linear(params.decoder, tokens), 2),
    clsLogits: classify(params.cls_decoder, cells, cg.relu),
    mvcOutput: mvc_decoder && decodeCells(mvc_decoder, cells, genes, archStyle).pred,
    cellEmbeddings: cells,
    cellEmbeddings2: twice ? cg.gather(pass(1).tokens, 0, { axis: 1 }) : undefined,
  };
}

/** The flag of padding. */
const UNKNOWN = 2;

/** The genes' embeddings, and the tokens after all layers, both (cells, tokens, d). */
function encode(
  { encoder, value_encoder, pert_encoder, transformer_encoder }: ScformerParams,
  input: ScformerInput,
  { heads, dropout = 0, padding }: ScformerOptions,
  key: Tensor | undefined,
): Record<"genes" | "tokens", Tensor> {
  const [valueKey, encoderKey] = key === undefined ? [] : split(key);
  const genes = embed(encoder, input.genes, padding);
  const values = encodeValues(value_encoder, input.values, { rate: dropout, key: valueKey });
  const flags = pick(pert_encoder, input.flags, UNKNOWN);
  const keyPaddingMask = padding === undefined ? undefined : cg.equal(input.genes, padding);
  const tokens = nn.transformerEncoder(transformer_encoder, genes.add(values).add(flags), {
    ...{ heads, dropout, key: encoderKey, keyPaddingMask },
  });
  return { genes, tokens };
}

/** How large a model is, and whether it predicts expression from cells, too. */
export interface ScformerSizes extends TransformerSizes {
  types: number;
}

/** Random parameters, of scFormer's distributions. */
export function initScformer(key: Tensor, sizes: ScformerSizes): ScformerParams {
  const { vocabulary, dModel: d, types, mvc = false, ...shape } = sizes;
  const keys = split(key, 7);
  const weight = uniform(keys[4]!, [1, d], { min: -0.1, max: 0.1 });
  return {
    encoder: initGenes(keys[0]!, vocabulary, d),
    value_encoder: initValues(keys[1]!, d),
    pert_encoder: nn.initEmbedding(keys[2]!, 3, d),
    transformer_encoder: nn.initTransformerEncoder(keys[3]!, { dModel: d, ...shape }),
    decoder: { weight, bias: cg.zeros([1]) },
    cls_decoder: initClassifier(keys[5]!, d, types),
    ...mvc ? { mvc_decoder: initCellDecoder(keys[6]!, d, d, false) } : {},
  };
}

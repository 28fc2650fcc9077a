/**
 * scFormer's generator at a small size, on cells whose genes are all the vocabulary.
 *
 * In front of the genes stands a token for the cell, as scGPT's `<cls>`: with value 0, and not
 * perturbed.
 */
import { concat, slice, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import type { ScformerOptions as Switches, ScformerOutputs } from "@cellgrad/cellgrad/losses";
import {
  initScformer,
  scformer,
  type ScformerInput,
  type ScformerOptions,
  type ScformerParams,
} from "../scformer.ts";

export type Generator = ScformerParams;

export interface GeneratorSizes {
  genes: number;
  /** Values per token. */
  embedding: number;
  /** Layers of the encoder. */
  layers: number;
}

const HEADS = 4;
/** The share of values that dropout takes out. */
const DROPOUT = 0.1;

/** Which parts of the objective are on. */
export type Terms = Required<Pick<Switches, "cls" | "cce" | "mvc" | "ecs">>;

/** What the network sees: control cells, and what is to be done to them. */
export type GeneratorInput = {
  /** (cells, genes): expression before. */
  values: Tensor;
  /** (cells, genes): 1 for perturbed genes, else 0. */
  flags: Tensor;
};

export function initGenerator(
  key: Tensor,
  { genes, embedding, layers }: GeneratorSizes,
): Generator {
  return initScformer(key, {
    vocabulary: genes + 1,
    dModel: embedding,
    heads: HEADS,
    feedForward: 2 * embedding,
    layers,
    types: 2,
    mvc: true,
  });
}

/** The genes as tokens, the cell's in front, which comes last in the vocabulary. */
function tokensOf({ values, flags }: GeneratorInput): ScformerInput {
  const [cells, genes] = values.shape as [number, number];
  const ids = Int32Array.from({ length: cells * (genes + 1) }, (_, i) => (i + genes) % (genes + 1));
  return {
    genes: tensor(ids, { shape: [cells, genes + 1] }),
    values: concat([zeros([cells, 1]), values], { axis: 1 }),
    flags: concat([zeros([cells, 1], { dtype: "int32" }), flags], { axis: 1 }),
  };
}

/** What was read off the genes' tokens, without that of the cell. */
function ofGenes(perToken: Tensor): Tensor {
  return slice(perToken, [0, 1], perToken.shape);
}

/** Expression after the perturbation (cells, genes). */
export function predict(model: Generator, input: GeneratorInput): Tensor {
  return ofGenes(scformer(model, tokensOf(input), { heads: HEADS }).mlmOutput);
}

/** All that the heads put out in training: what `scformerObjective` is given. */
export function forward(
  model: Generator,
  input: GeneratorInput,
  key: Tensor,
  { cls, cce, mvc }: Terms,
): ScformerOutputs {
  const archStyle: ScformerOptions["archStyle"] = "inner product, detach";
  const options = { heads: HEADS, dropout: DROPOUT, key, archStyle, twice: cce };
  const outputs = scformer(model, tokensOf(input), options);
  return {
    ...outputs,
    mlmOutput: ofGenes(outputs.mlmOutput),
    clsLogits: cls ? outputs.clsLogits : undefined,
    mvcOutput: mvc ? ofGenes(outputs.mvcOutput!) : undefined,
  };
}

/**
 * Decoder of expression values from cell embeddings (MVC, GEPC).
 *
 * @module
 */
import { add, expandDims, matmul, sigmoid, squeeze, stopGradient, transpose } from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import {
  checkAxes,
  checkBoolean,
  checkChoice,
  checkObject,
  readOptions,
  refuseMore,
} from "../options.ts";

/** The decoder's parameters, of gene embeddings of d values and cell embeddings of D. */
export interface MvcDecoderParams {
  /** Query weights, [d, d]. */
  Wq: TensorLike;
  /** Query bias, [d]. */
  bq: TensorLike;
  /** From queries to cell embeddings, [D, d]. */
  W: TensorLike;
  /** The same for the probabilities, [D, d]; needed with `explicitZeroProb`. */
  Wz?: TensorLike | undefined;
  /** Bias of the probabilities, [D]; needed with `explicitZeroProb`. */
  bz?: TensorLike | undefined;
}

/** Options of {@linkcode mvcDecoder}. */
export interface MvcDecoderOptions {
  /** Whether gene embeddings are trained too, or detached; `"inner product"` by default. */
  archStyle?: "inner product" | "inner product, detach" | undefined;
  /** Whether to predict which values are not zero; `false` by default. */
  explicitZeroProb?: boolean | undefined;
}

/** What {@linkcode mvcDecoder} returns. */
export interface MvcDecoded {
  /** Predicted values, [cells, genes]. */
  pred: Tensor;
  /** With `explicitZeroProb`: the probability that a value is **not** zero, [cells, genes]. */
  zeroProbs?: Tensor;
}

/**
 * Predicts the expression of every gene from the cell embedding, by inner products with queries made
 * from gene embeddings: the masked-value decoder of scGPT (GEPC) and scFormer (MVC).
 *
 * `q = σ(Wq e + bq)`, `pred = ⟨W q, c⟩`, and `zeroProbs = σ(⟨Wz q + bz, c⟩)`
 *
 * for the gene embedding e and the cell embedding c. Train it with {@linkcode maskedMseLoss} on
 * `pred` (`loss_gepc`, `loss_mvc`) and {@linkcode negLogBernoulliLoss} on `zeroProbs`. The inner
 * products are taken as `⟨q, Wᵀ c⟩`, so nothing larger than the queries is ever made.
 *
 * `"inner product, detach"`, scFormer's default for perturbation, passes no gradient to the gene
 * embeddings; the weights learn all the same. D is d, or 2 d where a batch embedding is appended to
 * the cell's.
 *
 * **Differs from the original**: its styles "concat query" and "sum query" are not offered. In scGPT
 * both fail, as they return a tensor where the model looks up `pred`.
 *
 * Source: scGPT `scgpt/model/model.py`, `MVCDecoder`; scFormer, the same class.
 *
 * @param cellEmbeddings [cells, D]
 * @param geneEmbeddings [cells, genes, d]
 * @param params `Wq`, `bq`, `W`, and with `explicitZeroProb` `Wz` and `bz`.
 * @param options `archStyle`, `"inner product"` by default; `explicitZeroProb`, `false`.
 * @returns `{ pred, zeroProbs }`, both [cells, genes]; `zeroProbs` only with `explicitZeroProb`.
 * @throws {TypeError} If a shape does not fit, a parameter is missing, or an option does not exist.
 *
 * @example One cell, two genes, and its reconstruction loss
 * ```ts
 * import { mvcDecoder, maskedMseLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const params = { Wq: [[0]], bq: [0], W: [[2]] };
 * const { pred } = mvcDecoder([[3]], [[[5], [-7]]], params);
 * assertEquals(pred.toArray(), [[3, 3]]);
 * assertEquals(maskedMseLoss(pred, [[1, 3]], [[1, 1]]).item(), 2);
 * ```
 */
export function mvcDecoder(
  cellEmbeddings: TensorLike,
  geneEmbeddings: TensorLike,
  params: MvcDecoderParams,
  options: MvcDecoderOptions = {},
): MvcDecoded {
  if (arguments.length > 4) refuseMore("mvcDecoder", "options", 4, arguments);
  const name = "mvcDecoder";
  const { archStyle, explicitZeroProb } = readOptions(name, options, {
    archStyle: "inner product",
    explicitZeroProb: false,
  });
  checkChoice(name, "archStyle", archStyle, ["inner product", "inner product, detach"]);
  checkBoolean(name, "explicitZeroProb", explicitZeroProb);
  const { cells, genes, weights } = readDecoder(cellEmbeddings, geneEmbeddings, params);
  const { Wq, bq, W, Wz, bz } = weights;
  const source = archStyle === "inner product" ? genes : stopGradient(genes);
  const queries = sigmoid(add(matmul(source, transpose(Wq)), bq));
  const pred = innerProducts(queries, matmul(cells, W));
  if (!explicitZeroProb) return { pred };
  if (Wz === undefined || bz === undefined) {
    throw new TypeError(
      `Cannot compute mvcDecoder as params.Wz and params.bz must be given with explicitZeroProb`,
    );
  }
  const offset = expandDims(matmul(cells, bz), 1);
  return { pred, zeroProbs: sigmoid(add(innerProducts(queries, matmul(cells, Wz)), offset)) };
}

/** (cells, genes, d) and (cells, d) to (cells, genes). */
function innerProducts(queries: Tensor, keys: Tensor): Tensor {
  return squeeze(matmul(queries, expandDims(keys, 2)), 2);
}

interface DecoderWeights {
  Wq: Tensor;
  bq: Tensor;
  W: Tensor;
  Wz?: Tensor;
  bz?: Tensor;
}

/** The tensors in one floating type, with their shapes checked. */
function readDecoder(
  cellEmbeddings: TensorLike,
  geneEmbeddings: TensorLike,
  params: MvcDecoderParams,
): { cells: Tensor; genes: Tensor; weights: DecoderWeights } {
  checkObject("mvcDecoder", "params", params);
  const known = ["Wq", "bq", "W", "Wz", "bz"] as const;
  const given = known.filter((key) => params[key] !== undefined);
  const unknown = Object.keys(params).find((key) => !known.includes(key as "Wq"));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot compute mvcDecoder as there is no parameter "${unknown}": ` +
        `the parameters are ${known.join(", ")}`,
    );
  }
  const missing = known.slice(0, 3).filter((key) => !given.includes(key));
  if (missing.length > 0) {
    throw new TypeError(`Cannot compute mvcDecoder as params.${missing[0]} must be given`);
  }
  const [cells, genes, ...rest] = promoteAll("mvcDecoder", {
    cellEmbeddings,
    geneEmbeddings,
    ...Object.fromEntries(given.map((key) => [`params.${key}`, params[key]!])),
  }).map(floating) as [Tensor, Tensor, ...Tensor[]];
  checkAxes("mvcDecoder", "cellEmbeddings", cells, ["cells", "D"]);
  checkAxes("mvcDecoder", "geneEmbeddings", genes, [cells.shape[0]!, "genes", "d"]);
  const [D, d] = [cells.shape[1]!, genes.shape[2]!];
  const shapes = { Wq: [d, d], bq: [d], W: [D, d], Wz: [D, d], bz: [D] };
  given.forEach((key, i) => checkAxes("mvcDecoder", `params.${key}`, rest[i]!, shapes[key]));
  const weights = Object.fromEntries(given.map((key, i) => [key, rest[i]!]));
  return { cells, genes, weights: weights as unknown as DecoderWeights };
}

/**
 * What the objective of State takes.
 *
 * @module
 */
import type { Tensor, TensorLike } from "../tensor.ts";

/** What the model put out, for S sets of n cells, each of one perturbation. */
export interface StateOutputs {
  /** (S, n, d): the cells that it predicts, as embeddings or expression. */
  cells: TensorLike;
  /** (S, n, G): the expression that a decoder makes of them. */
  expression?: TensorLike | undefined;
  /** (S, K): logits of the batch of each set. */
  batchLogits?: TensorLike | undefined;
  /** (S): how large it expects `distribution` of each set to be, times `confidenceScale`. */
  confidence?: TensorLike | undefined;
}

/** What the outputs of {@linkcode stateObjective} are compared with. */
export interface StateTargets {
  /** (S, m, d): the perturbed cells that were observed. */
  cells: TensorLike;
  /** (S, m, G): their expression. */
  expression?: TensorLike | undefined;
  /** (S), whole numbers in [0, K): the batch of each set. */
  batchLabels?: TensorLike | undefined;
  /** (S, n, d): the control cells that the predictions were made of. */
  controls?: TensorLike | undefined;
}

/** A loss of two sets of cells, (n, d) and (m, d). */
export type SetLoss = (predicted: Tensor, observed: Tensor) => Tensor;

/** Options of {@linkcode stateObjective}. */
export interface StateOptions {
  /** How sets are compared: `"energy"`, the default, `"mse"`, or a function. */
  distance?: "energy" | "mse" | SetLoss | undefined;
  /** The weight of the expression, at least 0; 1 by default. */
  expressionWeight?: number | undefined;
  /** The weight of the batches, at least 0; 0.1 by default. */
  batchWeight?: number | undefined;
  /** The weight of the confidence, at least 0; 0.01 by default. */
  confidenceWeight?: number | undefined;
  /** What the distance of a set is multiplied by before confidence is compared; 10 by default. */
  confidenceScale?: number | undefined;
  /** The weight of the change from the controls, at least 0; 0 by default. */
  changeWeight?: number | undefined;
}

/** The names of the parts of {@linkcode stateObjective}. */
export type StatePart = "distribution" | "expression" | "batch" | "confidence" | "change";

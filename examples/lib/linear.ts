/** A linear layer: what the networks of the examples are made of. */
import { matmul, type Tensor, zeros } from "@cellgrad/cellgrad";
import { normal } from "@cellgrad/cellgrad/random";

/** Weights (inputs, outputs) and biases (outputs). */
export type Linear = {
  /** (inputs, outputs) */
  weight: Tensor;
  /** (outputs) */
  bias: Tensor;
};

/**
 * Random weights (inputs, outputs), normal with variance `gain`/inputs: 2 before a rectifier and 1
 * elsewhere keep the scale (He et al. 2015, arXiv:1502.01852).
 */
export function initWeight(key: Tensor, inputs: number, outputs: number, gain = 1): Tensor {
  return normal(key, [inputs, outputs]).mul(Math.sqrt(gain / inputs));
}

/** A layer with random weights as {@linkcode initWeight} makes them, and biases 0. */
export function initLinear(key: Tensor, inputs: number, outputs: number, gain = 1): Linear {
  return { weight: initWeight(key, inputs, outputs, gain), bias: zeros([outputs]) };
}

/** What the layer makes of rows (rows, inputs): (rows, outputs). */
export function applyLinear({ weight, bias }: Linear, x: Tensor): Tensor {
  return matmul(x, weight).add(bias);
}

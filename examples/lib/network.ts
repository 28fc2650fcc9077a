/**
 * A network of two layers: linear, rectifier, linear.
 *
 * @module
 */
import { matmul, relu, type Tensor, zeros } from "@cellgrad/cellgrad";
import { normal, split } from "@cellgrad/cellgrad/random";

/** The weights and biases of both layers. */
export type Network = {
  /** (inputs, hidden) */
  hiddenWeight: Tensor;
  /** (hidden) */
  hiddenBias: Tensor;
  /** (hidden, outputs) */
  outputWeight: Tensor;
  /** (outputs) */
  outputBias: Tensor;
};

/**
 * A random network. Weights are normal with variance 2/inputs before the rectifier and 1/inputs
 * behind it (He et al. 2015, arXiv:1502.01852); biases are 0.
 */
export function initNetwork(key: Tensor, inputs: number, hidden: number, outputs: number): Network {
  const [first, second] = split(key) as [Tensor, Tensor];
  return {
    hiddenWeight: normal(first, [inputs, hidden]).mul(Math.sqrt(2 / inputs)),
    hiddenBias: zeros([hidden]),
    outputWeight: normal(second, [hidden, outputs]).mul(Math.sqrt(1 / hidden)),
    outputBias: zeros([outputs]),
  };
}

/** The logits (cells, outputs) of cells (cells, inputs). */
export function forward(network: Network, x: Tensor): Tensor {
  const hidden = relu(matmul(x, network.hiddenWeight).add(network.hiddenBias));
  return matmul(hidden, network.outputWeight).add(network.outputBias);
}

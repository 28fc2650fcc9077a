/** A network of two layers: linear, rectifier, linear. */
import { matmul, relu, type Tensor, zeros } from "@cellgrad/cellgrad";
import { split } from "@cellgrad/cellgrad/random";
import { initWeight } from "./linear.ts";

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

/** A random network, with weights as {@linkcode initWeight} makes them; biases are 0. */
export function initNetwork(key: Tensor, inputs: number, hidden: number, outputs: number): Network {
  const [first, second] = split(key) as [Tensor, Tensor];
  return {
    hiddenWeight: initWeight(first, inputs, hidden, 2),
    hiddenBias: zeros([hidden]),
    outputWeight: initWeight(second, hidden, outputs),
    outputBias: zeros([outputs]),
  };
}

/** The logits (cells, outputs) of cells (cells, inputs). */
export function forward(network: Network, x: Tensor): Tensor {
  const hidden = relu(matmul(x, network.hiddenWeight).add(network.hiddenBias));
  return matmul(hidden, network.outputWeight).add(network.outputBias);
}

/**
 * Activations of networks, by name.
 *
 * @module
 */
import { checkChoice } from "../options.ts";
import { gelu, leakyRelu, relu, sigmoid, silu, softplus, tanh } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";

/** Activations by name; `gelu` is the exact one, `leakyRelu` has the slope 0.01. */
export type Activation =
  | "relu"
  | "gelu"
  | "silu"
  | "leakyRelu"
  | "tanh"
  | "sigmoid"
  | "softplus";

const ACTIVATIONS: Readonly<Record<Activation, (x: Tensor) => Tensor>> = {
  relu: (x) => relu(x),
  gelu: (x) => gelu(x),
  silu: (x) => silu(x),
  leakyRelu: (x) => leakyRelu(x),
  tanh: (x) => tanh(x),
  sigmoid: (x) => sigmoid(x),
  softplus: (x) => softplus(x),
};

/** An activation by its name; throws a `TypeError` that lists them where there is none. */
export function activationOf(caller: string, name: Activation): (x: Tensor) => Tensor {
  checkChoice(caller, "activation", name, Object.keys(ACTIVATIONS));
  return ACTIVATIONS[name];
}

/**
 * Multilayer perceptrons.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkArray, checkObject, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type Activation, activationOf } from "./activations.ts";
import { applyLinear, type LinearParams, makeLinear } from "./linear.ts";
import {
  branchOf,
  checkCount,
  type Initialized,
  type InitOptions,
  keysFor,
  type Place,
  readDType,
} from "./params.ts";

/** Layers under their places in a row, `"0"`, `"1"`, … */
export interface Numbered<P> {
  /** A layer. */
  [place: string]: P;
}

/** The layers under whole numbers, in order; throws a `TypeError` where a name is none. */
export function numbered({ caller, path }: Place, params: unknown): [string, unknown][] {
  checkObject(caller, path, params);
  const layers = Object.entries(params as Record<string, unknown>);
  const other = layers.find(([name]) => !/^(0|[1-9]\d{0,5})$/.test(name))?.[0];
  if (layers.length > 0 && other === undefined) return layers;
  throw new TypeError(
    `Cannot compute ${caller} as ${path} must have layers by their numbers, "0" and so on: ` +
      (other === undefined ? "there are none" : `current value is ${describe(other)}`),
  );
}

/** Parameters of {@linkcode mlp}, as `torch.nn.Sequential` numbers them: `"0"`, `"2"`, `"4"`, … */
export type MlpParams = Numbered<LinearParams>;

/** Options of {@linkcode mlp}. */
export interface MlpOptions {
  /** What stands between the layers; `"relu"` by default. */
  activation?: Activation | undefined;
}

/**
 * A multilayer perceptron: linear layers with activations between them, and none behind the last.
 *
 * @param params Linear layers under the numbers that they have in a `torch.nn.Sequential`, where
 * activations take numbers too: `"0"`, `"2"`, …; dropout behind an activation may take some more.
 * @param x (…, inputs of the first layer)
 * @param options `activation`, `"relu"` by default.
 * @returns (…, outputs of the last layer)
 * @throws {TypeError} If a parameter is missing or left over, two layers have no number between
 * them, or the shapes do not fit.
 *
 * @example A hidden layer
 * ```ts
 * import { mlp } from "@cellgrad/cellgrad/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const params = {
 *   0: { weight: [[1], [-1]], bias: [0, 0] },
 *   2: { weight: [[1, 1]], bias: [1] },
 * };
 * assertEquals(mlp(params, [[-3], [2]]).toArray(), [[4], [3]]);
 * ```
 */
export function mlp(params: MlpParams, x: TensorLike, options: MlpOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("mlp", "options", 3, arguments);
  const { activation } = readOptions("mlp", options, { activation: "relu" });
  const activate = activationOf("mlp", activation);
  const place = { caller: "mlp", path: "params" };
  const layers = numbered(place, params);
  let result: TensorLike = x;
  layers.forEach(([name, layer], i) => {
    if (i > 0) result = activate(result as Tensor);
    checkGap(layers[i - 1]?.[0], name);
    result = applyLinear(branchOf(place, name), layer, result);
  });
  return result as Tensor;
}

/** Throws a `TypeError` where there is no number left for the activation between two layers. */
function checkGap(before: string | undefined, name: string): void {
  if (before === undefined || Number(name) - Number(before) > 1) return;
  throw new TypeError(
    `Cannot compute mlp as activations have numbers in params, too, as in torch.nn.Sequential: ` +
      `current layers are ${before} and ${name}, with none between them`,
  );
}

/**
 * Parameters of a multilayer perceptron; those of its layers are as of {@linkcode initLinear}.
 *
 * @param key A random key.
 * @param features How many features come in, are between the layers, and go out: two or more
 * numbers.
 * @param options `dtype`, `float32` by default.
 * @returns `{ "0": { weight, bias }, "2": { weight, bias }, … }`.
 * @throws {TypeError} If `key` is no random key, `features` has fewer than two numbers, or an
 * option is unknown.
 * @throws {RangeError} If a number of features is not a whole number of at least 1.
 *
 * @example 200 genes, 32 hidden features, 5 types
 * ```ts
 * import { initMlp, mlp } from "@cellgrad/cellgrad/nn";
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const params = initMlp(key(0), [200, 32, 5]);
 * assertEquals(Object.keys(params), ["0", "2"]);
 * assertEquals(mlp(params, normal(key(1), [10, 200])).shape, [10, 5]);
 * ```
 */
export function initMlp(
  key: Tensor,
  features: readonly number[],
  options: InitOptions = {},
): Numbered<Initialized<LinearParams>> {
  if (arguments.length > 3) refuseMore("initMlp", "options", 3, arguments);
  checkArray("initMlp", "features", features);
  if (features.length < 2) {
    throw new TypeError(
      `Cannot compute initMlp as features must have two numbers or more: ` +
        `current value is ${describe(features)}`,
    );
  }
  features.forEach((n, i) => checkCount("initMlp", `features[${i}]`, n));
  const keys = keysFor("initMlp", key, 2 * features.length - 2);
  const dtype = readDType("initMlp", options);
  return Object.fromEntries(
    features.slice(1).map((outputs, i) => {
      return [2 * i, makeLinear(keys.slice(2 * i), features[i]!, outputs, dtype)];
    }),
  );
}

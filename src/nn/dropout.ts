/**
 * Dropout, by an explicit key.
 *
 * @module
 */
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { floating } from "../ops/elementwise.ts";
import { div, where } from "../ops/mod.ts";
import { bernoulli } from "../random.ts";
import { checkKey } from "../random/ops.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";

/** Options of {@linkcode dropout}. */
export interface DropoutOptions {
  /** The share of values that become 0, in [0, 1). */
  rate: number;
  /** The random key that says which; without one, nothing is dropped. */
  key?: Tensor | undefined;
}

/**
 * Dropout: values become 0 at random, and the others are divided by the share that is kept
 * (Srivastava et al. 2014). There is no mode of training: with a key it drops, without one it does
 * nothing. A program that is given the key as an argument draws anew at every call.
 *
 * @param x Any shape.
 * @param options `rate`, and `key` where values are to be dropped.
 * @returns A tensor of the shape of `x`.
 * @throws {TypeError} If `key` is no random key, or an option is unknown.
 * @throws {RangeError} If `rate` is not in [0, 1).
 *
 * @example In training, and after
 * ```ts
 * import { ones } from "@cellgrad/cellgrad";
 * import { dropout } from "@cellgrad/cellgrad/nn";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const x = dropout(ones([100]), { rate: 0.5, key: key(0) });
 * assert(x.data.every((value) => value === 0 || value === 2));
 * assertEquals(dropout([1, 2], { rate: 0.5 }).toArray(), [1, 2]);
 * ```
 */
export function dropout(x: TensorLike, options: DropoutOptions): Tensor {
  if (arguments.length > 2) refuseMore("dropout", "options", 2, arguments);
  const defaults = { rate: undefined as unknown as number, key: undefined };
  const { rate, key } = readOptions("dropout", options, defaults);
  checkRate("dropout", "rate", rate, key);
  return drop(floating(asOperand("dropout", x)), rate, key);
}

/** Throws unless a rate is in [0, 1), and the key one or none. */
export function checkRate(
  caller: string,
  name: string,
  rate: unknown,
  key: Tensor | undefined,
): void {
  checkNumber(caller, name, rate, { min: 0, below: 1 });
  if (key !== undefined) checkKey(caller, key);
}

/** Dropout of what has been checked. */
export function drop(x: Tensor, rate: number, key: Tensor | undefined): Tensor {
  if (key === undefined || rate === 0) return x;
  return where(bernoulli(key, 1 - rate, { shape: x.shape }), div(x, 1 - rate), 0);
}

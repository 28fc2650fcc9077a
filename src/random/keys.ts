/**
 * Random keys.
 *
 * @module
 */
import { checkNumber, refuseMore } from "../options.ts";
import { formatShape } from "../shape.ts";
import { fromData, Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { checkKey, foldInOp, SPLIT } from "./ops.ts";

/**
 * A random key: the seed of everything that is drawn from it.
 *
 * Keys are values: the same key gives the same numbers, always and everywhere. Use each key once:
 * {@linkcode split} it, or {@linkcode foldIn} numbers, to get others. The words of keys are those
 * of JAX's default generator (`jax.random.key`).
 *
 * @param seed A whole number from 0 to 2⁵³ − 1.
 * @returns The key, an `int32` tensor of shape [2].
 * @throws {RangeError} If the seed is no such number.
 *
 * @example The same seed, the same numbers
 * ```ts
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(normal(key(7), [3]).toArray(), normal(key(7), [3]).toArray());
 * ```
 */
export function key(seed: number): Tensor {
  if (arguments.length > 1) refuseMore("key", "seed", 1, arguments);
  checkNumber("key", "seed", seed, { integer: true, min: 0, max: Number.MAX_SAFE_INTEGER });
  return fromData(new Int32Array([seed / 2 ** 32, seed % 2 ** 32 | 0]));
}

/**
 * Several independent keys from one.
 *
 * Keys are split as JAX splits them (`jax.random.split`): the i-th one is `foldIn(key, i)`, so use
 * only one of the two functions on a key.
 *
 * @param key A random key, not to be used for anything else.
 * @param n How many keys; 2 by default.
 * @returns The keys.
 * @throws {TypeError} If `key` is no random key.
 * @throws {RangeError} If `n` is no whole number of at least 0.
 *
 * @example One key per purpose
 * ```ts
 * import { key, normal, split } from "@cellgrad/cellgrad/random";
 * import { assertNotEquals } from "@std/assert";
 *
 * const [weightKey, noiseKey] = split(key(0));
 * assertNotEquals(normal(weightKey!, [3]).toArray(), normal(noiseKey!, [3]).toArray());
 * ```
 */
export function split(key: Tensor, n = 2): Tensor[] {
  if (arguments.length > 2) refuseMore(SPLIT, "n", 2, arguments);
  checkKey(SPLIT, key);
  checkNumber(SPLIT, "n", n, { integer: true, min: 0, max: 2 ** 20 });
  return Array.from({ length: n }, (_, i) => foldIn(key, i));
}

/**
 * The key that a number leads to from another key: for loops, where the number counts steps.
 *
 * @param key A random key, not to be used for anything but folding in other numbers.
 * @param data A whole number from 0 to 2³² − 1, or an `int32` tensor with one value.
 * @returns The key, as `jax.random.fold_in` gives it.
 * @throws {TypeError} If `key` is no random key, or `data` a tensor that holds something else than
 * one whole number.
 * @throws {RangeError} If `data` is a number out of range.
 *
 * @example Fresh noise at every step
 * ```ts
 * import { foldIn, key, uniform } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const noiseKey = key(0);
 * const noise = [0, 1, 2].map((step) => uniform(foldIn(noiseKey, step), []).item());
 * assertEquals(new Set(noise).size, 3);
 * ```
 */
export function foldIn(key: Tensor, data: number | Tensor): Tensor {
  if (arguments.length > 2) refuseMore("foldIn", "data", 2, arguments);
  checkKey("foldIn", key);
  if (data instanceof Tensor) {
    if (data.dtype !== "int32" || data.size !== 1) {
      throw new TypeError(
        `Cannot compute foldIn as data must be a number or an int32 tensor with one value: ` +
          `current dtype is ${data.dtype}, current shape ${formatShape(data.shape)}`,
      );
    }
    return apply(foldInOp, [key, data], null);
  }
  checkNumber("foldIn", "data", data, { integer: true, min: 0, max: 2 ** 32 - 1 });
  return apply(foldInOp, [key, fromData(new Int32Array([data | 0]), [])], null);
}

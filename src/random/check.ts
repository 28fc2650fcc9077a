/**
 * Checks of what samplers are given.
 *
 * @module
 */
import { checkDType, type DType, isFloating } from "../dtype.ts";
import { broadcastTo } from "../ops/mod.ts";
import { checkShape, formatShape, type Shape } from "../shape.ts";
import { asTensor, Tensor, type TensorLike } from "../tensor.ts";

/** Throws a `TypeError` that names the caller unless `key` is a random key. */
export function checkKey(caller: string, key: unknown): asserts key is Tensor {
  if (
    key instanceof Tensor && key.dtype === "int32" && key.rank === 1 && key.shape[0] === 2
  ) return;
  const found = key instanceof Tensor
    ? `a tensor of dtype ${key.dtype} and shape ${formatShape(key.shape)}`
    : typeof key === "number"
    ? `${key}: key(${key}) makes one`
    : key === null || key === undefined
    ? String(key)
    : Array.isArray(key)
    ? "an array (split gives an array of keys: take one of them)"
    : `a ${typeof key}`;
  throw new TypeError(
    `Cannot compute ${caller} as key must be a random key, made by key, split or foldIn: ` +
      `current value is ${found}`,
  );
}

/** Throws a `TypeError` that names the caller unless `dtype` is a floating one. */
export function checkFloating(caller: string, dtype: DType): void {
  checkDType(caller, dtype);
  if (!isFloating(dtype)) {
    throw new TypeError(
      `Cannot compute ${caller} as dtype must be float32 or float64: current value is ${dtype}`,
    );
  }
}

/** Throws a `TypeError` that names the caller unless one shape can be repeated to the other. */
export function checkFits(caller: string, argument: string, given: Shape, shape: Shape): void {
  const offset = shape.length - given.length;
  if (offset >= 0 && given.every((n, i) => n === 1 || n === shape[offset + i])) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${argument} must broadcast to shape: ` +
      `current shapes are ${formatShape(given)} and ${formatShape(shape)}`,
  );
}

/** A distribution's parameter, with one value or one per number to draw, and the result's shape. */
export function parameterFor(
  caller: string,
  argument: string,
  value: TensorLike,
  shape: Shape | undefined,
): { parameter: Tensor; shape: Shape } {
  const parameter = asTensor(value, "float64");
  if (shape === undefined) return { parameter, shape: parameter.shape };
  checkShape(caller, shape);
  checkFits(caller, argument, parameter.shape, shape);
  return { parameter: parameter.size === 1 ? parameter : broadcastTo(parameter, shape), shape };
}

/** Throws a `RangeError` unless all values are in the closed range; NaN is in none. */
export function checkRange(
  caller: string,
  argument: string,
  values: ArrayLike<number>,
  low: number,
  high: number,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value >= low && value <= high) continue;
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must be in [${low}, ${high}]: ` +
        `current value${values.length > 1 ? ` at position ${i}` : ""} is ${value}`,
    );
  }
}

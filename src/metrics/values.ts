/**
 * What metrics are given, as plain numbers: labels, coordinates, numbers of any kind.
 *
 * @module
 */
import { checkAttached } from "../intake.ts";
import { checkAxes } from "../options.ts";
import { cast, reshape } from "../ops/mod.ts";
import type { Shape } from "../shape.ts";
import { asTensor, fromData, type NestedArray, Tensor, type TensorLike } from "../tensor.ts";

/**
 * Numbers in any form: tensors, nested arrays, typed arrays of every kind. Metrics read the values
 * and nothing else: no gradient passes, also not within a transform.
 */
export type Values =
  | TensorLike
  | Int8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Uint32Array;

/** Numbers as a `float64` tensor that nothing watches; throws a `TypeError` where they are none. */
export function readNumbers(caller: string, argument: string, values: Values): Tensor {
  const wrap = (data: ArrayLike<number>, shape?: Shape) =>
    fromData(data instanceof Float64Array ? data : new Float64Array(data), shape);
  if (values instanceof Tensor) return wrap(values.data, values.shape);
  const isNumbers = ArrayBuffer.isView(values) && !(values instanceof DataView) &&
    !(values instanceof BigInt64Array || values instanceof BigUint64Array);
  if (isNumbers) {
    checkAttached(values, { caller, argument });
    return wrap(values);
  }
  return cast(asTensor(values as NestedArray, "float64", caller, argument), "float64");
}

/** Labels as an `int32` tensor; throws a `TypeError` where one is not a whole number. */
export function readLabels(caller: string, argument: string, values: Values): Tensor {
  if (values instanceof Tensor && values.dtype === "int32") {
    return fromData(values.data, values.shape);
  }
  const { data, shape } = readNumbers(caller, argument, values);
  const labels = new Int32Array(data);
  const found = labels.findIndex((label, i) => label !== data[i]);
  if (found < 0) return fromData(labels, shape);
  throw new TypeError(
    `Cannot compute ${caller} as ${argument} must be whole numbers (int32): ` +
      `current value at position ${found} is ${data[found]}`,
  );
}

/** Numbers as a matrix; throws a `TypeError` unless they have two axes. */
export function readMatrix(
  caller: string,
  argument: string,
  values: Values,
  axes: readonly [string | number, string | number],
): Tensor {
  const given = readNumbers(caller, argument, values);
  // An empty array does not show its second axis.
  const matrix = given.size === 0 && given.rank === 1 ? reshape(given, [0, 0]) : given;
  checkAxes(caller, argument, matrix, axes);
  return matrix;
}

/** Throws a `RangeError` unless all numbers are finite: neighbours of NaN would be anyone's. */
function checkFinite(caller: string, argument: string, { data }: Tensor): void {
  const found = data.findIndex((value: number) => !Number.isFinite(value));
  if (found < 0) return;
  throw new RangeError(
    `Cannot compute ${caller} as ${argument} must be finite: ` +
      `current value at position ${found} is ${data[found]}`,
  );
}

/** Points and the groups that they belong to, one label per row; throws where they disagree. */
export function readGroupedPoints(
  caller: string,
  embeddings: Values,
  labels: Values,
): { points: Tensor; groups: Groups } {
  const points = readMatrix(caller, "embeddings", embeddings, ["n", "d"]);
  checkFinite(caller, "embeddings", points);
  const given = readLabels(caller, "labels", labels);
  checkAxes(caller, "labels", given, [points.shape[0]!]);
  return { points, groups: groupBy(given.data) };
}

/** Labels as the numbers of groups, from 0, in the order in which the groups first appear. */
export interface Groups {
  /** The group of each position. */
  codes: Int32Array;
  /** How many groups there are. */
  count: number;
}

/** The groups that labels form, whatever whole numbers they are. */
export function groupBy(labels: ArrayLike<number>): Groups {
  const known = new Map<number, number>();
  const codes = Int32Array.from(labels, (label) => {
    const code = known.get(label) ?? known.size;
    if (code === known.size) known.set(label, code);
    return code;
  });
  return { codes, count: known.size };
}

/** The mean of numbers; 0 where there are none. */
export function meanOf(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return values.length === 0 ? 0 : total / values.length;
}

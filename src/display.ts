/**
 * Tensors as text, for consoles and notebooks, and as JSON.
 *
 * @module
 */
import type { DType, TypedArray } from "./dtype.ts";
import { formatShape, type Shape } from "./shape.ts";

/** Extents above this are shown by their first and last entries. */
const EDGE = 3;

function formatNumber(value: number, dtype: DType): string {
  if (dtype === "bool") return value ? "true" : "false";
  if (dtype === "int32" || !Number.isFinite(value) || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(dtype === "float64" ? 8 : 5)));
}

function formatBlock(
  data: TypedArray,
  shape: Shape,
  dtype: DType,
  axis: number,
  offset: number,
): string {
  if (axis === shape.length) return formatNumber(data[offset]!, dtype);
  const extent = shape[axis]!;
  const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const shown = extent > 2 * EDGE + 1
    ? [0, 1, 2, -1, extent - 3, extent - 2, extent - 1]
    : Array.from({ length: extent }, (_, i) => i);
  const parts = shown.map((i) =>
    i < 0 ? "…" : formatBlock(data, shape, dtype, axis + 1, offset + i * stride)
  );
  const last = axis === shape.length - 1;
  return `[${parts.join(last ? ", " : `,\n${" ".repeat(axis + 1)}`)}]`;
}

/** A tensor as `JSON.stringify` writes it. */
export interface TensorJson {
  /** The extents, outermost first. */
  shape: Shape;
  /** The element type. */
  dtype: DType;
  /** The values in row-major order, where they are few and at hand. */
  values?: (number | string | boolean)[];
}

/** The most values that are written as JSON. */
export const MOST_JSON_VALUES = 1000;

/** Values for JSON: booleans, numbers, and as text the numbers that JSON does not have. */
export function jsonValues(data: TypedArray, dtype: DType): (number | string | boolean)[] {
  return Array.from(data, (value) => {
    if (dtype === "bool") return value !== 0;
    if (Object.is(value, -0)) return "-0";
    return Number.isFinite(value) ? value : String(value);
  });
}

/** Kind, shape and leading values: `Tensor float32 [2, 2]` and the values below. */
export function formatTensor(data: TypedArray, shape: Shape, dtype: DType): string {
  const values = formatBlock(data, shape, dtype, 0, 0);
  return `Tensor ${dtype} ${formatShape(shape)}${values.includes("\n") ? "\n" : " "}${values}`;
}

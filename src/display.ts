/**
 * Tensors as text, for consoles and notebooks.
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

/** Kind, shape and leading values: `Tensor float32 [2, 2]` and the values below. */
export function formatTensor(data: TypedArray, shape: Shape, dtype: DType): string {
  const values = formatBlock(data, shape, dtype, 0, 0);
  return `Tensor ${dtype} ${formatShape(shape)}${values.includes("\n") ? "\n" : " "}${values}`;
}

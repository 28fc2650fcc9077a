/**
 * Matrices of cells by genes, as preprocessing walks over them.
 *
 * @module
 */
import { type DType, isFloating, type TypedArray } from "../dtype.ts";
import { formatShape } from "../shape.ts";
import { asTensor, type TensorLike } from "../tensor.ts";

/** A row-major matrix. */
export interface Matrix {
  /** The values. */
  data: TypedArray;
  /** How many cells. */
  rows: number;
  /** How many genes. */
  columns: number;
  /** The floating type of what is computed from it. */
  dtype: DType;
}

/** The values of a matrix; throws a `TypeError` that names the caller where there is none. */
export function asMatrix(caller: string, argument: string, x: TensorLike): Matrix {
  const tensor = asTensor(x);
  if (tensor.rank !== 2) {
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must be a matrix (cells, genes): ` +
        `current shape is ${formatShape(tensor.shape)}`,
    );
  }
  const [rows, columns] = tensor.shape as [number, number];
  const dtype = isFloating(tensor.dtype) ? tensor.dtype : "float32";
  return { data: tensor.data, rows, columns, dtype };
}

/** Throws a `RangeError` that names caller and place where a value is negative, infinite or NaN. */
export function checkNotNegative(caller: string, argument: string, x: Matrix): void {
  const { data, columns } = x;
  for (let i = 0; i < data.length; i++) {
    if (data[i]! >= 0 && data[i]! < Infinity) continue;
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must be finite and not negative ` +
        `(is this scaled expression?): current value in cell ${Math.floor(i / columns)}, ` +
        `gene ${i % columns} is ${data[i]}`,
    );
  }
}

/** Mean and variance (n − 1 in the denominator) of every column. */
export interface Moments {
  /** The means. */
  mean: Float64Array;
  /** The variances; NaN where there are fewer than two rows. */
  variance: Float64Array;
}

/**
 * Column means and variances, in one pass that updates both (Welford, "Note on a method for
 * calculating corrected sums of squares and products", 1962), so that a constant column has
 * variance 0 exactly.
 */
export function columnMoments(
  { data, rows, columns }: Omit<Matrix, "dtype">,
  transform?: (x: number) => number,
): Moments {
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    const weight = 1 / (i + 1);
    const start = i * columns;
    for (let j = 0; j < columns; j++) {
      const raw = data[start + j]!;
      const x = transform === undefined ? raw : transform(raw);
      const before = x - mean[j]!;
      mean[j]! += before * weight;
      variance[j]! += before * (x - mean[j]!);
    }
  }
  for (let j = 0; j < columns; j++) variance[j]! /= rows - 1;
  return { mean, variance };
}

/**
 * Matrices of cells by genes, as preprocessing walks over them.
 *
 * @module
 */
import { type DType, isFloating, type TypedArray } from "../dtype.ts";
import { formatShape } from "../shape.ts";
import { asTensor, fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { SparseMatrix } from "./sparse.ts";

/** The (cells, genes) values of a tensor, or of a sparse matrix. */
export type CellValues = TensorLike | SparseMatrix;

/** A matrix in rows: all values, or with `indices` and `indptr` those that are held. */
export interface Matrix {
  /** The values. */
  data: TypedArray;
  /** How many cells. */
  rows: number;
  /** How many genes. */
  columns: number;
  /** The floating type of what is computed from it. */
  dtype: DType;
  /** The columns of the values, where the matrix is sparse. */
  indices?: Int32Array | undefined;
  /** Where the values of each row begin, where the matrix is sparse. */
  indptr?: Int32Array | undefined;
}

/** The values of a matrix; throws a `TypeError` that names the caller where there is none. */
export function asMatrix(caller: string, argument: string, x: CellValues): Matrix {
  if (x instanceof SparseMatrix) {
    const { data, indices, indptr, shape: [rows, columns] } = x.asFormat("csr");
    return { data, indices, indptr, rows, columns, dtype: floatingTypeOf(x.dtype) };
  }
  const tensor = asTensor(x);
  if (tensor.rank !== 2) {
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must be a matrix (cells, genes): ` +
        `current shape is ${formatShape(tensor.shape)}`,
    );
  }
  const [rows, columns] = tensor.shape as [number, number];
  return { data: tensor.data, rows, columns, dtype: floatingTypeOf(tensor.dtype) };
}

function floatingTypeOf(dtype: DType): DType {
  return isFloating(dtype) ? dtype : "float32";
}

/** Other values in the places of a matrix, as a tensor, or as sparse as it was given. */
export function withValues(x: CellValues, matrix: Matrix, data: TypedArray): Tensor | SparseMatrix {
  const { rows, columns, dtype, indices, indptr } = matrix;
  if (indices === undefined || indptr === undefined) return fromData(data, [rows, columns]);
  const parts = { dtype, data, indices, indptr };
  return new SparseMatrix("csr", [rows, columns], parts).asFormat((x as SparseMatrix).format);
}

/** Where the values of a row begin; of the row behind the last one: where they end. */
export function startOf({ columns, indptr }: Matrix, row: number): number {
  return indptr === undefined ? row * columns : indptr[row]!;
}

/** The cell and the gene of a value, for messages. */
export function placeOf({ columns, indices, indptr }: Matrix, at: number): string {
  const row = indptr === undefined
    ? Math.floor(at / columns)
    : indptr.findIndex((start) => start > at) - 1;
  return `cell ${row}, gene ${indices === undefined ? at % columns : indices[at]}`;
}

/** Rows of a matrix, in the order of the list. */
export function takeRows(x: Matrix, list: Int32Array): Matrix {
  const rows = list.length;
  const starts = new Int32Array(rows + 1);
  list.forEach((row, i) => starts[i + 1] = starts[i]! + startOf(x, row + 1) - startOf(x, row));
  const pick = <T extends TypedArray | Int32Array>(from: T, out: T): T => {
    list.forEach((row, i) => {
      (out as Int32Array).set(
        from.subarray(startOf(x, row), startOf(x, row + 1)) as Int32Array,
        starts[i]!,
      );
    });
    return out;
  };
  const like = x.data.slice(0, 0).constructor as new (length: number) => TypedArray;
  const data = pick(x.data, new like(starts[rows]!));
  if (x.indices === undefined) return { ...x, data, rows };
  const indices = pick(x.indices, new Int32Array(starts[rows]!));
  return { ...x, data, rows, indices, indptr: starts };
}

/** Throws a `RangeError` that names caller and place where a value is negative, infinite or NaN. */
export function checkNotNegative(caller: string, argument: string, x: Matrix): void {
  const { data } = x;
  for (let i = 0; i < data.length; i++) {
    if (data[i]! >= 0 && data[i]! < Infinity) continue;
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must be finite and not negative ` +
        `(is this scaled expression?): current value in ${placeOf(x, i)} is ${data[i]}`,
    );
  }
}

/** Throws a `RangeError` that names caller and place where a value is no whole number from 0 on. */
export function checkCounts(caller: string, argument: string, x: Matrix): void {
  checkNotNegative(caller, argument, x);
  const { data } = x;
  for (let i = 0; i < data.length; i++) {
    if (Number.isInteger(data[i])) continue;
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must be counts, not normalised ones: current value ` +
        `in ${placeOf(x, i)} is ${data[i]}; check: false takes it as it is`,
    );
  }
}

/** Throws a `RangeError` that names the caller unless there are two cells to compare. */
export function checkTwoCells(caller: string, { rows }: Pick<Matrix, "rows">): void {
  if (rows >= 2) return;
  throw new RangeError(
    `Cannot compute ${caller} as x must have at least two cells: current number is ${rows}`,
  );
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
 * variance 0 exactly. `transform` keeps 0.
 */
export function columnMoments(
  x: Omit<Matrix, "dtype">,
  transform?: (x: number) => number,
): Moments {
  const { mean, variance } = x.indices === undefined
    ? denseMoments(x, transform)
    : sparseMoments(x, x.indices, transform);
  for (let j = 0; j < x.columns; j++) variance[j]! /= x.rows - 1;
  return { mean, variance };
}

function denseMoments(
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
  return { mean, variance };
}

/** The moments of what is held, and then of the zeros with it (Chan, Golub and LeVeque 1979). */
function sparseMoments(
  { data, rows, columns }: Omit<Matrix, "dtype">,
  indices: Int32Array,
  transform?: (x: number) => number,
): Moments {
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  const held = new Float64Array(columns);
  for (let k = 0; k < data.length; k++) {
    const j = indices[k]!;
    const x = transform === undefined ? data[k]! : transform(data[k]!);
    const before = x - mean[j]!;
    mean[j]! += before / ++held[j]!;
    variance[j]! += before * (x - mean[j]!);
  }
  for (let j = 0; j < columns; j++) {
    const share = rows === 0 ? 0 : held[j]! / rows;
    variance[j]! += mean[j]! * mean[j]! * share * (rows - held[j]!);
    mean[j]! *= share;
  }
  return { mean, variance };
}

/** The sum of each row. */
export function rowTotals(matrix: Matrix): Float64Array {
  const totals = new Float64Array(matrix.rows);
  for (let i = 0; i < matrix.rows; i++) {
    let total = 0;
    for (let k = startOf(matrix, i), end = startOf(matrix, i + 1); k < end; k++) {
      total += matrix.data[k]!;
    }
    totals[i] = total;
  }
  return totals;
}

/** The sum of each column. */
export function columnTotals({ data, columns, indices }: Matrix): Float64Array {
  const totals = new Float64Array(columns);
  for (let k = 0, j = 0; k < data.length; k++) {
    totals[indices === undefined ? j : indices[k]!]! += data[k]!;
    if (++j === columns) j = 0;
  }
  return totals;
}

/** The values of rows, with their zeros, written to the front of `out`. */
export function denseRow(x: Matrix, row: number, out: Float64Array): void {
  const [start, end] = [startOf(x, row), startOf(x, row + 1)];
  if (x.indices === undefined) out.set(x.data.subarray(start, end));
  else {
    out.fill(0);
    for (let k = start; k < end; k++) out[x.indices[k]!] = x.data[k]!;
  }
}

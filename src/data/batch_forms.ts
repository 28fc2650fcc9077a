/**
 * What a batch of cells holds: all values, or those that are not zero.
 *
 * @module
 */
import { describe } from "../describe.ts";
import type { DType, TypedArray } from "../dtype.ts";
import { formatShape } from "../shape.ts";
import { fromData, Tensor } from "../tensor.ts";
import type { EntryBatch } from "./batch_maker.ts";
import { csr } from "./make_sparse.ts";
import { SparseMatrix } from "./sparse.ts";

/** The entries of a batch by rows, as {@linkcode sparseMatmul} takes them together with a shape. */
export type BatchEntries = Record<"data" | "indices" | "indptr", Tensor>;

/** Makes of plain arrays what users get. */
export type BatchForm<X> = (
  x: TypedArray | EntryBatch,
  shape: readonly [number, number],
  dtype: DType,
) => X | Promise<X>;

/** What users make of a batch. */
export type Transform<X> = ((x: X) => X | Promise<X>) | undefined;

/** All values. */
export function valuesForm(transform: Transform<Tensor>): BatchForm<Tensor> {
  return (x, shape, dtype) => {
    const values = fromData(x as TypedArray, shape, dtype);
    return transform === undefined ? values : transformed(transform, values, Tensor);
  };
}

/** Entries, padded to the size that they have come with. */
export function entriesForm(transform: Transform<SparseMatrix>): BatchForm<BatchEntries> {
  return async (x, shape, dtype) => {
    const { data, indices, indptr } = x as EntryBatch;
    const size = data.length;
    // Booleans that are there twice must not count twice.
    if (transform === undefined && dtype !== "bool") {
      return {
        data: fromData(data, [size], dtype),
        indices: fromData(indices),
        indptr: fromData(indptr),
      };
    }
    const end = indptr.at(-1)!;
    const held = csr({
      data: fromData(data.subarray(0, end), [end], dtype),
      indices: fromData(indices.subarray(0, end)),
      indptr: fromData(indptr),
      shape,
    });
    const made = transform === undefined ? held : await transformed(transform, held, SparseMatrix);
    const out = made.asFormat("csr");
    if (out.nnz <= size) return out.parts(size);
    throw new RangeError(
      `Cannot load cells as transform must not give more than ${size} entries, which all batches ` +
        `of an epoch have room for: current number is ${out.nnz}`,
    );
  };
}

/** What a transform makes of rows: as many, of the same kind. */
async function transformed<X extends Tensor | SparseMatrix>(
  transform: (x: X) => X | Promise<X>,
  x: X,
  kind: new (...args: never[]) => X,
): Promise<X> {
  const out: unknown = await transform(x);
  if (out instanceof kind && out.shape[0] === x.shape[0]) return out;
  const what = x instanceof Tensor ? "tensor" : "sparse matrix";
  const given = out instanceof kind
    ? `shape is ${formatShape(out.shape)}`
    : `value is ${describe(out)}`;
  throw new TypeError(
    `Cannot load cells as transform must give a ${what} with ${x.shape[0]} rows: current ${given}`,
  );
}

/**
 * The product of a sparse matrix with a dense one, as an operation on its entries.
 *
 * @module
 */
import { sparseProduct } from "../../kernels/select/eager.ts";
import { allocate } from "../dtype.ts";
import { perInput, type SparseProductOp } from "../op.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { mul } from "./arithmetic.ts";
import { gatherOp } from "./select.ts";
import { sum } from "./reduce.ts";

/**
 * `y[rows[e], :] += values[e] · w[columns[e], :]` for all entries e, of rows below `count`: positions
 * must have been checked. Products and sums are of the type of the values and of `w`, as `matmul`'s.
 */
export const sparseProductOp: SparseProductOp<number> = {
  kind: "sparseProduct",
  name: "sparseProduct",
  infer: ([values, , , w], count) => ({ shape: [count, w!.shape[1]!], dtype: values!.dtype }),
  forward([values, rows, columns, w], _count, { shape, dtype }) {
    const sums = allocate(dtype, sizeOf(shape));
    const entries = { values: values!.data, rows: rows!.data, columns: columns!.data };
    sparseProduct(sums, entries, w!.data, shape[1]!);
    return sums;
  },
  vjp: perInput(
    (g, _y, [, rows, columns, w]) =>
      sum(mul(apply(gatherOp, [g, rows!], 0), apply(gatherOp, [w!, columns!], 0)), { axis: 1 }),
    () => null,
    () => null,
    (g, _y, [values, rows, columns, w]): Tensor =>
      apply(sparseProductOp, [values!, columns!, rows!, g], w!.shape[0]!),
  ),
};

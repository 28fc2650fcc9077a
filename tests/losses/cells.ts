/** Random cells for the tests of the single-cell losses, and what may be done to them. */
import { eye, type Tensor, tensor } from "@cellgrad/cellgrad";
import fc from "fast-check";
import { floats, integers, permutations } from "../arbitraries.ts";

/** Cells with labels, and an order to put them in. */
export interface CellCase {
  /** (n, d) */
  cells: Tensor;
  /** (n), in [0, 3) */
  labels: Tensor;
  /** (n, 3), rows that sum to 1 */
  shares: Tensor;
  /** A permutation of the n cells. */
  order: number[];
  /** (d, d), orthogonal */
  rotation: Tensor;
}

/** Some cells in few dimensions, on a grid of a thousandth. */
export function cellCases(minCells = 1): fc.Arbitrary<CellCase> {
  return fc.tuple(fc.integer({ min: minCells, max: 5 }), fc.integer({ min: 1, max: 3 }))
    .chain(([n, d]) =>
      fc.record({
        cells: floats([n, d]),
        labels: integers([n], 0, 2),
        shares: floats([n, 3], 0.01, 1).map((x) => x.div(x.sum({ axis: 1, keepDims: true }))),
        order: permutations(n),
        rotation: floats([d, 1], 0.1, 1).map(reflection),
      })
    );
}

/** The mirror image along a column: an orthogonal matrix. */
function reflection(column: Tensor): Tensor {
  const outer = column.matmul(column.transpose()).div(column.square().sum());
  return eye(column.shape[0]!, { dtype: "float64" }).sub(outer.mul(2));
}

/** The rows in another order. */
export function reorder(x: Tensor, order: readonly number[]): Tensor {
  return x.gather(tensor([...order], { dtype: "int32" }));
}

/** A float64 tensor of nested numbers. */
export function f64(data: Parameters<typeof tensor>[0]): Tensor {
  return tensor(data, { dtype: "float64" });
}

/** An int32 tensor. */
export function i32(data: number[]): Tensor {
  return tensor(data, { dtype: "int32" });
}

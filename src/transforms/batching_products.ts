/**
 * Products of all rows: one of larger matrices, where one operand is the same for all rows.
 *
 * @module
 */
import type { Strides } from "../../kernels/layout/reference.ts";
import type { ProductLayout } from "../../kernels/matmul/reference.ts";
import type { ProductOp } from "../op.ts";
import { matmulOp, productOf } from "../ops/linalg.ts";
import { mul, reshape } from "../ops/mod.ts";
import { sameShape, type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { aligned, type Call, type Operand } from "./batching.ts";
import { eachRow } from "./batching_loops.ts";

/** As few products as can be; distances row by row. */
export function batchProduct(call: Call<ProductOp<unknown>>): Tensor {
  const { op, operands: [a, b], inputs, params, batch: { count } } = call;
  if (op.term !== "product") return eachRow(call);
  const layout = op.layout(inputs.map((x) => x.shape), params);
  if (layout.summed !== undefined) return placedProduct(a!, b!, layout, count);
  const { m, k, n, ...places } = layout;
  const shape = [count, ...op.infer(inputs, params).shape];
  if (k === 1) {
    // A column times a row, whichever way they lie.
    const operands = [withMatrix(a!, [m, 1]), withMatrix(b!, [1, n])];
    const [column, row] = aligned({ ...call, operands }) as [Tensor, Tensor];
    return mul(column, row);
  }
  // Whether the terms of a sum lie side by side.
  const isUpright = places.a.strides.at(-1) === 1;
  const isTurned = places.b.strides.at(-1) !== 1;
  if (canJoin(a!, b!) && isUpright && (m === 1 || places.a.strides.at(-2) === k)) {
    const all = product(joined(a!, m, k), reshaped(b!.value, isTurned ? [n, k] : [k, n]), isTurned);
    return reshape(all, shape);
  }
  if (canJoin(b!, a!) && n === 1) {
    const all = product(
      joined(b!, 1, k),
      reshaped(a!.value, isUpright ? [m, k] : [k, m]),
      isUpright,
    );
    return reshape(all, shape);
  }
  const operands = aligned(call);
  return sameShape(op.infer(operands, params).shape, shape)
    ? apply(op, operands, params)
    : eachRow(call);
}

/** Products of matrices that lie at other places of their tensors, and of all rows' tensors. */
function placedProduct(a: Operand, b: Operand, layout: ProductLayout, count: number): Tensor {
  const place = ({ isMapped, shape }: Operand, { offset, strides }: Strides): Strides => ({
    offset,
    strides: [isMapped ? sizeOf(shape) : 0, ...strides],
  });
  return productOf(a.value, b.value, {
    ...layout,
    outer: [count, ...layout.outer],
    a: place(a, layout.a),
    b: place(b, layout.b),
  });
}

function product(a: Tensor, b: Tensor, isTurned: boolean): Tensor {
  return apply(matmulOp, [a, b], { a: false, b: isTurned });
}

/** Whether the rows of an operand's matrices are those of one, as all meet the same other one. */
function canJoin(x: Operand, other: Operand): boolean {
  return x.isMapped && !other.isMapped && other.shape.length === 2;
}

/** All rows of all matrices, so many in each, of length `k`. */
function joined({ value, shape }: Operand, rows: number, k: number): Tensor {
  return reshape(value, [value.shape[0]! * sizeOf(shape.slice(0, -2)) * rows, k]);
}

function reshaped(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : reshape(x, shape);
}

/** An operand whose matrices have these extents. */
function withMatrix({ value, isMapped, shape }: Operand, matrix: Shape): Operand {
  const own = [...shape.slice(0, -2), ...matrix];
  return {
    value: reshaped(value, [...isMapped ? [value.shape[0]!] : [], ...own]),
    isMapped,
    shape: own,
  };
}

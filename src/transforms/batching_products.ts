/**
 * Products of all rows: one of larger matrices, where one operand is the same for all rows.
 *
 * @module
 */
import type { ProductOp } from "../op.ts";
import { mul, reshape } from "../ops/mod.ts";
import { matmulOp } from "../ops/linalg.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { aligned, type Call, type Operand } from "./batching.ts";
import { eachRow } from "./batching_loops.ts";

/** Products as few as can be; distances row by row. */
export function batchProduct(call: Call<ProductOp<unknown>>): Tensor {
  const { op, operands: [a, b], inputs, params, batch: { count } } = call;
  if (op.term !== "product") return eachRow(call);
  const transposed = op.transposed(params);
  const { shape } = op.infer(inputs, params);
  const [m, n] = shape.slice(-2) as [number, number];
  const k = a!.shape.at(transposed.a ? -2 : -1)!;
  const all = [count, ...shape];
  if (k === 1) {
    // A column times a row, whichever way they lie.
    const upright = { ...call, operands: [withMatrix(a!, m, 1), withMatrix(b!, 1, n)] };
    const [column, row] = aligned(upright) as [Tensor, Tensor];
    return mul(column, row);
  }
  const canJoin = (x: Operand, other: Operand) =>
    x.isMapped && !other.isMapped && other.shape.length === 2;
  const join = (x: Operand) => reshape(x.value, [count * sizeOf(x.shape) / k, k]);
  if (canJoin(a!, b!) && (m === 1 || !transposed.a)) {
    return reshape(apply(matmulOp, [join(a!), b!.value], { a: false, b: transposed.b }), all);
  }
  if (canJoin(b!, a!) && n === 1) {
    return reshape(apply(matmulOp, [join(b!), a!.value], { a: false, b: !transposed.a }), all);
  }
  return apply(op, aligned(call), params);
}

/** An operand whose matrices have these extents. */
function withMatrix({ value, isMapped, shape }: Operand, rows: number, columns: number): Operand {
  const own = [...shape.slice(0, -2), rows, columns];
  const front = isMapped ? [value.shape[0]!] : [];
  return { value: reshape(value, [...front, ...own]), isMapped, shape: own };
}

/**
 * Lets matrix products read transposed operands as they lie, instead of copying them first.
 *
 * @module
 */
import { matmul as multiply, type MatrixArray } from "../../../kernels/matmul/reference.ts";
import { allocate } from "../../dtype.ts";
import type { Primitive } from "../../op.ts";
import { transposeOp } from "../../ops/layout.ts";
import { matmulOp } from "../../ops/linalg.ts";
import type { Tensor } from "../../tensor.ts";
import type { Graph, Step, ValueId } from "../graph.ts";

/** Which operands of a product are read transposed. */
export interface Transposed {
  /** Whether the left one is. */
  a: boolean;
  /** Whether the right one is. */
  b: boolean;
}

/** The product of two matrices, of which either may lie transposed. It exists in programs only. */
export const transposedMatmulOp: Primitive<Transposed> = {
  name: "matmul",
  infer: ([a, b], transposed) => ({
    shape: [a!.shape[transposed.a ? 1 : 0]!, b!.shape[transposed.b ? 0 : 1]!],
    dtype: a!.dtype,
  }),
  forward([a, b], transposed, { shape, dtype }) {
    const [m, n] = shape as [number, number];
    const out = allocate(dtype, m * n) as MatrixArray;
    const k = a!.shape[transposed.a ? 0 : 1]!;
    multiply(out, 0, viewOf(a!, transposed.a), viewOf(b!, transposed.b), m, k, n);
    return out;
  },
  vjp: null,
};

function viewOf(x: Tensor, transposed: boolean) {
  const columns = x.shape[1]!;
  const [rowStride, columnStride] = transposed ? [1, columns] : [columns, 1];
  return { data: x.data as MatrixArray, offset: 0, rowStride, columnStride };
}

/** The graph in which products of matrices take what their transposed operands are made of. */
export function readTransposedOperands(graph: Graph): Graph {
  const makers = new Map<ValueId, Step>(graph.steps.map((step) => [step.output, step]));
  const source = (id: ValueId): ValueId | undefined => {
    const maker = makers.get(id);
    const swaps = maker?.op as unknown === transposeOp && String(maker!.params) === "1,0";
    return swaps ? maker!.inputs[0] : undefined;
  };
  const steps = graph.steps.map((step): Step => {
    const isProduct = step.op as unknown === matmulOp &&
      step.inputs.every((id) => graph.values[id]!.shape.length === 2);
    if (!isProduct) return step;
    const [a, b] = step.inputs.map(source);
    if (a === undefined && b === undefined) return step;
    return {
      ...step,
      op: transposedMatmulOp as Primitive<unknown>,
      inputs: [a ?? step.inputs[0]!, b ?? step.inputs[1]!],
      params: { a: a !== undefined, b: b !== undefined } satisfies Transposed,
    };
  });
  return { ...graph, steps };
}

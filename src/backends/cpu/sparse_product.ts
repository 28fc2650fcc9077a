/**
 * Products of sparse matrices in programs.
 *
 * @module
 */
import {
  emitSparseProduct,
  type SparseProduct,
  sparseScratchBytes,
  STRIP,
} from "../../../kernels/sparse_product/wasm.ts";
import { sizeOf } from "../../shape.ts";
import type { Graph, Step } from "../../program/graph.ts";
import type { StepKernel } from "./step_kernel.ts";

/** Nanoseconds per entry and column, about. */
const NS = 0.1;

/** The kernel of a step that multiplies a sparse matrix by a dense one; its slices are columns. */
export function sparseKernel({ inputs, output }: Step, graph: Graph): StepKernel | undefined {
  const { shape: [count, inner], dtype } = graph.values[output]! as { shape: [number, number] } & {
    dtype: SparseProduct["dtype"];
  };
  const entries = sizeOf(graph.values[inputs[0]!]!.shape);
  if (count * inner === 0) return undefined;
  const product: SparseProduct = { dtype, count, entries, inner };
  const strip = STRIP[dtype];
  return {
    key: JSON.stringify(["sparseProduct", product]),
    emit: (module) => emitSparseProduct(module, product),
    scratchBytes: Math.ceil(sparseScratchBytes(product) / 64) * 64,
    slices: Math.ceil(inner / strip),
    nanoseconds: entries * inner * NS,
    calls: ([from, to], { offsets, scratch }) => [[
      ...[output, ...inputs].map((id) => offsets.get(id)!),
      ...[scratch, from * strip, Math.min(inner, to * strip)],
    ]],
  };
}

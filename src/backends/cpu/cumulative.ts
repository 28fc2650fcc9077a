/**
 * Running results in programs.
 *
 * @module
 */
import { type Accumulation, emitAccumulation } from "../../../kernels/cumulative/wasm.ts";
import type { CumulativeOp } from "../../op.ts";
import { extentsAround, sizeOf } from "../../shape.ts";
import type { Graph, Step } from "../../program/graph.ts";
import type { StepKernel } from "./step_kernel.ts";

/** Nanoseconds per value, about: each waits for the one before. */
const NS = 1;

/** The kernel of a step that accumulates; `undefined` of truth values. */
export function cumulativeKernel(
  { inputs, params, output }: Step,
  { combination, along }: CumulativeOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  const { shape, dtype } = graph.values[output]!;
  if (dtype === "bool" || sizeOf(shape) === 0) return undefined;
  const { axis, reverse } = along(params);
  const { outer, count, inner } = extentsAround(shape, axis);
  const plan: Accumulation = { combination, dtype, count, inner, reverse };
  const [x, y = x] = inputs;
  return {
    key: JSON.stringify(["cumulative", plan]),
    emit: (module) => emitAccumulation(module, plan),
    scratchBytes: 0,
    slices: outer * inner,
    nanoseconds: sizeOf(shape) * NS,
    calls: ([from, to], { offsets }) => [[
      ...[output, x!, y!].map((id) => offsets.get(id)!),
      from,
      to,
    ]],
  };
}

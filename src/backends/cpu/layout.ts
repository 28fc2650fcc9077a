/**
 * Layout in programs: transposing, repeating, cutting and joining where values lie.
 *
 * @module
 */
import { ELEMENT_BYTES } from "../../../kernels/elementwise/elements.ts";
import { canCast, type Cast, emitCast } from "../../../kernels/layout/cast.ts";
import { emitCopies } from "../../../kernels/layout/wasm.ts";
import type { ViewOp } from "../../op.ts";
import { sizeOf } from "../../shape.ts";
import type { Graph, Step } from "../../program/graph.ts";
import type { StepKernel } from "./step_kernel.ts";

/** The kernel of a step that copies values to other places. */
export function viewKernel(
  step: Step,
  { copies: copiesOf }: ViewOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  const { shape, dtype } = graph.values[step.output]!;
  if (sizeOf(shape) === 0) return undefined;
  const inputs = step.inputs.map((id) => graph.values[id]!.shape);
  const copies = copiesOf(inputs, step.params, shape);
  const size = ELEMENT_BYTES[dtype];
  const copied = copies.reduce((sum, copy) => sum + sizeOf(copy.shape), 0);
  const cleared = copied < sizeOf(shape) ? sizeOf(shape) : 0;
  const emit: StepKernel["emit"] = (module) => emitCopies(module, { size, copies, cleared });
  return copyKernel(step, ["copy", size, cleared, copies], sizeOf(shape), emit);
}

/** The kernel of a step that brings values to another type; `undefined` where they may not fit. */
export function castKernel(step: Step, graph: Graph): StepKernel | undefined {
  const [x, y] = [graph.values[step.inputs[0]!]!, graph.values[step.output]!];
  const cast: Cast = { from: x.dtype, to: y.dtype, count: sizeOf(y.shape) };
  if (!canCast(cast)) return undefined;
  return copyKernel(step, ["cast", cast], cast.count, (module) => emitCast(module, cast));
}

/** A kernel that takes the addresses of all values. */
function copyKernel(
  { output, inputs }: Step,
  key: unknown[],
  size: number,
  emit: StepKernel["emit"],
): StepKernel {
  return {
    key: JSON.stringify(key),
    emit,
    scratchBytes: 0,
    slices: 1,
    nanoseconds: size,
    calls: (_, { offsets }) => [[output, ...inputs].map((id) => offsets.get(id)!)],
  };
}

/**
 * Layout in programs: transposing, repeating, cutting and joining where values lie.
 *
 * @module
 */
import { BYTES } from "../../dtype.ts";
import type { ViewCopy } from "../../../kernels/layout/reference.ts";
import { emitCopies } from "../../../kernels/layout/wasm.ts";
import type { LaneBytes } from "../../../kernels/wasm/simd.ts";
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
  const size = BYTES[dtype];
  const copied = copies.reduce((sum, copy) => sum + sizeOf(copy.shape), 0);
  const cleared = copied < sizeOf(shape) ? sizeOf(shape) : 0;
  if (copies.length > MOST_AT_ONCE) return piecesKernel(step, copies, size);
  return {
    key: JSON.stringify(["copy", size, cleared, copies]),
    emit: (module) => emitCopies(module, { size, copies, cleared }),
    scratchBytes: 0,
    slices: 1,
    nanoseconds: sizeOf(shape),
    calls: (_, { offsets }) => [[step.output, ...step.inputs].map((id) => offsets.get(id)!)],
  };
}

/** A function has so many parameters at most: more pieces are copied one by one. */
const MOST_AT_ONCE = 256;

/** The kernel of a step that joins pieces; `undefined` where they are not alike. */
function piecesKernel(
  { inputs, output }: Step,
  copies: readonly ViewCopy[],
  size: LaneBytes,
): StepKernel | undefined {
  const pieces = copies.map((copy) => ({ ...copy, to: { ...copy.to, offset: 0 } }));
  const [key, ...others] = pieces.map((piece) => JSON.stringify(piece));
  if (others.some((other) => other !== key)) return undefined;
  return {
    key: JSON.stringify(["piece", size, key]),
    emit: (module) => emitCopies(module, { size, copies: [pieces[0]!] }),
    scratchBytes: 0,
    slices: copies.length,
    nanoseconds: copies.length * sizeOf(pieces[0]!.shape),
    calls: ([from, to], { offsets }) =>
      copies.slice(from, to).map((copy, i) => [
        offsets.get(output)! + copy.to.offset * size,
        offsets.get(inputs[from + i]!)!,
      ]),
  };
}

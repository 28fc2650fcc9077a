/**
 * Layout in programs: transposing, repeating, cutting and joining where values lie.
 *
 * @module
 */
import { BYTES } from "../../dtype.ts";
import type { ViewCopy } from "../../../kernels/layout/reference.ts";
import { emitCopies } from "../../../kernels/layout/wasm.ts";
import type { ViewOp } from "../../op.ts";
import { sizeOf } from "../../shape.ts";
import type { Graph, Step } from "../../program/graph.ts";
import type { StepKernel } from "./step_kernel.ts";

/** A function has so many parameters at most: more pieces are copied one by one. */
const MOST_AT_ONCE = 256;

/** The kernel of a step that copies values to other places; `undefined` of many unlike pieces. */
export function viewKernel(
  { inputs, output, params }: Step,
  { copies: copiesOf }: ViewOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  const { shape, dtype } = graph.values[output]!;
  if (sizeOf(shape) === 0) return undefined;
  const all = copiesOf(inputs.map((id) => graph.values[id]!.shape), params, shape);
  const size = BYTES[dtype];
  const copied = all.reduce((sum, copy) => sum + sizeOf(copy.shape), 0);
  const cleared = copied < sizeOf(shape) ? sizeOf(shape) : 0;
  const isWhole = all.length <= MOST_AT_ONCE;
  const copies = isWhole ? all : alike(all);
  if (copies === undefined) return undefined;
  return {
    key: JSON.stringify(["copy", size, cleared, copies]),
    emit: (module) => emitCopies(module, { size, copies, cleared }),
    scratchBytes: 0,
    slices: isWhole ? 1 : all.length,
    nanoseconds: sizeOf(shape),
    calls([from, to], { offsets }) {
      const [out, ...given] = [output, ...inputs].map((id) => offsets.get(id)!);
      if (isWhole) return [[out!, ...given]];
      const pieces = all.slice(from, to);
      return pieces.map((copy, i) => [out! + copy.to.offset * size, given[from + i]!]);
    },
  };
}

/** The copy that all are, but for where they begin; `undefined` where they are not alike. */
function alike(copies: readonly ViewCopy[]): ViewCopy[] | undefined {
  const [first, ...others] = copies.map((copy) => ({ ...copy, to: { ...copy.to, offset: 0 } }));
  const key = JSON.stringify(first);
  return others.every((other) => JSON.stringify(other) === key) ? [first!] : undefined;
}

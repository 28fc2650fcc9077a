/**
 * Layout in programs: transposing, repeating, cutting and joining where values lie.
 *
 * @module
 */
import { ELEMENT_BYTES } from "../../kernels/elementwise/elements.ts";
import { canCast, type Cast, emitCast } from "../../kernels/layout/cast.ts";
import { emitCopies, type ViewCopy } from "../../kernels/layout/wasm.ts";
import { type Block, concatOp, padOp, sliceOp } from "../ops/join.ts";
import { broadcastToOp, castOp, transposeOp } from "../ops/layout.ts";
import { broadcastStrides, type Shape, sizeOf, stridesOf } from "../shape.ts";
import type { Graph, Step } from "./graph.ts";
import type { StepKernel } from "./step_kernel.ts";

/** The kernel of a step that copies values to other places; `undefined` for other steps. */
export function layoutKernel(step: Step, graph: Graph): StepKernel | undefined {
  if (step.op as unknown === castOp) return castKernel(step, graph);
  const { shape, dtype } = graph.values[step.output]!;
  const copies = copiesOf(step, shape, step.inputs.map((id) => graph.values[id]!.shape));
  if (copies === undefined || sizeOf(shape) === 0) return undefined;
  const size = ELEMENT_BYTES[dtype];
  const cleared = step.op as unknown === padOp ? sizeOf(shape) : 0;
  const emit: StepKernel["emit"] = (module) => emitCopies(module, { size, copies, cleared });
  return copyKernel(step, ["copy", size, cleared, copies], sizeOf(shape), emit);
}

function castKernel(step: Step, graph: Graph): StepKernel | undefined {
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

/** What is copied from each input; `undefined` for steps that do more. */
function copiesOf(
  { op, params }: Step,
  shape: Shape,
  inputs: readonly Shape[],
): ViewCopy[] | undefined {
  const whole = (of: Shape) => ({ offset: 0, strides: stridesOf(of) });
  const [x] = inputs as [Shape];
  switch (op as unknown) {
    case transposeOp: {
      const strides = (params as number[]).map((axis) => stridesOf(x)[axis]!);
      return [{ shape, to: whole(shape), from: { offset: 0, strides } }];
    }
    case broadcastToOp:
      return [{
        shape,
        to: whole(shape),
        from: { offset: 0, strides: broadcastStrides(x, shape) },
      }];
    case sliceOp:
      return [{ shape, to: whole(shape), from: blockOf(x, (params as Block).start) }];
    case padOp:
      return [{ shape: x, to: blockOf(shape, (params as Block).start), from: whole(x) }];
    case concatOp:
      return joins(inputs, shape, params as number);
    default:
      return undefined;
  }
}

/** The view of an array from a position on. */
function blockOf(shape: Shape, start: readonly number[]): ViewCopy["from"] {
  const strides = stridesOf(shape);
  return { offset: start.reduce((sum, at, i) => sum + at * strides[i]!, 0), strides };
}

/** Copies one behind the other along an axis. */
function joins(inputs: readonly Shape[], shape: Shape, axis: number): ViewCopy[] {
  const strides = stridesOf(shape);
  let offset = 0;
  return inputs.map((x) => {
    const copy = { shape: x, to: { offset, strides }, from: { offset: 0, strides: stridesOf(x) } };
    offset += x[axis]! * strides[axis]!;
    return copy;
  });
}

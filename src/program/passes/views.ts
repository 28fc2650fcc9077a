/**
 * Values that lie in others: what transposing, slicing, repeating and reshaping leave in its place.
 *
 * @module
 */
import { isIdentity, type Strides, type ViewCopy } from "../../../kernels/layout/reference.ts";
import { sameShape, type Shape, sizeOf, stridesOf } from "../../shape.ts";
import type { Graph, Step, ValueId } from "../graph.ts";
import { mergeAxes } from "../space.ts";

/** Where a value lies: in which one, and how along its own axes. */
export interface Source extends Strides {
  /** The value that is in memory. */
  root: ValueId;
}

/** A value that lies in memory as it is. */
export function sourceOf(id: ValueId, { values }: Graph): Source {
  return { root: id, offset: 0, strides: stridesOf(values[id]!.shape) };
}

/** Whether a source is all of its root, in order. */
export function isAll({ root, offset, strides }: Source, shape: Shape, { values }: Graph): boolean {
  const own = stridesOf(shape);
  return offset === 0 && sizeOf(shape) === sizeOf(values[root]!.shape) &&
    shape.every((extent, axis) => extent === 1 || strides[axis] === own[axis]);
}

/** Where a view reads its input, along the axes of its output; `undefined` where it does more. */
export function readBy(step: Step, { values }: Graph): Strides | undefined {
  const { op, inputs, params, output } = step;
  const { shape } = values[output]!;
  if (op.kind === "map") return { offset: 0, strides: stridesOf(shape) };
  if (op.kind !== "view" || inputs.length > 1 || sizeOf(shape) === 0) return undefined;
  const copies = op.copies(inputs.map((id) => values[id]!.shape), params, shape);
  if (isIdentity(copies, sizeOf(shape))) return { offset: 0, strides: stridesOf(shape) };
  const [{ shape: copied, to, from }] = copies as [ViewCopy];
  return sameShape(copied, shape) && to.offset === 0 ? from : undefined;
}

/** What is read of a value, in what it lies in; `undefined` where no strides lead there. */
export function composeReads(
  shape: Shape,
  { offset, strides }: Strides,
  source: Source,
  inputShape: Shape,
): Source | undefined {
  const axes = mergeAxes(inputShape, [source], [0, inputShape.length]);
  const own = stridesOf(axes.map(({ extent }) => extent));
  const ends = axes.map(({ extent }, i) => Math.floor(offset / own[i]!) % extent);
  const start = source.offset + ends.reduce((sum, at, i) => sum + at * axes[i]!.strides[0]!, 0);
  const composed = strides.map((stride, axis) => {
    if (stride === 0 || shape[axis] === 1) return 0;
    const along = own.findIndex((behind) => behind <= stride);
    if (along < 0 || stride % own[along]! !== 0) return NaN;
    const steps = stride / own[along]!;
    ends[along]! += steps * (shape[axis]! - 1);
    return steps * axes[along]!.strides[0]!;
  });
  const fits = composed.every(Number.isInteger) && ends.every((at, i) => at < axes[i]!.extent);
  return fits ? { root: source.root, offset: start, strides: composed } : undefined;
}

/**
 * Positions in buffers, as WGSL expressions of the number of an element.
 *
 * @module
 */

import { sizeOf } from "../../src/shape.ts";

/** An axis of a view: extent, step between neighbours, and elements of the shape behind it. */
interface Axis {
  extent: number;
  stride: number;
  behind: number;
}

/** The axes that matter, neighbouring ones as one where the step between them is even. */
function mergeAxes(shape: readonly number[], strides: readonly number[]): Axis[] {
  const merged: Axis[] = [];
  for (let axis = shape.length - 1, behind = 1; axis >= 0; behind *= shape[axis--]!) {
    const [extent, stride] = [shape[axis]!, strides[axis]!];
    const last = merged.at(-1);
    if (extent === 1) continue;
    if (last !== undefined && stride === last.stride * last.extent) last.extent *= extent;
    else merged.push({ extent, stride, behind });
  }
  return merged.reverse();
}

/**
 * Where a view has the element of a number: `Σ (number / behind) mod extent · stride`.
 *
 * @param number A name of type `u32`.
 * @param shape The shape that the number counts through in row-major order.
 * @param strides Elements between neighbours along each axis; 0 repeats.
 */
export function offsetOf(
  number: string,
  shape: readonly number[],
  strides: readonly number[],
): string {
  const axes = mergeAxes(shape, strides);
  const terms = axes.flatMap(({ extent, stride, behind }, i) => {
    if (stride === 0) return [];
    const divided = behind === 1 ? number : `${number} / ${behind}u`;
    const isFirst = i === 0 && extent * behind >= sizeOf(shape);
    const along = isFirst ? divided : `${divided} % ${extent}u`;
    return [stride === 1 ? along : `(${along}) * ${stride}u`];
  });
  return terms.length === 0 ? "0u" : terms.join(" + ");
}

/** The place of the element of a number along one axis of a shape. */
export function placeAlong(number: string, shape: readonly number[], axis: number): string {
  return offsetOf(number, shape, shape.map((_, i) => i === axis ? 1 : 0));
}

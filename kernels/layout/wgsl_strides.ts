/**
 * Positions in buffers, as WGSL expressions of the number of an element.
 *
 * @module
 */
import { sizeOf } from "../../src/shape.ts";
import { mergeAxes } from "./axes.ts";

/**
 * Where a view has the element of a number: `offset + Σ (number / behind) mod extent · stride`.
 *
 * @param number A name of type `u32`.
 * @param shape The shape that the number counts through in row-major order.
 * @param strides Elements between neighbours along each axis; 0 repeats, negative ones go backwards. An empty shape has no element: 0.
 */
export function offsetOf(
  number: string,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): string {
  const axes = mergeAxes(shape, [strides]);
  let behind = sizeOf(shape);
  if (behind === 0) return "0u";
  const terms = axes.flatMap(({ extent, strides: [stride] }, i) => {
    behind /= extent;
    if (stride === 0) return [];
    const divided = behind === 1 ? number : `${number} / ${behind}u`;
    const along = i === 0 ? divided : `${divided} % ${extent}u`;
    // Unsigned integers wrap around: what goes backwards is added as well.
    return [stride === 1 ? along : `${along} * ${stride! >>> 0}u`];
  });
  if (offset !== 0) terms.unshift(`${offset}u`);
  return terms.length === 0 ? "0u" : terms.join(" + ");
}

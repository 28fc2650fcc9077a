/** A part of many cells that stands for all of them. */
/**
 * All positions, or about so many that the golden ratio spreads evenly whatever order they are in.
 */
export function evenlySpread(total: number, most: number): Int32Array {
  return Int32Array.from({ length: total }, (_, position) => position)
    .filter((position) => (position * 0.6180339887498949) % 1 < most / total);
}

/**
 * A part of many cells that stands for all of them.
 *
 * @module
 */

/**
 * All positions, or a part that the golden ratio spreads evenly whatever order they are in.
 *
 * @param total How many there are.
 * @param most How many are taken, about.
 * @returns The positions, in order.
 */
export function evenlySpread(total: number, most: number): Int32Array {
  return Int32Array.from({ length: total }, (_, position) => position)
    .filter((position) => (position * 0.6180339887498949) % 1 < most / total);
}

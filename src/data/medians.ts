/**
 * Medians of plain numbers.
 *
 * @module
 */

/** The middle value, or the mean of the middle two; NaN without any. */
export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

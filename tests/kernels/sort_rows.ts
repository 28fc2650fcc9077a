/**
 * Sorting by comparing, which says what all other sorting must give.
 *
 * @module
 */
import type { SortOrder } from "../../kernels/select/reference.ts";
import type { NumberArray } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** The first `kept` positions in order along the axis; equal values keep their order. */
export function argSortRows(
  out: NumberArray,
  data: NumberArray,
  { outer, count, inner }: AxisExtents,
  { descending, kept, nanFirst }: SortOrder,
): void {
  const values = new Float64Array(count);
  const sign = descending ? -1 : 1;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      for (let i = 0; i < count; i++) values[i] = sign * data[(o * count + i) * inner + j]!;
      const order = Int32Array.from(values.keys());
      order.sort((a, b) => comparePositions(values, a, b, nanFirst));
      for (let k = 0; k < kept; k++) out[(o * kept + k) * inner + j] = order[k]!;
    }
  }
}

function comparePositions(values: Float64Array, a: number, b: number, nanFirst: boolean): number {
  const [x, y] = [values[a]!, values[b]!];
  if (x < y) return -1;
  if (x > y) return 1;
  const missing = Number(x !== x) - Number(y !== y);
  return (nanFirst ? -missing : missing) || a - b;
}

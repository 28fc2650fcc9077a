/**
 * Lower envelopes of parabolas along lines: the step by which distances of any dimension are made.
 *
 * @module
 */
import type { AxisExtents } from "../shape.ts";

/**
 * In place of every value along an axis, the least of `(step (i − j))² + value(j)` over all j, in
 * linear time (Felzenszwalb & Huttenlocher 2012). A parabola of an infinite value falls below no other.
 */
export function lowestParabolas(
  values: Float64Array,
  { outer, count, inner }: AxisExtents,
  step: number,
): void {
  const line = new Float64Array(count);
  const envelope = new Envelope(count, step);
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      const from = o * count * inner + j;
      for (let i = 0; i < count; i++) line[i] = values[from + i * inner]!;
      envelope.of(line);
      for (let i = 0, k = 0; i < count; i++) {
        while (envelope.starts[k + 1]! < i) k++;
        const apart = step * (i - envelope.places[k]!);
        values[from + i * inner] = apart * apart + line[envelope.places[k]!]!;
      }
    }
  }
}

/** Which parabola is the lowest from where on. */
class Envelope {
  /** Where each has its lowest point. */
  readonly places: Int32Array;
  /** From where on each is the lowest; ∞ after the last. */
  readonly starts: Float64Array;
  readonly #step: number;

  constructor(count: number, step: number) {
    this.places = new Int32Array(count);
    this.starts = new Float64Array(count + 1);
    this.#step = step;
  }

  /** Takes the envelope of the parabolas of a line. */
  of(line: Float64Array): void {
    const { places, starts } = this;
    let size = 0;
    for (let i = 0; i < line.length; i++) {
      let start = -Infinity;
      for (; size > 0; size--) {
        start = this.#meeting(line, places[size - 1]!, i);
        if (start > starts[size - 1]!) break;
        start = -Infinity;
      }
      places[size] = i;
      starts[size++] = start;
    }
    starts[size] = Infinity;
  }

  /** Where the parabola of a later place falls below that of an earlier one. */
  #meeting(line: Float64Array, a: number, b: number): number {
    return (a + b + (line[b]! - line[a]!) / (this.#step ** 2 * (b - a))) / 2;
  }
}

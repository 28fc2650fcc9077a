/** Random shapes and values for the tests of operations. */
import fc from "fast-check";
import { type Shape, sizeOf } from "../../src/shape.ts";
import { fromData, type Tensor } from "../../src/tensor.ts";

/** Runs that are the same every time. */
export const RUNS = { seed: 20240, numRuns: 20 };

/** Shapes of rank 0 to 3 with extents 1 to 3. */
export const shapes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 3 }), {
  maxLength: 3,
});

/** Several shapes that broadcast to one, in which each appears with axes dropped or set to 1. */
export function broadcastable(count: number): fc.Arbitrary<Shape[]> {
  const one = (shape: number[]) =>
    fc.tuple(
      fc.integer({ min: 0, max: shape.length }),
      fc.array(fc.boolean(), {
        minLength: shape.length,
        maxLength: shape.length,
      }),
    ).map(([dropped, kept]) => shape.map((n, i) => kept[i] ? n : 1).slice(dropped));
  return shapes.chain((shape) => fc.tuple(...Array.from({ length: count }, () => one(shape))));
}

/** Evenly spread numbers in an interval that keep away from given points. */
export function numbers(
  [min, max]: readonly [number, number],
  avoid: readonly number[] = [],
): fc.Arbitrary<number> {
  const steps = 9973;
  return fc.integer({ min: 0, max: steps }).map((k) => min + (max - min) * k / steps).filter((x) =>
    avoid.every((point) => Math.abs(x - point) > 1e-3)
  );
}

/** float64 tensors of a shape. */
export function tensors(shape: Shape, values: fc.Arbitrary<number>): fc.Arbitrary<Tensor> {
  const length = sizeOf(shape);
  return fc.array(values, { minLength: length, maxLength: length }).map((data) =>
    fromData(Float64Array.from(data), shape)
  );
}

/** float64 tensors whose shapes broadcast, each with values of its own interval. */
export function broadcastingTensors(
  values: readonly fc.Arbitrary<number>[],
): fc.Arbitrary<Tensor[]> {
  return broadcastable(values.length).chain((found) =>
    fc.tuple(...found.map((shape, i) => tensors(shape, values[i]!)))
  );
}

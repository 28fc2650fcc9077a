/** Random inputs for the property tests of losses, metrics and data. */
import type { Shape, Tensor } from "@cellgrad/cellgrad";
import { tensor } from "@cellgrad/cellgrad";
import fc from "fast-check";

/** Runs that are the same every time, for cheap properties. */
export const RUNS = { seed: 20250, numRuns: 50 };

/** The same for properties that check gradients. */
export const FEW_RUNS = { seed: 20250, numRuns: 8 };

function sizeOf(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Numbers on a grid of a thousandth, so that none is tiny but for 0. */
export function gridNumbers(min: number, max: number): fc.Arbitrary<number> {
  return fc.integer({ min: Math.round(min * 1000), max: Math.round(max * 1000) })
    .map((x) => x / 1000);
}

/** float64 tensors of a shape with values between two limits. */
export function floats(shape: Shape, min = -3, max = 3): fc.Arbitrary<Tensor> {
  const length = sizeOf(shape);
  return fc.array(gridNumbers(min, max), { minLength: length, maxLength: length })
    .map((data) => tensor(data, { shape, dtype: "float64" }));
}

/** int32 tensors of a shape with values in [min, max]. */
export function integers(shape: Shape, min: number, max: number): fc.Arbitrary<Tensor> {
  const length = sizeOf(shape);
  return fc.array(fc.integer({ min, max }), { minLength: length, maxLength: length })
    .map((data) => tensor(data, { shape, dtype: "int32" }));
}

/** int32 masks of zeros and ones, of which at least one is 1. */
export function masks(shape: Shape): fc.Arbitrary<Tensor> {
  return integers(shape, 0, 1).filter((mask) => mask.sum().item() > 0);
}

/** Shapes of one to `maxRank` axes with extents from 1 to `maxExtent`. */
export function smallShapes(maxRank = 2, maxExtent = 4): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 1, max: maxExtent }), { minLength: 1, maxLength: maxRank });
}

/** Two tensors and a mask of one shape. */
export interface MaskedCase {
  x: Tensor;
  t: Tensor;
  mask: Tensor;
}

/** Predictions, targets and a mask that selects something. */
export function maskedCases(
  x: { min?: number; max?: number } = {},
  t: { min?: number; max?: number } = {},
): fc.Arbitrary<MaskedCase> {
  return smallShapes().chain((shape) =>
    fc.record({
      x: floats(shape, x.min, x.max),
      t: floats(shape, t.min, t.max),
      mask: masks(shape),
    })
  );
}

/** Logits and labels, a weight per class, and a mask of the labels' shape. */
export interface ClassCase {
  logits: Tensor;
  labels: Tensor;
  weight: Tensor;
  mask: Tensor;
}

/** Classifications and small segmentations: up to two spatial axes, two to four classes. */
export function classCases(minClasses = 2): fc.Arbitrary<ClassCase> {
  return fc.tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: minClasses, max: 4 }),
    fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 2 }),
  ).chain(([n, classes, spatial]) =>
    fc.record({
      logits: floats([n, classes, ...spatial]),
      labels: integers([n, ...spatial], 0, classes - 1),
      weight: floats([classes], 0.1, 5),
      mask: masks([n, ...spatial]),
    })
  );
}

/** Orders of n things. */
export function permutations(n: number): fc.Arbitrary<number[]> {
  const all = Array.from({ length: n }, (_, i) => i);
  return fc.shuffledSubarray(all, { minLength: n, maxLength: n });
}

import { type Tensor, tensor, where } from "@cellgrad/cellgrad";
import { distanceTransform, signedDistance } from "@cellgrad/cellgrad/data";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { integers, RUNS, smallShapes } from "../arbitraries.ts";
import { testMisuse } from "../losses/laws.ts";
import fixture from "./distance.json" with { type: "json" };

const float64 = { dtype: "float64" } as const;
const TIGHT = { rtol: 1e-13, atol: 1e-13 };

/** Masks of one to three axes, and spacings. */
const cases = smallShapes(3, 5).chain((shape) =>
  fc.record({
    mask: integers(shape, 0, 1),
    spacing: fc.array(fc.integer({ min: 1, max: 9 }).map((n) => n / 4), {
      minLength: shape.length,
      maxLength: shape.length,
    }),
  })
);

/** Where each value lies. */
function placesOf(shape: readonly number[], spacing: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (places, n, axis) =>
      places.flatMap((place) =>
        Array.from({ length: n }, (_, i) => [...place, i * spacing[axis]!])
      ),
    [[]],
  );
}

/** The distance of each value to the nearest that is not the same, by looking at all. */
function nearestOther({ data, shape }: Tensor, spacing: readonly number[]): number[] {
  const places = placesOf(shape, spacing);
  return places.map((a, i) =>
    Math.min(
      ...places.map((b, j) =>
        data[i] === data[j] ? Infinity : Math.hypot(...a.map((x, axis) => x - b[axis]!))
      ),
    )
  );
}

Deno.test("distanceTransform() gives scipy's distances", () => {
  for (const { shape, spacing, mask, distances } of fixture) {
    const found = distanceTransform(tensor(mask, { shape }), { spacing, ...float64 });
    assertAllClose(found, tensor(distances, { shape, ...float64 }), TIGHT);
  }
});

Deno.test("distanceTransform() is the distance to the nearest position outside, one by one", () => {
  fc.assert(
    fc.property(cases, ({ mask, spacing }) => {
      const expected = nearestOther(mask, spacing).map((d, i) => mask.data[i] === 1 ? d : 0);
      const found = distanceTransform(mask, { spacing, ...float64 });
      if (expected.includes(Infinity)) return assertEquals([...found.data], expected);
      assertAllClose(found, tensor(expected, { shape: mask.shape, ...float64 }), TIGHT);
    }),
    RUNS,
  );
});

Deno.test("distanceTransform() grows with the spacing", () => {
  fc.assert(
    fc.property(cases, ({ mask }) => {
      const one = distanceTransform(mask, float64);
      const three = distanceTransform(mask, { spacing: 3, ...float64 });
      assertAllClose(three, one.mul(3), TIGHT);
    }),
    RUNS,
  );
});

Deno.test("distanceTransform() is right over long lines", () => {
  const n = 2000;
  const mask = tensor(Array.from({ length: n }, (_, i) => i === 0 || i === 1500 ? 0 : 1));
  const expected = Array.from({ length: n }, (_, i) => Math.min(i, Math.abs(i - 1500)));
  assertEquals([...distanceTransform(mask).data], expected);
});

Deno.test("distanceTransform() gives float32 unless told otherwise, of any kind of mask", () => {
  const mask = [[true, false], [true, true]];
  assertEquals(distanceTransform(mask).dtype, "float32");
  assertEquals(distanceTransform(mask, float64).data, Float64Array.of(1, 0, Math.SQRT2, 1));
  assertEquals(
    distanceTransform([[1, 0], [1, 1]]).toArray(),
    distanceTransform(tensor(mask)).toArray(),
  );
});

Deno.test("distanceTransform() of all, of none, and of nothing", () => {
  assertEquals(distanceTransform([1, 1]).toArray(), [Infinity, Infinity]);
  assertEquals(distanceTransform([[0, 0]]).toArray(), [[0, 0]]);
  assertEquals(distanceTransform(tensor([], { shape: [0, 3] })).shape, [0, 3]);
});

Deno.test("signedDistance() is negative inside, positive outside, and the other classes' opposite", () => {
  fc.assert(
    fc.property(cases, ({ mask, spacing }) => {
      const maps = signedDistance(mask.expandDims(0), 2, { spacing, ...float64 });
      const expected = nearestOther(mask, spacing)
        .map((d, i) => d === Infinity ? 0 : mask.data[i] === 1 ? -d : d);
      const own = tensor(expected, { shape: mask.shape, ...float64 });
      assertAllClose(maps.at(0, 1), own, TIGHT);
      assertAllClose(maps.at(0, 0), own.neg(), TIGHT);
    }),
    RUNS,
  );
});

Deno.test("signedDistance() takes each sample and class for itself", () => {
  const labels = [[[0, 0, 1], [0, 2, 1]], [[1, 1, 1], [1, 1, 1]], [[2, 2, 2], [2, 2, 0]]];
  const maps = signedDistance(labels, 4, float64);
  assertEquals(maps.shape, [3, 4, 2, 3]);
  assertEquals(maps.at(0, 1).toArray(), [[2, 1, -1], [2, 1, -1]]);
  assertEquals(maps.at(0, 2).toArray(), [[Math.SQRT2, 1, Math.SQRT2], [1, -1, 1]]);
  assertEquals(maps.at(2, 2).toArray(), [
    [-Math.sqrt(5), -Math.SQRT2, -1],
    [-2, -1, 1],
  ]);
  // A class that is absent, and one that is alone.
  assertEquals([...maps.at(0, 3).data, ...maps.at(1).data].every((d) => d === 0), true);
});

Deno.test("signedDistance() plus 1 inside is what one_hot2dist gives", () => {
  // distance(negmask) · negmask − (distance(posmask) − 1) · posmask, with SciPy 1.10.
  const map = signedDistance([[0, 1, 1, 1, 0, 0]], 2).at(0, 1);
  assertEquals(where(map.less(0), map.add(1), map).toArray(), [1, 0, -1, 0, 1, 2]);
});

Deno.test("signedDistance() gives float32 unless told otherwise", () => {
  const maps = signedDistance([[[0, 1], [1, 1]]], 2);
  assertEquals(maps.dtype, "float32");
  assertAlmostEquals(maps.at(0, 1, 1, 1).item(), -Math.SQRT2, 1e-7);
  assertEquals(signedDistance(tensor([], { shape: [0, 3], dtype: "int32" }), 2).shape, [0, 2, 3]);
});

testMisuse("distanceTransform", [
  [
    "a mask of four axes",
    () => distanceTransform([[[[1]]]]),
    TypeError,
    "Cannot compute distanceTransform as mask must have one to three axes of space: " +
    "current shape is [1, 1, 1, 1]",
  ],
  [
    "a mask of rank 0",
    () => distanceTransform(1),
    TypeError,
    "Cannot compute distanceTransform as mask must have one to three axes of space: " +
    "current shape is []",
  ],
  [
    "a mask of probabilities",
    () => distanceTransform([0.2]),
    RangeError,
    "Cannot compute distanceTransform as mask must hold only zeros and ones: " +
    "current value at position 0 is 0.20000000298023224",
  ],
  [
    "spacings of another number",
    () => distanceTransform([[1]], { spacing: [1] }),
    TypeError,
    "Cannot compute distanceTransform as spacing must be one number, or one for each of 2 axes: " +
    "current value is [1]",
  ],
  [
    "a spacing of 0",
    () => distanceTransform([1], { spacing: 0 }),
    RangeError,
    "Cannot compute distanceTransform as spacing must be a finite number at least 1e-25 " +
    "and at most 1e+25: current value is 0",
  ],
  [
    "a spacing of 0 among others",
    () => distanceTransform([[1]], { spacing: [1, 0] }),
    RangeError,
    "Cannot compute distanceTransform as spacing[1] must be a finite number at least " +
    "1e-25 and at most 1e+25: current value is 0",
  ],
  [
    "a spacing whose square is no number",
    () => distanceTransform([1], { spacing: 1e200 }),
    RangeError,
    "Cannot compute distanceTransform as spacing must be a finite number at least 1e-25 and at " +
    "most 1e+25: current value is 1e+200",
  ],
  [
    "a spacing whose square is 0",
    () => signedDistance([[1]], 2, { spacing: 1e-200 }),
    RangeError,
    "Cannot compute signedDistance as spacing must be a finite number at least 1e-25 and at most " +
    "1e+25: current value is 1e-200",
  ],
  [
    "another name of the spacing",
    () => distanceTransform([1], { sampling: 2 } as never),
    TypeError,
    "Cannot compute distanceTransform as there is no option sampling: did you mean spacing? " +
    "The options are spacing, dtype",
  ],
]);

testMisuse("signedDistance", [
  [
    "labels without space",
    () => signedDistance([0], 2),
    TypeError,
    "Cannot compute signedDistance as labels must have one to three axes of space: " +
    "current shape is [1]",
  ],
  [
    "a label out of range",
    () => signedDistance([[2]], 2),
    RangeError,
    "Cannot compute signedDistance as labels must be in [0, 1]: current value at position 0 is 2",
  ],
  [
    "half a class",
    () => signedDistance([[0]], 0.5),
    RangeError,
    "Cannot compute signedDistance as classes must be a whole number at least 1: " +
    "current value is 0.5",
  ],
  [
    "more classes than there is room for",
    () => signedDistance([[0, 0]], 1e9),
    RangeError,
    "Cannot compute signedDistance as a tensor must take at most 4 GiB: " +
    "current shape is [1, 1000000000, 2], 7.45 GiB of float32",
  ],
  [
    "an integer type",
    () => signedDistance([[0]], 2, { dtype: "int32" as never }),
    TypeError,
    "Cannot compute signedDistance as dtype must be one of float32, float64: " +
    "current value is int32",
  ],
]);

Deno.test("distanceTransform() keeps distances in proportion to the spacing, as far as it goes", () => {
  const mask = [[1, 1, 0], [1, 1, 1]];
  for (const dtype of ["float32", "float64"] as const) {
    const { data } = distanceTransform(mask, { dtype });
    for (const spacing of [1e-25, 1e25]) {
      distanceTransform(mask, { spacing, dtype }).data.forEach((distance, i) =>
        assertAlmostEquals(distance / spacing, data[i]!, 1e-6)
      );
    }
  }
});

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { loess } from "../../src/data/loess.ts";

/** Speeds and stopping distances of 50 cars (Ezekiel 1930), as R has them. */
const SPEED = Float64Array.of(
  ...[4, 4, 7, 7, 8, 9, 10, 10, 10, 11, 11, 12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15],
  ...[15, 16, 16, 17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 20, 20, 20, 20, 20, 22, 23, 24, 24, 24],
  ...[24, 25],
);
const DISTANCE = Float64Array.of(
  ...[2, 10, 4, 22, 16, 10, 18, 26, 34, 17, 28, 14, 20, 24, 28, 26, 34, 34, 46, 26, 36, 60, 80, 20],
  ...[26, 54, 32, 40, 32, 40, 50, 42, 56, 76, 84, 36, 46, 68, 32, 48, 52, 56, 64, 66, 54, 70, 92],
  ...[93, 120, 85],
);

/** What R's example `predict(loess(dist ~ speed, cars), data.frame(speed = seq(5, 30, 1)))` prints. */
const FITTED: Record<number, number> = {
  7: 12.499786,
  8: 15.281082,
  9: 18.446568,
  10: 21.865315,
  11: 25.517015,
  12: 29.350386,
  13: 33.230660,
  14: 37.167935,
  15: 41.205226,
  17: 48.355889,
  18: 49.824812,
  19: 51.986702,
  20: 56.461318,
  22: 68.569313,
  23: 76.316068,
  24: 85.212121,
  25: 95.324047,
};

Deno.test("loess() gives the values of R's example, whatever the order", () => {
  const order = Int32Array.from(SPEED.keys()).sort((i, j) => (i * 7) % 50 - (j * 7) % 50);
  const [x, y] = [SPEED, DISTANCE].map((values) => Float64Array.from(order, (i) => values[i]!));
  loess(x!, y!, 0.75)!.forEach((value, i) => {
    const expected = FITTED[x![i]!];
    if (expected !== undefined) assertAlmostEquals(value, expected, 6e-7);
  });
});

Deno.test("loess() leaves parabolas as they are", () => {
  const x = Float64Array.from({ length: 60 }, (_, i) => Math.sin(i) * i);
  const y = x.map((t) => 3 - t + 0.2 * t * t);
  loess(x, y, 0.3)!.forEach((value, i) => assertAlmostEquals(value, y[i]!, 1e-9));
});

Deno.test("loess() of two places goes through their means, and of one place is none", () => {
  const x = Float64Array.of(0, 0, 0, 1, 1, 1);
  const found = loess(x, Float64Array.of(1, 2, 3, 5, 7, 9), 1)!;
  found.forEach((value, i) => assertAlmostEquals(value, i < 3 ? 2 : 7, 0.05));
  assertEquals(loess(new Float64Array(5).fill(2), new Float64Array(5), 0.8), undefined);
  assertEquals(
    loess(Float64Array.of(0, 0, 0, 0, 0, 1, 2, 3, 4), new Float64Array(9), 0.45),
    undefined,
  );
});

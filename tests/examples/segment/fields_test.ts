import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { key } from "@cellgrad/cellgrad/random";
import {
  clouds,
  combine,
  derivatives,
  type Field,
  smooth,
} from "../../../examples/lib/segment/fields.ts";

function field(size: number, f: (x: number, y: number) => number): Field {
  const data = Float64Array.from(
    { length: size * size },
    (_, pixel) => f(pixel % size, Math.floor(pixel / size)),
  );
  return { size, data };
}

const sum = ({ data }: Field) => data.reduce((total, value) => total + value, 0);

Deno.test("smooth() leaves a constant as it is, up to the border", () => {
  for (const value of smooth(field(9, () => 3), 4).data) assertAlmostEquals(value, 3, 1e-12);
});

Deno.test("smooth() spreads a point as a Gaussian does and loses nothing", () => {
  const spread = smooth(field(33, (x, y) => Number(x === 16 && y === 16)), 2);
  assertAlmostEquals(sum(spread), 1, 1e-12);
  const variance = sum(combine([spread, field(33, (x) => (x - 16) ** 2)], (a, b) => a * b));
  assertAlmostEquals(variance, 4, 0.1); // the tails beyond 3 σ are cut
});

Deno.test("smooth() treats rows and columns alike", () => {
  const image = field(12, (x, y) => Math.sin(x * 1.3) + 0.1 * y);
  const turned = field(12, (x, y) => Math.sin(y * 1.3) + 0.1 * x);
  const [a, b] = [smooth(image, 1.5), smooth(turned, 1.5)];
  for (let i = 0; i < 144; i++) {
    assertAlmostEquals(a.data[i]!, b.data[12 * (i % 12) + Math.floor(i / 12)]!, 1e-12);
  }
});

Deno.test("derivatives() of a quadratic are exact inside the image", () => {
  const { x, y, xx, yy, xy } = derivatives(
    field(7, (x, y) => 2 * x * x + 3 * x * y - y * y + 5 * y),
  );
  const centre = 3 * 7 + 2; // x = 2, y = 3
  const found = [x, y, xx, yy, xy].map(({ data }) => data[centre]!);
  assertEquals(found, [17, 5, 4, -2, 3]);
});

Deno.test("clouds() have mean 0 and variance 1, and follow the key", () => {
  const a = clouds(key(1), 40, 3);
  assertAlmostEquals(sum(a) / 1600, 0, 1e-9);
  assertAlmostEquals(sum(combine([a], (value) => value * value)) / 1600, 1, 1e-9);
  assertEquals(clouds(key(1), 40, 3), a);
  assert(clouds(key(2), 40, 3).data[0] !== a.data[0]);
});

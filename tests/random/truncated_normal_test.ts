import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { key, split, truncatedNormal } from "../../src/random.ts";
import { stack } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { checkGradients } from "../../src/testing.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { scalarFunction } from "../kernels/functions/scalar_function.ts";
import { kolmogorovSmirnov, meanOf } from "./statistics.ts";

const erfc = scalarFunction("erfc");

/** The share of the distribution between the bounds that is below x, from the nearer tail. */
function cdf(low: number, high: number): (x: number) => number {
  if (low + high > 0) {
    const mirrored = cdf(-high, -low);
    return (x) => 1 - mirrored(-x);
  }
  const below = (x: number) => x === -Infinity ? 0 : x === Infinity ? 2 : erfc(-x / Math.SQRT2);
  return (x) => (below(x) - below(low)) / (below(high) - below(low));
}

const RANGES: [low: number, high: number][] = [
  ...[[-2, 2], [0, 3], [-3, 0.5], [-8, 8], [1.5, 1.75]] as [number, number][],
  ...[[5, 8], [-9, -6], [8, 9], [-0.01, 0.02]] as [number, number][],
  ...[[0, Infinity], [-Infinity, 0], [4, Infinity], [-Infinity, -5]] as [number, number][],
  [-Infinity, Infinity],
];

for (const [low, high] of RANGES) {
  Deno.test(`truncatedNormal() follows the normal distribution between ${low} and ${high}`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      const x = truncatedNormal(key(61), [20000], { low, high, dtype }).data;
      const [least, most] = dtype === "float32" ? [low, high].map(Math.fround) : [low, high];
      assert(x.every((v) => v >= least! && v <= most!), dtype);
      assertLess(kolmogorovSmirnov(x, cdf(low, high)), 1.95, dtype);
    }
  });
}

Deno.test("truncatedNormal() reaches far into the tail in float64", () => {
  const x = truncatedNormal(key(62), [20000], { low: 36, high: 37, dtype: "float64" }).data;
  assertLess(kolmogorovSmirnov(x, cdf(36, 37)), 1.95);
});

Deno.test("truncatedNormal() refuses what is no key in its own name", () => {
  const message = "Cannot compute truncatedNormal as key must be a random key";
  assertThrows(() => truncatedNormal(7 as never, [2]), TypeError, message);
});

Deno.test("truncatedNormal() lies between −2 and 2 by default, with mean 0", () => {
  const x = truncatedNormal(key(63), [100, 100]);
  assertEquals([x.shape, x.dtype], [[100, 100], "float32"]);
  assertLess(Math.abs(meanOf(x.data)), 3.3 * 0.88 / 100);
  assertEquals(truncatedNormal(key(0), []).shape, []);
  assertEquals(truncatedNormal(key(0), [0, 2]).shape, [0, 2]);
});

Deno.test("truncatedNormal() takes bounds per element", () => {
  const low = [-1, 0, 6];
  const x = truncatedNormal(key(64), [500, 3], { low, high: [0, 1, 7] }).data;
  assert(x.every((v, i) => v >= low[i % 3]! && v <= low[i % 3]! + 1));
});

Deno.test("truncatedNormal() passes gradients of any order to its bounds", () => {
  const options = { dtype: "float64" } as const;
  const f64 = (values: number[]) => tensor(values, options);
  checkGradients(
    (low, high) => truncatedNormal(key(65), [2, 5], { low: low!, high: high!, ...options }),
    [f64([-2, 0.5, -9, 6, -0.2]), f64([2, 1.5, -6, 7, 0.1])],
    { order: 2 },
  );
});

Deno.test("truncatedNormal() is continuous in its bounds where the farther one becomes the nearer", () => {
  const draw = (low: number) =>
    truncatedNormal(key(69), [50], { low, high: 2, dtype: "float64" }).data;
  const [x, y] = [draw(-2 + 1e-9), draw(-2 - 1e-9)];
  assert(x.every((v, i) => Math.abs(v - y[i]!) < 1e-8));
});

Deno.test("truncatedNormal() with infinite bounds passes finite gradients to the other one", () => {
  checkGradients(
    (low) => truncatedNormal(key(66), [6], { low: low!, high: Infinity, dtype: "float64" }),
    [tensor(0.3, { dtype: "float64" })],
    { order: 2 },
  );
});

Deno.test("truncatedNormal() draws for each mapped key and bound what it draws alone", () => {
  const keys = split(key(67), 3);
  const f = (k: Tensor, low: Tensor) => truncatedNormal(k, [2], { low, high: 8 });
  const found = vmap(f)(stack(keys), tensor([-1, 0, 6]));
  const expected = keys.map((k, i) => f(k, tensor([-1, 0, 6][i]!)));
  assertEquals(found.toArray(), stack(expected).toArray());
});

Deno.test("truncatedNormal() of a bound that is NaN is NaN", () => {
  const x = truncatedNormal(key(68), [2], { low: tensor([NaN, 0]) }).data;
  assertEquals([Number.isNaN(x[0]), Number.isNaN(x[1])], [true, false]);
});

Deno.test("truncatedNormal() refuses bounds between which nothing lies", () => {
  const text = "low must be less than high, by a probability that float32 holds: " +
    "current probability at position 0 is ";
  const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [() => truncatedNormal(key(0), [2], { low: 2 }), RangeError, `${text}0`],
    [
      () => truncatedNormal(key(0), [2], { low: 1, high: -1 }),
      RangeError,
      `${text}-0.6826894283294678`,
    ],
    [() => truncatedNormal(key(0), [2], { low: 20, high: 30 }), RangeError, `${text}0`],
    [
      () => truncatedNormal(key(0), [2], { low: [0, 0, 0] }),
      TypeError,
      "low must broadcast to shape: current shapes are [3] and [2]",
    ],
    [
      () => truncatedNormal(key(0), [2], { min: 0 } as never),
      TypeError,
      "there is no option min: did you mean low? The options are low, high, dtype",
    ],
    [
      () => truncatedNormal(key(0), [2], { high: NaN }),
      TypeError,
      "high must be a tensor, a number or an array: current value is NaN",
    ],
  ];
  for (const [act, kind, message] of cases) {
    assertEquals(assertThrows(act, kind).message, `Cannot compute truncatedNormal as ${message}`);
  }
});

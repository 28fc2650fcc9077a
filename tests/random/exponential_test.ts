import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import { exponential, gumbel, key, laplace, split } from "../../src/random.ts";
import { mul, stack, sum } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { grad } from "../../src/transforms/grad.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { kolmogorovSmirnov, meanOf, varianceOf } from "./statistics.ts";

const SAMPLERS = { exponential, laplace, gumbel };
type Name = keyof typeof SAMPLERS;

const CDF: Record<Name, (x: number) => number> = {
  exponential: (x) => -Math.expm1(-x),
  laplace: (x) => x < 0 ? Math.exp(x) / 2 : 1 - Math.exp(-x) / 2,
  gumbel: (x) => Math.exp(-Math.exp(-x)),
};

const MOMENTS: Record<Name, [mean: number, variance: number]> = {
  exponential: [1, 1],
  laplace: [0, 2],
  gumbel: [0.5772156649015329, Math.PI ** 2 / 6],
};

for (const name of Object.keys(SAMPLERS) as Name[]) {
  const sample = SAMPLERS[name];

  Deno.test(`${name}() follows its distribution in both types`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      const x = sample(key(51), [50000], { dtype }).data;
      assertLess(kolmogorovSmirnov(x, CDF[name]), 1.95);
      const [mean, variance] = MOMENTS[name];
      assertLess(Math.abs(meanOf(x) - mean), 3.3 * Math.sqrt(variance / 50000));
      assertAlmostEquals(varianceOf(x) / variance, 1, 0.05);
    }
  });

  Deno.test(`${name}() keeps shapes, and the first numbers whatever their count`, () => {
    assertEquals(sample(key(0), [0, 3]).shape, [0, 3]);
    assertEquals(sample(key(0), []).shape, []);
    assertEquals(sample(key(0), [2, 3], { dtype: "float64" }).dtype, "float64");
    const [few, many] = [3, 9].map((n) => [...sample(key(1), [n]).data]);
    assertEquals(many!.slice(0, 3), few);
  });

  Deno.test(`${name}() draws for each mapped key what it draws for it alone`, () => {
    const keys = split(key(2), 3);
    const f = (k: Tensor) => sample(k, [2]);
    assertEquals(vmap(f)(stack(keys)).toArray(), stack(keys.map(f)).toArray());
  });

  Deno.test(`${name}() refuses other keys, shapes and types`, () => {
    const cases: [() => unknown, string][] = [
      [
        () => sample(3 as unknown as Tensor, [2]),
        "key must be a random key, made by key, splitKey (split of ./random) or foldIn: current value is 3: key(3) makes one",
      ],
      [
        () => sample(key(0), [-1]),
        "shape must be an array of non-negative integers: current value is [-1]",
      ],
      [
        () => sample(key(0), [2], { dtype: "int32" }),
        "dtype must be float32 or float64: current value is int32",
      ],
      [
        () => sample(key(0), [2], { rate: 2 } as never),
        "there is no option rate: the options are dtype",
      ],
    ];
    for (const [act, text] of cases) {
      assertEquals(assertThrows(act, TypeError).message, `Cannot compute ${name} as ${text}`);
    }
  });
}

Deno.test("exponential() has its digits near 0, and values that 23 bits would not reach", () => {
  const x = exponential(key(52), [4_000_000]).data;
  assert(x.every((v) => v > 0 && Number.isFinite(v)));
  const small = Array.from(x).filter((v) => v < 2e-5);
  assertEquals(new Set(small).size, small.length);
  assertLess(Math.abs(small.length - 80), 3.3 * Math.sqrt(80));
});

Deno.test("exponential() divided by a rate passes gradients to it", () => {
  const x = exponential(key(53), [5], { dtype: "float64" });
  const slope = grad((rate: Tensor) =>
    sum(mul(exponential(key(53), [5], { dtype: "float64" }), rate.reciprocal()))
  );
  assertAlmostEquals(slope(tensor(2, { dtype: "float64" })).item(), -sum(x).item() / 4, 1e-12);
});

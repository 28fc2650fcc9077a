import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { mul } from "../../src/ops/arithmetic.ts";
import { sum } from "../../src/ops/reduce.ts";
import { beta, gamma, key, normal, split, truncatedNormal, uniform } from "../../src/random.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { grad } from "../../src/transforms/grad.ts";
import {
  chiSquare,
  gammaCdf,
  kolmogorovSmirnov,
  meanOf,
  normalCdf,
  varianceOf,
} from "./statistics.ts";

Deno.test("uniform() gives the numbers that jax.random.uniform gives", () => {
  // The first two are in JAX's documentation: 0.947667 and, after a split, 0.00729382.
  assertAlmostEquals(uniform(key(0), []).item(), 0.947667, 5e-7);
  assertAlmostEquals(uniform(split(key(0))[1]!, []).item(), 0.00729382, 5e-9);
  assertEquals([...uniform(key(0), [4]).data], [
    0.9476670026779175,
    0.9785798788070679,
    0.33229148387908936,
    0.46866846084594727,
  ]);
});

Deno.test("uniform() is uniform in both types", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const x = uniform(key(11), [50000], { dtype }).data;
    assertLess(kolmogorovSmirnov(x, (v) => v), 1.95);
    assertAlmostEquals(varianceOf(x), 1 / 12, 0.001);
  }
});

Deno.test("uniform() stays in [min, max), also where rounding would reach max", () => {
  fc.assert(
    fc.property(
      fc.float({ min: -1e6, max: 1e6, noNaN: true }),
      fc.integer({ min: 1, max: 8 }),
      fc.nat(),
      (min, steps, seed) => {
        // A range of a few float32 numbers: about every tenth value rounds to max.
        const max = Math.fround(min + steps * 2 ** -23 * Math.max(1, Math.abs(min)));
        const x = uniform(key(seed), [200], { min, max }).data;
        assert(x.every((value) => value >= min && value < max));
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("uniform() reaches every float32 number of a short range equally often", () => {
  const x = uniform(key(2), [80000], { min: 1024, max: 1024 + 8 * 2 ** -13 }).data;
  const counts = new Array<number>(8).fill(0);
  for (const value of x) counts[(value - 1024) * 2 ** 13]!++;
  assertLess(chiSquare(counts, new Array<number>(8).fill(10000)), 3);
});

Deno.test("uniform() passes gradients to tensor bounds", () => {
  const u = uniform(key(4), [3]).data;
  const [low, high] = grad(
    (min: Tensor, max: Tensor) => sum(uniform(key(4), [3], { min, max })),
    { argnums: [0, 1] },
  )(tensor(1), tensor(3));
  assertAlmostEquals((high as Tensor).item(), u[0]! + u[1]! + u[2]!, 1e-6);
  assertAlmostEquals((low as Tensor).item(), 3 - u[0]! - u[1]! - u[2]!, 1e-6);
});

Deno.test("uniform() refuses empty and unbounded ranges", () => {
  for (const [min, max] of [[1, 1], [2, 1], [-Infinity, 0], [-3e38, 3e38]] as const) {
    assertThrows(
      () => uniform(key(0), [2], { min, max }),
      RangeError,
      "Cannot compute uniform as min must be less than max, by a difference that float32 " +
        `holds: current values are ${min} and ${max}`,
    );
  }
  assertThrows(
    () => uniform(key(0), [2], { min: NaN }),
    TypeError,
    "Cannot compute uniform as min must be a tensor, a number or an array: current value is NaN",
  );
});

Deno.test("uniform() refuses integer types and bad shapes", () => {
  assertThrows(
    () => uniform(key(0), [2], { dtype: "int32" }),
    TypeError,
    "Cannot compute uniform as dtype must be float32 or float64: current value is int32",
  );
  assertThrows(
    () => uniform(key(0), [-1]),
    TypeError,
    "Cannot compute uniform as shape must be an array of non-negative integers: " +
      "current value is [-1]",
  );
});

Deno.test("uniform() of no elements and of rank 0 keeps its shape", () => {
  assertEquals(uniform(key(0), [0, 3]).shape, [0, 3]);
  assertEquals(uniform(key(0), []).shape, []);
});

Deno.test("normal() is normal in both types", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const x = normal(key(12), [50000], { dtype }).data;
    assertLess(kolmogorovSmirnov(x, normalCdf), 1.95);
    assertAlmostEquals(meanOf(x), 0, 0.015);
    assertAlmostEquals(varianceOf(x), 1, 0.025);
    assertAlmostEquals(meanOf(Array.from(x, (v) => v ** 4)), 3, 0.2);
  }
});

Deno.test("normal() gives the same numbers in both types to 1e-6", () => {
  const exact = normal(key(5), [10_000], { dtype: "float64" }).data;
  normal(key(5), [10_000]).data.forEach((z: number, i: number) =>
    assertAlmostEquals(z, exact[i]!, 4e-7 * Math.abs(exact[i]!))
  );
});

Deno.test("normal() shifts and scales by numbers and tensors", () => {
  const z = normal(key(6), [2, 3]).data;
  const x = normal(key(6), [2, 3], { mean: [10, 20, 30], standardDeviation: 2 }).data;
  z.forEach((value, i) => assertAlmostEquals(x[i]!, 10 * (i % 3 + 1) + 2 * value, 1e-5));
});

Deno.test("normal() passes gradients to mean and standard deviation", () => {
  const z = normal(key(7), [4], { dtype: "float64" }).data;
  const weights = tensor(new Float64Array([1, 2, 3, 4]));
  const [mean, deviation] = grad(
    (mean: Tensor, standardDeviation: Tensor) =>
      sum(mul(weights, normal(key(7), [4], { mean, standardDeviation, dtype: "float64" }))),
    { argnums: [0, 1] },
  )(tensor(new Float64Array([0, 0, 0, 0])), tensor(new Float64Array([1])));
  assertEquals([...(mean as Tensor).data], [1, 2, 3, 4]);
  const expected = z[0]! + 2 * z[1]! + 3 * z[2]! + 4 * z[3]!;
  assertAlmostEquals((deviation as Tensor).item(), expected, 1e-12);
});

Deno.test("normal() refuses a negative deviation and parameters that do not fit", () => {
  assertThrows(
    () => normal(key(0), [2], { standardDeviation: -1 }),
    RangeError,
    "Cannot compute normal as standardDeviation must be a finite number at least 0: " +
      "current value is -1",
  );
  assertThrows(
    () => normal(key(0), [2], { mean: [1, 2, 3] }),
    TypeError,
    "Cannot compute normal as mean must broadcast to shape: current shapes are [3] and [2]",
  );
});

Deno.test("gamma() follows the gamma distribution at small, medium and large concentrations", () => {
  for (const alpha of [0.1, 0.5, 1, 1.7, 5, 60]) {
    const x = gamma(key(24), alpha, { shape: [20000], dtype: "float64" }).data;
    assertLess(kolmogorovSmirnov(x, (v) => gammaCdf(v, alpha)), 1.95, `concentration ${alpha}`);
    assertLess(Math.abs(meanOf(x) - alpha), 3.3 * Math.sqrt(alpha / 20000));
  }
});

Deno.test("gamma() at very large concentrations is nearly normal", () => {
  const alpha = 1e8;
  const x = gamma(key(17), alpha, { shape: [20000], dtype: "float64" }).data;
  const standard = Array.from(x, (v) => (v - alpha) / Math.sqrt(alpha));
  assertLess(kolmogorovSmirnov(standard, normalCdf), 1.95);
});

Deno.test("gamma() is never negative and finite at all concentrations", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), fc.nat(), (alpha, seed) => {
      const x = gamma(key(seed), alpha, { shape: [20] }).data;
      assert(x.every((value) => value >= 0 && Number.isFinite(value)));
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("gamma() is never 0, however small the concentration", () => {
  for (const [dtype, least] of [["float32", 2 ** -126], ["float64", 2 ** -1022]] as const) {
    for (const alpha of [1e-6, 1e-3, 0.01, 0.3]) {
      const x = gamma(key(40), alpha, { shape: [2000], dtype }).data;
      assert(x.every((v) => v >= least), `of ${alpha} in ${dtype}`);
    }
  }
});

Deno.test("gamma() multiplies with the scale and passes gradients to it", () => {
  const x = gamma(key(18), 2, { shape: [5] });
  assertEquals(gamma(key(18), 2, { shape: [5], scale: 2 }).data, x.data.map((v) => 2 * v));
  const slope = grad((scale: Tensor) => sum(gamma(key(18), 2, { shape: [5], scale })))(tensor(3));
  assertAlmostEquals(slope.item(), sum(x).item(), 1e-5);
});

Deno.test("gamma() numbers do not depend on their neighbours' rejections", () => {
  const x = gamma(key(19), [0.5, 2, 8], { dtype: "float64" }).data;
  const y = gamma(key(19), [30, 2, 0.1], { dtype: "float64" }).data;
  assertEquals(x[1], y[1]);
});

Deno.test("gamma() refuses concentrations that are not positive and finite", () => {
  for (const [bad, text] of [[0, "0"], [-1, "-1"], [Infinity, "Infinity"], [NaN, "NaN"]] as const) {
    assertThrows(
      () => gamma(key(0), bad),
      RangeError,
      `Cannot compute gamma as concentration must be positive and finite: current value is ${text}`,
    );
  }
  assertThrows(
    () => gamma(key(0), [1, 0]),
    RangeError,
    "Cannot compute gamma as concentration must be positive and finite: " +
      "current value at position 1 is 0",
  );
});

Deno.test("samplers draw in the type that is asked for, whatever that of their parameters", () => {
  for (const dtype of ["float32", "float64"] as const) {
    for (const given of ["float32", "float64", "int32", "bool"] as const) {
      const one = tensor([1, 1], { dtype: given });
      const plain = { shape: [2], dtype };
      for (
        const [x, y] of [
          [uniform(key(0), [2], { max: one, dtype }), uniform(key(0), [2], { dtype })],
          [
            uniform(key(0), [2], { min: one, max: 2, dtype }),
            uniform(key(0), [2], { min: 1, max: 2, dtype }),
          ],
          [normal(key(0), [2], { mean: one, dtype }), normal(key(0), [2], { mean: 1, dtype })],
          [normal(key(0), [2], { standardDeviation: one, dtype }), normal(key(0), [2], { dtype })],
          [
            truncatedNormal(key(0), [2], { low: one, dtype }),
            truncatedNormal(key(0), [2], { low: 1, dtype }),
          ],
          [gamma(key(0), one, { scale: one, ...plain }), gamma(key(0), 1, plain)],
          [beta(key(0), one, one, plain), beta(key(0), 1, 1, plain)],
        ] as const
      ) {
        assertEquals([x.dtype, x.toArray()], [dtype, y.toArray()], `of ${given}`);
      }
    }
  }
});

Deno.test("uniform() reaches across the whole range of int32 bounds", () => {
  const bound = (value: number) => tensor(value, { dtype: "int32" });
  const [low, high] = [-(2 ** 31), 2 ** 31 - 1];
  const x = uniform(key(0), [100], { min: bound(low), max: bound(high) });
  assertEquals(x.toArray(), uniform(key(0), [100], { min: low, max: high }).toArray());
});

Deno.test("samplers name their options when given another one", () => {
  assertThrows(
    () => normal(key(0), [2], { std: 1 } as never),
    TypeError,
    "Cannot compute normal as there is no option std: " +
      "did you mean standardDeviation? The options are mean, standardDeviation, dtype",
  );
});

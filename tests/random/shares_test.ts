import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import { beta, dirichlet, key, split } from "../../src/random.ts";
import { mul, stack, sum } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { assertAllClose } from "../../src/testing.ts";
import { grad } from "../../src/transforms/grad.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { betaCdf, kolmogorovSmirnov, meanOf, normalCdf } from "./statistics.ts";

const f64 = { dtype: "float64" } as const;

Deno.test("beta() follows the beta distribution", () => {
  const pairs = [[1, 1], [2, 6], [0.5, 0.5], [0.2, 3], [40, 7], [1, 30]] as const;
  for (const [a, b] of pairs) {
    for (const dtype of ["float32", "float64"] as const) {
      const x = beta(key(71), a, b, { shape: [20000], dtype }).data;
      assertLess(kolmogorovSmirnov(x, (v) => betaCdf(v, a, b)), 1.95, `${a}, ${b} in ${dtype}`);
    }
  }
});

Deno.test("beta() of tiny parameters is next to 0 or 1, as often as it should be", () => {
  const x = beta(key(72), 1e-4, 3e-4, { shape: [40000] }).data;
  assert(x.every((v) => v >= 0 && v <= 1));
  assertLess(Math.abs(meanOf(x) - 0.25), 3.3 * Math.sqrt(0.25 * 0.75 / 40000));
  assertLess(x.filter((v) => v > 1e-3 && v < 0.999).length, 40);
});

Deno.test("beta() and dirichlet() are shares over the whole range of their parameters", () => {
  for (const dtype of ["float32", "float64"] as const) {
    for (const power of [-126, -125, -124, -122, -100, 0, 99, 100]) {
      const c = 2 ** power;
      const x = beta(key(74), c, c, { shape: [4000], dtype }).data;
      assertLess(Math.abs(meanOf(x) - 0.5), 3.3 * 0.5 / Math.sqrt(4000), `2^${power} in ${dtype}`);
      const rows = dirichlet(key(75), [c, 2 * c / 3 + 2 ** -126, 2 ** -126], {
        shape: [100],
        dtype,
      });
      assertAllClose(sum(rows, { axis: 1 }), new Array<number>(100).fill(1), { rtol: 1e-6 });
    }
  }
});

Deno.test("beta() of huge parameters is nearly normal", () => {
  const a = 1e6;
  const x = beta(key(73), a, a, { shape: [20000], ...f64 }).data;
  const standard = Array.from(x, (v) => (v - 0.5) * Math.sqrt(8 * a + 4));
  assertLess(kolmogorovSmirnov(standard, normalCdf), 1.95);
});

Deno.test("beta() has one number per parameter, and repeats them along shape", () => {
  assertEquals(beta(key(0), [1, 2, 3], [[1], [2]]).shape, [2, 3]);
  assertEquals(beta(key(0), 1, [1, 2], { shape: [4, 2] }).shape, [4, 2]);
  assertEquals(beta(key(0), 1, 1).shape, []);
  assertEquals(beta(key(0), 1, 1, { shape: [0, 2] }).shape, [0, 2]);
});

Deno.test("dirichlet() has beta distributions in each place, and rows that add up to 1", () => {
  const concentration = [0.3, 2, 5, 1];
  const total = 8.3;
  const x = dirichlet(key(74), concentration, { shape: [20000], ...f64 });
  assertEquals(x.shape, [20000, 4]);
  assertAllClose(sum(x, { axis: 1 }), new Float64Array(20000).fill(1), { rtol: 1e-14 });
  const columns = concentration.map((_, j) => x.data.filter((_, i) => i % 4 === j));
  concentration.forEach((c, j) =>
    assertLess(kolmogorovSmirnov(columns[j]!, (v) => betaCdf(v, c, total - c)), 1.95)
  );
  const [p, q] = [2 / total, 5 / total];
  const covariance = meanOf(Array.from(columns[1]!, (v, i) => v * columns[2]![i]!)) - p * q;
  assertAlmostEquals(covariance, -p * q / (total + 1), 1e-3);
});

Deno.test("dirichlet() of tiny concentrations is nearly one share, of the right class", () => {
  const x = dirichlet(key(75), [1e-5, 2e-5, 7e-5], { shape: [20000] });
  assertAllClose(sum(x, { axis: 1 }), new Float64Array(20000).fill(1), { rtol: 1e-6 });
  [0.1, 0.2, 0.7].forEach((p, j) => {
    const column = x.data.filter((_, i) => i % 3 === j);
    assertLess(Math.abs(meanOf(column) - p), 3.3 * Math.sqrt(p * (1 - p) / 20000));
  });
});

Deno.test("dirichlet() has one row per row of concentrations, and repeats them along shape", () => {
  assertEquals(dirichlet(key(0), [1, 2, 3]).shape, [3]);
  assertEquals(dirichlet(key(0), [[1, 2], [3, 4], [5, 6]]).shape, [3, 2]);
  assertEquals(dirichlet(key(0), [[1, 2]], { shape: [4, 3] }).shape, [4, 3, 2]);
  assertEquals(dirichlet(key(0), [1, 2], { shape: [0] }).shape, [0, 2]);
  assertEquals(dirichlet(key(0), [4]).toArray(), [1]);
});

Deno.test("beta() and dirichlet() pass no gradient to their parameters, as gamma() does not", () => {
  const weights = tensor([1, 2]);
  const slopes = [
    grad((a: Tensor) => sum(beta(key(76), a, 2)))(tensor([1, 3])),
    grad((c: Tensor) => sum(mul(weights, dirichlet(key(76), c))))(tensor([1, 3])),
  ];
  for (const slope of slopes) assertEquals(slope.toArray(), [0, 0]);
});

Deno.test("beta() and dirichlet() draw for each mapped key what they draw for it alone", () => {
  const keys = split(key(77), 3);
  const rows = tensor([[1, 2], [3, 4], [0.5, 6]]);
  const f = (k: Tensor, c: Tensor) => dirichlet(k, c, { shape: [2] });
  const expected = keys.map((k, i) => f(k, rows.at(i)));
  assertAllClose(vmap(f)(stack(keys), rows), stack(expected));
  const g = (k: Tensor) => beta(k, 1, [2, 3]);
  assertAllClose(vmap(g)(stack(keys)), stack(keys.map(g)));
});

Deno.test("beta() and dirichlet() refuse parameters that are not positive or do not fit", () => {
  const range = "must be positive, from 2⁻¹²⁶ to 2¹⁰⁰: current value at position";
  const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [() => beta(key(0), 0, 1), RangeError, `beta as a ${range} 0 is 0`],
    [() => beta(key(0), 1, [1, NaN]), RangeError, `beta as b ${range} 1 is NaN`],
    [() => beta(key(0), 1, Infinity), RangeError, `beta as b ${range} 0 is Infinity`],
    [
      () => dirichlet(key(0), [[1, 2], [3, -4]]),
      RangeError,
      `dirichlet as concentration ${range} 3 is -4`,
    ],
    [
      () => beta(key(0), [1, 2], 1, { shape: [3] }),
      TypeError,
      "beta as a must broadcast to shape: current shapes are [2] and [3]",
    ],
    [
      () => dirichlet(key(0), 1),
      TypeError,
      "dirichlet as concentration must have at least one entry along the last axis: " +
      "current shape is []",
    ],
    [
      () => dirichlet(key(0), [[1], [2]], { shape: [3] }),
      TypeError,
      "dirichlet as the concentration without the last axis must broadcast to shape: " +
      "current shapes are [2] and [3]",
    ],
    [
      () => beta(key(0), 1, 1, { dtype: "int32" }),
      TypeError,
      "beta as dtype must be float32 or float64: current value is int32",
    ],
  ];
  for (const [act, kind, text] of cases) {
    assertEquals(assertThrows(act, kind).message, `Cannot compute ${text}`);
  }
});

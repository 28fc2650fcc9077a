import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { key, multivariateNormal, split } from "../../src/random.ts";
import { compile } from "../../src/compile/compile.ts";
import { solve } from "../../src/linalg/mod.ts";
import { add, matmul, mul, stack, sub, sum, transpose } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { grad } from "../../src/transforms/grad.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { gammaCdf, kolmogorovSmirnov, normalCdf } from "./statistics.ts";

const f64 = { dtype: "float64" } as const;
const MEAN = tensor([1, -2, 0.5], f64);
const COVARIANCE = tensor([[4, 1, -0.5], [1, 2, 0.3], [-0.5, 0.3, 1]], f64);

Deno.test("multivariateNormal() follows its distribution: distances, places and covariance", () => {
  const n = 20000;
  for (const dtype of ["float32", "float64"] as const) {
    const x = multivariateNormal(key(81), MEAN, COVARIANCE, { shape: [n], dtype });
    assertEquals([x.shape, x.dtype], [[n, 3], dtype]);
    const centered = sub(x, MEAN);
    const distances = sum(mul(centered, transpose(solve(COVARIANCE, transpose(centered)))), {
      axis: 1,
    });
    assertLess(kolmogorovSmirnov(distances.data, (d) => gammaCdf(d / 2, 1.5)), 1.95);
    [4, 2, 1].forEach((variance, j) => {
      const standard = centered.data.filter((_, i) => i % 3 === j).map((v) =>
        v / Math.sqrt(variance)
      );
      assertLess(kolmogorovSmirnov(standard, normalCdf), 1.95);
    });
    const found = matmul(transpose(centered), centered).div(n);
    assertAllClose(found, COVARIANCE, { rtol: 0, atol: 0.12 });
  }
});

Deno.test("multivariateNormal() has one vector per mean and covariance, repeated along shape", () => {
  const identity = [[1, 0], [0, 1]];
  assertEquals(multivariateNormal(key(0), [0, 0], identity).shape, [2]);
  assertEquals(multivariateNormal(key(0), [[0, 0], [1, 1], [2, 2]], identity).shape, [3, 2]);
  assertEquals(multivariateNormal(key(0), [0, 0], [identity, identity]).shape, [2, 2]);
  assertEquals(multivariateNormal(key(0), [0, 0], identity, { shape: [4, 3] }).shape, [4, 3, 2]);
  assertEquals(multivariateNormal(key(0), [0, 0], identity, { shape: [0] }).shape, [0, 2]);
  assertEquals(multivariateNormal(key(0), [3], [[1]]).shape, [1]);
});

Deno.test("multivariateNormal() passes gradients of any order to mean and covariance", () => {
  checkGradients(
    (mean, covariance) =>
      multivariateNormal(key(82), mean!, covariance!, { shape: [2], dtype: "float64" }),
    [MEAN, COVARIANCE],
    { order: 2 },
  );
});

Deno.test("multivariateNormal() moves with its mean, and spreads with the root of its scale", () => {
  const draw = (mean: Tensor, scale: Tensor) =>
    multivariateNormal(key(83), mean, mul(COVARIANCE, scale), f64);
  const x = draw(MEAN, tensor(1, f64));
  assertAllClose(grad((mean: Tensor) => sum(draw(mean, tensor(1, f64))))(MEAN), [1, 1, 1]);
  const slope = grad((scale: Tensor) => sum(draw(MEAN, scale)))(tensor(1, f64));
  assertAllClose(slope, sum(sub(x, MEAN)).mul(0.5));
});

Deno.test("multivariateNormal() is the same under vmap and in programs", async () => {
  const keys = split(key(84), 3);
  const f = (k: Tensor, c: Tensor) => multivariateNormal(k, [1, 2], c, { shape: [2] });
  const scales = [1, 4, 9].map((s) => tensor([[2 * s, s], [s, 3 * s]]));
  const expected = stack(keys.map((k, i) => f(k, scales[i]!)));
  const args = [stack(keys), stack(scales)] as const;
  assertAllClose(vmap(f)(...args), expected);
  await using program = await compile(vmap(f), [...args]);
  assertAllClose(await program(...args), expected);
});

Deno.test("multivariateNormal() of a covariance that is not definite is NaN in programs", async () => {
  const f = (c: Tensor) => multivariateNormal(key(0), [0, 0], c);
  await using program = await compile(f, [tensor([[1, 0], [0, 1]])]);
  const x = await program(tensor([[1, 2], [2, 1]]));
  assertEquals(Array.from(x.data, Number.isNaN), [true, true]);
});

Deno.test("multivariateNormal() refuses covariances that are none", () => {
  const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      () => multivariateNormal(key(0), [0, 0], [[1, 2], [2, 1]]),
      RangeError,
      "covariance must be positive definite",
    ],
    [
      () => multivariateNormal(key(0), [0], [[[1]], [[-1]]]),
      RangeError,
      "covariance must be positive definite: matrix 1 of the batch is not",
    ],
    [
      () => multivariateNormal(key(0), [0, 0], [1, 2]),
      TypeError,
      "covariance must have a row and a column for each entry of mean: " +
      "current shapes are [2] and [2]",
    ],
    [
      () => multivariateNormal(key(0), 0, [[1]]),
      TypeError,
      "covariance must have a row and a column for each entry of mean: " +
      "current shapes are [] and [1, 1]",
    ],
    [
      () => multivariateNormal(key(0), add(MEAN, [[0], [0]]), COVARIANCE, { shape: [3] }),
      TypeError,
      "the mean without the last axis must broadcast to shape: current shapes are [2] and [3]",
    ],
  ];
  for (const [act, kind, text] of cases) {
    assertEquals(
      assertThrows(act, kind).message,
      `Cannot compute multivariateNormal as ${text}`,
    );
  }
});

import { assertAlmostEquals, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import fc from "fast-check";
import { symmetricEigen } from "../../../kernels/linalg/eigen.ts";
import { fill } from "../../../kernels/random/eager.ts";

/** The largest deviation from A·v = λ·v relative to A, and from orthonormal vectors. */
function errors(a: Float64Array, n: number): { residual: number; orthogonality: number } {
  const { values, vectors } = symmetricEigen(a, n);
  const size = Math.sqrt(a.reduce((sum, value) => sum + value * value, 0)) || 1;
  let [residual, orthogonality] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < n; r++) {
      let image = 0;
      let product = 0;
      for (let c = 0; c < n; c++) {
        image += a[r * n + c]! * vectors[i * n + c]!;
        product += vectors[i * n + c]! * vectors[r * n + c]!;
      }
      residual = Math.max(residual, Math.abs(image - values[i]! * vectors[i * n + r]!) / size);
      orthogonality = Math.max(orthogonality, Math.abs(product - (i === r ? 1 : 0)));
    }
  }
  return { residual, orthogonality };
}

function check(a: Float64Array, n: number): void {
  const { residual, orthogonality } = errors(a, n);
  assertLess(residual, 1e-14 * Math.max(4, n));
  assertLess(orthogonality, 1e-14 * Math.max(4, n));
}

function symmetric(n: number, f: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    return f(Math.max(i, j), Math.min(i, j));
  });
}

Deno.test("symmetricEigen() decomposes random matrices of any size and scale", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 25 }), fc.nat(), fc.integer({ min: -200, max: 200 }), (
      n,
      seed,
      exponent,
    ) => {
      const noise = new Float64Array(n * n);
      fill("normal", noise, [1, seed]);
      check(symmetric(n, (i, j) => noise[i * n + j]! * 2 ** exponent), n);
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("symmetricEigen() decomposes large and ill-conditioned matrices", () => {
  const noise = new Float64Array(120 * 120);
  fill("normal", noise, [2, 3]);
  check(symmetric(120, (i, j) => noise[i * 120 + j]!), 120);
  check(symmetric(40, (i, j) => 1 / (i + j + 1)), 40);
});

Deno.test("symmetricEigen() decomposes matrices of low rank, whose rest is rounding", () => {
  for (const n of [50, 120]) {
    check(symmetric(n, () => 1), n);
    check(symmetric(n, (i, j) => (i + 1) * (j + 1) + Math.sin(i) * Math.sin(j)), n);
  }
});

Deno.test("symmetricEigen() sorts eigenvalues from the largest down", () => {
  const { values, vectors } = symmetricEigen(symmetric(4, (i, j) => i === j ? i - 1 : 0), 4);
  assertEquals([...values], [2, 1, 0, -1]);
  assertEquals([...vectors.map(Math.abs)], [0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0]);
});

Deno.test("symmetricEigen() gives the known eigenvalues of a path's Laplacian", () => {
  const n = 30;
  const { values } = symmetricEigen(
    symmetric(n, (i, j) => i === j ? 2 : i === j + 1 ? -1 : 0),
    n,
  );
  values.forEach((value, k) => {
    assertAlmostEquals(value, 2 + 2 * Math.cos((k + 1) * Math.PI / (n + 1)), 1e-13);
  });
});

Deno.test("symmetricEigen() handles zeros, one number and nothing", () => {
  assertEquals([...symmetricEigen(new Float64Array(9), 3).values], [0, 0, 0]);
  assertEquals([...symmetricEigen(new Float64Array([-3]), 1).values], [-3]);
  assertEquals(symmetricEigen(new Float64Array(0), 0).values.length, 0);
});

Deno.test("symmetricEigen() keeps the trace", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 10 }), (d) => {
      const n = Math.floor(Math.sqrt(d.length));
      const a = symmetric(n, (i, j) => d[i * n + j]!);
      let trace = 0;
      for (let i = 0; i < n; i++) trace += a[i * n + i]!;
      const { values } = symmetricEigen(a, n);
      assertAlmostEquals(values.reduce((x, y) => x + y, 0), trace, 1e-11);
      for (let i = 1; i < n; i++) assertGreaterOrEqual(values[i - 1]!, values[i]!);
    }),
    { seed: 1, numRuns: 100 },
  );
});

/** Factors of matrices of all sizes around those of blocks, multiplied out again. */
import { assertEquals, assertLess } from "@std/assert";
import { factorizeCholesky } from "../../../kernels/linalg/cholesky.ts";
import { cofactorsOf } from "../../../kernels/linalg/cofactors.ts";
import { identity } from "../../../kernels/linalg/entries.ts";
import { determinant, eliminate, scaledBy, solveEliminated } from "../../../kernels/linalg/lu.ts";
import { turned as transposed } from "../../../kernels/matmul/reference.ts";
import { rowsOf } from "../../../kernels/linalg/products.ts";
import { orthogonalize } from "../../../kernels/linalg/qr.ts";
import { decomposeSingular } from "../../../kernels/linalg/svd.ts";
import { solveTriangle } from "../../../kernels/linalg/triangular.ts";
import { fill } from "../../../kernels/random/eager.ts";

const SIZES = [0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 100];
const SHAPES = [[3, 0], [1, 1], [2, 1], [33, 32], [64, 64], [65, 31], [100, 3], [
  100,
  100,
]] as const;

/** Rounding of sums of n terms, with room. */
const bound = (n: number) => 1e-14 * Math.max(8, n);

function noise(m: number, n: number): Float64Array {
  const data = new Float64Array(m * n);
  if (m * n > 0) fill("normal", data, [m, n]);
  return data;
}

/** A (m, k) · B (k, n), the entries of B by a function. */
function times(
  a: Float64Array,
  b: (k: number, j: number) => number,
  [m, k, n]: readonly [number, number, number],
): Float64Array {
  return Float64Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += a[Math.floor(at / n) * k + i]! * b(i, at % n);
    return sum;
  });
}

const plain = (b: Float64Array, n: number) => (k: number, j: number) => b[k * n + j]!;
const turned = (b: Float64Array, k: number) => (i: number, j: number) => b[j * k + i]!;

/** The largest difference, relative to the largest number. */
function distance(actual: Float64Array, expected: Float64Array): number {
  assertEquals(actual.length, expected.length);
  const scale = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 1);
  return actual.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]!)), 0) / scale;
}

function assertOrthonormal(columns: Float64Array, m: number, n: number): void {
  const flipped = Float64Array.from(
    { length: m * n },
    (_, k) => columns[(k % m) * n + (k / m | 0)]!,
  );
  assertLess(distance(times(flipped, plain(columns, n), [n, m, n]), identity(n)), bound(m));
}

Deno.test("factorizeCholesky() gives L with L·Lᵀ = A, zeros above, and reads below only", () => {
  for (const n of SIZES) {
    const [x, eye] = [noise(n, n), identity(n)];
    const a = times(x, turned(x, n), [n, n, n]).map((v, k) => v + eye[k]!);
    const l = a.map((v, k) => k % Math.max(1, n) > k / n ? NaN : v);
    assertEquals(factorizeCholesky(l, n), true);
    assertLess(distance(times(l, turned(l, n), [n, n, n]), a), bound(n));
    assertEquals(l.every((v, k) => v === 0 || k % n <= Math.floor(k / n)), true);
  }
});

Deno.test("factorizeCholesky() tells what is not positive definite, wherever it shows", () => {
  for (const n of [1, 33, 64]) {
    for (const bad of [0, n >> 1, n - 1]) {
      for (const value of [0, -1, NaN]) {
        const a = identity(n);
        a[bad * (n + 1)] = value;
        assertEquals(factorizeCholesky(a, n), false);
        assertEquals(a.every(Number.isNaN), true);
      }
    }
  }
});

Deno.test("solveTriangle() solves from both ends, as it lies and transposed", () => {
  for (const n of SIZES) {
    for (const k of [1, 3, 40]) {
      for (const lower of [true, false]) {
        const x = noise(n, k);
        // Off the diagonal next to nothing, so that long systems are not ill-conditioned.
        const t = noise(n, n).map((v, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          return i === j ? 2 : (lower ? i > j : i < j) ? v / n : 0;
        });
        const b = times(t, plain(x, k), [n, n, k]);
        solveTriangle(rowsOf(t, n), rowsOf(b, k), n, k, { lower });
        assertLess(distance(b, x), bound(n));
        const flipped = Float64Array.from(t, (_, at) => t[(at % n) * n + (at / n | 0)]!);
        const c = times(t, plain(x, k), [n, n, k]);
        solveTriangle(transposed(rowsOf(flipped, n)), rowsOf(c, k), n, k, { lower });
        assertLess(distance(c, x), bound(n));
      }
    }
  }
});

Deno.test("eliminate() and solveEliminated() solve systems of A and of its transpose", () => {
  for (const n of SIZES) {
    for (const k of [0, 1, 5, 40]) {
      const [a, x] = [noise(n, n), noise(n, k)];
      const lu = eliminate(a.slice(), n);
      const flipped = Float64Array.from(a, (_, at) => a[(at % n) * n + (at / n | 0)]!);
      for (const [matrix, transpose] of [[a, false], [flipped, true]] as const) {
        const b = times(matrix, plain(x, k), [n, n, k]);
        const found = solveEliminated(lu, b.slice(), n, k, transpose);
        // The residual is small, whatever the condition.
        assertLess(distance(times(matrix, plain(found, k), [n, n, k]), b), 1e3 * bound(n));
      }
    }
  }
});

Deno.test("eliminate() exchanges rows for the largest pivot, so that factors are at most 1", () => {
  for (const n of SIZES) {
    const { factors, order } = eliminate(noise(n, n), n);
    assertEquals([...order].sort((i, j) => i - j), Array.from(order, (_, i) => i));
    factors.forEach((x, k) => k % n < Math.floor(k / n) && assertLess(Math.abs(x), 1 + 1e-15));
  }
});

Deno.test("determinant() multiplies beyond the range of numbers", () => {
  const scaled = (value: number, n: number) =>
    determinant(eliminate(identity(n).map((x) => x * value), n), n);
  assertEquals(scaledBy(1, scaled(3, 4)), 81);
  assertEquals(scaledBy(1, scaled(-3, 3)), -27);
  assertEquals(scaledBy(1, scaled(1e200, 3)), Infinity);
  assertEquals(scaledBy(1, scaled(0, 3)), 0);
  assertEquals(scaledBy(1, scaled(5e-324, 1)), 5e-324);
  assertEquals(scaledBy(1, determinant(eliminate(Float64Array.of(1e300, 0, 0, 1e-300), 2), 2)), 1);
  assertEquals(Number.isNaN(scaled(NaN, 2).digits), true);
  const { digits, exponent } = scaled(2 ** 100, 20);
  assertEquals([digits, exponent], [1, 2000]);
});

Deno.test("orthogonalize() gives orthonormal columns and a triangle", () => {
  for (const [m, n] of SHAPES) {
    for (const scale of [1, 1e-200, 1e200]) {
      const a = noise(m, n).map((x) => x * scale);
      const { q, r } = orthogonalize(a, m, n);
      const back = times(q, plain(r, n), [m, n, n]);
      assertLess(distance(back.map((x) => x / scale), a.map((x) => x / scale)), bound(m));
      assertOrthonormal(q, m, n);
      assertEquals(r.every((x, k) => x === 0 || k % n >= Math.floor(k / n)), true);
    }
  }
});

Deno.test("orthogonalize() completes what depends on other columns, or is 0", () => {
  for (const a of [new Float64Array(40 * 20), new Float64Array(40 * 20).fill(1)]) {
    const { q, r } = orthogonalize(a, 40, 20);
    assertOrthonormal(q, 40, 20);
    assertLess(distance(times(q, plain(r, 20), [40, 20, 20]), a), bound(40));
  }
});

function assertSingular(a: Float64Array, m: number, n: number, scale = 1): Float64Array {
  const { u, s, vt } = decomposeSingular(a, m, n);
  const back = times(u.map((x, k) => x * s[k % n]! / scale), plain(vt, n), [m, n, n]);
  assertLess(distance(back, a.map((x) => x / scale)), bound(m));
  assertOrthonormal(u, m, n);
  assertOrthonormal(vt, n, n);
  assertEquals(s, s.toSorted((x, y) => y - x));
  return s;
}

Deno.test("decomposeSingular() gives orthonormal vectors, of any shape and scale", () => {
  for (const [m, n] of SHAPES) {
    for (const scale of [1, 1e-200, 1e200]) {
      assertSingular(noise(m, n).map((x) => x * scale), m, n, scale);
    }
  }
});

Deno.test("decomposeSingular() decomposes matrices of low rank, of zeros and of equal values", () => {
  assertEquals([...assertSingular(new Float64Array(12), 4, 3)], [0, 0, 0]);
  assertEquals([...assertSingular(identity(40), 40, 40)], Array(40).fill(1));
  const s = assertSingular(new Float64Array(60 * 30).fill(1), 60, 30);
  assertLess(Math.abs(s[0]! - Math.sqrt(1800)), 1e-12);
  assertLess(s[1]!, 1e-13);
});

Deno.test("decomposeSingular() keeps small values, whose squares are lost beside the largest one's", () => {
  // Columns of sizes 1 to 1e-30, mixed by a rotation from the left: they are the singular values.
  const n = 31;
  const { q } = orthogonalize(noise(n, n), n, n);
  const s = assertSingular(q.map((x, k) => x * 10 ** -(k % n)), n, n);
  s.forEach((x, i) => assertLess(Math.abs(x * 10 ** i - 1), 1e-13));
});

Deno.test("cofactorsOf() does not mind a determinant of 0, or next to it", () => {
  const near = (rest: number) => Float64Array.of(2, 0, 0, 0, 3, 0, 0, 0, rest);
  for (const rest of [0, 1e-320, 1e-200, 1e-17]) {
    const expected = Float64Array.of(3 * rest, 0, 0, 0, 2 * rest, 0, 0, 0, 6);
    assertLess(distance(cofactorsOf(near(rest), 3), expected), 1e-15);
  }
  assertEquals([...cofactorsOf(Float64Array.of(7), 1)], [1]);
  assertEquals([...cofactorsOf(Float64Array.of(0), 1)], [1]);
  assertEquals(cofactorsOf(new Float64Array(9), 3).every((x) => x === 0), true);
  assertEquals(cofactorsOf(new Float64Array(9).fill(NaN), 3).every(Number.isNaN), true);
});

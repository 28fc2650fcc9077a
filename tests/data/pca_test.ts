import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { pca } from "../../src/data/pca.ts";
import { sparse } from "../../src/data/make_sparse.ts";
import { mean, sub, transpose } from "../../src/ops/mod.ts";
import { key, normal } from "../../src/random.ts";
import { fromData, type Tensor, tensor } from "../../src/tensor.ts";

/** Noise with a few strong directions. */
function cloud(rows: number, columns: number, seed: number, strong = 3): Tensor {
  const noise = normal(key(seed), [rows, columns], { dtype: "float64" }).data;
  const left = normal(key(seed + 1), [rows, strong], { dtype: "float64" }).data;
  const right = normal(key(seed + 2), [strong, columns], { dtype: "float64" }).data;
  const data = Float64Array.from(noise, (value, k) => {
    const [i, j] = [Math.floor(k / columns), k % columns];
    let sum = 5 + value;
    for (let s = 0; s < strong; s++) {
      sum += left[i * strong + s]! * right[s * columns + j]! * (strong - s);
    }
    return sum;
  });
  return fromData(data, [rows, columns]);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** The rows of a matrix. */
function rowsOf(x: Tensor): number[][] {
  return x.toArray() as number[][];
}

/** The matrix less what is needed for every row and column to have mean 0. */
function centredBothWays(x: Tensor): Tensor {
  const rowless = sub(x, mean(x, { axis: 1, keepDims: true }));
  return sub(rowless, mean(rowless, { axis: 0, keepDims: true }));
}

/** The covariance matrix, formed and computed the plain way. */
function covariance(x: Tensor): number[][] {
  const rows = rowsOf(x);
  const means = rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length);
  return means.map((a, i) =>
    means.map((b, j) =>
      rows.reduce((sum, row) => sum + (row[i]! - a) * (row[j]! - b), 0) / (rows.length - 1)
    )
  );
}

/** Eigenvalues from the largest down, by Jacobi's rotations. */
function eigenvalues(matrix: number[][]): number[] {
  const a = matrix.map((row) => [...row]);
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < a.length; p++) {
      for (let q = p + 1; q < a.length; q++) {
        if (Math.abs(a[p]![q]!) < 1e-300) continue;
        const angle = 0.5 * Math.atan(2 * a[p]![q]! / (a[q]![q]! - a[p]![p]!));
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < a.length; k++) {
          const [x, y] = [a[k]![p]!, a[k]![q]!];
          a[k]![p] = c * x - s * y;
          a[k]![q] = s * x + c * y;
        }
        for (let k = 0; k < a.length; k++) {
          const [x, y] = [a[p]![k]!, a[q]![k]!];
          a[p]![k] = c * x - s * y;
          a[q]![k] = s * x + c * y;
        }
      }
    }
  }
  return a.map((row, i) => row[i]!).sort((x, y) => y - x);
}

Deno.test("pca() gives the eigenvalues of the covariance matrix", () => {
  for (const [rows, columns] of [[30, 6], [5, 9], [12, 12], [2, 4]] as const) {
    const x = cloud(rows, columns, 10 * rows + columns);
    const components = Math.min(rows, columns);
    const { explainedVariance } = pca(x, { components });
    const expected = eigenvalues(covariance(x));
    explainedVariance.forEach((value, c) =>
      assertAlmostEquals(value, Math.max(expected[c]!, 0), 1e-11 * expected[0]!)
    );
  }
});

Deno.test("pca() gives directions that the covariance only stretches", () => {
  const x = cloud(40, 8, 3);
  const { components, explainedVariance } = pca(x, { components: 8 });
  const matrix = covariance(x);
  rowsOf(components).forEach((direction, c) => {
    matrix.forEach((row, i) =>
      assertAlmostEquals(dot(row, direction), explainedVariance[c]! * direction[i]!, 1e-10)
    );
  });
});

Deno.test("pca() gives orthonormal directions and uncorrelated scores, for any shape", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      fc.nat({ max: 1000 }),
      (rows, columns, seed) => {
        const components = Math.min(rows, columns);
        const found = pca(cloud(rows, columns, seed), { components });
        const directions = rowsOf(found.components);
        directions.forEach((a, i) =>
          directions.forEach((b, j) => assertAlmostEquals(dot(a, b), i === j ? 1 : 0, 1e-12))
        );
        const scores = rowsOf(found.scores);
        for (let i = 0; i < components; i++) {
          const column = scores.map((row) => row[i]!);
          assertAlmostEquals(
            dot(column, column) / (rows - 1),
            found.explainedVariance[i]!,
            1e-9 * found.explainedVariance[0]!,
          );
          for (let j = 0; j < i; j++) {
            const other = scores.map((row) => row[j]!);
            assertLess(Math.abs(dot(column, other)), 1e-8 * found.explainedVariance[0]! * rows);
          }
        }
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});

Deno.test("pca() with all components reconstructs the values", () => {
  const x = cloud(20, 7, 5);
  const { scores, components, mean, explainedVarianceRatio } = pca(x, { components: 7 });
  const directions = rowsOf(components);
  const rebuilt = rowsOf(scores).map((row) =>
    Array.from(mean, (m, j) => m + dot(row, directions.map((direction) => direction[j]!)))
  );
  rowsOf(x).forEach((row, i) =>
    row.forEach((value, j) => assertAlmostEquals(rebuilt[i]![j]!, value, 1e-11))
  );
  assertAlmostEquals(explainedVarianceRatio.reduce((a, b) => a + b, 0), 1, 1e-12);
});

Deno.test("pca() finds the leading directions by iterations where both extents are large", () => {
  // Iterations serve where both extents are above 256.
  const rows = 300;
  const columns = 320;
  const x = cloud(rows, columns, 7, 6);
  const { explainedVariance, components } = pca(x, { components: 6 });
  const matrix = covariance(x);
  rowsOf(components).forEach((direction, c) => {
    const image = matrix.map((row) => dot(row, direction));
    const value = dot(image, direction);
    assertAlmostEquals(value, explainedVariance[c]!, 1e-9 * value);
    const rest = image.map((v, i) => v - value * direction[i]!);
    assertLess(Math.sqrt(dot(rest, rest)), 2e-9 * explainedVariance[0]!);
  });
  // No direction was missed: what is left varies less than the last component.
  const trace = matrix.reduce((sum, row, i) => sum + row[i]!, 0);
  const left = trace - explainedVariance.reduce((a, b) => a + b, 0);
  assertLess(left / (rows - 6), explainedVariance[5]!);
  for (let probe = 0; probe < 5; probe++) {
    let v: number[] = [...normal(key(100 + probe), [columns], { dtype: "float64" }).data];
    for (let i = 0; i < 20; i++) {
      for (const direction of rowsOf(components)) {
        const along = dot(v, direction);
        v = v.map((value, j) => value - along * direction[j]!);
      }
      v = matrix.map((row) => dot(row, v));
      const length = Math.sqrt(dot(v, v));
      if (i === 19) assertLess(length, explainedVariance[5]! * (1 + 1e-6));
      v = v.map((value) => value / length);
    }
  }
});

Deno.test("pca() finds the same where there are too many genes to form their scatter matrix", () => {
  const [rows, columns] = [300, 5100];
  const x = centredBothWays(cloud(rows, columns, 21, 5));
  const { scores, components, explainedVariance, mean } = pca(x, { components: 4 });
  // On its side the matrix has the same singular values, and a scatter matrix of 300 by 300.
  const lying = pca(tensor(transpose(x)), { components: 4 });
  for (let c = 0; c < 4; c++) {
    const expected = lying.explainedVariance[c]! * (columns - 1);
    assertAlmostEquals(explainedVariance[c]! * (rows - 1), expected, 1e-9 * expected);
  }
  const directions = rowsOf(components);
  rowsOf(scores).slice(0, 5).forEach((row, i) =>
    row.forEach((score, c) => {
      const centred = Array.from(mean, (m, j) => x.data[i * columns + j]! - m);
      assertAlmostEquals(score, dot(centred, directions[c]!), 1e-9);
    })
  );
});

Deno.test("pca() of float32 values has standard deviations that are exact to 1e-6", () => {
  const x = cloud(1100, 300, 22, 6);
  const single = tensor(x, { dtype: "float32" });
  const exact = pca(tensor(single, { dtype: "float64" }), { components: 20 }).explainedVariance;
  pca(single, { components: 20 }).explainedVariance.forEach((value, c) =>
    assertAlmostEquals(Math.sqrt(value / exact[c]!), 1, 1e-6)
  );
});

/** Counts of which few are not zero, with three groups of cells. */
function thinned(rows: number, columns: number, share: number): Tensor {
  const chance = normal(key(31), [rows, columns], { dtype: "float64" }).data;
  const data = chance.map((z, k) => {
    const group = Math.floor(k / columns) % 3;
    return Math.abs(z) < share * 1.25 ? 1 + group + (k % columns) % 4 * Math.abs(z) : 0;
  });
  return fromData(data, [rows, columns]);
}

for (
  const [title, rows, columns, share] of [
    ["few entries", 400, 300, 0.1],
    ["many entries", 300, 280, 0.6],
    ["few genes", 90, 20, 0.15],
    ["few cells", 40, 300, 0.15],
    ["more genes than are formed", 270, 5010, 0.02],
    ["many entries of more genes than are formed", 260, 5010, 0.5],
  ] as const
) {
  Deno.test(`pca() of a sparse matrix gives what the dense one gives: ${title}`, () => {
    const x = thinned(rows, columns, share);
    const dense = pca(x, { components: 3 });
    for (const format of columns > 1000 ? ["csr"] as const : ["csr", "csc"] as const) {
      const held = pca(sparse(x, { format }), { components: 3 });
      assertEquals(held.scores.dtype, "float64");
      for (const name of ["explainedVariance", "explainedVarianceRatio", "mean"] as const) {
        dense[name].forEach((value, i) =>
          assertAlmostEquals(held[name][i]!, value, 1e-9 * Math.max(1, Math.abs(value)))
        );
      }
      for (let c = 0; c < 2; c++) {
        for (let j = 0; j < columns; j++) {
          const at = c * columns + j;
          assertAlmostEquals(held.components.data[at]!, dense.components.data[at]!, 1e-6);
        }
      }
      const [a, b] = [held, dense].map(({ scores }) => dot(scores.data, scores.data));
      assertAlmostEquals(a! / b!, 1, 1e-9);
    }
    if (columns > 1000) return;
    const single = pca(sparse(tensor(x, { dtype: "float32" })), { components: 3 });
    assertEquals(single.scores.dtype, "float32");
    assertAlmostEquals(single.explainedVariance[2]! / dense.explainedVariance[2]!, 1, 1e-5);
  });
}

Deno.test("pca() names the cell and gene of an entry that is not finite", () => {
  assertThrows(
    () => pca(sparse([[0, 0, 1], [0, 0, 0], [0, NaN, 0]])),
    RangeError,
    "Cannot compute pca as all values must be finite: current value in cell 2, gene 1 is NaN",
  );
});

Deno.test("pca() finds equal variances by iterations, too", () => {
  // Columns in five groups of equal, orthogonal patterns: the five largest eigenvalues coincide.
  const [rows, columns] = [320, 300];
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const sign = (i >> (j % 5)) % 2 === 0 ? 1 : -1;
      data[i * columns + j] = sign;
    }
  }
  const { explainedVariance } = pca(fromData(data, [rows, columns]), { components: 6 });
  for (let c = 0; c < 5; c++) {
    assertAlmostEquals(explainedVariance[c]!, 60 * rows / (rows - 1), 1e-9);
  }
  assertAlmostEquals(explainedVariance[5]!, 0, 1e-9);
});

Deno.test("pca() makes the loading of largest size positive", () => {
  const { components } = pca(cloud(30, 10, 11), { components: 5 });
  for (const direction of rowsOf(components)) {
    const largest = direction.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a);
    assertGreater(largest, 0);
  }
});

Deno.test("pca() turns around, not over, when the data are mirrored", () => {
  const x = cloud(30, 10, 12);
  const mirrored = fromData(Float64Array.from(x.data, (value) => -value), x.shape);
  const [a, b] = [pca(x), pca(mirrored)];
  a.components.data.forEach((value: number, i: number) =>
    assertAlmostEquals(value, b.components.data[i]!, 1e-12)
  );
  a.scores.data.forEach((value: number, i: number) =>
    assertAlmostEquals(value, -b.scores.data[i]!, 1e-9)
  );
});

Deno.test("pca() does not lose digits far from the origin", () => {
  const x = cloud(50, 6, 13);
  const shifted = fromData(Float64Array.from(x.data, (value) => value + 1e6), x.shape);
  const [near, far] = [pca(x), pca(shifted)];
  near.explainedVariance.forEach((value, c) =>
    assertAlmostEquals(far.explainedVariance[c]!, value, 1e-8 * value)
  );
});

Deno.test("pca() of float32 values gives float32 scores close to the exact ones", () => {
  const x = cloud(300, 40, 14);
  const exact = pca(x);
  const rounded = pca(tensor(x, { dtype: "float32" }));
  assertEquals([rounded.scores.dtype, rounded.components.dtype], ["float32", "float32"]);
  exact.scores.data.forEach((value: number, i: number) =>
    assertAlmostEquals(rounded.scores.data[i]!, value, 1e-4)
  );
});

Deno.test("pca() of cells that are all the same gives zeros", () => {
  const { scores, explainedVariance, explainedVarianceRatio, components } = pca(
    [[1, 2, 3], [1, 2, 3], [1, 2, 3]],
  );
  assert(scores.data.every((value) => value === 0));
  assertEquals([...explainedVariance, ...explainedVarianceRatio], [0, 0, 0, 0]);
  const [a, b] = rowsOf(components) as [number[], number[]];
  assertAlmostEquals(dot(a, a), 1, 1e-6);
  assertAlmostEquals(dot(a, b), 0, 1e-6);
});

Deno.test("pca() orders components by variance", () => {
  const { explainedVariance } = pca(cloud(60, 20, 15), { components: 20 });
  for (let c = 1; c < 20; c++) {
    assertGreaterOrEqual(explainedVariance[c - 1]!, explainedVariance[c]!);
  }
});

Deno.test("pca() refuses what it cannot decompose", () => {
  assertThrows(
    () => pca([[1, 2]]),
    RangeError,
    "Cannot compute pca as x must have at least two cells: current number is 1",
  );
  assertThrows(
    () => pca([[1, 2], [3, 4], [5, 6]], { components: 3 }),
    RangeError,
    "Cannot compute pca as components must be a whole number from 1 to 2, " +
      "the smaller extent of x: current value is 3",
  );
  assertThrows(
    () => pca([[1, 2], [3, NaN]]),
    RangeError,
    "Cannot compute pca as all values must be finite: current value in cell 1, gene 1 is NaN",
  );
  assertThrows(
    () => pca([1, 2]),
    TypeError,
    "Cannot compute pca as x must be a matrix (cells, genes): current shape is [2]",
  );
});

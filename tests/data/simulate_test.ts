import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { ramp } from "../../src/data/cell_tree.ts";
import { simulateCells, type SimulateCellsOptions } from "../../src/data/simulate.ts";

function sumOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((a, b) => a + b, 0);
}

/** The means of the columns of a row-major matrix over chosen rows. */
function columnMeans(data: ArrayLike<number>, columns: number, rows: number[]): number[] {
  return Array.from(
    { length: columns },
    (_, j) => rows.reduce((sum, i) => sum + data[i * columns + j]!, 0) / rows.length,
  );
}

/** What seed 5 gives. */
const PINNED = {
  labels: [0, 2, 0, 1],
  counts: [
    [1123, 120, 52, 109, 103, 22],
    [25, 161, 5, 3, 112, 52],
    [149, 0, 108, 92, 86, 29],
    [584, 221, 20, 74, 104, 18],
  ],
  expression: [
    2.1400086879730225,
    1.3886879682540894,
    0.2403290867805481,
    0.19319896399974823,
    0.6216309070587158,
    0.16058185696601868,
  ],
};

const small = { cells: 60, genes: 30 };

Deno.test("simulateCells() gives every field its shape", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(),
      (cells, genes, types, batches, seed) => {
        const found = simulateCells({ cells, genes, types, batches, seed });
        for (const x of [found.counts, found.expression, found.velocity]) {
          assertEquals([x.shape, x.dtype], [[cells, genes], "float32"]);
          assert(x.data.every((value) => Number.isFinite(value)));
        }
        assert(found.counts.data.every((count) => Number.isInteger(count) && count >= 0));
        assert(found.expression.data.every((value) => value > 0));
        assert(found.labels.every((label) => label >= 0 && label < types));
        assert(found.batches.every((batch) => batch >= 0 && batch < batches));
        assert(found.pseudotime.every((time) => time > 0.75 && time <= 1));
        assert(found.librarySizes.every((size) => size > 0));
        assertEquals([found.labels.length, found.batches.length], [cells, cells]);
        assertEquals([found.pseudotime.length, found.librarySizes.length], [cells, cells]);
        assertEquals([found.geneNames.length, found.typeNames.length], [genes, types]);
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});

Deno.test("simulateCells() gives the same cells for the same seed, on every platform", () => {
  const { counts, labels, expression } = simulateCells({ cells: 4, genes: 6, types: 3, seed: 5 });
  assertEquals([...labels], PINNED.labels);
  assertEquals(counts.toArray(), PINNED.counts);
  assertEquals([...expression.data.slice(0, 6)], PINNED.expression);
});

Deno.test("simulateCells() gives other cells for another seed", () => {
  assertNotEquals(
    simulateCells({ ...small, seed: 1 }).counts.data,
    simulateCells({ ...small, seed: 2 }).counts.data,
  );
});

Deno.test("simulateCells() makes 600 cells of 6 types and 200 genes by default", () => {
  const { counts, labels } = simulateCells();
  assertEquals(counts.shape, [600, 200]);
  const sizes = [0, 1, 2, 3, 4, 5].map((type) => labels.filter((label) => label === type).length);
  assertEquals(sizes, [245, 122, 82, 61, 49, 41]);
});

Deno.test("simulateCells() makes types as common as their weights", () => {
  const { labels } = simulateCells({ cells: 100, types: 3, typeWeights: [1, 8, 1] });
  const sizes = [0, 1, 2].map((type) => labels.filter((label) => label === type).length);
  assertEquals(sizes, [10, 80, 10]);
});

Deno.test("simulateCells() makes the types the leaves of a binary tree", () => {
  const { tree, typeNames } = simulateCells({ ...small, types: 3 });
  assertEquals(tree.names, ["node 0", "node 1", "type 0", "type 1", "type 2"]);
  assertEquals([...tree.parents], [-1, 0, 0, 1, 1]);
  assertEquals(typeNames, ["type 0", "type 1", "type 2"]);
});

Deno.test("simulateCells() makes types that share branches more alike", () => {
  // Of four types, 0 and 1 hang on one node, 2 and 3 on the other.
  const options = { cells: 8, genes: 2000, types: 4, typeWeights: [1, 1, 1, 1], trajectory: 0 };
  const { expression, labels } = simulateCells(options);
  const profiles = [0, 1, 2, 3].map((type) => {
    const cell = labels.indexOf(type);
    return Float64Array.from(expression.data.slice(cell * 2000, (cell + 1) * 2000), Math.log);
  });
  const distance = (a: number, b: number) =>
    sumOf(profiles[a]!.map((x, g) => (x - profiles[b]![g]!) ** 2));
  for (const [a, b] of [[0, 2], [0, 3], [1, 2], [1, 3]] as const) {
    assertGreater(distance(a, b), 1.5 * distance(0, 1));
    assertGreater(distance(a, b), 1.5 * distance(2, 3));
  }
});

Deno.test("simulateCells() gives the derivative of expression as velocity", () => {
  // The same seed and a slightly longer trajectory: every cell a little earlier, else the same.
  const options = { ...small, types: 5, seed: 3 };
  const [a, b] = [0.6, 0.6001].map((trajectory) => simulateCells({ ...options, trajectory }));
  a!.expression.data.forEach((x: number, k: number) => {
    const cell = Math.floor(k / 30);
    const dt = a!.pseudotime[cell]! - b!.pseudotime[cell]!;
    const change = x - b!.expression.data[k]!;
    assertAlmostEquals(change, a!.velocity.data[k]! * dt, 2e-6 * Math.max(1, x));
  });
  assertGreater(a!.velocity.data.filter((v: number) => Math.abs(v) > 0.1).length, 100);
});

Deno.test("simulateCells() without a trajectory leaves all cells at their type, at rest", () => {
  const { velocity, pseudotime, expression, labels } = simulateCells({ ...small, trajectory: 0 });
  assert(velocity.data.every((v) => v === 0));
  assert(pseudotime.every((time) => time === 1));
  const rows = (type: number) => [...labels.keys()].filter((cell) => labels[cell] === type);
  const [first, second] = rows(0).map((cell) => expression.data.slice(30 * cell, 30 * cell + 30));
  assertEquals(first, second);
});

Deno.test("ramp() goes from 0 to 1 along the branches in turn", () => {
  const tree = { names: [], parents: Int32Array.of(-1, 0, 0, 1, 1) };
  // The branch to node 1 takes the first half, that to leaf 3 the second, that to leaf 2 all.
  assertEquals([0, 0.25, 0.5, 1].map((time) => ramp(tree, 1, time).value), [0, 0.5, 1, 1]);
  assertEquals([0, 0.5, 0.75, 1].map((time) => ramp(tree, 3, time).value), [0, 0, 0.5, 1]);
  assertEquals([0, 0.5, 1].map((time) => ramp(tree, 2, time).value), [0, 0.5, 1]);
  assertEquals(ramp(tree, 1, 0.25).derivative, 3);
});

Deno.test("simulateCells() draws counts with the mean and variance of its model", () => {
  // One type at rest and one depth: every cell has the same expected counts.
  const options: SimulateCellsOptions = {
    cells: 4000,
    genes: 40,
    types: 1,
    librarySpread: 0,
    librarySize: 2000,
    dispersion: 0.5,
    dropout: 0,
  };
  const { counts, expression } = simulateCells(options);
  const total = sumOf(expression.data.slice(0, 40));
  const rows = Array.from({ length: 4000 }, (_, i) => i);
  const means = columnMeans(counts.data, 40, rows);
  const squares = columnMeans(Float64Array.from(counts.data, (count) => count ** 2), 40, rows);
  let ratio = 0;
  means.forEach((mean, g) => {
    const mu = 2000 * expression.data[g]! / total;
    const variance = mu + 0.5 * mu * mu;
    assertLess(Math.abs(mean - mu), 4 * Math.sqrt(variance / 4000));
    ratio += (squares[g]! - mean * mean) / variance / 40;
  });
  assertAlmostEquals(ratio, 1, 0.03);
});

Deno.test("simulateCells() without dispersion draws Poisson counts", () => {
  const options = { cells: 4000, genes: 20, types: 1, librarySpread: 0, dispersion: 0, dropout: 0 };
  const { counts } = simulateCells(options);
  const rows = Array.from({ length: 4000 }, (_, i) => i);
  const means = columnMeans(counts.data, 20, rows);
  const squares = columnMeans(Float64Array.from(counts.data, (count) => count ** 2), 20, rows);
  const ratio = means.reduce((sum, mean, g) => sum + (squares[g]! - mean * mean) / mean, 0) / 20;
  assertAlmostEquals(ratio, 1, 0.03);
});

Deno.test("simulateCells() loses as many counts as dropout says", () => {
  const options = { cells: 200, genes: 100, dispersion: 0, librarySize: 1e6, librarySpread: 0 };
  const zeros = (dropout: number) =>
    simulateCells({ ...options, dropout }).counts.data.filter((count) => count === 0).length;
  assertAlmostEquals((zeros(0.3) - zeros(0)) / 20000, 0.3, 0.015);
  assertEquals(zeros(1), 20000);
});

Deno.test("simulateCells() draws log-normal library sizes around librarySize", () => {
  const { librarySizes, counts } = simulateCells({ cells: 2000, genes: 20, dropout: 0 });
  const logs = Array.from(librarySizes, (size) => Math.log(size / 1000)).sort((a, b) => a - b);
  assertAlmostEquals(logs[1000]!, 0, 0.04);
  const mean = logs.reduce((a, b) => a + b, 0) / 2000;
  const spread = Math.sqrt(logs.reduce((a, b) => a + (b - mean) ** 2, 0) / 2000);
  assertAlmostEquals(spread, 0.4, 0.03);
  const expected = librarySizes.reduce((a, b) => a + b, 0);
  assertAlmostEquals(sumOf(counts.data) / expected, 1, 0.03);
});

Deno.test("simulateCells() shifts the genes of every batch but the first", () => {
  const options = { cells: 3000, genes: 30, types: 1, batches: 2, librarySpread: 0, dropout: 0 };
  const shifts = (batchStrength: number) => {
    const { counts, batches } = simulateCells({ ...options, batchStrength, dispersion: 0 });
    const rows = (batch: number) => [...batches.keys()].filter((cell) => batches[cell] === batch);
    assertEquals([rows(0).length, rows(1).length], [1500, 1500]);
    const [a, b] = [0, 1].map((batch) => columnMeans(counts.data, 30, rows(batch)));
    const logs = a!.map((mean, g) => Math.log(b![g]! / mean));
    const center = logs.reduce((x, y) => x + y, 0) / 30;
    return Math.sqrt(logs.reduce((x, y) => x + (y - center) ** 2, 0) / 29);
  };
  assertAlmostEquals(shifts(0.5), 0.5, 0.2);
  assertLess(shifts(0), 0.05);
});

Deno.test("simulateCells() lets batches change the counts only", () => {
  const [one, three] = [1, 3].map((batches) => simulateCells({ ...small, batches }));
  assertEquals(one!.expression.data, three!.expression.data);
  assertEquals(one!.labels, three!.labels);
});

Deno.test("simulateCells() refuses unknown options and bad values", () => {
  assertThrows(
    () => simulateCells({ cell: 3 } as never),
    TypeError,
    "Cannot compute simulateCells as there is no option cell: did you mean cells? The options are " +
      "cells, genes, types, typeWeights, markers, markerStrength, trajectory, batches, batchStrength, " +
      "librarySize, librarySpread, dispersion, dropout, seed",
  );
  assertThrows(
    () => simulateCells({ cells: 0 }),
    RangeError,
    "Cannot compute simulateCells as cells must be a whole number at least 1 and at most " +
      "2147483647: current value is 0",
  );
  assertThrows(
    () => simulateCells({ cells: 1e9, genes: 1e9 }),
    RangeError,
    "Cannot compute simulateCells as a tensor must take at most 4 GiB: current shape is ",
  );
  assertThrows(
    () => simulateCells({ dropout: 1.1 }),
    RangeError,
    "Cannot compute simulateCells as dropout must be a finite number at least 0 and at most 1: " +
      "current value is 1.1",
  );
  assertThrows(
    () => simulateCells({ types: 3, typeWeights: [1, 2] }),
    TypeError,
    "Cannot compute simulateCells as typeWeights must hold one weight for each of the 3 types: " +
      "current length is 2",
  );
  assertThrows(
    () => simulateCells({ types: 2, typeWeights: [1, 0] }),
    RangeError,
    "Cannot compute simulateCells as typeWeights[1] must be a finite number above 0: " +
      "current value is 0",
  );
});

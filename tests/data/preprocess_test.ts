import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { highlyVariableGenes, normalizeTotal, scale } from "../../src/data/preprocess.ts";
import { log1p } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import hvg from "./hvg.json" with { type: "json" };

/** The matrix of make_hvg_fixture.py. */
function fixtureMatrix(): Tensor {
  const rows = Array.from(
    { length: 25 },
    (_, i) =>
      Array.from({ length: 24 }, (_, j) => {
        if (j === 3) return 0;
        if (j === 4) return Math.log1p(2);
        const count = Math.floor((37 * i + 101 * j + 13 * i * j) % 97 / (1 + 5 * (j % 7)));
        return Math.log1p(j === 23 ? 40 * count : count);
      }),
  );
  return tensor(rows, { dtype: "float64" });
}

const matrices = fc.integer({ min: 2, max: 12 }).chain((columns) =>
  fc.array(
    fc.array(fc.integer({ min: 0, max: 50 }), { minLength: columns, maxLength: columns }),
    { minLength: 2, maxLength: 12 },
  )
);

Deno.test("normalizeTotal() gives every cell the same total", () => {
  fc.assert(
    fc.property(matrices, fc.double({ min: 1, max: 1e6, noNaN: true }), (counts, targetSum) => {
      const x = normalizeTotal(counts, { targetSum }).toArray() as number[][];
      x.forEach((row, i) => {
        const total = row.reduce((a, b) => a + b, 0);
        const empty = counts[i]!.every((count) => count === 0);
        assertAlmostEquals(total, empty ? 0 : targetSum, 1e-5 * targetSum);
      });
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("normalizeTotal() gives the values of scanpy's documentation", () => {
  // The example of scanpy.pp.normalize_total, with more digits.
  const counts = [[3, 3, 3, 6, 6], [1, 1, 1, 2, 2], [1, 22, 1, 2, 2]];
  const x = normalizeTotal(counts, { targetSum: 1 }).toArray() as number[][];
  const expected = [
    [1 / 7, 1 / 7, 1 / 7, 2 / 7, 2 / 7],
    [1 / 7, 1 / 7, 1 / 7, 2 / 7, 2 / 7],
    [1 / 28, 22 / 28, 1 / 28, 2 / 28, 2 / 28],
  ];
  x.flat().forEach((value, i) => assertAlmostEquals(value, expected.flat()[i]!, 1e-7));
});

Deno.test("normalizeTotal() totals 10,000 by default and leaves empty cells at zero", () => {
  assertEquals(normalizeTotal([[1, 3], [0, 0]]).toArray(), [[2500, 7500], [0, 0]]);
});

/**
 * Made by `/usr/bin/python3` (NumPy 1.24) with the statements of scanpy.pp.normalize_total:
 *
 *     x = np.array([[3, 3, 3, 6, 6], [0, 0, 0, 0, 0], [1, 22, 1, 2, 2], [1, 1, 1, 2, 2]], float)
 *     totals = x.sum(1); median = np.median(totals[totals > 0])
 *     factor = totals / median; factor[factor == 0] = 1; x / factor[:, None]
 */
const MEDIAN = [
  [3, 3, 3, 6, 6],
  [0, 0, 0, 0, 0],
  [0.75, 16.5, 0.75, 1.5, 1.5],
  [3, 3, 3, 6, 6],
];

Deno.test('normalizeTotal() with target "median" gives scanpy\'s values, empty cells left out', () => {
  const counts = [[3, 3, 3, 6, 6], [0, 0, 0, 0, 0], [1, 22, 1, 2, 2], [1, 1, 1, 2, 2]];
  assertEquals(normalizeTotal(counts, { target: "median" }).toArray(), MEDIAN);
});

Deno.test('normalizeTotal() with target "median" is targetSum with the median of the cells with counts', () => {
  fc.assert(
    fc.property(matrices, (counts) => {
      const totals = counts.map((row) => row.reduce((a, b) => a + b)).filter((total) => total > 0);
      const { length } = totals;
      if (length === 0) {
        assertEquals(normalizeTotal(counts, { target: "median" }).toArray(), counts);
        return;
      }
      // As many totals are at least the middle ones as are at most these.
      const [low, high] = [Math.floor((length - 1) / 2), Math.floor(length / 2)]
        .map((rank) =>
          totals.find((t) =>
            totals.filter((s) => s < t).length <= rank &&
            totals.filter((s) => s <= t).length > rank
          )!
        );
      assertEquals(
        normalizeTotal(counts, { target: "median" }).toArray(),
        normalizeTotal(counts, { targetSum: (low! + high!) / 2 }).toArray(),
      );
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test('normalizeTotal() with target "median" keeps cells of the median total as they are', () => {
  assertEquals(normalizeTotal([[1, 2], [4, 8], [3, 3]], { target: "median" }).toArray(), [
    [2, 4],
    [2, 4],
    [3, 3],
  ]);
});

Deno.test('normalizeTotal() with target "median" leaves cells at zero where none has counts', () => {
  assertEquals(normalizeTotal([[0, 0], [0, 0]], { target: "median" }).toArray(), [[0, 0], [0, 0]]);
});

Deno.test("normalizeTotal() keeps float64 and makes float32 of integers", () => {
  assertEquals(normalizeTotal(tensor([[1, 1]], { dtype: "float64" })).dtype, "float64");
  assertEquals(normalizeTotal(tensor([[1, 1]], { dtype: "int32" })).dtype, "float32");
});

Deno.test("normalizeTotal() takes a number as target for the same as targetSum", () =>
  fc.assert(
    fc.property(matrices, fc.double({ min: 1, max: 1e6, noNaN: true }), (counts, target) => {
      const x = normalizeTotal(counts, { target });
      assertEquals(x, normalizeTotal(counts, { targetSum: target }));
    }),
    { seed: 1, numRuns: 50 },
  ));

Deno.test("scale() refuses statistics that no cells have", () => {
  for (
    const [mean, standardDeviation, message] of [
      [[0, NaN], [1, 1], "mean[1] must be a finite number: current value is NaN"],
      [[Infinity, 0], [1, 1], "mean[0] must be a finite number: current value is Infinity"],
      [[0, 0], [-1, 1], "standardDeviation[0] must be a finite number at least 0: current value"],
      [[0, 0], [1, NaN], "standardDeviation[1] must be a finite number: current value is NaN"],
    ] as const
  ) {
    const error = assertThrows(() => scale([[1, 2]], { mean, standardDeviation })) as Error;
    assertEquals(error.message.startsWith(`Cannot compute scale as ${message}`), true);
  }
  const flat = scale([[1, 2]], { mean: [1, 1], standardDeviation: [0, 1] });
  assertEquals(flat.values.toArray(), [[0, 1]]);
});

Deno.test("normalizeTotal() refuses scaled expression, vectors and bad targets", () => {
  assertThrows(
    () => normalizeTotal([[1, 2], [3, -0.5]]),
    RangeError,
    "Cannot compute normalizeTotal as counts must be finite and not negative " +
      "(is this scaled expression?): current value in cell 1, gene 1 is -0.5",
  );
  assertThrows(
    () => normalizeTotal([1, 2]),
    TypeError,
    "Cannot compute normalizeTotal as counts must be a matrix (cells, genes): " +
      "current shape is [2]",
  );
  assertThrows(
    () => normalizeTotal([[1, 2]], { targetSum: 0 }),
    RangeError,
    "Cannot compute normalizeTotal as targetSum must be a finite number above 0: " +
      "current value is 0",
  );
  assertThrows(
    () => normalizeTotal([[1, 2]], { target: "mean" as never }),
    TypeError,
    'Cannot compute normalizeTotal as target must be "median" or a number above 0: ' +
      'current value is "mean"',
  );
  assertThrows(
    () => normalizeTotal([[1, 2]], { target: 0 }),
    RangeError,
    "Cannot compute normalizeTotal as target must be a finite number above 0: current value is 0",
  );
  assertThrows(
    () => normalizeTotal([[1, 2]], { targetSum: 100, target: "median" }),
    TypeError,
    "Cannot compute normalizeTotal as targetSum and target must not be given together: " +
      "current values are 100 and median",
  );
  assertThrows(
    () => normalizeTotal([[1, NaN]], { target: "median" }),
    RangeError,
    "Cannot compute normalizeTotal as counts must be finite and not negative " +
      "(is this scaled expression?): current value in cell 0, gene 1 is NaN",
  );
});

Deno.test("highlyVariableGenes() gives what scanpy's Seurat flavour gives", () => {
  const found = highlyVariableGenes(fixtureMatrix(), { top: 6, bins: 5 });
  for (const name of ["means", "dispersions", "dispersionsNorm"] as const) {
    hvg[name].forEach((expected, j) => {
      const actual = found[name][j]!;
      if (expected === null) assert(Number.isNaN(actual), `${name} of gene ${j} is ${actual}`);
      else assertAlmostEquals(actual, expected, 1e-10, `${name} of gene ${j}`);
    });
  }
  assertEquals([...found.indices], hvg.indices);
});

Deno.test("highlyVariableGenes() scores the only gene of a bin 1", () => {
  const { dispersionsNorm } = highlyVariableGenes(fixtureMatrix(), { bins: 5 });
  assertEquals(dispersionsNorm[23], 1);
});

Deno.test("highlyVariableGenes() never chooses genes that do not vary", () => {
  const { indices } = highlyVariableGenes(fixtureMatrix(), { top: 2000 });
  assertEquals(indices.length, 22);
  assert(!indices.includes(3) && !indices.includes(4));
});

Deno.test("highlyVariableGenes() chooses exactly as many genes as asked for, those of top score", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 22 }), fc.integer({ min: 1, max: 8 }), (top, bins) => {
      const { indices, dispersionsNorm } = highlyVariableGenes(fixtureMatrix(), { top, bins });
      const scores = dispersionsNorm.filter((score) => !Number.isNaN(score)).sort().reverse();
      assertEquals(indices.length, Math.min(top, scores.length));
      const chosen = Float64Array.from(indices, (j) => dispersionsNorm[j]!).sort().reverse();
      assertEquals(chosen, scores.slice(0, indices.length));
      assertEquals(indices, indices.slice().sort());
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("highlyVariableGenes() puts genes of one mean into one bin", () => {
  const x = [[0, 3, 1], [3, 0, 2]].map((row) => row.map(Math.log1p));
  assertEquals(highlyVariableGenes(tensor(x, { dtype: "float64" }), { top: 2 }).indices.length, 2);
});

Deno.test("highlyVariableGenes() refuses bad options and values", () => {
  assertThrows(
    () => highlyVariableGenes([[1, 2], [3, 4]], { top: 0 }),
    RangeError,
    "Cannot compute highlyVariableGenes as top must be a whole number at least 1: " +
      "current value is 0",
  );
  assertThrows(
    () => highlyVariableGenes([[1, 2], [3, 4]], { bins: 2.5 }),
    RangeError,
    "Cannot compute highlyVariableGenes as bins must be a whole number at least 1 and at most 65536: " +
      "current value is 2.5",
  );
  assertThrows(
    () => highlyVariableGenes([[1, 2]]),
    RangeError,
    "Cannot compute highlyVariableGenes as x must have at least two cells: current number is 1",
  );
  assertThrows(
    () => highlyVariableGenes([[1, NaN], [3, 4]]),
    RangeError,
    "Cannot compute highlyVariableGenes as x must be finite and not negative " +
      "(is this scaled expression?): current value in cell 0, gene 1 is NaN",
  );
});

Deno.test("highlyVariableGenes() refuses what is no logarithm, whatever the counts", () => {
  const message = (x: number[][]) => assertThrows(() => highlyVariableGenes(x), RangeError).message;
  const reason =
    "Cannot compute highlyVariableGenes as x must be logarithms of normalised counts: " +
    "take log1p first; current value in ";
  assertEquals(message([[1, 5, 800], [3, 2, 1]]), `${reason}cell 0, gene 2 is 800`);
  assertEquals(message([[0.5, 5], [3, 20.5]]), `${reason}cell 1, gene 1 is 20.5`);
  assertEquals(
    message([[1, 0], [1, 3]]),
    `${reason}cell 1, gene 1 is 3, and all are whole numbers`,
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(2000), { minLength: 3, maxLength: 3 }), { minLength: 2 }),
      (counts) => {
        if (counts.flat().some((count) => count > 1)) {
          assertEquals(message(counts).slice(0, reason.length), reason);
        }
        const logarithms = log1p(normalizeTotal(counts));
        assertEquals(highlyVariableGenes(logarithms).means.length, 3);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("scale() gives every gene mean 0 and standard deviation 1", () => {
  fc.assert(
    fc.property(matrices, (x) => {
      const { values } = scale(tensor(x, { dtype: "float64" }));
      const rows = values.toArray() as number[][];
      for (let j = 0; j < rows[0]!.length; j++) {
        const column = rows.map((row) => row[j]!);
        const constant = x.every((row) => row[j] === x[0]![j]);
        const squares = column.reduce((a, b) => a + b * b, 0) / (column.length - 1);
        assertLess(Math.abs(column.reduce((a, b) => a + b, 0)), 1e-9);
        assertAlmostEquals(squares, constant ? 0 : 1, 1e-9);
      }
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("scale() gives hand-computed z-scores and statistics", () => {
  const { values, mean, standardDeviation } = scale([[1, 10], [2, 10], [3, 10]]);
  assertEquals(values.toArray(), [[-1, 0], [0, 0], [1, 0]]);
  assertEquals([...mean], [2, 10]);
  assertEquals([...standardDeviation], [1, 0]);
});

Deno.test("scale() keeps a constant gene at exactly 0 for any float32 value", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const { values } = scale(new Array(7).fill([value]));
      assert(values.data.every((z) => z === 0));
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("scale() clips at maxValue on both sides", () => {
  const x = [[0], [0], [0], [0], [100]];
  assertEquals(scale(x, { maxValue: 0.4 }).values.toArray(), [
    [Math.fround(-0.4)],
    [Math.fround(-0.4)],
    [Math.fround(-0.4)],
    [Math.fround(-0.4)],
    [Math.fround(0.4)],
  ]);
});

Deno.test("scale() applies the statistics of other cells", () => {
  const { mean, standardDeviation } = scale([[1, 5], [3, 5]]);
  const heldOut = scale([[2, 6], [4, 5]], { mean, standardDeviation });
  assertEquals([...heldOut.values.data].map((z) => z.toFixed(6)), [
    "0.000000",
    "1.000000",
    (2 / Math.SQRT2).toFixed(6),
    "0.000000",
  ]);
  assertEquals(heldOut.mean, mean);
});

Deno.test("scale() scales a single cell by given statistics only", () => {
  assertEquals(scale([[3]], { mean: [1], standardDeviation: [2] }).values.toArray(), [[1]]);
  assertThrows(
    () => scale([[3]]),
    RangeError,
    "Cannot compute scale as x must have at least two cells: current number is 1",
  );
});

Deno.test("scale() refuses incomplete statistics and a bad maxValue", () => {
  assertThrows(
    () => scale([[1, 2]], { mean: [1, 2] }),
    TypeError,
    "Cannot compute scale as mean and standardDeviation must be given together, with one value " +
      "for each of the 2 genes: current lengths are 2 and none",
  );
  assertThrows(
    () => scale([[1, 2], [3, 4]], { maxValue: 0 }),
    RangeError,
    "Cannot compute scale as maxValue must be a finite number above 0: current value is 0",
  );
});

Deno.test("preprocessing names its options when given another one", () => {
  assertThrows(
    () => scale([[1], [2]], { max: 10 } as never),
    TypeError,
    "Cannot compute scale as there is no option max: did you mean maxValue? " +
      "The options are maxValue, zeroCenter, mean, standardDeviation",
  );
});

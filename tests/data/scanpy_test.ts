/** Preprocessing beside the formulas of scanpy, of dense and of sparse matrices. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  highlyVariableGenes,
  type HighlyVariableGenesOptions,
  normalizeTotal,
  pearsonResiduals,
  scale,
  sparse,
} from "../../src/data/mod.ts";
import { SparseMatrix } from "../../src/data/sparse.ts";
import { log1p } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import fixture from "./preprocess.json" with { type: "json" };

const COUNTS = tensor(fixture.counts, { dtype: "float64" });

/** The matrix as a tensor, and in both sparse formats. */
const forms = (x: Tensor) => [x, sparse(x), sparse(x, { format: "csc" })] as const;

const logarithms = (x: Tensor) => log1p(normalizeTotal(x));

const logged = (x: Tensor | SparseMatrix) =>
  x instanceof SparseMatrix ? normalizeTotal(x).map(log1p) : logarithms(x);

function assertClose(actual: ArrayLike<number>, expected: (number | null)[], what: string): void {
  assertEquals(actual.length, expected.length);
  expected.forEach((value, i) => {
    if (value === null) assert(Number.isNaN(actual[i]!), `${what} ${i} is ${actual[i]}`);
    else assertAlmostEquals(actual[i]!, value, 1e-9 * Math.max(1, Math.abs(value)), `${what} ${i}`);
  });
}

for (const { options, indices, ...statistics } of fixture.highlyVariableGenes) {
  const { batchKey, ...others } = options as { flavor: string; batchKey?: number[] };
  const title = `${JSON.stringify(others)}${batchKey === undefined ? "" : " within batches"}`;
  Deno.test(`highlyVariableGenes() with ${title} gives what scanpy gives`, () => {
    for (const counts of forms(COUNTS)) {
      const x = others.flavor === "seurat_v3" ? counts : logged(counts);
      const found = highlyVariableGenes(x, options as HighlyVariableGenesOptions);
      for (const [name, expected] of Object.entries(statistics)) {
        const actual = found[name as "means"];
        assertClose(actual, expected as (number | null)[], name);
      }
      assertEquals([...found.indices], indices);
    }
  });
}

Deno.test("highlyVariableGenes() takes names of batches, in any order", () => {
  const x = logged(COUNTS);
  const numbers = fixture.counts.map((_, i) => i % 3);
  const names = numbers.map((i) => ["b", "c", "a"][i]!);
  const [found, named] = [numbers, names].map((batchKey) =>
    highlyVariableGenes(x, { top: 9, batchKey })
  );
  assertEquals(found!.indices, named!.indices);
  assertEquals(found!.nBatches, named!.nBatches);
  assertClose(named!.dispersionsNorm, [...found!.dispersionsNorm], "score");
});

Deno.test("highlyVariableGenes() of one batch scores as without batches", () => {
  const expressed = tensor(fixture.counts.map((row) => row.filter((_, j) => j !== 3)), {
    dtype: "float64",
  });
  for (const flavor of ["seurat", "cell_ranger"] as const) {
    const alone = highlyVariableGenes(logged(expressed), { flavor });
    const batchKey = new Array(expressed.shape[0]).fill(4);
    const one = highlyVariableGenes(logged(expressed), { flavor, batchKey });
    assertEquals(one.indices, alone.indices);
    assertEquals(one.means, alone.means);
    assertEquals([...one.nBatches!.keys()].filter((j) => one.nBatches![j] === 1), [
      ...alone.indices,
    ]);
  }
});

for (const { options, values } of fixture.pearsonResiduals) {
  Deno.test(`pearsonResiduals() with ${JSON.stringify(options)} gives what scanpy gives`, () => {
    for (const counts of forms(COUNTS)) {
      const rows = pearsonResiduals(counts, options).toArray() as number[][];
      values.forEach((row, i) => assertClose(rows[i]!, row, `row ${i}, gene`));
    }
  });
}

Deno.test("pearsonResiduals() of a Poisson model, without limits, and of nothing", () => {
  const [[a]] = pearsonResiduals([[9, 1], [1, 9]], { theta: Infinity, clip: Infinity })
    .toArray() as [[number]];
  assertAlmostEquals(a, 4 / Math.sqrt(5), 1e-6);
  assert(pearsonResiduals([[9, 1], [1, 9]], { clip: 0 }).data.every((value) => value === 0));
  assertEquals(pearsonResiduals([[0, 0], [0, 0]]).toArray(), [[0, 0], [0, 0]]);
  const [, empty] = pearsonResiduals([[3, 0], [0, 0], [2, 0]]).toArray() as number[][];
  assertEquals(empty, [0, 0]);
  assertEquals(pearsonResiduals(COUNTS).dtype, "float64");
  assertEquals(pearsonResiduals(fixture.counts).dtype, "float32");
});

for (const { options, values } of fixture.scale) {
  Deno.test(`scale() with ${JSON.stringify(options)} gives what scanpy gives`, () => {
    for (const counts of forms(COUNTS)) {
      const { values: found } = scale(logged(counts), options);
      const isSparse = counts instanceof SparseMatrix && !options.zeroCenter;
      assertEquals(found instanceof SparseMatrix, isSparse);
      const dense = found instanceof SparseMatrix ? (found as SparseMatrix).toDense() : found;
      const rows = dense.toArray() as number[][];
      values.forEach((row, i) => assertClose(rows[i]!, row, `row ${i}, gene`));
    }
  });
}

Deno.test("preprocessing keeps the format of a sparse matrix, and its zeros", () => {
  for (const format of ["csr", "csc"] as const) {
    const x = sparse(COUNTS, { format });
    const y = normalizeTotal(x, { target: "median" });
    assertEquals([y.format, y.nnz], [format, x.nnz]);
    assertClose(y.toDense().data, [...normalizeTotal(COUNTS, { target: "median" }).data], "value");
    assertEquals(scale(y, { zeroCenter: false }).values.format, format);
  }
  assertEquals(normalizeTotal(sparse(tensor([[1, 1]], { dtype: "int32" }))).dtype, "float32");
});

Deno.test("scale() of a sparse matrix gives the statistics of the dense one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: -3, max: 9 }), { minLength: 4, maxLength: 4 }), {
        minLength: 2,
        maxLength: 9,
      }),
      (rows) => {
        const x = tensor(rows, { dtype: "float64" });
        const [dense, held] = [scale(x), scale(sparse(x))];
        assertClose(held.mean, [...dense.mean], "mean");
        assertClose(held.standardDeviation, [...dense.standardDeviation], "deviation");
        assertClose(held.values.data, [...dense.values.data], "value");
        const { mean, standardDeviation } = dense;
        const given = { mean, standardDeviation, maxValue: 1 };
        assertEquals(scale(sparse(x), given).values.data, scale(x, given).values.data);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
  const constant = scale(sparse([[0.1], [0.1], [0.1]]));
  assertEquals([...constant.standardDeviation, ...constant.values.data], [0, 0, 0, 0]);
});

Deno.test("preprocessing names the cell and gene of a wrong entry of a sparse matrix", () => {
  const x = sparse([[0, 0, 1], [0, 0, 0], [2, 0, -0.5]]);
  for (const matrix of [x, x.asFormat("csc")]) {
    assertThrows(() => normalizeTotal(matrix), RangeError, "cell 2, gene 2 is -0.5");
  }
  assertThrows(
    () => pearsonResiduals(sparse([[0, 1.5], [2, 0]])),
    RangeError,
    "Cannot compute pearsonResiduals as counts must be counts, not normalised ones: current value " +
      "in cell 0, gene 1 is 1.5; check: false takes it as it is",
  );
  assertEquals(pearsonResiduals([[1.5, 1.5], [1, 1]], { check: false }).data[0], 0);
  assertThrows(() => pearsonResiduals([[-1]], { check: false }), RangeError, "is -1");
  assertThrows(
    () => highlyVariableGenes(COUNTS),
    RangeError,
    "x must be logarithms of normalised counts: take log1p first",
  );
});

Deno.test("highlyVariableGenes() refuses options that contradict each other", () => {
  const x = logarithms(COUNTS);
  const message = (options: object, of: Tensor = x) =>
    assertThrows(() => highlyVariableGenes(of, options as HighlyVariableGenesOptions)).message;
  const about = "Cannot compute highlyVariableGenes as ";
  assertEquals(
    message({ top: 3, maxMean: 2 }),
    `${about}top and maxMean must not be given together: current values are 3 and 2`,
  );
  assertEquals(
    message({ flavor: "cell_ranger", bins: 3 }),
    `${about}bins must not be given for flavor cell_ranger, whose bins are cut at percentiles: ` +
      "current value is 3",
  );
  assertEquals(
    message({ flavor: "seurat4" }),
    `${about}flavor must be one of seurat, cell_ranger, seurat_v3: current value is seurat4`,
  );
  assertEquals(
    message({ minMean: NaN }),
    `${about}minMean must be a number: current value is NaN`,
  );
  assertEquals(
    message({ batchKey: [0, 1] }),
    `${about}batchKey must name the batch of each of the 60 cells: current length is 2`,
  );
  assertEquals(
    message({ batchKey: fixture.counts.map((_, i) => i === 7 ? "b" : "a") }),
    `${about}every batch must have at least two cells: the batch of cell 7 has no other`,
  );
  assertEquals(
    message({ batchKey: fixture.counts.map((_, i) => i - 1) }),
    `${about}batchKey must be at least 0: current value at position 0 is -1`,
  );
  assertEquals(
    message({ flavor: "seurat_v3", bins: 3 }),
    `${about}there is no option bins: the options are flavor, top, batchKey, span, check`,
  );
  assertEquals(
    message({ flavor: "seurat_v3" }).slice(0, 88),
    `${about}x must be counts, not normalised ones: current value in ce`.slice(0, 88),
  );
  assertEquals(
    message({ flavor: "seurat_v3", span: 0.01 }, COUNTS),
    `${about}there are too few genes that vary, or too many of one mean, for a regression within 0 ` +
      "of 78 genes: raise span; current value is 0.01",
  );
  assertThrows(
    () => highlyVariableGenes([[1, 2], [2, 4]], { flavor: "seurat_v3", span: 2 }),
    RangeError,
    "span must be a finite number above 0 and at most 1: current value is 2",
  );
});

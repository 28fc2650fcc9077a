import {
  grad,
  log,
  oneHot,
  pairwiseSquaredDistance,
  softmax,
  type Tensor,
  tensor,
  where,
} from "@cellgrad/cellgrad";
import { batchMixingLoss, type BatchMixingOptions } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertAlmostEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/batch_mixing.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { cellCases, f64, i32, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const SELECTIONS = ["topk", "soft"] as const;

/** The 24 cells of a golden case. */
const example = golden.cases.find(({ id }) => id === "topk1")!.inputs;
const cells24 = tensor(example.embeddings.data, { shape: [24, 5], dtype: "float64" });
const labels24 = i32(example.batch_labels.data);

Deno.test("batchMixingLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ embeddings, batch_labels }, p) =>
      batchMixingLoss(embeddings, batch_labels, {
        nNeighbors: p.n_neighbors,
        nBatches: p.n_batches,
        temperature: p.temperature,
        selection: p.selection,
      }),
  );
});

Deno.test("batchMixingLoss() takes the 15 nearest of 3 batches at temperature 1 by default", () => {
  const options = { nNeighbors: 15, nBatches: 3, temperature: 1, selection: "topk" } as const;
  assertSame(batchMixingLoss(cells24, labels24), batchMixingLoss(cells24, labels24, options));
});

function atNeighbors(selection: "topk" | "soft", nNeighbors: number): number {
  return batchMixingLoss(cells24, labels24, { selection, nNeighbors }).item();
}

Deno.test("batchMixingLoss() depends on the number of neighbours with topk", () => {
  const expected = [[1, 0], [3, -0.42514], [5, -0.52276], [15, -0.57942], [23, -0.57964]] as const;
  for (const [k, value] of expected) assertAlmostEquals(atNeighbors("topk", k), value, 1e-5);
});

Deno.test("batchMixingLoss() does not depend on the number of neighbours with soft", () => {
  for (const k of [1, 3, 5, 15, 23]) {
    assertAlmostEquals(atNeighbors("soft", k), -0.5796443974257, 1e-12);
  }
});

Deno.test("batchMixingLoss() weighs neighbours by a softmax over all other cells", () => {
  const options = { nNeighbors: 1, nBatches: 2, temperature: 1e12 };
  const loss = batchMixingLoss(f64([[0], [1], [2], [3]]), [0, 1, 0, 1], options).item();
  // All weights are 1/3 here. One of them is rescaled to 1 but for the original's 1e-8.
  const share = (1 / 3) / (1 / 3 + 1e-8);
  assertAlmostEquals(loss, share * Math.log(share + 1e-8) / Math.LN2, 1e-12);
});

Deno.test("batchMixingLoss() never counts a cell as its own neighbour", () => {
  for (const nNeighbors of [2, 3]) {
    const loss = (cells: number[][]) =>
      batchMixingLoss(cells, [0, 1, 1, 1], { nNeighbors, nBatches: 2 }).item();
    // On one spot, cell 0 has neighbours of batch 1 only; the others have one of batch 0.
    const [p, q] = [1 / nNeighbors, 1 - 1 / nNeighbors];
    const entropy = -(p * Math.log2(p) + q * Math.log2(q));
    assertAlmostEquals(loss([[5], [5], [5], [5]]), -3 / 4 * entropy, 1e-6);
    // So far away that 1 more makes no difference in float32, and that no other batch counts.
    assertAlmostEquals(loss([[0], [1e5], [1e5], [1e5]]), 0, 1e-6);
  }
});

Deno.test("batchMixingLoss() takes all other cells where there are fewer than nNeighbors", () => {
  fc.assert(
    fc.property(cellCases(2), gridNumbers(0.1, 9), ({ cells, labels }, temperature) => {
      const n = cells.shape[0]!;
      const self = oneHot([...cells.data.keys()].slice(0, n), n);
      const distances = where(self, Infinity, pairwiseSquaredDistance(cells));
      const shares = softmax(distances.neg().div(temperature))
        .matmul(oneHot(labels, 3, { dtype: "float64" }));
      const entropy = shares.mul(log(shares.maximum(1e-300))).sum({ axis: 1 }).mean();
      const loss = batchMixingLoss(cells, labels, { nNeighbors: 99, temperature });
      assertAllClose(loss, entropy.div(Math.log(3)), { atol: 1e-6 });
    }),
    RUNS,
  );
});

Deno.test("batchMixingLoss() is about 0 for a single neighbour", () => {
  fc.assert(
    fc.property(cellCases(2), ({ cells, labels }) => {
      assertAlmostEquals(batchMixingLoss(cells, labels, { nNeighbors: 1 }).item(), 0, 1e-6);
    }),
    RUNS,
  );
});

Deno.test("batchMixingLoss() chooses the first of equally near neighbours", () => {
  const cells = f64([[0], [1], [-1], [1]]);
  const loss = batchMixingLoss(cells, [0, 1, 1, 2], { nNeighbors: 2, temperature: 1e9 });
  assertAllClose(loss, -0.75 * Math.log(2) / Math.log(3));
});

const mean = (x: number[]) => x.reduce((a, b) => a + b, 0) / x.length;
const logistic = (x: number) => 1 / (1 + Math.exp(-x));

function softmaxOf(x: number[]): number[] {
  const powers = x.map((value) => Math.exp(value - Math.max(...x)));
  return powers.map((power) => power / (mean(powers) * x.length));
}

/** What DiffBio computes today, cell by cell. */
function softReference(cells: Tensor, labels: Tensor, k: number, temperature: number): number {
  const [n, count] = [cells.shape[0]!, 3];
  const squared = pairwiseSquaredDistance(cells).toArray() as number[][];
  return -mean(squared.map((row, i) => {
    const d = row.map((value, j) => value + (i === j ? 1e10 : 0));
    const deviation = Math.sqrt(mean(d.map((value) => (value - mean(d)) ** 2)) + 1e-6);
    const z = d.map((value) => logistic((value - mean(d)) / deviation));
    const a = z.map((own) =>
      mean(z.map((other) => (other - own) * (2 * logistic((other - own) / temperature) - 1))) * n
    );
    const chosen = softmaxOf(z.map((value, j) => -((n + 1 - 2 * k) * value + a[j]!) / temperature));
    const limit = d.reduce((sum, value, j) => sum + value * chosen[j]!, 0);
    const weights = softmaxOf(d.map((value) => -value / temperature))
      .map((w, j) => w * (1 - logistic((d[j]! - limit + 1e-10) / temperature)));
    const total = weights.reduce((x, y) => x + y, 0) + 1e-8;
    const shares = new Array<number>(count).fill(0);
    weights.forEach((w, j) => shares[labels.data[j]!]! += w / total);
    return shares.reduce((sum, p) => sum - p * Math.log(p + 1e-8), 0);
  })) / (Math.log(count) + 1e-8);
}

Deno.test("batchMixingLoss() with soft is what the original computes, at all scales", () => {
  for (const scale of [0.05, 0.2, 1]) {
    for (const temperature of [0.02, 0.1, 1]) {
      for (const nNeighbors of [2, 12, 23]) {
        const cells = cells24.mul(scale);
        const options = { nNeighbors, temperature, selection: "soft" } as const;
        const expected = softReference(cells, labels24, nNeighbors, temperature);
        assertAlmostEquals(batchMixingLoss(cells, labels24, options).item(), expected, 1e-9);
      }
    }
  }
});

for (const selection of SELECTIONS) {
  const name = `batchMixingLoss() with ${selection}`;
  const loss = (cells: Tensor, labels: Tensor, options: BatchMixingOptions = {}) =>
    batchMixingLoss(cells, labels, { nNeighbors: 2, selection, ...options });

  Deno.test(`${name} lies in [−1, 0] but for rounding`, () => {
    fc.assert(
      fc.property(cellCases(), ({ cells, labels }) => {
        const value = loss(cells, labels).item();
        assert(value >= -1 - 1e-7 && value <= 1e-7);
      }),
      RUNS,
    );
  });

  Deno.test(`${name} is invariant to translation, rotation and the order of cells`, () => {
    fc.assert(
      fc.property(cellCases(), gridNumbers(-9, 9), ({ cells, labels, order, rotation }, shift) => {
        const moved = reorder(cells, order).matmul(rotation).add(shift);
        assertAllClose(loss(moved, reorder(labels, order)), loss(cells, labels));
      }),
      RUNS,
    );
  });

  Deno.test(`${name} does not depend on the names of the batches`, () => {
    fc.assert(
      fc.property(cellCases(), ({ cells, labels }) => {
        assertSame(loss(cells, i32([2, 0, 1]).gather(labels)), loss(cells, labels));
      }),
      RUNS,
    );
  });

  Deno.test(`${name} is about 0 where only one batch is present`, () => {
    assertAlmostEquals(loss(f64([[0], [1], [3]]), i32([1, 1, 1])).item(), 0, 1e-7);
  });

  Deno.test(`${name} is 0 with gradient 0 for a single cell, and for a single batch`, () => {
    const [one, three] = [f64([[1, 2]]), f64([[1, 2], [3, 4], [6, 7]])];
    const single = (x: Tensor) => loss(x, i32([0]));
    const whole = (x: Tensor) => loss(x, i32([0, 0, 0]), { nBatches: 1 });
    assertSame(single(one), 0);
    assertSame(whole(three), 0);
    assertAllZero(grad(single)(one));
    assertAllZero(grad(whole)(three));
  });

  Deno.test(`${name} is lower where batches are mixed`, () => {
    const cells = f64([[0], [0.1], [5], [5.1]]);
    const options = { nNeighbors: 3, nBatches: 2, temperature: 100 };
    const mixed = loss(cells, i32([0, 1, 0, 1]), options).item();
    assertLess(mixed, loss(cells, i32([0, 0, 0, 1]), options).item());
  });

  Deno.test(`${name} is finite for extreme cells`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      const cells = f64([[1e4, -1e4], [0, 0], [0, 0], [-1e4, 1e4], [1e-30, 0]]).cast(dtype);
      for (const temperature of [1e-6, 1, 1e6]) {
        assertFinite((x) => loss(x, i32([0, 1, 2, 0, 1]), { temperature }), [cells]);
      }
    }
  });

  Deno.test(`${name} is finite where all cells are the same`, () => {
    assertFinite((x) => loss(x, i32([0, 1, 2, 0])), [f64([[3, 4], [3, 4], [3, 4], [3, 4]])]);
  });
}

Deno.test("batchMixingLoss() with topk depends only on distance over temperature", () => {
  fc.assert(
    fc.property(cellCases(2), fc.constantFrom(1e-6, 10, 1e7), ({ cells, labels }, scale) => {
      const scaled = batchMixingLoss(cells.mul(scale), labels, {
        nNeighbors: 2,
        temperature: scale ** 2,
      });
      assertAllClose(scaled, batchMixingLoss(cells, labels, { nNeighbors: 2 }), { rtol: 1e-9 });
    }),
    RUNS,
  );
});

Deno.test("batchMixingLoss() keeps its digits far from the origin in float32", () => {
  const cells = f64([[0, 0], [1, 0], [0, 2], [1, 2]]).cast("float32");
  const labels = [0, 1, 2, 0];
  assertAllClose(batchMixingLoss(cells.add(4096), labels), batchMixingLoss(cells, labels));
});

Deno.test("batchMixingLoss() has right gradients of first and second order with topk", () => {
  fc.assert(
    fc.property(cellCases(2), ({ cells, labels }) => {
      const loss = (x: Tensor) => batchMixingLoss(x, labels, { temperature: 3 });
      checkGradients(loss, [cells], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("batchMixingLoss() has right gradients where neighbours are left out", () => {
  const [cells, labels] = [cells24.slice(0, 8), labels24.slice(0, 8)];
  checkGradients((x) => batchMixingLoss(x, labels, { nNeighbors: 3 }), [cells], { order: 2 });
});

Deno.test("batchMixingLoss() has right gradients with soft", () => {
  const [cells, labels] = [cells24.slice(0, 6), labels24.slice(0, 6)];
  checkGradients((x) => batchMixingLoss(x, labels, { selection: "soft" }), [cells]);
});

testMisuse("batchMixingLoss", [
  [
    "another number of labels",
    () => batchMixingLoss([[1], [2]], [0]),
    TypeError,
    "Cannot compute batchMixingLoss as embeddings and batchLabels must have the same number of " +
    "cells: current values are 2 and 1",
  ],
  [
    "embeddings that are no matrix",
    () => batchMixingLoss([1], [0]),
    TypeError,
    "Cannot compute batchMixingLoss as embeddings must have the shape [cells, features]: " +
    "current shape is [1]",
  ],
  [
    "labels that are not whole",
    () => batchMixingLoss([[1]], [0.5]),
    TypeError,
    "Cannot compute batchMixingLoss as batchLabels must be whole numbers (int32): " +
    "current value at position 0 is 0.5",
  ],
  [
    "more batches than nBatches",
    () => batchMixingLoss([[1], [2]], [0, 3]),
    RangeError,
    "Cannot compute batchMixingLoss as batchLabels must be in [0, 2]: current value at position 1 " +
    "is 3; set nBatches to the number of batches",
  ],
  [
    "a negative label",
    () => batchMixingLoss([[1]], [-1]),
    RangeError,
    "Cannot compute batchMixingLoss as batchLabels must be in [0, 2]: current value at position 0 " +
    "is -1; set nBatches to the number of batches",
  ],
  [
    "no neighbours",
    () => batchMixingLoss([[1]], [0], { nNeighbors: 0 }),
    RangeError,
    "Cannot compute batchMixingLoss as nNeighbors must be a whole number at least 1: " +
    "current value is 0",
  ],
  [
    "no batches",
    () => batchMixingLoss([[1]], [0], { nBatches: 0 }),
    RangeError,
    "Cannot compute batchMixingLoss as nBatches must be a whole number at least 1: " +
    "current value is 0",
  ],
  [
    "a negative temperature",
    () => batchMixingLoss([[1]], [0], { temperature: -1 }),
    RangeError,
    "Cannot compute batchMixingLoss as temperature must be a finite number above 0: " +
    "current value is -1",
  ],
  [
    "an unknown selection",
    () => batchMixingLoss([[1]], [0], { selection: "hard" as never }),
    TypeError,
    "Cannot compute batchMixingLoss as selection must be one of topk, soft: current value is hard",
  ],
  [
    "an unknown option",
    () => batchMixingLoss([[1]], [0], { k: 1 } as never),
    TypeError,
    "Cannot compute batchMixingLoss as there is no option k: did you mean nNeighbors? " +
    "The options are nNeighbors, nBatches, temperature, selection",
  ],
]);

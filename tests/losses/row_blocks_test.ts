/** The losses that compare all pairs of cells: in blocks what they are at once, and never n × n. */
import { grad, l2Normalize, oneHot, type Tensor, valueAndGrad } from "@cellgrad/cellgrad";
import {
  barlowTwinsLoss,
  batchMixingLoss,
  contrastiveCellEmbeddingLoss,
  elasticCellSimilarityLoss,
  energyDistance,
  hsic,
  mmdLoss,
  ntXentLoss,
  supervisedContrastiveLoss,
  tripletLoss,
  vicRegLoss,
} from "@cellgrad/cellgrad/losses";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { otherProducts } from "../../src/losses/barlow_twins.ts";
import { mixingEntropy } from "../../src/losses/batch_mixing.ts";
import { partnerEntropy } from "../../src/losses/contrastive_cell_embedding.ts";
import { elasticMeans } from "../../src/losses/elastic_cell_similarity.ts";
import { rowMoments } from "../../src/losses/hsic.ts";
import { batchMeans, kernelMeans } from "../../src/losses/kernels.ts";
import { mapCells } from "../../src/losses/cells.ts";
import { contrasts } from "../../src/losses/supervised_contrastive.ts";
import { triplets } from "../../src/losses/triplet.ts";
import type { Graph } from "../../src/program/graph.ts";
import { record } from "../../src/program/record.ts";
import { loopIn } from "../../src/program/row_blocks.ts";
import { floats, integers, RUNS } from "../arbitraries.ts";
import { f64 } from "./cells.ts";
import { assertSame } from "./laws.ts";

/** Some cells of each test. */
const CELLS = 6;

const KERNEL = { name: "rbf", widths: [1, 2] } as const;
const KERNELS = [
  KERNEL,
  { name: "laplacian", widths: [1, 2] },
  { name: "rationalQuadratic", widths: [2] },
  { name: "energy", widths: [] },
] as const;

type Rows = (x: Tensor, y: Tensor, batches: Tensor, largest: number) => Tensor;

const neighbourhood = { neighbours: 2, temperature: 2 };

/** What each loss computes for each cell, and how many values it makes per cell. */
const groupsOf = (batches: Tensor) => batches.argMax({ axis: 1 });

const ROWS: Record<string, [Rows, perRow: number]> = {
  "batchMixingLoss() with topk": [
    (x, _y, batches, largest) => mixingEntropy(x, batches, neighbourhood, "topk", largest),
    CELLS,
  ],
  "batchMixingLoss() with soft": [
    (x, _y, batches, largest) => mixingEntropy(x, batches, neighbourhood, "soft", largest),
    CELLS ** 2,
  ],
  "elasticCellSimilarityLoss()": [
    (x, _y, _batches, largest) => elasticMeans(x, 0.3, largest),
    CELLS,
  ],
  "contrastiveCellEmbeddingLoss()": [
    (x, y, _batches, largest) => partnerEntropy(x, y, 0.5, largest),
    CELLS,
  ],
  "mmdLoss() with rbf": [
    (x, _y, batches, largest) => kernelMeans(x, x, batches, KERNEL, largest),
    CELLS,
  ],
  "supervisedContrastiveLoss()": [
    (x, _y, batches, largest) => contrasts(l2Normalize(x), groupsOf(batches), 0.5, largest),
    CELLS,
  ],
  "tripletLoss() of all": [
    (x, _y, batches, largest) => triplets(x, groupsOf(batches), 1, "all", largest),
    2 * CELLS,
  ],
  "tripletLoss() of hard": [
    (x, _y, batches, largest) => triplets(x, groupsOf(batches), 1, "hard", largest),
    CELLS,
  ],
  "tripletLoss() of semiHard": [
    (x, _y, batches, largest) => triplets(x, groupsOf(batches), 1, "semiHard", largest),
    3 * CELLS,
  ],
  "barlowTwinsLoss()": [
    (x, y, _batches, largest) => otherProducts(x.transpose(), y.transpose(), 2, largest),
    CELLS,
  ],
  "vicRegLoss()": [
    (x, _y, _batches, largest) => {
      const columns = x.transpose();
      return otherProducts(columns, columns, 2, largest);
    },
    CELLS,
  ],
  "energyDistance()": [
    (x, y, batches, largest) => kernelMeans(x, y, batches, KERNELS[3], largest),
    CELLS,
  ],
  "hsic()": [(x, y, _batches, largest) => rowMoments([x, y], KERNEL, undefined, largest), CELLS],
};

const cases = fc.record({
  x: floats([CELLS, 2]),
  y: floats([CELLS, 2]),
  batches: integers([CELLS], 0, 2).map((labels) => oneHot(labels, 3, { dtype: "float64" })),
  weights: floats([CELLS, 1]),
  blockRows: fc.integer({ min: 1, max: CELLS - 1 }),
});

for (const kernel of KERNELS) {
  Deno.test(`mmdLoss() with ${kernel.name} has in blocks the derivatives of all cells at once, to second order`, () => {
    const weights = f64([[1, -2, 0.5], [3, 0.25, -1], [2, 1.5, -0.75]]);
    const directions = f64(Array.from({ length: CELLS }, (_, i) => [Math.sin(i), Math.cos(3 * i)]));
    fc.assert(
      fc.property(cases, ({ x, batches, blockRows }) => {
        const slopes = (largest: number) => {
          const loss = (x: Tensor, shares: Tensor) =>
            batchMeans(x, shares, kernel, largest).mul(weights).square().sum();
          const along = (x: Tensor) => grad(loss)(x, batches).mul(directions).sum();
          return [...grad(loss, { argnums: [0, 1] })(x, batches), grad(along)(x)];
        };
        const [whole, inBlocks] = [slopes(Infinity), slopes(blockRows * CELLS)];
        inBlocks.forEach((slope, i) => assertSame(slope, whole[i]!));
      }),
      RUNS,
    );
  });
}

for (const [name, [rows, perRow]] of Object.entries(ROWS)) {
  Deno.test(`${name} has in blocks the values and gradients of all cells at once`, () => {
    fc.assert(
      fc.property(cases, ({ x, y, batches, weights, blockRows }) => {
        const atMost = (largest: number) => (...inputs: [Tensor, Tensor, Tensor]) => {
          const results = rows(...inputs, largest);
          return results.reshape([CELLS, -1]).mul(weights).sum();
        };
        const options = { argnums: [0, 1, 2] };
        const [whole, gradients] = valueAndGrad(atMost(Infinity), options)(x, y, batches);
        const largest = blockRows * perRow;
        const [value, inBlocks] = valueAndGrad(atMost(largest), options)(x, y, batches);
        assertSame(value, whole);
        inBlocks.forEach((gradient, i) => assertSame(gradient, gradients[i]!));
      }),
      RUNS,
    );
  });
}

Deno.test("mapCells() takes as many rows at a time as their values allow, at least one", () => {
  const heights = (perRow: number, largest: number) => {
    const seen: number[] = [];
    const f = ([block]: [Tensor]) => {
      seen.push(block.shape[0]!);
      return block;
    };
    mapCells(f, [f64([1, 2, 3, 4, 5])], [], perRow, largest);
    return seen;
  };
  assertEquals(heights(3, 15), [5]);
  assertEquals(heights(3, 14), [4, 1]);
  assertEquals(heights(3, 8), [2, 2, 1]);
  assertEquals(heights(3, 2), [1, 1, 1, 1, 1]);
});

Deno.test("mapCells() computes nothing twice where all rows are taken at once", () => {
  let calls = 0;
  const f = ([block]: [Tensor]) => {
    calls++;
    return block;
  };
  grad((x: Tensor) => mapCells(f, [x], [], 3, 15).sum())(f64([1, 2, 3, 4, 5]));
  assertEquals(calls, 1);
});

/** The most values that any step of a loss or of its gradient makes for some cells. */
function largestStep(loss: (cells: Tensor) => Tensor, cells: number): number {
  const largest = ({ values, steps }: Graph): number =>
    Math.max(
      ...values.map(({ shape }) => shape.reduce((a, b) => a * b, 1)),
      ...steps.flatMap((step) => loopIn(step)?.runs.map(({ body }) => largest(body)) ?? []),
    );
  return largest(record([{ shape: [cells, 3], dtype: "float32" }], ([x]) => {
    const [value, gradient] = valueAndGrad(loss)(x!);
    return [value, gradient];
  }));
}

const labelsOf = (cells: Tensor) => Int32Array.from({ length: cells.shape[0]! }, (_, i) => i % 3);

const LOSSES: Record<string, (cells: Tensor) => Tensor> = {
  "batchMixingLoss()": (x) => batchMixingLoss(x, labelsOf(x), { nNeighbors: 2 }),
  "elasticCellSimilarityLoss()": (x) => elasticCellSimilarityLoss(x),
  "contrastiveCellEmbeddingLoss()": (x) =>
    contrastiveCellEmbeddingLoss(x, x.square(), { symmetric: true }),
  "mmdLoss() with rbf": (x) => mmdLoss(x, labelsOf(x), { kernel: "rbf" }),
  "supervisedContrastiveLoss()": (x) => supervisedContrastiveLoss(x, labelsOf(x)),
  "tripletLoss() of hard": (x) => tripletLoss(x, labelsOf(x), { mining: "hard" }),
  "mmdLoss() with energy": (x) => mmdLoss(x, labelsOf(x), { kernel: "energy", unbiased: true }),
  "energyDistance()": (x) => energyDistance(x, x.square()),
  "hsic()": (x) => hsic(x, x.square()),
};

for (const [name, loss] of Object.entries(LOSSES)) {
  Deno.test(`${name} compares up to 2048 cells at once, and more in blocks`, () => {
    assertEquals(largestStep(loss, 2048), 2048 ** 2);
    assertEquals(largestStep(loss, 2049), 2047 * 2049);
    assertEquals(largestStep(loss, 5000), 838 * 5000);
  });
}

Deno.test("batchMixingLoss() with soft compares up to 161 cells at once, and more in blocks", () => {
  const loss = (x: Tensor) => batchMixingLoss(x, labelsOf(x), { selection: "soft" });
  assertEquals(largestStep(loss, 161), 161 ** 3);
  assertEquals(largestStep(loss, 162), 159 * 162 ** 2);
  assertEquals(largestStep(loss, 300), 46 * 300 ** 2);
});

/** More cells than are compared at once. */
const MANY = 2100;

function cellsAt(place: (cell: number) => number): Tensor {
  return f64(Array.from({ length: MANY }, (_, i) => [place(i)]));
}

Deno.test("batchMixingLoss() is right above 2048 cells", () => {
  const threes = cellsAt((i) => 100 * Math.floor(i / 3));
  const loss = batchMixingLoss(threes, labelsOf(threes), { nNeighbors: 2 });
  assertAllClose(loss, -Math.log(2) / Math.log(3), { rtol: 1e-6 });
});

/** Cells on both sides of 0, a third of them on the left, and how many lie on the side of each. */
const sides = cellsAt((i) => i % 3 === 0 ? -1 - i : 1 + i);
const onSide = cellsAt((i) => i % 3 === 0 ? MANY / 3 : 2 * MANY / 3).reshape([MANY]);

Deno.test("elasticCellSimilarityLoss() is right above 2048 cells", () => {
  const alike = onSide.sub(1).mean().div(MANY);
  const expected = alike.mul(1 - 0.7 ** 2).add(alike.neg().add(1).mul(1 - 0.3 ** 2));
  assertSame(elasticCellSimilarityLoss(sides), expected);
});

Deno.test("contrastiveCellEmbeddingLoss() is right above 2048 cells", () => {
  const sums = onSide.mul(Math.exp(2)).add(onSide.neg().add(MANY).mul(Math.exp(-2)));
  assertSame(contrastiveCellEmbeddingLoss(sides, sides.mul(2)), sums.log().mean().sub(2));
});

Deno.test("mmdLoss() with rbf is right above 2048 cells", () => {
  const apart = cellsAt((i) => i % 2 === 0 ? 0 : 3);
  const labels = Int32Array.from({ length: MANY }, (_, i) => i % 2);
  const loss = mmdLoss(apart, labels, { kernel: "rbf", bandwidths: [2] });
  assertSame(loss, 2 - 2 * Math.exp(-9 / 8));
});

/** How many values the largest step makes for each cell, or feature, and how many are taken at once. */
const OTHERS: Record<string, [loss: (x: Tensor) => Tensor, perRow: number, most: number]> = {
  "ntXentLoss()": [(x) => ntXentLoss(x, x.square()), 4, 1024],
  "tripletLoss() of all": [(x) => tripletLoss(x, labelsOf(x)), 2, 1448],
  "tripletLoss() of semiHard": [
    (x) => tripletLoss(x, labelsOf(x), { mining: "semiHard" }),
    3,
    1182,
  ],
  "barlowTwinsLoss()": [(x) => barlowTwinsLoss(x.transpose(), x.square().transpose()), 1, 2048],
  "vicRegLoss()": [(x) => vicRegLoss(x.transpose(), x.square().transpose()), 1, 2048],
};

for (const [name, [loss, perRow, most]] of Object.entries(OTHERS)) {
  Deno.test(`${name} compares up to ${most} at once, and more in blocks`, () => {
    assertEquals(largestStep(loss, most), perRow * most ** 2);
    const more = largestStep(loss, most + 1);
    assert(more <= 2048 ** 2 && more > 2048 ** 2 - 3 * most, `${more} values`);
  });
}

Deno.test("supervisedContrastiveLoss() is right above 2048 cells", () => {
  const labels = Int32Array.from({ length: MANY }, (_, i) => i % 3 === 0 ? 0 : 5);
  const others = onSide.sub(1).mul(Math.exp(10)).add(onSide.neg().add(MANY).mul(Math.exp(-10)));
  assertSame(supervisedContrastiveLoss(sides, labels), others.log().mean().sub(10));
});

Deno.test("tripletLoss() is right above 2048 cells", () => {
  const [apart, labels] = [cellsAt((i) => 2 * (i % 2)), labelsOf(sides).map((y) => y % 2)];
  // Of 700 and 350 cells at each place, terms are 0 − 0 + 1, not of the cell itself, 2 − 2 + 1 and
  // 2 − 0 + 1.
  assertSame(tripletLoss(apart, labels), (5 * 700 - 1 + 5 * 350 - 1) / (3 * 700 - 1 + 3 * 350 - 1));
  assertSame(tripletLoss(apart, labels, { mining: "hard" }), 3);
  assertSame(tripletLoss(apart, labels, { mining: "semiHard", margin: 3 }), 1);
});

Deno.test("energyDistance() is right above 2048 points", () => {
  const apart = cellsAt((i) => i % 2 === 0 ? 0 : 3);
  const loss = (x: Tensor) => energyDistance(x, f64([[1]]));
  assertSame(loss(apart), 2 * 1.5 - 1.5);
  // Half of the points lie on either side of the one, and of each other.
  const slope = (own: number, others: number) => (2 * own - others) / MANY;
  assertSame(grad(loss)(apart), cellsAt((i) => i % 2 === 0 ? slope(-1, -1) : slope(1, 1)));
});

Deno.test("hsic() is right above 2048 cells", () => {
  const apart = cellsAt((i) => i % 2 === 0 ? 0 : 3);
  const loss = hsic(apart, apart, { bandwidths: [2] });
  const spread = (1 - Math.exp(-9 / 8)) / 2;
  assertSame(loss, (spread * MANY / (MANY - 1)) ** 2);
});

Deno.test("mmdLoss() with the median is right above 2048 cells", () => {
  const apart = cellsAt((i) => i % 2 === 0 ? 0 : 3); // more pairs at 3 than at 0
  const labels = Int32Array.from({ length: MANY }, (_, i) => i % 2);
  const loss = mmdLoss(apart, labels, { kernel: "laplacian", bandwidths: "median" });
  assertSame(loss, 2 - 2 * Math.exp(-1));
});

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import fc from "fast-check";
import { key, normal } from "../../src/random.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { batchEntropy, lisi, silhouette, silhouetteSamples } from "../../src/metrics/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { assertMessages, labelledPoints, RUNS, shuffled } from "./helpers.ts";

/** Two groups of points, apart or on top of each other, with two labels. */
function twoBlobs(distance: number): { points: number[][]; labels: number[] } {
  const labels = Array.from({ length: 60 }, (_, i) => i % 2);
  const points = labels.map((label, i) => [
    label * distance + Math.sin(i * 12.9898),
    Math.sin(i * 78.233),
  ]);
  return { points, labels };
}

const apart = twoBlobs(100);
const mixed = twoBlobs(0);

/** A turn of the plane, a shift and a stretch: distances keep their proportions. */
function moved(points: number[][]): number[][] {
  return points.map(([x, y]) => [3 * (0.6 * x! - 0.8 * y!) + 50, 3 * (0.8 * x! + 0.6 * y!) - 20]);
}

const METRICS = {
  silhouette: silhouetteSamples,
  lisi: (points: number[][], labels: number[]) => lisi(points, labels, { perplexity: 3 }).perCell,
};

for (const [name, perPoint] of Object.entries(METRICS)) {
  Deno.test(`${name}() does not change under rotation, translation and scaling`, () => {
    fc.assert(
      fc.property(labelledPoints, ({ points, labels }) => {
        // Points closer than rounding have no order that a rotation would keep.
        const grid = points.map((point, i) => point.map((x) => Math.round(x * 10) + i / 1000));
        assertAllClose(perPoint(moved(grid), labels), perPoint(grid, labels), {
          rtol: 1e-6,
          atol: 1e-9,
        });
      }),
      RUNS,
    );
  });

  Deno.test(`${name}() follows the points when their order changes, whatever labels are called`, () => {
    fc.assert(
      fc.property(labelledPoints, ({ points, labels }) => {
        const distinct = points.map(([x, y], i) => [x! + i * 0.37, y! - i * 0.11]);
        const renamed = labels.map((label) => 1000 - 3 * label);
        const found = perPoint(shuffled(distinct), shuffled(renamed));
        const expected = shuffled([...perPoint(distinct, labels)]);
        assertAllClose(found, expected, { rtol: 1e-8, atol: 1e-9 });
      }),
      RUNS,
    );
  });
}

Deno.test("metrics of embeddings are the same for distances of any size", () => {
  const points = Array.from({ length: 12 }, (_, i) => [i, i * i % 5 / 4]);
  const labels = points.map((_, i) => i % 3 % 2);
  for (const [name, metric] of Object.entries(METRICS)) {
    const expected = Array.from(metric(points, labels));
    for (const scale of [2 ** 1000, 2 ** 520, 2 ** -520, 2 ** -1000]) {
      const found = metric(points.map((point) => point.map((x) => scale * x)), labels);
      assertEquals([name, ...found], [name, ...expected]);
    }
  }
});

Deno.test("silhouette() is in [−1, 1]", () => {
  fc.assert(
    fc.property(labelledPoints, ({ points, labels }) => {
      const widths = silhouetteSamples(points, labels);
      assert(widths.every((width) => width >= -1 && width <= 1));
      const mean = widths.reduce((a, b) => a + b, 0) / widths.length;
      assertAlmostEquals(silhouette(points, labels), mean, 1e-12);
    }),
    RUNS,
  );
});

Deno.test("silhouette() is near 1 for clusters apart, near 0 for labels at random", () => {
  assertGreater(silhouette(apart.points, apart.labels), 0.97);
  assertLess(Math.abs(silhouette(mixed.points, mixed.labels)), 0.1);
});

/** Four batches: in one cloud, or in two of two batches each, `gap` standard deviations apart. */
function fourBatches(gap: number): { points: Tensor; batches: Int32Array } {
  const batches = Int32Array.from({ length: 400 }, (_, cell) => cell % 4);
  const places = Array.from(batches, (batch) => [batch < 2 ? 0 : gap, 0]);
  return { points: normal(key(1), [400, 2]).add(places), batches };
}

Deno.test("silhouette() by batch is nearer to 0 for batches in two groups than for mixed ones", () => {
  const [apart, mixed] = [fourBatches(10), fourBatches(0)];
  const widths = [apart, mixed].map(({ points, batches }) => silhouette(points, batches));
  assertEquals(widths.map((width) => width.toFixed(4)), ["0.0008", "-0.0458"]);
  assertLess(Math.abs(widths[0]!), Math.abs(widths[1]!));
  // The metrics for batches tell them apart.
  const ilisi = [apart, mixed].map(({ points, batches }) => lisi(points, batches).ilisi);
  assertEquals(ilisi.map((value) => value.toFixed(3)), ["0.315", "0.828"]);
  const entropies = [apart, mixed].map(({ points, batches }) =>
    batchEntropy(points, batches, { normalize: true })
  );
  assertLess(entropies[0]!, 0.5);
  assertGreater(entropies[1]!, 0.9);
});

Deno.test("silhouette() by batch does not see how far apart two groups of batches are", () => {
  for (const gap of [10, 100, 1e4]) {
    const { points, batches } = fourBatches(gap);
    assertLess(Math.abs(silhouette(points, batches)), 1e-3);
  }
});

Deno.test("silhouette() is −1 in the limit for clusters that are split and far apart", () => {
  const widths = silhouetteSamples([[0], [1e6], [0], [1e6]], [0, 0, 1, 1]);
  assertAllClose(widths, [-0.5, -0.5, -0.5, -0.5]);
});

Deno.test("silhouette() is 0 where it is not defined", () => {
  assertEquals(silhouette([], []), 0);
  assertEquals(silhouette([[1, 2]], [0]), 0);
  assertEquals(silhouette([[1, 2], [3, 4]], [5, 5]), 0);
  assertEquals(silhouette([[1], [2], [3]], [0, 1, 2]), 0);
  assertEquals(silhouette([[1], [1], [1], [1]], [0, 0, 1, 1]), 0);
});

Deno.test("silhouette() gives the same over several blocks of rows", () => {
  // 1,100 points are more than one block of 2²⁰ distances.
  const n = 1100;
  const points = Array.from({ length: n }, (_, i) => [Math.sin(i * 12.9898) + (i % 3)]);
  const labels = points.map((_, i) => i % 3);
  const widths = silhouetteSamples(points, labels);
  for (const i of [0, 500, 952, 953, 954, n - 1]) {
    const [sums, sizes] = [[0, 0, 0], [0, 0, 0]];
    points.forEach(([x], j) => {
      sums[labels[j]!]! += Math.abs(x! - points[i]![0]!);
      sizes[labels[j]!]! += j === i ? 0 : 1;
    });
    const [own, ...others] = [0, 1, 2].map((k) => (labels[i]! + k) % 3)
      .map((k) => sums[k]! / sizes[k]!);
    const nearest = Math.min(...others);
    assertAlmostEquals(widths[i]!, (nearest - own!) / Math.max(nearest, own!), 1e-10);
  }
});

Deno.test("lisi() is between 1 and the number of labels, its scaled values in [0, 1]", () => {
  fc.assert(
    fc.property(
      labelledPoints,
      fc.integer({ min: 1, max: 12 }),
      ({ points, labels }, perplexity) => {
        const { perCell, median, ilisi, clisi } = lisi(points, labels, { perplexity });
        const count = new Set(labels).size;
        for (const value of [...perCell, median]) {
          assertGreaterOrEqual(value, 1 - 1e-12);
          assertLessOrEqual(value, count + 1e-12);
        }
        assertLessOrEqual(Math.abs(ilisi - 0.5), 0.5 + 1e-12);
        assertAlmostEquals(ilisi + clisi, count === 1 ? 2 : 1, 1e-12);
      },
    ),
    RUNS,
  );
});

Deno.test("lisi() tells mixed labels from separate ones", () => {
  const [a, b] = [apart, mixed].map(({ points, labels }) =>
    lisi(points, labels, { perplexity: 9 })
  );
  assertAllClose([a!.median, a!.ilisi, a!.clisi], [1, 0, 1]);
  assertGreater(b!.ilisi, 0.8);
  assertLess(b!.clisi, 0.2);
});

Deno.test("lisi() has weights of the perplexity that was asked for", () => {
  // On a ring all cells look alike. With as many labels as cells, the index is the inverse Simpson
  // number of the weights themselves, which is near their perplexity, and grows with it.
  const ring = Array.from({ length: 90 }, (_, i) => {
    const angle = 2 * Math.PI * i / 90;
    return [Math.cos(angle), Math.sin(angle)];
  });
  const names = ring.map((_, i) => i);
  const found = [2, 5, 10, 20].map((perplexity) => lisi(ring, names, { perplexity }));
  found.forEach(({ perCell, median }, i) => {
    perCell.forEach((value) => assertAlmostEquals(value, median, 1e-6));
    assertLessOrEqual(median, [2, 5, 10, 20][i]!);
    assertGreater(median, [2, 5, 10, 20][i]! * 0.7);
  });
});

Deno.test("lisi() weighs all neighbours alike where they are too few", () => {
  // Each of the four cells sees the three others: two labels of two, or one.
  const { perCell } = lisi([[0], [1], [5], [9]], [0, 0, 1, 1], { perplexity: 30 });
  assertAllClose(perCell, [9 / 5, 9 / 5, 9 / 5, 9 / 5]);
});

Deno.test("lisi() is finite for one label, no cells, one cell, and cells on one spot", () => {
  const one = lisi([[0], [1], [2]], [4, 4, 4]);
  assertEquals([one.median, one.ilisi, one.clisi], [1, 1, 1]);
  const none = lisi([], []);
  assertEquals([none.perCell.length, none.median, none.ilisi, none.clisi], [0, 1, 1, 1]);
  assertEquals(lisi([[3, 4]], [7]).perCell, new Float64Array([1]));
  // Two neighbours each, the first ones: both labels, but for the second cell.
  const same = lisi([[1], [1], [1], [1]], [0, 1, 0, 1], { perplexity: 1 });
  assertAllClose(same.perCell, [2, 1, 2, 2]);
});

Deno.test("batchEntropy() is in [0, log K], and in [0, 1] when normalized", () => {
  fc.assert(
    fc.property(
      labelledPoints,
      fc.integer({ min: 1, max: 30 }),
      ({ points, labels }, nNeighbors) => {
        const count = new Set(labels).size;
        const entropy = batchEntropy(points, labels, { nNeighbors });
        const share = batchEntropy(points, labels, { nNeighbors, normalize: true });
        assertGreaterOrEqual(entropy, 0);
        assertLessOrEqual(entropy, Math.log(count) + 1e-12);
        assertAlmostEquals(share, count === 1 ? 1 : entropy / Math.log(count), 1e-12);
      },
    ),
    RUNS,
  );
});

Deno.test("batchEntropy() tells mixed batches from separate ones", () => {
  const options = { nNeighbors: 20, normalize: true };
  assertEquals(batchEntropy(apart.points, apart.labels, options), 0);
  assertGreater(batchEntropy(mixed.points, mixed.labels, options), 0.9);
});

Deno.test("batchEntropy() does not count the cell itself", () => {
  // Each cell's only neighbour is of the other batch: nothing to mix within one neighbour.
  assertEquals(batchEntropy([[0], [1], [10], [11]], [0, 1, 0, 1], { nNeighbors: 1 }), 0);
  // Of two neighbours, one is of its own batch.
  const three = batchEntropy([[0], [1], [2]], [0, 1, 0], { nNeighbors: 2 });
  assertAlmostEquals(three, 2 / 3 * Math.LN2);
});

Deno.test("batchEntropy() takes all others where there are fewer than nNeighbors", () => {
  const points = [[0], [1], [2], [7]];
  const labels = [0, 1, 1, 0];
  assertEquals(batchEntropy(points, labels), batchEntropy(points, labels, { nNeighbors: 3 }));
});

Deno.test("batchEntropy() counts duplicates of a cell as neighbours, the first ones first", () => {
  const points = [[0], [0], [0], [9]];
  // Cell 0 sees 1; cells 1 and 2 see 0; cell 3 sees 0.
  assertEquals(batchEntropy(points, [0, 1, 1, 0], { nNeighbors: 1 }), 0);
  // With two: 0 sees 1, 2; 1 sees 0, 2; 2 sees 0, 1; 3 sees 0, 1.
  assertAlmostEquals(
    batchEntropy(points, [0, 1, 1, 0], { nNeighbors: 2 }),
    3 / 4 * Math.LN2,
  );
});

Deno.test("batchEntropy() takes the first of equally near cells when a nearer one comes last", () => {
  // Cells 1 and 2 are equally near to cell 0, and cell 3 is nearer: cell 2 must give way.
  const points = [[0], [5], [-5], [1]];
  assertEquals(batchEntropy(points, [0, 0, 1, 0], { nNeighbors: 2 }), 0);
});

Deno.test("batchEntropy() is 0 for one batch, and 1 when normalized", () => {
  assertEquals(batchEntropy([[0], [1]], [3, 3]), 0);
  assertEquals(batchEntropy([[0], [1]], [3, 3], { normalize: true }), 1);
  assertEquals(batchEntropy([], []), 0);
});

Deno.test("silhouette(), lisi() and batchEntropy() take float32 tensors and typed labels", () => {
  const points = tensor(apart.points.slice(0, 20));
  const labels = Uint16Array.from(apart.labels.slice(0, 20));
  assertGreater(silhouette(points, labels), 0.9);
  assertEquals(lisi(points, labels, { perplexity: 3 }).clisi, 1);
  assertEquals(batchEntropy(points, tensor(apart.labels.slice(0, 20)), { nNeighbors: 3 }), 0);
});

Deno.test("silhouette(), lisi() and batchEntropy() say what does not fit", () => {
  const points = [[0, 1], [2, 3]];
  assertMessages(TypeError, [
    [
      () => silhouette([1, 2], [0, 1]),
      "Cannot compute silhouette as embeddings must have the shape [n, d]: current shape is [2]",
    ],
    [
      () => silhouetteSamples(points, [0, 1, 2]),
      "Cannot compute silhouetteSamples as labels must have the shape [2]: current shape is [3]",
    ],
    [
      () => lisi(points, [0, 0.5]),
      "Cannot compute lisi as labels must be whole numbers (int32): " +
      "current value at position 1 is 0.5",
    ],
    [
      () => lisi(points, [0, 1], { k: 3 } as object),
      "Cannot compute lisi as there is no option k: did you mean perplexity? The options " +
      "are perplexity",
    ],
    [
      () => batchEntropy(points, [0, 1], { k: 3 } as object),
      "Cannot compute batchEntropy as there is no option k: did you mean nNeighbors? The " +
      "options are nNeighbors, normalize",
    ],
    [
      () => batchEntropy(points, [0, 1], { normalize: 1 as unknown as boolean }),
      "Cannot compute batchEntropy as normalize must be true or false: current value is 1",
    ],
  ]);
  assertMessages(RangeError, [
    [
      () => lisi(points, [0, 1], { perplexity: 0.5 }),
      "Cannot compute lisi as perplexity must be a finite number at least 1: " +
      "current value is 0.5",
    ],
    [
      () => batchEntropy(points, [0, 1], { nNeighbors: 0 }),
      "Cannot compute batchEntropy as nNeighbors must be a whole number at least 1: " +
      "current value is 0",
    ],
  ]);
});

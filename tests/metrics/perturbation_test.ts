import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { zeros } from "../../src/create.ts";
import { pearson, perturbationMetrics } from "../../src/metrics/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { assertMessages, RUNS, shuffled } from "./helpers.ts";

const value = fc.integer({ min: 0, max: 8e6 }).map((n) => n / 1e6);
const row = fc.array(value, { minLength: 4, maxLength: 4 });

/** Cells of four genes under up to three perturbations, the first two genes of each being the ones that count. */
const studies = fc.array(fc.tuple(row, row, fc.integer({ min: 0, max: 2 })), {
  minLength: 1,
  maxLength: 12,
}).chain((cells) =>
  row.map((ctrlMean) => ({
    pred: cells.map(([pred]) => pred),
    truth: cells.map(([, truth]) => truth),
    options: {
      ctrlMean,
      perturbation: cells.map(([, , perturbation]) => perturbation),
      deIndices: [[0, 1, 2], [1, 2, 3], [3, 0, 1]],
      topK: 2,
    },
  }))
);

Deno.test("perturbationMetrics() is perfect for the truth", () => {
  fc.assert(
    fc.property(studies, ({ truth, options }) => {
      const { mean, perPerturbation } = perturbationMetrics(truth, truth, options);
      assertEquals([mean.mse, mean.mseDe], [0, 0]);
      // Constant means leave nothing to correlate: those give 0.
      for (const name of ["pearson", "pearsonDe", "pearsonDelta", "pearsonDeltaDe"] as const) {
        perPerturbation[name].forEach((r) => assertAlmostEquals(r === 0 ? 1 : r, 1, 1e-9));
      }
    }),
    RUNS,
  );
  const { mean } = perturbationMetrics([[1, 2, 5]], [[1, 2, 5]], {
    ctrlMean: [2, 2, 2],
    perturbation: [0],
    deIndices: [[2, 0, 1]],
    topK: 3,
  });
  assertAllClose([mean.pearson, mean.pearsonDe, mean.pearsonDelta, mean.pearsonDeltaDe], [
    1,
    1,
    1,
    1,
  ]);
});

Deno.test("perturbationMetrics() compares means over cells, not cells", () => {
  fc.assert(
    fc.property(studies, ({ pred, truth, options }) => {
      const { perPerturbation } = perturbationMetrics(pred, truth, options);
      perPerturbation.perturbation.forEach((p, i) => {
        const mean = (rows: number[][]) => {
          const own = rows.filter((_, cell) => options.perturbation[cell] === p);
          return [0, 1, 2, 3].map((g) => own.reduce((sum, r) => sum + r[g]!, 0) / own.length);
        };
        const [a, b] = [mean(pred), mean(truth)];
        const change = (x: number[]) => x.map((v, g) => v - options.ctrlMean[g]!);
        assertAlmostEquals(perPerturbation.pearson[i]!, pearson(a, b), 1e-9);
        // Changes that are the same but for rounding have no correlation here.
        const delta = perPerturbation.pearsonDelta[i]!;
        if (delta !== 0) assertAlmostEquals(delta, pearson(change(a), change(b)), 1e-9);
        const squares = a.map((v, g) => (v - b[g]!) ** 2);
        const [g, h] = options.deIndices[p]!;
        assertAlmostEquals(perPerturbation.mse[i]!, squares.reduce((s, v) => s + v) / 4, 1e-12);
        assertAlmostEquals(perPerturbation.mseDe[i]!, (squares[g!]! + squares[h!]!) / 2, 1e-12);
      });
    }),
    RUNS,
  );
});

Deno.test("perturbationMetrics() does not depend on the order of the cells", () => {
  fc.assert(
    fc.property(studies, ({ pred, truth, options }) => {
      const there = perturbationMetrics(pred, truth, options).perPerturbation;
      const moved = perturbationMetrics(shuffled(pred), shuffled(truth), {
        ...options,
        perturbation: shuffled(options.perturbation),
      }).perPerturbation;
      assertEquals([moved.perturbation, moved.cells], [there.perturbation, there.cells]);
      assertAllClose(moved.mse, there.mse);
      assertAllClose(moved.mseDe, there.mseDe);
    }),
    RUNS,
  );
});

Deno.test("perturbationMetrics() averages over perturbations, whatever their size", () => {
  fc.assert(
    fc.property(studies, ({ pred, truth, options }) => {
      const { perPerturbation, mean } = perturbationMetrics(pred, truth, options);
      for (const name of ["pearson", "pearsonDeltaDe", "mse"] as const) {
        const list = [...perPerturbation[name]];
        assertAlmostEquals(mean[name], list.reduce((a, b) => a + b) / list.length, 1e-12);
      }
    }),
    RUNS,
  );
});

Deno.test("perturbationMetrics() has a row for each perturbation that has cells", () => {
  const { perPerturbation } = perturbationMetrics([[1, 2], [2, 1], [3, 5]], zeros([3, 2]), {
    ctrlMean: [0, 0],
    perturbation: [3, 1, 3],
    deIndices: [[0], [0], [1], [1]],
    topK: 1,
  });
  assertEquals(perPerturbation.perturbation, new Int32Array([1, 3]));
  assertEquals(perPerturbation.cells, new Int32Array([1, 2]));
  assertEquals(perPerturbation.mse, new Float64Array([2.5, (2 ** 2 + 3.5 ** 2) / 2]));
  assertEquals(perPerturbation.mseDe, new Float64Array([4, 3.5 ** 2]));
});

Deno.test("perturbationMetrics() gives 0 to the prediction that nothing happens, in the delta", () => {
  const ctrlMean = [1, 4, 2, 8];
  const { mean } = perturbationMetrics([ctrlMean], [[1.5, 4, 2, 8.5]], {
    ctrlMean,
    perturbation: [0],
    deIndices: [[0, 3]],
    topK: 2,
  });
  assertEquals([mean.pearsonDelta, mean.pearsonDeltaDe], [0, 0]);
  assertAlmostEquals(mean.pearson, 1, 0.01);
});

Deno.test("perturbationMetrics() gives 0 to any change that is the same for all genes, to the rounding", () => {
  const shift = fc.constantFrom(0, 0.1, -0.3, 1 / 3);
  const single = (values: number[]) => values.map(Math.fround);
  fc.assert(
    fc.property(studies, shift, fc.nat(2), fc.boolean(), ({ truth, options }, by, kind, isDe) => {
      const moved = options.ctrlMean.map((mean) => mean + by);
      const { perPerturbation } = perturbationMetrics(
        truth.map(() => kind === 1 ? single(moved) : moved),
        truth,
        { ...options, ctrlMean: kind === 2 ? single(options.ctrlMean) : options.ctrlMean },
      );
      const scores = perPerturbation[isDe ? "pearsonDeltaDe" : "pearsonDelta"];
      assertEquals([...scores], [...scores].fill(0));
    }),
    RUNS,
  );
});

Deno.test("perturbationMetrics() gives 0 to control cells as the prediction for control", () => {
  const cells = Array.from({ length: 999 }, (_, i) => [0.1, 1 / 3, 5.7].map((x) => x * (i % 7)));
  const ctrlMean = [0, 1, 2].map((gene) => cells.reduce((sum, c) => sum + c[gene]!, 0) / 999);
  const { mean } = perturbationMetrics(cells.toReversed(), cells.map(() => [1, 5, 2]), {
    ctrlMean,
    perturbation: cells.map(() => 0),
    deIndices: [[0, 1, 2]],
    topK: 3,
  });
  assertEquals([mean.pearsonDelta, mean.pearsonDeltaDe], [0, 0]);
});

Deno.test("perturbationMetrics() tells small changes of rare genes beside abundant ones", () => {
  const { mean } = perturbationMetrics([[1e5, 1.01e-3, 2e-3]], [[1e5, 1.02e-3, 2e-3]], {
    ctrlMean: [1e5, 1e-3, 2e-3],
    perturbation: [0],
    deIndices: [[1, 2]],
    topK: 2,
  });
  assertAlmostEquals(mean.pearsonDelta, 1);
  assertAlmostEquals(mean.pearsonDeltaDe, 1);
});

Deno.test("perturbationMetrics() is finite for constant expression, one gene, and no cells", () => {
  const options = { ctrlMean: [0, 0], perturbation: [0], deIndices: [[0]], topK: 1 };
  const constant = perturbationMetrics([[2, 2]], [[3, 3]], options).mean;
  assertEquals(constant, {
    pearson: 0,
    pearsonDe: 0,
    pearsonDelta: 0,
    pearsonDeltaDe: 0,
    mse: 1,
    mseDe: 1,
  });
  const none = perturbationMetrics(zeros([0, 2]), zeros([0, 2]), { ...options, perturbation: [] });
  assertEquals(Object.values(none.mean), [0, 0, 0, 0, 0, 0]);
  assertEquals(none.perPerturbation.pearson, new Float64Array(0));
});

Deno.test("perturbationMetrics() says what does not fit", () => {
  const options = { ctrlMean: [0, 0], perturbation: [0], deIndices: [[0, 1]], topK: 2 };
  const call = (change: object, pred = [[1, 2]], truth = [[1, 2]]) => () =>
    perturbationMetrics(pred, truth, { ...options, ...change });
  assertMessages(TypeError, [
    [
      () => perturbationMetrics([1, 2], [1, 2], options),
      "Cannot compute perturbationMetrics as pred must have the shape [cells, genes]: " +
      "current shape is [2]",
    ],
    [
      call({}, [[1, 2]], [[1, 2], [3, 4]]),
      "Cannot compute perturbationMetrics as truth must have the shape [1, 2]: " +
      "current shape is [2, 2]",
    ],
    [
      call({ ctrlMean: [1, 2, 3] }),
      "Cannot compute perturbationMetrics as ctrlMean must have the shape [2]: " +
      "current shape is [3]",
    ],
    [
      call({ perturbation: [0, 0] }),
      "Cannot compute perturbationMetrics as perturbation must have the shape [1]: " +
      "current shape is [2]",
    ],
    [
      call({ perturbation: [0.5] }),
      "Cannot compute perturbationMetrics as perturbation must be whole numbers (int32): " +
      "current value at position 0 is 0.5",
    ],
    [
      call({ deIndices: [0, 1] }),
      "Cannot compute perturbationMetrics as deIndices must have the shape [perturbations, k]: " +
      "current shape is [2]",
    ],
    [
      call({ deIndices: undefined }),
      "Cannot compute perturbationMetrics as deIndices must be given",
    ],
    [
      call({ topk: 2 }),
      "Cannot compute perturbationMetrics as there is no option topk: did you mean topK? " +
      "The options are ctrlMean, perturbation, deIndices, topK",
    ],
  ]);
  assertMessages(RangeError, [
    [
      call({ topK: undefined }),
      "Cannot compute perturbationMetrics as topK must be a whole number at least 1 and at most 2: " +
      "current value is 20",
    ],
    [
      call({ perturbation: [-1] }),
      "Cannot compute perturbationMetrics as perturbation must be in [0, 0]: " +
      "current value at position 0 is -1",
    ],
    [
      call({ deIndices: [[0, 2]] }),
      "Cannot compute perturbationMetrics as deIndices must be in [0, 1]: " +
      "current value at position 1 is 2",
    ],
  ]);
});

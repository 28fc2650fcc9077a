import { grad, type Tensor } from "@cellgrad/cellgrad";
import { mmdLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertAlmostEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/compute_mmd.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { cellCases, f64, i32, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const KERNELS = ["linear", "rbf"] as const;

Deno.test("mmdLoss() with rbf is the mean over kernels of any bandwidths, in any order", () => {
  const x = f64([[0, 1], [2, 0.5], [-1, 3], [0.3, -2], [1, 1]]);
  const batches = [0, 1, 0, 1, 1];
  const of = (bandwidths: number[]) => mmdLoss(x, batches, { kernel: "rbf", bandwidths });
  const all = [1, 8, 2, 6, 0.5, 4, 3, 1.5, 0.25, 0.25];
  const mean = all.map((width) => of([width]).item()).reduce((a, b) => a + b) / all.length;
  assertAlmostEquals(of(all).item(), mean, 1e-14);
});

Deno.test("mmdLoss() with rbf stays within 16 roundings of float32, however many bandwidths", () => {
  const bandwidths = [1, 2, 4, 8];
  for (let i = 1; i < 40; i++) {
    const x = [[0], [i / 8]];
    const narrow = mmdLoss(x, [0, 1], { kernel: "rbf", bandwidths });
    const wide = mmdLoss(f64(x), [0, 1], { kernel: "rbf", bandwidths });
    // Of two cells, the loss is 2 − 2k.
    assertAlmostEquals(narrow.item(), wide.item(), 16 * 2 ** -24);
  }
});

Deno.test("mmdLoss() agrees with the golden vectors", () => {
  checkGolden(golden, ({ features, batch_labels }) => mmdLoss(features, batch_labels));
});

Deno.test("mmdLoss() takes the distinct labels for batches, whatever their numbers", () => {
  const cells = f64([[0, 0], [2, 0], [3, 4], [5, 4]]);
  assertSame(mmdLoss(cells, [0, 0, 2, 2]), 5);
  assertSame(mmdLoss(cells, [7, 7, 3, 3]), 5);
});

Deno.test("mmdLoss() averages over pairs of batches", () => {
  assertSame(mmdLoss(f64([[0], [1], [5]]), [0, 1, 2]), (1 + 5 + 4) / 3);
});

Deno.test("mmdLoss() with rbf is the biased estimate by definition", () => {
  const k = (distance: number) => Math.exp(-distance / 8);
  const within = (2 * k(0) + 2 * k(1)) / 4;
  const between = (k(9) + k(4)) / 2;
  const loss = mmdLoss(f64([[0], [1], [3]]), [0, 0, 1], { kernel: "rbf", bandwidths: [2] });
  assertSame(loss, within + 1 - 2 * between);
});

Deno.test("mmdLoss() with rbf averages over bandwidths, 1 to 16 by default", () => {
  fc.assert(
    fc.property(cellCases(), ({ cells, labels }) => {
      const losses = [1, 2, 4, 8, 16].map((width) =>
        mmdLoss(cells, labels, { kernel: "rbf", bandwidths: [width] })
      );
      const mean = losses.reduce((a, b) => a.add(b)).div(5);
      assertSame(mmdLoss(cells, labels, { kernel: "rbf" }), mean);
    }),
    RUNS,
  );
});

for (const kernel of KERNELS) {
  const loss = (cells: Tensor, labels: Tensor) => mmdLoss(cells, labels, { kernel });
  const name = `mmdLoss() with ${kernel}`;

  Deno.test(`${name} is at least 0`, () => {
    fc.assert(
      fc.property(cellCases(), ({ cells, labels }) => {
        assertGreaterOrEqual(loss(cells, labels).item(), -1e-12);
      }),
      RUNS,
    );
  });

  Deno.test(`${name} is invariant to translation, rotation and the order of cells`, () => {
    fc.assert(
      fc.property(cellCases(), gridNumbers(-9, 9), ({ cells, labels, order, rotation }, shift) => {
        const moved = reorder(cells, order).matmul(rotation).add(shift);
        assertAllClose(loss(moved, reorder(labels, order)), loss(cells, labels), { rtol: 1e-10 });
      }),
      RUNS,
    );
  });

  Deno.test(`${name} does not depend on the names of the batches`, () => {
    fc.assert(
      fc.property(cellCases(), ({ cells, labels }) => {
        const renamed = i32([40, 7, 19]).gather(labels);
        assertSame(loss(cells, renamed), loss(cells, labels));
      }),
      RUNS,
    );
  });

  Deno.test(`${name} does not change when all cells of a batch are doubled`, () => {
    fc.assert(
      fc.property(cellCases(), ({ cells, labels }) => {
        const first = [...labels.data].flatMap((label, i) => label === labels.data[0] ? [i] : []);
        const all = [...labels.data.keys(), ...first];
        assertSame(loss(reorder(cells, all), reorder(labels, all)), loss(cells, labels));
      }),
      RUNS,
    );
  });

  Deno.test(`${name} of a single batch is 0 with gradient 0`, () => {
    const cells = f64([[1, 2], [3, 4]]);
    assertSame(loss(cells, i32([5, 5])), 0);
    assertAllZero(grad((x: Tensor) => loss(x, i32([5, 5])))(cells));
  });

  Deno.test(`${name} of batches of the same cells is 0 with gradient 0`, () => {
    const cells = f64([[1, 2], [3, 5], [1, 2], [3, 5]]);
    const labels = i32([0, 0, 1, 1]);
    assertSame(loss(cells, labels), 0);
    assertAllClose(grad((x: Tensor) => loss(x, labels))(cells), cells.mul(0));
  });

  Deno.test(`${name} gives the same for nBatches, where batches may be empty`, () => {
    fc.assert(
      fc.property(cellCases(), ({ cells, labels }) => {
        assertSame(mmdLoss(cells, labels, { kernel, nBatches: 5 }), loss(cells, labels));
      }),
      RUNS,
    );
  });

  Deno.test(`${name} has right gradients of first and second order`, () => {
    fc.assert(
      fc.property(cellCases(3), ({ cells, labels }) => {
        checkGradients((x) => loss(x, labels), [cells], { order: 2 });
      }),
      FEW_RUNS,
    );
  });

  Deno.test(`${name} is finite for extreme cells`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      const cells = f64([[1e4, -1e4], [0, 0], [0, 0], [-1e4, 1e4], [1e-30, 0]]).cast(dtype);
      assertFinite((x) => loss(x, i32([0, 0, 2, 3, 9])), [cells]);
    }
  });
}

Deno.test("mmdLoss() with linear grows with the scale of the features", () => {
  fc.assert(
    fc.property(cellCases(), gridNumbers(0.1, 9), ({ cells, labels }, scale) => {
      assertSame(mmdLoss(cells.mul(scale), labels), mmdLoss(cells, labels).mul(scale));
    }),
    RUNS,
  );
});

Deno.test("mmdLoss() with rbf lies below 2", () => {
  fc.assert(
    fc.property(cellCases(), ({ cells, labels }) => {
      const options = { kernel: "rbf", bandwidths: [0.1] } as const;
      assert(mmdLoss(cells.mul(100), labels, options).item() <= 2);
    }),
    RUNS,
  );
});

Deno.test("mmdLoss() with rbf sees a difference that the means do not", () => {
  const cells = f64([[-1], [1], [0], [0]]);
  const labels = [0, 0, 1, 1];
  assertSame(mmdLoss(cells, labels), 0);
  assertGreater(mmdLoss(cells, labels, { kernel: "rbf" }).item(), 0.01);
});

Deno.test("mmdLoss() keeps its digits far from the origin in float32", () => {
  const cells = f64([[0, 0], [1, 0], [0, 2], [1, 2]]).cast("float32");
  for (const kernel of KERNELS) {
    const far = mmdLoss(cells.add(4096), [0, 0, 1, 1], { kernel });
    assertAllClose(far, mmdLoss(cells, [0, 0, 1, 1], { kernel }));
  }
});

testMisuse("mmdLoss", [
  [
    "another number of labels",
    () => mmdLoss([[1], [2]], [0]),
    TypeError,
    "Cannot compute mmdLoss as features and batchLabels must have the same number of cells: " +
    "current values are 2 and 1",
  ],
  [
    "features that are no matrix",
    () => mmdLoss([1, 2], [0, 1]),
    TypeError,
    "Cannot compute mmdLoss as features must have the shape [cells, features]: " +
    "current shape is [2]",
  ],
  [
    "labels that are not whole",
    () => mmdLoss([[1], [2]], [0, 1.5]),
    TypeError,
    "Cannot compute mmdLoss as batchLabels must be whole numbers (int32): " +
    "current value at position 1 is 1.5",
  ],
  [
    "a negative label",
    () => mmdLoss([[1], [2]], [0, -1]),
    RangeError,
    "Cannot compute mmdLoss as batchLabels must be at least 0: current value at position 1 is -1",
  ],
  [
    "a label that is not below nBatches",
    () => mmdLoss([[1], [2]], [0, 2], { nBatches: 2 }),
    RangeError,
    "Cannot compute mmdLoss as batchLabels must be in [0, 1]: current value at position 1 is 2; " +
    "set nBatches to the number of batches",
  ],
  [
    "a number of batches that is not whole",
    () => mmdLoss([[1]], [0], { nBatches: 1.5 }),
    RangeError,
    "Cannot compute mmdLoss as nBatches must be a whole number at least 1: current value is 1.5",
  ],
  [
    "an unknown kernel",
    () => mmdLoss([[1]], [0], { kernel: "gaussian" as never }),
    TypeError,
    "Cannot compute mmdLoss as kernel must be one of linear, rbf: current value is gaussian",
  ],
  [
    "bandwidths for the linear kernel",
    () => mmdLoss([[1]], [0], { bandwidths: [1] }),
    TypeError,
    "Cannot compute mmdLoss as bandwidths belong to the kernel rbf: current kernel is linear",
  ],
  [
    "no bandwidths",
    () => mmdLoss([[1]], [0], { kernel: "rbf", bandwidths: [] }),
    TypeError,
    "Cannot compute mmdLoss as bandwidths must be an array of at least one number: " +
    "current value is []",
  ],
  [
    "bandwidths that are no array",
    () => mmdLoss([[1]], [0], { kernel: "rbf", bandwidths: 2 as never }),
    TypeError,
    "Cannot compute mmdLoss as bandwidths must be an array of at least one number: " +
    "current value is 2",
  ],
  [
    "a bandwidth of 0",
    () => mmdLoss([[1]], [0], { kernel: "rbf", bandwidths: [1, 0] }),
    RangeError,
    "Cannot compute mmdLoss as bandwidths[1] must be a finite number above 0: current value is 0",
  ],
  [
    "an unknown option",
    () => mmdLoss([[1]], [0], { sigma: 1 } as never),
    TypeError,
    "Cannot compute mmdLoss as there is no option sigma: did you mean bandwidths? The " +
    "options are kernel, bandwidths, nBatches",
  ],
]);

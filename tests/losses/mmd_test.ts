import {
  compile,
  concat,
  grad,
  pairwiseDistance,
  stack,
  type Tensor,
  tensor,
  vmap,
} from "@cellgrad/cellgrad";
import { energyDistance, mmdLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertRejects,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/compute_mmd.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import goldenKernels from "../golden/mmd_kernels.json" with { type: "json" };
import { cellCases, f64, i32, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const WIDE = ["rbf", "laplacian", "rationalQuadratic"] as const;
const PAIRED = [...WIDE, "energy"] as const;
const KERNELS = ["linear", ...PAIRED] as const;

const KERNEL_OF = {
  rbf: (distance: number, width: number) => Math.exp(-((distance / width) ** 2) / 2),
  laplacian: (distance: number, width: number) => Math.exp(-distance / width),
  rationalQuadratic: (distance: number, width: number) => 1 / (1 + (distance / width) ** 2 / 2),
  energy: (distance: number, _width: number) => -distance,
};

for (const kernel of WIDE) {
  Deno.test(`mmdLoss() with ${kernel} is the mean over kernels of any bandwidths, in any order`, () => {
    const x = f64([[0, 1], [2, 0.5], [-1, 3], [0.3, -2], [1, 1]]);
    const batches = [0, 1, 0, 1, 1];
    const of = (bandwidths: number[]) => mmdLoss(x, batches, { kernel, bandwidths });
    const all = [1, 8, 2, 6, 0.5, 4, 3, 1.5, 0.25, 0.25, 16, 32];
    const mean = all.map((width) => of([width]).item()).reduce((a, b) => a + b) / all.length;
    assertAlmostEquals(of(all).item(), mean, 1e-14);
  });
}

for (const kernel of ["rbf", "laplacian"] as const) {
  Deno.test(`mmdLoss() with ${kernel} stays within 16 roundings of float32, however many bandwidths`, () => {
    const bandwidths = [1, 2, 4, 8, 16, 32];
    for (let i = 1; i < 40; i++) {
      const x = [[0], [i / 8]];
      const narrow = mmdLoss(x, [0, 1], { kernel, bandwidths });
      const wide = mmdLoss(f64(x), [0, 1], { kernel, bandwidths });
      // Of two cells, the loss is 2 − 2k.
      assertAlmostEquals(narrow.item(), wide.item(), 16 * 2 ** -24);
    }
  });
}

Deno.test("mmdLoss() with kernels agrees with the golden vectors", () => {
  checkGolden(goldenKernels, GOLDEN_FUNCTIONS.mmd_kernels!);
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

for (const kernel of PAIRED) {
  const k = (distance: number) => KERNEL_OF[kernel](distance, 2);
  const options = kernel === "energy" ? { kernel } : { kernel, bandwidths: [2] };
  const cells = f64([[0], [1], [3]]);
  const between = (k(3) + k(2)) / 2;

  Deno.test(`mmdLoss() with ${kernel} is the biased estimate by definition`, () => {
    const within = (2 * k(0) + 2 * k(1)) / 4;
    assertSame(mmdLoss(cells, [0, 0, 1], options), within + k(0) - 2 * between);
  });

  Deno.test(`mmdLoss() with ${kernel} compares no cell with itself where unbiased`, () => {
    const loss = (x: Tensor, labels: number[]) =>
      mmdLoss(x, labels, { ...options, unbiased: true });
    assertSame(loss(cells, [0, 0, 1]), k(1) + k(0) - 2 * between); // a cell alone keeps its own
    const four = f64([[0], [1], [3], [7]]);
    const means = [k(3), k(7), k(2), k(6)].reduce((a, b) => a + b) / 4;
    assertSame(loss(four, [0, 0, 1, 1]), k(1) + k(4) - 2 * means);
  });

  Deno.test(`mmdLoss() with ${kernel} takes half the batch for the whole in the mean, unbiased`, () => {
    // Over all halves of six cells, the unbiased mean within a batch is that of all of them.
    const all = f64([[0], [1], [3], [7], [-2], [0.5]]);
    const distant = f64([[1e3], [1e3 + 1]]);
    const loss = (chosen: number[]) => {
      const x = reorder(all, chosen);
      const n = chosen.length;
      const labels = [...chosen.map(() => 0), 1, 1];
      const pairs = mmdLoss(concat([x, distant]), labels, { ...options, unbiased: true });
      const apart = chosen.flatMap((i) => [1e3, 1e3 + 1].map((at) => k(at - all.data[i]!)));
      return pairs.item() + 2 * apart.reduce((a, b) => a + b) / (2 * n);
    };
    const halves = [0, 1, 2, 3, 4, 5].flatMap((i, _, at) =>
      at.slice(i + 1).flatMap((j) => at.slice(j + 1).map((l) => [i, j, l]))
    );
    const mean = halves.map(loss).reduce((a, b) => a + b) / halves.length;
    assertAlmostEquals(mean, loss([0, 1, 2, 3, 4, 5]), 1e-8);
  });
}

for (const kernel of WIDE) {
  Deno.test(`mmdLoss() with ${kernel} averages over bandwidths, 1 to 16 by default`, () => {
    fc.assert(
      fc.property(cellCases(), ({ cells, labels }) => {
        const losses = [1, 2, 4, 8, 16].map((width) =>
          mmdLoss(cells, labels, { kernel, bandwidths: [width] })
        );
        const mean = losses.reduce((a, b) => a.add(b)).div(5);
        assertSame(mmdLoss(cells, labels, { kernel }), mean);
      }),
      RUNS,
    );
  });
}

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

for (const kernel of KERNELS) {
  Deno.test(`mmdLoss() with ${kernel} takes a whole weight for so many cells, and 0 for none`, () => {
    fc.assert(
      fc.property(cellCases(), fc.infiniteStream(fc.integer({ min: 0, max: 3 })), (c, stream) => {
        const weights = [...stream.take(c.cells.shape[0]!)];
        const copies = weights.flatMap((count, i) => Array<number>(count).fill(i));
        if (copies.length === 0) return;
        assertSame(
          mmdLoss(c.cells, c.labels, { kernel, weights }),
          mmdLoss(reorder(c.cells, copies), reorder(c.labels, copies), { kernel }),
        );
        const scaled = f64(weights).mul(0.3);
        assertSame(
          mmdLoss(c.cells, c.labels, { kernel, weights: scaled }),
          mmdLoss(c.cells, c.labels, { kernel, weights }),
        );
      }),
      RUNS,
    );
  });

  Deno.test(`mmdLoss() with ${kernel} has the right gradient by weights`, () => {
    fc.assert(
      fc.property(cellCases(3), ({ cells, labels }) => {
        const weights = f64(Array.from({ length: cells.shape[0]! }, (_, i) => 1 + Math.sin(i)));
        const loss = (x: Tensor, weights: Tensor) => mmdLoss(x, labels, { kernel, weights });
        checkGradients(loss, [cells, weights], { order: 2 });
      }),
      FEW_RUNS,
    );
  });
}

Deno.test("mmdLoss() with energy is the energy distance, unbiased and weighted too", () => {
  fc.assert(
    fc.property(cellCases(2), fc.boolean(), ({ cells, labels, shares }, unbiased) => {
      const codes = [...labels.data].map((label) => Math.min(label, 1));
      const places = [0, 1].map((batch) => codes.flatMap((code, i) => code === batch ? [i] : []));
      if (places.some((at) => at.length === 0)) return;
      const weights = shares.sum({ axis: 1 }).mul(cells.sum({ axis: 1 }).abs().add(0.1));
      const [x, y] = places.map((at) => reorder(cells, at));
      const [weightsX, weightsY] = places.map((at) => reorder(weights, at));
      assertSame(
        mmdLoss(cells, codes, { kernel: "energy", weights, unbiased }),
        energyDistance(x!, y!, { weightsX, weightsY, unbiased }),
      );
    }),
    RUNS,
  );
});

for (const kernel of WIDE) {
  const median = (x: Tensor, labels: Tensor) =>
    mmdLoss(x, labels, { kernel, bandwidths: "median" });

  Deno.test(`mmdLoss() with ${kernel} takes the median distance for its width, without a gradient`, () => {
    fc.assert(
      fc.property(cellCases(2), ({ cells, labels }) => {
        const all = (pairwiseDistance(cells).toArray() as number[][])
          .flatMap((row, i) => row.slice(i + 1)).sort((a, b) => a - b);
        const middle = (all[(all.length - 1) >> 1]! + all[all.length >> 1]!) / 2;
        const width = middle === 0 ? 1 : middle;
        const given = (x: Tensor) => mmdLoss(x, labels, { kernel, bandwidths: [width] });
        assertSame(median(cells, labels), given(cells));
        assertSame(grad((x: Tensor) => median(x, labels))(cells), grad(given)(cells));
      }),
      RUNS,
    );
  });

  Deno.test(`mmdLoss() with ${kernel} and the median does not depend on the scale`, () => {
    fc.assert(
      fc.property(cellCases(2), gridNumbers(0.1, 9), ({ cells, labels }, scale) => {
        const all = pairwiseDistance(cells).data.filter((d) => d > 0).length;
        if (all <= cells.shape[0]! ** 2 / 2) return; // the median may be 0
        assertSame(median(cells.mul(scale), labels), median(cells, labels));
      }),
      RUNS,
    );
  });

  Deno.test(`mmdLoss() with ${kernel} and the median is finite where cells coincide`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      const cells = f64([[1, 2], [1, 2], [1, 2], [5, 5]]).cast(dtype);
      assertFinite((x) => median(x, i32([0, 1, 0, 1])), [cells]);
      assertFinite((x) => median(x, i32([0])), [f64([[1, 2]])]);
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

for (const kernel of WIDE) {
  Deno.test(`mmdLoss() with ${kernel} lies below 2`, () => {
    fc.assert(
      fc.property(cellCases(), ({ cells, labels }) => {
        const options = { kernel, bandwidths: [0.1] } as const;
        assert(mmdLoss(cells.mul(100), labels, options).item() <= 2);
      }),
      RUNS,
    );
  });
}

for (const kernel of PAIRED) {
  Deno.test(`mmdLoss() with ${kernel} sees a difference that the means do not`, () => {
    const cells = f64([[-1], [1], [0], [0]]);
    const labels = [0, 0, 1, 1];
    assertSame(mmdLoss(cells, labels), 0);
    assertGreater(mmdLoss(cells, labels, { kernel }).item(), 0.01);
  });
}

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
    "Cannot compute mmdLoss as kernel must be one of linear, energy, rbf, laplacian, " +
    "rationalQuadratic: current value is gaussian",
  ],
  [
    "bandwidths for the linear kernel",
    () => mmdLoss([[1]], [0], { bandwidths: [1] }),
    TypeError,
    "Cannot compute mmdLoss as bandwidths belong to the kernels rbf, laplacian, rationalQuadratic: " +
    "current kernel is linear",
  ],
  [
    "a median for the energy kernel",
    () => mmdLoss([[1]], [0], { kernel: "energy", bandwidths: "median" }),
    TypeError,
    "Cannot compute mmdLoss as bandwidths belong to the kernels rbf, laplacian, rationalQuadratic: " +
    "current kernel is energy",
  ],
  [
    "an unbiased distance of means",
    () => mmdLoss([[1]], [0], { unbiased: true }),
    TypeError,
    "Cannot compute mmdLoss as the kernel linear has no pairs of cells for unbiased: choose one of " +
    "energy, rbf, laplacian, rationalQuadratic",
  ],
  [
    "unbiased that is neither true nor false",
    () => mmdLoss([[1]], [0], { kernel: "rbf", unbiased: 1 as never }),
    TypeError,
    "Cannot compute mmdLoss as unbiased must be true or false: current value is 1",
  ],
  [
    "another number of weights",
    () => mmdLoss([[1], [2]], [0, 1], { weights: [1] }),
    TypeError,
    "Cannot compute mmdLoss as features and weights must have the same number of cells: " +
    "current values are 2 and 1",
  ],
  [
    "a negative weight",
    () => mmdLoss([[1], [2]], [0, 1], { weights: [1, -1] }),
    RangeError,
    "Cannot compute mmdLoss as weights must be at least 0: current value at position 1 is -1",
  ],
  [
    "no bandwidths",
    () => mmdLoss([[1]], [0], { kernel: "rbf", bandwidths: [] }),
    TypeError,
    "Cannot compute mmdLoss as bandwidths must be an array of at least one number, or " +
    '"median": ' +
    "current value is []",
  ],
  [
    "bandwidths that are no array",
    () => mmdLoss([[1]], [0], { kernel: "rbf", bandwidths: 2 as never }),
    TypeError,
    "Cannot compute mmdLoss as bandwidths must be an array of at least one number, or " +
    '"median": ' +
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
    "options are kernel, bandwidths, nBatches, unbiased, weights",
  ],
]);

Deno.test("mmdLoss() asks for nBatches where labels are arguments of a program, or mapped", async () => {
  const loss = (labels: Tensor) => mmdLoss([[1], [2]], labels);
  const labels = tensor([0, 1], { dtype: "int32" });
  const why = "Cannot compute mmdLoss as nBatches must be given where batchLabels are an argument";
  await assertRejects(() => compile(loss, [labels]), TypeError, why);
  assertThrows(() => vmap(loss)(stack([labels, labels])), TypeError, why);
  const known = vmap((labels: Tensor) => mmdLoss([[1], [2]], labels, { nBatches: 2 }));
  assertEquals(known(stack([labels, labels])).toArray(), [
    loss(labels).item(),
    loss(labels).item(),
  ]);
});

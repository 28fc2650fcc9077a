import { grad, oneHot, type Tensor, variance } from "@cellgrad/cellgrad";
import { clusteringCompactnessLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/clustering_compactness.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { cellCases, f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const loss = clusteringCompactnessLoss;
const COMPACT = { separationWeight: 0 };

Deno.test("clusteringCompactnessLoss() agrees with the golden vectors", () => {
  checkGolden(golden, ({ embeddings, assignments, centroids }, p) =>
    loss(embeddings, assignments, {
      centroids,
      separationWeight: p.separation_weight,
      minSeparation: p.min_separation,
      hingeSoftness: p.hinge_softness,
    }));
});

Deno.test("clusteringCompactnessLoss() has weights of 1 and a softness of 0.1 by default", () => {
  const [cells, shares] = [f64([[0], [1], [2]]), f64([[1, 0], [0.5, 0.5], [0, 1]])];
  const options = { separationWeight: 1, minSeparation: 1, hingeSoftness: 0.1 };
  assertSame(loss(cells, shares), loss(cells, shares, options));
});

Deno.test("clusteringCompactnessLoss() is at least 0", () => {
  fc.assert(
    fc.property(cellCases(), gridNumbers(0, 1), ({ cells, shares }, hingeSoftness) => {
      assertGreaterOrEqual(loss(cells, shares, { hingeSoftness }).item(), 0);
    }),
    RUNS,
  );
});

Deno.test("clusteringCompactnessLoss() is invariant to translation, rotation and order", () => {
  fc.assert(
    fc.property(cellCases(), gridNumbers(-9, 9), ({ cells, shares, order, rotation }, shift) => {
      const moved = reorder(cells, order).matmul(rotation).add(shift);
      assertAllClose(loss(moved, reorder(shares, order)), loss(cells, shares), {
        rtol: 1e-5,
        atol: 1e-6,
      });
    }),
    RUNS,
  );
});

Deno.test("clusteringCompactnessLoss() does not depend on the order of the clusters", () => {
  fc.assert(
    fc.property(cellCases(), ({ cells, shares }) => {
      const renamed = reorder(shares.transpose(), [1, 2, 0]).transpose();
      assertSame(loss(cells, renamed), loss(cells, shares));
    }),
    RUNS,
  );
});

Deno.test("clusteringCompactnessLoss() without separation grows with the square of the scale", () => {
  fc.assert(
    fc.property(cellCases(), gridNumbers(0.1, 9), ({ cells, shares }, scale) => {
      const scaled = loss(cells.mul(scale), shares, COMPACT);
      assertSame(scaled, loss(cells, shares, COMPACT).mul(scale ** 2));
    }),
    RUNS,
  );
});

Deno.test("clusteringCompactnessLoss() of one-hot rows is the mean square within clusters", () => {
  const shares = oneHot([0, 0, 1, 1], 2, { dtype: "float64" });
  fc.assert(
    fc.property(floats([4, 2]), (cells) => {
      const [first, second] = [cells.slice(0, 2), cells.slice(2)].map((x) =>
        variance(x, { axis: 0 }).sum()
      );
      assertAllClose(loss(cells, shares, COMPACT), first!.add(second!).div(2));
    }),
    RUNS,
  );
});

Deno.test("clusteringCompactnessLoss() averages the separation over pairs of clusters", () => {
  const centroids = f64([[0], [0.25], [4]]);
  const options = { centroids, hingeSoftness: 0 };
  const far = Math.sqrt(0.0625 + 1e-8);
  assertAlmostEquals(loss(f64([[0]]), f64([[1, 0, 0]]), options).item(), 2 * (1 - far) / 6, 1e-9);
});

Deno.test("clusteringCompactnessLoss() still has 0.0693 of soft hinge at the minimal distance", () => {
  const centroids = f64([[0], [1]]);
  assertAlmostEquals(loss(f64([[0]]), f64([[1, 0]]), { centroids }).item(), 0.0693, 1e-4);
});

Deno.test("clusteringCompactnessLoss() with a sharp hinge has no penalty beyond the distance", () => {
  const options = { centroids: f64([[0], [1.5]]), hingeSoftness: 0 };
  assertSame(loss(f64([[0]]), f64([[1, 0]]), options), 0);
});

Deno.test("clusteringCompactnessLoss() approaches the sharp hinge as the softness shrinks", () => {
  fc.assert(
    fc.property(cellCases(), ({ cells, shares }) => {
      const [soft, sharp] = [1e-6, 0].map((hingeSoftness) =>
        loss(cells, shares, { hingeSoftness })
      );
      assertAllClose(soft!, sharp!, { atol: 1e-6 });
    }),
    RUNS,
  );
});

Deno.test("clusteringCompactnessLoss() weighs the separation", () => {
  fc.assert(
    fc.property(cellCases(), gridNumbers(0, 5), ({ cells, shares }, separationWeight) => {
      const compact = loss(cells, shares, COMPACT);
      const separation = loss(cells, shares).sub(compact);
      const weighted = loss(cells, shares, { separationWeight });
      assertAllClose(weighted, compact.add(separation.mul(separationWeight)), { rtol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("clusteringCompactnessLoss() of a single cluster has no separation", () => {
  const [cells, shares] = [f64([[0], [2]]), f64([[1], [1]])];
  assertAlmostEquals(loss(cells, shares, { separationWeight: 100 }).item(), 1, 1e-9);
});

Deno.test("clusteringCompactnessLoss() gives coincident centroids no separation gradient", () => {
  const apart = (c: Tensor) => loss(f64([[0, 0]]), f64([[0, 0]]), { centroids: c });
  assertAllZero(grad(apart)(f64([[1, 2], [1, 2]])));
});

Deno.test("clusteringCompactnessLoss() moves only given centroids apart", () => {
  const [cells, centroids] = [f64([[0, 0], [1, 0]]), f64([[0, 0], [0.5, 0]])];
  const shares = f64([[0, 0], [0, 0]]);
  const both = (e: Tensor, c: Tensor) => loss(e, shares, { centroids: c });
  const [byCells, byCentroids] = grad(both, { argnums: [0, 1] })(cells, centroids);
  assertAllZero(byCells);
  assertGreater(byCentroids.data[0]!, 0);
});

Deno.test("clusteringCompactnessLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(cellCases(2), floats([3, 3]), ({ cells, shares }, corners) => {
      const centroids = corners.slice([0, 0], [3, cells.shape[1]!]);
      checkGradients((e, a) => loss(e, a, { minSeparation: 2 }), [cells, shares], { order: 2 });
      const given = (e: Tensor, a: Tensor, c: Tensor) => loss(e, a, { centroids: c });
      checkGradients(given, [cells, shares, centroids], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("clusteringCompactnessLoss() has right gradients with a sharp hinge", () => {
  const options = { hingeSoftness: 0, minSeparation: 3 };
  const inputs = [f64([[0], [1], [5]]), f64([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])];
  assertEquals(checkGradients((e, a) => loss(e, a, options), inputs, { order: 2 }).skipped, 0);
});

Deno.test("clusteringCompactnessLoss() is finite for extreme cells and empty clusters", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const cells = f64([[1e4, -1e4], [1e4, -1e4], [0, 0]]).cast(dtype);
    const shares = f64([[1, 0, 0], [1, 0, 0], [0, 1, 0]]).cast(dtype);
    assertFinite((e, a) => loss(e, a), [cells, shares]);
    assertFinite((e, a) => loss(e, a, { hingeSoftness: 1e-3 }), [cells, shares.mul(0)]);
  }
});

testMisuse("clusteringCompactnessLoss", [
  [
    "another number of cells",
    () => loss([[1], [2]], [[1]]),
    TypeError,
    "Cannot compute clusteringCompactnessLoss as embeddings and assignments must have the same " +
    "number of cells: current values are 2 and 1",
  ],
  [
    "assignments that are no matrix",
    () => loss([[1]], [1]),
    TypeError,
    "Cannot compute clusteringCompactnessLoss as assignments must have the shape " +
    "[cells, clusters]: current shape is [1]",
  ],
  [
    "centroids of another shape",
    () => loss([[1]], [[1, 0]], { centroids: [[1]] }),
    TypeError,
    "Cannot compute clusteringCompactnessLoss as centroids must have the shape [2, 1]: " +
    "current shape is [1, 1]",
  ],
  [
    "a negative weight",
    () => loss([[1]], [[1]], { separationWeight: -1 }),
    RangeError,
    "Cannot compute clusteringCompactnessLoss as separationWeight must be a finite number at " +
    "least 0: current value is -1",
  ],
  [
    "a negative distance",
    () => loss([[1]], [[1]], { minSeparation: -1 }),
    RangeError,
    "Cannot compute clusteringCompactnessLoss as minSeparation must be a finite number at " +
    "least 0: current value is -1",
  ],
  [
    "a negative softness",
    () => loss([[1]], [[1]], { hingeSoftness: -0.1 }),
    RangeError,
    "Cannot compute clusteringCompactnessLoss as hingeSoftness must be a finite number at " +
    "least 0: current value is -0.1",
  ],
  [
    "an unknown option",
    () => loss([[1]], [[1]], { margin: 1 } as never),
    TypeError,
    "Cannot compute clusteringCompactnessLoss as there is no option margin: " +
    "the options are centroids, separationWeight, minSeparation, hingeSoftness, check",
  ],
]);

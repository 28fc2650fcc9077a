import { grad, type Tensor } from "@cellgrad/cellgrad";
import { centerLoss, clusteringCompactnessLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, integers, RUNS } from "../arbitraries.ts";
import golden from "../golden/center.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  cells: floats([5, 2]),
  labels: integers([5], 0, 2),
  centers: floats([3, 2]),
});

Deno.test("centerLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.center!);
});

Deno.test("centerLoss() is half the spread of clusteringCompactnessLoss() with given centroids", () => {
  fc.assert(
    fc.property(cases, ({ cells, labels, centers }) => {
      const shares = labels.expandDims(1).equal([0, 1, 2]).cast("float64");
      const options = { centroids: centers, separationWeight: 0 };
      const spread = clusteringCompactnessLoss(cells, shares, options);
      assertSame(centerLoss(cells, labels, centers), spread.div(2));
    }),
    RUNS,
  );
});

Deno.test("centerLoss() is invariant to the order and place of cells", () => {
  fc.assert(
    fc.property(cases, ({ cells, labels, centers }) => {
      const order = [3, 1, 4, 0, 2];
      const moved = centerLoss(
        reorder(cells, order).add(1),
        reorder(labels, order),
        centers.add(1),
      );
      assertSame(moved, centerLoss(cells, labels, centers));
    }),
    RUNS,
  );
});

Deno.test("centerLoss() gives each centre the sum over its cells, and none without cells", () => {
  const [cells, centers] = [f64([[2], [4], [9]]), f64([[1], [5], [7]])];
  const pulled = grad((c: Tensor) => centerLoss(cells, [0, 0, 2], c))(centers);
  assertSame(pulled, f64([[-4 / 3], [0], [-2 / 3]]));
});

Deno.test("centerLoss() of cells on their centres is 0 with gradient 0", () => {
  const places = f64([[1, 2], [3, 4]]);
  assertEquals(centerLoss(places, [0, 1], places).item(), 0);
  assertAllZero(grad((x: Tensor) => centerLoss(x, [0, 1], places))(places));
});

Deno.test("centerLoss() keeps its digits far from the origin", () => {
  const [cells, centers] = [f64([[1e6 + 0.25, 0]]), f64([[1e6, 0]])];
  assertSame(centerLoss(cells.cast("float32"), [0], centers.cast("float32")), 1 / 32);
});

Deno.test("centerLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(cases, ({ cells, labels, centers }) => {
      checkGradients((x, c) => centerLoss(x, labels, c), [cells, centers], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("centerLoss() is finite for extreme cells", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const cells = f64([[1e4, -1e4], [0, 0]]).cast(dtype);
    assertFinite((x, c) => centerLoss(x, [1, 0], c), [cells, cells.neg()]);
  }
});

testMisuse("centerLoss", [
  [
    "embeddings that are no matrix",
    () => centerLoss([1, 2], [0, 1], [[1]]),
    TypeError,
    "Cannot compute centerLoss as embeddings must have the shape [cells, features]: " +
    "current shape is [2]",
  ],
  [
    "no cells",
    () => centerLoss(f64(new Float64Array(0)).reshape([0, 1]), [], [[1]]),
    TypeError,
    "Cannot compute centerLoss as embeddings must hold at least one cell: " +
    "current shape is [0, 1]",
  ],
  [
    "centres of other features",
    () => centerLoss([[1, 2]], [0], [[1]]),
    TypeError,
    "Cannot compute centerLoss as centers must have the shape [classes, 2]: " +
    "current shape is [1, 1]",
  ],
  [
    "labels of other cells",
    () => centerLoss([[1, 2]], [0, 1], [[1, 2]]),
    TypeError,
    "Cannot compute centerLoss as embeddings and labels must have the same number of cells: " +
    "current values are 1 and 2",
  ],
  [
    "a label without a centre",
    () => centerLoss([[1, 2]], [1], [[1, 2]]),
    RangeError,
    "Cannot compute centerLoss as labels must be in [0, 0]: current value at position 0 is 1",
  ],
  [
    "an argument too many",
    () => (centerLoss as (...x: unknown[]) => unknown)([[1]], [0], [[1]], {}),
    TypeError,
    "Cannot compute centerLoss as it takes nothing after centers: current value is an object",
  ],
]);

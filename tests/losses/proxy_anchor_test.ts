import { grad, type Tensor } from "@cellgrad/cellgrad";
import { proxyAnchorLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, integers, RUNS } from "../arbitraries.ts";
import golden from "../golden/proxy_anchor.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  cells: floats([5, 2], 0.2, 3),
  labels: integers([5], 0, 2),
  proxies: floats([3, 2], -3, -0.2),
  lengths: floats([5, 1], 0.1, 9),
});

Deno.test("proxyAnchorLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.proxy_anchor!);
});

Deno.test("proxyAnchorLoss() has a margin of 0.1 and an alpha of 32 by default", () => {
  const loss = proxyAnchorLoss(f64([[0, 1]]), f64([[1, 0]]), [0]);
  assertSame(loss, Math.log1p(Math.exp(3.2)));
});

Deno.test("proxyAnchorLoss() does not see lengths, nor the order of cells", () => {
  fc.assert(
    fc.property(cases, ({ cells, labels, proxies, lengths }) => {
      const order = [3, 1, 4, 0, 2];
      const moved = reorder(cells.mul(lengths), order);
      const loss = proxyAnchorLoss(moved, proxies.mul(7), reorder(labels, order));
      assertSame(loss, proxyAnchorLoss(cells, proxies, labels));
    }),
    RUNS,
  );
});

Deno.test("proxyAnchorLoss() is invariant to the numbering of classes", () => {
  fc.assert(
    fc.property(cases, ({ cells, labels, proxies }) => {
      const renamed = reorder(f64([1, 2, 0]), [...labels.data]).cast("int32");
      const loss = proxyAnchorLoss(cells, reorder(proxies, [2, 0, 1]), renamed);
      assertSame(loss, proxyAnchorLoss(cells, proxies, labels));
    }),
    RUNS,
  );
});

Deno.test("proxyAnchorLoss() counts a proxy without cells among those that push", () => {
  const [cells, proxies] = [f64([[1, 0, 0]]), f64([[1, 0, 0], [0, 1, 0], [0, 0, 1]])];
  const loss = proxyAnchorLoss(cells, proxies, [0], { margin: 0.5, alpha: 2 });
  assertSame(loss, Math.log1p(Math.exp(-1)) + (2 / 3) * Math.log1p(Math.E));
});

Deno.test("proxyAnchorLoss() draws cells to their own proxy", () => {
  const [cells, proxies] = [f64([[1, 0.5], [0.5, 1]]), f64([[1, 0], [0, 1]])];
  const f = (x: Tensor) => proxyAnchorLoss(x, proxies, [0, 1]);
  assertLess(f(cells.sub(grad(f)(cells).mul(1e-3))).item(), f(cells).item());
});

Deno.test("proxyAnchorLoss() keeps its digits where all is well", () => {
  const cells = f64([[1, 0], [-1, 0]]).cast("float32");
  const loss = proxyAnchorLoss(cells, cells, [0, 1], { margin: 0, alpha: 32 });
  assertAlmostEquals(loss.item() / (2 * Math.exp(-32)), 1, 1e-5);
});

Deno.test("proxyAnchorLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(cases, ({ cells, labels, proxies }) => {
      const f = (x: Tensor, p: Tensor) => proxyAnchorLoss(x, p, labels, { margin: 0.2, alpha: 3 });
      checkGradients(f, [cells, proxies], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("proxyAnchorLoss() is finite for extreme cells, proxies and alphas", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const cells = f64([[1e4, -1e4], [0, 0], [1e-8, 0], [0, 3]]).cast(dtype);
    const proxies = f64([[1, -1], [0, 0], [-1e4, 0], [1, 0]]).cast(dtype);
    for (const alpha of [1e-3, 32, 1e6]) {
      const f = (x: Tensor, p: Tensor) => proxyAnchorLoss(x, p, [2, 2, 0, 0], { alpha });
      assertFinite(f, [cells, proxies]);
    }
  }
});

Deno.test("proxyAnchorLoss() gives a cell of zeros a steep gradient", () => {
  const f = (x: Tensor) => proxyAnchorLoss(x, [[1, 0], [0, 1]], [0]);
  assertGreater(Math.abs(grad(f)(f64([[0, 0]])).data[0]!), 1e10);
});

Deno.test("proxyAnchorLoss() of one class has nothing to push", () => {
  const loss = proxyAnchorLoss(f64([[1, 0]]), f64([[1, 0]]), [0], { margin: 0, alpha: 1 });
  assertEquals(loss.item(), Math.log1p(Math.exp(-1)));
});

testMisuse("proxyAnchorLoss", [
  [
    "proxies of other features",
    () => proxyAnchorLoss([[1, 2]], [[1]], [0]),
    TypeError,
    "Cannot compute proxyAnchorLoss as proxies must have the shape [classes, 2]: " +
    "current shape is [1, 1]",
  ],
  [
    "a label without a proxy",
    () => proxyAnchorLoss([[1]], [[1]], [1]),
    RangeError,
    "Cannot compute proxyAnchorLoss as labels must be in [0, 0]: current value at position 0 is 1",
  ],
  [
    "a negative margin",
    () => proxyAnchorLoss([[1]], [[1]], [0], { margin: -1 }),
    RangeError,
    "Cannot compute proxyAnchorLoss as margin must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "an alpha of 0",
    () => proxyAnchorLoss([[1]], [[1]], [0], { alpha: 0 }),
    RangeError,
    "Cannot compute proxyAnchorLoss as alpha must be a finite number above 0: current value is 0",
  ],
  [
    "an unknown option",
    () => proxyAnchorLoss([[1]], [[1]], [0], { mrg: 0.1 } as never),
    TypeError,
    "Cannot compute proxyAnchorLoss as there is no option mrg: did you mean margin? The options " +
    "are margin, alpha",
  ],
  [
    "an argument too many",
    () => (proxyAnchorLoss as (...x: unknown[]) => unknown)([[1]], [[1]], [0], {}, 1),
    TypeError,
    "Cannot compute proxyAnchorLoss as it takes nothing after options: current value is 1",
  ],
]);

import { eye, grad, matmul, pairwiseSquaredDistance, type Tensor } from "@cellgrad/cellgrad";
import { hsic } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { key, normal } from "@cellgrad/cellgrad/random";
import fc from "fast-check";
import { FEW_RUNS, floats, permutations, RUNS } from "../arbitraries.ts";
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import golden from "../golden/hsic.json" with { type: "json" };
import { f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

Deno.test("hsic() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.hsic!);
});

const cells = fc.tuple(floats([5, 2]), floats([5, 1]));

Deno.test("hsic() is the trace by definition, 1 to 16 by default", () => {
  fc.assert(
    fc.property(cells, ([x, y]) => {
      const centre = eye(5, { dtype: "float64" }).sub(1 / 5);
      const kernel = (z: Tensor) =>
        [1, 2, 4, 8, 16].map((width) => pairwiseSquaredDistance(z).mul(-0.5 / width ** 2).exp())
          .reduce((a, b) => a.add(b)).div(5);
      const product = matmul(matmul(kernel(x), centre), matmul(kernel(y), centre));
      assertSame(hsic(x, y), product.mul(eye(5)).sum().div(16));
    }),
    RUNS,
  );
});

Deno.test("hsic() is at least 0, symmetric, and does not depend on order and place", () => {
  fc.assert(
    fc.property(cells, permutations(5), floats([1, 2]), ([x, y], order, shift) => {
      const found = hsic(x, y);
      assertGreaterOrEqual(found.item(), -1e-15);
      assertSame(hsic(y, x), found);
      const moved = hsic(reorder(x, order).add(shift), reorder(y, order));
      assertAllClose(moved, found, { rtol: 1e-9, atol: 1e-13 });
    }),
    RUNS,
  );
});

Deno.test("hsic() of equal rows is 0 with gradient 0", () => {
  const [x, same] = [f64([[1, 2], [3, 5], [0, 1]]), f64([[4], [4], [4]])];
  assertSame(hsic(x, same), 0);
  assertAllZero(grad((a: Tensor) => hsic(a, same))(x));
});

Deno.test("hsic() tells what depends from what does not, correlated or not", () => {
  const [x, noise] = [normal(key(0), [200, 1]), normal(key(1), [200, 1])];
  const options = { bandwidths: [1] };
  assertGreater(hsic(x, x.square(), options).item(), 0.02);
  assertLess(hsic(x, noise, options).item(), 0.003);
});

Deno.test("hsic() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(cells, ([x, y]) => {
      const loss = (a: Tensor, b: Tensor) => hsic(a, b, { bandwidths: [0.5, 3] });
      checkGradients(loss, [x, y], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("hsic() is finite for extreme cells", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const x = f64([[1e4, -1e4], [0, 0], [0, 0], [1e-30, 0]]).cast(dtype);
    assertFinite((a, b) => hsic(a, b), [x, x.mul(-1)]);
  }
});

Deno.test("hsic() keeps its digits in float32, far from the origin and with wide kernels", () => {
  const [x, y] = [normal(key(2), [60, 3]), normal(key(3), [60, 2])];
  const wide = { bandwidths: [16] };
  const exact = hsic(x.cast("float64"), y.cast("float64"), wide).item();
  assertAllClose(hsic(x, y, wide), exact, { rtol: 1e-3, atol: 0 });
  const rounded = x.add(512).sub(512);
  assertAllClose(hsic(rounded.add(512), y), hsic(rounded, y), { rtol: 1e-5, atol: 0 });
});

testMisuse("hsic", [
  [
    "another number of cells",
    () => hsic([[1], [2]], [[1]]),
    TypeError,
    "Cannot compute hsic as x and y must have the same number of cells: current values are 2 and 1",
  ],
  [
    "a single cell",
    () => hsic([[1]], [[1]]),
    TypeError,
    "Cannot compute hsic as x must hold at least 2 points: current shape is [1, 1]",
  ],
  [
    "cells that are no matrix",
    () => hsic([1, 2], [[1], [2]]),
    TypeError,
    "Cannot compute hsic as x must have the shape [cells, features]: current shape is [2]",
  ],
  [
    "a bandwidth of 0",
    () => hsic([[1], [2]], [[1], [2]], { bandwidths: [0] }),
    RangeError,
    "Cannot compute hsic as bandwidths[0] must be a finite number above 0: current value is 0",
  ],
  [
    "a median, of which there would be two",
    () => hsic([[1], [2]], [[1], [2]], { bandwidths: "median" as never }),
    TypeError,
    "Cannot compute hsic as bandwidths must be an array of at least one number: " +
    'current value is "median"',
  ],
  [
    "a hole among widths",
    // deno-lint-ignore no-sparse-arrays
    () => hsic([[1], [2]], [[1], [2]], { bandwidths: [1, , 2] as never }),
    TypeError,
    "Cannot compute hsic as bandwidths must be an array of at least one number: " +
    "current value is [1, , 2]",
  ],
  [
    "an unknown option",
    () => hsic([[1], [2]], [[1], [2]], { sigma: 1 } as never),
    TypeError,
    "Cannot compute hsic as there is no option sigma: did you mean bandwidths? The options are " +
    "bandwidths",
  ],
]);

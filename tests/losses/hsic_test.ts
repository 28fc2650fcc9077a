import {
  concat,
  eye,
  grad,
  matmul,
  pairwiseSquaredDistance,
  type Tensor,
} from "@cellgrad/cellgrad";
import { hsic } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { key, normal } from "@cellgrad/cellgrad/random";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, permutations, RUNS } from "../arbitraries.ts";
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

const weighted = fc.record({
  x: floats([5, 2]),
  y: floats([5, 1]),
  weights: floats([5], 0.1, 2),
});

Deno.test("hsic() of equal weights is the one without, and only their ratios count", () => {
  fc.assert(
    fc.property(weighted, gridNumbers(0.1, 9), ({ x, y, weights }, scale) => {
      const equal = hsic(x, y, { weights: f64([scale, scale, scale, scale, scale]) });
      assertAllClose(equal, hsic(x, y), { rtol: 1e-9, atol: 1e-13 });
      const found = hsic(x, y, { weights });
      assertAllClose(hsic(x, y, { weights: weights.mul(scale) }), found, { atol: 1e-13 });
      assertAllClose(hsic(y, x, { weights }), found, { atol: 1e-13 });
    }),
    RUNS,
  );
});

Deno.test("hsic() leaves cells of weight 0 out, wherever they are", () => {
  fc.assert(
    fc.property(weighted, floats([1, 2]), floats([1, 1]), ({ x, y, weights }, a, b) => {
      const more = hsic(concat([x, a]), concat([y, b]), { weights: concat([weights, [0]]) });
      assertAllClose(more, hsic(x, y, { weights }), { rtol: 1e-9, atol: 1e-13 });
    }),
    RUNS,
  );
});

Deno.test("hsic() of weights is the trace by definition", () => {
  fc.assert(
    fc.property(weighted, ({ x, y, weights }) => {
      const w = weights.div(weights.sum());
      const kernel = (z: Tensor) => pairwiseSquaredDistance(z).mul(-0.5).exp();
      const centred = (k: Tensor) => {
        const rows = matmul(k, w.expandDims(1));
        const all = matmul(w.expandDims(0), rows);
        return k.sub(rows).sub(rows.transpose()).add(all);
      };
      const terms = centred(kernel(x)).mul(centred(kernel(y)));
      const total = terms.mul(w.expandDims(1)).mul(w).sum();
      const others = w.square().sum().neg().add(1);
      assertAllClose(
        hsic(x, y, { bandwidths: [1], weights }),
        total.div(others.square()),
        { rtol: 1e-9, atol: 1e-13 },
      );
    }),
    RUNS,
  );
});

Deno.test("hsic() has right gradients for weights, of first and second order", () => {
  fc.assert(
    fc.property(weighted, ({ x, y, weights }) => {
      const loss = (a: Tensor, b: Tensor, w: Tensor) =>
        hsic(a, b, { bandwidths: [0.5, 3], weights: w });
      checkGradients(loss, [x, y, weights], { order: 2 });
    }),
    FEW_RUNS,
  );
});

testMisuse("hsic", [
  [
    "weights of another number",
    () => hsic([[1], [2]], [[1], [2]], { weights: [1, 2, 3] }),
    TypeError,
    "Cannot compute hsic as x and weights must have the same number of cells: current values are 2 " +
    "and 3",
  ],
  [
    "the weight of a single cell",
    () => hsic([[1], [2]], [[1], [2]], { weights: [0, 2] }),
    RangeError,
    "Cannot compute hsic as weights must be above 0 for two points at least, so that 1 − Σ w² is " +
    "above 0: current value of row 0 is 0",
  ],
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
    "bandwidths, weights",
  ],
]);

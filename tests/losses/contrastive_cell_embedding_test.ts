import { eye, grad, type Tensor } from "@cellgrad/cellgrad";
import { contrastiveCellEmbeddingLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/cce.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const views = fc.integer({ min: 1, max: 4 }).chain((n) =>
  fc.record({ a: floats([n, 2]), b: floats([n, 2]), order: permutations(n) })
);

Deno.test("contrastiveCellEmbeddingLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ cell1, cell2 }, { temperature }) =>
      contrastiveCellEmbeddingLoss(cell1, cell2, { temperature }),
  );
});

Deno.test("contrastiveCellEmbeddingLoss() has a temperature of 0.5 by default", () => {
  const identity = eye(3, { dtype: "float64" });
  assertSame(contrastiveCellEmbeddingLoss(identity, identity), Math.log(1 + 2 * Math.exp(-2)));
});

Deno.test("contrastiveCellEmbeddingLoss() lies between 0 and log B + 2/τ", () => {
  fc.assert(
    fc.property(views, gridNumbers(0.1, 2), ({ a, b }, temperature) => {
      const loss = contrastiveCellEmbeddingLoss(a, b, { temperature }).item();
      assert(loss >= 0 && loss <= Math.log(a.shape[0]!) + 2 / temperature + 1e-12);
    }),
    RUNS,
  );
});

Deno.test("contrastiveCellEmbeddingLoss() is log B where all cells are alike", () => {
  const cells = f64([[1, 2], [1, 2], [1, 2]]);
  assertSame(contrastiveCellEmbeddingLoss(cells, cells.mul(3)), Math.log(3));
});

Deno.test("contrastiveCellEmbeddingLoss() of a single cell is 0 with gradient 0", () => {
  const [a, b] = [f64([[1, 2]]), f64([[-3, 1]])];
  assertSame(contrastiveCellEmbeddingLoss(a, b), 0);
  assertAllZero(grad((x: Tensor) => contrastiveCellEmbeddingLoss(x, b))(a));
});

Deno.test("contrastiveCellEmbeddingLoss() is invariant to the order of the cells", () => {
  fc.assert(
    fc.property(views, ({ a, b, order }) => {
      const loss = contrastiveCellEmbeddingLoss(a, b);
      assertSame(contrastiveCellEmbeddingLoss(reorder(a, order), reorder(b, order)), loss);
    }),
    RUNS,
  );
});

Deno.test("contrastiveCellEmbeddingLoss() with symmetric is the mean of both directions", () => {
  fc.assert(
    fc.property(views, ({ a, b }) => {
      const [forth, back] = [
        contrastiveCellEmbeddingLoss(a, b),
        contrastiveCellEmbeddingLoss(b, a),
      ];
      const both = contrastiveCellEmbeddingLoss(a, b, { symmetric: true });
      assertSame(both, forth.add(back).div(2));
    }),
    RUNS,
  );
});

Deno.test("contrastiveCellEmbeddingLoss() is lower where partners are found", () => {
  const [a, b] = [f64([[1, 0], [0, 1]]), f64([[2, 1], [1, 2]])];
  const right = contrastiveCellEmbeddingLoss(a, b).item();
  assertLess(right, contrastiveCellEmbeddingLoss(a, reorder(b, [1, 0])).item());
});

Deno.test("contrastiveCellEmbeddingLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(floats([3, 2], 0.2, 3), floats([3, 2], 0.2, 3), fc.boolean(), (a, b, symmetric) => {
      checkGradients(
        (x, y) => contrastiveCellEmbeddingLoss(x, y, { symmetric }),
        [a, b],
        { order: 2 },
      );
    }),
    FEW_RUNS,
  );
});

Deno.test("contrastiveCellEmbeddingLoss() is finite for extreme cells", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const a = f64([[1e4, -1e4], [0, 0], [1, 2]]).cast(dtype);
    const b = f64([[-1e4, 1e4], [3, 4], [0, 0]]).cast(dtype);
    assertFinite((x, y) => contrastiveCellEmbeddingLoss(x, y, { temperature: 1e-3 }), [a, b]);
  }
});

Deno.test("contrastiveCellEmbeddingLoss() gives a cell of zeros a steep gradient", () => {
  const [a, b] = [f64([[0, 0], [1, 1]]), f64([[1, 0], [0, 1]])];
  const gradient = grad((x: Tensor) => contrastiveCellEmbeddingLoss(x, b))(a);
  assertGreater(Math.abs(gradient.data[0]!), 1e7);
});

testMisuse("contrastiveCellEmbeddingLoss", [
  [
    "views of different numbers of cells",
    () => contrastiveCellEmbeddingLoss([[1], [2]], [[1]]),
    TypeError,
    "Cannot compute contrastiveCellEmbeddingLoss as cell1 and cell2 must have the same number of " +
    "cells: current values are 2 and 1",
  ],
  [
    "views of different numbers of features",
    () => contrastiveCellEmbeddingLoss([[1, 2]], [[1]]),
    TypeError,
    "Cannot compute contrastiveCellEmbeddingLoss as cell1 and cell2 must have the same shape: " +
    "current shapes are [1, 2] and [1, 1]",
  ],
  [
    "a view that is no matrix",
    () => contrastiveCellEmbeddingLoss([[1]], [1]),
    TypeError,
    "Cannot compute contrastiveCellEmbeddingLoss as cell2 must have the shape [cells, features]: " +
    "current shape is [1]",
  ],
  [
    "a temperature of 0",
    () => contrastiveCellEmbeddingLoss([[1]], [[1]], { temperature: 0 }),
    RangeError,
    "Cannot compute contrastiveCellEmbeddingLoss as temperature must be a finite number above 0: " +
    "current value is 0",
  ],
  [
    "a symmetric that is no boolean",
    () => contrastiveCellEmbeddingLoss([[1]], [[1]], { symmetric: "no" as never }),
    TypeError,
    "Cannot compute contrastiveCellEmbeddingLoss as symmetric must be true or false: " +
    'current value is "no"',
  ],
  [
    "an unknown option",
    () => contrastiveCellEmbeddingLoss([[1]], [[1]], { temp: 1 } as never),
    TypeError,
    "Cannot compute contrastiveCellEmbeddingLoss as there is no option temp: did you " +
    "mean temperature? The options are temperature, symmetric",
  ],
]);

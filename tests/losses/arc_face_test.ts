import { cosineSimilarity, grad, type Tensor } from "@cellgrad/cellgrad";
import { arcFaceLoss, cosFaceLoss, crossEntropyLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, integers, RUNS } from "../arbitraries.ts";
import arcGolden from "../golden/arc_face.json" with { type: "json" };
import cosGolden from "../golden/cos_face.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const FACES = { arcFaceLoss, cosFaceLoss };
const faces = fc.constantFrom(arcFaceLoss, cosFaceLoss);

const cases = fc.record({
  cells: floats([4, 3], 0.2, 3),
  weights: floats([3, 3], -3, -0.2),
  labels: integers([4], 0, 2),
  lengths: floats([4, 1], 0.1, 9),
});

Deno.test("arcFaceLoss() agrees with the golden vectors", () => {
  checkGolden(arcGolden, GOLDEN_FUNCTIONS.arc_face!);
});

Deno.test("cosFaceLoss() agrees with the golden vectors", () => {
  checkGolden(cosGolden, GOLDEN_FUNCTIONS.cos_face!);
});

/** A cell at a right angle to both classes, of which the own one has this cosine instead. */
const entropy = (own: number, scale: number) => Math.log1p(Math.exp(-scale * own));
const [CELL, CLASSES] = [f64([[0, 0, 2]]), f64([[1, 0, 0], [0, 3, 0]])];

Deno.test("arcFaceLoss() has a margin of 0.5 and a scale of 64 by default", () => {
  assertSame(arcFaceLoss(CELL, CLASSES, [1]), entropy(-Math.sin(0.5), 64));
});

Deno.test("cosFaceLoss() has a margin of 0.35 and a scale of 64 by default", () => {
  assertSame(cosFaceLoss(CELL, CLASSES, [1]), entropy(-0.35, 64));
});

for (const [name, loss] of Object.entries(FACES)) {
  Deno.test(`${name}() with margin 0 is the cross entropy of scaled cosines`, () => {
    fc.assert(
      fc.property(cases, gridNumbers(0.1, 9), ({ cells, weights, labels }, scale) => {
        const cosines = cosineSimilarity(cells, weights);
        const plain = crossEntropyLoss(cosines.mul(scale), labels);
        assertSame(loss(cells, weights, labels, { margin: 0, scale }), plain);
      }),
      RUNS,
    );
  });

  Deno.test(`${name}() of a single class is 0 with gradient 0`, () => {
    const f = (x: Tensor) => loss(x, [[3, 1]], [0, 0]);
    const cells = f64([[1, 2], [3, 1]]);
    assertSame(f(cells), 0);
    assertAllZero(grad(f)(cells));
  });

  Deno.test(`${name}() gives a cell of zeros a steep gradient, and its margin as of a right angle`, () => {
    const f = (x: Tensor) => loss(x, CLASSES, [1], { scale: 2 });
    assertSame(f(f64([[0, 0, 0]])), f(CELL));
    assertSame(loss(CELL, [[1, 0, 0], [0, 0, 0]], [1], { scale: 2 }), f(CELL));
    assertGreater(Math.abs(grad(f)(f64([[0, 0, 0]])).data[0]!), 1e10);
  });

  Deno.test(`${name}() is finite for extreme cells, weights and scales`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      const cells = f64([[1e4, -1e4], [0, 0], [1e-8, 0], [0, 3]]).cast(dtype);
      const weights = f64([[1, -1], [0, 0], [-1e4, 0]]).cast(dtype);
      for (const scale of [1e-3, 64, 1e6]) {
        assertFinite((x, w) => loss(x, w, [0, 1, 2, 0], { scale }), [cells, weights]);
      }
    }
  });
}

Deno.test("arcFaceLoss() and cosFaceLoss() do not see lengths, nor the order of cells", () => {
  fc.assert(
    fc.property(cases, faces, ({ cells, weights, labels, lengths }, loss) => {
      const order = [2, 0, 3, 1];
      const moved = reorder(cells.mul(lengths), order);
      const there = loss(moved, weights.mul(7), reorder(labels, order));
      assertSame(there, loss(cells, weights, labels));
    }),
    RUNS,
  );
});

Deno.test("arcFaceLoss() and cosFaceLoss() rise with the margin", () => {
  const [cells, weights] = [f64([[1, 0.5]]), f64([[1, 0], [0, 1]])];
  for (const loss of [arcFaceLoss, cosFaceLoss]) {
    const at = (margin: number) => loss(cells, weights, [0], { margin, scale: 4 }).item();
    assertLess(at(0.1), at(0.2));
  }
});

Deno.test("arcFaceLoss() is the cross entropy with cos(θ + m) by the angle itself", () => {
  const [angle, apart] = [0.7, 1.1];
  const cells = f64([[Math.cos(angle), Math.sin(angle)]]);
  const weights = f64([[1, 0], [Math.cos(angle + apart), Math.sin(angle + apart)]]);
  for (const margin of [0.2, 2, 3]) {
    const loss = arcFaceLoss(cells, weights, [0], { margin, scale: 3 });
    assertSame(loss, entropy(Math.cos(angle + margin) - Math.cos(apart), 3));
  }
});

Deno.test("arcFaceLoss() keeps the digits of small angles in float32", () => {
  const angle = 1e-3;
  const cells = f64([[Math.cos(angle), Math.sin(angle)]]);
  const weights = f64([[1, 0], [0, 1]]);
  const f = (x: Tensor) => arcFaceLoss(x, weights.cast(x.dtype), [0], { margin: 1.2, scale: 2 });
  const [single, exact] = [grad(f)(cells.cast("float32")), grad(f)(cells)];
  assertAlmostEquals(single.data[1]! / exact.data[1]!, 1, 1e-5);
  assertAlmostEquals(f(cells.cast("float32")).item() / f(cells).item(), 1, 1e-6);
});

Deno.test("arcFaceLoss() has finite gradients where cells lie on a weight or opposite to it", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const weights = f64([[1, 2], [2, 1]]).cast(dtype);
    for (const sign of [1, -1]) {
      const cells = f64([[1, 2], [2, 1]]).cast(dtype).mul(sign);
      assertFinite((x, w) => arcFaceLoss(x, w, [0, 1]), [cells, weights]);
    }
  }
});

Deno.test("arcFaceLoss() and cosFaceLoss() have right gradients of first and second order", () => {
  fc.assert(
    fc.property(cases, faces, ({ cells, weights, labels }, loss) => {
      const f = (x: Tensor, w: Tensor) => loss(x, w, labels, { margin: 0.4, scale: 3 });
      checkGradients(f, [cells, weights], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("arcFaceLoss() has the second derivatives of a right angle", () => {
  const f = (x: Tensor) => arcFaceLoss(x, CLASSES, [1], { margin: 0.4, scale: 3 });
  checkGradients(f, [CELL], { order: 2 });
});

testMisuse("arcFaceLoss", [
  [
    "weights of other features",
    () => arcFaceLoss([[1, 2]], [[1]], [0]),
    TypeError,
    "Cannot compute arcFaceLoss as weights must have the shape [classes, 2]: " +
    "current shape is [1, 1]",
  ],
  [
    "a label without a class",
    () => arcFaceLoss([[1, 2]], [[1, 2], [3, 4]], [2]),
    RangeError,
    "Cannot compute arcFaceLoss as labels must be in [0, 1]: current value at position 0 is 2",
  ],
  [
    "a margin in degrees",
    () => arcFaceLoss([[1]], [[1]], [0], { margin: 28.6 }),
    RangeError,
    "Cannot compute arcFaceLoss as margin must be a finite number at least 0 and at most " +
    "3.141592653589793: current value is 28.6",
  ],
  [
    "a negative margin",
    () => arcFaceLoss([[1]], [[1]], [0], { margin: -0.1 }),
    RangeError,
    "Cannot compute arcFaceLoss as margin must be a finite number at least 0 and at most " +
    "3.141592653589793: current value is -0.1",
  ],
  [
    "a scale of 0",
    () => arcFaceLoss([[1]], [[1]], [0], { scale: 0 }),
    RangeError,
    "Cannot compute arcFaceLoss as scale must be a finite number above 0: current value is 0",
  ],
  [
    "an unknown option",
    () => arcFaceLoss([[1]], [[1]], [0], { m: 0.5 } as never),
    TypeError,
    "Cannot compute arcFaceLoss as there is no option m: did you mean margin? The options are " +
    "margin, scale",
  ],
  [
    "an argument too many",
    () => (arcFaceLoss as (...x: unknown[]) => unknown)([[1]], [[1]], [0], {}, 1),
    TypeError,
    "Cannot compute arcFaceLoss as it takes nothing after options: current value is 1",
  ],
]);

testMisuse("cosFaceLoss", [
  [
    "a negative margin",
    () => cosFaceLoss([[1]], [[1]], [0], { margin: -0.1 }),
    RangeError,
    "Cannot compute cosFaceLoss as margin must be a finite number at least 0: " +
    "current value is -0.1",
  ],
  [
    "a scale of 0",
    () => cosFaceLoss([[1]], [[1]], [0], { scale: 0 }),
    RangeError,
    "Cannot compute cosFaceLoss as scale must be a finite number above 0: current value is 0",
  ],
  [
    "no classes",
    () => cosFaceLoss([[1, 2]], f64(new Float64Array(0)).reshape([0, 2]), [0]),
    TypeError,
    "Cannot compute cosFaceLoss as weights must hold at least one class: current shape is [0, 2]",
  ],
  [
    "an argument too many",
    () => (cosFaceLoss as (...x: unknown[]) => unknown)([[1]], [[1]], [0], {}, 1),
    TypeError,
    "Cannot compute cosFaceLoss as it takes nothing after options: current value is 1",
  ],
]);

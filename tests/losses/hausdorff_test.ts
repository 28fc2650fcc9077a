import { compile, grad, key, normal, type Tensor, tensor, where, zeros } from "@cellgrad/cellgrad";
import { distanceTransform } from "@cellgrad/cellgrad/data";
import { hausdorffLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
} from "@std/assert";
import fc from "fast-check";
import { squaredDistanceField } from "../../src/losses/distance_field.ts";
import { classCases, FEW_RUNS, integers, RUNS } from "../arbitraries.ts";
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import golden from "../golden/hausdorff.json" with { type: "json" };
import { testOrderOfClasses } from "./class_laws.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

/** Logits that are certain of some labels. */
function certain(labels: Tensor, classes: number): Tensor {
  const numbers = labels.shape.map((_, i) => i === 0 ? classes : 1);
  const names = tensor(Array.from({ length: classes }, (_, c) => c)).reshape([1, ...numbers]);
  return labels.expandDims(1).equal(names).cast("float64").mul(1e4);
}

/** Masks of one to three axes of space. */
const masks = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 })
  .chain((space) => integers([2, 2, ...space], 0, 1));

/** The same by lower envelopes of parabolas, each (…spatial) for itself. */
function fieldByEnvelopes(mask: Tensor): Tensor {
  const [n, c, ...space] = mask.shape as [number, number, ...number[]];
  const fields = Array.from({ length: n * c }, (_, i) => {
    const own = mask.reshape([n * c, ...space]).at(i);
    const [inside, outside] = [own, own.notEqual(1)]
      .map((side) => distanceTransform(side, { dtype: "float64" })) as [Tensor, Tensor];
    const both = inside.add(outside).square();
    return where(both.equal(Infinity), 0, both).data;
  });
  return tensor(fields.flatMap((field) => [...field]), { shape: mask.shape, dtype: "float64" });
}

Deno.test("hausdorffLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.hausdorff!);
});

Deno.test("squaredDistanceField() is exact, at once and in blocks, in both precisions", () => {
  fc.assert(
    fc.property(masks, (mask) => {
      const expected = fieldByEnvelopes(mask);
      for (const dtype of ["float32", "float64"] as const) {
        for (const largest of [1, 50, undefined]) {
          const field = squaredDistanceField(mask.equal(1), dtype, largest);
          assertEquals(field.dtype, dtype);
          assertAllClose(field.cast("float64"), expected, { atol: 1e-9 });
        }
      }
    }),
    RUNS,
  );
});

Deno.test("squaredDistanceField() holds a block of lines at a time", async () => {
  const mask = normal(key(1), [1, 1, 400, 400]).greater(2);
  const whole = squaredDistanceField(mask, "float32");
  await using program = await compile((m: Tensor) => squaredDistanceField(m, "float32"), [mask]);
  assertEquals((await program(mask)).data, whole.data);
  const memory = /memory: ([\d.]+) MiB/.exec(program.explain())!;
  assert(Number(memory[1]) < 8, `it takes ${memory[1]} MiB, all pairs would take 244 MiB`);
});

Deno.test("hausdorffLoss() of certain predictions is 0 only where they are right", () => {
  const pairs = fc.integer({ min: 2, max: 6 }).chain((n) =>
    fc.tuple(integers([1, n], 0, 2), integers([1, n], 0, 2))
  );
  fc.assert(
    fc.property(pairs, ([found, labels]) => {
      const loss = hausdorffLoss(certain(found, 3), labels).item();
      const isRight = [...found.data].every((label, i) => label === labels.data[i]);
      // All of one class taken for all of another has no outline.
      const [f, y] = [found, labels].map((x) => new Set(x.data).size);
      if (isRight || (f === 1 && y === 1)) assertEquals(loss, 0);
      else assertGreater(loss, 0);
    }),
    RUNS,
  );
});

Deno.test("hausdorffLoss() is the same for labels and predictions in each other's place", () => {
  const pairs = fc.integer({ min: 2, max: 6 }).chain((n) =>
    fc.tuple(integers([1, n], 0, 2), integers([1, n], 0, 2))
  );
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      assertSame(hausdorffLoss(certain(a, 3), b), hausdorffLoss(certain(b, 3), a));
    }),
    RUNS,
  );
});

Deno.test("hausdorffLoss() is never below 0", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      assertGreaterOrEqual(hausdorffLoss(logits, labels).item(), 0);
    }),
    RUNS,
  );
});

testOrderOfClasses("hausdorffLoss", hausdorffLoss);

Deno.test("hausdorffLoss() takes distances to the power of alpha", () => {
  // One mistake, 3 from the label, which is 1 from what is predicted around it.
  const labels = [[1, 0, 0, 0]];
  const logits = certain(tensor([[1, 0, 0, 1]], { dtype: "int32" }), 2);
  for (const alpha of [0.5, 1, 2, 3, 4]) {
    assertAlmostEquals(
      hausdorffLoss(logits, labels, { alpha }).item(),
      (3 ** alpha + 1) / 4,
      1e-12,
    );
  }
});

Deno.test("hausdorffLoss() takes squares by default, and for predicted what is above one half", () => {
  // Probabilities of ½, ¼, ¼, and 0, 1, 0: only class 1 has an outline, at a distance of 1.
  const logits = tensor([[[0, -1e4], [-Math.LN2, 0], [-Math.LN2, -1e4]]], { dtype: "float64" });
  assertSame(hausdorffLoss(logits, [[1, 1]]), (1 - 1 / 4) ** 2 / 6);
  const far = certain(tensor([[1, 0, 0, 1]], { dtype: "int32" }), 2);
  assertSame(hausdorffLoss(far, [[1, 0, 0, 0]]), (9 + 1) / 4);
});

Deno.test("hausdorffLoss() has the right first and second derivatives, distances held", () => {
  fc.assert(
    fc.property(classCases(), fc.constantFrom(1, 2, 2.5), ({ logits, labels }, alpha) => {
      checkGradients((z) => hausdorffLoss(z, labels, { alpha }), [logits], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("hausdorffLoss() of one class everywhere has nothing to measure", () => {
  // Labels of one class, and no probability above one half: no outline.
  const loss = (z: Tensor) => hausdorffLoss(z, [[0, 0, 0]]);
  assertEquals(assertFinite(loss, [zeros([1, 2, 3])]), 0);
  assertEquals(grad(loss)(zeros([1, 2, 3])).data.every((g: number) => g === 0), true);
  // What is predicted of an absent class is held against its own outline.
  assertGreater(hausdorffLoss([[[0, 0, 0], [9, -9, -9]]], [[0, 0, 0]]).item(), 0.3);
});

Deno.test("hausdorffLoss() is finite for logits of ±1e4", () => {
  const logits = tensor([[[1e4, -1e4, 0], [-1e4, 1e4, 0], [1e4, 1e4, 1e4]]]);
  assertFinite((z) => hausdorffLoss(z, [[0, 1, 2]]), [logits]);
});

Deno.test("hausdorffLoss() of nothing, and without space, is 0", () => {
  assertEquals(hausdorffLoss(zeros([0, 2, 3]), zeros([0, 3], { dtype: "int32" })).item(), 0);
  const narrow = zeros([1, 3, 0], { dtype: "int32" });
  assertEquals(hausdorffLoss(zeros([1, 2, 3, 0]), narrow).item(), 0);
  assertEquals(hausdorffLoss([[1, 2]], [0]).item(), 0);
});

testMisuse("hausdorffLoss", [
  [
    "shapes that do not fit",
    () => hausdorffLoss(zeros([1, 2, 3]), zeros([1, 2])),
    TypeError,
    "Cannot compute hausdorffLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [1, 2, 3] and [1, 2]",
  ],
  [
    "a label out of range",
    () => hausdorffLoss([[1, 2]], [2]),
    RangeError,
    "Cannot compute hausdorffLoss as labels must be in [0, 1]: current value at position 0 is 2",
  ],
  [
    "an alpha of 0",
    () => hausdorffLoss([[1, 2]], [0], { alpha: 0 }),
    RangeError,
    "Cannot compute hausdorffLoss as alpha must be a finite number above 0: current value is 0",
  ],
  [
    "an unknown option",
    () => hausdorffLoss([[1, 2]], [0], { batch: true } as never),
    TypeError,
    "Cannot compute hausdorffLoss as there is no option batch: the options are alpha",
  ],
]);

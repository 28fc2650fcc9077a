import { key, normal, type Tensor, tensor, valueAndGrad, zeros } from "@cellgrad/cellgrad";
import { lovaszLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { classCases, integers, RUNS } from "../arbitraries.ts";
import { checkGolden } from "../golden/golden.ts";
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import golden from "../golden/lovasz.json" with { type: "json" };
import { testIgnoredPositions, testOrderOfClasses } from "./class_laws.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

const CERTAIN = 1e4;

/** Logits that are certain of some labels, with the classes as the last axis. */
function certain(labels: Tensor, classes: number): Tensor {
  return labels.expandDims(1).equal(tensor(Array.from({ length: classes }, (_, c) => c)))
    .mul(CERTAIN).cast("float64");
}

/** The mean Jaccard loss of labels that are taken for others, over the classes that occur. */
function meanJaccard(found: Tensor, labels: Tensor, classes: number): number {
  const losses: number[] = [];
  for (let c = 0; c < classes; c++) {
    const [p, y] = [found, labels].map((x) => [...x.data].map((label) => label === c));
    if (!y!.includes(true)) continue;
    const both = p!.filter((own, i) => own && y![i]).length;
    const either = p!.filter((own, i) => own || y![i]).length;
    losses.push(1 - both / either);
  }
  return losses.reduce((a, b) => a + b, 0) / losses.length;
}

Deno.test("lovaszLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.lovasz!);
});

Deno.test("lovaszLoss() of certain predictions is their Jaccard loss", () => {
  const labelled = fc.integer({ min: 1, max: 9 }).chain((n) =>
    fc.tuple(integers([n], 0, 2), integers([n], 0, 2))
  );
  fc.assert(
    fc.property(labelled, ([found, labels]) => {
      assertSame(lovaszLoss(certain(found, 3), labels), meanJaccard(found, labels, 3));
    }),
    RUNS,
  );
});

Deno.test("lovaszLoss() of two positions follows its formula", () => {
  // Errors of class 1: 1/3 of its one position, 1/4 of the other; of class 0 the same.
  const logits = tensor([[0, Math.log(2)], [Math.log(3), 0]], { dtype: "float64" });
  // Class 1: 1/3 · 1 + 1/4 · 0. Class 0: its position errs by 1/4, the second largest:
  // 1/3 · (1 − 1/2) + 1/4 · (1 − 1/2).
  assertSame(lovaszLoss(logits, [1, 0]), (1 / 3 + (1 / 3 + 1 / 4) / 2) / 2);
});

Deno.test("lovaszLoss() lies in [0, 1]", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const loss = lovaszLoss(logits.mul(3), labels).item();
      assertGreaterOrEqual(loss, 0);
      assertLessOrEqual(loss, 1);
    }),
    RUNS,
  );
});

Deno.test("lovaszLoss() is convex in the errors", () => {
  const pairs = classCases().chain((c) =>
    fc.record({
      labels: fc.constant(c.labels),
      a: fc.constant(c.logits),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    })
  );
  fc.assert(
    fc.property(pairs, ({ labels, a, share }) => {
      const [p, q] = [a, a.flip({ axis: 1 })].map((z) => z.softmax({ axis: 1 })) as [
        Tensor,
        Tensor,
      ];
      const between = p.mul(share).add(q.mul(1 - share));
      const [first, second, mixed] = [p, q, between].map((x) => lovaszLoss(x.log(), labels).item());
      assertLessOrEqual(mixed!, share * first! + (1 - share) * second! + 1e-12);
    }),
    RUNS,
  );
});

testOrderOfClasses("lovaszLoss", lovaszLoss);
testIgnoredPositions("lovaszLoss", lovaszLoss);

Deno.test("lovaszLoss() counts only classes that are labelled", () => {
  const logits = tensor([[0, 0, 5], [0, 0, 5]], { dtype: "float64" });
  // Two of three classes, each alone: the errors are equal, the first raises the loss to 1 or ½.
  const q = 1 / (2 + Math.exp(5));
  assertSame(lovaszLoss(logits, [0, 0]), 1 - q);
});

Deno.test("lovaszLoss() weighs the 10⁶th error as well as the first, in float32", () => {
  const labels = tensor(Int32Array.from({ length: 200_000 }, (_, i) => i % 2));
  const logits = normal(key(1), [200_000, 2], { dtype: "float64" });
  const [value, gradient] = valueAndGrad((z: Tensor) => lovaszLoss(z, labels))(logits);
  const [single, slope] = valueAndGrad((z: Tensor) => lovaszLoss(z, labels))(
    logits.cast("float32"),
  );
  assertAllClose(single, value, { rtol: 1e-6 });
  const apart = slope.sub(gradient).abs().div(gradient.abs());
  // Positions that change places because float32 has fewer digits aside.
  assert(apart.less(1e-4).cast("float32").mean().item() > 0.99);
});

Deno.test("lovaszLoss() is finite for logits of ±1e4", () => {
  const logits = tensor([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, 1e4]]);
  assertFinite((z) => lovaszLoss(z, [0, 1, 0]), [logits]);
});

Deno.test("lovaszLoss() of ignored labels alone and of nothing is 0", () => {
  const loss = (z: Tensor) => lovaszLoss(z, [-1], { ignoreIndex: -1 });
  assertEquals(assertFinite(loss, [tensor([[3, 4]])]), 0);
  assertEquals(lovaszLoss(zeros([0, 2]), zeros([0], { dtype: "int32" })).item(), 0);
});

testMisuse("lovaszLoss", [
  [
    "shapes that do not fit",
    () => lovaszLoss(zeros([1, 2, 3]), zeros([1, 2])),
    TypeError,
    "Cannot compute lovaszLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [1, 2, 3] and [1, 2]",
  ],
  [
    "a label out of range",
    () => lovaszLoss([[1, 2]], [2]),
    RangeError,
    "Cannot compute lovaszLoss as labels must be in [0, 1]: current value at position 0 is 2",
  ],
  [
    "an unknown option",
    () => lovaszLoss([[1, 2]], [0], { classes: "present" } as never),
    TypeError,
    "Cannot compute lovaszLoss as there is no option classes: the options are ignoreIndex",
  ],
]);

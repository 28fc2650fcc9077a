import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { matthewsLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import {
  assertAlmostEquals,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import fc from "fast-check";
import { classCases, integers, RUNS } from "../arbitraries.ts";
import { checkGolden } from "../golden/golden.ts";
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import golden from "../golden/matthews.json" with { type: "json" };
import { testIgnoredPositions, testOrderOfClasses } from "./class_laws.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

/** Two classes by one logit. */
const binary = (z: Tensor) => z.expandDims(1).mul(tensor([0, 1]));

Deno.test("matthewsLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.matthews!);
});

Deno.test("matthewsLoss() lies in [0, 2]", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const loss = matthewsLoss(logits.mul(3), labels).item();
      assertGreaterOrEqual(loss, -1e-12);
      assertLessOrEqual(loss, 2 + 1e-12);
    }),
    RUNS,
  );
});

Deno.test("matthewsLoss() of certain predictions of two classes is one less the correlation", () => {
  const labelled = fc.integer({ min: 2, max: 9 }).chain((n) =>
    fc.tuple(integers([n], 0, 1), integers([n], 0, 1))
  );
  fc.assert(
    fc.property(labelled, ([found, labels]) => {
      const [p, y] = [found, labels].map((x) => x.cast("float64")) as [Tensor, Tensor];
      const [a, b] = [p.sub(p.mean()), y.sub(y.mean())];
      const below = a.square().sum().mul(b.square().sum()).sqrt().item();
      const correlation = below === 0 ? 0 : a.mul(b).sum().item() / below;
      assertSame(matthewsLoss(binary(p.sub(0.5).mul(1e4)), labels), 1 - correlation);
    }),
    RUNS,
  );
});

Deno.test("matthewsLoss() of a guess is 1, and of labels turned around 2 less", () => {
  assertEquals(matthewsLoss(zeros([4, 3]), [0, 1, 2, 1]).item(), 1);
  fc.assert(
    fc.property(classCases(2).filter(({ logits }) => logits.shape[1] === 2), (c) => {
      const turned = c.labels.mul(-1).add(1).cast("int32");
      const both = matthewsLoss(c.logits, c.labels).add(matthewsLoss(c.logits, turned));
      assertAllClose(both, 2, { atol: 1e-12 });
    }),
    RUNS,
  );
});

testOrderOfClasses("matthewsLoss", matthewsLoss);
testIgnoredPositions("matthewsLoss", matthewsLoss);

Deno.test("matthewsLoss() of a class that is not labelled, or the only one, is 1 in the mean", () => {
  const logits = tensor([[2, 1, 0], [0, 1, 0]], { dtype: "float64" });
  assertEquals(assertFinite((z) => matthewsLoss(z, [0, 0]), [logits]), 1);
  // Class 2 is not labelled.
  const two = matthewsLoss(logits, [0, 1]);
  const others = [0, 1].map((c) => {
    const q = logits.softmax({ axis: 1 }).data.filter((_, i) => i % 3 === c);
    const y = c === 0 ? [1, 0] : [0, 1];
    const count = (f: (q: number, y: number) => number) => f(q[0]!, y[0]!) + f(q[1]!, y[1]!);
    const [tp, fp] = [count((q, y) => q * y), count((q, y) => q * (1 - y))];
    const [fn, tn] = [count((q, y) => (1 - q) * y), count((q, y) => (1 - q) * (1 - y))];
    return 1 - (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
  });
  assertAlmostEquals(two.item(), (others[0]! + others[1]! + 1) / 3, 1e-12);
});

Deno.test("matthewsLoss() keeps the digits of what is left of a class predicted everywhere", () => {
  const logits = tensor([[17, 0], [16, 0], [17, 0]]);
  const slope = grad((z: Tensor) => matthewsLoss(z, [0, 1, 0]));
  const exact = slope(logits.cast("float64"));
  const apart = slope(logits).sub(exact).abs().div(exact.abs()).max().item();
  assertLess(apart, 1e-5);
});

Deno.test("matthewsLoss() is finite where hardly anything is predicted, or all", () => {
  // In float32, e^−88.5 is subnormal and its inverse infinite.
  for (const gap of [80, 88.5, 95, 103, 1e4]) {
    for (const labels of [[0, 1], [1, 1], [0, 0]]) {
      assertFinite((z) => matthewsLoss(z, labels), [tensor([[gap, 0], [gap, 0]])]);
    }
  }
  assertFinite((z) => matthewsLoss(z, [0, 1, 0]), [
    tensor([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, 1e4]]),
  ]);
});

Deno.test("matthewsLoss() of ignored labels alone and of nothing is 1: no correlation", () => {
  const loss = (z: Tensor) => matthewsLoss(z, [-1], { ignoreIndex: -1 });
  assertEquals(assertFinite(loss, [tensor([[3, 4]])]), 1);
  assertEquals(matthewsLoss(zeros([0, 2]), zeros([0], { dtype: "int32" })).item(), 1);
});

testMisuse("matthewsLoss", [
  [
    "shapes that do not fit",
    () => matthewsLoss(zeros([1, 2, 3]), zeros([1, 2])),
    TypeError,
    "Cannot compute matthewsLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [1, 2, 3] and [1, 2]",
  ],
  [
    "a label out of range",
    () => matthewsLoss([[1, 2]], [2]),
    RangeError,
    "Cannot compute matthewsLoss as labels must be in [0, 1]: current value at position 0 is 2",
  ],
  [
    "an unknown option",
    () => matthewsLoss([[1, 2]], [0], { eps: 1 } as never),
    TypeError,
    "Cannot compute matthewsLoss as there is no option eps: the options are ignoreIndex",
  ],
]);

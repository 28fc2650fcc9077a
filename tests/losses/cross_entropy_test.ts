import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { crossEntropyLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { type ClassCase, classCases, FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import plain from "../golden/cross_entropy.json" with { type: "json" };
import weighted from "../golden/weighted_cross_entropy.json" with { type: "json" };
import { checkGolden, type GoldenFunction } from "../golden/golden.ts";
import {
  assertAllZero,
  assertFinite,
  assertReductions,
  assertSame,
  entriesOn,
  ignoreOff,
  testMisuse,
} from "./laws.ts";

const asGolden: GoldenFunction = ({ logits, targets, weight }, { ignore_index, reduction }) =>
  crossEntropyLoss(logits, targets, { weight, ignoreIndex: ignore_index, reduction });

/** Labels with −100 off the mask. */
const partly = ({ labels, mask }: ClassCase) => ignoreOff(labels, mask, -100);

Deno.test("crossEntropyLoss() agrees with the golden vectors", () => {
  checkGolden(plain, asGolden);
  checkGolden(weighted, asGolden);
});

Deno.test("crossEntropyLoss() is at least 0", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      assertGreaterOrEqual(crossEntropyLoss(logits, labels).item(), 0);
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() of equal logits is the logarithm of the number of classes", () => {
  for (const classes of [2, 5]) {
    const logits = zeros([3, classes], { dtype: "float64" });
    assertSame(crossEntropyLoss(logits, [0, 0, classes - 1]), Math.log(classes));
  }
});

Deno.test("crossEntropyLoss() takes logits of −∞ for classes that are ruled out", () => {
  const gradient = grad((z: Tensor) => crossEntropyLoss(z, [0]))([[0, -Infinity, 0]]);
  assertEquals(gradient.toArray(), [[-0.5, 0, 0.5]]);
  assertSame(crossEntropyLoss([[0, -Infinity, 0]], [0]), Math.fround(Math.LN2));
});

Deno.test("crossEntropyLoss() does not change when all logits of a position shift", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(-5, 5), ({ logits, labels }, shift) => {
      assertAllClose(
        crossEntropyLoss(logits.add(shift), labels),
        crossEntropyLoss(logits, labels),
        { atol: 1e-12 },
      );
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() has gradients that add up to 0 at each position", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight }) => {
      const gradient = grad((z: Tensor) => crossEntropyLoss(z, labels, { weight }))(logits);
      const sums = gradient.sum({ axis: 1 });
      assertAllClose(sums, zeros(sums.shape), { atol: 1e-14 });
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() in the mean does not depend on the scale of the weights", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight }) => {
      assertSame(
        crossEntropyLoss(logits, labels, { weight: weight.mul(7) }),
        crossEntropyLoss(logits, labels, { weight }),
      );
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() sums and averages what it returns unreduced", () => {
  fc.assert(
    fc.property(classCases(), (c) => {
      const labels = partly(c);
      const count = c.mask.sum().item();
      assertReductions((reduction) => crossEntropyLoss(c.logits, labels, { reduction }), count);
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() with weights divides the sum by the weights of the labels", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight, mask }) => {
      const kept = ignoreOff(labels, mask, -100);
      const count = entriesOn(weight.gather(labels), mask).sum().item();
      assertReductions(
        (reduction) => crossEntropyLoss(logits, kept, { weight, reduction, labelSmoothing: 0.2 }),
        count,
      );
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() ignores positions as if they were not there", () => {
  fc.assert(
    fc.property(classCases(), (c) => {
      const losses = crossEntropyLoss(c.logits, c.labels, { reduction: "none" });
      assertSame(crossEntropyLoss(c.logits, partly(c)), entriesOn(losses, c.mask).mean());
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() gives ignored positions gradient 0, whatever their logits", () => {
  const loss = (z: Tensor) => crossEntropyLoss(z, [1, 7], { ignoreIndex: 7 });
  const gradient = grad(loss)([[0, 0], [NaN, Infinity]]);
  assertEquals(gradient.toArray(), [[0.5, -0.5], [0, 0]]);
});

Deno.test("crossEntropyLoss() smooths labels towards the mean over all classes", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 1), ({ logits, labels }, labelSmoothing) => {
      const even = logits.logSoftmax({ axis: 1 }).neg().mean();
      const hard = crossEntropyLoss(logits, labels);
      const mixed = hard.mul(1 - labelSmoothing).add(even.mul(labelSmoothing));
      assertSame(crossEntropyLoss(logits, labels, { labelSmoothing }), mixed);
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() smoothed altogether looks at no label", () => {
  const logits = tensor([[1, 2, 4]], { dtype: "float64" });
  const losses = [0, 1, 2].map((y) => crossEntropyLoss(logits, [y], { labelSmoothing: 1 }));
  for (const loss of losses) assertSame(loss, logits.logSoftmax().neg().mean());
});

Deno.test("crossEntropyLoss() smooths with class weights as PyTorch does", () => {
  // torch.nn.functional.cross_entropy(z, y, weight=w, label_smoothing=0.3) is, by its definition,
  // (0.7 Σ w_y ℓ_y + 0.3 / C Σ_c w_c ℓ_c) / Σ w_y.
  const [logits, labels, weight] = [[[0, Math.log(3)], [0, 0]], [1, 0], [1, 4]];
  const [quarter, threeQuarters, half] = [0.25, 0.75, 0.5].map((p) => -Math.log(p));
  const hard = 4 * threeQuarters! + half!;
  const soft = quarter! + 4 * threeQuarters! + 5 * half!;
  const loss = crossEntropyLoss(tensor(logits, { dtype: "float64" }), labels, {
    weight,
    labelSmoothing: 0.3,
  });
  assertSame(loss, (0.7 * hard + 0.15 * soft) / 5);
});

Deno.test("crossEntropyLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(classCases(), (c) => {
      const labels = partly(c);
      checkGradients(
        (z, weight) => crossEntropyLoss(z, labels, { weight, labelSmoothing: 0.1 }),
        [c.logits, c.weight],
        { order: 2 },
      );
    }),
    FEW_RUNS,
  );
});

Deno.test("crossEntropyLoss() is finite for logits of ±1e4", () => {
  const logits = tensor([[1e4, -1e4], [1e4, -1e4], [1e4, 1e4]]);
  for (const labelSmoothing of [0, 0.1]) {
    const loss = (z: Tensor) => crossEntropyLoss(z, [0, 1, 0], { labelSmoothing });
    assertFinite(loss, [logits]);
  }
});

Deno.test("crossEntropyLoss() of ignored labels alone is 0 with gradient 0", () => {
  const loss = (z: Tensor) => crossEntropyLoss(z, [-100, -100]);
  assertEquals(assertFinite(loss, [tensor([[1, 2], [3, 4]])]), 0);
  assertAllZero(grad(loss)([[1, 2], [3, 4]]));
});

Deno.test("crossEntropyLoss() of labels whose weights are all 0 is 0 with gradient 0", () => {
  const loss = (z: Tensor) => crossEntropyLoss(z, [1], { weight: [1, 0] });
  assertEquals(assertFinite(loss, [tensor([[1, 2]])]), 0);
});

Deno.test("crossEntropyLoss() of ignored labels alone is NaN on request", () => {
  assert(Number.isNaN(crossEntropyLoss([[1, 2]], [-100], { emptyMask: "nan" }).item()));
});

Deno.test("crossEntropyLoss() of no cells is 0", () => {
  assertEquals(crossEntropyLoss(zeros([0, 3]), zeros([0], { dtype: "int32" })).item(), 0);
});

Deno.test("crossEntropyLoss() computes in the type of the logits", () => {
  const weight = Float64Array.of(1, 2);
  assertEquals(crossEntropyLoss([[1, 2]], [0], { weight }).dtype, "float32");
  const logits = tensor([[1, 2]], { dtype: "float64" });
  assertEquals(crossEntropyLoss(logits, [0], { weight: [0.1, 0.2] }).dtype, "float64");
});

testMisuse("crossEntropyLoss", [
  [
    "labels of another number",
    () => crossEntropyLoss([[1, 2]], [0, 1]),
    TypeError,
    "Cannot compute crossEntropyLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [1, 2] and [2]",
  ],
  [
    "logits without a class axis",
    () => crossEntropyLoss([1, 2], [0, 1]),
    TypeError,
    "Cannot compute crossEntropyLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [2] and [2]",
  ],
  [
    "logits of no class",
    () => crossEntropyLoss(zeros([1, 0]), [0]),
    TypeError,
    "Cannot compute crossEntropyLoss as logits must have at least two classes: " +
    "current shape is [1, 0]",
  ],
  [
    "logits of one channel, as for two classes",
    () => crossEntropyLoss([[1], [2]], [0, 1]),
    TypeError,
    "Cannot compute crossEntropyLoss as logits must have at least two classes: current shape is " +
    "[2, 1]; for two classes by one logit, put zeros before it along axis 1",
  ],
  [
    "a negative weight",
    () => crossEntropyLoss([[1, 2]], [0], { weight: [1, -2] }),
    RangeError,
    "Cannot compute crossEntropyLoss as weight must be at least 0: " +
    "current value at position 1 is -2",
  ],
  [
    "a label beyond the classes",
    () => crossEntropyLoss([[1, 2], [3, 4]], [0, 2]),
    RangeError,
    "Cannot compute crossEntropyLoss as labels must be in [0, 1] or ignoreIndex -100: " +
    "current value at position 1 is 2",
  ],
  [
    "a label of −1, which an original took for the last class",
    () => crossEntropyLoss([[1, 2]], [-1]),
    RangeError,
    "Cannot compute crossEntropyLoss as labels must be in [0, 1] or ignoreIndex -100: " +
    "current value at position 0 is -1",
  ],
  [
    "a label that is not whole",
    () => crossEntropyLoss([[1, 2]], [0.5]),
    TypeError,
    "Cannot compute crossEntropyLoss as labels must be whole numbers (int32): " +
    "current value at position 0 is 0.5",
  ],
  [
    "a weight per position",
    () => crossEntropyLoss([[1, 2]], [0], { weight: [1] }),
    TypeError,
    "Cannot compute crossEntropyLoss as weight must have the shape [2]: current shape is [1]",
  ],
  [
    "a smoothing above 1",
    () => crossEntropyLoss([[1, 2]], [0], { labelSmoothing: 2 }),
    RangeError,
    "Cannot compute crossEntropyLoss as labelSmoothing must be a finite number at least 0 and " +
    "at most 1: current value is 2",
  ],
  [
    "a fractional ignoreIndex",
    () => crossEntropyLoss([[1, 2]], [0], { ignoreIndex: 0.5 }),
    RangeError,
    "Cannot compute crossEntropyLoss as ignoreIndex must be a whole number: current value is 0.5",
  ],
  [
    "ignored labels alone on request",
    () => crossEntropyLoss([[1, 2]], [-100], { emptyMask: "error" }),
    RangeError,
    "Cannot compute crossEntropyLoss as labels must select at least one entry: " +
    '0 of 1 are selected; emptyMask "zero" or "nan" allows this',
  ],
  [
    "an unknown reduction",
    () => crossEntropyLoss([[1, 2]], [0], { reduction: "average" as never }),
    TypeError,
    "Cannot compute crossEntropyLoss as reduction must be one of mean, sum, none: " +
    "current value is average",
  ],
  [
    "an unknown option",
    () => crossEntropyLoss([[1, 2]], [0], { weights: [1, 2] } as never),
    TypeError,
    "Cannot compute crossEntropyLoss as there is no option weights: did you mean weight? " +
    "The options are weight, ignoreIndex, labelSmoothing, reduction, emptyMask",
  ],
  [
    "weights in place of the options",
    () => crossEntropyLoss([[1, 2]], [0], [1, 2] as never),
    TypeError,
    "Cannot compute crossEntropyLoss as options must be an object with any of weight, " +
    "ignoreIndex, labelSmoothing, reduction, emptyMask: current value is [1, 2]",
  ],
]);

const soft = classCases().chain((c) =>
  fc.record({ given: fc.constant(c), shares: floats(c.logits.shape, 0, 1) })
);

Deno.test("crossEntropyLoss() of shares is what its formula says", () => {
  fc.assert(
    fc.property(soft, gridNumbers(0, 1), ({ given: { logits, weight }, shares }, smoothing) => {
      const column = weight.reshape(logits.shape.map((_, axis) => axis === 1 ? -1 : 1));
      const y = shares.mul(1 - smoothing).add(smoothing / logits.shape[1]!);
      const losses = y.mul(column).mul(logits.logSoftmax({ axis: 1 })).sum({ axis: 1 }).neg();
      const options = { weight, labelSmoothing: smoothing };
      const found = crossEntropyLoss(logits, shares, { ...options, reduction: "none" });
      assertAllClose(found, losses, { atol: 1e-12 });
      assertAllClose(crossEntropyLoss(logits, shares, options), losses.mean(), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() of one-hot shares is that of labels, but for the mean of weights", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 1), ({ logits, labels, weight }, labelSmoothing) => {
      const y = logits.mul(0).add(1).cumsum({ axis: 1 }).equal(labels.expandDims(1).add(1));
      const plain = { labelSmoothing };
      assertAllClose(crossEntropyLoss(logits, y, plain), crossEntropyLoss(logits, labels, plain), {
        atol: 1e-12,
      });
      const sum = { weight, reduction: "sum" } as const;
      assertSame(crossEntropyLoss(logits, y, sum), crossEntropyLoss(logits, labels, sum));
      const mean = crossEntropyLoss(logits, y, { weight });
      assertSame(mean.mul(labels.size), crossEntropyLoss(logits, y, sum));
    }),
    RUNS,
  );
});

Deno.test("crossEntropyLoss() of shares has the right derivatives", () => {
  fc.assert(
    fc.property(soft, ({ given: { logits, weight }, shares }) => {
      const y = shares.mul(0.9).add(0.05);
      const loss = (z: Tensor, y: Tensor, w: Tensor) => crossEntropyLoss(z, y, { weight: w });
      checkGradients(loss, [logits, y, weight], { order: 2, rtol: 1e-5 });
    }),
    FEW_RUNS,
  );
});

Deno.test("crossEntropyLoss() of shares is finite for logits of ±1e4, and −∞ where nothing is", () => {
  const shares = [[0, 0.5, 0.5], [1, 0, 0]];
  const loss = (z: Tensor) => crossEntropyLoss(z, shares);
  assertFinite(loss, [tensor([[1e4, -1e4, 0], [1e4, 1e4, 1e4]])]);
  assertFinite(loss, [tensor([[-Infinity, 0, 1], [2, -Infinity, -Infinity]])]);
});

Deno.test("crossEntropyLoss() of no shares is 0, or NaN on request", () => {
  assertEquals(crossEntropyLoss(zeros([0, 2]), zeros([0, 2])).item(), 0);
  const emptyMask = "nan" as const;
  assertEquals(crossEntropyLoss(zeros([0, 2]), zeros([0, 2]), { emptyMask }).item(), NaN);
});

import { type Tensor, tensor } from "@cellgrad/cellgrad";
import {
  binaryCrossEntropyWithLogitsLoss,
  crossEntropyLoss,
  diceCrossEntropyLoss,
  diceLoss,
} from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import fc from "fast-check";
import { classCases, FEW_RUNS, gridNumbers, RUNS } from "../arbitraries.ts";
import { assertFinite, assertSame, ignoreOff, testMisuse } from "./laws.ts";

const reductions = fc.constantFrom("mean" as const, "sum" as const);

Deno.test("diceCrossEntropyLoss() is the weighted sum of its parts", () => {
  const parts = [gridNumbers(0, 2), gridNumbers(0, 2), gridNumbers(0, 0.5)] as const;
  fc.assert(
    fc.property(
      classCases(),
      ...parts,
      reductions,
      (c, diceWeight, ceWeight, smoothing, reduction) => {
        const labels = ignoreOff(c.labels, c.mask, -1);
        const shared = { weight: c.weight, ignoreIndex: -1, reduction };
        const own = { includeBackground: false, perSample: true, smooth: 0.5 };
        const dice = diceLoss(c.logits, labels, { ...shared, ...own });
        const ce = crossEntropyLoss(c.logits, labels, { ...shared, labelSmoothing: smoothing });
        const found = diceCrossEntropyLoss(c.logits, labels, {
          ...shared,
          ...own,
          diceWeight,
          crossEntropyWeight: ceWeight,
          labelSmoothing: smoothing,
        });
        assertAllClose(found, dice.mul(diceWeight).add(ce.mul(ceWeight)), { atol: 1e-12 });
      },
    ),
    RUNS,
  );
});

Deno.test("diceCrossEntropyLoss() has both parts once by default", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const both = diceLoss(logits, labels).add(crossEntropyLoss(logits, labels));
      assertSame(diceCrossEntropyLoss(logits, labels), both);
    }),
    RUNS,
  );
});

Deno.test("diceCrossEntropyLoss() takes the cross entropy of logits, whatever Dice takes", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const dice = diceLoss(logits, labels, { activation: "none" });
      const found = diceCrossEntropyLoss(logits, labels, { activation: "none" });
      assertAllClose(found, dice.add(crossEntropyLoss(logits, labels)), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("diceCrossEntropyLoss() of channels has the binary cross entropy", () => {
  fc.assert(
    fc.property(classCases(), reductions, ({ logits, labels, weight }, reduction) => {
      const y = logits.mul(0).add(1).cumsum({ axis: 1 }).equal(labels.expandDims(1).add(1));
      const column = weight.reshape(logits.shape.map((_, axis) => axis === 1 ? -1 : 1));
      const shared = { activation: "sigmoid", weight, reduction } as const;
      const dice = diceLoss(logits, labels, shared);
      const ce = binaryCrossEntropyWithLogitsLoss(logits, y, {
        weight: column,
        positiveWeight: 3,
        reduction,
      });
      for (const targets of [labels, y]) {
        const found = diceCrossEntropyLoss(logits, targets, { ...shared, positiveWeight: 3 });
        assertAllClose(found, dice.add(ce), { atol: 1e-12 });
      }
    }),
    RUNS,
  );
});

Deno.test("diceCrossEntropyLoss() of channels averages what is not ignored", () => {
  const logits = tensor([[0.5, -1], [3, 4], [-2, 1]], { dtype: "float64" });
  const options = { activation: "sigmoid", diceWeight: 0, ignoreIndex: -1 } as const;
  const found = diceCrossEntropyLoss(logits, [1, -1, 0], options);
  const kept = tensor([[0.5, -1], [-2, 1]], { dtype: "float64" });
  assertSame(found, binaryCrossEntropyWithLogitsLoss(kept, [[0, 1], [1, 0]]));
});

Deno.test("diceCrossEntropyLoss() has the right derivatives", () => {
  fc.assert(
    fc.property(classCases(), fc.boolean(), ({ logits, labels, weight }, isSigmoid) => {
      const activation = isSigmoid ? "sigmoid" : "softmax";
      const loss = (z: Tensor, w: Tensor) =>
        diceCrossEntropyLoss(z, labels, { activation, weight: w });
      checkGradients(loss, [logits, weight], { order: 2, rtol: 1e-5 });
    }),
    FEW_RUNS,
  );
});

Deno.test("diceCrossEntropyLoss() is finite for logits of ±1e4, and of no labels", () => {
  const logits = tensor([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, 1e4]]);
  for (const activation of ["softmax", "sigmoid"] as const) {
    for (const labels of [[0, 1, 0], [-1, -1, -1]]) {
      const options = { activation, ignoreIndex: -1 } as const;
      assertFinite((z) => diceCrossEntropyLoss(z, labels, options), [logits]);
    }
  }
});

const call = (options: object) => () => diceCrossEntropyLoss([[1, 2]], [0], options);

testMisuse("diceCrossEntropyLoss", [
  [
    "an argument too many",
    () => (diceCrossEntropyLoss as (...args: unknown[]) => unknown)([[1, 2]], [0], {}, 1),
    TypeError,
    "Cannot compute diceCrossEntropyLoss as it takes nothing after options: current value is 1",
  ],
  ...["diceWeight", "crossEntropyWeight"].map((name) =>
    [
      `a negative ${name}`,
      call({ [name]: -1 }),
      RangeError,
      `Cannot compute diceCrossEntropyLoss as ${name} must be a finite number at least 0: ` +
      "current value is -1",
    ] as const
  ),
  [
    "no reduction, as the parts have other shapes",
    call({ reduction: "none" }),
    TypeError,
    "Cannot compute diceCrossEntropyLoss as reduction must be one of mean, sum: " +
    "current value is none",
  ],
  [
    "an unknown activation",
    call({ activation: "relu" }),
    TypeError,
    "Cannot compute diceCrossEntropyLoss as activation must be one of softmax, sigmoid, none: " +
    "current value is relu",
  ],
  [
    "a label smoothing of 2",
    call({ labelSmoothing: 2 }),
    RangeError,
    "Cannot compute diceCrossEntropyLoss as labelSmoothing must be a finite number at least 0 " +
    "and at most 1: current value is 2",
  ],
  [
    "no labels, where that is an error",
    () => diceCrossEntropyLoss([[1, 2]], [-1], { ignoreIndex: -1, emptyMask: "error" }),
    RangeError,
    "Cannot compute diceCrossEntropyLoss as labels must select at least one entry: " +
    '0 of 1 are selected; emptyMask "zero" or "nan" allows this',
  ],
  ...([["labelSmoothing", 0.1], ["emptyMask", "nan"]] as const).map(([name, value]) =>
    [
      `a ${name} of channels`,
      call({ activation: "sigmoid", [name]: value }),
      TypeError,
      `Cannot compute diceCrossEntropyLoss as ${name} does not go with the activation: ` +
      "current activation is sigmoid",
    ] as const
  ),
  [
    "a positiveWeight of softmax",
    call({ positiveWeight: 2 }),
    TypeError,
    "Cannot compute diceCrossEntropyLoss as positiveWeight does not go with the activation: " +
    "current activation is softmax",
  ],
  [
    "one class, of which there is no softmax",
    () => diceCrossEntropyLoss([[1]], [[1]], { activation: "none" }),
    TypeError,
    "Cannot compute diceCrossEntropyLoss as logits must have at least two classes: current shape " +
    "is [1, 1]; for two classes by one logit, put zeros before it along axis 1",
  ],
]);

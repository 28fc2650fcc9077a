import { sigmoid, type Tensor, tensor, valueAndGrad, zeros } from "@cellgrad/cellgrad";
import {
  binaryCrossEntropyLoss,
  binaryCrossEntropyWithLogitsLoss,
} from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, RUNS, smallShapes } from "../arbitraries.ts";
import { assertFinite, assertReductions, assertSame, testMisuse } from "./laws.ts";

const cases = smallShapes(3).chain((shape) =>
  fc.record({
    logits: floats(shape),
    targets: floats(shape, 0, 1),
    weight: floats(shape.slice(-1), 0, 3),
    positiveWeight: floats(shape.map((extent, axis) => axis === 0 ? extent : 1), 0.1, 3),
  })
);

const NAMES = { binaryCrossEntropyLoss, binaryCrossEntropyWithLogitsLoss };

for (const [name, loss] of Object.entries(NAMES)) {
  const isProbs = name === "binaryCrossEntropyLoss";

  Deno.test(`${name}() is what its formula says`, () => {
    fc.assert(
      fc.property(cases, ({ logits, targets, weight, positiveWeight }) => {
        const p = sigmoid(logits);
        const there = targets.mul(p.log()).mul(positiveWeight);
        const absent = targets.neg().add(1).mul(p.neg().add(1).log());
        const losses = there.add(absent).mul(weight).neg();
        const options = { weight, positiveWeight, reduction: "none" } as const;
        const found = loss(isProbs ? p : logits, targets, options);
        assertAllClose(found, losses, { atol: 1e-12, rtol: 1e-9 });
        assertGreaterOrEqual(found.min().item(), 0);
      }),
      RUNS,
    );
  });

  Deno.test(`${name}() averages over entries, not over weights`, () => {
    fc.assert(
      fc.property(cases, ({ logits, targets, weight }) => {
        const x = isProbs ? sigmoid(logits) : logits;
        assertReductions((reduction) => loss(x, targets, { weight, reduction }), logits.size);
      }),
      RUNS,
    );
  });

  Deno.test(`${name}() has the right derivatives by all that it reads`, () => {
    fc.assert(
      fc.property(cases, ({ logits, targets, weight, positiveWeight }) => {
        const inner = targets.mul(0.9).add(0.05);
        const f = (x: Tensor, y: Tensor, w: Tensor, v: Tensor) =>
          loss(x, y, { weight: w, positiveWeight: v });
        const inputs = [isProbs ? sigmoid(logits) : logits, inner, weight.add(0.1), positiveWeight];
        checkGradients(f, inputs, { order: 2, rtol: 1e-5 });
      }),
      FEW_RUNS,
    );
  });

  Deno.test(`${name}() of nothing is 0`, () => {
    assertEquals(loss(zeros([0, 2]), zeros([0, 2])).item(), 0);
  });

  testMisuse(name, [
    [
      "an argument too many",
      () => (loss as (...args: unknown[]) => unknown)([0], [0], {}, 1),
      TypeError,
      `Cannot compute ${name} as it takes nothing after options: current value is 1`,
    ],
    [
      "shapes that differ",
      () => loss([0, 1], [[0, 1]]),
      TypeError,
      `Cannot compute ${name} as ${isProbs ? "probs" : "logits"} and targets must have the same ` +
      "shape: current shapes are [2] and [1, 2]",
    ],
    [
      "targets out of range",
      () => loss([0], [-100]),
      RangeError,
      `Cannot compute ${name} as targets must be in [0, 1]: current value at position 0 is -100`,
    ],
    [
      "an unknown reduction",
      () => loss([0], [1], { reduction: "all" as never }),
      TypeError,
      `Cannot compute ${name} as reduction must be one of mean, sum, none: current value is all`,
    ],
    ...(["weight", "positiveWeight"] as const).flatMap((option) => [
      [
        `a negative ${option}`,
        () => loss([0], [1], { [option]: [-1] }),
        RangeError,
        `Cannot compute ${name} as ${option} must be at least 0: current value at position 0 is -1`,
      ] as const,
      [
        `a ${option} that does not broadcast`,
        () => loss([0, 1], [1, 0], { [option]: [[1], [2]] }),
        TypeError,
        `Cannot compute ${name} as ${option} must broadcast to the shape of ` +
        `${isProbs ? "probs" : "logits"}: current shapes are [2, 1] and [2]`,
      ] as const,
      [
        `a ${option} of another kind`,
        () => loss([0], [1], { [option]: "balanced" as never }),
        TypeError,
        `Cannot compute ${name} as ${option} must be a tensor, a number or an array: ` +
        'current value is "balanced"',
      ] as const,
    ]),
  ]);
}

testMisuse("binaryCrossEntropyLoss", [
  [
    "logits",
    () => binaryCrossEntropyLoss([3], [1]),
    RangeError,
    "Cannot compute binaryCrossEntropyLoss as probs must be in [0, 1]: current value at " +
    "position 0 is 3; pass probabilities, such as sigmoid(logits)",
  ],
]);

Deno.test("binaryCrossEntropyLoss() of certain probabilities is 0, with a finite gradient, or ∞", () => {
  const loss = (p: Tensor) => binaryCrossEntropyLoss(p, [0, 1, 1], { reduction: "sum" });
  const right = tensor([0, 1, 0.5], { dtype: "float64" });
  const [value, gradient] = valueAndGrad(loss, { checkNaN: true })(right);
  assertSame(value, Math.LN2);
  assertEquals(gradient.toArray(), [1, -1, -2]);
  assertEquals(loss(tensor([0, 0, 0.5])).item(), Infinity);
  assertEquals(loss(tensor([1, 1, 0.5])).item(), Infinity);
});

Deno.test("binaryCrossEntropyLoss() takes what is out of [0, 1] by rounding for 0 and 1", () => {
  assertEquals(binaryCrossEntropyLoss([1.0005, -0.0005], [1, 0]).item(), 0);
});

Deno.test("binaryCrossEntropyWithLogitsLoss() is finite for logits of any size", () => {
  for (const targets of [[0, 1, 0, 1], [0.25, 0.5, 1, 0]]) {
    const loss = (z: Tensor) => binaryCrossEntropyWithLogitsLoss(z, targets, { positiveWeight: 2 });
    assertFinite(loss, [tensor([1e4, -1e4, 1e30, -1e30])]);
  }
});

Deno.test("binaryCrossEntropyWithLogitsLoss() of infinite and right logits is 0", () => {
  const loss = (z: Tensor) => binaryCrossEntropyWithLogitsLoss(z, [0, 1]);
  assertEquals(assertFinite(loss, [tensor([-Infinity, Infinity])]), 0);
  assertEquals(loss(tensor([Infinity, Infinity])).item(), Infinity);
});

Deno.test("binaryCrossEntropyWithLogitsLoss() keeps the digits of what is nearly certain", () => {
  const loss = binaryCrossEntropyWithLogitsLoss([-40, 40], [0, 1], { reduction: "none" });
  assertAllClose(loss, [Math.exp(-40), Math.exp(-40)], { rtol: 1e-6 });
});

import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { focalTverskyLoss, tverskyLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { classCases, gridNumbers, RUNS } from "../arbitraries.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

Deno.test("focalTverskyLoss() with gamma 1 is the Tversky loss", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 2), gridNumbers(0, 2), (c, alpha, beta) => {
      const options = { alpha, beta };
      const focal = focalTverskyLoss(c.logits, c.labels, { ...options, gamma: 1 });
      assertAllClose(focal, tverskyLoss(c.logits, c.labels, options), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("focalTverskyLoss() raises the loss of each class, 0.75 by default", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const losses = tverskyLoss(logits, labels, { reduction: "none" });
      assertSame(focalTverskyLoss(logits, labels), losses.pow(0.75).mean());
      assertSame(focalTverskyLoss(logits, labels, { gamma: 2 }), losses.square().mean());
    }),
    RUNS,
  );
});

Deno.test("focalTverskyLoss() weighs false positives by alpha and misses by beta", () => {
  const logits = tensor([[Math.log(3), 0]], { dtype: "float64" });
  // q = (3/4, 1/4), the label is 1: TP 0 and 1/4, FP 3/4 and 0, FN 0 and 3/4.
  const found = focalTverskyLoss(logits, [1], { alpha: 0.3, beta: 0.7, gamma: 0.5 });
  const missed = [1 - 1 / (1 + 0.3 * 0.75), 1 - 1.25 / (1.25 + 0.7 * 0.75)];
  assertSame(found, (Math.sqrt(missed[0]!) + Math.sqrt(missed[1]!)) / 2);
});

Deno.test("focalTverskyLoss() has a finite gradient where a class is nearly, or exactly, right", () => {
  for (const gap of [10, 17, 20, 40, 1e4]) {
    const logits = tensor([[gap, 0], [0, gap], [gap, 0]]);
    const shares = [[1, 0], [0, 1], [0.9, 0.1]];
    for (const targets of [[0, 1, 0], shares]) {
      for (const smooth of [0, 1]) {
        assertFinite((z: Tensor) => focalTverskyLoss(z, targets, { smooth }), [logits]);
      }
    }
  }
  const exact = focalTverskyLoss([[1e4, 0], [0, 1e4]], [0, 1]);
  assertEquals(exact.item(), 0);
});

Deno.test("focalTverskyLoss() of many nearly right positions is no NaN by rounding", () => {
  const logits = tensor(Array.from({ length: 999 }, (_, i) => [20 + (i % 7) / 9, 0]));
  const loss = (z: Tensor) => focalTverskyLoss(z, Array(999).fill(0), { smooth: 0 });
  assertFinite(loss, [logits]);
});

testMisuse("focalTverskyLoss", [
  [
    "an argument too many",
    () => (focalTverskyLoss as (...args: unknown[]) => unknown)([[1, 2]], [0], {}, 1),
    TypeError,
    "Cannot compute focalTverskyLoss as it takes nothing after options: current value is 1",
  ],
  [
    "an exponent of 0",
    () => focalTverskyLoss([[1, 2]], [0], { gamma: 0 }),
    RangeError,
    "Cannot compute focalTverskyLoss as gamma must be a finite number above 0: current value is 0",
  ],
  [
    "a negative alpha",
    () => focalTverskyLoss([[1, 2]], [0], { alpha: -1 }),
    RangeError,
    "Cannot compute focalTverskyLoss as alpha must be a finite number at least 0: " +
    "current value is -1",
  ],
  ...[focalTverskyLoss, tverskyLoss].map((loss) =>
    [
      `sums of squares in ${loss.name}`,
      () => loss([[1, 2]], [0], { squared: true }),
      TypeError,
      `Cannot compute ${loss.name} as squared must be false: sums of squares less true positives ` +
      `may be negative; take diceLoss or jaccardLoss`,
    ] as const
  ),
]);

import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { crossEntropyLoss, tverskyLoss, unifiedFocalLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

const forms = fc.constantFrom("asymmetric" as const, "symmetric" as const);

/** The formula, in plain numbers. */
function plainly(
  logits: Tensor,
  share: (c: number, i: number) => number,
  { weight, delta, gamma, form }: { weight: number; delta: number; gamma: number; form: string },
): number {
  const [n, classes] = logits.shape as [number, number];
  let focal = 0;
  const counts = Array.from({ length: classes }, () => [0, 0, 0]);
  for (let i = 0; i < n; i++) {
    const z = Array.from({ length: classes }, (_, c) => logits.data[i * classes + c]!);
    const total = z.reduce((sum, x) => sum + Math.exp(x), 0);
    z.forEach((x, c) => {
      const [q, y] = [Math.exp(x) / total, share(c, i)];
      const isFocused = c === 0 || form === "symmetric";
      const power = isFocused ? (1 - q) ** gamma : 1;
      focal -= (c === 0 ? 1 - delta : delta) * power * y * Math.log(q);
      counts[c]![0]! += q * y;
      counts[c]![1]! += q * (1 - y);
      counts[c]![2]! += (1 - q) * y;
    });
  }
  const tversky = counts.map(([tp, fp, fn], c) => {
    const mistakes = (1 - delta) * fp! + delta * fn!;
    const exponent = c === 0 && form === "asymmetric" ? 1 : 1 - gamma;
    return tp! + mistakes === 0 ? 0 : (mistakes / (tp! + mistakes)) ** exponent;
  });
  return weight * focal / n + (1 - weight) * tversky.reduce((a, b) => a + b, 0) / classes;
}

Deno.test("unifiedFocalLoss() is what its formula says, by labels and by shares", () => {
  const options = fc.record({
    weight: gridNumbers(0, 1),
    delta: gridNumbers(0, 1),
    gamma: gridNumbers(0, 0.9),
    form: forms,
  });
  const cases = fc.record({
    logits: floats([4, 3]),
    labels: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }),
    shares: floats([4, 3], 0, 1),
  });
  fc.assert(
    fc.property(cases, options, ({ logits, labels, shares }, chosen) => {
      const close = (found: Tensor, expected: number) =>
        assertAllClose(found, expected, { rtol: 1e-9, atol: 1e-9 });
      const hard = plainly(logits, (c, i) => Number(labels[i] === c), chosen);
      close(unifiedFocalLoss(logits, labels, chosen), hard);
      const rows = labels.map((label) => [0, 1, 2].map((c) => Number(label === c)));
      close(unifiedFocalLoss(logits, rows, chosen), hard);
      const soft = plainly(logits, (c, i) => shares.data[i * 3 + c]!, chosen);
      close(unifiedFocalLoss(logits, shares, chosen), soft);
    }),
    RUNS,
  );
});

Deno.test("unifiedFocalLoss() has the defaults that it says it has", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const defaults = { weight: 0.5, delta: 0.6, gamma: 0.5, form: "asymmetric" } as const;
      assertSame(unifiedFocalLoss(logits, labels), unifiedFocalLoss(logits, labels, defaults));
    }),
    RUNS,
  );
});

Deno.test("unifiedFocalLoss() without focusing is half cross entropy and half Tversky loss", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 1), forms, ({ logits, labels }, weight, form) => {
      const tversky = tverskyLoss(logits, labels, { alpha: 0.5, beta: 0.5, smooth: 0 });
      const half = crossEntropyLoss(logits, labels).div(2);
      const both = half.mul(weight).add(tversky.mul(1 - weight));
      const found = unifiedFocalLoss(logits, labels, { weight, delta: 0.5, gamma: 0, form });
      assertAllClose(found, both, { atol: 1e-12 });
      assertGreaterOrEqual(found.item(), 0);
    }),
    RUNS,
  );
});

Deno.test("unifiedFocalLoss() costs certain mistakes three times what MONAI's costs", () => {
  const logits = [[-10, 10, -10], [-10, 10, -10]];
  assertAlmostEquals(unifiedFocalLoss(logits, [0, 0]).item(), 4.5, 1e-4);
});

Deno.test("unifiedFocalLoss() has the right derivatives", () => {
  const cases = fc.record({ logits: floats([3, 3]), shares: floats([3, 3], 0.05, 0.95) });
  fc.assert(
    fc.property(cases, forms, ({ logits, shares }, form) => {
      const loss = (z: Tensor, y: Tensor) => unifiedFocalLoss(z, y, { form });
      checkGradients(loss, [logits, shares], { order: 2, rtol: 1e-5 });
      checkGradients((z) => unifiedFocalLoss(z, [0, 2, 1], { form }), [logits], {
        order: 2,
        rtol: 1e-5,
      });
    }),
    FEW_RUNS,
  );
});

Deno.test("unifiedFocalLoss() is finite for logits of ±1e4, and 0 where all is right", () => {
  const logits = tensor([[1e4, -1e4, 0], [-1e4, 1e4, 0], [1e4, 1e4, 1e4]]);
  for (const form of ["asymmetric", "symmetric"] as const) {
    for (const targets of [[0, 1, 0], [2, 2, 2], [[1, 0, 0], [0, 0.5, 0.5], [0, 0, 0]]]) {
      assertFinite((z) => unifiedFocalLoss(z, targets, { form }), [logits]);
    }
    const right = (z: Tensor) => unifiedFocalLoss(z, [0, 1], { form });
    assertEquals(assertFinite(right, [tensor([[1e4, -1e4, -1e4], [-1e4, 1e4, -1e4]])]), 0);
  }
});

const call = (options: object) => () => unifiedFocalLoss([[1, 2]], [0], options);

testMisuse("unifiedFocalLoss", [
  [
    "an argument too many",
    () => (unifiedFocalLoss as (...args: unknown[]) => unknown)([[1, 2]], [0], {}, 1),
    TypeError,
    "Cannot compute unifiedFocalLoss as it takes nothing after options: current value is 1",
  ],
  ...["weight", "delta"].flatMap((name) =>
    [-0.1, 1.1].map((value) =>
      [
        `a ${name} of ${value}`,
        call({ [name]: value }),
        RangeError,
        `Cannot compute unifiedFocalLoss as ${name} must be a finite number at least 0 and ` +
        `at most 1: current value is ${value}`,
      ] as const
    )
  ),
  ...[-0.1, 1].map((gamma) =>
    [
      `a gamma of ${gamma}`,
      call({ gamma }),
      RangeError,
      "Cannot compute unifiedFocalLoss as gamma must be a finite number at least 0 and below 1: " +
      `current value is ${gamma}`,
    ] as const
  ),
  [
    "an unknown form",
    call({ form: "both" }),
    TypeError,
    "Cannot compute unifiedFocalLoss as form must be one of asymmetric, symmetric: " +
    "current value is both",
  ],
]);

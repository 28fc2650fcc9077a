import { assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  abs,
  customVjp,
  type DType,
  gradientReversal,
  greater,
  log,
  matmul,
  maximum,
  mul,
  ones,
  relu,
  stopGradient,
  type Tensor,
  tensor,
  where,
} from "../mod.ts";
import { assertAllClose, checkGradients } from "../src/testing.ts";

const message = (f: () => unknown) => assertThrows(f, Error).message;

/** A square whose gradient is whatever the rule makes of the cotangent and the argument. */
const square = (rule: (g: Tensor, x: Tensor) => Tensor) =>
  customVjp({ forward: (x) => x.square(), vjp: (g, _y, [x]) => [rule(g, x!)] });

const POINTS = [[0.5, -1.2, 2], [3, 0.1, -0.7]];

Deno.test("checkGradients() passes a right rule at both orders, and counts", () => {
  const right = square((g, x) => mul(g, x.mul(2)));
  assertEquals(checkGradients(right, [POINTS]), { checked: 6, skipped: 0 });
  assertEquals(checkGradients(right, [POINTS], { order: 2 }), { checked: 12, skipped: 0 });
});

Deno.test("checkGradients() checks every input", () => {
  const report = checkGradients((x, w) => matmul(x, w).tanh(), [POINTS, [[1, 2], [3, 4], [5, 6]]]);
  assertEquals(report.checked, 12);
});

const WRONG: Record<string, (g: Tensor, x: Tensor) => Tensor> = {
  "a lost factor": (g, x) => mul(g, x),
  "a lost sign": (g, x) => mul(g, x.mul(-2)),
  "a lost cotangent": (_g, x) => x.mul(2),
  "a factor that is off by one part in 100,000": (g, x) => mul(g, x.mul(2.00002)),
  "a constant added": (g, x) => mul(g, x.mul(2)).add(1e-5),
  "a gradient that is right on the positive side only": (g, x) =>
    mul(g, where(greater(x, 0), x.mul(2), x)),
  "a gradient that is right in the first row only": (g, x) => mul(g, x.mul([[2, 2, 2], [1, 2, 2]])),
  "entries in the wrong order": (g, x) => mul(g, x.mul(2)).gather([1, 0]),
  "a mean instead of each entry's own": (g, x) =>
    mul(g, x.mul(2)).mean({ keepDims: true }).broadcastTo(x.shape),
  "NaN": (g, x) => mul(g, log(x.square().neg())),
};

for (const [what, rule] of Object.entries(WRONG)) {
  Deno.test(`checkGradients() catches ${what}`, () => {
    assertStringIncludes(
      message(() => checkGradients(square(rule), [POINTS])),
      "Cannot confirm the derivative by input 0 at ",
    );
  });
}

Deno.test("checkGradients() catches a gradient that is missing", () => {
  assertThrows(() => checkGradients((x) => stopGradient(x).square(), [POINTS]), Error);
});

Deno.test("checkGradients() catches a reversed gradient", () => {
  assertThrows(() => checkGradients((x) => gradientReversal(x).square(), [POINTS]), Error);
});

Deno.test("checkGradients() names the input, the entry, and both derivatives", () => {
  const half = square((g, x) => mul(g, x.mul([[2], [1]])));
  const text = message(() => checkGradients((x, y) => x.sum().add(half(y).sum()), [1, [[3], [4]]]));
  const pattern =
    /^Cannot confirm the derivative by input 1 at \[1, 0\]: computed (\S+), by differences (\S+)$/;
  const [, computed, differences] = text.match(pattern)!;
  assertAlmostEquals(Number(differences) / Number(computed), 2, 1e-6);
});

/** A sum of a matrix and a row, with a rule for the row's gradient. */
const addRow = (rule: (g: Tensor) => Tensor) =>
  customVjp({ forward: (x, row) => x.add(row), vjp: (g) => [g, rule(g)] });

Deno.test("checkGradients() passes a broadcast that is summed, by the rule or by the engine", () => {
  for (const rule of [(g: Tensor) => g, (g: Tensor) => g.sum({ axis: 0 })]) {
    assertEquals(checkGradients(addRow(rule), [POINTS, [1, 2, 3]]).checked, 9);
  }
});

Deno.test("checkGradients() catches a broadcast that is not summed", () => {
  for (const rule of [(g: Tensor) => g.slice(0, 1), (g: Tensor) => g.mean({ axis: 0 })]) {
    assertStringIncludes(
      message(() => checkGradients(addRow(rule), [POINTS, [1, 2, 3]])),
      "Cannot confirm the derivative by input 1 at [0]",
    );
  }
});

Deno.test("checkGradients() of order 2 catches a rule whose own derivative is wrong", () => {
  const rule = square((g, x) => mul(g, stopGradient(x).mul(2)));
  assertEquals(checkGradients(rule, [POINTS]).checked, 6);
  assertStringIncludes(
    message(() => checkGradients(rule, [POINTS], { order: 2 })),
    "Cannot confirm the second derivative by input 0 at [0, 0]: computed 0, by differences ",
  );
});

Deno.test("checkGradients() of order 2 catches a missing mixed derivative", () => {
  const product = customVjp({
    forward: (x, y) => x.mul(y),
    vjp: (g, _z, [x, y]) => [mul(g, stopGradient(y!)), mul(g, stopGradient(x!))],
  });
  checkGradients(product, [[2], [3]]);
  assertThrows(() => checkGradients(product, [[2], [3]], { order: 2 }), Error);
});

Deno.test("checkGradients() skips and counts kinks, up to a tenth", () => {
  assertEquals(checkGradients(relu, [[0, -1, 2, 3, 4, 5, 6, 7, 8, 9]]), { checked: 9, skipped: 1 });
});

Deno.test("checkGradients() accepts at a kink what central differences say", () => {
  assertEquals(checkGradients(abs, [[0, 1]]), { checked: 2, skipped: 0 });
  assertEquals(checkGradients((x) => maximum(x, 3), [[3, 1]]), { checked: 2, skipped: 0 });
});

Deno.test("checkGradients() fails where more than a tenth are kinks", () => {
  assertEquals(
    message(() => checkGradients(relu, [[0, 0, 2, 3, 4, 5, 6, 7, 8, 9]])),
    "Cannot confirm the gradient as 2 of 10 entries lie at kinks: at most 10 % may",
  );
});

Deno.test("checkGradients() allows as many kinks as asked for", () => {
  assertEquals(checkGradients(relu, [[0, 1]], { maxSkipped: 0.5 }), { checked: 1, skipped: 1 });
  assertEquals(
    message(() => checkGradients(relu, [[0, 1]], { maxSkipped: 0.25 })),
    "Cannot confirm the gradient as 1 of 2 entries lie at kinks: at most 25 % may",
  );
});

Deno.test("checkGradients() does not take NaN at a kink for a derivative", () => {
  const length = (x: Tensor) => x.square().sqrt();
  assertStringIncludes(
    message(() => checkGradients(length, [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])),
    "at [0]: computed NaN, by differences 0",
  );
});

Deno.test("checkGradients() does not take strong curvature for a kink", () => {
  const steep = (x: Tensor) => x.mul(1000).sin();
  assertEquals(checkGradients(steep, [[0.3]], { rtol: 1e-4 }), { checked: 1, skipped: 0 });
  assertStringIncludes(
    message(() => checkGradients((x) => stopGradient(steep(x)), [[0.3]])),
    "Cannot confirm the derivative by input 0 at [0]: computed 0, by differences ",
  );
});

Deno.test("checkGradients() takes floating inputs to float64, and integers as constants", () => {
  const seen: DType[] = [];
  const f = (...xs: Tensor[]) => {
    seen.splice(0, 4, ...xs.map((x) => x.dtype));
    return xs[0]!.mul(xs[1]!).mul(xs[2]!).mul(xs[3]!);
  };
  const inputs = [
    tensor([1.5]),
    Int32Array.of(3),
    [0.1],
    tensor([true]),
  ];
  assertEquals(checkGradients(f, inputs, { order: 2 }), { checked: 4, skipped: 0 });
  assertEquals(seen, ["float64", "int32", "float64", "bool"]);
});

Deno.test("checkGradients() looks at every output, however they might cancel", () => {
  const f = customVjp({
    forward: (x) => x.square().mul([[1], [-1]]),
    vjp: (g, _y, [x]) => [mul(g, x!).mul([[1], [-1]]).mul(1)],
  });
  assertThrows(() => checkGradients(f, [[[1, 2]]]), Error);
});

Deno.test("checkGradients() refuses to check nothing", () => {
  const nothing = "Cannot compute checkGradients as inputs must have a floating value to check: ";
  for (
    const [inputs, found] of [
      [[], "none"],
      [[ones([0, 2])], "float64 [0, 2]"],
      [[tensor([1, 2], { dtype: "int32" }), ones([0])], "int32 [2] and float64 [0]"],
    ] as const
  ) {
    const { message } = assertThrows(() => checkGradients((...xs) => xs[0]!, inputs), TypeError);
    assertEquals(message, `${nothing}current inputs are ${found}`);
  }
  const { message } = assertThrows(
    () => checkGradients((x) => x.relu(), [[0, 0]], { maxSkipped: 1 }),
    Error,
  );
  assertEquals(
    message,
    "Cannot confirm the gradient as 2 of 2 entries lie at kinks: nothing was checked",
  );
});

Deno.test("checkGradients() handles rank 0 and empty inputs beside others", () => {
  assertEquals(checkGradients((x) => x.exp(), [0.3]).checked, 1);
  const both = (x: Tensor, y: Tensor) => x.sum().add(y.exp());
  assertEquals(checkGradients(both, [ones([0, 2]), 0.3]), { checked: 1, skipped: 0 });
});

Deno.test("checkGradients() treats undefined options as left out", () => {
  const options = { order: undefined, rtol: undefined, atol: undefined, maxSkipped: undefined };
  assertEquals(checkGradients((x) => x.exp(), [[0.3]], options), { checked: 1, skipped: 0 });
});

Deno.test("assertAllClose() passes equal values, NaN and infinities too", () => {
  assertAllClose([1, NaN, Infinity, -Infinity, -0], [1, NaN, Infinity, -Infinity, 0]);
  assertAllClose([], []);
  assertAllClose(tensor([true]), tensor([1]));
});

Deno.test("assertAllClose() allows the tolerances on their closed interval", () => {
  assertAllClose([1.5, 100], [1, 101], { rtol: 0, atol: 1 });
  assertAllClose([1.5], [1], { rtol: 0.5, atol: 0 });
  assertThrows(() => assertAllClose([1.51], [1], { rtol: 0.5, atol: 0 }), Error);
});

Deno.test("assertAllClose() measures relative to what is expected", () => {
  assertAllClose([1], [2], { rtol: 0.5, atol: 0 });
  assertThrows(() => assertAllClose([2], [1], { rtol: 0.5, atol: 0 }), Error);
});

Deno.test("assertAllClose() shows both shapes where they differ", () => {
  assertEquals(
    message(() => assertAllClose([[1, 2]], [1, 2])),
    "Expected the same shape: actual is [1, 2], expected is [2]",
  );
});

Deno.test("assertAllClose() shows the worst entry and counts the others", () => {
  assertEquals(
    message(() => assertAllClose([[1, 2], [3, 4]], [[1, 2.5], [3, 6]])),
    "Expected all values within rtol 0.000001 and atol 1e-8: 2 of 4 differ, " +
      "most at [1, 1]: actual is 4, expected is 6",
  );
});

Deno.test("assertAllClose() finds NaN and infinities worse than any number", () => {
  const cases: [number[], number[], string][] = [
    [[NaN, 9], [1, 1], "2 of 2 differ, most at [0]: actual is NaN, expected is 1"],
    [[9, 1], [1, NaN], "2 of 2 differ, most at [1]: actual is 1, expected is NaN"],
    [[9, Infinity], [1, 1], "2 of 2 differ, most at [1]: actual is Infinity, expected is 1"],
    [[1, 1], [1, Infinity], "1 of 2 differ, most at [1]: actual is 1, expected is Infinity"],
    [
      [Infinity],
      [-Infinity],
      "1 of 1 differ, most at [0]: actual is Infinity, expected is -Infinity",
    ],
  ];
  for (const [actual, expected, text] of cases) {
    assertEquals(
      message(() => assertAllClose(actual, expected)),
      `Expected all values within rtol 0.000001 and atol 1e-8: ${text}`,
    );
  }
});

Deno.test("assertAllClose() names rank 0 by an empty position", () => {
  assertStringIncludes(
    message(() => assertAllClose(1, 2)),
    "most at []: actual is 1, expected is 2",
  );
});

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { lgammaValue, polygammaValue } from "../../kernels/gamma/reference.ts";
import { lgammaKernel, polygammaKernel } from "../../kernels/gamma/wgsl.ts";
import type { WgslKernel } from "../../kernels/wgsl/kernel.ts";
import { gpuTest, type WgslRunner } from "./wgsl_runner.ts";

/** Positive numbers from tiny to large, many of them around the roots and the seams. */
const POSITIVE = Float32Array.from([
  ...[0.5, 1, 1.5, 2, 2.5, 3, 7, 8, 9, 10, 12, 100].flatMap((
    x,
  ) => [x, x - 1e-4, x + 1e-4, x - 1e-6]),
  ...[1e-30, 1e-10, 1e-4, 0.01, 1.4616321, 1e4, 1e8, 1e20],
  ...fc.sample(fc.double({ min: -12, max: 12, noNaN: true }), { seed: 1, numRuns: 400 }).map(
    Math.exp,
  ),
  ...fc.sample(fc.double({ min: 0.4, max: 9, noNaN: true }), { seed: 2, numRuns: 600 }),
]);

/** Negative numbers away from the poles, where the sine still has its digits. */
const NEGATIVE = Float32Array.from(
  fc.sample(
    fc.tuple(fc.integer({ min: -9, max: -1 }), fc.double({ min: 0.05, max: 0.95, noNaN: true })),
    {
      seed: 3,
      numRuns: 300,
    },
  ).map(([whole, part]) => whole + part),
);

async function evaluate(
  runner: WgslRunner,
  plan: WgslKernel,
  x: Float32Array,
): Promise<Float32Array> {
  const y = new Float32Array(x.length);
  await runner.run([{ plan, inputs: [x], outputs: [y] }]);
  return y;
}

/** Checks values against exact ones: `|y − f| ≤ relative · |f| + absolute · max(1, |f|)`… */
function check(
  x: Float32Array,
  y: Float32Array,
  exact: (x: number) => number,
  relative: number,
  absolute: number,
): void {
  x.forEach((value, i) => {
    const expected = exact(value);
    if (Math.abs(expected) > 3e38) return assert(Math.abs(y[i]!) > 3e38, `at ${value}: ${y[i]}`);
    const limit = relative * Math.abs(expected) + absolute;
    assertLessOrEqual(Math.abs(y[i]! - expected), limit, `at ${value}: ${y[i]}, not ${expected}`);
  });
}

gpuTest(
  "lgammaKernel() is within 1e-6 of positive numbers, next to its roots too",
  async (runner) => {
    const y = await evaluate(runner, lgammaKernel(POSITIVE.length), POSITIVE);
    check(POSITIVE, y, lgammaValue, 1e-6, 0);
  },
);

gpuTest("lgammaKernel() is exactly 0 at 1 and 2, and infinite at the poles", async (runner) => {
  const x = new Float32Array([1, 2, 0, -1, -4]);
  const y = await evaluate(runner, lgammaKernel(x.length), x);
  assertEquals(y, new Float32Array([0, 0, Infinity, Infinity, Infinity]));
});

gpuTest("lgammaKernel() reflects negative numbers", async (runner) => {
  const y = await evaluate(runner, lgammaKernel(NEGATIVE.length), NEGATIVE);
  check(NEGATIVE, y, lgammaValue, 1e-5, 1e-5);
});

gpuTest("polygammaKernel() of order 0 is within 1e-6 of digamma", async (runner) => {
  const y = await evaluate(runner, polygammaKernel(0, POSITIVE.length), POSITIVE);
  check(POSITIVE, y, (x) => polygammaValue(0, x), 1e-6, 1e-6);
});

for (const n of [1, 2, 3, 4]) {
  gpuTest(`polygammaKernel() of order ${n} is within 1e-6 of positive numbers`, async (runner) => {
    const y = await evaluate(runner, polygammaKernel(n, POSITIVE.length), POSITIVE);
    check(POSITIVE, y, (x) => polygammaValue(n, x), 1e-6, 1e-37);
  });
}

gpuTest("polygammaKernel() reflects negative numbers", async (runner) => {
  for (const n of [0, 1, 2, 3]) {
    const y = await evaluate(runner, polygammaKernel(n, NEGATIVE.length), NEGATIVE);
    check(NEGATIVE, y, (x) => polygammaValue(n, x), 1e-5, 1e-4);
  }
});

import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { normalQuantile } from "../../kernels/random/portable.ts";
import {
  fillBernoulli,
  fillCategorical,
  fillGamma,
  fillNormal,
  fillPermutation,
  fillPoisson,
  fillUniform32,
  foldedKey,
} from "../../kernels/random/reference.ts";
import {
  bernoulliKernel,
  categoricalKernel,
  foldInKernel,
  normalKernel,
  permutationPlan,
  uniformKernel,
} from "../../kernels/random/wgsl.ts";
import { gammaKernel, poissonKernel } from "../../kernels/random/wgsl_rejection.ts";
import { QUANTILE } from "../../kernels/random/wgsl_quantile.ts";
import { DRAW } from "../../kernels/random/wgsl_bits.ts";
import { createKernel, groupsFor } from "../../kernels/wgsl/kernel.ts";
import { gpuTest } from "./wgsl_runner.ts";

/** Keys with words of all kinds. */
const KEYS = fc.sample(fc.tuple(fc.integer(), fc.integer()), { seed: 1, numRuns: 12 })
  .concat([[0, 0], [-1, -(2 ** 31)]])
  .map((words) => Int32Array.from(words));

gpuTest("foldInKernel() leads to the keys that the reference leads to", async (runner) => {
  const data = [0, 1, -1, 2 ** 31 - 1, 77];
  const jobs = KEYS.flatMap((key) =>
    data.map((number) => ({
      plan: foldInKernel(),
      inputs: [key, new Int32Array([number])],
      outputs: [new Int32Array(2)],
    }))
  );
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    assertEquals(outputs[0], foldedKey(inputs[0]!, inputs[1]![0]!));
  }
});

gpuTest("foldInKernel() gives the published numbers of Threefry", async (runner) => {
  const outputs = [new Int32Array(2)];
  await runner.run([{
    plan: foldInKernel(),
    inputs: [new Int32Array(2), new Int32Array(1)],
    outputs,
  }]);
  assertEquals(new Uint32Array(outputs[0]!.buffer), new Uint32Array([0x6b200159, 0x99ba4efe]));
});

gpuTest("uniformKernel() gives the numbers of the reference, bit for bit", async (runner) => {
  const jobs = KEYS.map((key, i) => ({
    plan: uniformKernel(1 + 97 * i),
    inputs: [key],
    outputs: [new Float32Array(1 + 97 * i)],
  }));
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Float32Array(outputs[0]!.length);
    fillUniform32(expected, inputs[0]!);
    assertEquals(outputs[0], expected);
  }
});

gpuTest("normalKernel() gives the numbers of the reference to 1e-6", async (runner) => {
  const count = 20_000;
  const jobs = KEYS.slice(0, 4).map((key) => ({
    plan: normalKernel(count),
    inputs: [key],
    outputs: [new Float32Array(count)],
  }));
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Float64Array(count);
    fillNormal(expected, inputs[0]!);
    expected.forEach((value, i) =>
      assertLessOrEqual(Math.abs(outputs[0]![i]! - value), 1e-6 * Math.max(1, Math.abs(value)))
    );
  }
});

gpuTest("the quantile holds its digits from the middle to the ends", async (runner) => {
  const middle = 2n ** 51n;
  const numbers = Array.from({ length: 52 }, (_, i) => 2n ** BigInt(i) - 1n)
    .concat(Array.from({ length: 50 }, (_, i) => 3n * 2n ** BigInt(i)))
    .flatMap((d) => [d, 2n ** 52n - 1n - d, middle + d % middle, middle - 1n - d % middle]);
  const words = Uint32Array.from(numbers.flatMap((n) => [Number(n >> 20n), Number(n & 0xfffffn)]));
  const y = new Float32Array(numbers.length);
  const plan = createKernel({
    name: "quantiles",
    inputs: [{ name: "key", type: "i32" }, { name: "words", type: "u32" }],
    outputs: [{ name: "y", type: "f32" }],
    groups: groupsFor(y.length),
    declarations: `${DRAW}\n${QUANTILE}`,
    body: `if (index >= ${y.length}u) { return; }
y[index] = normalQuantile(vec2u(words[2u * index], words[2u * index + 1u])) + f32(key[0]);`,
  });
  await runner.run([{ plan, inputs: [new Int32Array(2), words], outputs: [y] }]);
  numbers.forEach((n, i) => {
    // Both N + ½ and its distance from the nearer end are exact, where p close to 1 is not.
    const nearer = n < middle ? n : 2n ** 52n - 1n - n;
    const z = normalQuantile((Number(nearer) + 0.5) * 2 ** -52) * (n < middle ? 1 : -1);
    assertLessOrEqual(Math.abs(y[i]! - z), 1e-6 * Math.abs(z), `${n}: ${y[i]}, not ${z}`);
  });
});

gpuTest("bernoulliKernel() gives the booleans of the reference", async (runner) => {
  const count = 3000;
  const special = [0, 1, 0.5, 1e-3, 1 - 2 ** -24, 2 ** -40, 2 ** -60];
  const each = Float32Array.from(
    { length: count },
    (_, i) => special[i] ?? Math.fround((i * 0.618) % 1),
  );
  const jobs = KEYS.flatMap((key) => [
    { plan: bernoulliKernel(count, count), inputs: [key, each], outputs: [new Uint32Array(count)] },
    ...special.map((p) => ({
      plan: bernoulliKernel(count, 1),
      inputs: [key, new Float32Array([p])],
      outputs: [new Uint32Array(count)],
    })),
  ]);
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Uint8Array(count);
    fillBernoulli(expected, inputs[0]!, inputs[1]!);
    assertEquals(outputs[0], Uint32Array.from(expected));
  }
});

gpuTest("permutationPlan() gives the orders of the reference", async (runner) => {
  const jobs = [1, 2, 3, 10, 64, 65, 1000, 30_000].map((n, i) => ({
    plan: permutationPlan(n),
    inputs: [KEYS[i]!],
    outputs: [new Int32Array(n)],
  }));
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Int32Array(outputs[0]!.length);
    fillPermutation(expected, inputs[0]!);
    assertEquals(outputs[0], expected);
  }
});

gpuTest("categoricalKernel() gives the classes of the reference but for ties", async (runner) => {
  const [shape, batch, classes] = [[40, 5, 30], [5, 1], 7];
  const logits = Float32Array.from({ length: 35 }, (_, i) => i % 6 === 5 ? -1e30 : Math.sin(i) * 3);
  const count = 6000;
  const rows = Int32Array.from({ length: count }, (_, i) => Math.trunc(i / 30) % 5);
  const jobs = KEYS.map((key) => ({
    plan: categoricalKernel(shape, batch, classes),
    inputs: [key, logits],
    outputs: [new Int32Array(count)],
  }));
  await runner.run(jobs);
  let different = 0;
  for (const { inputs, outputs } of jobs) {
    const expected = new Int32Array(count);
    fillCategorical(expected, inputs[0]!, logits, classes, rows);
    expected.forEach((value, i) => different += Number(value !== outputs[0]![i]));
    assert(outputs[0]!.every((c, i) => logits[rows[i]! * classes + c]! > -1e30));
  }
  assertLess(different, 3);
});

gpuTest(
  "gammaKernel() gives the numbers of the reference but for other acceptances",
  async (runner) => {
    const count = 8000;
    const each = Float32Array.from({ length: count }, (_, i) => 0.1 + (i % 100) ** 2 / 50);
    const jobs = [each, ...[0.3, 1, 1.7, 40, 1e5].map((alpha) => new Float32Array([alpha]))].map((
      concentration,
      i,
    ) => ({
      plan: gammaKernel(count, concentration.length),
      inputs: [KEYS[i]!, concentration],
      outputs: [new Float32Array(count)],
    }));
    await runner.run(jobs);
    for (const { inputs, outputs } of jobs) {
      const expected = new Float64Array(count);
      fillGamma(expected, inputs[0]!, inputs[1]!);
      const isOff = (value: number, i: number) =>
        Math.abs(outputs[0]![i]! - value) > 5e-5 * value + 1e-30;
      assertLess(expected.filter(isOff).length, 3, `concentration ${inputs[1]}`);
    }
  },
);

gpuTest("poissonKernel() gives the counts of the reference but for ties", async (runner) => {
  const count = 8000;
  const each = Float32Array.from({ length: count }, (_, i) => (i % 100) ** 2 / 50);
  const rates = [0, 0.5, 9.9, 10, 25, 1e3, 1e5];
  const jobs = [each, ...rates.map((rate) => new Float32Array([rate]))].map((rate, i) => ({
    plan: poissonKernel(count, rate.length),
    inputs: [KEYS[i]!, rate],
    outputs: [new Int32Array(count)],
  }));
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Int32Array(count);
    fillPoisson(expected, inputs[0]!, inputs[1]!);
    const different = expected.filter((value, i) => outputs[0]![i] !== value).length;
    assertLess(different, inputs[1]![0]! > 1e4 ? 80 : 5, `rate ${inputs[1]![0]}`);
  }
});

import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { print } from "../../kernels/functions/print.ts";
import { declareFunctions, WgslPrinter } from "../../kernels/functions/wgsl.ts";
import { evaluate } from "../../kernels/functions/evaluate.ts";
import { integerParameter } from "../../kernels/functions/algebra.ts";
import { fill, fillCategorical, fillPermutation, foldedKey } from "../../kernels/random/eager.ts";
import { normal } from "../../kernels/random/normal.ts";
import { categoricalKernel, permutationPlan, samplerKernel } from "../../kernels/random/wgsl.ts";
import type { Words } from "../../kernels/random/threefry.ts";
import { createKernel, groupsFor } from "../../kernels/wgsl/kernel.ts";
import { gpuTest } from "./wgsl_runner.ts";

/** Keys with words of all kinds. */
const KEYS = fc.sample(fc.tuple(fc.integer(), fc.integer()), { seed: 1, numRuns: 12 })
  .concat([[0, 0], [-1, -(2 ** 31)]])
  .map((words) => Int32Array.from(words));

const parametersOf = ({ length }: Float32Array) => ({ element: "float32", count: length }) as const;

gpuTest("foldIn leads to the keys that the reference leads to", async (runner) => {
  const data = [0, 1, -1, 2 ** 31 - 1, 77];
  const jobs = KEYS.flatMap((key) =>
    data.map((number) => ({
      plan: samplerKernel("foldIn", "int32", 2, { element: "int32", count: 1 }),
      inputs: [key, new Int32Array([number])],
      outputs: [new Int32Array(2)],
    }))
  );
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    assertEquals(outputs[0], foldedKey(inputs[0]!, inputs[1]![0]!));
  }
});

gpuTest("foldIn gives the published numbers of Threefry", async (runner) => {
  const outputs = [new Int32Array(2)];
  await runner.run([{
    plan: samplerKernel("foldIn", "int32", 2, { element: "int32", count: 1 }),
    inputs: [new Int32Array(2), new Int32Array(1)],
    outputs,
  }]);
  assertEquals(new Uint32Array(outputs[0]!.buffer), new Uint32Array([0x6b200159, 0x99ba4efe]));
});

gpuTest("uniform numbers are those of the reference, bit for bit", async (runner) => {
  const jobs = KEYS.map((key, i) => ({
    plan: samplerKernel("uniform", "float32", 1 + 97 * i),
    inputs: [key],
    outputs: [new Float32Array(1 + 97 * i)],
  }));
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Float32Array(outputs[0]!.length);
    fill("uniform", expected, inputs[0]!);
    assertEquals(outputs[0], expected);
  }
});

gpuTest("normal numbers are those of the reference to 1e-6", async (runner) => {
  const count = 20_000;
  const jobs = KEYS.slice(0, 4).map((key) => ({
    plan: samplerKernel("normal", "float32", count),
    inputs: [key],
    outputs: [new Float32Array(count)],
  }));
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Float64Array(count);
    fill("normal", expected, inputs[0]!);
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
  const text: Words = [integerParameter("x"), integerParameter("y")];
  const printer = new WgslPrinter();
  const [z] = print([normal(text, "float32")], { x: "x", y: "y_word" }, printer);
  const plan = createKernel({
    name: "quantiles",
    inputs: [{ name: "words", type: "u32" }],
    outputs: [{ name: "y", type: "f32" }],
    groups: groupsFor(y.length),
    declarations: declareFunctions(printer.uses),
    body: `if (index >= ${y.length}u) { return; }
let x = bitcast<i32>(words[2u * index]);
let y_word = bitcast<i32>(words[2u * index + 1u] << 12u);
${printer.lines.join("\n")}
y[index] = ${z};`,
  });
  await runner.run([{ plan, inputs: [words], outputs: [y] }]);
  const quantile = evaluate([normal(text, "float64")], "float64", ["x", "y"]);
  numbers.forEach((n, i) => {
    const expected = quantile(Number(n >> 20n) | 0, Number(n & 0xfffffn) << 12)[0]!;
    const error = Math.abs(y[i]! - expected);
    assertLessOrEqual(error, 1e-6 * Math.abs(expected), `${n}: ${y[i]}, not ${expected}`);
  });
});

gpuTest("booleans are those of the reference", async (runner) => {
  const count = 3000;
  const special = [0, 1, 0.5, 1e-3, 1 - 2 ** -24, 2 ** -40, 2 ** -60];
  const each = Float32Array.from(
    { length: count },
    (_, i) => special[i] ?? Math.fround((i * 0.618) % 1),
  );
  const jobs = KEYS.flatMap((key) => [
    {
      plan: samplerKernel("bernoulli", "bool", count, { element: "float32", count }),
      inputs: [key, each],
      outputs: [new Uint32Array(count)],
    },
    ...special.map((p) => ({
      plan: samplerKernel("bernoulli", "bool", count, { element: "float32", count: 1 }),
      inputs: [key, new Float32Array([p])],
      outputs: [new Uint32Array(count)],
    })),
  ]);
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Uint8Array(count);
    fill("bernoulli", expected, inputs[0]!, inputs[1] as Float32Array);
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

gpuTest("whole numbers of a range are those of the reference", async (runner) => {
  const count = 3000;
  const each = Int32Array.from({ length: count }, (_, i) => (i ** 3 * 31) % 2 ** 31);
  const jobs = [each, ...[0, 5, 2 ** 31 - 1, -1].map((last) => Int32Array.of(last))].map((
    last,
    i,
  ) => ({
    plan: samplerKernel("integers", "int32", count, { element: "int32", count: last.length }),
    inputs: [KEYS[i % KEYS.length]!, last],
    outputs: [new Int32Array(count)],
  }));
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Int32Array(count);
    fill("integers", expected, inputs[0]!, inputs[1]);
    assertEquals(outputs[0], expected);
  }
});

gpuTest(
  "gamma numbers are those of the reference but for other acceptances",
  async (runner) => {
    const count = 8000;
    const each = Float32Array.from({ length: count }, (_, i) => 0.1 + (i % 100) ** 2 / 50);
    const jobs = [each, ...[0.3, 1, 1.7, 40, 1e5].map((alpha) => new Float32Array([alpha]))].map((
      concentration,
      i,
    ) => ({
      plan: samplerKernel("gamma", "float32", count, parametersOf(concentration)),
      inputs: [KEYS[i]!, concentration],
      outputs: [new Float32Array(count)],
    }));
    await runner.run(jobs);
    for (const { inputs, outputs } of jobs) {
      const expected = new Float64Array(count);
      fill("gamma", expected, inputs[0]!, inputs[1] as Float32Array);
      const isOff = (value: number, i: number) =>
        Math.abs(outputs[0]![i]! - value) > 5e-5 * value + 1e-30;
      assertLess(expected.filter(isOff).length, 3, `concentration ${inputs[1]}`);
    }
  },
);

gpuTest("Poisson numbers are those of the reference but for ties", async (runner) => {
  const count = 8000;
  const each = Float32Array.from({ length: count }, (_, i) => (i % 100) ** 2 / 50);
  const rates = [0, 0.5, 9.9, 10, 25, 1e3, 1e5];
  const jobs = [each, ...rates.map((rate) => new Float32Array([rate]))].map((rate, i) => ({
    plan: samplerKernel("poisson", "int32", count, parametersOf(rate)),
    inputs: [KEYS[i]!, rate],
    outputs: [new Int32Array(count)],
  }));
  await runner.run(jobs);
  for (const { inputs, outputs } of jobs) {
    const expected = new Int32Array(count);
    fill("poisson", expected, inputs[0]!, inputs[1] as Float32Array);
    const different = expected.filter((value, i) => outputs[0]![i] !== value).length;
    assertLess(different, inputs[1]![0]! > 1e4 ? 80 : 5, `rate ${inputs[1]![0]}`);
  }
});

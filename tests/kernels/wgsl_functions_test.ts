import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { parseExpression } from "../../kernels/elementwise/expression.ts";
import { ExpressionWriter, variable } from "../../kernels/wgsl/expression.ts";
import { declareFunctions, type WgslFunctionName } from "../../kernels/wgsl/functions.ts";
import { createKernel, groupsFor, type WgslKernel } from "../../kernels/wgsl/kernel.ts";
import { gpuTest, type WgslRunner } from "./wgsl_runner.ts";
import { ulpOf } from "./wasm_loops.ts";

/** Applies a WGSL expression of `x` to many numbers. */
function mapKernel(code: string, size: number): WgslKernel {
  const names = code.match(/scalar_\w+/g) as WgslFunctionName[];
  return createKernel({
    name: code,
    inputs: [{ name: "input", type: "f32" }],
    outputs: [{ name: "output", type: "f32" }],
    groups: groupsFor(size),
    declarations: declareFunctions(names),
    body: `if (index >= ${size}u) { return; }\nlet x = input[index];\noutput[index] = ${code};`,
  });
}

async function mapAll(
  runner: WgslRunner,
  codes: readonly (readonly [code: string, x: Float32Array])[],
): Promise<Float32Array[]> {
  const jobs = codes.map(([code, x]) => ({
    plan: mapKernel(code, x.length),
    inputs: [x],
    outputs: [new Float32Array(x.length)],
  }));
  await runner.run(jobs);
  return jobs.map(({ outputs }) => outputs[0]!);
}

const COUNT = 50_000;

function linear(low: number, high: number): Float32Array {
  return Float32Array.from({ length: COUNT }, (_, i) => low + (high - low) * i / (COUNT - 1));
}

/** From one number to another of the same sign, by equal factors. */
function geometric(low: number, high: number): Float32Array {
  const ratio = Math.log(high / low);
  return Float32Array.from({ length: COUNT }, (_, i) => low * Math.exp(ratio * i / (COUNT - 1)));
}

/** The largest error in units of the last place, and where. */
function worstUlp(
  x: Float32Array,
  y: Float32Array,
  exact: (x: number) => number,
): [number, number] {
  let worst: [number, number] = [0, 0];
  x.forEach((value, i) => {
    const expected = exact(value);
    const error = Math.abs(y[i]! - expected) / ulpOf(expected);
    if (!(error <= worst[0])) worst = [error, value];
  });
  return worst;
}

/** The errors that the functions' documentation states, and where they were measured. */
const ACCURACY: [code: string, (x: number) => number, ulp: number, x: Float32Array[]][] = [
  ["scalar_exp(x)", Math.exp, 1.8, [linear(-87, 88.7), linear(-1, 1)]],
  ["scalar_expm1(x)", Math.expm1, 1.6, [
    linear(-20, 88.7),
    linear(-1, 1),
    geometric(1e-30, 1),
    geometric(-1e-30, -1),
  ]],
  ["scalar_log(x)", Math.log, 1, [geometric(1e-37, 3e38), linear(0.5, 2)]],
  ["scalar_log1p(x)", Math.log1p, 2.5, [
    geometric(1e-30, 3e38),
    geometric(-1e-30, -0.9999999),
    linear(-0.99, 4),
  ]],
  ["scalar_tanh(x)", Math.tanh, 2.6, [linear(-10, 10), geometric(1e-30, 10)]],
  ["scalar_sin(x)", Math.sin, 2.5, [
    linear(-8192, 8192),
    geometric(1e-30, 4),
    geometric(-8192, -3.4e38),
  ]],
  ["scalar_cos(x)", Math.cos, 2.5, [
    linear(-8192, 8192),
    linear(-4, 4),
    geometric(8192, 3.4e38),
  ]],
  ...[0.3, 0.75, -0.5, 1.5, 2.5, -3, 4, 7.3].map((
    y,
  ): [string, (x: number) => number, number, Float32Array[]] => [
    `scalar_pow(x, ${y}f)`,
    (x) => Math.pow(x, Math.fround(y)),
    2 + Math.abs(y),
    [linear(1e-3, 20)],
  ]),
];

gpuTest("declareFunctions() gives functions as accurate as they say", async (runner) => {
  const cases = ACCURACY.flatMap(([code, exact, ulp, inputs]) =>
    inputs.map((x) => ({ code, exact, ulp, x }))
  );
  const results = await mapAll(runner, cases.map(({ code, x }) => [code, x] as const));
  cases.forEach(({ code, exact, ulp, x }, i) => {
    const [error, at] = worstUlp(x, results[i]!, exact);
    assertLessOrEqual(error, ulp, `${code} at ${at}`);
  });
});

gpuTest("declareFunctions() gives functions that know their limits", async (runner) => {
  const x = Float32Array.of(0, -0, 1, -1, -2, Infinity, -Infinity, NaN, 3e38, -3e38);
  const names = ["exp", "expm1", "log", "log1p", "tanh", "sign"] as const;
  const results = await mapAll(runner, names.map((name) => [`scalar_${name}(x)`, x] as const));
  names.forEach((name, i) => {
    const expected = x.map((value) => Math[name](value));
    results[i]!.forEach((value, j) => {
      const near = Math.abs(value - expected[j]!) <= 3 * ulpOf(expected[j]!);
      assert(near || `${value}` === `${expected[j]}`, `${name}(${x[j]}) is ${value}`);
    });
  });
});

gpuTest(
  "scalar_pow() takes negative numbers, zero and infinity as Math.pow does",
  async (runner) => {
    const x = Float32Array.of(0, 1, -1, -2, 2, Infinity, -Infinity, NaN, 1e-40, 3e38, -0.5);
    const exponents = [0, 1, -1, 2, 3, -3, 0.5, -0.5, 1.5, 100, -101];
    const results = await mapAll(
      runner,
      exponents.map((y) => [`scalar_pow(x, ${y}f)`, x] as const),
    );
    exponents.forEach((y, i) =>
      results[i]!.forEach((value, j) => {
        const expected = Math.fround(Math.pow(x[j]!, y));
        const near = Math.abs(value - expected) <= 2 ** -20 * Math.abs(expected);
        assert(
          near || value === expected || value !== value && expected !== expected,
          `${x[j]}^${y} is ${value}`,
        );
      })
    );
  },
);

gpuTest("scalar_max() and scalar_min() let NaN win", async (runner) => {
  const x = Float32Array.of(1, NaN, -3, Infinity, -Infinity);
  const [larger, smaller, swapped] = await mapAll(runner, [
    ["scalar_max(x, 0.5f)", x],
    ["scalar_min(0.5f, x)", x],
    ["scalar_max(0.5f, x)", x],
  ]);
  assertEquals([...larger!], [1, NaN, 0.5, Infinity, 0.5]);
  assertEquals([...smaller!], [0.5, NaN, -3, 0.5, -Infinity]);
  assertEquals([...swapped!], [...larger!]);
});

Deno.test("ExpressionWriter tells NaN by its bits where a number is compared with itself", () => {
  const translate = (text: string) =>
    new ExpressionWriter().translate(parseExpression(text), () => variable("x1", "f32")).code;
  assertEquals(["a != b", "a == b", "a <= b"].map(translate), [
    "is_nan(x1)",
    "!is_nan(x1)",
    "!is_nan(x1)",
  ]);
  assertEquals(translate("a - b"), "x1 - opaque(x1)");
});

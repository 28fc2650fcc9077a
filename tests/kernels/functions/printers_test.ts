/** Three printers, one answer: every scalar function by JavaScript, WebAssembly and WGSL. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { hasRelaxedSimd } from "../../../kernels/wasm/features.ts";
import { assertSame } from "../wasm_loops.ts";
import { gpuTest } from "../wgsl_runner.ts";
import { byJavaScript, byWasm, byWgsl, EDGES, errorInUlp, sweep } from "./functions.ts";
import { KNOWN, type Row } from "./table.ts";

/** What a function is tried on: numbers over all of single precision, and those of its row. */
function operandsOf({ others }: Row): Float32Array[] {
  const x = Float32Array.from([...EDGES, ...sweep(others === undefined ? 9_973 : 99_991)]);
  if (others === undefined) return [x];
  const all = others.map(() => x).flatMap((values) => [...values]);
  const second = others.flatMap((y) => new Array<number>(x.length).fill(y));
  return [Float32Array.from(all), Float32Array.from(second)];
}

/** The largest error of a function's values, and where. */
function worst(
  { exact }: Row,
  operands: readonly Float32Array[],
  values: Float32Array,
  counts: (expected: number) => boolean = () => true,
): [ulp: number, where: string] {
  let found: [number, string] = [0, ""];
  values.forEach((value, i) => {
    const at = operands.map((x) => x[i]!);
    const expected = exact(...at);
    const error = counts(expected) ? errorInUlp(value, expected) : 0;
    if (error > found[0]) found = [error, `${at}: ${value} instead of ${expected}`];
  });
  return found;
}

for (const row of KNOWN) {
  const { name, ulp, wgsl } = row;

  Deno.test(`${name}() by WebAssembly has the bits that JavaScript gives`, () => {
    const operands = operandsOf(row);
    assertSame(byWasm(name, false, ...operands), byJavaScript(name, ...operands), name);
  });

  for (const relaxed of hasRelaxedSimd() ? [false, true] : [false]) {
    const how = relaxed ? "with" : "without";
    Deno.test(`${name}() is right to ${ulp} ulp ${how} fused multiply-add`, () => {
      const operands = operandsOf(row);
      const [error, at] = worst(row, operands, byWasm(name, relaxed, ...operands));
      assertLessOrEqual(error, ulp, `${name} is off by ${error} ulp at ${at}`);
    });
  }

  gpuTest(`${name}() by WGSL is right to ${wgsl} ulp`, async (runner) => {
    // Adapters may take subnormal numbers for 0.
    const normal = (x: number) => x === 0 || !(Math.abs(x) < 2 ** -126);
    const operands = operandsOf(row);
    const keep = [...operands[0]!.keys()].filter((i) => operands.every((x) => normal(x[i]!)));
    const kept = operands.map((x) => Float32Array.from(keep, (i) => x[i]!));
    const values = await byWgsl(runner, name, ...kept);
    const [error, at] = worst(row, kept, values, normal);
    assertLessOrEqual(error, wgsl, `${name} is off by ${error} ulp at ${at}`);
  });
}

/** The values of a function at some numbers. */
function valuesOf(name: string, ...x: number[]): number[] {
  return [...byWasm(name, hasRelaxedSimd(), Float32Array.from(x))];
}

Deno.test("scalar functions keep the sign of zero", () => {
  const odd = ["tanh", "sinh", "asinh", "atanh", "sin", "tan", "asin", "atan", "erfinv"];
  for (const name of ["expm1", "log1p", "trunc", ...odd]) {
    assertEquals(valuesOf(name, 0, -0), [0, -0]);
  }
  for (const name of ["exp", "exp2", "cos", "cosh"]) assertEquals(valuesOf(name, 0, -0), [1, 1]);
});

Deno.test("scalar functions are right at infinities, and pass NaN on", () => {
  const special = [Infinity, -Infinity, NaN];
  assertEquals(valuesOf("exp", ...special), [Infinity, 0, NaN]);
  assertEquals(valuesOf("expm1", ...special), [Infinity, -1, NaN]);
  assertEquals(valuesOf("log", ...special), [Infinity, NaN, NaN]);
  assertEquals(valuesOf("log1p", ...special), [Infinity, NaN, NaN]);
  assertEquals(valuesOf("tanh", ...special), [1, -1, NaN]);
  assertEquals(valuesOf("sin", ...special), [NaN, NaN, NaN]);
  assertEquals(valuesOf("cos", ...special), [NaN, NaN, NaN]);
  assertEquals(valuesOf("tan", ...special), [NaN, NaN, NaN]);
  assertEquals(valuesOf("exp2", ...special), [Infinity, 0, NaN]);
  assertEquals(valuesOf("log10", ...special), [Infinity, NaN, NaN]);
  assertEquals(valuesOf("sinh", ...special), special);
  assertEquals(valuesOf("asinh", ...special), special);
  assertEquals(valuesOf("cosh", ...special), [Infinity, Infinity, NaN]);
  assertEquals(valuesOf("acosh", ...special), [Infinity, NaN, NaN]);
});

Deno.test("inverse functions are NaN outside of their domain, and infinite at its ends", () => {
  const outside = [-3e38, -2, 2, 3e38, Infinity, -Infinity, 1.0000001, NaN];
  for (const name of ["asin", "acos", "atanh", "erfinv"]) {
    assertEquals([name, ...valuesOf(name, ...outside)], [name, ...outside.map(() => NaN)]);
  }
  for (const name of ["atanh", "erfinv"]) {
    assertEquals(valuesOf(name, 1, -1), [Infinity, -Infinity]);
  }
  assertEquals(valuesOf("acosh", 1, 0.9999999, 0, -1, -2, -3e38), [0, NaN, NaN, NaN, NaN, NaN]);
});

Deno.test("exp2() and log10() are exact for powers", () => {
  const whole = Array.from({ length: 277 }, (_, i) => i - 149);
  assertEquals(valuesOf("exp2", ...whole), whole.map((n) => 2 ** n));
  const tens = Array.from({ length: 11 }, (_, i) => i);
  assertEquals(valuesOf("log10", ...tens.map((n) => 10 ** n)), tens);
});

Deno.test("log() and log1p() are NaN and -Infinity where there is no logarithm", () => {
  assertEquals(valuesOf("log", 0, -0), [-Infinity, -Infinity]);
  assertEquals(valuesOf("log", -1, -(2 ** -149), -3e38), [NaN, NaN, NaN]);
  assertEquals(valuesOf("log1p", -1, -1.0000001, -3e38), [-Infinity, NaN, NaN]);
});

Deno.test("exp() overflows, underflows and becomes subnormal where the exponential does", () => {
  const x = Float32Array.of(88.72283, 88.72284, -87.33655, -103.27893, -103.97207, -103.97209);
  const y = byWasm("exp", hasRelaxedSimd(), x);
  y.forEach((value, i) => assert(errorInUlp(value, Math.exp(x[i]!)) <= 1));
  assertEquals([y[1], y[5]], [Infinity, 0]);
});

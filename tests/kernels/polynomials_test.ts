import { assertEquals, assertLessOrEqual } from "@std/assert";
import { hasRelaxedSimd } from "../../kernels/wasm/features.ts";
import type { ScalarFunction } from "../../kernels/elementwise/expression.ts";
import { LARGEST_ANGLE } from "../../kernels/elementwise/polynomials.ts";
import { chain, prepare, ulpOf } from "./wasm_loops.ts";

/** Functions that have a polynomial, and the largest error that is stated for it, in ulp. */
const BOUNDS: Partial<Record<ScalarFunction, number>> = {
  exp: 1,
  expm1: 1.6,
  log: 0.85,
  log1p: 1.1,
  tanh: 2.5,
  sin: 2.4,
  cos: 2.4,
};

/** Numbers around which something changes, with their neighbours. */
const EDGES = [
  ...[0, 2 ** -149, 2 ** -126, 2 ** -25, 2 ** -13, 0.25, Math.LN2 / 2, Math.SQRT1_2, 1],
  ...[Math.SQRT2, 2, Math.PI / 4, Math.PI, 9, 20, 87.33655, 88.72284, 103.97208, 104, 128],
  ...[LARGEST_ANGLE, 2 ** 23, 2 ** 24, 2 ** 31, 2 ** 127, 3.4028234663852886e38, Infinity, NaN],
].flatMap((x) => [x, -x]);

const number = new Float32Array(1);
const bits = new Int32Array(number.buffer);

function neighbours(x: number): number[] {
  return [-2, -1, 0, 1, 2].map((by) => {
    number[0] = x;
    bits[0]! += Number.isNaN(x) ? 0 : by;
    return number[0]!;
  });
}

/** Numbers over all of single precision: every 9,973rd one, and the edges. */
function sweep(): Float32Array {
  const all = new Int32Array(Math.floor(2 ** 32 / 9_973));
  for (let i = 0; i < all.length; i++) all[i] = i * 9_973;
  return Float32Array.from([...EDGES.flatMap(neighbours), ...new Float32Array(all.buffer)]);
}

/** The error of `value` in ulp; 0 where both are NaN, or the same zero or infinity. */
function errorInUlp(value: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(value, rounded)) {
    return Number.isFinite(rounded) ? Math.abs(value - exact) / ulpOf(exact) : 0;
  }
  if (Number.isFinite(value) && Number.isFinite(exact)) {
    return Math.abs(value - exact) / ulpOf(exact);
  }
  return Infinity;
}

for (const [name, bound] of Object.entries(BOUNDS)) {
  const exact = Math[name as "exp"];
  for (const relaxed of hasRelaxedSimd() ? [false, true] : [false]) {
    const how = relaxed ? "with" : "without";
    Deno.test(`${name}() is right to ${bound} ulp ${how} fused multiply-add`, () => {
      const x = sweep();
      const [y] = prepare(chain(`${name}(a)`), { relaxed })({
        rows: 1,
        columns: x.length,
        operands: [x],
      });
      let [worst, at] = [0, 0];
      x.forEach((value, i) => {
        const error = errorInUlp(y![i]!, exact(value));
        if (error > worst) [worst, at] = [error, value];
      });
      assertLessOrEqual(worst, bound, `${name}(${at}) is off by ${worst} ulp`);
    });
  }
}

/** The values of a function at some numbers. */
function valuesOf(name: string, ...x: number[]): number[] {
  const operands = [Float32Array.from(x)];
  return [...prepare(chain(`${name}(a)`))({ rows: 1, columns: x.length, operands })[0]!];
}

Deno.test("polynomials keep the sign of zero", () => {
  for (const name of ["expm1", "log1p", "tanh", "sin"]) {
    assertEquals(valuesOf(name, 0, -0), [0, -0]);
  }
  for (const name of ["exp", "cos"]) assertEquals(valuesOf(name, 0, -0), [1, 1]);
});

Deno.test("polynomials are right at infinities, and pass NaN on", () => {
  const special = [Infinity, -Infinity, NaN];
  assertEquals(valuesOf("exp", ...special), [Infinity, 0, NaN]);
  assertEquals(valuesOf("expm1", ...special), [Infinity, -1, NaN]);
  assertEquals(valuesOf("log", ...special), [Infinity, NaN, NaN]);
  assertEquals(valuesOf("log1p", ...special), [Infinity, NaN, NaN]);
  assertEquals(valuesOf("tanh", ...special), [1, -1, NaN]);
  assertEquals(valuesOf("sin", ...special), [NaN, NaN, NaN]);
  assertEquals(valuesOf("cos", ...special), [NaN, NaN, NaN]);
});

Deno.test("log() and log1p() are NaN and -Infinity where there is no logarithm", () => {
  assertEquals(valuesOf("log", 0, -0), [-Infinity, -Infinity]);
  assertEquals(valuesOf("log", -1, -(2 ** -149), -3e38), [NaN, NaN, NaN]);
  assertEquals(valuesOf("log1p", -1, -1.0000001, -3e38), [-Infinity, NaN, NaN]);
});

Deno.test("exp() overflows, underflows and becomes subnormal where the exponential does", () => {
  const x = Float32Array.of(88.72283, 88.72284, -87.33655, -103.27893, -103.97207, -103.97209);
  const [y] = prepare(chain("exp(a)"))({ rows: 1, columns: x.length, operands: [x] });
  assertEquals([...y!].map((v, i) => errorInUlp(v, Math.exp(x[i]!)) <= 1), Array(6).fill(true));
  assertEquals([y![1], y![5]], [Infinity, 0]);
});

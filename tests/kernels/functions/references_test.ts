/** Functions that are written in both precisions, beside values of 50 digits. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { hasRelaxedSimd } from "../../../kernels/wasm/features.ts";
import { scalarFunction } from "./scalar_function.ts";
import { gpuTest } from "../wgsl_runner.ts";
import { assertSame } from "../wasm_loops.ts";
import { byJavaScript, byWasm, byWgsl, EDGES, generated, sweep } from "./functions.ts";
import references from "./references.json" with { type: "json" };
import { type Reference, WRITTEN } from "./table.ts";

/** Rows of an argument and the value, by function. */
type Values = Readonly<Record<string, number[][]>>;

const SINGLES: Values = references.singles;
const DOUBLES: Values = references.doubles;

/** The largest error relative to the value, or to the floor. */
function assertNear(
  { name, floor }: Reference,
  y: ArrayLike<number>,
  bound: number,
  rows: number[][] = SINGLES[name]!,
): void {
  rows.forEach(([x, exact], i) => {
    const size = Math.max(Math.abs(exact!), x! > 0 ? floor : 1);
    const error = Math.abs(y[i]! - exact!) / (size || 1);
    assertLessOrEqual(error, bound, `${name}(${x}) is ${y[i]} instead of ${exact}`);
  });
}

for (const reference of WRITTEN) {
  const { name, single, double } = reference;
  const x = Float64Array.from(SINGLES[name]!, ([x]) => x!);
  const exact = scalarFunction(name);
  const halves = Float32Array.from(x);

  Deno.test(`${name}() is right to ${double} in double precision`, () => {
    assertNear(reference, x.map((v) => exact(v)), double);
    const rows = DOUBLES[name] ?? [];
    assertNear(reference, rows.map(([v]) => exact(v!)), double, rows);
  });

  Deno.test(`${name}() has the same bits in generated code, evaluated and by WebAssembly`, () => {
    const all = Float64Array.from([...x, ...EDGES, ...sweep(999_983)]);
    const expected = all.map((v) => exact(v));
    const text = generated(name);
    assertSame(all.map((v) => text(v)), expected, name);
    assertSame(byWasm(name, false, all), expected, name);
    assertSame(byWasm(name, hasRelaxedSimd(), all), expected, name);
  });

  Deno.test(`${name}() is right to ${single} in single precision`, () => {
    assertNear(reference, byJavaScript(name, halves), single);
    for (const relaxed of [false, hasRelaxedSimd()]) {
      assertNear(reference, byWasm(name, relaxed, halves), single);
    }
  });

  Deno.test(`${name}() has the same bits by WebAssembly in single precision`, () => {
    const all = Float32Array.from([...EDGES, ...sweep(99_991)]);
    assertSame(byWasm(name, false, all), byJavaScript(name, all), name);
  });

  Deno.test(`${name}() is NaN where it is in double precision, and infinite with the sign`, () => {
    const all = Float32Array.from([...EDGES, -1, -2, -3, -100].filter((x) => Math.abs(x) > 1e-30));
    const y = byJavaScript(name, all);
    const expected = all.map((v) => exact(v));
    const special = (v: Float32Array) => v.map((z) => Math.abs(z) < 1e38 ? 0 : z);
    assertEquals(special(y), special(expected));
  });

  gpuTest(`${name}() is right to ${single} by WGSL`, async (runner) => {
    assertNear(reference, await byWgsl(runner, name, halves), single);
  });
}

/** Elementary functions in double precision, beside values of 50 digits. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { assertSame } from "../wasm_loops.ts";
import { byWasm, EDGES, errorOfDouble, generated, sweepDoubles } from "./functions.ts";
import references from "./references.json" with { type: "json" };
import { scalarFunction } from "./scalar_function.ts";
import { DOUBLE } from "./table.ts";

/** Rows of arguments and the value, by function. */
const EXACT: Readonly<Record<string, number[][]>> = references.elementary;

/** Numbers where something changes in double precision. */
const LIMITS = [2 ** -1022, 5e-324, 709.782712893384, 710.4758600739439, 745.1332191019411, 2 ** 54]
  .concat([1024, -1074, 1023.9999999999999, Number.MAX_VALUE, 1 - 2 ** -53, 1 + 2 ** -52]);
/** Those, and where something changes in single precision. */
const NUMBERS = [...EDGES, ...LIMITS.flatMap((x) => [x, -x])];

/** What a value is, digits apart. */
function special(y: number): number | string {
  return y === 0 || !Number.isFinite(y) ? y : "a number";
}

for (const [name, places] of DOUBLE) {
  const f = scalarFunction(name);

  Deno.test(`${name}() is within ${places} numbers of 50 digits in double precision`, () => {
    for (const [x, exact] of EXACT[name] as [number, number][]) {
      const error = errorOfDouble(f(x), exact);
      assertLessOrEqual(error, places, `${name}(${x}) is ${f(x)} instead of ${exact}`);
    }
  });

  Deno.test(`${name}() has the same bits of double precision however it is printed`, () => {
    const x = Float64Array.from([...NUMBERS, ...sweepDoubles()]);
    const expected = x.map((value) => f(value));
    const text = generated(name);
    assertSame(x.map((value) => text(value)), expected, name);
    assertSame(byWasm(name, false, x), expected, name);
  });

  Deno.test(`${name}() is 0, infinite and NaN where the host's is, in double precision`, () => {
    const host = name === "exp2" ? (x: number) => 2 ** x : Math[name as "exp"];
    for (const x of [...NUMBERS, ...sweepDoubles(999_983)]) {
      assertEquals([name, x, special(f(x))], [name, x, special(host(x))]);
    }
  });
}

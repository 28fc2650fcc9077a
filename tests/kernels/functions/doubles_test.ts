/** Elementary functions in double precision, beside values of 50 digits. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { definitionOf } from "../../../kernels/functions/mod.ts";
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
const NUMBERS = [...EDGES, ...LIMITS.flatMap((x) => [x, -x])];

/** Those numbers, and second operands where there are two. */
function operandsOf(name: string): Float64Array[] {
  if (definitionOf(name)!.arity === 1) return [Float64Array.from([...NUMBERS, ...sweepDoubles()])];
  const others = [0, -0, 0.5, 1, -1, 2, 3, -3, 1e300, -7.3, Infinity, -Infinity, NaN, 2 ** 53];
  return [
    Float64Array.from(others.flatMap(() => NUMBERS)),
    Float64Array.from(others.flatMap((y) => NUMBERS.map(() => y))),
  ];
}

/** What a value is, digits apart. */
function special(y: number): number | string {
  return y === 0 || !Number.isFinite(y) ? y : "a number";
}

for (const [name, places] of DOUBLE) {
  Deno.test(`${name}() is within ${places} numbers of 50 digits in double precision`, () => {
    const f = scalarFunction(name);
    for (const row of EXACT[name]!) {
      const [x, exact] = [row.slice(0, -1), row.at(-1)!];
      const error = errorOfDouble(f(...x), exact);
      assertLessOrEqual(error, places, `${name}(${x}) is ${f(...x)} instead of ${exact}`);
    }
  });

  Deno.test(`${name}() has the same bits of double precision however it is printed`, () => {
    const operands = operandsOf(name);
    const f = scalarFunction(name);
    const expected = operands[0]!.map((_, i) => f(...operands.map((x) => x[i]!)));
    const text = generated(name);
    assertSame(operands[0]!.map((_, i) => text(...operands.map((x) => x[i]!))), expected, name);
    assertSame(byWasm(name, false, ...operands), expected, name);
  });

  Deno.test(`${name}() is 0, infinite and NaN where the host's is, in double precision`, () => {
    const host = name === "exp2"
      ? (x: number) => 2 ** x
      : Math[name as "exp"] as (...x: number[]) => number;
    const f = scalarFunction(name);
    const operands = operandsOf(name).map((x) => x.slice(0, 20_000));
    operands[0]!.forEach((x, i) => {
      const at = operands.map((values) => values[i]!);
      // One to any power is 1 here, as IEEE 754 has it.
      if (name === "pow" && (Math.abs(x) === 1 || at[1] === 0)) return;
      assertEquals([name, ...at, special(f(...at))], [name, ...at, special(host(...at))]);
    });
  });
}

Deno.test("pow() of whole numbers is exact wherever double precision holds the power", () => {
  const f = scalarFunction("pow");
  for (let base = 1n; base < 300n; base++) {
    let power = 1n;
    for (let n = 0; power < 2n ** 53n && n < 60; n++, power *= base) {
      const sign = n % 2 === 0 ? 1 : -1;
      assertEquals(f(Number(base), n), Number(power));
      assertEquals(f(-Number(base), n), sign * Number(power));
    }
  }
});

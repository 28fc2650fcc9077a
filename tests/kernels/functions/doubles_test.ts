/** Elementary functions in double precision, beside values of 50 digits. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
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

const pow = scalarFunction("pow");
const powerText = generated("pow");

/** Numbers for which powers are special, and others, each with each. */
const POWERS = [...EDGES, ...LIMITS, 3, -3, 1.5, -1.5, 1e-310, 2 ** 53 + 2, 2 ** 52 + 1, 1e300];
const PAIRS = POWERS.flatMap((x) => POWERS.map((y) => [x, y] as const));

Deno.test("pow() is within 1 number of 50 digits in double precision", () => {
  for (const [x, y, exact] of EXACT.pow as [number, number, number][]) {
    const error = errorOfDouble(pow(x, y), exact);
    assertLessOrEqual(error, 1, `pow(${x}, ${y}) is ${pow(x, y)} instead of ${exact}`);
  }
});

Deno.test("pow() is exact in double precision where a whole power of a whole number is a number", () => {
  for (let x = 2; x < 2000; x++) {
    for (let [n, power] = [0n, 1n]; power < 2n ** 53n; n++, power *= BigInt(x)) {
      assertEquals(pow(x, Number(n)), Number(power), `pow(${x}, ${n})`);
      const signed = n % 2n === 0n ? Number(power) : -Number(power);
      assertEquals(pow(-x, Number(n)), signed, `pow(${-x}, ${n})`);
    }
  }
  for (let n = -1074; n < 1024; n++) assertEquals(pow(2, n), 2 ** n, `pow(2, ${n})`);
});

Deno.test("pow() is 0, infinite and NaN where the host's is, but 1 where IEEE 754 says so", () => {
  for (const [x, y] of PAIRS) {
    const host = x === 1 || x === -1 && Math.abs(y) === Infinity ? 1 : x ** y;
    assertEquals([x, y, special(pow(x, y))], [x, y, special(host)]);
    if (Number.isFinite(host)) assertLessOrEqual(errorOfDouble(pow(x, y), host), 2, `${x}, ${y}`);
  }
});

Deno.test("pow() has the same bits of double precision however it is printed", () => {
  const rest = fc.sample(fc.tuple(fc.double(), fc.double()), { numRuns: 2000, seed: 1 });
  const pairs = [...PAIRS, ...rest];
  const [x, y] = [0, 1].map((i) => Float64Array.from(pairs, (pair) => pair[i]!));
  const expected = Float64Array.from(pairs, ([a, b]) => pow(a, b));
  assertSame(Float64Array.from(pairs, ([a, b]) => powerText(a, b)), expected, "pow");
  assertSame(byWasm("pow", false, x!, y!), expected, "pow");
});

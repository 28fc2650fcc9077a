import { assert, assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  normalQuantile,
  portableExp,
  portableLog,
  portableLogFactorial,
} from "../../kernels/random/portable.ts";
import {
  fillNormal,
  fillUniform32,
  fillUniform64,
  foldedKey,
} from "../../kernels/random/reference.ts";
import { draw, threefry2x32 } from "../../kernels/random/threefry.ts";

/** Distance in units of the last place of `expected`. */
function unitsApart(actual: number, expected: number): number {
  const bits = new BigInt64Array(new Float64Array([Math.abs(expected)]).buffer);
  bits[0]!++;
  const next = new Float64Array(bits.buffer)[0]!;
  return Math.abs(actual - expected) / (next - Math.abs(expected));
}

function hash(k0: number, k1: number, c0: number, c1: number): string[] {
  const out = new Int32Array(2);
  threefry2x32(out, k0, k1, c0, c1);
  return [...out].map((word) => (word >>> 0).toString(16));
}

Deno.test("threefry2x32() gives Random123's known answers for 20 rounds", () => {
  // kat_vectors of the Random123 distribution.
  assertEquals(hash(0, 0, 0, 0), ["6b200159", "99ba4efe"]);
  assertEquals(hash(-1, -1, -1, -1), ["1cb996fc", "bb002be7"]);
  assertEquals(hash(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3), ["c4923a9c", "483df7a0"]);
});

Deno.test("threefry2x32() changes half of the bits when one bit of the counter changes", () => {
  let changed = 0;
  for (let bit = 0; bit < 32; bit++) {
    for (const [c0, c1] of [[1 << bit, 0], [0, 1 << bit]] as const) {
      const words = new Int32Array(2);
      const other = new Int32Array(2);
      threefry2x32(words, 12, 34, 0, 0);
      threefry2x32(other, 12, 34, c0, c1);
      for (let i = 0; i < 2; i++) {
        const difference = (words[i]! ^ other[i]!) >>> 0;
        changed += difference.toString(2).replaceAll("0", "").length;
      }
    }
  }
  assertAlmostEquals(changed / (64 * 64), 0.5, 0.03);
});

Deno.test("draw() lies strictly between 0 and 1 and depends on element and attempt", () => {
  const seen = new Set<number>();
  for (let element = 0; element < 100; element++) {
    for (let attempt = 0; attempt < 10; attempt++) {
      const u = draw([1, 2], element, attempt);
      assert(u > 0 && u < 1);
      seen.add(u);
    }
  }
  assertEquals(seen.size, 1000);
});

Deno.test("portableLog() is within 2 units in the last place of Math.log", () => {
  const positive = fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true });
  const nearOne = fc.double({ min: 0.5, max: 2, noNaN: true });
  fc.assert(
    fc.property(fc.oneof(positive, nearOne), (x) => {
      assertLessOrEqual(unitsApart(portableLog(x), Math.log(x)), 2);
    }),
    { seed: 1, numRuns: 5000 },
  );
});

Deno.test("portableLog() follows Math.log at the edges", () => {
  for (const x of [0, -0, 1, -1, Infinity, -Infinity, NaN, 5e-324, 2 ** -1022, 2 ** 1023]) {
    assertAlmostEquals(portableLog(x), Math.log(x), 1e-12, String(x));
  }
});

Deno.test("portableExp() is within 2 units in the last place of Math.exp", () => {
  fc.assert(
    fc.property(fc.double({ min: -745, max: 709.7, noNaN: true }), (x) => {
      assertLessOrEqual(unitsApart(portableExp(x), Math.exp(x)), 2);
    }),
    { seed: 1, numRuns: 5000 },
  );
});

Deno.test("portableExp() follows Math.exp at the edges", () => {
  for (const x of [0, -0, Infinity, -Infinity, NaN, 710, -746, -745.2]) {
    assertEquals(portableExp(x), Math.exp(x), String(x));
  }
});

Deno.test("portable functions keep the same last bit everywhere", () => {
  assertEquals(portableLog(3), 1.0986122886681096);
  assertEquals(portableLog(0.1), -2.3025850929940455);
  assertEquals(portableExp(1), 2.7182818284590455);
  assertEquals(portableExp(-20.5), 1.2501528663867428e-9);
  assertEquals(normalQuantile(0.975), 1.9599639845400536);
  assertEquals(normalQuantile(1e-10), -6.361340902404056);
});

Deno.test("portableLogFactorial() sums logarithms", () => {
  let sum = 0;
  for (let k = 0; k < 200; k++) {
    if (k > 0) sum += Math.log(k);
    assertAlmostEquals(portableLogFactorial(k), sum, 1e-12 * Math.max(1, sum), `k = ${k}`);
  }
});

Deno.test("normalQuantile() gives tabulated quantiles", () => {
  // scipy.special.ndtri, SciPy 1.10.
  const table = [
    [1e-300, -37.0470962993612],
    [1e-20, -9.262340089798405],
    [1e-6, -4.753424308822899],
    [0.001, -3.090232306167813],
    [0.075, -1.4395314709384563],
    [0.2, -0.8416212335729142],
    [0.5, 0],
    [0.6, 0.2533471031357998],
    [0.9, 1.2815515655446008],
    [0.9999, 3.7190164854557084],
  ] as const;
  for (const [p, z] of table) {
    assertAlmostEquals(normalQuantile(p), z, 1e-15 * Math.max(1, Math.abs(z)), `p = ${p}`);
  }
});

Deno.test("normalQuantile() is odd around one half and never decreases", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 0.5, noNaN: true }), (p) => {
      assertAlmostEquals(normalQuantile(1 - p), -normalQuantile(p), 1e-7);
      assertLessOrEqual(normalQuantile(p), normalQuantile(p * (1 + 1e-9)));
    }),
    { seed: 1, numRuns: 1000 },
  );
});

Deno.test("normalQuantile() is continuous where its approximations meet", () => {
  for (const p of [0.075, 0.925, Math.exp(-25)]) {
    const below = normalQuantile(p * (1 - 1e-14));
    const above = normalQuantile(p * (1 + 1e-14));
    assertAlmostEquals(below, above, 1e-12, `p = ${p}`);
  }
});

Deno.test("fills give each element the same number whatever the length", () => {
  const key = foldedKey([5, 6], 7);
  for (
    const [short, long, fill] of [
      [new Float32Array(3), new Float32Array(50), fillUniform32],
      [new Float64Array(3), new Float64Array(50), fillUniform64],
      [new Float64Array(3), new Float64Array(50), fillNormal],
    ] as const
  ) {
    const run = fill as (out: Float32Array | Float64Array, key: Int32Array) => void;
    run(short, key);
    run(long, key);
    assertEquals([...short], [...long.slice(0, 3)]);
  }
});

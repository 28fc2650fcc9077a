import { assert, assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  type Float,
  integerParameter,
  parameter,
  type Precision,
  type Scalar,
} from "../../kernels/functions/algebra.ts";
import { evaluate } from "../../kernels/functions/evaluate.ts";
import { exponentials, fill, foldedKey, wasmOf } from "../../kernels/random/eager.ts";
import { fraction, normal } from "../../kernels/random/normal.ts";
import { excess, exp, log } from "../../kernels/random/portable.ts";
import { referenceOf } from "../../kernels/random/reference.ts";
import { type SamplerName, SAMPLERS, type Sampling } from "../../kernels/random/samplers.ts";
import type { TypedArray } from "../../src/dtype.ts";
import { keySchedule, threefry, type Words } from "../../kernels/random/threefry.ts";

const word = integerParameter;

/** A text of one number as a function. */
function functionOf(text: (x: Float) => Scalar): (x: number) => number {
  const f = evaluate([text(parameter("x", "float64"))], "float64", ["x"]);
  return (x) => f(x)[0]!;
}

const [portableLog, portableExp, portableExcess] = [log, exp, excess].map(functionOf) as [
  (x: number) => number,
  (x: number) => number,
  (x: number) => number,
];

/** What is made of a number of 52 bits, as a draw gives it. */
function ofDraw(
  text: (words: Words, precision: Precision) => Float,
  precision: Precision = "float64",
): (n: bigint) => number {
  const f = evaluate([text([word("x"), word("y")], precision)], precision, ["x", "y"]);
  return (n) => f(Number(n >> 20n) | 0, Number(n & 0xfffffn) << 12)[0]!;
}

/** Distance in units of the last place of `expected`. */
function unitsApart(actual: number, expected: number): number {
  const bits = new BigInt64Array(new Float64Array([Math.abs(expected)]).buffer);
  bits[0]!++;
  const next = new Float64Array(bits.buffer)[0]!;
  return Math.abs(actual - expected) / (next - Math.abs(expected));
}

const mix = evaluate(
  threefry(keySchedule([word("k0"), word("k1")]), [word("c0"), word("c1")]),
  "float64",
  ["k0", "k1", "c0", "c1"],
);

function hash(...words: [k0: number, k1: number, c0: number, c1: number]): string[] {
  return mix(...words).map((word) => (word >>> 0).toString(16));
}

Deno.test("threefry() gives Random123's known answers for 20 rounds", () => {
  // kat_vectors of the Random123 distribution.
  assertEquals(hash(0, 0, 0, 0), ["6b200159", "99ba4efe"]);
  assertEquals(hash(-1, -1, -1, -1), ["1cb996fc", "bb002be7"]);
  assertEquals(hash(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3), ["c4923a9c", "483df7a0"]);
  assertEquals([...foldedKey([0, 0], 0)].map((x) => (x >>> 0).toString(16)), hash(0, 0, 0, 0));
});

Deno.test("threefry() changes half of the bits when one bit of the counter changes", () => {
  let changed = 0;
  for (let bit = 0; bit < 32; bit++) {
    for (const [c0, c1] of [[1 << bit, 0], [0, 1 << bit]] as const) {
      const [words, other] = [mix(12, 34, 0, 0), mix(12, 34, c0, c1)];
      for (let i = 0; i < 2; i++) {
        const difference = (words[i]! ^ other[i]!) >>> 0;
        changed += difference.toString(2).replaceAll("0", "").length;
      }
    }
  }
  assertAlmostEquals(changed / (64 * 64), 0.5, 0.03);
});

Deno.test("fraction() is the middle of one of 2⁵² equal parts", () => {
  const draw = ofDraw(fraction);
  const last = 2n ** 52n - 1n;
  for (const n of [0n, 1n, 2n ** 20n, 2n ** 36n + 1n, 2n ** 51n - 1n, 2n ** 51n, last - 1n, last]) {
    assertEquals(draw(n), (Number(n) + 0.5) * 2 ** -52);
    const single = ofDraw(fraction, "float32")(n);
    assertLessOrEqual(Math.abs(single / draw(n) - 1), 2 ** -23);
  }
});

Deno.test("log() is within 2 units in the last place of Math.log", () => {
  const positive = fc.double({ min: 2 ** -1022, max: 2 ** 1021, noNaN: true });
  const nearOne = fc.double({ min: 0.5, max: 2, noNaN: true });
  fc.assert(
    fc.property(fc.oneof(positive, nearOne), (x) => {
      assertLessOrEqual(unitsApart(portableLog(x), Math.log(x)), 2);
    }),
    { seed: 1, numRuns: 5000 },
  );
});

Deno.test("exp() is within 2 units in the last place of Math.exp", () => {
  fc.assert(
    fc.property(fc.double({ min: -745, max: 709.7, noNaN: true }), (x) => {
      assertLessOrEqual(unitsApart(portableExp(x), Math.exp(x)), 2);
    }),
    { seed: 1, numRuns: 5000 },
  );
});

Deno.test("exp() follows Math.exp at the edges", () => {
  for (const x of [0, -0, Infinity, -Infinity, NaN, 710, 709.78, -746, -745.2, -745.13]) {
    assertEquals(portableExp(x), Math.exp(x), String(x));
  }
});

Deno.test("portable functions keep the same last bit everywhere", () => {
  assertEquals(portableLog(3), 1.0986122886681096);
  assertEquals(portableLog(0.1), -2.3025850929940455);
  assertEquals(portableExp(1), 2.7182818284590455);
  assertEquals(portableExp(-20.5), 1.2501528663867428e-9);
  assertEquals([...exponentials(Float64Array.of(1, -20.5))], [1, -20.5].map(portableExp));
});

Deno.test("excess() keeps the digits of what log(1 + e) is more than e", () => {
  // mpmath 1.2, 60 digits.
  const table = [
    [-0.999, -5.908755278982136],
    [-0.5, -0.19314718055994531],
    [-0.31, -0.061063681390831986],
    [-0.3, -0.056674943938732375],
    [-0.1, -0.005360515657826302],
    [-0.001, -5.003335835335002e-07],
    [-1e-08, -5.000000033333334e-17],
    [0, 0],
    [1e-08, -4.999999966666667e-17],
    [0.001, -4.996669164668332e-07],
    [0.1, -0.00468982019567514],
    [0.3, -0.03763573553250894],
    [0.31, -0.039972862786939824],
    [1, -0.3068528194400547],
    [30, -26.566012795514855],
  ] as const;
  for (const [e, expected] of table) {
    assertAlmostEquals(portableExcess(e), expected, 2e-15 * Math.abs(expected), `e = ${e}`);
  }
});

/** Draws and their quantiles, from the ends to where approximations meet (mpmath 1.2, 60 digits). */
const QUANTILES = [
  [0n, -8.209536151601387],
  [1n, -8.076571004130125],
  [62544n, -6.657907555407399],
  [62545n, -6.657905204845547],
  [62546n, -6.657902854320481],
  [62547n, -6.6579005038322],
  [1000000000n, -5.0490170052759265],
  [1000000000000n, -3.5123939418614833],
  [45035996273704n, -2.3263478740408448],
  [337769972052786n, -1.439531470938457],
  [337769972052787n, -1.4395314709384555],
  [900719925474099n, -0.841621233572914],
  [1801439850948198n, -0.2533471031357997],
  [2251799813685247n, -2.782916424671767e-16],
  [2251799814685248n, 5.565835632259959e-10],
] as const;

Deno.test("normal() gives the quantiles of draws, from the middle to the ends", () => {
  for (const [precision, digits] of [["float64", 1e-15], ["float32", 4e-7]] as const) {
    const quantile = ofDraw(normal, precision);
    for (const [n, z] of QUANTILES) {
      assertAlmostEquals(quantile(n), z, digits * Math.abs(z), `${precision} of ${n}`);
    }
  }
});

Deno.test("normal() is odd around one half and never decreases", () => {
  const quantile = ofDraw(normal);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 51n - 1n }), (n) => {
      assertEquals(quantile(2n ** 52n - 1n - n), -quantile(n));
      assertLessOrEqual(quantile(n), quantile(n + n / 1_000_000_000n + 1n));
    }),
    { seed: 1, numRuns: 1000 },
  );
});

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

type Case = [name: SamplerName, dtype: Sampling["dtype"], values?: readonly number[]];

const CASES: readonly Case[] = [
  ["uniform", "float32"],
  ["uniform", "float64"],
  ["fraction", "float64"],
  ["normal", "float32"],
  ["normal", "float64"],
  ["bernoulli", "bool", [0.3, 0, 1, 0.5, 2 ** -40, 1 - 2 ** -24]],
  ["gamma", "float32", [0.5, 1, 7, 1e-3, 1e5]],
  ["gamma", "float64", [0.5, 1, 7, 1e-3, 1e8]],
  ["poisson", "int32", [3, 0, 9.99, 10, 31, 250, 1e6, 2 ** 30]],
  ["exp", "float64", [-1, 0, 5, -700, -Infinity]],
];

Deno.test("WebAssembly draws the bits of the reference, of any count and at any chunk", () => {
  const key = Int32Array.of(12345, -77);
  for (const [name, dtype, values] of CASES) {
    for (const type of values ? ["float64", "float32"] as const : [undefined]) {
      for (const moves of values ? [true, false] : [false]) {
        const sampling: Sampling = { name, dtype, parameter: type, moves };
        const [reference, wasm] = [referenceOf(sampling), wasmOf(sampling)];
        for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 300, 8197]) {
          if (count > 300 && moves) continue;
          const given = values &&
            new ARRAYS[type!](moves ? count : 1).map((_, i) => values[i % values.length]!);
          const [expected, actual] = [new ARRAYS[dtype](count), new ARRAYS[dtype](count)];
          reference(expected, key, given);
          wasm(actual, key, given);
          assertEquals(actual, expected, `${count} of ${JSON.stringify(sampling)}`);
        }
      }
    }
  }
});

Deno.test("fills give each number the same value whatever the length and the form", () => {
  const key = foldedKey([5, 6], 7);
  for (const [name, dtype, values] of CASES) {
    if (name === "exp") continue;
    const drawn = [3, 50, 4000].map((count): TypedArray => {
      const out = new ARRAYS[dtype](count);
      fill(name, out, key, values && Float64Array.of(values[0]!));
      return out;
    });
    for (const out of drawn) assertEquals([...out.subarray(0, 3)], [...drawn[0]!]);
  }
});

/** A sampler by a draw of 52 bits and its parameter. */
function byDraw(name: SamplerName, precision: Precision): (n: bigint, parameter: number) => number {
  const [bits, p] = [(): Words => [word("x"), word("y")], parameter("p", precision)];
  const text = SAMPLERS[name]({ bits, parameter: p, integer: word("p"), precision, least: 0 });
  const f = evaluate([text], precision, ["x", "y", "p"]);
  return (n, value) => f(Number(n >> 20n) | 0, Number(n & 0xfffffn) << 12, value)[0]!;
}

Deno.test("bernoulli draws the same by either precision", () => {
  const probabilities = [0, 1, 0.5, 1 - 2 ** -24, 2 ** -40, 2 ** -52, Math.fround(0.3)];
  const [single, double] = [byDraw("bernoulli", "float32"), byDraw("bernoulli", "float64")];
  const limits = probabilities.flatMap((p) => {
    const n = BigInt(Math.round(p * 2 ** 52));
    return [n - 2n, n - 1n, n, n + 1n].filter((x) => x >= 0n && x < 2n ** 52n);
  });
  for (const n of limits) for (const p of probabilities) assertEquals(single(n, p), double(n, p));
});

Deno.test("poisson ends where probabilities no longer count, also where a draw is rounded to 1", () => {
  for (const [precision, most] of [["float32", 11], ["float64", 20]] as const) {
    const last = byDraw("poisson", precision)(2n ** 52n - 1n, 1);
    assert(last >= 9 && last <= most, `${precision}: ${last}`);
  }
});

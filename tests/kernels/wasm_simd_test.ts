import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import type { CodeBuilder } from "../../kernels/wasm/code.ts";
import { hasRelaxedSimd, hasSimd } from "../../kernels/wasm/features.ts";
import { ModuleBuilder } from "../../kernels/wasm/module.ts";
import { f32x4, f64x2, i16x8, i32x4, i64x2, i8x16, v128 } from "../../kernels/wasm/simd.ts";
import type { Instruction, Value } from "../../kernels/wasm/value.ts";

type V128 = Value<"v128">;

const RUNS = { seed: 37, numRuns: 100 };

/** What a few instructions make of three vectors of bytes. */
function run(
  write: (x: V128, y: V128, z: V128, code: CodeBuilder) => V128,
  ...vectors: ArrayBufferView[]
): ArrayBuffer {
  const module = new ModuleBuilder({ from: "export", pages: 1 });
  const f = module.addFunction({}, (code) => {
    const [x, y, z] = [0, 16, 32].map((at) => v128.load(at)) as [V128, V128, V128];
    code.store("v128", 48, write(x, y, z, code));
  });
  module.exportFunction("f", f);
  const bytes = module.encode();
  assert(WebAssembly.validate(bytes));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const memory = exports.memory as WebAssembly.Memory;
  vectors.forEach((vector, i) => {
    const { buffer, byteOffset, byteLength } = vector;
    new Uint8Array(memory.buffer).set(new Uint8Array(buffer, byteOffset, byteLength), 16 * i);
  });
  (exports.f as () => void)();
  return memory.buffer.slice(48, 64) as ArrayBuffer;
}

const singles = (write: Parameters<typeof run>[0], ...v: ArrayBufferView[]) => [
  ...new Float32Array(run(write, ...v)),
];
const doubles = (write: Parameters<typeof run>[0], ...v: ArrayBufferView[]) => [
  ...new Float64Array(run(write, ...v)),
];
const integers = (write: Parameters<typeof run>[0], ...v: ArrayBufferView[]) => [
  ...new Int32Array(run(write, ...v)),
];

const FLOAT_BINARY: Record<string, (x: number, y: number) => number> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  min: Math.min,
  max: Math.max,
  pmin: (x, y) => y < x ? y : x,
  pmax: (x, y) => x < y ? y : x,
};

const FLOAT_UNARY: Record<string, (x: number) => number> = {
  abs: Math.abs,
  neg: (x) => -x,
  sqrt: Math.sqrt,
  ceil: Math.ceil,
  floor: Math.floor,
  trunc: Math.trunc,
};

const COMPARE: Record<string, (x: number, y: number) => boolean> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  gt: (x, y) => x > y,
  le: (x, y) => x <= y,
  ge: (x, y) => x >= y,
};

const X = [1.5, -2.25, 0, 1e30];
const Y = [-0.5, -2.25, 3, -1e30];
const [X4, Y4] = [Float32Array.from(X), Float32Array.from(Y)];
const [X2, Y2] = [Float64Array.from(X.slice(0, 2)), Float64Array.from(Y.slice(0, 2))];

for (const [name, expected] of Object.entries(FLOAT_BINARY)) {
  Deno.test(`f32x4.${name}() and f64x2.${name}() compute lane by lane`, () => {
    const [single, double] = [f32x4, f64x2].map((lanes) => lanes[name as "add"]) as [
      Instruction<"v128 v128", "v128">,
      Instruction<"v128 v128", "v128">,
    ];
    assertEquals(
      singles((x, y) => single(x, y), X4, Y4),
      [...X4].map((x, i) => Math.fround(expected(x, Y4[i]!))),
    );
    assertEquals(
      doubles((x, y) => double(x, y), X2, Y2),
      [...X2].map((x, i) => expected(x, Y2[i]!)),
    );
  });
}

for (const [name, expected] of Object.entries(FLOAT_UNARY)) {
  Deno.test(`f32x4.${name}() and f64x2.${name}() compute lane by lane`, () => {
    const [single, double] = [f32x4, f64x2].map((lanes) => lanes[name as "abs"]) as [
      Instruction<"v128", "v128">,
      Instruction<"v128", "v128">,
    ];
    assertEquals(singles((x) => single(x), X4), [...X4].map((x) => Math.fround(expected(x))));
    assertEquals(doubles((x) => double(x), X2), [...X2].map(expected));
  });
}

for (const [name, expected] of Object.entries(COMPARE)) {
  Deno.test(`f32x4.${name}() and f64x2.${name}() set all bits of lanes where they hold`, () => {
    const masks = [...X4].map((x, i) => expected(x, Y4[i]!) ? -1 : 0);
    assertEquals(integers((x, y) => f32x4[name as "eq"](x, y), X4, Y4), masks);
    assertEquals(
      integers((x, y) => f64x2[name as "eq"](x, y), X2, Y2),
      masks.slice(0, 2).flatMap((mask) => [mask, mask]),
    );
  });
}

Deno.test("f32x4.nearest() and f64x2.nearest() round halves to even", () => {
  assertEquals(singles((x) => f32x4.nearest(x), Float32Array.of(0.5, 1.5, 2.5, -1.4)), [
    0,
    2,
    2,
    -1,
  ]);
  assertEquals(doubles((x) => f64x2.nearest(x), Float64Array.of(-2.5, 3.5)), [-2, 4]);
});

const INTEGER: Record<string, (x: number, y: number) => number> = {
  add: (x, y) => (x + y) | 0,
  sub: (x, y) => (x - y) | 0,
  mul: Math.imul,
  minS: Math.min,
  maxS: Math.max,
  eq: (x, y) => x === y ? -1 : 0,
  ne: (x, y) => x !== y ? -1 : 0,
  ltS: (x, y) => x < y ? -1 : 0,
  gtS: (x, y) => x > y ? -1 : 0,
  leS: (x, y) => x <= y ? -1 : 0,
  geS: (x, y) => x >= y ? -1 : 0,
};

for (const [name, expected] of Object.entries(INTEGER)) {
  Deno.test(`i32x4.${name}() computes lane by lane`, () => {
    const [a, b] = [Int32Array.of(5, -7, 2 ** 31 - 1, 9), Int32Array.of(5, 3, 2, -(2 ** 31))];
    assertEquals(
      integers((x, y) => i32x4[name as "add"](x, y), a, b),
      [...a].map((x, i) => expected(x, b[i]!)),
    );
  });
}

Deno.test("i32x4.abs(), neg() and the shifts compute lane by lane", () => {
  const a = Int32Array.of(1, -5, 1000, -(2 ** 30));
  assertEquals(integers((x) => i32x4.abs(x), a), [1, 5, 1000, 2 ** 30]);
  assertEquals(integers((x) => i32x4.neg(x), a), [-1, 5, -1000, 2 ** 30]);
  assertEquals(integers((x) => i32x4.shl(x, 2), a), [...a].map((v) => v << 2));
  assertEquals(integers((x) => i32x4.shrS(x, 2), a), [...a].map((v) => v >> 2));
  assertEquals(integers((x) => i32x4.shrU(x, 2), a), [...a].map((v) => v >>> 2));
});

Deno.test("i64x2 carries from the lower half of a lane to the upper", () => {
  const [a, b] = [BigInt64Array.of(2n ** 32n - 1n, -1n), BigInt64Array.of(1n, -5n)];
  const lanes = (write: Parameters<typeof run>[0]) => [...new BigInt64Array(run(write, a, b))];
  assertEquals(lanes((x, y) => i64x2.add(x, y)), [2n ** 32n, -6n]);
  assertEquals(lanes((x, y) => i64x2.sub(x, y)), [2n ** 32n - 2n, 4n]);
  assertEquals(lanes((x) => i64x2.shl(x, 4)), [(2n ** 32n - 1n) << 4n, -16n]);
  assertEquals(lanes((x) => i64x2.shrS(x, 4)), [2n ** 28n - 1n, -1n]);
  assertEquals(lanes((x) => i64x2.shrU(x, 4)), [2n ** 28n - 1n, 2n ** 60n - 1n]);
});

Deno.test("v128 works on bits: and, andnot, or, xor, not, bitselect, anyTrue", () => {
  const [a, b, mask] = [0b1100, 0b1010, 0b0110].map((bits) => new Int32Array(4).fill(bits));
  const bits = (write: Parameters<typeof run>[0]) => integers(write, a!, b!, mask!)[3];
  assertEquals(bits((x, y) => v128.and(x, y)), 0b1000);
  assertEquals(bits((x, y) => v128.andnot(x, y)), 0b0100);
  assertEquals(bits((x, y) => v128.or(x, y)), 0b1110);
  assertEquals(bits((x, y) => v128.xor(x, y)), 0b0110);
  assertEquals(bits((x) => v128.not(x)), ~0b1100);
  assertEquals(bits((x, y, z) => v128.bitselect(x, y, z)), 0b1100);
  assertEquals(bits((x) => i32x4.splat(v128.anyTrue(x))), 1);
  assertEquals(bits((x) => i32x4.splat(v128.anyTrue(v128.xor(x, x)))), 0);
});

Deno.test("lanes are extracted, replaced and spread", () => {
  assertEquals(singles((x) => f32x4.splat(f32x4.extractLane(x, 1)), X4), Array(4).fill(-2.25));
  assertEquals(singles((x) => f32x4.replaceLane(x, 2, 7), X4).slice(0, 3), [1.5, -2.25, 7]);
  assertEquals(doubles((x) => f64x2.splat(f64x2.extractLane(x, 1)), X2), [-2.25, -2.25]);
  assertEquals(doubles((x) => f64x2.replaceLane(x, 0, 7), X2), [7, -2.25]);
  const whole = Int32Array.of(1, 2, 3, 4);
  assertEquals(integers((x) => i32x4.splat(i32x4.extractLane(x, 3)), whole), [4, 4, 4, 4]);
  assertEquals(integers((x) => i32x4.replaceLane(x, 0, -1), whole), [-1, 2, 3, 4]);
});

Deno.test("i8x16.shuffle() takes bytes of two vectors in any order", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(31), { minLength: 16, maxLength: 16 }), (order) => {
      const both = Uint8Array.from({ length: 32 }, (_, i) => 3 * i + 1);
      const bytes = run((x, y) => i8x16.shuffle(x, y, order), both.slice(0, 16), both.slice(16));
      assertEquals([...new Uint8Array(bytes)], order.map((i) => both[i]!));
    }),
    RUNS,
  );
});

Deno.test("numbers change type lane by lane", () => {
  const floats = Float32Array.of(1.9, -1.9, 1e10, NaN);
  assertEquals(integers((x) => i32x4.truncSatF32x4S(x), floats), [1, -1, 2 ** 31 - 1, 0]);
  const whole = Int32Array.of(1, -2, 3, -4);
  assertEquals(singles((x) => f32x4.convertI32x4S(x), whole), [...whole]);
  assertEquals(doubles((x) => f64x2.convertLowI32x4S(x), whole), [1, -2]);
  assertEquals(doubles((x) => f64x2.promoteLowF32x4(x), X4), [1.5, -2.25]);
  assertEquals(singles((x) => f32x4.demoteF64x2Zero(x), X2), [1.5, -2.25, 0, 0]);
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => 255 - i);
  assertEquals(
    integers((x) => i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(x)), bytes),
    [255, 254, 253, 252],
  );
  assertEquals(integers((x) => i64x2.extendLowI32x4U(x), whole), [1, 0, -2, 0]);
});

Deno.test("memory is read and written as whole vectors, parts of them, and single lanes", () => {
  assertEquals(singles(() => f32x4.loadSplat(0, 4), X4), Array(4).fill(-2.25));
  assertEquals(doubles(() => f64x2.loadSplat(8), X2), [-2.25, -2.25]);
  assertEquals(singles(() => v128.load32Zero(4), X4), [-2.25, 0, 0, 0]);
  assertEquals(singles(() => v128.load64Zero(0, 4), X4), [-2.25, 0, 0, 0]);
  assertEquals(singles(() => v128.loadSplat(4, 0), X4), Array(4).fill(1.5));
  assertEquals(singles((_x, y) => v128.loadLane(4, 0, y, 3, 4), X4, Y4), [-0.5, -2.25, 3, -2.25]);
  const stored = singles(
    (x, y, _z, code) => {
      code.store("v128", 0, y);
      code.storeLane(8, 0, x, 0, 8);
      return v128.load(0);
    },
    X4,
    Y4,
  );
  assertEquals(stored, [-0.5, -2.25, -0.5, -2.25]);
});

Deno.test({
  name: "relaxedMadd() and relaxedNmadd() multiply and add, rounding once or twice",
  ignore: !hasRelaxedSimd(),
  fn() {
    const finite = fc.double({ min: -1e3, max: 1e3, noNaN: true }).map(Math.fround);
    fc.assert(
      fc.property(fc.array(finite, { minLength: 12, maxLength: 12 }), (values) => {
        const [a, b, c] = [0, 4, 8].map((i) => Float32Array.from(values.slice(i, i + 4)));
        const sums = singles((x, y, z) => f32x4.relaxedMadd(x, y, z), a!, b!, c!);
        const differences = singles((x, y, z) => f32x4.relaxedNmadd(x, y, z), a!, b!, c!);
        sums.forEach((sum, i) => {
          const product = a![i]! * b![i]!;
          const bound = 2 ** -23 * (Math.abs(product) + Math.abs(c![i]!)) + 2 ** -140;
          assertLessOrEqual(Math.abs(sum - (c![i]! + product)), bound);
          assertLessOrEqual(Math.abs(differences[i]! - (c![i]! - product)), bound);
        });
      }),
      RUNS,
    );
    const [a, b, c] = [Float64Array.of(2, 3), Float64Array.of(5, 7), Float64Array.of(1, 100)];
    assertEquals(doubles((x, y, z) => f64x2.relaxedMadd(x, y, z), a, b, c), [11, 121]);
    assertEquals(doubles((x, y, z) => f64x2.relaxedNmadd(x, y, z), a, b, c), [-9, 79]);
  },
});

/** The features that a fresh copy of the module finds with another `WebAssembly` in place. */
async function featuresWith(name: string, replacement: unknown): Promise<boolean[]> {
  const original = WebAssembly;
  const specifier = `../../kernels/wasm/features.ts?${name}`;
  const features = await import(specifier);
  Object.assign(globalThis, { WebAssembly: replacement });
  try {
    return [features.hasSimd(), features.hasRelaxedSimd()];
  } finally {
    Object.assign(globalThis, { WebAssembly: original });
  }
}

Deno.test("hasSimd() is true in Deno", () => {
  assertEquals(hasSimd(), true);
});

Deno.test("hasSimd() and hasRelaxedSimd() are false without WebAssembly", async () => {
  assertEquals(await featuresWith("none", undefined), [false, false]);
});

Deno.test("hasRelaxedSimd() is false where the engine does not know its instructions", async () => {
  const { Module, CompileError } = WebAssembly;
  const validate = (bytes: Uint8Array) => !bytes.join().includes("253,133,2");
  assertEquals(await featuresWith("old", { validate, Module, CompileError }), [true, false]);
});

Deno.test("hasSimd() is false where code must not be generated", async () => {
  const { CompileError } = WebAssembly;
  class Module {
    constructor() {
      throw new CompileError("Refused by the content security policy");
    }
  }
  const forbidden = { validate: () => true, Module, CompileError };
  assertEquals((await featuresWith("forbidden", forbidden))[0], false);
});

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { call, type CodeBuilder } from "../../kernels/wasm/code.ts";
import { flatten, nameBytes, signedLeb128, unsignedLeb128 } from "../../kernels/wasm/encoding.ts";
import { ModuleBuilder, PAGE_BYTES, reserve, scratchMemory } from "../../kernels/wasm/module.ts";
import { f32, f64, i32, select, type Value, type ValueType } from "../../kernels/wasm/value.ts";

type Host = (...args: number[]) => number;

const RUNS = { seed: 31, numRuns: 200 };

function instantiate(
  module: ModuleBuilder,
  imports: WebAssembly.Imports = {},
): WebAssembly.Exports {
  const bytes = module.encode();
  assert(WebAssembly.validate(bytes));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
}

/** A module of one function of i32 parameters x and y. */
function compute(write: (x: Value<"i32">, y: Value<"i32">, code: CodeBuilder) => Value<ValueType>) {
  const module = new ModuleBuilder();
  const f = module.addFunction({ x: "i32", y: "i32" }, (code, { x, y }) => write(x, y, code));
  module.exportFunction("f", f);
  return instantiate(module).f as Host;
}

/** A module of one function of two floating parameters. */
function computeFloat<T extends "f32" | "f64">(
  type: T,
  write: (x: Value<T>, y: Value<T>) => Value<ValueType>,
): Host {
  const module = new ModuleBuilder();
  const f = module.addFunction({ x: type, y: type }, (_, { x, y }) => write(x, y));
  module.exportFunction("f", f);
  return instantiate(module).f as Host;
}

Deno.test("unsignedLeb128() writes seven bits to a byte, the lowest first", () => {
  assertEquals(unsignedLeb128(0), [0]);
  assertEquals(unsignedLeb128(127), [0x7f]);
  assertEquals(unsignedLeb128(128), [0x80, 1]);
  assertEquals(unsignedLeb128(624485), [0xe5, 0x8e, 0x26]);
  assertEquals(unsignedLeb128(2 ** 32 - 1), [0xff, 0xff, 0xff, 0xff, 0x0f]);
});

Deno.test("signedLeb128() keeps the sign in the highest bit of the last seven", () => {
  assertEquals(signedLeb128(0), [0]);
  assertEquals(signedLeb128(63), [0x3f]);
  assertEquals(signedLeb128(64), [0xc0, 0]);
  assertEquals(signedLeb128(-1), [0x7f]);
  assertEquals(signedLeb128(-64), [0x40]);
  assertEquals(signedLeb128(-65), [0xbf, 0x7f]);
  assertEquals(signedLeb128(-123456), [0xc0, 0xbb, 0x78]);
  assertEquals(signedLeb128(-(2 ** 31)), [0x80, 0x80, 0x80, 0x80, 0x78]);
  assertEquals(signedLeb128(2 ** 31 - 1), [0xff, 0xff, 0xff, 0xff, 0x07]);
});

Deno.test("unsignedLeb128() can be read back, and is as short as can be", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      const bytes = unsignedLeb128(value);
      assertEquals(bytes.reduce((sum, byte, i) => sum + (byte & 0x7f) * 128 ** i, 0), value);
      assertEquals(bytes.length, Math.max(1, Math.ceil(Math.log2(value + 1) / 7)));
      assertEquals(bytes.map((byte) => byte >> 7).lastIndexOf(0), bytes.length - 1);
    }),
    RUNS,
  );
});

Deno.test("signedLeb128() refuses what is no 32-bit integer", () => {
  assertThrows(
    () => signedLeb128(2 ** 31),
    RangeError,
    "Cannot compute signedLeb128 as value must be a whole number from -2147483648 to " +
      "2147483647: current value is 2147483648",
  );
  assertThrows(
    () => unsignedLeb128(0.5),
    RangeError,
    "Cannot compute unsignedLeb128 as value must be a whole number from 0 to 4294967295: " +
      "current value is 0.5",
  );
});

Deno.test("nameBytes() counts bytes of UTF-8, not characters", () => {
  assertEquals(flatten(nameBytes("é")), [2, 0xc3, 0xa9]);
});

Deno.test("i32.const() gives any integer to the engine unchanged", () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      assertEquals(compute(() => i32.const(value))(0, 0), value);
    }),
    RUNS,
  );
});

Deno.test("f64.const() and f32.const() give any number to the engine unchanged", () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      assertEquals(compute(() => f64.const(value))(0, 0), value);
      assertEquals(compute(() => f32.const(value))(0, 0), Math.fround(value));
    }),
    RUNS,
  );
});

const INTEGER: Partial<Record<keyof typeof i32, Host>> = {
  add: (x, y) => (x + y) | 0,
  sub: (x, y) => (x - y) | 0,
  mul: Math.imul,
  divS: (x, y) => (x / y) | 0,
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  shl: (x, y) => x << y,
  shrS: (x, y) => x >> y,
  shrU: (x, y) => (x >>> y) | 0,
  eq: (x, y) => Number(x === y),
  ne: (x, y) => Number(x !== y),
  ltS: (x, y) => Number(x < y),
  gtS: (x, y) => Number(x > y),
  leS: (x, y) => Number(x <= y),
  geS: (x, y) => Number(x >= y),
  ltU: (x, y) => Number(x >>> 0 < y >>> 0),
};

for (const [name, expected] of Object.entries(INTEGER)) {
  Deno.test(`i32.${name}() computes what its name says`, () => {
    const instruction = i32[name as "add"];
    const f = compute((x, y) => instruction(x, y));
    const integers = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer());
    fc.assert(
      fc.property(integers, integers, (x, y) => {
        fc.pre(y !== 0 && !(x === -(2 ** 31) && y === -1));
        assertEquals(f(x, y), expected(x, y));
      }),
      RUNS,
    );
  });
}

Deno.test("i32.eqz(), clz(), ctz() and popcnt() look at bits", () => {
  assertEquals([0, 5].map((x) => compute((y) => i32.eqz(y))(x, 0)), [1, 0]);
  assertEquals([0, 1, -1].map((x) => compute((y) => i32.clz(y))(x, 0)), [32, 31, 0]);
  assertEquals([0, 8, 1].map((x) => compute((y) => i32.ctz(y))(x, 0)), [32, 3, 0]);
  assertEquals([0, 7, -1].map((x) => compute((y) => i32.popcnt(y))(x, 0)), [0, 3, 32]);
});

const isNegative = (x: number) => x < 0 || Object.is(x, -0);

/** Whole numbers that are halfway go to the even one. */
function nearest(x: number): number {
  const low = Math.floor(x);
  const up = x - low > 0.5 || (x - low === 0.5 && low % 2 !== 0);
  const rounded = up ? low + 1 : low;
  return rounded === 0 && isNegative(x) ? -0 : rounded;
}

const FLOATING: Partial<Record<keyof typeof f64, Host>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  min: Math.min,
  max: Math.max,
  copysign: (x, y) => isNegative(x) === isNegative(y) ? x : -x,
  eq: (x, y) => Number(x === y),
  ne: (x, y) => Number(x !== y),
  lt: (x, y) => Number(x < y),
  gt: (x, y) => Number(x > y),
  le: (x, y) => Number(x <= y),
  ge: (x, y) => Number(x >= y),
  abs: Math.abs,
  neg: (x) => -x,
  ceil: Math.ceil,
  floor: Math.floor,
  trunc: Math.trunc,
  nearest,
  sqrt: Math.sqrt,
};

const halves = fc.integer({ min: -20, max: 20 }).map((x) => x / 2);
const anyNumber = fc.oneof(halves, fc.float({ noNaN: true }).map(Math.fround));

for (const [name, expected] of Object.entries(FLOATING)) {
  Deno.test(`f32.${name}() and f64.${name}() compute what their name says`, () => {
    const unary = expected.length === 1;
    const double = computeFloat(
      "f64",
      (x, y) => unary ? f64[name as "abs"](x) : f64[name as "add"](x, y),
    );
    const single = computeFloat(
      "f32",
      (x, y) => unary ? f32[name as "abs"](x) : f32[name as "add"](x, y),
    );
    fc.assert(
      fc.property(anyNumber, anyNumber, (x, y) => {
        assertEquals(double(x, y), expected(x, y));
        assertEquals(single(x, y), Math.fround(expected(x, y)));
      }),
      RUNS,
    );
  });
}

Deno.test("conversions between integers and numbers limit and round as said", () => {
  const host = (f: Host, ...values: number[]) => values.map((x) => f(x, 0));
  const toInteger = computeFloat("f64", (x) => i32.truncSatF64S(x));
  assertEquals(host(toInteger, -1.9, 1e10, -Infinity, NaN), [-1, 2 ** 31 - 1, -(2 ** 31), 0]);
  assertEquals(host(compute((x) => f64.convertI32S(x)), -7), [-7]);
  assertEquals(host(compute((x) => f32.convertI32S(x)), 2 ** 24 + 1), [2 ** 24]);
  assertEquals(host(computeFloat("f64", (x) => f32.demoteF64(x)), 0.1), [Math.fround(0.1)]);
  assertEquals(host(computeFloat("f32", (x) => f64.promoteF32(x)), 0.1), [Math.fround(0.1)]);
});

Deno.test("select() takes the first where the condition holds", () => {
  const larger = compute((x, y) => select(x, y, i32.gtS(x, y)));
  assertEquals([larger(3, 5), larger(5, 3)], [5, 5]);
});

Deno.test("CodeBuilder.if() does one thing or another", () => {
  const sign = compute((x, _y, code) => {
    const result = code.local("i32");
    code.if(i32.gtS(x, 0), () => code.set(result, 1), () => {
      code.if(i32.ltS(x, 0), () => code.set(result, -1));
    });
    return result;
  });
  assertEquals([7, 0, -7].map((x) => sign(x, 0)), [1, 0, -1]);
});

Deno.test("CodeBuilder.for() counts up to below its limit in steps, possibly never", () => {
  const visited = compute((limit, _y, code) => {
    const sum = code.local("i32");
    code.for(limit, 3, (i) => code.set(sum, i32.add(i32.mul(sum, 10), i)));
    return sum;
  });
  assertEquals([-1, 0, 1, 3, 4, 9, 10].map((x) => visited(x, 0)), [0, 0, 0, 0, 3, 36, 369]);
});

Deno.test("CodeBuilder.while() looks first, CodeBuilder.repeat() afterwards", () => {
  const countWhile = compute((x, _y, code) => {
    const [left, count] = [code.let(x), code.local("i32")];
    code.while(i32.gtS(left, 0), () => {
      code.increase(left, -1);
      code.increase(count, 1);
    });
    return count;
  });
  const countRepeat = compute((x, _y, code) => {
    const [left, count] = [code.let(x), code.local("i32")];
    code.repeat(() => {
      code.increase(left, -1);
      code.increase(count, 1);
    }, i32.gtS(left, 0));
    return count;
  });
  assertEquals([0, 1, 5].map((x) => countWhile(x, 0)), [0, 1, 5]);
  assertEquals([0, 1, 5].map((x) => countRepeat(x, 0)), [1, 1, 5]);
});

Deno.test("loops nest: the product table of two numbers adds up", () => {
  const table = compute((x, y, code) => {
    const sum = code.local("i32");
    code.for(x, 1, (i) => code.for(y, 1, (j) => code.increase(sum, i32.mul(i, j))));
    return sum;
  });
  assertEquals(table(5, 4), (1 + 2 + 3 + 4) * (1 + 2 + 3));
});

Deno.test("CodeBuilder.place() lets statements be written ahead of what needs them", () => {
  const twice = compute((x, _y, code) => {
    const place = code.place();
    const doubled = code.local("i32");
    const result = code.let(i32.add(doubled, 1));
    place(() => code.set(doubled, i32.mul(x, 2)));
    return result;
  });
  assertEquals(twice(20, 0), 41);
});

Deno.test("call() hands over named arguments in the order of the parameters", () => {
  const module = new ModuleBuilder();
  const minus = module.addFunction({ x: "i32", y: "i32" }, (_, { x, y }) => i32.sub(x, y));
  const swapped = module.addFunction(
    { x: "i32", y: "i32" },
    (_, { x, y }) => call(minus, { y: x, x: y }),
  );
  module.exportFunction("swapped", swapped);
  assertEquals((instantiate(module).swapped as Host)(1, 10), 9);
});

Deno.test("ModuleBuilder.importFunction() calls the host, before and after its own functions", () => {
  const module = new ModuleBuilder();
  const pow = module.importFunction("Math", "pow", { x: "f64", y: "f64" }, "f64");
  const inner = module.addFunction({ x: "f64" }, (_, { x }) => call(pow, { x, y: 3 }));
  module.exportFunction("f", module.addFunction({}, () => call(inner, { x: 2 })));
  assertEquals((instantiate(module, { Math: { pow: Math.pow } }).f as Host)(), 8);
  assertThrows(
    () => module.importFunction("Math", "sin", { x: "f64" }, "f64"),
    TypeError,
    "Cannot import Math.sin as imports must come before functions: " +
      "current number of functions is 2",
  );
});

Deno.test("modules of many functions and variables need numbers of several bytes", () => {
  const module = new ModuleBuilder();
  for (let i = 0; i < 300; i++) {
    const f = module.addFunction({ x: "f64" }, (code, { x }) => {
      const locals = Array.from({ length: i }, (_, j) => code.local(j % 3 === 0 ? "i32" : "f64"));
      const last = code.let(f64.add(x, i));
      assertEquals(last.index, locals.length + 1);
      return last;
    });
    module.exportFunction(`f${i}`, f);
  }
  const exports = instantiate(module);
  assertEquals([0, 127, 128, 299].map((i) => (exports[`f${i}`] as Host)(0.5)), [
    0.5,
    127.5,
    128.5,
    299.5,
  ]);
});

Deno.test("a module has memory of its own, with stores and loads at offsets", () => {
  const module = new ModuleBuilder({ from: "export", pages: 1, maximumPages: 2 });
  const f = module.addFunction({ at: "i32" }, (code, { at }) => {
    code.store("i32", at, -2);
    code.store("f32", at, 0.5, 4);
    code.store("f64", at, 0.25, 8);
    code.store("i8", at, 0x1ff, 200);
    code.copy(i32.add(at, 32), at, 16);
    code.clear(at, 4);
    return f64.add(
      f64.add(f64.convertI32S(i32.load(at, 32)), f64.promoteF32(f32.load(at, 36))),
      f64.add(f64.load(at, 40), f64.convertI32S(i32.load8U(at, 200))),
    );
  });
  module.exportFunction("f", f);
  const exports = instantiate(module);
  const memory = exports.memory as WebAssembly.Memory;
  assertEquals((exports.f as Host)(1000), -2 + 0.5 + 0.25 + 255);
  const view = new DataView(memory.buffer);
  assertEquals([view.getInt32(1000, true), view.getInt32(1032, true)], [0, -2]);
  assertEquals(memory.buffer.byteLength, PAGE_BYTES);
  assertThrows(() => memory.grow(2), RangeError);
});

Deno.test("a module works on the memory that it is given, also after it has grown", () => {
  const module = new ModuleBuilder({ from: "import", pages: 1 });
  const first = module.addFunction({ at: "i32" }, (_, { at }) => f64.load(at));
  module.exportFunction("f", first);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const f = instantiate(module, { env: { memory } }).f as Host;
  assertThrows(() => f(PAGE_BYTES), WebAssembly.RuntimeError);
  reserve(memory, PAGE_BYTES + 8);
  new Float64Array(memory.buffer)[PAGE_BYTES / 8] = 7;
  assertEquals(f(PAGE_BYTES), 7);
});

Deno.test("a module can share its memory between threads", () => {
  const module = new ModuleBuilder({ from: "import", shared: true, maximumPages: 300 });
  module.exportFunction("f", module.addFunction({}, () => f64.load(8)));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 300, shared: true });
  new Float64Array(memory.buffer)[1] = 3;
  assertEquals((instantiate(module, { env: { memory } }).f as Host)(), 3);
});

Deno.test("reserve() grows by whole pages and never shrinks", () => {
  const memory = new WebAssembly.Memory({ initial: 0 });
  const pages = [0, 1, PAGE_BYTES, PAGE_BYTES + 1, 5].map((bytes) => {
    reserve(memory, bytes);
    return memory.buffer.byteLength / PAGE_BYTES;
  });
  assertEquals(pages, [0, 1, 1, 2, 2]);
});

Deno.test("scratchMemory() is the same each time", () => {
  assertInstanceOf(scratchMemory(), WebAssembly.Memory);
  assert(scratchMemory() === scratchMemory());
});

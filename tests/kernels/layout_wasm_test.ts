/** Copies between views as WebAssembly: what `reference.ts` copies, and nothing beside it. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cast, compile, type Tensor, tensor } from "../../mod.ts";
import { mergeAxes } from "../../kernels/layout/axes.ts";
import { copyView, type ViewCopy } from "../../kernels/layout/reference.ts";
import { type Copies, emitCopies } from "../../kernels/layout/wasm.ts";
import type { Parameters, WasmFunction } from "../../kernels/wasm/code.ts";
import { ModuleBuilder, PAGE_BYTES } from "../../kernels/wasm/module.ts";

import { arrayOf } from "./wasm_loops.ts";

const GUARD = 0xa5;
const BYTES = { 1: Uint8Array, 4: Int32Array, 8: Float64Array } as const;

type Size = keyof typeof BYTES;

/** What the array of `length` elements holds after the copies from arrays; it starts out as guards. */
function run(copies: Copies, length: number, arrays: readonly ArrayBufferView[]): Uint8Array {
  return runFunction((module) => emitCopies(module, copies), length * copies.size, arrays);
}

function runFunction(
  emit: (module: ModuleBuilder) => WasmFunction<Parameters, null>,
  outBytes: number,
  arrays: readonly ArrayBufferView[],
): Uint8Array {
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("run", emit(module));
  const places = [64];
  let end = 64 + outBytes + 64;
  for (const { byteLength } of arrays) {
    places.push(end);
    end += byteLength + 64;
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE_BYTES) });
  const bytes = new Uint8Array(memory.buffer).fill(GUARD);
  arrays.forEach((x, i) => bytes.set(new Uint8Array(x.buffer), places[i + 1]));
  const before = bytes.slice();
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory },
  });
  (exports.run as (...numbers: number[]) => void)(...places);
  const out = bytes.slice(64, 64 + outBytes);
  bytes.fill(GUARD, 64, 64 + outBytes);
  assertEquals(bytes, before);
  return out;
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** What `copyView` does, from an array that starts out as guards. */
function expected(
  { size, copies, cleared = 0 }: Copies & { size: Size },
  length: number,
  arrays: readonly InstanceType<typeof BYTES[Size]>[],
): Uint8Array {
  const out = new BYTES[size](length);
  new Uint8Array(out.buffer).fill(GUARD);
  out.fill(0, 0, cleared);
  copies.forEach(({ shape, to, from }, i) =>
    copyView({ data: out, ...to }, { data: arrays[i]!, ...from }, shape)
  );
  return new Uint8Array(out.buffer);
}

const shapes = fc.array(fc.constantFrom(0, 1, 1, 2, 3, 4, 5, 9, 33), { maxLength: 4 })
  .filter((shape) => product(shape) <= 3000);

/** Views of arrays whose axes are in another order, or repeat. */
const views = fc.tuple(fc.constantFrom<Size>(1, 4, 8), shapes).chain(([size, shape]) =>
  fc.record({
    size: fc.constant(size),
    shape: fc.constant(shape),
    order: fc.shuffledSubarray(shape.map((_, i) => i), { minLength: shape.length }),
    repeats: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
    offset: fc.integer({ min: 0, max: 3 }),
  })
).map(({ size, shape, order, repeats, offset }) => {
  const source = order.map((axis) => repeats[axis] ? 1 : shape[axis]!);
  const own = stridesOf(source);
  const strides = shape.map((_, axis) => repeats[axis] ? 0 : own[order.indexOf(axis)]!);
  const copy: ViewCopy = {
    shape,
    to: { offset: 1, strides: stridesOf(shape) },
    from: { offset, strides },
  };
  const data = new BYTES[size](product(source) + offset).map((_, i) => (i * 37) % 251);
  return { size, copy, data };
});

/** The same the other way round along some axes, and by steps. */
const turnedViews = fc.tuple(views, fc.nat(80)).map(([{ size, copy, data }, choice]) => {
  const { shape, to, from } = copy;
  const back = shape.map((_, axis) => Math.floor(choice / 3 ** axis) % 3 === 1);
  const step = shape.map((_, axis) => Math.floor(choice / 3 ** axis) % 3 === 2 ? 2 : 1);
  const shorter = shape.map((extent, axis) => Math.ceil(extent / step[axis]!));
  const last = from.strides.map((stride, axis) =>
    back[axis] ? stride * Math.max(0, shape[axis]! - 1) : 0
  );
  const turned = {
    offset: last.reduce((sum, at) => sum + at, from.offset),
    strides: from.strides.map((stride, axis) => back[axis] ? -stride : stride * step[axis]!),
  };
  const target = { ...to, strides: stridesOf(shorter) };
  return { size, copy: { shape: shorter, to: target, from: turned }, data };
});

Deno.test("emitCopies() goes backwards and by steps as the reference does", () => {
  fc.assert(
    fc.property(turnedViews, ({ size, copy, data }) => {
      const copies = { size, copies: [copy] };
      const length = product(copy.shape) + 1;
      assertEquals(run(copies, length, [data]), expected(copies, length, [data]));
    }),
    { seed: 1, numRuns: 400 },
  );
});

Deno.test("emitCopies() transposes and repeats as the reference does", () => {
  fc.assert(
    fc.property(views, ({ size, copy, data }) => {
      const copies = { size, copies: [copy] };
      const length = product(copy.shape) + 1;
      assertEquals(run(copies, length, [data]), expected(copies, length, [data]));
    }),
    { seed: 1, numRuns: 400 },
  );
});

for (const [rows, columns] of [[4, 4], [5, 9], [8, 7], [33, 66]] as const) {
  for (const size of [1, 4, 8] as const) {
    Deno.test(`emitCopies() turns ${rows} by ${columns} of ${size} bytes around`, () => {
      const data = new BYTES[size](rows * columns).map((_, i) => i % 251);
      const from = { offset: 0, strides: [1, columns] };
      const to = { offset: 0, strides: [rows, 1] };
      const copies: Copies = { size, copies: [{ shape: [columns, rows], to, from }] };
      const buffer = run(copies, data.length, [data]).buffer as ArrayBuffer;
      const turned = new BYTES[size](buffer, 0, data.length);
      const read = (i: number) => data[(i % rows) * columns + Math.floor(i / rows)];
      assertEquals([...turned], Array.from({ length: data.length }, (_, i) => read(i)));
    });
  }
}

Deno.test("emitCopies() joins arrays, and clears what lies around them", () => {
  const strides = [5, 1];
  const part = (columns: number, offset: number): ViewCopy => ({
    shape: [2, columns],
    to: { offset, strides },
    from: { offset: 0, strides: [columns, 1] },
  });
  const copies: Copies = { size: 1, copies: [part(1, 0), part(2, 2)], cleared: 10 };
  const out = run(copies, 10, [Uint8Array.of(1, 2), Uint8Array.of(3, 4, 5, 6)]);
  assertEquals([...out], [1, 0, 3, 4, 0, 2, 0, 5, 6, 0]);
});

Deno.test("mergeAxes() takes together what lies together", () => {
  const [contiguous, part] = [[6, 3, 1], [20, 5, 1]];
  assertEquals(mergeAxes([2, 2, 3], [contiguous, contiguous]), [{ extent: 12, strides: [1, 1] }]);
  assertEquals(mergeAxes([2, 1, 3], [contiguous, part]), [
    { extent: 2, strides: [6, 20] },
    { extent: 3, strides: [1, 1] },
  ]);
  assertEquals(mergeAxes([1, 1, 1], [contiguous, part]), []);
});

const VALUES = {
  float32: [NaN, 1.5, -0, Infinity, 1e-40, -3, 2, 7, 9, 1],
  float64: [NaN, 1 / 3, -0, 1e300, 1e-40, -3, 2, 7, 9, -Infinity],
  int32: [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 24 + 1, 5, 6, 7, 8, 9],
  bool: [1, 0, 0, 1, 1, 1, 0, 1, 0, 1],
} as const;
const TYPES = ["float32", "float64", "int32", "bool"] as const;

/** The types that hold every value, or the nearest to it. */
const TARGETS = {
  float32: ["float64"],
  float64: ["float32"],
  int32: ["float32", "float64"],
  bool: ["float32", "float64", "int32"],
} as const;

for (const from of TYPES) {
  for (const to of TARGETS[from]) {
    Deno.test(`programs make ${to} of ${from}, not on the host`, async () => {
      for (let count = 0; count <= 10; count++) {
        const data = arrayOf(from, VALUES[from].slice(0, count));
        const x = cast(tensor([...data], { dtype: "float64" }), from);
        const program = await compile((x: Tensor) => cast(x, to), [x]);
        if (count > 0) assert(!program.explain().includes("on the host"));
        assertEquals([...(await program(x)).data], [...arrayOf(to, data)]);
      }
    });
  }
}

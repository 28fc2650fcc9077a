/**
 * Packing in WebAssembly: rows of one matrix, or columns of another, are laid side by side. And the
 * lower half of a symmetric matrix from the upper one.
 *
 * @module
 */
import { type CodeBuilder, integers, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f64, i32, type Local, select, type Value } from "../wasm/value.ts";
import { i8x16, v128 } from "../wasm/simd.ts";

const PARAMETERS = ["to", "from", "laneStride", "depthStride", "lanes", "depth", "gap"] as const;

/** Packs `lanes` lanes of `depth` numbers each; strides are in bytes, as the gap between panels. */
export type Pack = WasmFunction<Record<(typeof PARAMETERS)[number], "i32">, null>;

/**
 * Adds a function that packs panels of `width` lanes: for each step along the depth, the numbers of
 * all lanes. Steps up to a multiple of `unroll` are zeros; lanes that the last panel lacks repeat
 * another, and what comes of them is never looked at.
 */
export function addPack(
  module: ModuleBuilder,
  bytes: number,
  width: number,
  unroll: number,
): Pack {
  return module.addFunction(integers(...PARAMETERS), (code, p) => {
    const { to, from, laneStride, depthStride } = p;
    const step = width * bytes;
    const padding = code.let(i32.mul(i32.and(i32.sub(0, p.depth), unroll - 1), step));
    const at = code.local("i32");
    const left = code.local("i32");
    const lanesAdjoin = i32.eq(laneStride, bytes);
    const stepsAdjoin = i32.eq(depthStride, bytes);
    /** Packs `count` steps at a time while there are as many, and some others. */
    const pack = (count: number, body: () => void, others = 0) =>
      code.while(i32.geS(left, count + others), () => {
        body();
        code.increase(at, i32.mul(depthStride, count));
        code.increase(to, count * step);
        code.increase(left, -count);
      });
    code.for(p.lanes, width, (lane) => {
      const lanes = code.let(minimum(code, i32.sub(p.lanes, lane), width));
      code.set(at, from);
      code.set(left, p.depth);
      code.if(i32.and(i32.eq(lanes, width), lanesAdjoin), () => {
        pack(1, () => copyBytes(code, to, at, step));
      });
      const offsets = Array.from({ length: width }, (_, i) => {
        const real = select(i32.const(i), i32.const(0), i32.gtS(lanes, i));
        return code.let(i32.mul(laneStride, real));
      });
      code.if(stepsAdjoin, () => {
        pack(
          16 / bytes,
          () => transposeInto(code, to, at, offsets, bytes),
          step % 16 === 0 ? 0 : 1,
        );
      });
      pack(1, () => {
        offsets.forEach((offset, i) => copyBytes(code, to, i32.add(at, offset), bytes, i * bytes));
      });
      code.clear(to, padding);
      code.increase(to, i32.add(padding, p.gap));
      code.increase(from, i32.mul(laneStride, width));
    });
  });
}

/** Mirrors a square matrix of `size` rows, `stride` bytes apart, at its diagonal. */
export type Mirror = WasmFunction<Record<"out" | "stride" | "size", "i32">, null>;

/** Adds a function that mirrors matrices: a vector's worth of rows and columns at a time. */
export function addMirror(module: ModuleBuilder, bytes: number): Mirror {
  const lanes = 16 / bytes;
  return module.addFunction(integers("out", "stride", "size"), (code, { out, stride, size }) => {
    const whole = code.let(i32.and(size, -lanes));
    code.for(whole, lanes, (row) => {
      const to = code.let(i32.add(out, i32.mul(stride, row)));
      const from = code.let(i32.add(out, i32.mul(row, bytes)));
      code.for(row, lanes, () => {
        const rows = Array.from(
          { length: lanes },
          (_, i) => code.let(v128.load(i32.add(from, i32.mul(stride, i)))),
        );
        transpose(code, rows, bytes).forEach((x, i) =>
          code.store("v128", i32.add(to, i32.mul(stride, i)), x)
        );
        code.increase(to, 16);
        code.increase(from, i32.mul(stride, lanes));
      });
    });
    code.for(i32.sub(size, whole), 1, (index) => {
      const row = code.let(i32.add(whole, index));
      const to = code.let(i32.add(out, i32.mul(stride, row)));
      const from = code.let(i32.add(out, i32.mul(row, bytes)));
      code.for(row, 1, () => {
        copyBytes(code, to, from, bytes);
        code.increase(to, bytes);
        code.increase(from, stride);
      });
    });
  });
}

/** Copies a few bytes, a multiple of 4, in the largest pieces. */
function copyBytes(
  code: CodeBuilder,
  to: Value<"i32">,
  from: Value<"i32">,
  bytes: number,
  offset = 0,
): void {
  let at = 0;
  for (; at + 16 <= bytes; at += 16) code.store("v128", to, v128.load(from, at), offset + at);
  for (; at + 8 <= bytes; at += 8) code.store("f64", to, f64.load(from, at), offset + at);
  for (; at < bytes; at += 4) code.store("i32", to, i32.load(from, at), offset + at);
}

/**
 * Packs a vector's worth of steps, read from each lane at once. The last lanes of a step are
 * written as a whole vector, which the next step overwrites.
 */
function transposeInto(
  code: CodeBuilder,
  to: Value<"i32">,
  from: Value<"i32">,
  offsets: readonly Value<"i32">[],
  bytes: number,
): void {
  const size = 16 / bytes;
  const groups = Array.from({ length: Math.ceil(offsets.length / size) }, (_, g) => {
    const rows = offsets.slice(g * size, (g + 1) * size)
      .map((offset) => code.let(v128.load(i32.add(from, offset))));
    const last = rows.at(-1)!;
    return transpose(code, Array.from({ length: size }, (_, i) => rows[i] ?? last), bytes);
  });
  for (let step = 0; step < size; step++) {
    groups.forEach((columns, g) =>
      code.store("v128", to, columns[step]!, step * offsets.length * bytes + 16 * g)
    );
  }
}

/** The columns of two rows of two numbers, or of four rows of four. */
function transpose(
  code: CodeBuilder,
  rows: readonly Local<"v128">[],
  bytes: number,
): Local<"v128">[] {
  const interleave = (x: Value<"v128">, y: Value<"v128">, width: number, first: number) => {
    const order = Array.from(
      { length: 16 },
      (_, i) => first + Math.floor(i / (2 * width)) * width + i % width + (i & width ? 16 : 0),
    );
    return code.let(i8x16.shuffle(x, y, order));
  };
  const [r0, r1, r2, r3] = rows as [Local<"v128">, Local<"v128">, Local<"v128">, Local<"v128">];
  if (bytes === 8) return [interleave(r0, r1, 8, 0), interleave(r0, r1, 8, 8)];
  return [0, 8].flatMap((half) => {
    const [upper, lower] = [interleave(r0, r1, 4, half), interleave(r2, r3, 4, half)];
    return [interleave(upper, lower, 8, 0), interleave(upper, lower, 8, 8)];
  });
}

/** The lesser of a number and a constant. */
export function minimum(code: CodeBuilder, x: Value<"i32">, limit: number): Value<"i32"> {
  const value = code.let(x);
  return select(value, i32.const(limit), i32.ltS(value, limit));
}

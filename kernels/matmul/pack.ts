/**
 * Packing in WebAssembly: rows of one matrix, or columns of another, are laid side by side.
 *
 * @module
 */
import { emitBlockCopy } from "../layout/wasm.ts";
import { type TiledBytes, turnTile } from "../layout/tiles.ts";
import { type CodeBuilder, integers, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { v128 } from "../wasm/simd.ts";
import { f64, i32, select, type Value } from "../wasm/value.ts";

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
  bytes: TiledBytes,
  width: number,
  unroll: number,
): Pack {
  return module.addFunction(integers(...PARAMETERS), (code, p) => {
    const { to, from, laneStride, depthStride } = p;
    const step = width * bytes;
    const padding = code.let(i32.mul(i32.and(i32.sub(0, p.depth), unroll - 1), step));
    const at = code.local("i32");
    const left = code.local("i32");
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
      code.if(i32.and(i32.eq(lanes, width), i32.eq(laneStride, bytes)), () => {
        pack(1, () => emitBlockCopy(code, to, at, step));
      });
      const offsets = Array.from({ length: width }, (_, i) => {
        const real = select(i32.const(i), i32.const(0), i32.gtS(lanes, i));
        return code.let(i32.mul(laneStride, real));
      });
      code.if(i32.eq(depthStride, bytes), () => {
        const others = step % 16 === 0 ? 0 : 1;
        pack(16 / bytes, () => transposeInto(code, to, at, offsets, bytes), others);
      });
      pack(1, () =>
        offsets.forEach((offset, i) => {
          const number = i32.add(at, offset);
          if (bytes === 4) code.store("i32", to, i32.load(number), i * bytes);
          else code.store("f64", to, f64.load(number), i * bytes);
        }));
      code.clear(to, padding);
      code.increase(to, i32.add(padding, p.gap));
      code.increase(from, i32.mul(laneStride, width));
    });
  });
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
  bytes: TiledBytes,
): void {
  const size = 16 / bytes;
  const groups = Array.from({ length: Math.ceil(offsets.length / size) }, (_, g) => {
    const rows = offsets.slice(g * size, (g + 1) * size)
      .map((offset) => code.let(v128.load(i32.add(from, offset))));
    return turnTile(code, bytes, Array.from({ length: size }, (_, i) => rows[i] ?? rows.at(-1)!));
  });
  for (let step = 0; step < size; step++) {
    groups.forEach((columns, g) =>
      code.store("v128", to, columns[step]!, step * offsets.length * bytes + 16 * g)
    );
  }
}

/** The lesser of a number and a constant. */
export function minimum(code: CodeBuilder, x: Value<"i32">, limit: number): Value<"i32"> {
  const value = code.let(x);
  return select(value, i32.const(limit), i32.ltS(value, limit));
}

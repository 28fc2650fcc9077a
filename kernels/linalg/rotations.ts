/**
 * Chains of rotations of neighbouring vectors, as iterations for eigenvalues make them.
 *
 * @module
 */
import { hasSimd } from "../wasm/features.ts";
import { instantiate, ModuleBuilder, reserve, scratchMemory } from "../wasm/module.ts";
import { f64x2, v128 } from "../wasm/simd.ts";
import { i32 } from "../wasm/value.ts";

/** Columns that WebAssembly rotates at once: a line of the cache. */
const STRIP = 8;

/** Vectors that are rotated, and the rotations. */
export interface Rotations {
  /** n vectors, one per row. */
  readonly rows: Float64Array;
  /** Numbers from a row to the next. */
  readonly pitch: number;
  /** The sine between each vector and the next one. */
  readonly sines: Float64Array;
  /** The cosine, alike. */
  readonly cosines: Float64Array;
  /** Rotates neighbours, from the last two before or at `last` down to those at `first`. */
  readonly rotate: (first: number, last: number) => void;
}

/** n vectors of 0 with their rotations, in WebAssembly where there is SIMD: to the bit the same. */
export function rotations(n: number, simd: boolean = hasSimd()): Rotations {
  return simd ? wasmRotations(n) : plainRotations(n);
}

function plainRotations(n: number): Rotations {
  const [sines, cosines] = [new Float64Array(n), new Float64Array(n)];
  const rows = new Float64Array(n * n);
  const rotate = (first: number, last: number) => {
    for (let i = last - 1; i >= first; i--) {
      rotateTwo(rows, i * n, n, sines[i]!, cosines[i]!);
    }
  };
  return { rows, pitch: n, sines, cosines, rotate };
}

/** Rotates the row that starts at `at` and the next one. */
function rotateTwo(rows: Float64Array, at: number, n: number, s: number, c: number): void {
  for (let j = at; j < at + n; j++) {
    const upper = rows[j]!;
    const lower = rows[j + n]!;
    rows[j + n] = s * upper + c * lower;
    rows[j] = c * upper - s * lower;
  }
}

/** Up to so many vectors lie in the memory that kernels share: 8.5 MB. */
const MOST_SHARED = 1024;

type Kernel = (...numbers: number[]) => void;

let module: WebAssembly.Module | undefined;
let shared: Kernel | undefined;

function kernelOn(memory: WebAssembly.Memory): Kernel {
  module ??= new WebAssembly.Module(emit());
  return instantiate(module, memory).run!;
}

/** The same in the memory that kernels share: nothing else may use it meanwhile. */
function wasmRotations(n: number): Rotations {
  const isShared = n <= MOST_SHARED;
  const memory = isShared ? scratchMemory() : new WebAssembly.Memory({ initial: 1 });
  const kernel = isShared ? shared ??= kernelOn(memory) : kernelOn(memory);
  const strips = Math.ceil(n / STRIP);
  // A line more, so that rows do not fall onto the same lines of the cache.
  const pitch = (strips + 1) * STRIP;
  const size = n * pitch;
  reserve(memory, 8 * (size + 2 * n));
  const all = new Float64Array(memory.buffer, 0, size + 2 * n).fill(0);
  const place = (first: number) => 8 * (size + first);
  return {
    rows: all.subarray(0, size),
    pitch,
    sines: all.subarray(size, size + n),
    cosines: all.subarray(size + n),
    rotate(first, last) {
      if (last <= first) return;
      const places = [place(first), place(n + first)] as const;
      kernel(8 * first * pitch, 8 * pitch, strips, last - first, ...places);
    },
  };
}

/** The function that rotates `count` pairs of rows, from the last one up. */
function emit(): Uint8Array<ArrayBuffer> {
  const builder = new ModuleBuilder({ from: "import" });
  const parameters = {
    rows: "i32",
    pitch: "i32",
    strips: "i32",
    count: "i32",
    sines: "i32",
    cosines: "i32",
  } as const;
  const run = builder.addFunction(
    parameters,
    (code, { rows, pitch, strips, count, sines, cosines }) => {
      code.for(strips, 1, (strip) => {
        const column = i32.add(rows, i32.mul(strip, 8 * STRIP));
        const to = code.let(i32.add(column, i32.mul(pitch, count)));
        const from = code.let(i32.sub(to, pitch));
        const left = code.let(i32.add(count, 0));
        const lower = Array.from({ length: STRIP / 2 }, (_, k) => code.let(v128.load(to, 16 * k)));
        const upper = code.local("v128");
        code.repeat(() => {
          code.increase(left, -1);
          const at = i32.mul(left, 8);
          const s = code.let(f64x2.loadSplat(i32.add(sines, at)));
          const c = code.let(f64x2.loadSplat(i32.add(cosines, at)));
          lower.forEach((x, k) => {
            code.set(upper, v128.load(from, 16 * k));
            const rotated = f64x2.add(f64x2.mul(s, upper), f64x2.mul(c, x));
            code.store("v128", to, rotated, 16 * k);
            code.set(x, f64x2.sub(f64x2.mul(c, upper), f64x2.mul(s, x)));
          });
          code.set(to, from);
          code.set(from, i32.sub(from, pitch));
        }, left);
        lower.forEach((x, k) => code.store("v128", to, x, 16 * k));
      });
    },
  );
  builder.exportFunction("run", run);
  return builder.encode();
}

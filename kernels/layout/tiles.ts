/**
 * Transposed matrices of 4-byte elements, four rows and columns at a time.
 *
 * @module
 */
import type { CodeBuilder, WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i8x16, v128 } from "../wasm/simd.ts";
import { i32, type Local, select, type Value } from "../wasm/value.ts";

/** Rows and columns of a tile. */
const TILE = 4;

/** Bytes of an element. */
const SIZE = 4;

/** How many rows are written at once: all that a cache line of what is read holds. */
export const TILED_ROWS = 16;

const PARAMETERS = {
  /** The first row that is written, and the bytes from one to the next. */
  to: "i32",
  pitch: "i32",
  /** The first column that is read, and the bytes from one to the next. */
  from: "i32",
  step: "i32",
  rows: "i32",
  columns: "i32",
} as const;

/** A function that writes rows that lie as columns where they are read. */
export type TransposeFunction = WasmFunction<typeof PARAMETERS, null>;

const KNOWN = new WeakMap<ModuleBuilder, TransposeFunction>();

/** The function of a module that writes the first {@linkcode TILED_ROWS} of some rows. */
export function emitTranspose(module: ModuleBuilder): TransposeFunction {
  let known = KNOWN.get(module);
  if (known === undefined) {
    known = module.addFunction(PARAMETERS, (code, { to, pitch, from, step, rows, columns }) => {
      const [target, source] = [code.local("i32"), code.local("i32")];
      const left = code.local("i32");
      code.set(rows, select(rows, i32.const(TILED_ROWS), i32.ltS(rows, TILED_ROWS)));
      const walk = (width: number) => () => {
        code.set(target, to);
        code.set(source, from);
        code.set(left, rows);
        const next = (height: number, body: () => void) => () => {
          body();
          code.set(target, i32.add(target, i32.mul(pitch, height)));
          code.increase(source, height * SIZE);
          code.increase(left, -height);
        };
        if (width === TILE) {
          code.while(
            i32.geS(left, TILE),
            next(TILE, () => emitTile(code, target, pitch, source, step)),
          );
        }
        code.while(
          i32.gtS(left, 0),
          next(1, () => {
            const at = code.let(i32.add(source, 0));
            for (let i = 0; i < width; i++) {
              code.store("i32", target, i32.load(at), i * SIZE);
              code.set(at, i32.add(at, step));
            }
          }),
        );
        code.increase(to, width * SIZE);
        code.set(from, i32.add(from, i32.mul(step, width)));
        code.increase(columns, -width);
      };
      code.while(i32.geS(columns, TILE), walk(TILE));
      code.while(i32.gtS(columns, 0), walk(1));
    });
    KNOWN.set(module, known);
  }
  return known;
}

/** Turns one tile around. */
function emitTile(
  code: CodeBuilder,
  target: Local<"i32">,
  pitch: Local<"i32">,
  source: Local<"i32">,
  step: Local<"i32">,
): void {
  const at = code.let(i32.add(source, 0));
  const rows = Array.from({ length: TILE }, () => {
    const row = code.let(v128.load(at));
    code.set(at, i32.add(at, step));
    return row;
  });
  const pick = (x: Value<"v128">, y: Value<"v128">, lanes: readonly number[]) =>
    code.let(i8x16.shuffle(x, y, lanes.flatMap((lane) => [0, 1, 2, 3].map((i) => 4 * lane + i))));
  const [a, b, c, d] = rows as [Local<"v128">, Local<"v128">, Local<"v128">, Local<"v128">];
  const [low, high, lower, higher] = [
    pick(a, b, [0, 4, 1, 5]),
    pick(a, b, [2, 6, 3, 7]),
    pick(c, d, [0, 4, 1, 5]),
    pick(c, d, [2, 6, 3, 7]),
  ] as const;
  const columns = [
    pick(low, lower, [0, 1, 4, 5]),
    pick(low, lower, [2, 3, 6, 7]),
    pick(high, higher, [0, 1, 4, 5]),
    pick(high, higher, [2, 3, 6, 7]),
  ];
  code.set(at, target);
  for (const x of columns) {
    code.store("v128", at, x);
    code.set(at, i32.add(at, pitch));
  }
}

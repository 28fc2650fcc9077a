/**
 * Transposed matrices of elements of 4 or 8 bytes, as many rows and columns at a time as fill a register.
 *
 * @module
 */
import type { CodeBuilder, WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i8x16, v128 } from "../wasm/simd.ts";
import { i32, type Local, select, type Value } from "../wasm/value.ts";

/** Bytes of elements that are turned in tiles. */
export type TiledBytes = 4 | 8;

/** Whether elements of a size are turned in tiles. */
export function isTiled(size: number): size is TiledBytes {
  return size === 4 || size === 8;
}

/** How many rows are written at once: all that a cache line of what is read holds. */
export function tiledRows(size: TiledBytes): number {
  return 64 / size;
}

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

const KNOWN = new WeakMap<ModuleBuilder, Map<TiledBytes, TransposeFunction>>();

/** The function of a module that writes the first {@linkcode tiledRows} of some rows. */
export function emitTranspose(module: ModuleBuilder, size: TiledBytes): TransposeFunction {
  const known = KNOWN.get(module) ?? new Map<TiledBytes, TransposeFunction>();
  KNOWN.set(module, known);
  const found = known.get(size) ?? writeTranspose(module, size);
  known.set(size, found);
  return found;
}

function writeTranspose(module: ModuleBuilder, size: TiledBytes): TransposeFunction {
  const tile = 16 / size;
  return module.addFunction(PARAMETERS, (code, { to, pitch, from, step, rows, columns }) => {
    const [target, source] = [code.local("i32"), code.local("i32")];
    const left = code.local("i32");
    code.set(rows, select(rows, i32.const(tiledRows(size)), i32.ltS(rows, tiledRows(size))));
    const walk = (width: number) => () => {
      code.set(target, to);
      code.set(source, from);
      code.set(left, rows);
      const next = (height: number, body: () => void) => () => {
        body();
        code.increase(target, i32.mul(pitch, height));
        code.increase(source, height * size);
        code.increase(left, -height);
      };
      if (width === tile) {
        code.while(
          i32.geS(left, tile),
          next(tile, () => emitTile(code, size, { target, pitch, source, step })),
        );
      }
      code.while(
        i32.gtS(left, 0),
        next(1, () => {
          const at = code.let(i32.add(source, 0));
          for (let i = 0; i < width; i++) {
            code.storeLane(size, target, v128.loadSplat(size, at), 0, i * size);
            code.increase(at, step);
          }
        }),
      );
      code.increase(to, width * size);
      code.increase(from, i32.mul(step, width));
      code.increase(columns, -width);
    };
    code.while(i32.geS(columns, tile), walk(tile));
    code.while(i32.gtS(columns, 0), walk(1));
  });
}

/** Turns one tile around. */
function emitTile(
  code: CodeBuilder,
  size: TiledBytes,
  { target, pitch, source, step }: Record<"target" | "pitch" | "source" | "step", Local<"i32">>,
): void {
  const at = code.let(i32.add(source, 0));
  const rows = Array.from({ length: 16 / size }, () => {
    const row = code.let(v128.load(at));
    code.increase(at, step);
    return row;
  });
  code.set(at, target);
  for (const column of size === 8 ? turnPairs(code, rows) : turnFours(code, rows)) {
    code.store("v128", at, column);
    code.increase(at, pitch);
  }
}

type V128 = Value<"v128">;

/** Elements of two registers, by number. */
function pick(code: CodeBuilder, x: V128, y: V128, lanes: readonly number[]): Local<"v128"> {
  const size = 16 / lanes.length;
  const bytes = lanes.flatMap((lane) => Array.from({ length: size }, (_, i) => size * lane + i));
  return code.let(i8x16.shuffle(x, y, bytes));
}

function turnPairs(code: CodeBuilder, rows: readonly V128[]): V128[] {
  const [a, b] = rows as [V128, V128];
  return [pick(code, a, b, [0, 2]), pick(code, a, b, [1, 3])];
}

function turnFours(code: CodeBuilder, rows: readonly V128[]): V128[] {
  const [a, b, c, d] = rows as [V128, V128, V128, V128];
  const halves = (x: V128, y: V128) =>
    [pick(code, x, y, [0, 4, 1, 5]), pick(code, x, y, [2, 6, 3, 7])] as const;
  const [upper, lower] = [halves(a, b), halves(c, d)];
  return [0, 1].flatMap((i) => [
    pick(code, upper[i]!, lower[i]!, [0, 1, 4, 5]),
    pick(code, upper[i]!, lower[i]!, [2, 3, 6, 7]),
  ]);
}

/**
 * Transposed matrices of elements of 4 or 8 bytes, as many rows and columns at a time as fill a register.
 *
 * @module
 */
import { type CodeBuilder, integers, type Parameters, type WasmFunction } from "../wasm/code.ts";
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

/** The first row that is written and the first column that is read, each with the bytes to the next. */
const PARAMETERS = integers("to", "pitch", "from", "step", "rows", "columns");

/**
 * The function of a module that writes the first {@linkcode tiledRows} of some rows, which lie as
 * columns where they are read.
 */
export function emitTranspose(
  module: ModuleBuilder,
  size: TiledBytes,
): WasmFunction<Parameters, null> {
  return module.once(`transpose ${size}`, () => writeTranspose(module, size));
}

function writeTranspose(module: ModuleBuilder, size: TiledBytes): WasmFunction<Parameters, null> {
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
  for (const column of turnTile(code, size, rows)) {
    code.store("v128", at, column);
    code.increase(at, pitch);
  }
}

type V128 = Value<"v128">;

/** The columns of two rows of two elements, or of four rows of four. */
export function turnTile(code: CodeBuilder, size: TiledBytes, rows: readonly V128[]): V128[] {
  return size === 8 ? turnHalves(code, rows) : turnFours(code, rows);
}

/** Elements of two registers, by number. */
function pick(code: CodeBuilder, x: V128, y: V128, lanes: readonly number[]): Local<"v128"> {
  const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((i) => 4 * lane + i));
  return code.let(i8x16.shuffle(x, y, bytes));
}

/** The first halves of two registers, and the second ones. */
function turnHalves(code: CodeBuilder, [x, y]: readonly V128[]): V128[] {
  return [pick(code, x!, y!, [0, 1, 4, 5]), pick(code, x!, y!, [2, 3, 6, 7])];
}

function turnFours(code: CodeBuilder, [a, b, c, d]: readonly V128[]): V128[] {
  const halves = (x: V128, y: V128) =>
    [pick(code, x, y, [0, 4, 1, 5]), pick(code, x, y, [2, 6, 3, 7])] as const;
  const [upper, lower] = [halves(a!, b!), halves(c!, d!)];
  return [0, 1].flatMap((i) => turnHalves(code, [upper[i]!, lower[i]!]));
}

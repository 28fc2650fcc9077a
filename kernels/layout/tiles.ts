/**
 * Transposed matrices of 4-byte elements, four rows and columns at a time.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { i32, type Local, type Value } from "../wasm/value.ts";
import { i8x16, v128 } from "../wasm/simd.ts";
import type { CopyDimension } from "./wasm.ts";

/** Rows and columns of a tile. */
export const TILE = 4;

/** Copies rows that lie as columns where they are read. */
export function emitTiles(
  code: CodeBuilder,
  to: Local<"i32">,
  from: Local<"i32">,
  rows: CopyDimension,
  columns: CopyDimension,
): void {
  const [wholeRows, wholeColumns] = [rows, columns].map(({ extent }) => extent - extent % TILE);
  const [target, source] = [code.let(i32.add(to, 0)), code.let(i32.add(from, 0))];
  const starts = [code.local("i32"), code.local("i32")] as const;
  const walk = (height: number, count: number, columnStep: number, body: () => void) => {
    code.for(count, height, () => {
      code.set(starts[0], target);
      code.set(starts[1], source);
      code.for(columns.extent - columns.extent % columnStep, columnStep, () => {
        body();
        code.increase(target, columnStep * columns.to);
        code.increase(source, columnStep * columns.from);
      });
      code.set(target, i32.add(starts[0], height * rows.to));
      code.set(source, i32.add(starts[1], height * rows.from));
    });
  };
  const copyOne = () => code.store("i32", target, i32.load(source));
  walk(TILE, wholeRows!, TILE, () => emitTile(code, target, source, rows.to, columns.from));
  walk(1, rows.extent - wholeRows!, 1, copyOne);
  if (wholeColumns === columns.extent) return;
  code.set(target, i32.add(to, wholeColumns! * columns.to));
  code.set(source, i32.add(from, wholeColumns! * columns.from));
  code.for(wholeRows!, 1, () => {
    for (let i = 0; i < columns.extent - wholeColumns!; i++) {
      code.store("i32", target, i32.load(i32.add(source, i * columns.from)), i * columns.to);
    }
    code.increase(target, rows.to);
    code.increase(source, rows.from);
  });
}

/** Turns one tile around: its rows lie `step` bytes apart in memory where it is read. */
function emitTile(
  code: CodeBuilder,
  target: Local<"i32">,
  source: Local<"i32">,
  targetStep: number,
  step: number,
): void {
  const rows = [0, 1, 2, 3].map((i) => code.let(v128.load(i32.add(source, i * step))));
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
  columns.forEach((x, i) => code.store("v128", i32.add(target, i * targetStep), x));
}

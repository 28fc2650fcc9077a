/**
 * Products of sparse matrices with dense ones as WebAssembly: the entries are put in the order of
 * their rows, then each row's sums stay in registers. Positions must be checked before: they become
 * addresses.
 *
 * @module
 */
import { BYTES } from "../../src/dtype.ts";
import type { CodeBuilder, WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f32x4, f64x2, v128 } from "../wasm/simd.ts";
import { f32, f64, i32, type Local } from "../wasm/value.ts";

/** A sparse matrix of some rows and entries, and the dense one. */
export interface SparseProduct {
  /** The type of the values, the dense matrix and the sums. */
  readonly dtype: "float32" | "float64";
  /** Rows of the sparse matrix. */
  readonly count: number;
  /** How many entries it has. */
  readonly entries: number;
  /** Columns of the dense one. */
  readonly inner: number;
}

/** Addresses, and the columns of the dense matrix from the first to before the last. */
export const SPARSE_PARAMETERS = {
  out: "i32",
  values: "i32",
  rows: "i32",
  columns: "i32",
  table: "i32",
  scratch: "i32",
  first: "i32",
  last: "i32",
} as const;

/** A function that multiplies. */
export type SparseFunction = WasmFunction<typeof SPARSE_PARAMETERS, null>;

/** Columns that are computed at once. */
export const STRIP = { float32: 32, float64: 16 } as const;

type Places = Record<keyof typeof SPARSE_PARAMETERS, Local<"i32">>;

/** Scratch memory: where each row's entries end, and in their order what they read and their values. */
function layoutOf({ dtype, count, entries }: SparseProduct) {
  const wide = (bytes: number) => Math.ceil(bytes / 8) * 8;
  const sources = wide(4 * count);
  const values = sources + wide(4 * entries);
  return { sources, values, bytes: values + BYTES[dtype] * entries };
}

/** Bytes of scratch memory. */
export function sparseScratchBytes(product: SparseProduct): number {
  return layoutOf(product).bytes;
}

/** Adds a function to a module that multiplies. */
export function emitSparseProduct(module: ModuleBuilder, product: SparseProduct): SparseFunction {
  const { dtype } = product;
  const lanes = 16 / BYTES[dtype];
  return module.addFunction(SPARSE_PARAMETERS, (code, at) => {
    emitOrder(code, product, at);
    for (const width of [STRIP[dtype], lanes, 1]) {
      code.while(i32.leS(i32.add(at.first, width), at.last), () => {
        emitStrip(code, product, at, width);
        code.increase(at.first, width);
      });
    }
  });
}

/** Puts the entries in the order of their rows by counting. */
function emitOrder(code: CodeBuilder, product: SparseProduct, at: Places): void {
  const { dtype, count, entries, inner } = product;
  const { sources, values } = layoutOf(product);
  const bytes = BYTES[dtype];
  const { scratch } = at;
  const place = code.local("i32");
  const rowOf = (entry: Local<"i32">) =>
    i32.add(scratch, i32.shl(i32.load(i32.add(at.rows, i32.shl(entry, 2))), 2));
  code.clear(scratch, 4 * count);
  code.for(entries, 1, (entry) => {
    code.set(place, rowOf(entry));
    code.store("i32", place, i32.add(i32.load(place), 1));
  });
  const [start, total] = [code.let(i32.const(0)), code.local("i32")];
  code.for(count, 1, (row) => {
    code.set(place, i32.add(scratch, i32.shl(row, 2)));
    code.set(total, i32.add(start, i32.load(place)));
    code.store("i32", place, start);
    code.set(start, total);
  });
  const next = code.local("i32");
  code.for(entries, 1, (entry) => {
    code.set(place, rowOf(entry));
    code.set(next, i32.load(place));
    code.store("i32", place, i32.add(next, 1));
    const column = i32.load(i32.add(at.columns, i32.shl(entry, 2)));
    const source = i32.add(at.table, i32.mul(column, inner * bytes));
    code.store("i32", i32.add(scratch, i32.shl(next, 2)), source, sources);
    const [from, to] = [at.values, scratch].map((start, i) =>
      i32.add(start, i32.mul(i === 0 ? entry : next, bytes))
    );
    if (dtype === "float32") code.store("f32", to!, f32.load(from!), values);
    else code.store("f64", to!, f64.load(from!), values);
  });
}

/** The sums of some columns, row by row. */
function emitStrip(code: CodeBuilder, product: SparseProduct, at: Places, width: number): void {
  const { dtype, count, inner } = product;
  const { sources, values } = layoutOf(product);
  const bytes = BYTES[dtype] as 4 | 8;
  const { add, mul, loadSplat } = dtype === "float32" ? f32x4 : f64x2;
  const ahead = code.let(i32.mul(at.first, bytes));
  const out = code.let(i32.add(at.out, ahead));
  const [entry, value] = [code.let(i32.add(at.scratch, 0)), code.let(i32.add(at.scratch, 0))];
  const [end, source] = [code.local("i32"), code.local("i32")];
  const factor = code.local("v128");
  const sums = Array.from({ length: Math.ceil(width * bytes / 16) }, () => code.local("v128"));
  const single = bytes === 4 ? v128.load32Zero : v128.load64Zero;
  code.for(count, 1, (row) => {
    code.set(end, i32.load(i32.add(at.scratch, i32.shl(row, 2))));
    code.set(end, i32.add(at.scratch, i32.shl(end, 2)));
    for (const sum of sums) code.set(sum, f32x4.splat(f32.const(0)));
    code.while(i32.ltS(entry, end), () => {
      code.set(source, i32.add(i32.load(entry, sources), ahead));
      code.set(factor, loadSplat(value, values));
      sums.forEach((sum, i) => {
        const read = width === 1 ? single(source) : v128.load(source, 16 * i);
        code.set(sum, add(sum, mul(factor, read)));
      });
      code.increase(entry, 4);
      code.increase(value, bytes);
    });
    sums.forEach((sum, i) => {
      if (width === 1) code.storeLane(bytes, out, sum, 0);
      else code.store("v128", out, sum, 16 * i);
    });
    code.increase(out, inner * bytes);
  });
}

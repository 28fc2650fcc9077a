/**
 * Inner products in WebAssembly SIMD: products of matrices, and squared distances.
 *
 * float64 sums are those of the reference, bit for bit. float32 sums run in float32, in stretches of
 * 256 products that are then added up: they deviate from the exact sum by at most
 * `(min(k, 256) + ⌈k / 256⌉ + 1) · 2⁻²⁴ · Σ |a| |b|`. The same machine gives the same bits each time;
 * another may give others within that bound, as some round a product before they add it and some
 * do not. Of distances the size takes the place of `Σ |a| |b|`, and 2 more roundings of it; equal rows
 * are at distance 0, and exchanging the matrices transposes the result, bit for bit.
 *
 * @module
 */
import type { Precision } from "../functions/algebra.ts";
import type { FloatArray } from "../../src/dtype.ts";
import {
  type BlockShape,
  blockShape,
  emitKernel,
  type KernelOptions,
  tileRowsFor,
  UNROLL,
} from "./emit.ts";
import { copyView } from "../layout/reference.ts";
import { type InnerProducts, type MatrixView, partOf, type Term, turned } from "./reference.ts";
import { hasRelaxedSimd } from "../wasm/features.ts";
import { instantiate, reserve, scratchMemory } from "../wasm/module.ts";

/** Where a matrix lies in linear memory. */
export interface MatrixPointer {
  /** The address of the first value, in bytes. */
  at: number;
  /** Elements from a row to the next. */
  rowStride: number;
  /** Elements from a column to the next. */
  columnStride: number;
}

/**
 * The kernel for a type and `m` rows. Only float32 kernels multiply and add at once, where the engine
 * can: in float64, the order and the rounding of the reference are worth more than the third of the
 * time.
 */
export function kernelOptions(
  term: Term,
  dtype: Precision,
  m: number,
  relaxed: boolean = hasRelaxedSimd(),
): KernelOptions {
  const how = { term, relaxed: relaxed && dtype === "float32" };
  return { ...how, dtype, tileRows: tileRowsFor(m, how) };
}

/** A kernel on one linear memory: `out[i, j] = Σ_k term(a[i, k], b[k, j])`. */
export class InnerProduct {
  readonly #run: (...numbers: number[]) => void;
  readonly #shape: BlockShape;

  constructor(memory: WebAssembly.Memory, options: KernelOptions) {
    const module = new WebAssembly.Module(emitKernel(options));
    this.#run = instantiate(module, memory).run!;
    this.#shape = blockShape(options);
  }

  /** Bytes of scratch memory that sums of `k` terms with `n` columns need: 2.3 MB at most. */
  scratchBytes(k: number, n: number): number {
    const { bytes, tileRows, tileColumns, rows, columns } = this.#shape;
    const depth = Math.ceil(Math.min(k, this.#shape.depth) / UNROLL) * UNROLL;
    const width = Math.ceil(Math.min(n, columns) / tileColumns) * tileColumns;
    return (tileRows * tileColumns + (rows + width) * depth) * bytes;
  }

  /**
   * Writes (m, n) sums of `k` terms to `out`, row-major, or adds them to it. `out` and the scratch
   * memory overlap neither each other nor the operands. Rows computed apart from others have the
   * same bits, and so have depths computed one after the other in multiples of 256. `symmetric`,
   * where `b` is `a` with its axes exchanged, computes half of the sums and copies them: the same
   * bits.
   */
  run(
    out: Omit<MatrixPointer, "columnStride">,
    a: MatrixPointer,
    b: MatrixPointer,
    m: number,
    k: number,
    n: number,
    scratch: number,
    { add = false, symmetric = false }: { add?: boolean; symmetric?: boolean } = {},
  ): void {
    this.#run(
      ...[out.at, out.rowStride, a.at, a.rowStride, a.columnStride],
      ...[b.at, b.rowStride, b.columnStride, m, k, n, scratch],
      ...[Number(add), Number(symmetric), 1, 0, 0, 0],
    );
  }
}

/** Depth of the blocks, and their rows and columns: more of a matrix times itself, for half the work. */
const DEPTH = 1024;
const EXTENT = { any: 1024, symmetric: 2048 } as const;

/** Bytes of a line of the processor's caches. */
const LINE = 64;

const kernels = new Map<string, InnerProduct>();

/** The kernel on the memory that all calls share, made on first use. */
function sharedKernel(options: KernelOptions): InnerProduct {
  const key = JSON.stringify(options);
  const kernel = kernels.get(key) ?? new InnerProduct(scratchMemory(), options);
  kernels.set(key, kernel);
  return kernel;
}

/**
 * Sums of terms of one kind. Needs SIMD (`hasSimd()`). Linear memory for copies is kept for the next
 * call: however large the matrices, 15 MB, 28 MB for float64; 36 and 69 MB for one times itself.
 */
export function innerProductsWasm(term: Term, relaxed?: boolean): InnerProducts {
  const compute: InnerProducts = (out, at, a, b, m, k, n) => {
    // Columns as rows, which take fewer sums that nobody needs.
    if (n === 1 && m > 1) return compute(out, at, turned(b), turned(a), n, k, m);
    const isSingle = [out, a.data, b.data].every((x) => x instanceof Float32Array);
    const options = kernelOptions(term, isSingle ? "float32" : "float64", m, relaxed);
    const kernel = sharedKernel(options);
    const bytes = isSingle ? 4 : 8;
    const itself = isTranspose(a, b) && m === n;
    const extent = EXTENT[itself ? "symmetric" : "any"];
    const [height, width, length] = [Math.min(m, extent), Math.min(n, extent), Math.min(k, DEPTH)];
    const atA = height * width * bytes;
    const atB = atA + stagedBytes(height, length, bytes);
    const scratch = atB + stagedBytes(length, width, bytes);
    const memory = scratchMemory();
    reserve(memory, scratch + kernel.scratchBytes(k, n));
    const values = bytes === 4 ? new Float32Array(memory.buffer) : new Float64Array(memory.buffer);
    for (let i = 0; i < m; i += extent) {
      const rows = Math.min(extent, m - i);
      for (let j = 0; j < n; j += extent) {
        const columns = Math.min(extent, n - j);
        // Once even for k = 0, so that the sums of nothing are written.
        for (let p = 0; p === 0 || p < k; p += DEPTH) {
          const depth = Math.min(DEPTH, k - p);
          const left = stage(values, atA, partOf(a, i, p), rows, depth);
          const right = stage(values, atB, partOf(b, p, j), depth, columns);
          const output = { at: 0, rowStride: columns };
          const symmetric = itself && i === j;
          kernel.run(output, left, right, rows, depth, columns, scratch, { add: p > 0, symmetric });
        }
        const target = { data: out, offset: at + i * n + j, rowStride: n, columnStride: 1 };
        const sums = { data: values, offset: 0, rowStride: columns, columnStride: 1 };
        copyBlock(target, sums, rows, columns);
      }
    }
  };
  return compute;
}

/** Whether a matrix is another one with its axes exchanged. */
function isTranspose(a: MatrixView, b: MatrixView): boolean {
  return a.data === b.data && a.offset === b.offset && a.rowStride === b.columnStride &&
    a.columnStride === b.rowStride;
}

/**
 * Elements from a row to the next in linear memory: rows that lie a multiple of a large power of two
 * apart would evict each other from the caches, so they are moved a line further.
 */
function stagedStride(columns: number, bytes: number): number {
  return columns * bytes % 512 === 0 ? columns + LINE / bytes : columns;
}

/** Bytes that a block of a matrix takes, whichever of its axes is the inner one. */
function stagedBytes(rows: number, columns: number, bytes: number): number {
  return bytes *
    Math.max(rows * stagedStride(columns, bytes), columns * stagedStride(rows, bytes));
}

/** Copies a block to an address of linear memory. */
function stage(
  values: FloatArray,
  address: number,
  matrix: MatrixView,
  rows: number,
  columns: number,
): MatrixPointer {
  if (matrix.rowStride === 1 && matrix.columnStride !== 1) {
    return turned(stage(values, address, turned(matrix), columns, rows));
  }
  const bytes = values.BYTES_PER_ELEMENT;
  const rowStride = stagedStride(columns, bytes);
  const place = { data: values, offset: address / bytes, rowStride, columnStride: 1 };
  copyBlock(place, matrix, rows, columns);
  return { at: address, rowStride, columnStride: 1 };
}

/** Copies a block of a matrix, all at once where there is nothing between its rows. */
function copyBlock(to: MatrixView, from: MatrixView, rows: number, columns: number): void {
  if (to.columnStride !== 1 || from.columnStride !== 1) {
    const viewOf = ({ data, offset, rowStride, columnStride }: MatrixView) => (
      { data, offset, strides: [rowStride, columnStride] }
    );
    return copyView(viewOf(to), viewOf(from), [rows, columns]);
  }
  const isDense = to.rowStride === columns && from.rowStride === columns;
  const [count, length] = isDense ? [1, rows * columns] : [rows, columns];
  for (let i = 0; i < count; i++) {
    const start = from.offset + i * from.rowStride;
    to.data.set(from.data.subarray(start, start + length), to.offset + i * to.rowStride);
  }
}

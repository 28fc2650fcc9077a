/**
 * The blocked inner product on matrices in linear memory.
 *
 * @module
 */
import { hasRelaxedSimd } from "../wasm/features.ts";
import {
  type BlockShape,
  blockShape,
  emitKernel,
  type FloatType,
  type KernelOptions,
  scratchBytes,
  type Term,
} from "./emit.ts";

/** Where a matrix lies in linear memory. */
export interface MatrixPointer {
  /** The address of the first value, in bytes. */
  at: number;
  /** Elements from a row to the next. */
  rowStride: number;
  /** Elements from a column to the next. */
  columnStride: number;
}

/** Where results go in linear memory: the values of a row are neighbours. */
export type OutputPointer = Omit<MatrixPointer, "columnStride">;

/**
 * The kernel for a type. Only float32 kernels multiply and add at once, where the engine can: in
 * float64, the order and the rounding of the reference are worth more than the third of the time.
 */
export function kernelOptions(
  term: Term,
  dtype: FloatType,
  relaxed: boolean = hasRelaxedSimd(),
): KernelOptions {
  return { term, dtype, relaxed: relaxed && dtype === "float32" };
}

/** A kernel on one linear memory: `out[i, j] = Σ_k term(a[i, k], b[k, j])`. */
export class InnerProduct {
  readonly #run: (...numbers: number[]) => void;
  readonly #shape: BlockShape;

  constructor(memory: WebAssembly.Memory, options: KernelOptions) {
    const module = new WebAssembly.Module(emitKernel(options));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.#run = exports.run as (...numbers: number[]) => void;
    this.#shape = blockShape(options);
  }

  /** Bytes of scratch memory that sums of `k` terms with `n` columns need: 2.3 MB at most. */
  scratchBytes(k: number, n: number): number {
    return scratchBytes(this.#shape, k, n);
  }

  /**
   * Writes (m, n) sums of `k` terms to `out`, or adds them to it. `out` and the scratch memory
   * overlap neither each other nor the operands. Rows computed apart from others have the same
   * bits, and so have depths computed one after the other in multiples of 256.
   */
  run(
    out: OutputPointer,
    a: MatrixPointer,
    b: MatrixPointer,
    m: number,
    k: number,
    n: number,
    scratch: number,
    add = false,
  ): void {
    this.#run(
      out.at,
      out.rowStride,
      a.at,
      a.rowStride,
      a.columnStride,
      b.at,
      b.rowStride,
      b.columnStride,
      m,
      k,
      n,
      scratch,
      add ? 1 : 0,
    );
  }
}

/**
 * A symmetric matrix that many directions are multiplied by.
 *
 * @module
 */
import { matmul } from "../../kernels/matmul/eager.ts";
import { InnerProduct, kernelOptions } from "../../kernels/matmul/wasm.ts";
import { hasSimd } from "../../kernels/wasm/features.ts";
import { type Symmetric, view } from "./centred.ts";

/** Bytes of a page of linear memory. */
const PAGE = 2 ** 16;

/** A kernel on a memory of its own, and where directions, their images and its copies lie. */
interface Product {
  memory: WebAssembly.Memory;
  kernel: InnerProduct;
  directions: number;
  images: number;
  scratch: number;
}

/** A symmetric matrix in the memory of the kernel that multiplies by it: it is never copied there. */
export class Formed implements Symmetric {
  /** Its extent. */
  readonly columns: number;
  /** Its values, to be written before directions are multiplied by it. */
  readonly values: Float64Array;
  readonly #product: Product | undefined;
  readonly #most: number;

  /** A matrix of zeros; `most` directions are multiplied at a time. */
  constructor(columns: number, most: number) {
    this.columns = columns;
    this.#most = most;
    this.#product = hasSimd() ? productOn(columns, most) : undefined;
    this.values = this.#product === undefined
      ? new Float64Array(columns * columns)
      : new Float64Array(this.#product.memory.buffer, 0, columns * columns);
  }

  scatter(directions: Float64Array, count: number): Float64Array {
    const p = this.columns;
    const out = new Float64Array(count * p);
    if (this.#product === undefined) {
      matmul(out, 0, view(directions, p, 1), view(this.values, p, 1), count, p, p);
      return out;
    }
    for (let start = 0; start < count; start += this.#most) {
      const rows = Math.min(this.#most, count - start);
      const part = directions.subarray(start * p, (start + rows) * p);
      out.set(multiply(this.#product, part, rows, p), start * p);
    }
    return out;
  }
}

function productOn(columns: number, most: number): Product {
  const directions = 8 * columns * columns;
  const images = directions + 8 * columns * most;
  const scratch = images + 8 * columns * most;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(scratch / PAGE) });
  const kernel = new InnerProduct(memory, kernelOptions("product", "float64", most));
  memory.grow(Math.ceil(kernel.scratchBytes(columns, columns) / PAGE));
  return { memory, kernel, directions, images, scratch };
}

/** The images of rows, which the next call overwrites. */
function multiply(product: Product, rows: Float64Array, count: number, p: number): Float64Array {
  const { memory, kernel, directions, images, scratch } = product;
  new Float64Array(memory.buffer, directions, count * p).set(rows);
  const left = { at: directions, rowStride: p, columnStride: 1 };
  const matrix = { at: 0, rowStride: p, columnStride: 1 };
  kernel.run({ at: images, rowStride: p }, left, matrix, count, p, p, scratch);
  return new Float64Array(memory.buffer, images, count * p);
}

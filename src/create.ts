/**
 * Tensors from scratch: constants, ranges, the identity.
 *
 * @module
 */
import { allocate, checkDType, type DType } from "./dtype.ts";
import { checkShape, type Shape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Options of the functions that make tensors from scratch. */
export interface CreateOptions {
  /** The element type; `float32` by default. */
  dtype?: DType | undefined;
}

/**
 * A tensor filled with one value.
 *
 * @param shape The extents.
 * @param value The value everywhere.
 * @param options `dtype`, `float32` by default.
 * @returns The tensor.
 *
 * @example A tensor of sevens
 * ```ts
 * import { full } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(full([2, 2], 7).toArray(), [[7, 7], [7, 7]]);
 * ```
 */
export function full(
  shape: Shape,
  value: number | boolean,
  options: CreateOptions = {},
): Tensor {
  const dtype = options.dtype ?? (typeof value === "boolean" ? "bool" : "float32");
  checkShape("full", shape);
  checkDType("full", dtype);
  const data = allocate(dtype, sizeOf(shape)).fill(Number(value));
  if (dtype === "int32" || dtype === "bool") {
    if (data.length > 0 && data[0] !== Number(value)) {
      throw new RangeError(`Cannot compute full as ${dtype} cannot hold the value ${value}`);
    }
  }
  return new Tensor([...shape], dtype, data);
}

/**
 * A tensor of zeros.
 *
 * @param shape The extents.
 * @param options `dtype`, `float32` by default.
 * @returns The tensor.
 *
 * @example Three zeros
 * ```ts
 * import { zeros } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(zeros([3]).toArray(), [0, 0, 0]);
 * ```
 */
export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 0, options);
}

/**
 * A tensor of ones.
 *
 * @param shape The extents.
 * @param options `dtype`, `float32` by default.
 * @returns The tensor.
 *
 * @example Three ones
 * ```ts
 * import { ones } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(ones([3], { dtype: "int32" }).toArray(), [1, 1, 1]);
 * ```
 */
export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 1, options);
}

/**
 * The identity matrix.
 *
 * @param n Rows and columns.
 * @param options `dtype`, `float32` by default.
 * @returns The (n, n) tensor.
 *
 * @example Two by two
 * ```ts
 * import { eye } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(eye(2).toArray(), [[1, 0], [0, 1]]);
 * ```
 */
export function eye(n: number, options: CreateOptions = {}): Tensor {
  const dtype = options.dtype ?? "float32";
  checkShape("eye", [n]);
  checkDType("eye", dtype);
  const data = allocate(dtype, n * n);
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return new Tensor([n, n], dtype, data);
}

/**
 * The numbers 0, 1, … n − 1.
 *
 * @param n How many.
 * @param options `dtype`, `float32` by default.
 * @returns The (n) tensor.
 *
 * @example Row numbers
 * ```ts
 * import { arange } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(arange(3, { dtype: "int32" }).toArray(), [0, 1, 2]);
 * ```
 */
export function arange(n: number, options: CreateOptions = {}): Tensor {
  const dtype = options.dtype ?? "float32";
  checkShape("arange", [n]);
  checkDType("arange", dtype);
  const data = allocate(dtype, n);
  for (let i = 0; i < n; i++) data[i] = i;
  return new Tensor([n], dtype, data);
}

/**
 * Tensors from scratch: constants, ranges, the identity.
 *
 * @module
 */
import { describe } from "./describe.ts";
import { allocate, type DType } from "./dtype.ts";
import { checkDTypeOption, checkNumber, checkOptions, type Checks } from "./options.ts";
import { checkExtent, checkShape, checkSize, type Shape, sizeOf } from "./shape.ts";
import { convertData } from "./intake.ts";
import { Tensor } from "./tensor.ts";

/** Options of the functions that make tensors from scratch. */
export interface CreateOptions {
  /** The element type; `float32` by default. */
  dtype?: DType | undefined;
}

const CREATE: Checks<CreateOptions> = { dtype: checkDTypeOption };

/**
 * A tensor filled with one value.
 *
 * @param shape The extents.
 * @param value The value everywhere.
 * @param options `dtype`; by default `float32`, or `bool` for a boolean.
 * @returns The tensor.
 * @throws {TypeError} If the shape is none.
 * @throws {RangeError} If `dtype` cannot hold the value.
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
  if (arguments.length > 2) checkOptions("full", CREATE, 2, arguments);
  return filled("full", shape, value, options);
}

function filled(
  caller: string,
  shape: Shape,
  value: number | boolean,
  options: CreateOptions,
): Tensor {
  const dtype = options.dtype ?? (typeof value === "boolean" ? "bool" : "float32");
  checkShape(caller, shape);
  checkSize(caller, shape, dtype);
  if (typeof value !== "number" && typeof value !== "boolean") {
    throw new TypeError(
      `Cannot compute ${caller} as value must be a number or boolean: ` +
        `current value is ${describe(value)}`,
    );
  }
  const [entry] = convertData(caller, [Number(value)], "float64", dtype);
  return new Tensor([...shape], dtype, allocate(dtype, sizeOf(shape)).fill(entry!));
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
  if (arguments.length > 1) checkOptions("zeros", CREATE, 1, arguments);
  return filled("zeros", shape, 0, options);
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
  if (arguments.length > 1) checkOptions("ones", CREATE, 1, arguments);
  return filled("ones", shape, 1, options);
}

/**
 * The identity matrix.
 *
 * @param n Rows and columns.
 * @param options `dtype`, `float32` by default.
 * @returns The (n, n) tensor.
 * @throws {TypeError} If `n` is no extent.
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
  if (arguments.length > 1) checkOptions("eye", CREATE, 1, arguments);
  const dtype = options.dtype ?? "float32";
  checkExtent("eye", "n", n);
  checkSize("eye", [n, n], dtype);
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
 * @throws {TypeError} If `n` is no extent.
 * @throws {RangeError} If `dtype` cannot hold a number.
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
  if (arguments.length > 1) checkOptions("arange", CREATE, 1, arguments);
  const dtype = options.dtype ?? "float32";
  checkExtent("arange", "n", n);
  checkSize("arange", [n], "float64");
  const numbers = allocate("float64", n);
  for (let i = 0; i < n; i++) numbers[i] = i;
  return new Tensor([n], dtype, convertData("arange", numbers, "float64", dtype));
}

/**
 * Numbers at equal distances, both ends among them.
 *
 * @param start The first number.
 * @param stop The last number.
 * @param n How many; of one, it is the first.
 * @param options `dtype`, `float32` by default.
 * @returns The (n) tensor.
 * @throws {TypeError} If an end is no finite number, or `n` is no extent.
 * @throws {RangeError} If `dtype` cannot hold a number.
 *
 * @example Five points on the unit interval
 * ```ts
 * import { linspace } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linspace(0, 1, 5).toArray(), [0, 0.25, 0.5, 0.75, 1]);
 * ```
 */
export function linspace(
  start: number,
  stop: number,
  n: number,
  options: CreateOptions = {},
): Tensor {
  if (arguments.length > 3) checkOptions("linspace", CREATE, 3, arguments);
  checkNumber("linspace", "start", start);
  checkNumber("linspace", "stop", stop);
  const dtype = options.dtype ?? "float32";
  checkExtent("linspace", "n", n);
  checkSize("linspace", [n], "float64");
  const numbers = allocate("float64", n);
  const last = Math.max(1, n - 1);
  // Each end is exact, and none of the products overflows.
  for (let i = 0; i < n; i++) numbers[i] = start * (1 - i / last) + stop * (i / last);
  return new Tensor([n], dtype, convertData("linspace", numbers, "float64", dtype));
}

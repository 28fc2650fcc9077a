/**
 * Tensors: immutable, contiguous, row-major arrays of numbers.
 *
 * @module
 */
import {
  allocate,
  type DType,
  dtypeOf,
  isFloating,
  promoteTypes,
  type TypedArray,
} from "./dtype.ts";
import type { UsingDisposable } from "./disposal.ts";
import { BRAND, COPY } from "./describe.ts";
import { formatTensor, jsonValues, MOST_JSON_VALUES, type TensorJson } from "./display.ts";
import { Fluent } from "./fluent.ts";
import { convertData, flatten, fromTyped, type Origin } from "./intake.ts";
import {
  checkDTypeOption,
  checkOptions,
  type Checks,
  checkShapeOption,
  refuseMore,
} from "./options.ts";
import { checkSize, formatShape, MAX_RANK, type Shape, sizeOf } from "./shape.ts";

/** Numbers or booleans in arrays of arrays of equal lengths. */
export type NestedArray = number | boolean | readonly NestedArray[];

/**
 * The values of a tensor as nested arrays, as deep as its rank, which is not in the type: to be read
 * as a number where the rank is 0, else to be indexed and walked over.
 */
// deno-lint-ignore no-explicit-any
export type NestedValues = number & NestedValues[] & any[] & NestedBooleans[];

/** The values of a `bool` tensor as nested arrays, to be read as {@linkcode NestedValues} are. */
export type NestedBooleans = boolean & NestedBooleans[];

/** What is accepted wherever a tensor is expected. */
export type TensorLike = Tensor | TypedArray | NestedArray;

/** Where the values of a tensor are found when they are not at hand: on a tape, or on a device. */
export interface Source {
  /** The values, at once; throws where they cannot be had at once. */
  data(): TypedArray;
  /** The values, when they have arrived. */
  read(): Promise<TypedArray>;
  /** Frees the memory of the values, where it is not the garbage collector's. */
  dispose?(): void;
}

/** The transform that watches a tensor; higher levels are nested deeper. */
export interface TraceLevel {
  /** Grows with nesting: the highest level among its inputs handles an operation first. */
  readonly level: number;
}

/**
 * An immutable array of numbers with a shape. Made by {@linkcode tensor} and its siblings, and by
 * operations; every operation is both a function and a method.
 *
 * @example A tensor and its values
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals(x.shape, [2, 2]);
 * assertEquals(x.mul(2).sum({ axis: 0 }).toArray(), [8, 12]);
 * ```
 */
export class Tensor extends Fluent {
  /** The extents, outermost first. */
  readonly shape: Shape;
  /** The element type. */
  readonly dtype: DType;
  /** How many values there are. */
  readonly size: number;
  /**
   * The values, or where to find them; use {@linkcode Tensor.data}.
   *
   * @ignore
   */
  readonly source: TypedArray | Source;
  /**
   * The transform that watches this tensor, `null` outside of transforms.
   *
   * @ignore
   */
  readonly trace: TraceLevel | null;

  /**
   * Use {@linkcode tensor}, which checks and copies.
   *
   * @ignore
   */
  constructor(
    shape: Shape,
    dtype: DType,
    source: TypedArray | Source,
    trace: TraceLevel | null = null,
  ) {
    super();
    this.shape = shape;
    this.dtype = dtype;
    this.size = sizeOf(shape);
    this.source = source;
    this.trace = trace;
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /**
   * The values in row-major order. The array is the tensor's own, shared with others of the same
   * values: read it, and copy it before changing anything.
   */
  get data(): TypedArray {
    const values = this.#values;
    if (values.byteLength >= LARGE_BYTES) HANDED_OUT.add(values.buffer);
    return values;
  }

  get #values(): TypedArray {
    return ArrayBuffer.isView(this.source) ? this.source : this.source.data();
  }

  /**
   * The only value, as a number (booleans: 0 and 1).
   *
   * @throws {TypeError} If the tensor holds more or fewer than one value.
   */
  item(): number {
    if (arguments.length > 0) refuseMore("item", "the tensor", 0, arguments);
    if (this.size !== 1) {
      throw new TypeError(
        `Cannot compute item as the tensor must hold exactly one value: ` +
          `current shape is ${formatShape(this.shape)}`,
      );
    }
    return this.#values[0]!;
  }

  /** The values as nested arrays; a number where the rank is 0; booleans for `bool`. */
  toArray<T extends NestedArray = NestedValues>(): T {
    if (arguments.length > 0) refuseMore("toArray", "the tensor", 0, arguments);
    const data = this.#values;
    let at = 0;
    const build = (axis: number): NestedArray => {
      if (axis === this.rank) return this.dtype === "bool" ? data[at++] !== 0 : data[at++]!;
      return Array.from({ length: this.shape[axis]! }, () => build(axis + 1));
    };
    return build(0) as T;
  }

  /**
   * What `JSON.stringify` writes: shape, type, and the values in row-major order, where there are at
   * most 1000 of them and they are at hand, neither on a device nor recorded. Booleans are `true` and `false`; numbers that
   * JSON does not have are text, `"NaN"`, `"Infinity"`, `"-Infinity"` and `"-0"`, which `Number`
   * reads.
   */
  toJSON(): TensorJson {
    const { shape, dtype, size } = this;
    const data = size > MOST_JSON_VALUES ? undefined : this.#dataAtHand;
    return data === undefined
      ? { shape, dtype }
      : { shape, dtype, values: jsonValues(data, dtype) };
  }

  /** A copy of the values in row-major order, wherever they live. */
  async read(): Promise<TypedArray> {
    return ArrayBuffer.isView(this.source) ? this.source.slice() : await this.source.read();
  }

  /**
   * Frees the memory of a tensor on a device before the garbage collector does; reading it throws
   * from then on. Tensors on the host stay as they are. `using` does the same at the end of a block.
   */
  dispose(): void {
    if (!ArrayBuffer.isView(this.source)) this.source.dispose?.();
  }

  /**
   * Kind, shape and leading values, as consoles show them; no values where they are on a device, or
   * not there yet as a program, a loop or `vmap` is recorded.
   */
  override toString(): string {
    const data = this.#dataAtHand;
    if (data !== undefined) return formatTensor(data, this.shape, this.dtype);
    const where = this.#isOnDevice ? "on a device" : "whose values are not there yet";
    return `Tensor ${this.dtype} ${formatShape(this.shape)} ${where}`;
  }

  /** The values; `undefined` where they are on a device, or recorded. */
  get #dataAtHand(): TypedArray | undefined {
    if (this.#isOnDevice) return undefined;
    try {
      return this.#values;
    } catch {
      return undefined;
    }
  }

  get #isOnDevice(): boolean {
    return !ArrayBuffer.isView(this.source) && this.source.dispose !== undefined;
  }

  // What `using` calls, and what the consoles of Deno and Node and a Jupyter notebook show.
  static {
    Object.defineProperty(this.prototype, Symbol.dispose, { value: this.prototype.dispose });
    const show = (name: string, value: (this: Tensor) => unknown) =>
      Object.defineProperty(this.prototype, Symbol.for(name), { value });
    show("Deno.customInspect", function () {
      return this.toString();
    });
    show("nodejs.util.inspect.custom", function () {
      return this.toString();
    });
    show("Jupyter.display", function () {
      return { "text/plain": this.toString() };
    });
    Object.defineProperty(this.prototype, BRAND, { value: COPY });
  }
}

/** A tensor is freed at the end of the block that declares it by `using`. */
export interface Tensor extends UsingDisposable {}

/** Options of {@linkcode tensor}. */
export interface TensorOptions {
  /** The extents; by default those of the nested arrays, or one axis for a typed array. */
  shape?: Shape | undefined;
  /** The element type; by default `float32` for plain numbers, else that of the data. */
  dtype?: DType | undefined;
}

const TENSOR: Checks<TensorOptions> = { shape: checkShapeOption, dtype: checkDTypeOption };

/** From so many bytes on it is known whether somebody may write to the values of a tensor. */
export const LARGE_BYTES = 16_384;

/** What large tensors have handed out as their data, whichever of those that share it. */
const HANDED_OUT = new WeakSet<ArrayBufferLike>();

/** Whether nobody but the library has the values of a large tensor. Internal. */
export function isUntouched({ source }: Tensor): boolean {
  return ArrayBuffer.isView(source) && !HANDED_OUT.has(source.buffer);
}

/** Wraps an array that nobody else will change: no copy. Internal. */
export function fromData(
  data: TypedArray,
  shape: Shape = [data.length],
  dtype: DType = dtypeOf(data)!,
): Tensor {
  return new Tensor(shape, dtype, data);
}

/** Whether the values are plain numbers, which take the type of what they meet. */
export function isWeak(data: unknown): data is NestedArray {
  return typeof data === "number" || typeof data === "boolean" || Array.isArray(data);
}

/**
 * Makes a tensor of numbers, nested arrays or a typed array, which is copied.
 *
 * Plain numbers become `float32`, booleans `bool`; `Float64Array`, `Float32Array`, `Int32Array` and
 * `Uint8Array` become `float64`, `float32`, `int32` and `bool`. A tensor stays as it is, and under
 * differentiation.
 *
 * @param data The values.
 * @param options `shape`, where it is not that of the data, and `dtype`.
 * @returns The tensor.
 * @throws {TypeError} If the arrays are ragged, hold something else than numbers or booleans, or
 * do not fill the shape.
 * @throws {RangeError} If `dtype` cannot hold a value, or the tensor would take more than 4 GiB, as
 * no tensor does.
 *
 * @example Three ways to the same numbers
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tensor([[1, 2], [3, 4]]).dtype, "float32");
 * assertEquals(tensor(new Float64Array([1, 2, 3, 4]), { shape: [2, 2] }).dtype, "float64");
 * assertEquals(tensor([0, 2, 1], { dtype: "int32" }).toArray(), [0, 2, 1]);
 * ```
 */
export function tensor(data: TensorLike, options: TensorOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("tensor", TENSOR, 1, arguments);
  if (data instanceof Tensor) {
    return data.reshape(options.shape ?? data.shape).cast(options.dtype ?? data.dtype);
  }
  return takeIn(data, options, {});
}

/** A tensor of values that are none yet. */
function takeIn(data: unknown, options: TensorOptions, origin: Origin): Tensor {
  const isPlain = isWeak(data);
  const { values, dtype: natural, shape } = isPlain
    ? flatten(data, origin)
    : fromTyped(data, origin);
  const target = options.shape ?? shape;
  const dtype = options.dtype ?? natural;
  const caller = origin.caller ?? "tensor";
  checkSize(caller, target, dtype);
  if (sizeOf(target) !== values.length) {
    throw new TypeError(
      `Cannot create a tensor as shape ${formatShape(target)} needs ${sizeOf(target)} values: ` +
        `data holds ${values.length}`,
    );
  }
  const from = isPlain && natural === "float32" ? "float64" : natural;
  return new Tensor([...target], dtype, convertData(caller, values, from, dtype));
}

/**
 * A tensor as it is; anything else as {@linkcode tensor} makes it, plain numbers as `dtype`. Messages
 * name the argument of the function that asks for it.
 */
export function asTensor(
  value: TensorLike,
  dtype?: DType,
  caller?: string,
  argument?: string,
): Tensor {
  if (value instanceof Tensor) return value;
  const options = dtype !== undefined && isNumeric(value) ? { dtype } : {};
  return takeIn(value, options, { caller, argument });
}

/** An operand of a function as a tensor; messages name both. */
export function asOperand(caller: string, value: TensorLike, argument = "x"): Tensor {
  return asTensor(value, undefined, caller, argument);
}

/** Whether the values are plain numbers, booleans aside. */
function isNumeric(data: TensorLike): boolean {
  let first: unknown = data;
  for (let depth = 0; Array.isArray(first) && depth < MAX_RANK; depth++) first = first[0];
  return isWeak(data) && typeof first !== "boolean";
}

/**
 * The operands as tensors of one type: the strongest among them, which plain numbers adopt. Messages
 * name them as arguments of the function that asks for them.
 */
export function promote(
  values: readonly TensorLike[],
  caller: string,
  names: readonly string[],
): Tensor[] {
  let dtype: DType | undefined;
  for (const value of values) {
    if (isWeak(value)) continue;
    const own = value instanceof Tensor ? value.dtype : dtypeOf(value);
    if (own !== undefined) dtype = dtype === undefined ? own : promoteTypes(dtype, own);
  }
  return values.map((value, i) => {
    if (value instanceof Tensor) return value;
    if (typeof value === "number" && dtype !== undefined && isFloating(dtype)) {
      return scalar(value, dtype);
    }
    const origin = { caller, argument: names[i] };
    if (!isWeak(value) || dtype === undefined) return takeIn(value, {}, origin);
    return isFloating(dtype) ? takeIn(value, { dtype }, origin) : weakInteger(value, dtype, origin);
  });
}

/** A number as a tensor of rank 0 of a floating type. */
function scalar(value: number, dtype: DType): Tensor {
  return new Tensor([], dtype, allocate(dtype, 1).fill(value));
}

/** Plain numbers that meet integers: integers themselves where they are whole, else `float32`. */
function weakInteger(value: NestedArray, dtype: DType, origin: Origin): Tensor {
  const natural = takeIn(value, {}, origin);
  if (natural.dtype === "bool") return natural;
  const exact = tensor(value, { dtype: "float64" }).data;
  return exact.every((v) => v === (v | 0))
    ? tensor(value, { dtype: dtype === "bool" ? "int32" : dtype })
    : natural;
}

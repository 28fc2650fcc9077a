/**
 * What tensors are made of: numbers out of nested and typed arrays, or what is wrong with them.
 *
 * @module
 */
import { describe, isForeign, isOwn } from "./describe.ts";
import { allocate, type DType, dtypeOf, isFloating, type TypedArray } from "./dtype.ts";
import { checkSize, MAX_RANK, sizeOf } from "./shape.ts";

/** Which argument of which function is taken in, for messages; by default the data of `tensor`. */
export interface Origin {
  /** The function's name. */
  caller?: string | undefined;
  /** The argument's name; `"data"` by default. */
  argument?: string | undefined;
}

function nameOf({ caller, argument = "data" }: Origin): string {
  return `Cannot ${caller === undefined ? "create a tensor" : `compute ${caller}`} as ${argument}`;
}

/** The extents of nested arrays along their first entries; throws where they have no end. */
function extentsOf(data: unknown, origin: Origin): number[] {
  const shape: number[] = [];
  const above: unknown[] = [];
  for (let level = data; Array.isArray(level); level = level[0]) {
    if (shape.length === MAX_RANK) {
      throw new TypeError(
        nameOf(origin) +
          (above.includes(level)
            ? ` is an array that contains itself`
            : ` must be nested at most ${MAX_RANK} arrays deep`),
      );
    }
    above.push(level);
    shape.push(level.length);
    if (level.length === 0) break;
  }
  return shape;
}

/** Numbers in order, as a tensor takes them in. */
export interface Flattened {
  values: ArrayLike<number>;
  shape: number[];
  dtype: DType;
}

/** The numbers of nested arrays, in order; throws where the arrays are ragged or hold others. */
export function flatten(data: unknown, origin: Origin): Flattened {
  const shape = extentsOf(data, origin);
  const size = sizeOf(shape);
  if (size > LONG) checkSize(origin.caller ?? "tensor", shape, "float32");
  const values: number[] = size > LONG ? allocate("float64", size) as never : [];
  const at: number[] = [];
  let [count, allBoolean] = [0, size > 0];
  const visit = (node: unknown, axis: number, isHole: boolean): void => {
    if (typeof node === "number" && axis === shape.length) {
      allBoolean = false;
      values[count++] = node;
    } else if (typeof node === "boolean" && axis === shape.length) values[count++] = node ? 1 : 0;
    else if (axis === shape.length) throw noNumber(origin, at, node, isHole);
    else if (!Array.isArray(node) || node.length !== shape[axis]) {
      throw ragged(origin, at, node, shape);
    } else {
      for (let i = 0; i < node.length; i++) {
        at[axis] = i;
        at.length = axis + 1;
        visit(node[i], axis + 1, node[i] === undefined && !(i in node));
      }
    }
  };
  visit(data, 0, false);
  return { values, shape, dtype: allBoolean ? "bool" : "float32" };
}

/** So many plain numbers are gathered in a typed array, where plain ones become slow, or end. */
const LONG = 2 ** 20;

function pathTo(origin: Origin, at: readonly number[]): string {
  return `${nameOf(origin)}${at.map((i) => `[${i}]`).join("")}`;
}

function noNumber(
  origin: Origin,
  at: readonly number[],
  node: unknown,
  isHole: boolean,
): TypeError {
  const found = isHole
    ? "a hole"
    : isOwn(node)
    ? "a tensor (stack joins tensors)"
    : describeData(node);
  return new TypeError(
    `${pathTo(origin, at)} must be a number or boolean: current value is ${found}`,
  );
}

function ragged(
  origin: Origin,
  at: readonly number[],
  node: unknown,
  shape: readonly number[],
): TypeError {
  return new TypeError(
    `${pathTo(origin, at)} must have ${
      shape[at.length]
    } entries, as its arrays must not be ragged: ` +
      `it has ${Array.isArray(node) ? node.length : "none"}`,
  );
}

/** What is no data, in a few words, and how to make data of it. */
function describeData(value: unknown): string {
  if (typeof value === "string") return "a string";
  if (typeof value === "bigint") return "a bigint: Number(x) converts it";
  if (value instanceof Promise) return "a promise: await it";
  if (value instanceof BigInt64Array || value instanceof BigUint64Array) {
    return `${describe(value)}: Float64Array.from(x, Number) converts it`;
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const name = describe(value);
    return `${name}: ${/int/i.test(name) ? "Int32Array" : "Float32Array"}.from(x) converts it`;
  }
  if (value instanceof ArrayBuffer) return "an ArrayBuffer: new Float32Array(x) reads it";
  return Array.isArray(value) ? "an array" : describe(value);
}

/** The numbers of a typed array; throws where it is none of ours, or has lost its buffer. */
export function fromTyped(data: unknown, origin: Origin): Flattened {
  const dtype = dtypeOf(data);
  if (dtype === undefined) {
    throw new TypeError(
      isForeign(data)
        ? `${nameOf(origin)} is a tensor of another copy of the library: ` +
          `import it from one place, or pass its toArray() on`
        : `${nameOf(origin)} must be a tensor, a number, nested arrays, a Float32Array, ` +
          `Float64Array, Int32Array or Uint8Array: current value is ${describeData(data)}`,
    );
  }
  const values = data as TypedArray;
  checkAttached(values, origin);
  return { values, dtype, shape: [values.length] };
}

/** Throws where a typed array shows nothing as its buffer was transferred or cut. */
export function checkAttached(
  values: { readonly length: number; at(position: number): unknown },
  origin: Origin,
): void {
  if (values.length > 0) return;
  try {
    values.at(0);
  } catch (cause) {
    throw new TypeError(
      `${nameOf(origin)} must still have its buffer: it was transferred, or made shorter`,
      { cause },
    );
  }
}

/** Copies numbers into an array of the type; throws where a value would change. */
export function convertData(
  caller: string,
  data: ArrayLike<number>,
  from: DType,
  to: DType,
): TypedArray {
  const out = allocate(to, data.length);
  (out as Float64Array).set(data);
  if (isFloating(to) || (to === "int32" && (from === to || from === "bool"))) return out;
  for (let i = 0; i < data.length; i++) {
    if (to === "bool" ? data[i] === 0 || data[i] === 1 : out[i] === data[i]) continue;
    throw new RangeError(
      `Cannot compute ${caller} as ${to} cannot hold the value ${data[i]} at position ${i}: ` +
        (from === "bool"
          ? "a Uint8Array holds booleans; Int32Array.from(x) holds whole numbers"
          : to === "bool"
          ? "choose another dtype, or compare with 0"
          : "round the values first"),
    );
  }
  return out;
}

/**
 * Trees of named groups and arrays: what HDF5 and Zarr have in common.
 *
 * @module
 */
import { describe } from "../describe.ts";
import type { TypedArray } from "../dtype.ts";
import { type ElementArray, type ElementType, isElementType, toTensorData } from "./elements.ts";
import type { Integers } from "./wide_integers.ts";

/** An array in a file. */
export interface StoredArray {
  /** Tells arrays from groups. */
  readonly kind: "array";
  /** The key of the array, from the root on. */
  readonly key: string;
  /** Its attributes. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The extents, outermost first. */
  readonly shape: readonly number[];
  /** The element type: a number type, `"string"`, or else a name that no reader knows. */
  readonly type: string;
  /** How many positions of the first axis are stored together: reading one costs as much as all. */
  readonly chunkLength: number;
  /** What integers become that may not fit `int32`; they are refused there by default. */
  readonly integers?: Exclude<Integers, "int32">;
  /**
   * Numbers from `start` to `end` (not included) of an axis, all of them by default; the first axis
   * by default.
   */
  readNumbers(start?: number, end?: number, axis?: number): Promise<ElementArray>;
  /** Text from `start` to `end` (not included) of the first axis, all of it by default. */
  readStrings(start?: number, end?: number): Promise<string[]>;
}

/** A group of arrays and groups in a file. */
export interface StoredGroup {
  /** Tells groups from arrays. */
  readonly kind: "group";
  /** The key of the group, from the root on; empty for the root. */
  readonly key: string;
  /** Its attributes. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The names of what is in it. */
  keys(): Promise<string[]>;
  /** What has the name, if anything has. */
  get(name: string): Promise<StoredArray | StoredGroup | undefined>;
}

/** An open file that holds a tree. */
export interface Store {
  /** Where the file lies. */
  readonly path: string;
  /** What holds the tree: `HDF5` or `Zarr 2`. */
  readonly format: string;
  /** The outermost group. */
  readonly root: StoredGroup;
  /** Closes the file; a second time does nothing. */
  close(): void;
}

/** What is open for a store, closed in the opposite order. */
export class Resources {
  readonly #closers: (() => void)[] = [];
  #closed = false;

  /** Whether they are closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Notes how one more is closed. */
  add(close: () => void): void {
    this.#closers.push(close);
  }

  /** Closes them all, even where one cannot be; a second time does nothing. */
  close(): void {
    this.#closed = true;
    const last = this.#closers.pop();
    if (last === undefined) return;
    try {
      last();
    } finally {
      this.close();
    }
  }
}

/** What a call gives, or throws, as a promise. */
export function promised<T>(call: () => T): Promise<T> {
  return new Promise((resolve) => resolve(call()));
}

/** The error for a part of a file that cannot be read: `why` completes the sentence. */
export function unreadable(path: string, key: string, why: string, cause?: unknown): SyntaxError {
  const part = key === "" ? "" : `"${key}" of `;
  return new SyntaxError(`Cannot read ${part}"${path}" as ${why}`, { cause });
}

/** Numbers of an array as a tensor stores them. */
export function toTensor(path: string, array: StoredArray, raw: ElementArray): TypedArray {
  const what = `"${array.key}" of "${path}"`;
  return toTensorData(numberType(path, array), raw, what, array.integers !== undefined);
}

/** An array's element type, where it is one of numbers; throws otherwise. */
export function numberType(path: string, array: StoredArray): ElementType {
  if (isElementType(array.type)) return array.type;
  const why =
    `it must hold integers, floating-point numbers or booleans: its type is ${array.type}`;
  throw unreadable(path, array.key, why);
}

/** Throws unless an array holds text. */
export function checkText(path: string, array: StoredArray): void {
  if (array.type === "string") return;
  throw unreadable(path, array.key, `it must hold text: its type is ${array.type}`);
}

/** An attribute that is text, also where a writer has wrapped it in an array of one. */
export function textAttribute(node: StoredArray | StoredGroup, name: string): string | undefined {
  const value = node.attributes[name];
  const text = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof text === "string" ? text : undefined;
}

/** An attribute that is true or false, also as a number or in an array of one; else false. */
export function flagAttribute(
  path: string,
  node: StoredArray | StoredGroup,
  name: string,
): boolean {
  const value = node.attributes[name] ?? false;
  const [flag, ...more] = typeof value === "object" ? Array.from(value as unknown[]) : [value];
  const isFlag = typeof flag === "boolean" || flag === 0 || flag === 1;
  if (isFlag && more.length === 0) return Boolean(flag);
  const why = `its attribute ${name} must be true or false: current value is ${describe(value)}`;
  throw unreadable(path, node.key, why);
}

/** What an error says. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

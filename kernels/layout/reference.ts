/**
 * Copies between strided views: what transposing, slicing, repeating, joining and padding are.
 *
 * @module
 */
import type { NumberArray } from "../../src/dtype.ts";

/** Where a view starts in its array and how far apart neighbours lie, in elements. */
export interface Strides {
  /** The position of the first value. */
  offset: number;
  /** Elements between neighbours, per dimension; 0 repeats, negative ones go backwards. */
  strides: readonly number[];
}

/** A copy of `shape` values. */
export interface ViewCopy {
  /** The extents. */
  shape: readonly number[];
  /** The view that is written. */
  to: Strides;
  /** The view that is read. */
  from: Strides;
}

/** Copies from each of some arrays. */
export function copyAll(
  out: NumberArray,
  inputs: readonly NumberArray[],
  copies: readonly ViewCopy[],
): void {
  copies.forEach(({ shape, to, from }, i) =>
    copyView({ data: out, ...to }, { data: inputs[i]!, ...from }, shape)
  );
}

/** Whether copies leave all of `size` values where they are. */
export function isIdentity(copies: readonly ViewCopy[], size: number): boolean {
  return stretchStart(copies, size) === 0;
}

/** Where `size` values start that lie one behind the other as they do in the copy; else `undefined`. */
export function stretchStart(copies: readonly ViewCopy[], size: number): number | undefined {
  const [{ shape, to, from }] = copies as [ViewCopy];
  if (copies.length > 1 || to.offset !== 0) return undefined;
  let behind = 1;
  for (let axis = shape.length - 1; axis >= 0; behind *= shape[axis--]!) {
    if (shape[axis] === 1) continue;
    if (to.strides[axis] !== behind || from.strides[axis] !== behind) return undefined;
  }
  return behind === size ? from.offset : undefined;
}

/** Rows of at least this length are copied as blocks. */
const BLOCK = 32;

/** A view of an array. */
export interface View extends Strides {
  /** The array behind the view. */
  data: NumberArray;
}

/** Copies `shape` values from one view to another. */
export function copyView(to: View, from: View, shape: readonly number[]): void {
  if (shape.some((extent) => extent === 0)) return;
  const last = shape.length - 1;
  if (last < 0) {
    to.data[to.offset] = from.data[from.offset]!;
    return;
  }
  const count = shape[last]!;
  const [toStep, fromStep] = [to.strides[last]!, from.strides[last]!];
  const index = new Array<number>(last).fill(0);
  let [o, p] = [to.offset, from.offset];
  for (;;) {
    copyRow(to.data, o, toStep, from.data, p, fromStep, count);
    let d = last - 1;
    for (; d >= 0; d--) {
      o += to.strides[d]!;
      p += from.strides[d]!;
      if (++index[d]! < shape[d]!) break;
      o -= to.strides[d]! * shape[d]!;
      p -= from.strides[d]! * shape[d]!;
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

function copyRow(
  out: NumberArray,
  o: number,
  toStep: number,
  data: NumberArray,
  p: number,
  fromStep: number,
  count: number,
): void {
  if (fromStep === 0 && toStep === 1) out.fill(data[p]!, o, o + count);
  else if (fromStep === 1 && toStep === 1 && count >= BLOCK) {
    out.set(data.subarray(p, p + count), o);
  } else for (let i = 0; i < count; i++, o += toStep, p += fromStep) out[o] = data[p]!;
}

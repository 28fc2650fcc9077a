/**
 * Copies between strided views: what transposing, slicing, repeating, joining and padding are.
 *
 * @module
 */

/** A typed array that is copied from or to. */
export type CopyArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** A view: where it starts and how far apart neighbours lie along each dimension. */
export interface View {
  /** The array behind the view. */
  data: CopyArray;
  /** The position of the first value. */
  offset: number;
  /** Elements between neighbours, per dimension; 0 repeats. */
  strides: readonly number[];
}

/** Rows of at least this length are copied as blocks. */
const BLOCK = 32;

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
  out: CopyArray,
  o: number,
  toStep: number,
  data: CopyArray,
  p: number,
  fromStep: number,
  count: number,
): void {
  if (fromStep === 0 && toStep === 1) out.fill(data[p]!, o, o + count);
  else if (fromStep === 1 && toStep === 1 && count >= BLOCK) {
    out.set(data.subarray(p, p + count), o);
  } else for (let i = 0; i < count; i++, o += toStep, p += fromStep) out[o] = data[p]!;
}

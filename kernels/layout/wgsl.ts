/**
 * Copies between strided views in WGSL: transposing, slicing, repeating, joining, padding, and
 * other element types. Another shape of the same values needs no kernel: it is the same buffer.
 *
 * @module
 */
import {
  createKernel,
  groupsFor,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import { offsetOf, placeAlong, repeatingStrides, rowMajorStrides, sizeOf } from "./wgsl_strides.ts";

/** A shape in a buffer: where it starts, and the elements between neighbours along each axis. */
export interface WgslView {
  /** The extents. */
  readonly shape: readonly number[];
  /** The position of the first value. */
  readonly offset: number;
  /** Elements between neighbours, per axis; 0 repeats. */
  readonly strides: readonly number[];
}

/** The values of a view, in row-major order. Input: the buffer; output: as many as the shape has. */
export function copyViewKernel(name: string, element: WgslElement, view: WgslView): WgslKernel {
  const { shape, offset, strides } = view;
  const count = sizeOf(shape);
  const from = offsetOf("index", shape, strides);
  return createKernel({
    name,
    inputs: [{ name: "x", type: WGSL_TYPES[element] }],
    outputs: [{ name: "y", type: WGSL_TYPES[element] }],
    groups: groupsFor(count),
    body: `if (index >= ${count}u) { return; }
y[index] = x[${offset === 0 ? from : `${offset}u + ${from}`}];`,
  });
}

/** The axes in another order: axis `i` of the result is axis `axes[i]` of the input. */
export function transposeKernel(
  element: WgslElement,
  shape: readonly number[],
  axes: readonly number[],
): WgslKernel {
  const strides = rowMajorStrides(shape);
  return copyViewKernel("transpose", element, {
    shape: axes.map((axis) => shape[axis]!),
    offset: 0,
    strides: axes.map((axis) => strides[axis]!),
  });
}

/** The block of extents `block` that starts at `start`. */
export function sliceKernel(
  element: WgslElement,
  shape: readonly number[],
  start: readonly number[],
  block: readonly number[],
): WgslKernel {
  const strides = rowMajorStrides(shape);
  const offset = start.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  return copyViewKernel("slice", element, { shape: block, offset, strides });
}

/** The values repeated to the shape `to`, by NumPy's rules. */
export function broadcastToKernel(
  element: WgslElement,
  shape: readonly number[],
  to: readonly number[],
): WgslKernel {
  const strides = repeatingStrides(shape, to);
  return copyViewKernel("broadcastTo", element, { shape: to, offset: 0, strides });
}

/** The values as the block that starts at `start` in an array of extents `to` of zeros. */
export function padKernel(
  element: WgslElement,
  shape: readonly number[],
  start: readonly number[],
  to: readonly number[],
): WgslKernel {
  const type = WGSL_TYPES[element];
  const count = sizeOf(to);
  const inside = to.flatMap((extent, axis) => {
    if (extent === shape[axis]) return [];
    const place = placeAlong("index", to, axis);
    return [`(${place}) - ${start[axis]}u < ${shape[axis]}u`];
  });
  const strides = rowMajorStrides(shape);
  const skipped = start.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  return createKernel({
    name: "pad",
    inputs: [{ name: "x", type }],
    outputs: [{ name: "y", type }],
    groups: groupsFor(count),
    body: `if (index >= ${count}u) { return; }
var value = ${type}(0);
if (${inside.join(" && ") || "true"}) { value = x[${
      offsetOf("index", to, strides)
    } - ${skipped}u]; }
y[index] = value;`,
  });
}

/** The most inputs of a kernel, so that with the output it stays within the default limits. */
const MOST_INPUTS = 7;

/**
 * Arrays one behind the other along an axis, seven per kernel. An input without values takes no
 * part: its buffer is bound to nothing.
 */
export function concatPlan(
  element: WgslElement,
  shapes: readonly (readonly number[])[],
  axis: number,
): WgslPlan {
  const filled = shapes.flatMap((shape, input) => sizeOf(shape) > 0 ? [{ shape, input }] : []);
  const total = shapes.reduce((sum, shape) => sum + shape[axis]!, 0);
  const kernels: WgslPlan["kernels"][number][] = [];
  for (let i = 0, start = 0; i < filled.length; i += MOST_INPUTS) {
    const part = filled.slice(i, i + MOST_INPUTS);
    const kernel = joinKernel(element, part.map(({ shape }) => shape), axis, start, total);
    kernels.push({ kernel, inputs: part.map(({ input }) => input), outputs: [shapes.length] });
    start += part.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  }
  return { kernels, temporaries: [] };
}

/** Writes arrays one behind the other into an array of `total` along the axis, from `start` on. */
function joinKernel(
  element: WgslElement,
  shapes: readonly (readonly number[])[],
  axis: number,
  start: number,
  total: number,
): WgslKernel {
  const type = WGSL_TYPES[element];
  const withExtent = (extent: number) => shapes[0]!.map((n, i) => i === axis ? extent : n);
  const region = withExtent(shapes.reduce((sum, shape) => sum + shape[axis]!, 0));
  const inner = sizeOf(region.slice(axis + 1));
  let reached = 0;
  const choices = shapes.map((shape, i) => {
    const from = `${offsetOf("index", region, rowMajorStrides(shape))} - ${reached * inner}u`;
    reached += shape[axis]!;
    return `if (place < ${reached}u) { value = x${i}[${from}]; }`;
  });
  const to = offsetOf("index", region, rowMajorStrides(withExtent(total)));
  return createKernel({
    name: "concat",
    inputs: shapes.map((_, i) => ({ name: `x${i}`, type })),
    outputs: [{ name: "y", type }],
    groups: groupsFor(sizeOf(region)),
    body: `if (index >= ${sizeOf(region)}u) { return; }
let place = ${placeAlong("index", region, axis)};
var value = ${type}(0);
${choices.join("\nelse ")}
y[${to} + ${start * inner}u] = value;`,
  });
}

/**
 * The same values in another element type. Values that the type cannot hold are not reported, as
 * they are on the CPU: numbers lose what is behind the point, and all but 0 become 1 as `bool`.
 */
export function castKernel(from: WgslElement, to: WgslElement, count: number): WgslKernel {
  const isTruth = to === "bool" && from !== "bool";
  const zero = `${WGSL_TYPES[from]}(0)`;
  return createKernel({
    name: "cast",
    inputs: [{ name: "x", type: WGSL_TYPES[from] }],
    outputs: [{ name: "y", type: WGSL_TYPES[to] }],
    groups: groupsFor(count),
    body: `if (index >= ${count}u) { return; }
y[index] = ${isTruth ? `u32(x[index] != ${zero})` : `${WGSL_TYPES[to]}(x[index])`};`,
  });
}

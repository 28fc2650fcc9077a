/**
 * Copies between strided views in WGSL: transposing, slicing, repeating, joining, padding. Another
 * shape of the same values needs no kernel: it is the same buffer.
 *
 * @module
 */
import {
  createKernel,
  groupsFor,
  PlanDraft,
  planOf,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
  type WgslType,
} from "../wgsl/kernel.ts";
import type { Strides, ViewCopy } from "./reference.ts";
import { sizeOf, stridesOf } from "../../src/shape.ts";
import { offsetOf } from "./wgsl_strides.ts";

/** The most inputs of a kernel, so that with the output it stays within the default limits. */
const MOST_INPUTS = 7;

/**
 * Copies of arrays into one of a shape, seven per kernel; what a single copy of neighbours leaves around it
 * is 0. An input without values is copied by no kernel.
 */
export function copiesPlan(
  name: string,
  element: WgslElement,
  copies: readonly ViewCopy[],
  shape: readonly number[],
): WgslPlan {
  const type = WGSL_TYPES[element];
  const filled = copies.flatMap((copy, input) => sizeOf(copy.shape) > 0 ? [{ copy, input }] : []);
  const copied = filled.reduce((sum, { copy }) => sum + sizeOf(copy.shape), 0);
  if (copied < sizeOf(shape)) return planOf(surroundKernel(name, type, copies[0]!, shape));
  const plan = new PlanDraft(copies.length + 1);
  for (let i = 0; i < filled.length; i += MOST_INPUTS) {
    const part = filled.slice(i, i + MOST_INPUTS);
    const kernel = copyKernel(name, type, part.map(({ copy }) => copy));
    plan.add(kernel, part.map(({ input }) => input), [copies.length]);
  }
  return plan;
}

/** Copies from one array after the other. */
function copyKernel(name: string, type: WgslType, copies: readonly ViewCopy[]): WgslKernel {
  let count = 0;
  const parts = copies.map(({ shape, to, from }, i) => {
    const before = count;
    count += sizeOf(shape);
    const place = before === 0 ? "index" : `(index - ${before}u)`;
    const at = ({ offset, strides }: Strides) => offsetOf(place, shape, strides, offset);
    return `if (index < ${count}u) { y[${at(to)}] = x${i}[${at(from)}]; }`;
  });
  return createKernel({
    name,
    inputs: copies.map((_, i) => ({ name: `x${i}`, type })),
    outputs: [{ name: "y", type }],
    groups: groupsFor(count),
    body: parts.join("\nelse "),
  });
}

/** A copy into the middle of zeros, or with zeros in between. */
function surroundKernel(
  name: string,
  type: WgslType,
  { shape, to, from }: ViewCopy,
  around: readonly number[],
): WgslKernel {
  const count = sizeOf(around);
  const strides = stridesOf(around);
  const starts = around.map((extent, axis) => Math.floor(to.offset / strides[axis]!) % extent);
  const steps = shape.map((extent, axis) => extent > 1 ? to.strides[axis]! / strides[axis]! : 1);
  const places = starts.map((start, axis) => {
    const along = offsetOf("index", around, around.map((_, i) => i === axis ? 1 : 0));
    return `((${along}) - ${start}u)`;
  });
  const inside = places.flatMap((place, axis) => [
    ...steps[axis]! > 1 ? [`${place} % ${steps[axis]}u == 0u`] : [],
    ...around[axis]! === shape[axis] ? [] : [`${place} / ${steps[axis]}u < ${shape[axis]}u`],
  ]);
  const skipped = starts.reduce((sum, at, axis) => sum + at * from.strides[axis]!, 0);
  const source = steps.some((step) => step > 1)
    ? places.map((place, axis) => `${place} / ${steps[axis]}u * ${from.strides[axis]}u`).join(" + ")
    : `${offsetOf("index", around, from.strides)} - ${skipped}u`;
  return createKernel({
    name,
    inputs: [{ name: "x", type }],
    outputs: [{ name: "y", type }],
    groups: groupsFor(count),
    body: `if (index >= ${count}u) { return; }
var value = ${type}(0);
if (${inside.join(" && ") || "true"}) { value = x[${source}]; }
y[index] = value;`,
  });
}

/**
 * Sums over blocks.
 *
 * @module
 */
import {
  createKernel,
  groupsFor,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
} from "../../../kernels/wgsl/kernel.ts";

/** Adds `count` numbers to those from `start` on. Input: what is added; output: the sums. */
export function accumulateKernel(element: WgslElement, count: number, start: number): WgslKernel {
  const type = WGSL_TYPES[element];
  return createKernel({
    name: "add to sum",
    inputs: [{ name: "x", type }],
    outputs: [{ name: "sums", type }],
    groups: groupsFor(count),
    body: `if (index >= ${count}u) { return; }
sums[index + ${start}u] += x[index];`,
  });
}

/**
 * What a device cannot do, and what to do about it.
 *
 * @module
 */
import type { WgslKernel } from "../../../kernels/wgsl/kernel.ts";
import type { Graph, ValueId } from "../../program/graph.ts";
import { loopIn } from "../../program/row_blocks.ts";
import { formatShape } from "../../shape.ts";
import type { Target } from "./engine.ts";
import type { Bound } from "./instructions.ts";
import { formatBytes } from "../../describe.ts";
import { deviceBytes } from "./device_layout.ts";

const REMEDY = "work on fewer rows at a time, by mapRowBlocks for example";

/** Throws where a kernel needs more than a device binds. */
export function checkLimits(
  { largestBinding, mostBuffers }: Target,
  { name }: WgslKernel,
  bound: readonly Bound[],
): void {
  const about = `Cannot compute compile for WebGPU as ${name} needs`;
  const largest = Math.max(...bound.map(({ bytes }) => bytes));
  if (largest > largestBinding) {
    throw new RangeError(
      `${about} ${formatBytes(largest)} in one piece: this device binds at most ` +
        `${formatBytes(largestBinding)}; ${REMEDY}`,
    );
  }
  if (bound.length > mostBuffers) {
    throw new RangeError(
      `${about} ${bound.length} buffers: this device binds at most ${mostBuffers}`,
    );
  }
}

/** Throws where a value needs more than a buffer of the device holds. */
export function checkSize(graph: Graph, id: ValueId, maxBufferSize: number): void {
  const { shape, dtype } = graph.values[id]!;
  const bytes = deviceBytes(shape);
  if (bytes <= maxBufferSize) return;
  const maker = graph.steps.find(({ output }) => output === id)?.op.name;
  const what = maker === undefined ? "an argument" : `the result of ${maker}`;
  throw new RangeError(
    `Cannot compute compile for WebGPU as ${what}, ${dtype} ${formatShape(shape)}, needs ` +
      `${formatBytes(bytes)}: a buffer of this device holds at most ` +
      `${formatBytes(maxBufferSize)}; ${REMEDY}`,
  );
}

/** Throws where a graph computes in float64 or returns it; other constants are narrowed. */
export function checkTypes(graph: Graph): void {
  const refuseDouble = (
    id: ValueId,
    what: string,
    remedy = "arguments and what is closed over",
  ) => {
    const { shape, dtype } = graph.values[id]!;
    if (dtype !== "float64") return;
    throw new TypeError(
      `Cannot compute compile for WebGPU as it has no float64: ${what} is float64` +
        `${formatShape(shape)}; cast ${remedy} to float32, or use device "cpu"`,
    );
  };
  graph.inputs.forEach((id, i) => refuseDouble(id, `tensor ${i} of the arguments`));
  graph.outputs.forEach((id, i) => {
    if (graph.constants.has(id)) refuseDouble(id, `tensor ${i} of the result`);
  });
  for (const step of graph.steps) {
    const { op, inputs, output } = step;
    if (graph.values[inputs[0] ?? output]!.dtype === "int32") {
      refuseDouble(output, "int32 for a sum, or by a cast,", "the integers");
    }
    refuseDouble(output, `the result of ${op.name}`);
    loopIn(step)?.runs.forEach(({ body }) => checkTypes(body));
  }
}

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

/** Throws where a kernel needs more than a device binds. */
export function checkLimits(
  { largestBinding, mostBuffers }: Target,
  kernel: WgslKernel,
  bound: readonly Bound[],
): void {
  const largest = bound.reduce((most, { bytes }) => Math.max(most, bytes), 0);
  if (largest > largestBinding) {
    throw new RangeError(
      `Cannot compute compile for WebGPU as ${kernel.name} needs ${formatBytes(largest)} in one ` +
        `piece: this device binds at most ${formatBytes(largestBinding)}; work on ` +
        `fewer rows at a time, by mapRowBlocks for example`,
    );
  }
  if (bound.length > mostBuffers) {
    throw new RangeError(
      `Cannot compute compile for WebGPU as ${kernel.name} needs ${bound.length} buffers: ` +
        `this device binds at most ${mostBuffers}`,
    );
  }
}

/** Throws where a value needs more than a buffer of the device holds. */
export function checkSize(graph: Graph, id: ValueId, maxBufferSize: number): void {
  const { shape, dtype } = graph.values[id]!;
  const bytes = deviceBytes(shape);
  if (bytes <= maxBufferSize) return;
  const maker = graph.steps.find(({ output }) => output === id)?.op.name;
  throw new RangeError(
    `Cannot compute compile for WebGPU as ${
      maker === undefined ? "an argument" : `the result of ${maker}`
    }, ${dtype} ${formatShape(shape)}, needs ${
      formatBytes(bytes)
    }: a buffer of this device holds ` +
      `at most ${formatBytes(maxBufferSize)}; work on fewer rows at a time, by mapRowBlocks for ` +
      `example`,
  );
}

/** Throws where a graph computes in float64 or returns it; other constants are narrowed. */
export function checkTypes(graph: Graph): void {
  const refuse = (
    what: string,
    id: ValueId,
    remedy = "arguments and what is closed over",
  ): never => {
    throw new TypeError(
      `Cannot compute compile for WebGPU as it has no float64: ${what} is ` +
        `float64${
          formatShape(graph.values[id]!.shape)
        }; cast ${remedy} to float32, or use device "cpu"`,
    );
  };
  graph.inputs.forEach((id, i) => {
    if (graph.values[id]!.dtype === "float64") refuse(`tensor ${i} of the arguments`, id);
  });
  graph.outputs.forEach((id, i) => {
    if (graph.constants.get(id)?.dtype === "float64") refuse(`tensor ${i} of the result`, id);
  });
  for (const step of graph.steps) {
    if (graph.values[step.output]!.dtype === "float64") {
      const isInteger = graph.values[step.inputs[0] ?? step.output]!.dtype === "int32";
      if (isInteger) refuse("int32 for a sum, or by a cast,", step.output, "the integers");
      refuse(`the result of ${step.op.name}`, step.output);
    }
    loopIn(step)?.runs.forEach(({ body }) => checkTypes(body));
  }
}

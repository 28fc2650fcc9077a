/**
 * Samplers in programs: numbers drawn where they lie.
 *
 * @module
 */
import { emitSampler, SCRATCH_BYTES } from "../../../kernels/random/wasm.ts";
import { BYTES } from "../../dtype.ts";
import type { RandomOp } from "../../op.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { sizeOf } from "../../shape.ts";
import type { StepKernel, Verified } from "./step_kernel.ts";

/** Nanoseconds per number, about. */
const NS = {
  ...{ foldIn: 20, uniform: 5, integers: 10, bernoulli: 10, normal: 15, gamma: 60, poisson: 50 },
} as const;

/** Numbers that are drawn together, whole cache lines of the smallest. */
const SLICE = 256;

/** The kernel of a step that samples; `undefined` where the host does. */
export function randomKernel(
  step: Step,
  { draws: name }: RandomOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  if (name === "categorical" || name === "permutation") return undefined;
  const { inputs, output } = step;
  const [key, parameter] = inputs as [ValueId, ValueId?];
  const { shape, dtype } = graph.values[output]!;
  const count = sizeOf(shape);
  const own = parameter === undefined ? undefined : graph.values[parameter]!;
  const moves = own !== undefined && sizeOf(own.shape) !== 1;
  const sampling = { name, dtype, parameter: own?.dtype, moves };
  const ownBytes = moves ? BYTES[own.dtype] : 0;
  return {
    key: JSON.stringify(["random", sampling]),
    emit: (module) => emitSampler(module, sampling),
    scratchBytes: SCRATCH_BYTES,
    verified: refusalOf(step, graph),
    slices: Math.ceil(count / SLICE),
    nanoseconds: count * NS[name],
    calls: ([from, to], { offsets, scratch }) => [[
      offsets.get(output)! + from * SLICE * BYTES[dtype],
      offsets.get(key)!,
      parameter === undefined ? 0 : offsets.get(parameter)! + from * SLICE * ownBytes,
      scratch,
      from * SLICE,
      Math.min(count, to * SLICE) - from * SLICE,
    ]],
  };
}

/** What is looked at before the numbers are drawn. */
function refusalOf({ op, inputs, params, output }: Step, { values }: Graph): Verified[] {
  const refusal = op.refuses?.(inputs.map((id) => values[id]!), params, values[output]!);
  return refusal ? [{ ids: refusal.inputs.map((i) => inputs[i!]!), verify: refusal.verify }] : [];
}

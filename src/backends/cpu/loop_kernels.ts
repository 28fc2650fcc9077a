/**
 * The kernels of a program's loops: functions of one module.
 *
 * @module
 */
import type { LoopSpec } from "../../../kernels/elementwise/passes.ts";
import { emitLoop } from "../../../kernels/elementwise/wasm.ts";
import type { LookupOp } from "../../op.ts";
import type { Graph } from "../../program/graph.ts";
import { keepingLoopOf } from "../../program/loops.ts";
import { type Group, lookupsOf } from "../../program/passes/fuse.ts";
import type { Kernels } from "./kernels.ts";
import { loopCalls } from "./loop_calls.ts";
import { lookupKernel } from "./select.ts";
import type { StepKernel } from "./step_kernel.ts";

/** The kernel of a group; slices that it reads where they are have positions to be checked. */
export function loopKernel(group: Group, graph: Graph): StepKernel {
  const loop = keepingLoopOf(group, graph);
  const { spec } = loop;
  const verified = lookupsOf(group).flatMap((step) =>
    lookupKernel(step, step.op as LookupOp<unknown>, graph)?.verified ?? []
  );
  const emit: StepKernel["emit"] = (module) => emitLoop(module, spec);
  return { loop: spec, key: outlineOf(spec), emit, verified, ...loopCalls(loop) };
}

/** Adds those of some kernels that are loops, as functions of one module. */
export function addLoops(kernels: Kernels, all: readonly StepKernel[]): void {
  const loops = all.filter(({ loop }) => loop !== undefined);
  try {
    kernels.add(loops);
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    const most = (count: (spec: LoopSpec) => number) =>
      Math.max(...loops.map(({ loop }) => count(loop!)));
    const tensors = most(({ operands, stores }) => operands.length + stores.length);
    throw new RangeError(
      `Cannot compile the program as one of its loops is larger than WebAssembly allows: loops ` +
        `have up to ${tensors} tensors and ${most(({ body }) => body.length)} statements; ` +
        `compile it in parts, or hold parameters in fewer, larger tensors`,
      { cause },
    );
  }
}

/** What a loop does, whatever its values are called: equal layers share their kernels. */
function outlineOf(spec: LoopSpec): string {
  const exact = (_key: string, value: unknown) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? { number: Object.is(value, -0) ? "-0" : String(value) }
      : value;
  const names = new Map<string, string>();
  return JSON.stringify(spec, exact).replaceAll(/"v\d+\w*"/g, (name) => {
    const own = names.get(name) ?? `"${names.size}"`;
    names.set(name, own);
    return own;
  });
}

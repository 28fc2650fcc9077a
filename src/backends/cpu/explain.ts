/**
 * What the CPU does with a program, for its plan in words.
 *
 * @module
 */
import { formatBytes } from "../../describe.ts";
import { BYTES } from "../../dtype.ts";
import { isAlias } from "../../program/alias.ts";
import { describeHost, type Plan, type PlannedUnit } from "../../program/explain.ts";
import { isGroup } from "../../program/passes/fuse.ts";
import type { MemoryPlan } from "../../program/plan.ts";
import { formatShape, sizeOf } from "../../shape.ts";
import type { CpuExecutable } from "./executable.ts";

/** The plan of a program on the CPU, shared by so many threads. */
export function planOf(
  { graph, memory, bytes, kernels, shared }: CpuExecutable,
  threads: number,
): Plan {
  const list = shared.map((id) => `%${id}`).join(", ");
  const done = shared.length === 0 ? "no step is large enough to be shared" : `sharing ${list}`;
  return {
    title: "program on cpu",
    graph,
    units: plannedUnits(memory, kernels),
    bytesOf: ({ shape, dtype }) => sizeOf(shape) * BYTES[dtype],
    notes: [
      `memory: ${formatBytes(bytes)}, without sharing ${formatBytes(memory.unsharedBytes)}`,
      ...(threads > 1 ? [`threads: ${threads}, ${done}`] : []),
    ],
  };
}

function plannedUnits(
  { graph, units, bodies }: MemoryPlan,
  kernels: CpuExecutable["kernels"],
): PlannedUnit[] {
  return units.flatMap((unit): PlannedUnit[] => {
    if (isGroup(unit)) return [{ unit, how: `one loop over ${formatShape(unit.shape)}` }];
    if (isAlias(unit, graph) && unit.op.kind !== "check") return [];
    const planned = bodies.get(unit)?.map((body) => plannedUnits(body, kernels));
    if (planned !== undefined) return [{ unit, how: "", bodies: planned }];
    return [{ unit, how: kernels.has(unit) ? "kernel" : describeHost(unit) }];
  });
}

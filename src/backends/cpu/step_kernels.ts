/**
 * Which kernel does a step on the CPU, or a group of steps.
 *
 * @module
 */
import { isAlias } from "../../program/alias.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { isGroup, type Unit } from "../../program/passes/fuse.ts";
import { bytesOf, type MemoryPlan } from "../../program/plan.ts";
import { cumulativeKernel } from "./cumulative.ts";
import { viewKernel } from "./layout.ts";
import { loopKernel } from "./loop_kernels.ts";
import { productKernel } from "./product.ts";
import { randomKernel } from "./random.ts";
import { reduceKernel } from "./reduce.ts";
import type { NamedRows } from "./named_rows.ts";
import { lookupKernel, scatterKernel, sortKernel, sparseKernel } from "./select.ts";
import type { StepKernel } from "./step_kernel.ts";

/** The kernels of a plan's units, and of the bodies in it; the host does the others. */
export function kernelsOf(
  { graph, units, bodies }: MemoryPlan,
  named: ReadonlyMap<ValueId, NamedRows> = new Map(),
): Map<Unit, StepKernel> {
  const own = units.flatMap((unit): [Unit, StepKernel][] => {
    const kernel = isGroup(unit)
      ? loopKernel(unit, graph)
      : isAlias(unit, graph)
      ? undefined
      : kernelOf(unit, graph, named.has(unit.output));
    return kernel ? [[unit, kernel]] : [];
  });
  const inside = [...bodies.values()].flat().flatMap((body) => [...kernelsOf(body)]);
  return new Map([...own, ...inside]);
}

/**
 * The kernel of a step; `undefined` where the host does it. Results that no position names may be
 * left out where they are `sparse`.
 */
export function kernelOf(step: Step, graph: Graph, sparse = false): StepKernel | undefined {
  const { op } = step;
  if (op.kind === "product") return productKernel(step, op, graph);
  if ([...step.inputs, step.output].some((id) => bytesOf(graph, id) >= 2 ** 31)) return undefined;
  switch (op.kind) {
    case "view":
      return viewKernel(step, op, graph);
    case "reduce":
      return reduceKernel(step, op, graph);
    case "lookup":
      return lookupKernel(step, op, graph);
    case "scatter":
      return scatterKernel(step, op, graph, sparse);
    case "sort":
      return sortKernel(step, op, graph);
    case "cumulative":
      return cumulativeKernel(step, op, graph);
    case "sparseProduct":
      return sparseKernel(step, graph);
    case "random":
      return randomKernel(step, op, graph);
    case "map":
    case "check":
    case "loop":
    case "opaque":
      return undefined;
  }
}

/**
 * The units of a graph, none of which needs more than the device offers.
 *
 * @module
 */
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { groupOf } from "../../program/loops.ts";
import { fuseSteps, type Group, isGroup, type Unit } from "../../program/passes/fuse.ts";
import { readsOf, writesOf } from "../../program/plan.ts";
import type { Target } from "./engine.ts";
import { lowerGroup } from "./lower_loops.ts";
import { deviceBytes } from "./device_layout.ts";

/** Loops that go over rows several times where all of them fit; else simple ones, split. */
export function partition(graph: Graph, target: Target): Unit[] {
  // One buffer for each view of a value.
  const needsMore = (group: Group) =>
    lowerGroup(group, graph, target).parts.some(({ plan }) =>
      plan.kernels.some(({ kernel }) => kernel.inputs + kernel.outputs > target.mostBuffers)
    );
  const isSmall = (unit: Unit) =>
    !isGroup(unit) ||
    [...readsOf(unit), ...writesOf(unit)].every((id) =>
        deviceBytes(graph.values[id]!.shape) <= target.largestBinding
      ) && !needsMore(unit);
  const fused = fuseSteps(graph, { passes: true });
  if (fused.every(isSmall)) return fused;
  return fuseSteps(graph).flatMap((unit): Unit[] =>
    isGroup(unit) ? splitGroup(unit, graph, needsMore) : [unit]
  );
}

/** Groups of the same steps, of which none is too large. */
function splitGroup(
  group: Group,
  graph: Graph,
  isTooLarge: (group: Group) => boolean,
): Group[] {
  if (!isTooLarge(group)) return [group];
  const parts = components(group, graph);
  const steps = parts.length > 1 ? pack(group, parts, graph, isTooLarge) : halves(group);
  if (steps.length < 2) return [group];
  return steps.flatMap((own) => splitGroup(part(group, own, graph), graph, isTooLarge));
}

/** Steps that need nothing of one another, together with those that they need. */
function components({ steps, reads }: Group, graph: Graph): Step[][] {
  const sets: { values: Set<ValueId>; steps: Step[] }[] = [];
  // What is read by all, a learning rate for example, ties nothing together.
  const isLarge = (id: ValueId) => graph.values[id]!.shape.some((n) => n > 1);
  const outside = new Set(reads.values().map(({ root }) => root).filter((id) => !isLarge(id)));
  for (const step of steps) {
    const values = new Set([...step.inputs.filter((id) => !outside.has(id)), step.output]);
    const joined = sets.filter((set) => !set.values.isDisjointFrom(values));
    const together = [...joined.flatMap((set) => set.steps), step];
    for (const set of joined) set.values.forEach((id) => values.add(id));
    sets.push({ values, steps: together });
    for (const set of joined) sets.splice(sets.indexOf(set), 1);
  }
  return sets.map(({ steps }) => steps);
}

/** As few lots of components as fit. */
function pack(
  group: Group,
  parts: readonly Step[][],
  graph: Graph,
  isTooLarge: (group: Group) => boolean,
): Step[][] {
  const packed: Step[][] = [];
  for (const steps of parts) {
    const last = packed.at(-1);
    const isRoom = last !== undefined && !isTooLarge(part(group, [...last, ...steps], graph));
    if (isRoom) last.push(...steps);
    else packed.push([...steps]);
  }
  return packed;
}

/** The first half of the steps, and those that may need it. */
function halves({ steps }: Group): Step[][] {
  const middle = Math.ceil(steps.length / 2);
  return [steps.slice(0, middle), steps.slice(middle)].filter((own) => own.length > 0);
}

/** Some steps of a group, as a group. */
function part(group: Group, steps: readonly Step[], graph: Graph): Group {
  const own = new Set(steps);
  const others = group.steps.filter((step) => !own.has(step));
  const needed = new Set([...group.outputs, ...others.flatMap(({ inputs }) => inputs)]);
  const made = steps.map(({ output }) => output);
  return groupOf(steps, made.filter((id) => needed.has(id)), graph);
}

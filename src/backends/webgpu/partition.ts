/**
 * The units of a graph, none of which needs more than the device offers.
 *
 * @module
 */
import type { ValueId } from "../../program/graph.ts";
import { fuseSteps, type Group, isGroup, type Unit } from "../../program/passes/fuse.ts";
import { readsOf, writesOf } from "../../program/plan.ts";
import type { Target } from "./engine.ts";
import { lowerGroup } from "./lower_loops.ts";
import type { Scope } from "./scope.ts";
import { splitGroup } from "./split.ts";
import { deviceBytes } from "./device_layout.ts";

/** Loops that go over rows several times where all of them fit; else simple ones, split. */
export function partition(scope: Scope, target: Target): Unit[] {
  const { graph } = scope;
  const fused = fuseSteps(graph, { passes: true });
  if (fused.every((unit) => isSmall(unit, scope, target))) return fused;
  return fuseSteps(graph).flatMap((unit) =>
    !isGroup(unit) || isSmall(unit, scope, target)
      ? [unit]
      : splitGroup(unit, graph, (group) => needsMore(group, scope, target))
  );
}

/** Whether a loop needs neither more buffers nor larger ones than a kernel may have. */
function isSmall(unit: Unit, scope: Scope, target: Target): boolean {
  if (!isGroup(unit)) return true;
  const { graph, literals } = scope;
  const values = [...readsOf(unit).filter((id) => !literals.has(id)), ...writesOf(unit)];
  const fits = (id: ValueId) => deviceBytes(graph.values[id]!.shape) <= target.largestBinding;
  return values.every(fits) && !needsMore(unit, scope, target);
}

/** Whether a kernel of a loop needs more buffers than there may be: one for each view of a value. */
function needsMore(group: Group, { graph, literals }: Scope, target: Target): boolean {
  return lowerGroup(group, graph, literals, target).parts.some(({ plan }) =>
    plan.kernels.some(({ kernel }) => kernel.inputs + kernel.outputs > target.mostBuffers)
  );
}

/**
 * Loops over elements, as kernels.
 *
 * @module
 */
import type { LoopSpec } from "../../../kernels/elementwise/passes.ts";
import { planLoop } from "../../../kernels/elementwise/wgsl.ts";
import { type LoopSpace, spaceOver } from "../../../kernels/elementwise/wgsl_space.ts";
import type { WgslPlan } from "../../../kernels/wgsl/kernel.ts";
import type { Graph } from "../../program/graph.ts";
import { type GroupLoop, loopOf } from "../../program/loops.ts";
import { fuseSteps, type Group, isGroup, type Unit } from "../../program/passes/fuse.ts";
import { readsOf, writesOf } from "../../program/plan.ts";
import type { IterationSpace } from "../../program/space.ts";
import type { Target } from "./engine.ts";
import type { Lowered } from "./lower.ts";
import { deviceBytes } from "./device_layout.ts";

/** The kernels of a group of steps. */
export function lowerGroup(group: Group, graph: Graph, target: Target): Lowered {
  const loop = loopOf(group, graph);
  const { spec, space } = loop;
  const { largestBinding } = target;
  const values = [...loop.inputs, ...loop.outputs];
  const isLarge = values.some((id) => deviceBytes(graph.values[id]!.shape) > largestBinding);
  const isPlain = space.over === "row" && space.outer.length === 0 &&
    space.operands.every(({ offset, step, along }) => offset === 0 && step >= 0 && along >= 0);
  const parts = isLarge && isPlain ? loopParts(spec, space, target) : undefined;
  return { values, ...parts ?? planLoop(spec, spaceOf(loop), target) };
}

/**
 * The units of a graph, none of which needs more buffers than the device binds. Loops read large
 * values, of which it sees some rows at a time, once and as they lie.
 */
export function partition(graph: Graph, target: Target): Unit[] {
  const { largestBinding, mostBuffers } = target;
  const fits = (unit: Unit) =>
    !isGroup(unit) ||
    lowerGroup(unit, graph, target).kernels.every(({ kernel }) =>
      kernel.inputs + kernel.outputs <= mostBuffers
    );
  let units = fuseSteps(graph, { passes: true });
  const passes = units.filter(isGroup)
    .flatMap((group) => [...readsOf(group), ...writesOf(group)])
    .every((id) => deviceBytes(graph.values[id]!.shape) <= largestBinding);
  if (!passes) units = fuseSteps(graph);
  for (let tensors = mostBuffers; tensors > 0 && !units.every(fits); tensors--) {
    units = fuseSteps(graph, { passes, tensors });
  }
  return units;
}

/** The rows and columns of a loop: columns are what is reduced, if anything is. */
export function spaceOf(
  { shape, reduced: [first, end] = [0, 0], reads }: Pick<GroupLoop, "shape" | "reduced" | "reads">,
): LoopSpace {
  return spaceOver(shape, [...shape.keys()].slice(first, end), reads);
}

/** Some rows after the other, or some columns where all is one row, and nothing is reduced. */
function loopParts(
  spec: LoopSpec,
  space: IterationSpace,
  target: Target,
): WgslPlan | undefined {
  const reduces = spec.body.some((statement) => "reduce" in statement);
  const byColumns = space.rows === 1 && !reduces;
  const turned = space.operands.map((walk) => ({ ...walk, step: walk.along, along: 0 }));
  const own = byColumns ? { ...space, rows: space.columns, columns: 1, operands: turned } : space;
  const { rows, columns, operands } = own;
  const walks = [
    ...operands.map(({ step, along }) => ({ step, width: along === 0 ? 1 : columns })),
    ...spec.stores.map(({ moves }) => moves ? columns : 1).map((n) => ({ step: n, width: n })),
  ];
  const reads = operands.map(({ step, along }) => ({ offset: 0, strides: [step, along] }));
  return inParts(
    rows,
    walks,
    target.largestBinding,
    (count) => planLoop(spec, spaceOver([count, columns], reduces ? [1] : [], reads), target),
  );
}

/** How the rows of a buffer lie: from one to the next, and how many elements each has. */
export interface RowWalk {
  step: number;
  width: number;
}

/** Stretches of buffers must begin at multiples of this many rows, of whatever length. */
const ALIGNED_ROWS = 64;

/** Kernels that do so many rows at a time that their buffers fit; `undefined` where few do not. */
export function inParts(
  rows: number,
  walks: readonly RowWalk[],
  largestBinding: number,
  plan: (count: number, first: number) => WgslPlan,
): WgslPlan | undefined {
  const widest = Math.max(
    ...walks.map(({ step, width }) => step === 0 ? 1 : Math.max(step, width)),
  );
  const most = Math.floor(largestBinding / (4 * widest) / ALIGNED_ROWS) * ALIGNED_ROWS;
  if (most === 0) return undefined;
  const kernels: Lowered["kernels"][number][] = [];
  const temporaries: number[] = [];
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    const own = plan(count, first);
    const ranges = walks.map(({ step, width }) => ({
      offset: 4 * first * step,
      bytes: 4 * ((count - 1) * step + width),
    }));
    kernels.push(...own.kernels.map((kernel) => ({ ...kernel, ranges })));
    own.temporaries.forEach((n, i) => temporaries[i] = Math.max(n, temporaries[i] ?? 0));
  }
  return { kernels, temporaries };
}

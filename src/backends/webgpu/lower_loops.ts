/**
 * Loops over elements, as kernels.
 *
 * @module
 */
import type { LoopSpec } from "../../../kernels/elementwise/passes.ts";
import { planLoop } from "../../../kernels/elementwise/wgsl.ts";
import type { WgslOptions } from "../../../kernels/elementwise/wgsl_rows.ts";
import { type LoopSpace, spaceOver } from "../../../kernels/elementwise/wgsl_space.ts";
import type { Graph } from "../../program/graph.ts";
import { type GroupLoop, loopOf } from "../../program/loops.ts";
import type { Group } from "../../program/passes/fuse.ts";
import type { IterationSpace } from "../../program/space.ts";
import type { Target } from "./engine.ts";
import type { Lowered, Part } from "./lower.ts";
import { deviceBytes } from "./device_layout.ts";

/** The kernels of a group of steps. */
export function lowerGroup(
  group: Group,
  graph: Graph,
  { largestBinding, isSoftware }: Target,
): Lowered {
  const loop = loopOf(group, graph);
  const { spec, space } = loop;
  const values = [...loop.inputs, ...loop.outputs];
  const isLarge = values.some((id) => deviceBytes(graph.values[id]!.shape) > largestBinding);
  const isPlain = space.over === "row" && space.outer.length === 0 &&
    space.operands.every(({ offset, step, along }) => offset === 0 && step >= 0 && along >= 0);
  const parts = isLarge && isPlain
    ? loopParts(spec, space, largestBinding, { isSoftware })
    : undefined;
  return { parts: parts ?? [{ plan: planLoop(spec, spaceOf(loop), { isSoftware }) }], values };
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
  largestBinding: number,
  options: WgslOptions,
): Part[] | undefined {
  const reduces = spec.body.some((statement) => "reduce" in statement);
  const byColumns = space.rows === 1 && !reduces;
  const turned = space.operands.map((walk) => ({ ...walk, step: walk.along, along: 0 }));
  const own = byColumns ? { ...space, rows: space.columns, columns: 1, operands: turned } : space;
  const { rows, columns, operands } = own;
  const walks = [
    ...operands.map(({ step, along }) => ({ step, width: along === 0 ? 1 : columns })),
    ...spec.stores.map(({ moves }) => moves ? columns : 1).map((n) => ({ step: n, width: n })),
  ];
  const widest = Math.max(...walks.map(({ step, width }) => Math.max(step, width)));
  const reads = operands.map(({ step, along }) => ({ offset: 0, strides: [step, along] }));
  const axes = reduces ? [1] : [];
  return rowRanges(rows, 4 * widest, largestBinding)?.map(([first, count]) => ({
    plan: planLoop(spec, spaceOver([count, columns], axes, reads), options),
    ranges: walks.map(({ step, width }) => ({
      offset: 4 * first * step,
      bytes: 4 * ((count - 1) * step + width),
    })),
  }));
}

/** Stretches of buffers must begin at multiples of this many rows, of whatever length. */
const ALIGNED_ROWS = 64;

/** First rows and counts, of at most so many bytes; `undefined` where a few rows are too large. */
export function rowRanges(
  rows: number,
  bytesPerRow: number,
  largest: number,
): [first: number, count: number][] | undefined {
  const most = Math.floor(largest / bytesPerRow / ALIGNED_ROWS) * ALIGNED_ROWS;
  if (most === 0) return undefined;
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => [
    i * most,
    Math.min(most, rows - i * most),
  ]);
}

/**
 * Loops over elements, as kernels: numbers that are always the same are written into the shader.
 *
 * @module
 */
import { type Expression, substitute } from "../../../kernels/elementwise/expression.ts";
import { acrossRows, type LoopSpec } from "../../../kernels/elementwise/passes.ts";
import { planLoop } from "../../../kernels/elementwise/wgsl.ts";
import type { WgslOptions } from "../../../kernels/elementwise/wgsl_rows.ts";
import type { LoopSpace } from "../../../kernels/elementwise/wgsl_space.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { loopOf } from "../../program/loops.ts";
import type { Group } from "../../program/passes/fuse.ts";
import type { IterationSpace } from "../../program/space.ts";
import type { Target } from "./engine.ts";
import type { Lowered, Part } from "./lower.ts";
import { deviceBytes } from "./device_layout.ts";

/** The kernels of a group of steps; `literals` are values that are numbers known beforehand. */
export function lowerGroup(
  group: Group,
  graph: Graph,
  literals: ReadonlyMap<ValueId, number>,
  { largestBinding, isSoftware }: Target,
): Lowered {
  const { spec: given, space, inputs, outputs } = loopOf(group, graph);
  const { spec, kept } = withNumbers(given, inputs, literals);
  const reads = kept.map((i) => inputs[i]!);
  const own = { ...space, operands: kept.map((i) => space.operands[i]!) };
  const largest = [...reads, ...outputs].reduce(
    (most, id) => Math.max(most, deviceBytes(graph.values[id]!.shape)),
    0,
  );
  const isRow = space.over === "row";
  const isPlain = own.operands.every(({ offset, step, along }) =>
    offset === 0 && step >= 0 && along >= 0
  );
  const parts = largest > largestBinding && space.outer.length === 0 && isRow && isPlain
    ? loopParts(spec, own, largestBinding, { isSoftware })
    : undefined;
  const whole = () =>
    planLoop(space.over === "column" ? acrossRows(spec) : spec, spaceOf(own), { isSoftware });
  return { parts: parts ?? [{ plan: whole() }], reads, writes: outputs };
}

/** The loop with numbers in the places of literals, and which operands are left. */
function withNumbers(
  spec: LoopSpec,
  inputs: readonly ValueId[],
  literals: ReadonlyMap<ValueId, number>,
): { spec: LoopSpec; kept: number[] } {
  const reduced = new Set(spec.body.flatMap((s) => "reduce" in s ? [s.of] : []));
  for (const { lookup } of spec.operands) if (lookup) reduced.add(lookup.positions);
  const isLiteral = (id: ValueId, i: number) =>
    literals.has(id) && !reduced.has(spec.operands[i]!.name);
  const numbers: Record<string, Expression> = {};
  inputs.forEach((id, i) => {
    if (!isLiteral(id, i)) return;
    numbers[spec.operands[i]!.name] = { kind: "number", value: literals.get(id)! };
  });
  const kept = inputs.flatMap((id, i) => isLiteral(id, i) ? [] : [i]);
  return {
    kept,
    spec: {
      ...spec,
      operands: kept.map((i) => spec.operands[i]!),
      body: spec.body.map((statement) =>
        "reduce" in statement
          ? statement
          : { ...statement, expression: substitute(statement.expression, numbers) }
      ),
    },
  };
}

/** The rows and columns of a loop; one down columns is one along rows whose elements lie apart. */
export function spaceOf({ outer, rows, columns, over, operands }: IterationSpace): LoopSpace {
  if (over !== "column") {
    const isRow = over === "row";
    return {
      rows: isRow ? [...outer, rows] : outer,
      columns: isRow ? [columns] : [rows, columns],
      operands: operands.map(({ offset, outerStrides, step, along }) => ({
        offset,
        rows: isRow ? [...outerStrides, step] : outerStrides,
        columns: isRow ? [along] : [step, along],
      })),
    };
  }
  const strides = outer.map((_, d) => outer.slice(d + 1).reduce((a, b) => a * b, rows * columns));
  return {
    rows: [...outer, columns],
    columns: [rows],
    operands: operands.map(({ offset, outerStrides, step, along }) => ({
      offset,
      rows: [...outerStrides, along],
      columns: [step],
    })),
    output: { rows: [...strides, 1], columns: [columns] },
  };
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
  const { rows, columns } = byColumns ? { rows: space.columns, columns: 1 } : space;
  const operands = space.operands.map(({ along, step }) =>
    byColumns ? { rows: [along], columns: [0] } : { rows: [step], columns: [along] }
  );
  const walks = [
    ...operands,
    ...spec.stores.map(({ moves }) => ({
      rows: [moves ? columns : 1],
      columns: [Number(moves)],
    })),
  ].map((walk) => ({ step: walk.rows[0]!, width: walk.columns[0] === 0 ? 1 : columns }));
  const widest = Math.max(...walks.map(({ step, width }) => Math.max(step, width)));
  return rowRanges(rows, 4 * widest, largestBinding)?.map(([first, count]) => ({
    plan: planLoop(spec, { rows: [count], columns: [columns], operands }, options),
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

/** A single elementwise step, of integers too, as a group. */
export function asGroup(step: Step, graph: Graph): Group {
  return {
    shape: graph.values[step.output]!.shape,
    dtype: "float32",
    members: [step],
    reductions: [],
    operands: [...new Set(step.inputs)],
    stored: [step.output],
  };
}

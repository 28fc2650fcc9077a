/**
 * Selection in programs: picking, adding up by position and sorting where values lie.
 *
 * @module
 */
import { BYTES } from "../../dtype.ts";
import {
  emitLineSort,
  type LineSort,
  sortNumbers,
  sortScratchBytes,
} from "../../../kernels/select/sort.ts";
import {
  emitRowGroups,
  groupScratchBytes,
  type RowGroups,
  STRIP,
} from "../../../kernels/select/row_groups.ts";
import {
  emitGather,
  emitScatter,
  scatterScratchBytes,
  type ScatterSum,
  type Selection,
} from "../../../kernels/select/wasm.ts";
import { checkLabels } from "../../labels.ts";
import type { LookupOp, ScatterOp, SortOp } from "../../op.ts";
import { extentsAround, sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { isBelow } from "../../program/bounds.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { isZero } from "./named_rows.ts";
import type { StepKernel, Verified } from "./step_kernel.ts";

/** Nanoseconds per value, about: half a comparison of a filter, or a value at a time. */
const NS = { filtered: 0.7, sorted: 40, picked: 1 } as const;

/** Longer lines are left to the host: sorting needs four times their memory. */
const LONGEST = 2 ** 24;

/** The kernel of a step that sorts; `undefined` where lines are long, or over several axes. */
export function sortKernel(
  { inputs, params, output }: Step,
  { order }: SortOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  const [x] = inputs as [ValueId];
  const { shape, dtype } = graph.values[x]!;
  const { axes, descending, kept, nanFirst } = order(params);
  if (axes.length !== 1 || sizeOf(graph.values[output]!.shape) === 0) return undefined;
  const { outer, count, inner } = extentsAround(shape, axes[0]!);
  if (dtype === "bool" || count > LONGEST) return undefined;
  const sort: LineSort = { dtype, count, inner, descending, kept, nanFirst };
  const scratchBytes = Math.ceil(sortScratchBytes(sort) / 64) * 64;
  const [outBytes, dataBytes] = [kept * inner * 4, count * inner * BYTES[dtype]];
  return {
    key: JSON.stringify(["sort", dtype]),
    emit: (module) => emitLineSort(module, dtype),
    scratchBytes,
    slices: outer,
    nanoseconds: sizeOf(shape) * (kept * 8 < count ? NS.filtered : NS.sorted),
    calls: ([from, to], { offsets, scratch }) => [[
      offsets.get(output)! + from * outBytes,
      offsets.get(x)! + from * dataBytes,
      scratch,
      to - from,
      ...sortNumbers(sort),
    ]],
  };
}

/** A check of positions; none where they are certain to lie in their axis. */
function checkOf(id: ValueId, extent: number, caller: string, graph: Graph): Verified[] {
  const verify = (positions: Tensor) =>
    void checkLabels(caller, positions, extent, { argument: "indices" });
  return isBelow(id, extent, graph) ? [] : [{ ids: [id], verify }];
}

/** The kernel of a step that picks. */
export function lookupKernel(
  { inputs, params, output }: Step,
  { name, by, axis }: LookupOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  const [x, indices] = inputs as [ValueId, ValueId];
  const { shape, dtype } = graph.values[x]!;
  const { outer, count, inner } = extentsAround(shape, axis(params));
  const total = sizeOf(graph.values[output]!.shape);
  if (total === 0) return undefined;
  const size = total / outer;
  const selection: Selection = { by, bytes: BYTES[dtype], count, picked: size / inner, inner };
  return {
    key: JSON.stringify(["gather", selection]),
    emit: (module) => emitGather(module, selection),
    scratchBytes: 0,
    verified: checkOf(indices, count, name, graph),
    slices: outer,
    nanoseconds: total * NS.picked,
    calls: ([from, to], { offsets }) => [[
      offsets.get(output)! + from * size * BYTES[dtype],
      offsets.get(x)! + from * count * inner * BYTES[dtype],
      offsets.get(indices)! + (by === "value" ? from * size * 4 : 0),
      to - from,
    ]],
  };
}

/** The kernel of a step that puts values together by position; `undefined` of truth values. */
export function scatterKernel(
  step: Step,
  op: ScatterOp<unknown>,
  graph: Graph,
  sparse = false,
): StepKernel | undefined {
  const [{ inputs, params, output }, { by, name, reduce, axis }] = [step, op];
  const { shape, dtype } = graph.values[output]!;
  const around = extentsAround(shape, axis(params));
  if (dtype === "bool" || sizeOf(shape) === 0) return undefined;
  if (by === "value") {
    return dtype === "int32" ? undefined : valuesKernel(step, { ...around, dtype }, graph);
  }
  const isSum = reduce === "sum";
  const [start, indices, rows] = isSum ? inputs : [undefined, inputs[1], inputs[0]];
  const base = start !== undefined && isZero(start, graph) ? undefined : start;
  const { outer, count, inner } = around;
  const picked = sizeOf(graph.values[indices!]!.shape);
  const onto = base !== undefined;
  const groups: RowGroups = { dtype, combine: reduce, onto, sparse, count, picked, inner };
  return {
    ...groupKernel(groups, { output, base, rows: rows!, positions: indices! }, outer),
    verified: checkOf(indices!, count, name, graph),
  };
}

/** The kernel of a step that multiplies a sparse matrix by a dense one; `undefined` of integers. */
export function sparseKernel({ inputs, output }: Step, graph: Graph): StepKernel | undefined {
  const { shape, dtype } = graph.values[output]!;
  const [count, inner] = shape as readonly [number, number];
  if (dtype === "bool" || dtype === "int32" || count * inner === 0) return undefined;
  const [numbers, positions, sources, rows] = inputs as [ValueId, ValueId, ValueId, ValueId];
  const picked = sizeOf(graph.values[numbers]!.shape);
  const groups: RowGroups = { dtype, combine: "product", onto: false, count, picked, inner };
  return groupKernel(groups, { output, rows, positions, numbers, sources }, 1);
}

/** The values that rows are put together of. */
type GroupValues =
  & Readonly<Record<"output" | "rows" | "positions", ValueId>>
  & { readonly [N in "base" | "numbers" | "sources"]?: ValueId | undefined };

/** A kernel that puts rows together; its slices are what is before the axis, else strips of columns. */
function groupKernel(
  groups: RowGroups,
  { output, base, rows, positions, numbers, sources }: GroupValues,
  outer: number,
): StepKernel {
  const { dtype, count, picked, inner } = groups;
  const isOne = outer === 1;
  const row = inner * BYTES[dtype];
  return {
    key: JSON.stringify(["groups", groups]),
    emit: (module) => emitRowGroups(module, groups),
    scratchBytes: Math.ceil(groupScratchBytes(groups) / 64) * 64,
    slices: isOne ? Math.ceil(inner / STRIP) : outer,
    nanoseconds: outer * (count + picked) * inner * NS.picked,
    calls([from, to], { offsets, scratch }) {
      const at = (id: ValueId | undefined, slice: number) =>
        id === undefined ? 0 : offsets.get(id)! + (isOne ? 0 : from * slice * row);
      return [[
        ...[at(output, count), at(base, count), at(rows, picked)],
        ...[at(positions, 0), at(sources, 0), at(numbers, 0), scratch],
        ...isOne ? [1, from * STRIP, Math.min(inner, to * STRIP)] : [to - from, 0, inner],
      ]];
    },
  };
}

/** The kernel of a step that adds up values, each by its own position. */
function valuesKernel(
  { inputs, output }: Step,
  { outer, ...around }: Omit<ScatterSum, "picked"> & { outer: number },
  graph: Graph,
): StepKernel {
  const [updates, indices] = inputs as [ValueId, ValueId];
  const { dtype, count, inner } = around;
  const added = sizeOf(graph.values[updates]!.shape);
  const sum: ScatterSum = { ...around, picked: added / outer / inner };
  const [whole, part] = [count * inner, sum.picked * inner];
  return {
    key: JSON.stringify(["scatter", sum]),
    emit: (module) => emitScatter(module, sum),
    scratchBytes: Math.ceil(scatterScratchBytes(sum) / 64) * 64,
    // Positions were checked where the values were taken, but that step may be gone.
    verified: checkOf(indices, count, "takeAlongAxis", graph),
    slices: outer,
    nanoseconds: (outer * whole + added) * NS.picked,
    calls: ([from, to], { offsets, scratch }) => [[
      offsets.get(output)! + from * whole * BYTES[dtype],
      offsets.get(updates)! + from * part * BYTES[dtype],
      offsets.get(indices)! + from * part * 4,
      scratch,
      to - from,
    ]],
  };
}

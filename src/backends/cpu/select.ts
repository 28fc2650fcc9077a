/**
 * Selection in programs: picking, adding up by position and sorting where values lie.
 *
 * @module
 */
import { BYTES } from "../../dtype.ts";
import { emitLineSort, type LineSort, sortScratchBytes } from "../../../kernels/select/sort.ts";
import { emitMaxima, type SliceMaximum } from "../../../kernels/select/maxima.ts";
import { emitScatter, scatterScratchBytes, type ScatterSum } from "../../../kernels/select/sums.ts";
import { emitGather, type Selection } from "../../../kernels/select/wasm.ts";
import type { LookupOp, ScatterOp, SortOp } from "../../op.ts";
import { extentsAround, sizeOf } from "../../shape.ts";
import { Bounds } from "../../program/bounds.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { uniformValue } from "../../program/loops.ts";
import type { Places, Positions, SliceRange, StepKernel } from "./step_kernel.ts";

/** Nanoseconds per value, about: half a comparison of a filter, or a value at a time. */
const NS = { filtered: 0.7, sorted: 40, picked: 1 } as const;

/** Longer lines are left to TypeScript: sorting needs four times their memory. */
const LONGEST = 2 ** 24;

/** Longer lines, of which most positions are wanted, are faster by digits (`bench/sort_bench.ts`). */
const LONGEST_WHOLE = 256;

/** The kernel of a step that sorts; `undefined` where lines are long, or over several axes. */
export function sortKernel(
  { inputs, params, output }: Step,
  { order }: SortOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  const [x] = inputs as [ValueId];
  const { shape, dtype } = graph.values[x]!;
  const { axes, descending, kept, nanFirst } = order(params);
  if (nanFirst || sizeOf(graph.values[output]!.shape) === 0) return undefined;
  const { outer, count, inner } = extentsAround(shape, axes[0]!);
  const few = kept * 8 < count;
  if (dtype === "bool" || count > (few ? LONGEST : LONGEST_WHOLE)) return undefined;
  const sort: LineSort = { dtype, count, inner, descending, kept };
  const scratchBytes = Math.ceil(sortScratchBytes(sort) / 64) * 64;
  const [outBytes, dataBytes] = [kept * inner * 4, count * inner * BYTES[dtype]];
  return {
    key: JSON.stringify(["sort", sort]),
    emit: (module) => emitLineSort(module, sort),
    scratchBytes,
    slices: outer,
    nanoseconds: sizeOf(shape) * (few ? NS.filtered : NS.sorted),
    calls: ([from, to], { offsets, scratch }) => [[
      offsets.get(output)! + from * outBytes,
      offsets.get(x)! + from * dataBytes,
      scratch,
      to - from,
    ]],
  };
}

/** Positions that must be checked; `undefined` where they are certain to lie in their axis. */
function positionsToCheck(id: ValueId, extent: number, caller: string, graph: Graph) {
  const isInside = new Bounds(graph).isBelow(id, extent);
  return isInside ? undefined : { id, extent, caller } satisfies Positions;
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
    positions: positionsToCheck(indices, count, name, graph),
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

/** The kernel of a step that finds the largest slices by position; `undefined` of booleans. */
function maximaKernel(
  { inputs, params, output }: Step,
  { name, axis }: ScatterOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  const { shape, dtype } = graph.values[output]!;
  if (dtype === "bool" || sizeOf(shape) === 0) return undefined;
  const [updates, indices] = inputs as [ValueId, ValueId];
  const { outer, count, inner } = extentsAround(shape, axis(params));
  const picked = sizeOf(graph.values[indices]!.shape);
  const maximum: SliceMaximum = { dtype, count, picked, inner };
  const own = { base: undefined, indices, updates };
  return {
    key: JSON.stringify(["maxima", maximum]),
    emit: (module) => emitMaxima(module, maximum),
    scratchBytes: 0,
    positions: positionsToCheck(indices, count, name, graph),
    slices: outer,
    nanoseconds: outer * (count + picked) * inner * NS.picked,
    calls: (range, places) => scatterCalls(output, own, { ...maximum, by: "slice" }, range, places),
  };
}

/** The kernel of a step that adds up by position; `undefined` of integers. */
export function scatterKernel(
  step: Step,
  op: ScatterOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  if (op.reduce === "max") return maximaKernel(step, op, graph);
  const [{ inputs, params, output }, { by, axis }] = [step, op];
  const { shape, dtype } = graph.values[output]!;
  if ((dtype !== "float32" && dtype !== "float64") || sizeOf(shape) === 0) return undefined;
  const [onto, indices, updates] = by === "slice"
    ? inputs as [ValueId, ValueId, ValueId]
    : [undefined, inputs[1]!, inputs[0]!];
  const constant = onto === undefined ? undefined : graph.constants.get(onto);
  const base = constant && Object.is(uniformValue(constant), 0) ? undefined : onto;
  const { outer, count, inner } = extentsAround(shape, axis(params));
  const added = sizeOf(graph.values[updates]!.shape);
  const sum: ScatterSum = {
    ...{ by, dtype, onto: base === undefined ? "zeros" : "values" },
    ...{ count, picked: added / outer / inner, inner },
  };
  // Positions of values were checked where the values were taken, but that step may be gone.
  const caller = by === "slice" ? "scatterAdd" : "takeAlongAxis";
  return {
    key: JSON.stringify(["scatter", sum]),
    emit: (module) => emitScatter(module, sum),
    scratchBytes: Math.ceil(scatterScratchBytes(sum) / 64) * 64,
    positions: positionsToCheck(indices, count, caller, graph),
    slices: outer,
    nanoseconds: (sizeOf(shape) + added) * NS.picked,
    calls: (range, places) => scatterCalls(output, { base, indices, updates }, sum, range, places),
  };
}

function scatterCalls(
  output: ValueId,
  { base, indices, updates }: { base: ValueId | undefined; indices: ValueId; updates: ValueId },
  { by, dtype, count, picked, inner }: SliceMaximum & Pick<ScatterSum, "by">,
  [from, to]: SliceRange,
  { offsets, scratch }: Places,
): number[][] {
  const [whole, part] = [count * inner, picked * inner].map((size) => from * size * BYTES[dtype]);
  return [[
    offsets.get(output)! + whole!,
    base === undefined ? 0 : offsets.get(base)! + whole!,
    offsets.get(updates)! + part!,
    offsets.get(indices)! + (by === "value" ? from * picked * inner * 4 : 0),
    scratch,
    to - from,
  ]];
}

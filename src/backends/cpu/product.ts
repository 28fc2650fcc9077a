/**
 * Products of matrices in programs, and distances: many of them, and sums of them, over outer axes.
 *
 * @module
 */
import type { Precision } from "../../../kernels/functions/algebra.ts";
import { type Axis, mergeAxes } from "../../../kernels/layout/axes.ts";
import { addKernel } from "../../../kernels/matmul/emit.ts";
import {
  type ProductLayout,
  splitOuter,
  withoutColumns,
} from "../../../kernels/matmul/reference.ts";
import { kernelOptions } from "../../../kernels/matmul/wasm.ts";
import { BYTES } from "../../dtype.ts";
import { sizeOf } from "../../shape.ts";
import type { ProductOp } from "../../op.ts";
import type { Graph, Step } from "../../program/graph.ts";
import type { SliceRange, StepKernel } from "./step_kernel.ts";

/** Bytes that a product may need to rearrange its operands. */
const SCRATCH_BYTES = 2 ** 22;

/** Nanoseconds per operation: about 30 GFLOP/s. */
const NS = 1 / 30;

/** So many results of sums of products are kept at hand. */
const FEW_RESULTS = 2 ** 16;

/** The kernel of a product; its slices are rows of tiles, those of one matrix after the other. */
export function productKernel(
  { inputs, params, output }: Step,
  op: ProductOp<unknown>,
  graph: Graph,
): StepKernel {
  const { dtype } = graph.values[output]!;
  const given = op.layout(inputs.map((id) => graph.values[id]!.shape), params);
  const layout = withoutColumns(given);
  const ids = [output, ...layout === given ? inputs : inputs.toReversed()];
  const { m, k, n, out, a, b } = layout;
  const options = kernelOptions(op.term, dtype as Precision, m);
  const { kept, sums } = splitOuter(layout);
  const [count, terms] = [sizeOf(kept), sizeOf(sums)];
  const slices = Math.max(1, Math.ceil(m / options.tileRows));
  const placeOf = (slice: number) =>
    [Math.floor(slice / slices), Math.min(m, slice % slices * options.tileRows)] as const;
  return {
    key: JSON.stringify(["product", options]),
    emit: (module) => addKernel(module, options),
    scratchBytes: SCRATCH_BYTES,
    slices: count * slices,
    nanoseconds: NS * 2 * count * terms * m * k * n,
    calls([from, to], { offsets, scratch }) {
      const starts = [out, a, b].map(({ offset }, i) =>
        offsets.get(ids[i]!)! + offset * BYTES[dtype]
      ) as Triple;
      const callsOf = callsFrom(layout, terms, BYTES[dtype], starts, scratch);
      const [[first, top], [last, bottom]] = [placeOf(from), placeOf(to)];
      if (first === last) return callsOf([first, first + 1], [top, bottom]);
      const whole = top > 0 ? first + 1 : first;
      return [
        ...callsOf([first, whole], [top, m]),
        ...callsOf([whole, last], [0, m]),
        ...callsOf([last, bottom > 0 ? last + 1 : last], [0, bottom]),
      ];
    },
  };
}

type Pair = [number, number];
type Triple = [out: number, a: number, b: number];

/** The arguments for some rows of some matrices, from where the first ones lie. */
type CallsOf = (matrices: SliceRange, rows: SliceRange) => number[][];

/** The calls for sums of so many products each. */
function callsFrom(
  { outer, m, k, n, out, a, b }: ProductLayout,
  terms: number,
  bytes: number,
  begin: Triple,
  scratch: number,
): CallsOf {
  const places = [out, a, b].map(({ strides }) => strides);
  // The last of the outer axes is walked within a call.
  const axes = mergeAxes(outer, places.map((strides) => strides.slice(0, -2)));
  const { extent, strides } = axes.pop() ?? { extent: 1, strides: [0, 0, 0] };
  const [[outRow], [aRow, aColumn], [bRow, bColumn]] = places.map((own) => own.slice(-2)) as [
    Pair,
    Pair,
    Pair,
  ];
  const matrices = (starts: readonly number[], [from, to]: SliceRange, add: boolean): number[] => {
    const [outAt, aAt, bAt] = begin.map((at, i) => at + starts[i]! * bytes) as Triple;
    const isTwice = aAt === bAt && strides[1] === strides[2] && aRow === bColumn &&
      aColumn === bRow;
    const isSymmetric = isTwice && m === n && from === 0 && to === m;
    return [
      ...[outAt + from * outRow * bytes, outRow],
      ...[aAt + from * aRow * bytes, aRow, aColumn],
      ...[bAt, bRow, bColumn],
      ...[to - from, k, n],
      ...[scratch, Number(add), Number(isSymmetric)],
    ];
  };
  return ([first, last], rows) => {
    const calls: { term: number; numbers: number[] }[] = [];
    const end = last * terms;
    for (let at = first * terms; at < end;) {
      const [outside, inner] = [Math.floor(at / extent), at % extent];
      const count = Math.min(extent - inner, end - at);
      const starts = startsAt(outside, axes).map((start, i) => start + inner * strides[i]!);
      const term = at % terms;
      calls.push({ term, numbers: [...matrices(starts, rows, term > 0), count, ...strides] });
      at += count;
    }
    // Few results stay in the caches, so that operands are read once for all of them.
    if ((last - first) * m * n <= FEW_RESULTS) calls.sort((x, y) => x.term - y.term);
    return calls.map(({ numbers }) => numbers);
  };
}

/** Elements from the first matrices to those at a position along outer axes. */
function startsAt(index: number, axes: readonly Axis[]): number[] {
  const starts = [0, 0, 0];
  let rest = index;
  for (const { extent, strides } of axes.toReversed()) {
    strides.forEach((stride, i) => starts[i]! += rest % extent * stride);
    rest = Math.floor(rest / extent);
  }
  return starts;
}

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
      const calls = new ProductCalls(layout, terms, BYTES[dtype], starts, scratch);
      const [[first, top], [last, bottom]] = [placeOf(from), placeOf(to)];
      if (first === last) return calls.of([first, first + 1], [top, bottom]);
      const whole = top > 0 ? first + 1 : first;
      return [
        ...calls.of([first, whole], [top, m]),
        ...calls.of([whole, last], [0, m]),
        ...calls.of([last, bottom > 0 ? last + 1 : last], [0, bottom]),
      ];
    },
  };
}

/** The arguments of calls, given where the first matrices lie. */
class ProductCalls {
  readonly #layout: ProductLayout;
  /** How many products each result is the sum of. */
  readonly #terms: number;
  readonly #bytes: number;
  readonly #starts: Triple;
  readonly #scratch: number;
  /** Outer axes, but for the last, that is walked within a call. */
  readonly #outer: readonly Axis[];
  readonly #batch: Axis;

  constructor(
    layout: ProductLayout,
    terms: number,
    bytes: number,
    starts: Triple,
    scratch: number,
  ) {
    this.#layout = layout;
    this.#terms = terms;
    this.#bytes = bytes;
    this.#starts = starts;
    this.#scratch = scratch;
    const { outer, out, a, b } = layout;
    const axes = mergeAxes(outer, [out, a, b].map(({ strides }) => strides.slice(0, -2)));
    this.#batch = axes.pop() ?? { extent: 1, strides: [0, 0, 0] };
    this.#outer = axes;
  }

  /** The arguments for some rows of some matrices. */
  of([first, last]: SliceRange, rows: SliceRange): number[][] {
    const { extent, strides } = this.#batch;
    const terms = this.#terms;
    const calls: { term: number; numbers: number[] }[] = [];
    const end = last * terms;
    for (let at = first * terms; at < end;) {
      const [outer, inner] = [Math.floor(at / extent), at % extent];
      const count = Math.min(extent - inner, end - at);
      const starts = this.#startsAt(outer).map((start, i) => start + inner * strides[i]!) as Triple;
      const term = at % terms;
      calls.push({ term, numbers: [...this.#matrices(starts, rows, term > 0), count, ...strides] });
      at += count;
    }
    // Few results stay in the caches, so that operands are read once for all of them.
    const { m, n } = this.#layout;
    if ((last - first) * m * n <= FEW_RESULTS) calls.sort((x, y) => x.term - y.term);
    return calls.map(({ numbers }) => numbers);
  }

  /** Elements from the first matrices to those at a position along the outer axes. */
  #startsAt(index: number): number[] {
    const starts = [0, 0, 0];
    let rest = index;
    for (const { extent, strides } of this.#outer.toReversed()) {
      strides.forEach((stride, i) => starts[i]! += rest % extent * stride);
      rest = Math.floor(rest / extent);
    }
    return starts;
  }

  #matrices(starts: Triple, [from, to]: SliceRange, add: boolean): number[] {
    const { m, k, n, ...places } = this.#layout;
    const [out, a, b] = this.#starts.map((at, i) => at + starts[i]! * this.#bytes) as Triple;
    const [[outRow], [aRow, aColumn], [bRow, bColumn]] = [places.out, places.a, places.b].map(
      ({ strides }) => strides.slice(-2) as [number, number],
    ) as [Pair, Pair, Pair];
    const [, aStep, bStep] = this.#batch.strides;
    const isTwice = a === b && aStep === bStep && aRow === bColumn && aColumn === bRow;
    const isSymmetric = isTwice && m === n && from === 0 && to === m;
    return [
      ...[out + from * outRow * this.#bytes, outRow],
      ...[a + from * aRow * this.#bytes, aRow, aColumn],
      ...[b, bRow, bColumn],
      ...[to - from, k, n],
      ...[this.#scratch, Number(add), Number(isSymmetric)],
    ];
  }
}

type Pair = [number, number];
type Triple = [out: number, a: number, b: number];

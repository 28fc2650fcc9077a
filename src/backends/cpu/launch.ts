/**
 * What the kernels of a program are called with, on one thread or on several.
 *
 * Work is split by rows, or by columns where nothing is reduced: no sum is ever cut, so that any
 * number of threads gives the same bits.
 *
 * @module
 */
import type { Precision } from "../../../kernels/functions/algebra.ts";
import { STRIP } from "../../../kernels/elementwise/columns.ts";
import { rowsAtOnce } from "../../../kernels/elementwise/wasm.ts";
import { type Axis, mergeAxes } from "../../../kernels/layout/axes.ts";
import { type TiledBytes, tiledRows } from "../../../kernels/layout/tiles.ts";
import { blockShape, type KernelOptions } from "../../../kernels/matmul/emit.ts";
import {
  type ProductLayout,
  splitOuter,
  withoutColumns,
} from "../../../kernels/matmul/reference.ts";
import { kernelOptions } from "../../../kernels/matmul/wasm.ts";
import { BYTES } from "../../dtype.ts";
import { sizeOf } from "../../shape.ts";
import type { ProductOp } from "../../op.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import type { GroupLoop } from "../../program/loops.ts";
import { walkOuter } from "../../program/space.ts";

/** The arguments of one call after the other. */
export type Calls = readonly (readonly number[])[];

/** A stretch of rows or columns: the first, and the one after the last. */
type Range = readonly [from: number, to: number];

/** Bytes that a product may need to rearrange its operands, for each part of it. */
export const SCRATCH_BYTES: number = 2 ** 22;

/** Work that takes less than this, by a rough estimate, is done by one thread. */
export const SMALLEST_SHARED_NS = 40_000;

/** Nanoseconds per operation: about 30 GFLOP/s in products, and a statement per element in loops. */
const NS = { product: 1 / 30, statement: 1 / 4 } as const;

/** Columns that are kept together: whole cache lines, of the smallest elements too. */
const COLUMNS_TOGETHER = 64;

/** Loops are split by columns where there are fewer rows than this for each thread. */
const ROWS_PER_THREAD = 4;

/** So many results of sums of products are kept at hand. */
const FEW_RESULTS = 2 ** 16;

/** Temporary stores start where cache lines do. */
const CACHE_LINE = 64;

/** Calls for less than this many elements would be more words than work. */
const LEAST_ELEMENTS = 64;

/** A loop and the places of what it reads and writes; from `scratch` on, what it keeps for a while. */
export class LoopCalls {
  readonly #loop: GroupLoop;
  readonly #targets: readonly Walk[];
  readonly #sources: readonly Walk[];
  readonly #stages: readonly { at: number; part: number }[];

  constructor(loop: GroupLoop, offsets: ReadonlyMap<ValueId, number>, scratch = 0) {
    const { spec, space, inputs, outputs } = loop;
    const { rows, columns, over } = space;
    const down = over === "column";
    this.#loop = loop;
    const { temporaries, stages, bytes: part } = scratchPlaces(loop);
    this.#stages = stages.map(({ at }) => ({ at: scratch + at, part }));
    this.#targets = spec.stores.map(({ dtype, moves, temporary }, i) => {
      const bytes = BYTES[dtype];
      if (temporary) {
        const { at, step } = temporaries[i - outputs.length]!;
        return { at: scratch + at, bytes, along: 0, step, block: 0, part };
      }
      const at = offsets.get(outputs[i]!)!;
      const [step, block] = moves
        ? [columns, rows * columns]
        : over === "row"
        ? [1, rows]
        : [0, down ? columns : 1];
      const along = moves || down ? bytes : 0;
      return { at, bytes, along, step: step * bytes, block: block * bytes, part: 0 };
    });
    let staged = 0;
    this.#sources = spec.operands.map(({ dtype, turned }, i) => {
      const { along, step } = space.operands[i]!;
      const bytes = BYTES[dtype];
      const at = offsets.get(inputs[i]!)!;
      const pitch = turned ? stages[staged++]!.step : undefined;
      return { at, bytes, along: along * bytes, step: step * bytes, pitch, block: 0, part: 0 };
    });
  }

  /** Visits the arguments of all calls for all rows. */
  each(visit: (numbers: number[]) => void): void {
    const { space } = this.#loop;
    const [rows, columns] = [[0, space.rows], [0, space.columns]] as const;
    this.#walk((index, starts) => visit(this.#numbers(index, starts, rows, columns, 0)));
  }

  /** A part for each thread; `undefined` where it is best or necessary to stay on one. */
  split(threads: number, smallestNs: number): Calls[] | undefined {
    const { space: { outer, rows, columns, over }, spec: { body } } = this.#loop;
    const elements = rows * columns;
    const blocks = sizeOf(outer);
    if (NS.statement * blocks * elements * body.length < smallestNs) return undefined;
    if (outer.length > 0 && elements < LEAST_ELEMENTS) return undefined;
    if (over === "column") {
      return ifSeveral(this.#inBlocks(threads, blocks, columns, COLUMNS_TOGETHER));
    }
    const reduces = body.some((statement) => "reduce" in statement);
    const byColumns = !reduces && outer.length === 0 && rows < ROWS_PER_THREAD * threads;
    return ifSeveral(
      byColumns
        ? this.#inBlocks(threads, blocks, columns, COLUMNS_TOGETHER)
        : this.#inBlocks(threads, blocks, rows, 1),
    );
  }

  /** Shares of the rows of all blocks, or of their columns where those come in units. */
  #inBlocks(threads: number, blocks: number, count: number, unit: number): number[][][] {
    const { rows, columns, over } = this.#loop.space;
    const units = over === "all" ? 1 : Math.ceil(count / unit);
    const size = over === "all" ? count : unit;
    const ranges = shares(blocks * units, threads, 1);
    const parts: number[][][] = ranges.map(() => []);
    this.#walk((index, starts) => {
      ranges.forEach(([from, to], part) => {
        const bound = (at: number) =>
          Math.min(count, Math.min(units, Math.max(0, at - index * units)) * size);
        const own: Range = [bound(from), bound(to)];
        if (isEmpty(own)) return;
        const byRows = unit === 1;
        const [some, across] = byRows ? [own, [0, columns] as const] : [[0, rows] as const, own];
        parts[part]!.push(this.#numbers(index, starts, some, across, part));
      });
    });
    return parts;
  }

  #walk(visit: (index: number, starts: readonly number[]) => void): void {
    const starts = this.#sources.map(() => 0);
    walkOuter(this.#loop.space, starts, (index) => visit(index, starts));
  }

  /** The arguments for some rows and columns of a block, on one of several threads. */
  #numbers(
    block: number,
    starts: readonly number[],
    rows: Range,
    columns: Range,
    thread: number,
  ): number[] {
    const address = (walk: Walk, start: number) =>
      walk.at + start * walk.bytes + block * walk.block + thread * walk.part +
      (walk.part > 0 ? 0 : rows[0] * walk.step + columns[0] * walk.along);
    return [
      ...this.#targets.map((walk) => address(walk, 0)),
      ...this.#sources.map((walk, i) => address(walk, starts[i]!)),
      ...this.#targets.map(({ step }) => step),
      ...this.#sources.map(({ step, pitch = step }) => pitch),
      ...this.#stages.map(({ at, part }) => at + thread * part),
      rows[1] - rows[0],
      columns[1] - columns[0],
    ];
  }
}

/** How a loop walks along a value, in bytes. */
interface Walk {
  at: number;
  bytes: number;
  step: number;
  /** The same where rows are turned around first. */
  pitch?: number | undefined;
  /** From column to column; 0 where it does not change. */
  along: number;
  /** From one block of rows to the next, beside what operands have for that. */
  block: number;
  /** From one thread's to the next one's; 0 where they share it. */
  part: number;
}

/** How many bytes a loop needs for what it keeps for a while, on each thread. */
export function temporaryBytes(loop: GroupLoop): number {
  return scratchPlaces(loop).bytes;
}

/** A stretch of scratch memory, and the bytes from row to row. */
interface Scratch {
  at: number;
  step: number;
}

/** Where temporary stores lie, and rows that are turned around, one behind the other. */
function scratchPlaces(
  { spec, space }: GroupLoop,
): { temporaries: Scratch[]; stages: Scratch[]; bytes: number } {
  const isColumn = space.over === "column";
  const height = isColumn || spec.together ? space.rows : rowsAtOnce(spec);
  const width = isColumn ? STRIP[spec.float] : space.columns;
  let bytes = 0;
  const take = (rows: number, step: number): Scratch => {
    const at = bytes;
    bytes += Math.ceil(rows * step / CACHE_LINE) * CACHE_LINE;
    return { at, step };
  };
  const temporaries = spec.stores.flatMap(({ dtype, temporary }) =>
    temporary ? [take(height, width * BYTES[dtype])] : []
  );
  // Apart by a cache line more, so that rows do not fall onto the same lines of the cache.
  const stages = spec.operands.flatMap(({ dtype, turned }) =>
    turned
      ? [take(tiledRows(BYTES[dtype] as TiledBytes), space.columns * BYTES[dtype] + CACHE_LINE)]
      : []
  );
  return { temporaries, stages, bytes };
}

/** Products of matrices, or distances, and the places of their operands. */
export class ProductCalls {
  /** The kernel that they need. */
  readonly options: KernelOptions;
  readonly #layout: ProductLayout;
  /** Outer axes, but for the last, that is walked within a call. */
  readonly #outer: readonly Axis[];
  readonly #batch: Axis;
  /** Where the first matrices lie. */
  readonly #starts: Triple;
  readonly #bytes: number;
  readonly #scratch: number;
  /** How many products each result is the sum of. */
  readonly #terms: number;

  constructor(
    { inputs, params, output }: Step,
    op: ProductOp<unknown>,
    graph: Graph,
    offsets: ReadonlyMap<ValueId, number>,
    scratch: number,
  ) {
    const { dtype } = graph.values[output]!;
    this.#bytes = BYTES[dtype];
    this.#scratch = scratch;
    const layout = op.layout(inputs.map((id) => graph.values[id]!.shape), params);
    this.#layout = withoutColumns(layout);
    const { outer, out, a, b } = this.#layout;
    this.options = kernelOptions(op.term, dtype as Precision, this.#layout.m);
    this.#terms = sizeOf(splitOuter(this.#layout).sums);
    const axes = mergeAxes(outer, [out, a, b].map(({ strides }) => strides.slice(0, -2)));
    this.#batch = axes.pop() ?? { extent: 1, strides: [0, 0, 0] };
    this.#outer = axes;
    const ids = [output, ...this.#layout === layout ? inputs : inputs.toReversed()];
    this.#starts = [out, a, b].map(({ offset }, i) =>
      offsets.get(ids[i]!)! + offset * this.#bytes
    ) as Triple;
  }

  /** The arguments of the calls for all rows of all matrices. */
  whole(): Calls {
    return this.#calls([0, this.#count], [0, this.#layout.m], 0);
  }

  /** A part for each thread; `undefined` where it is best or necessary to stay on one. */
  split(threads: number, smallestNs: number): Calls[] | undefined {
    const { m, k, n } = this.#layout;
    if (NS.product * 2 * this.#count * this.#terms * m * k * n < smallestNs) return undefined;
    const byMatrices = this.#count >= threads;
    const ranges = byMatrices
      ? shares(this.#count, threads, 1)
      : shares(m, threads, blockShape(this.options).tileRows);
    return ifSeveral(ranges.map((range, part) => {
      if (isEmpty(range)) return [];
      return byMatrices
        ? this.#calls(range, [0, m], part)
        : this.#calls([0, this.#count], range, part);
    }));
  }

  get #count(): number {
    return sizeOf(splitOuter(this.#layout).kept);
  }

  /** The arguments for some rows of some matrices, on one of several threads. */
  #calls([first, last]: Range, rows: Range, part: number): number[][] {
    const { extent, strides } = this.#batch;
    const terms = this.#terms;
    const calls: { term: number; numbers: number[] }[] = [];
    const end = last * terms;
    for (let at = first * terms; at < end;) {
      const [outer, inner] = [Math.floor(at / extent), at % extent];
      const count = Math.min(extent - inner, end - at);
      const starts = this.#startsAt(outer).map((start, i) => start + inner * strides[i]!) as Triple;
      const term = at % terms;
      const numbers = [...this.#matrices(starts, rows, part, term > 0), count, ...strides];
      calls.push({ term, numbers });
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

  #matrices(starts: Triple, [from, to]: Range, part: number, add: boolean): number[] {
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
      ...[this.#scratch + part * SCRATCH_BYTES, Number(add), Number(isSymmetric)],
    ];
  }
}

type Pair = [number, number];
type Triple = [out: number, a: number, b: number];

/** Contiguous shares of `count`, one for each thread, about equal, in multiples of `unit`. */
function shares(count: number, threads: number, unit: number): Range[] {
  const units = Math.ceil(count / unit);
  const bound = (i: number) => Math.min(count, Math.round(units * i / threads) * unit);
  return Array.from({ length: threads }, (_, i) => [bound(i), bound(i + 1)]);
}

function isEmpty([from, to]: Range): boolean {
  return from >= to;
}

function ifSeveral(parts: Calls[]): Calls[] | undefined {
  return parts.filter(({ length }) => length > 0).length > 1 ? parts : undefined;
}

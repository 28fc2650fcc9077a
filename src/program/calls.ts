/**
 * What the kernels of a program are called with, on one thread or on several.
 *
 * Work is split by rows, or by columns where nothing is reduced: no sum is ever cut, so that any
 * number of threads gives the same bits.
 *
 * @module
 */
import { blockShape, type FloatType, type KernelOptions } from "../../kernels/matmul/emit.ts";
import { kernelOptions } from "../../kernels/matmul/inner_product.ts";
import { BYTES } from "../dtype.ts";
import { pairwiseSquaredDistanceOp } from "../ops/linalg.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import type { GroupLoop } from "./loops.ts";
import type { Transposed } from "./passes/transposed_matmul.ts";
import { walkOuter } from "./space.ts";

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

/** Calls for less than this many elements would be more words than work. */
const LEAST_ELEMENTS = 64;

/** A loop and the places of what it reads and writes. */
export class LoopCalls {
  readonly #loop: GroupLoop;
  readonly #targets: readonly Lane[];
  readonly #sources: readonly Lane[];

  constructor(loop: GroupLoop, offsets: ReadonlyMap<ValueId, number>) {
    const { spec, space, outputs } = loop;
    this.#loop = loop;
    this.#targets = spec.stores.map(({ dtype, moves }, i) => {
      const bytes = BYTES[dtype];
      const step = moves ? space.columns * bytes : bytes;
      return { at: offsets.get(outputs[i]!)!, bytes, step, moves };
    });
    this.#sources = spec.operands.map(({ name, dtype }, i) => {
      const { moves, step } = space.operands[i]!;
      const bytes = BYTES[dtype];
      return { at: offsets.get(Number(name.slice(1)))!, bytes, step: step * bytes, moves };
    });
  }

  /** Visits the arguments of all calls for all rows. */
  each(visit: (numbers: number[]) => void): void {
    const { space } = this.#loop;
    const [rows, columns] = [[0, space.rows], [0, space.columns]] as const;
    this.#walk((index, starts) => visit(this.#numbers(index, starts, rows, columns)));
  }

  /** A part for each thread; `undefined` where it is best or necessary to stay on one. */
  split(threads: number, smallestNs: number): Calls[] | undefined {
    const { space: { outer, rows, columns }, spec: { body } } = this.#loop;
    const elements = rows * columns;
    const blocks = outer.reduce((a, b) => a * b, 1);
    if (NS.statement * blocks * elements * body.length < smallestNs) return undefined;
    if (outer.length > 0 && elements < LEAST_ELEMENTS) return undefined;
    const reduces = body.some((statement) => "reduce" in statement);
    const byColumns = !reduces && outer.length === 0 && rows < ROWS_PER_THREAD * threads;
    return ifSeveral(byColumns ? this.#byColumns(threads) : this.#byRows(threads, blocks));
  }

  #byColumns(threads: number): number[][][] {
    const { rows, columns } = this.#loop.space;
    const starts = this.#sources.map(() => 0);
    return shares(columns, threads, COLUMNS_TOGETHER).map((range) =>
      isEmpty(range) ? [] : [this.#numbers(0, starts, [0, rows], range)]
    );
  }

  #byRows(threads: number, blocks: number): number[][][] {
    const { rows, columns } = this.#loop.space;
    const ranges = shares(blocks * rows, threads, 1);
    const parts: number[][][] = ranges.map(() => []);
    this.#walk((index, starts) => {
      ranges.forEach(([from, to], part) => {
        const own = [
          Math.max(0, from - index * rows),
          Math.min(rows, to - index * rows),
        ] as const;
        if (!isEmpty(own)) parts[part]!.push(this.#numbers(index, starts, own, [0, columns]));
      });
    });
    return parts;
  }

  #walk(visit: (index: number, starts: readonly number[]) => void): void {
    const starts = this.#sources.map(() => 0);
    walkOuter(this.#loop.space, starts, (index) => visit(index, starts));
  }

  /** The arguments for some rows and columns of a block. */
  #numbers(block: number, starts: readonly number[], rows: Range, columns: Range): number[] {
    const address = ({ at, bytes, step, moves }: Lane, start: number, row: number) =>
      at + start * bytes + row * step + (moves ? columns[0] * bytes : 0);
    const first = block * this.#loop.space.rows + rows[0];
    return [
      ...this.#targets.map((lane) => address(lane, 0, first)),
      ...this.#sources.map((lane, i) => address(lane, starts[i]!, rows[0])),
      ...this.#targets.map(({ step }) => step),
      ...this.#sources.map(({ step }) => step),
      rows[1] - rows[0],
      columns[1] - columns[0],
    ];
  }
}

/** How a loop walks along a value, in bytes. */
interface Lane {
  at: number;
  bytes: number;
  step: number;
  moves: boolean;
}

/** A product of matrices, or distances, and the places of its operands. */
export class ProductCalls {
  /** The kernel that it needs. */
  readonly options: KernelOptions;
  readonly #numbers: (rows: Range, part: number) => number[];
  readonly #size: { m: number; k: number; n: number };

  constructor(
    { op, inputs, params, output }: Step,
    graph: Graph,
    offsets: ReadonlyMap<ValueId, number>,
    scratch: number,
  ) {
    const isDistance = op as unknown === pairwiseSquaredDistanceOp;
    const { shape, dtype } = graph.values[output]!;
    this.options = kernelOptions(
      isDistance ? "squaredDifference" : "product",
      dtype as FloatType,
    );
    const { a: left, b: right } = isDistance
      ? { a: false, b: true }
      : (params as Transposed | null) ?? { a: false, b: false };
    const matrix = (id: number, transposed: boolean) => {
      const columns = graph.values[id]!.shape[1]!;
      const strides = transposed ? [1, columns] as const : [columns, 1] as const;
      return { at: offsets.get(id)!, strides };
    };
    const [a, b] = [matrix(inputs[0]!, left), matrix(inputs[1]!, right)];
    const [m, n] = shape as [number, number];
    const k = graph.values[inputs[0]!]!.shape[left ? 0 : 1]!;
    const out = offsets.get(output)!;
    const bytes = BYTES[dtype];
    this.#size = { m, k, n };
    this.#numbers = ([from, to], part) => [
      ...[out + from * n * bytes, n],
      ...[a.at + from * a.strides[0] * bytes, ...a.strides],
      ...[b.at, ...b.strides],
      ...[to - from, k, n],
      ...[scratch + part * SCRATCH_BYTES, 0],
    ];
  }

  /** The arguments of one call for all rows. */
  whole(): number[] {
    return this.#numbers([0, this.#size.m], 0);
  }

  /** A part for each thread; `undefined` where it is best or necessary to stay on one. */
  split(threads: number, smallestNs: number): Calls[] | undefined {
    const { m, k, n } = this.#size;
    if (NS.product * 2 * m * k * n < smallestNs) return undefined;
    const ranges = shares(m, threads, blockShape(this.options).tileRows);
    return ifSeveral(
      ranges.map((range, i) => isEmpty(range) ? [] : [this.#numbers(range, i)]),
    );
  }
}

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

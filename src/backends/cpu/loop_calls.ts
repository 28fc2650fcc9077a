/**
 * What the kernels of loops are called with, on one thread or on several.
 *
 * Work is split by rows, or by columns where nothing is reduced: no sum is ever cut, so that any
 * number of threads gives the same bits.
 *
 * @module
 */
import { STRIP } from "../../../kernels/elementwise/columns.ts";
import { rowsAtOnce } from "../../../kernels/elementwise/wasm.ts";
import { type TiledBytes, tiledRows } from "../../../kernels/layout/tiles.ts";
import { BYTES } from "../../dtype.ts";
import { sizeOf } from "../../shape.ts";
import type { ValueId } from "../../program/graph.ts";
import type { GroupLoop } from "../../program/loops.ts";
import { walkOuter } from "../../program/space.ts";
import type { Calls, SliceRange } from "./step_kernel.ts";

/** Nanoseconds per statement and element, about. */
const NS = 1 / 4;

/** Columns that are kept together: whole cache lines, of the smallest elements too. */
const COLUMNS_TOGETHER = 64;

/** Loops are split by columns where there are fewer rows than this for each thread. */
const ROWS_PER_THREAD = 4;

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
    if (NS * blocks * elements * body.length < smallestNs) return undefined;
    if (outer.length > 0 && elements < LEAST_ELEMENTS) return undefined;
    const reduces = body.some((statement) => "reduce" in statement);
    const byColumns = over === "column" ||
      (!reduces && outer.length === 0 && rows < ROWS_PER_THREAD * threads);
    const parts = byColumns
      ? this.#inBlocks(threads, columns, COLUMNS_TOGETHER)
      : this.#inBlocks(threads, rows, 1);
    return parts.filter(({ length }) => length > 0).length > 1 ? parts : undefined;
  }

  /** Shares of the rows of all blocks, or of their columns where those come in units. */
  #inBlocks(threads: number, count: number, unit: number): number[][][] {
    const { outer, rows, columns, over } = this.#loop.space;
    const units = over === "all" ? 1 : Math.ceil(count / unit);
    const size = over === "all" ? count : unit;
    const share = (part: number) => Math.round(sizeOf(outer) * units * part / threads);
    const parts = Array.from({ length: threads }, (): number[][] => []);
    this.#walk((index, starts) => {
      parts.forEach((calls, part) => {
        const bound = (at: number) =>
          Math.min(count, Math.min(units, Math.max(0, at - index * units)) * size);
        const own = [bound(share(part)), bound(share(part + 1))] as const;
        if (own[0] >= own[1]) return;
        const [some, across] = unit === 1
          ? [own, [0, columns] as const]
          : [[0, rows] as const, own];
        calls.push(this.#numbers(index, starts, some, across, part));
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
    rows: SliceRange,
    columns: SliceRange,
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

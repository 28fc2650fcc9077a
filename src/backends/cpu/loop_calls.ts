/**
 * What the kernels of loops are called with, on one thread or on several.
 *
 * Work is split by rows, or by columns where nothing is reduced: no sum is ever cut, so that any
 * number of threads gives the same bits.
 *
 * @module
 */
import { rowsAtOnce, STRIP } from "../../../kernels/elementwise/wasm.ts";
import { type TiledBytes, tiledRows } from "../../../kernels/layout/tiles.ts";
import { BYTES } from "../../dtype.ts";
import { sizeOf } from "../../shape.ts";
import type { GroupLoop } from "../../program/loops.ts";
import { walkOuter } from "../../program/space.ts";
import type { Divided, Places, SliceRange, WalkCalls } from "./step_kernel.ts";

/** Nanoseconds per statement and element, about. */
const NS = 1 / 4;

/** Columns that are kept together: whole cache lines, of the smallest elements too. */
const COLUMNS_TOGETHER = 64;

/** Loops over no fewer rows than this are split by rows. */
const FEW_ROWS = 32;

/** Temporary stores start where cache lines do. */
const CACHE_LINE = 64;

/** Fewer elements are not worth a call of their own. */
const LEAST_ELEMENTS = 64;

/** How a loop is called: its slices are rows of one block after the other, or columns side by side. */
export function loopCalls(loop: GroupLoop): Divided {
  const { spec: { body }, space } = loop;
  const { outer, rows, columns, over } = space;
  const [blocks, elements] = [sizeOf(outer), rows * columns];
  const reduces = body.some((statement) => "reduce" in statement);
  const isWide = rows < FEW_ROWS && rows * COLUMNS_TOGETHER < columns;
  const byColumns = over === "column" || (!reduces && outer.length === 0 && isWide);
  const [count, unit] = byColumns ? [columns, COLUMNS_TOGETHER] : [rows, over === "all" ? rows : 1];
  const units = Math.ceil(count / unit);
  // Calls for few elements would be more words than work.
  const together = outer.length > 0 && elements < LEAST_ELEMENTS ? blocks * units : 1;
  const walk = (places: Places): WalkCalls => {
    const numbers = numbersOf(loop, places);
    const starts = space.operands.map(() => 0);
    return ([from, to], visit) =>
      walkOuter(space, starts, (index) => {
        const bound = (slice: number) =>
          Math.min(count, Math.max(0, slice * together - index * units) * unit);
        const own = [bound(from), bound(to)] as const;
        if (own[0] >= own[1]) return;
        const [some, across] = byColumns ? [[0, rows], own] as const : [own, [0, columns]] as const;
        visit(numbers(index, starts, some, across));
      });
  };
  return {
    scratchBytes: scratchPlaces(loop).bytes,
    slices: blocks * units / together,
    nanoseconds: NS * blocks * elements * body.length,
    walk: outer.length > 0 ? walk : undefined,
    calls(range, places) {
      const calls: (readonly number[])[] = [];
      walk(places)(range, (own) => calls.push(own));
      return calls;
    },
  };
}

/** The arguments for some rows and columns of a block, from what its operands start with. */
function numbersOf({ spec, space, inputs, outputs }: GroupLoop, { offsets, scratch }: Places) {
  const { rows, columns, over } = space;
  const down = over === "column";
  const { temporaries, stages } = scratchPlaces({ spec, space });
  const targets = spec.stores.map(({ dtype, moves, temporary }, i): Walk => {
    const bytes = BYTES[dtype];
    if (temporary) {
      const { at, step } = temporaries[i - outputs.length]!;
      return { at: scratch + at, bytes, along: 0, down: 0, step, block: 0 };
    }
    const at = offsets.get(outputs[i]!)!;
    const [step, block] = moves
      ? [columns, rows * columns]
      : over === "row"
      ? [1, rows]
      : [0, down ? columns : 1];
    const along = moves || down ? bytes : 0;
    return { at, bytes, along, down: step * bytes, step: step * bytes, block: block * bytes };
  });
  let staged = 0;
  const sources = spec.operands.map(({ dtype, turned }, i): Walk => {
    const { along, step } = space.operands[i]!;
    const bytes = BYTES[dtype];
    const at = offsets.get(inputs[i]!)!;
    const down = step * bytes;
    // Rows that are turned around first lie apart by what they have there.
    return {
      at,
      bytes,
      along: along * bytes,
      down,
      step: turned ? stages[staged++]!.step : down,
      block: 0,
    };
  });
  return (
    index: number,
    starts: readonly number[],
    [row, lastRow]: SliceRange,
    [column, lastColumn]: SliceRange,
  ): number[] => {
    const address = ({ at, bytes, block, down, along }: Walk, start: number) =>
      at + start * bytes + index * block + row * down + column * along;
    return [
      ...targets.map((own) => address(own, 0)),
      ...sources.map((own, i) => address(own, starts[i]!)),
      ...targets.map(({ step }) => step),
      ...sources.map(({ step }) => step),
      ...stages.map(({ at }) => scratch + at),
      lastRow - row,
      lastColumn - column,
    ];
  };
}

/** How a loop walks along a value, in bytes. */
interface Walk {
  at: number;
  bytes: number;
  /** From row to row in a call. */
  step: number;
  /** From the rows of a call to those of the next; 0 where calls share them. */
  down: number;
  /** From column to column; 0 where it does not change. */
  along: number;
  /** From one block of rows to the next, beside what operands have for that. */
  block: number;
}

/** A stretch of scratch memory, and the bytes from row to row. */
interface Scratch {
  at: number;
  step: number;
}

/** Where temporary stores lie, and rows that are turned around, one behind the other. */
function scratchPlaces(
  { spec, space }: Pick<GroupLoop, "spec" | "space">,
): { temporaries: Scratch[]; stages: Scratch[]; bytes: number } {
  const isColumn = space.over === "column";
  const height = space.over !== "row" ? space.rows : rowsAtOnce(spec);
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

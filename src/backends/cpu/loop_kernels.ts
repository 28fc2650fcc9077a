/**
 * The kernels of a program's loops, and what they are called with, on one thread or on several.
 *
 * Work is split by rows, or by columns where nothing is reduced: no sum is ever cut, so that any
 * number of threads gives the same bits.
 *
 * @module
 */
import type { LoopSpec } from "../../../kernels/elementwise/passes.ts";
import { emitLoop, rowsAtOnce, STRIP } from "../../../kernels/elementwise/wasm.ts";
import { type TiledBytes, tiledRows } from "../../../kernels/layout/tiles.ts";
import { BYTES } from "../../dtype.ts";
import type { LookupOp } from "../../op.ts";
import type { Graph } from "../../program/graph.ts";
import { type GroupLoop, keepingLoopOf } from "../../program/loops.ts";
import { formatExact } from "../../program/passes/common_subexpressions.ts";
import { type Group, lookupsOf } from "../../program/passes/fuse.ts";
import { type OperandWalk, walkOuter } from "../../program/space.ts";
import { sizeOf, stridesOf } from "../../shape.ts";
import type { Kernels } from "./kernels.ts";
import { lookupKernel } from "./select.ts";
import type { Places, StepKernel, WalkCalls } from "./step_kernel.ts";

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

/**
 * The kernel of a group: its slices are rows of one block after the other, or columns side by side.
 * Slices that it reads where they are have positions to be checked.
 */
export function loopKernel(group: Group, graph: Graph): StepKernel {
  const loop = keepingLoopOf(group, graph);
  const { spec, space: { outer, rows, columns } } = loop;
  const blocks = sizeOf(outer);
  const { units, together } = cutOf(loop);
  const walk = (places: Places) => walkCalls(loop, places);
  return {
    loop: spec,
    key: outlineOf(spec),
    emit: (module) => emitLoop(module, spec),
    verified: lookupsOf(group).flatMap((step) =>
      lookupKernel(step, step.op as LookupOp<unknown>, graph)?.verified ?? []
    ),
    scratchBytes: scratchPlaces(loop).bytes,
    slices: blocks * units / together,
    nanoseconds: NS * blocks * rows * columns * spec.body.length,
    walk: outer.length > 0 ? walk : undefined,
    calls(range, places) {
      const calls: (readonly number[])[] = [];
      walk(places)(range, (own) => calls.push(own));
      return calls;
    },
  };
}

/** How blocks are cut into units of rows or columns, and how many units are a slice. */
function cutOf({ spec, space: { outer, rows, columns, over } }: GroupLoop) {
  const reduces = spec.body.some((statement) => "reduce" in statement);
  const isWide = rows < FEW_ROWS && rows * COLUMNS_TOGETHER < columns;
  const byColumns = over === "column" || (!reduces && outer.length === 0 && isWide);
  const [count, unit] = byColumns ? [columns, COLUMNS_TOGETHER] : [rows, over === "all" ? rows : 1];
  const units = Math.ceil(count / unit);
  // Calls for few elements would be more words than work.
  const isLittle = outer.length > 0 && rows * columns < LEAST_ELEMENTS;
  return { byColumns, count, unit, units, together: isLittle ? sizeOf(outer) * units : 1 };
}

/** Visits the calls for slices of a loop. */
function walkCalls(loop: GroupLoop, places: Places): WalkCalls {
  const { outer, rows, columns } = loop.space;
  const { byColumns, count, unit, units, together } = cutOf(loop);
  const scratch = scratchPlaces(loop);
  const views = viewsOf(loop, places, scratch);
  const starts = views.map(() => 0);
  return ([from, to], visit) =>
    walkOuter({ outer, operands: views }, starts, (index) => {
      const bound = (slice: number) =>
        Math.min(count, Math.max(0, slice * together - index * units) * unit);
      const own = [bound(from), bound(to)] as const;
      if (own[0] >= own[1]) return;
      const [[row, bottom], [column, end]] = byColumns
        ? [[0, rows], own] as const
        : [own, [0, columns]] as const;
      visit([
        ...views.map(({ at, bytes, along, step }, i) =>
          at + (starts[i]! + row * step + column * along) * bytes
        ),
        ...views.map(({ pitch }) => pitch),
        ...scratch.stages.map(({ at }) => places.scratch + at),
        bottom - row,
        end - column,
      ]);
    });
}

/** How a loop walks along a value, from where it begins in memory. */
interface View extends OperandWalk {
  at: number;
  bytes: number;
  /** Bytes from row to row in a call: those of scratch memory where rows lie there meanwhile. */
  pitch: number;
}

/** The values that a loop writes and reads, in the order of its parameters. */
function viewsOf(
  { spec, space, inputs, outputs }: GroupLoop,
  { offsets, scratch }: Places,
  { temporaries, stages }: ReturnType<typeof scratchPlaces>,
): View[] {
  const { outer, rows, columns, over } = space;
  // What there is once per row, per column or per block.
  const once = { row: [0, 1, rows], column: [1, 0, columns], all: [0, 0, 1] } as const;
  const targets = spec.stores.map(({ dtype, moves, temporary }, i): View => {
    const bytes = BYTES[dtype];
    const [along, step, block] = moves ? [1, columns, rows * columns] as const : once[over];
    const outerStrides = stridesOf(outer).map((stride) => stride * block);
    const view = { offset: 0, along, step, outerStrides, bytes };
    if (!temporary) return { ...view, at: offsets.get(outputs[i]!)!, pitch: step * bytes };
    const own = temporaries[i - outputs.length]!;
    const shared = { along: 0, step: 0, outerStrides: outer.map(() => 0) };
    return { ...view, ...shared, at: scratch + own.at, pitch: own.step };
  });
  const turned = stages.values();
  const sources = spec.operands.map((operand, i): View => {
    const bytes = BYTES[operand.dtype];
    const walk = space.operands[i]!;
    // Rows that are turned around first lie apart by what they have there.
    const pitch = operand.turned ? turned.next().value!.step : walk.step * bytes;
    return { ...walk, bytes, at: offsets.get(inputs[i]!)!, pitch };
  });
  return [...targets, ...sources];
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

/** Adds those of some kernels that are loops, as functions of one module. */
export function addLoops(kernels: Kernels, all: readonly StepKernel[]): void {
  const loops = all.filter(({ loop }) => loop !== undefined);
  try {
    kernels.add(loops);
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    const most = (count: (spec: LoopSpec) => number) =>
      Math.max(...loops.map(({ loop }) => count(loop!)));
    const tensors = most(({ operands, stores }) => operands.length + stores.length);
    throw new RangeError(
      `Cannot compile the program as one of its loops is larger than WebAssembly allows: loops ` +
        `have up to ${tensors} tensors and ${most(({ body }) => body.length)} statements; ` +
        `compile it in parts, or hold parameters in fewer, larger tensors`,
      { cause },
    );
  }
}

/** What a loop does, whatever its values are called: equal layers share their kernels. */
function outlineOf(spec: LoopSpec): string {
  const exact = (_key: string, value: unknown) =>
    typeof value === "number" ? formatExact(value) : value;
  const names = new Map<string, string>();
  return JSON.stringify(spec, exact).replaceAll(/"v\d+\w*"/g, (name) => {
    const own = names.get(name) ?? `"${names.size}"`;
    names.set(name, own);
    return own;
  });
}

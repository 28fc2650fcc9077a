/**
 * Maps over blocks of rows as small programs, where nothing else is compiled: eager losses of all
 * pairs of cells.
 *
 * @module
 */
import { hasSimd } from "../../kernels/wasm/features.ts";
import { CpuExecutable } from "../backends/cpu/executable.ts";
import { Memories } from "../backends/cpu/kernels.ts";
import type { RowBlocks } from "../op.ts";
import type { Graph } from "../program/graph.ts";
import { countRows } from "../ops/row_blocks.ts";
import { optimize } from "../program/optimize.ts";
import { record } from "../program/record.ts";
import { isSame, loopIn } from "../program/row_blocks.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";

/** From when on maps are left to programs. */
export interface Least {
  /** Rows times given values from which on a map is looked at: recording is work, too. */
  pairs: number;
  /** Values made by all blocks from which on it pays to compile. */
  values: number;
}

/** A second of work or so for what takes a tenth of that to compile. */
const LEAST: Least = { pairs: 2 ** 24, values: 2 ** 27 };

/** Blocks of so many kinds are compiled; others have too little in common. */
const MOST_KINDS = 4;

/** Programs of earlier maps that are kept, and the bytes that they keep in all. */
const MOST_KEPT = 8;
const MOST_BYTES = 2 ** 28;

/** Those used last are at the end. */
const kept: CpuExecutable[] = [];

const memories = new Memories();

/**
 * The values of a map, by a program that is recorded at this call, so that it sees whatever the
 * function closes over as it is now; it is compiled unless an earlier one does just the same.
 * `undefined` where that would not pay, or where the function cannot be recorded: what is wrong with
 * it, it says again when it runs as it is.
 */
export function runBlocks(
  name: string,
  blocks: RowBlocks,
  inputs: readonly Tensor[],
  least: Least = LEAST,
): Tensor | undefined {
  const rows = countRows(blocks, inputs);
  const given = inputs.reduce((sum, { size }) => sum + size, 0);
  if (rows <= blocks.height || rows * given < least.pairs || !hasSimd()) return undefined;
  try {
    const map = { name, blocks, compose: composed, vjp: () => [] };
    const graph = record(inputs, (live) => [apply(map, live, null)]);
    if (!isWorthwhile(graph, least)) return undefined;
    return executableOf(optimize(graph)).run(inputs)[0];
  } catch {
    return undefined;
  }
}

function composed(): never {
  throw new TypeError("Cannot compose a map that is being recorded");
}

/** Whether the blocks of a graph's loop have much in common, and much to do. */
function isWorthwhile({ steps }: Graph, least: Least): boolean {
  const runs = steps.flatMap((step) => loopIn(step)?.runs ?? []);
  const values = runs.reduce(
    (sum, { body, count }) =>
      sum +
      count * body.steps.reduce((all, { output }) => all + sizeOf(body.values[output]!.shape), 0),
    0,
  );
  return runs.length <= MOST_KINDS && values >= least.values;
}

/** An executable of a graph, which may have been made for an earlier one that says the same. */
function executableOf(graph: Graph): CpuExecutable {
  const at = kept.findIndex((executable) => isSame(executable.graph, graph));
  const found = at < 0 ? new CpuExecutable(graph, { memories }) : kept.splice(at, 1)[0]!;
  kept.push(found);
  let bytes = kept.reduce((sum, executable) => sum + executable.bytes, 0);
  while (kept.length > MOST_KEPT || bytes > MOST_BYTES) {
    const oldest = kept.shift()!;
    bytes -= oldest.bytes;
    if (oldest !== found) oldest.dispose();
  }
  return found;
}

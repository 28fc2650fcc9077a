/**
 * Loops of programs whose turns follow one another: what one makes, the next one sees.
 *
 * @module
 */
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { interpret } from "../transforms/body.ts";
import { type Loop, loopOp, type LoopParams, resultsOf, rowSpec } from "../transforms/loop.ts";
import type { Graph } from "./graph.ts";
import { eliminateDeadCode } from "./passes/dead_code.ts";
import {
  type BlockInput,
  type BlockResult,
  type RecordBody,
  type RowLoop,
  SHARED,
} from "./row_blocks.ts";

/** Records what is done in every turn of a loop, and where its results of one type lie. */
export function recordTurns(
  { loop, dtype }: LoopParams,
  inputs: readonly Tensor[],
  recordBody: RecordBody,
): RowLoop {
  const { name, carries, rows, length, ends } = loop;
  const specs = inputs.map((x, i) => i >= carries && i < carries + rows ? rowSpec(x) : x);
  const { graph } = recordBody(specs, (live) => interpret(loop.body, live));
  const results = resultsOf(loop, dtype);
  const made = withNeeded(results.map(({ output }) => output), graph, loop);
  const body = { ...graph, outputs: made.map((k) => graph.outputs[k]!) };
  const run = {
    body,
    first: 0,
    count: length,
    inputs: inputs.map((_, i): BlockInput => {
      if (i >= carries + rows) return { from: i, ...SHARED };
      if (i >= carries) return { from: i, ...rowsOf(loop, specs[i]!.shape) };
      return { from: i, ...SHARED, ...(made.includes(i) ? { carry: made.indexOf(i) } : {}) };
    }),
    ...(ends ? { ends: 0 } : {}),
  };
  return {
    name,
    runs: [run],
    results: results.map(({ output: place, start, shape }, output): BlockResult => {
      if (place < carries) return { output, combine: "last", start, step: 0 };
      const own = rowsOf(loop, shape.slice(1));
      return { output, combine: "concat", start: start + own.start, step: own.step };
    }),
    spec: loopOp.infer(inputs, { loop, dtype }),
  };
}

/** Results, in their order, and which outputs they need from turn to turn besides. */
function withNeeded(results: number[], graph: Graph, loop: Loop): number[] {
  const { carries, ends } = loop;
  const made = ends && !results.includes(0) ? [...results, 0] : results;
  const outputs = made.map((k) => graph.outputs[k]!);
  const { steps } = eliminateDeadCode({ ...graph, outputs });
  const needed = new Set([...outputs, ...steps.flatMap((step) => step.inputs)]);
  const more = graph.inputs.slice(0, carries).keys().filter((k) =>
    needed.has(graph.inputs[k]!) && !made.includes(k)
  ).toArray();
  return more.length === 0 ? made : withNeeded([...made, ...more], graph, loop);
}

/** Where the first turn's row is, and how far it is to the next one's. */
function rowsOf({ length, reverse }: Loop, shape: readonly number[]) {
  const size = sizeOf(shape);
  return reverse ? { start: (length - 1) * size, step: -size } : { start: 0, step: size };
}

/**
 * Loops of rows: all rows take a turn at once, and each ends for itself.
 *
 * @module
 */
import { zeros } from "../create.ts";
import type { Composite, LoopOp, Primitive, RowBlocks, Spec } from "../op.ts";
import {
  argMax,
  cast,
  concat,
  gather,
  max,
  moveAxis,
  notEqual,
  reshape,
  stopGradient,
  where,
} from "../ops/mod.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { type BatchTrace, type Call, type Operand, rowsOf } from "./batching.ts";
import { interpret, recordBody, type Recorded } from "./body.ts";
import { type Loop, type LoopParams, resultsOf, rowSpec, runLoop } from "./loop.ts";
import { mapBlocks } from "./map_row_blocks.ts";

/** Does an operation to one row after the other, in a loop. */
export function eachRow({ op, operands, params, batch }: Call<Primitive<unknown>>): Tensor {
  const rows = operands.filter((x) => x.isMapped).map((x) => x.value);
  const { body, captured } = recordBody(op.name, rows.map(rowSpec), (live) => {
    const left = [...live];
    return [apply(op, operands.map((x) => x.isMapped ? left.shift()! : x.value), params)];
  });
  const turns = { name: op.name, body, length: batch.count, reverse: false };
  return runLoop(turns, [], rows, captured).ys[0]!;
}

/** The results of a loop for all rows, by its values: each type of them is an operation of its own. */
const last = new WeakMap<Loop, { values: readonly Tensor[]; results: readonly Tensor[] }>();

/** A loop whose turns all rows take at once. */
export function batchLoop(call: Call<LoopOp<LoopParams>, LoopParams>): Tensor {
  const { op, operands, inputs, params, batch: { count } } = call;
  const { loop, dtype } = params;
  if (count === 0) return zeros([0, ...op.infer(inputs, params).shape], { dtype });
  const values = operands.map((x) => x.value);
  let known = last.get(loop);
  if (!known?.values.every((x, i) => x === values[i])) {
    known = { values, results: runRows(loop, operands, call.batch) };
    last.set(loop, known);
  }
  const { results } = known;
  return concatFlat(resultsOf(loop, dtype).map(({ output }) => results[output]!), count);
}

/** The last carries and the results of all turns, rows in front. */
function runRows(loop: Loop, operands: readonly Operand[], batch: BatchTrace): Tensor[] {
  const { carries, rows, name, length, reverse, ends = false } = loop;
  const { count } = batch;
  const isMapped = operands.map((x) => x.isMapped);
  const endsApart = () => ends && isMapped[0]!;
  const recorded = endsApart() ? undefined : recordTurn(loop, operands, isMapped, batch);
  if (recorded === undefined || endsApart()) return runApart(loop, operands, batch);
  const { body, captured } = recorded;
  const given = operands.map((x, i) => isMapped[i] ? rowsOf(x, count) : x.value);
  const xs = given.slice(carries, carries + rows).map((x, i) =>
    isMapped[carries + i] ? moveAxis(x, 0, 1) : x
  );
  const shared = [...given.slice(carries + rows), ...captured];
  const turns = { name, body, length, reverse, ends };
  const { carry, ys } = runLoop(turns, given.slice(0, carries), xs, shared);
  return [
    ...carry.map((x, i) => {
      const { shape } = operands[i]!;
      return rowsOf({ value: x, isMapped: isMapped[i]!, shape }, count);
    }),
    ...ys.map((y) => moveAxis(y, 1, 0)),
  ];
}

/** Records a turn of all rows; carries that become mapped in a turn are so from the first one on. */
function recordTurn(
  loop: Loop,
  operands: readonly Operand[],
  isMapped: boolean[],
  batch: BatchTrace,
): Recorded {
  const { body, carries, rows, name } = loop;
  const specs = operands.map(({ shape, value: { dtype } }, i): Spec => {
    const own = i >= carries && i < carries + rows ? shape.slice(1) : shape;
    return { shape: isMapped[i] ? [batch.count, ...own] : own, dtype };
  });
  let found: Operand[] = [];
  const recorded = recordBody(name, specs, (live) => {
    found = batch.inner().run(live, isMapped, (inputs) => interpret(body, inputs));
    return found.map((y, k) => k < carries && !isMapped[k] ? y.value : rowsOf(y, batch.count));
  });
  const isSettled = found.slice(0, carries).every((y, k) => isMapped[k] || !y.isMapped);
  if (isSettled) return recorded;
  found.slice(0, carries).forEach((y, k) => isMapped[k] ||= y.isMapped);
  return recordTurn(loop, operands, isMapped, batch);
}

/**
 * A loop that ends for each row by itself: it goes on while one of them does. A row that has ended
 * keeps its carry, and does again what one does that goes on: nothing that it would not do by itself.
 */
function runApart(loop: Loop, operands: readonly Operand[], batch: BatchTrace): Tensor[] {
  const { body, carries, name, length } = loop;
  const { count } = batch;
  const isMapped = operands.map((x, i) => i < carries || x.isMapped);
  const values = operands.map((x, i) => isMapped[i] ? rowsOf(x, count) : x.value);
  const { dtype } = values[carries - 1]!;
  // As other loops that end, it also tells in the type of another result whether it goes on.
  const withFlags = (carry: readonly Tensor[]) => {
    const any = notEqual(max(cast(carry[0]!, "int32")), 0);
    return [any, ...carry, cast(any, dtype)];
  };
  const init = withFlags(values.slice(0, carries));
  const { body: turn, captured } = recordBody(name, [...init, ...values.slice(carries)], (live) => {
    const carry = live.slice(1, 1 + carries);
    const goesOn = carry[0]!;
    const row = argMax(cast(goesOn, "int32"));
    const choose = (x: Tensor, other: Tensor) =>
      where(reshape(goesOn, [count, ...x.shape.slice(1).map(() => 1)]), x, other);
    const inputs = [...carry, ...live.slice(init.length)].map((x, i) =>
      isMapped[i] ? choose(x, stopGradient(gather(x, row))) : x
    );
    const made = batch.inner().run(inputs, isMapped, (rows) => interpret(body, rows));
    return withFlags(carry.map((x, k) => choose(rowsOf(made[k]!, count), x)));
  });
  const turns = { name, body: turn, length, reverse: false, ends: true };
  const { carry } = runLoop(turns, init, [], [...values.slice(carries), ...captured]);
  return carry.slice(1, 1 + carries);
}

/** A function of blocks of rows, of all rows of `vmap` at once. */
export function batchBlocks({ op, operands, batch }: Call<Composite<unknown>>): Tensor {
  const { f, combine, rowInputs } = op.blocks!;
  const { count } = batch;
  const isMapped = operands.map((x) => x.isMapped);
  const isCut = (i: number) => i < rowInputs && isMapped[i]!;
  const blocks: RowBlocks = {
    ...op.blocks!,
    f(block, shared, offset) {
      const inputs = [...block.map((x, i) => isCut(i) ? moveAxis(x, 1, 0) : x), ...shared];
      const apart = (live: Tensor[]) => f(live.slice(0, rowInputs), live.slice(rowInputs), offset);
      return batch.inner().run(inputs, isMapped, apart).map((y, k) => {
        const all = rowsOf(y, count);
        return combine[k] === "concat" ? moveAxis(all, 0, 1) : all;
      });
    },
  };
  const inputs = operands.map((x, i) => isCut(i) ? moveAxis(x.value, 0, 1) : x.value);
  const results = mapBlocks(op.name, blocks, inputs).map((y, k) =>
    combine[k] === "concat" ? moveAxis(y, 1, 0) : y
  );
  if (results.length === 1) return results[0]!;
  return concatFlat(results, count);
}

/** Several results as one, as operations have one: each flat, behind one another in every row. */
function concatFlat(results: readonly Tensor[], count: number): Tensor {
  const flat = results.map((y) => reshape(y, [count, sizeOf(y.shape.slice(1))]));
  return flat.length === 1 ? flat[0]! : concat(flat, { axis: 1 });
}

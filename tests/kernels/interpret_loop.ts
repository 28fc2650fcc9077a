/** Loops as an interpreter runs them, in double precision: what printers must come to. */
import type { NumberArray } from "../../src/dtype.ts";
import { toFunction } from "./expressions.ts";
import { type LoopSpec, planPasses } from "../../kernels/elementwise/passes.ts";

/** Where the values of an operand or an output lie. */
export interface Lane {
  /** The array. */
  data: NumberArray;
  /** The position of the first row's first value. */
  start: number;
  /** Elements from row to row. */
  step: number;
  /** Elements from column to column; 1 by default. */
  stride?: number | undefined;
}

/** What a loop is called with. */
export interface LoopCall {
  /** How many rows. */
  rows: number;
  /** How many values per row. */
  columns: number;
  /** The operands, in the order of the specification. */
  operands: readonly Lane[];
  /** The outputs, likewise. */
  outputs: readonly Lane[];
}

const START = { sum: 0, mean: 0, norm: 0, max: -Infinity, min: Infinity } as const;

/** Runs a loop. */
export function interpretLoop(spec: LoopSpec, call: LoopCall): void {
  const add = (t: number, v: number) => t + v;
  const addSquare = (t: number, v: number) => t + v * v;
  const combine = { sum: add, mean: add, norm: addSquare, max: Math.max, min: Math.min };
  const at = ({ data, start, step, stride = 1 }: Lane, row: number, j: number) =>
    data[start + row * step + j * stride]!;
  for (let row = 0; row < call.rows; row++) {
    const scope: Record<string, number> = {};
    spec.operands.forEach(({ name }, k) => scope[name] = at(call.operands[k]!, row, 0));
    for (const { before, loads, moving, reductions, stores } of planPasses(spec)) {
      for (const { name, expression } of before) scope[name] = toFunction(expression)(scope);
      for (const { name, reduce } of reductions) scope[name] = START[reduce];
      if (reductions.length + stores.length === 0) continue;
      for (let j = 0; j < call.columns; j++) {
        for (const { name, from, index } of loads) {
          scope[name] = at((from === "operand" ? call.operands : call.outputs)[index]!, row, j);
        }
        for (const { name, expression } of moving) scope[name] = toFunction(expression)(scope);
        for (const { name, output } of stores) {
          const { data, start, step, stride = 1 } = call.outputs[output]!;
          data[start + row * step + j * stride] = scope[name]!;
        }
        for (const { name, reduce, of } of reductions) {
          scope[name] = combine[reduce](scope[name]!, scope[of]!);
        }
      }
      for (const { name, reduce, divisor = 1 } of reductions) {
        if (reduce === "mean" || reduce === "norm") scope[name]! /= divisor;
        if (reduce === "norm") scope[name] = Math.sqrt(scope[name]!);
      }
    }
    spec.stores.forEach(({ name, moves }, k) => {
      const { data, start, step } = call.outputs[k]!;
      if (!moves) data[start + row * step] = scope[name]!;
    });
  }
}

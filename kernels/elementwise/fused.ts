/**
 * Chains of elementwise expressions as one loop, with reductions of its rows.
 *
 * @module
 */
import { type Expression, toFunction, toJavaScript } from "./expression.ts";
import type { NumberArray } from "./reference.ts";

/** One assignment of a loop's body: the value of an expression of operands and earlier names. */
export interface Assignment {
  /** The name of the value. */
  name: string;
  /** How it is computed. */
  expression: Expression;
}

/** How the values of a name are taken together along each row. */
export interface RowReduction {
  /** The name. */
  name: string;
  /** What is kept: the sum, in float64, or an extreme. */
  kind: "sum" | "max" | "min";
}

/** What a fused loop does. */
export interface FusedLoop {
  /** The operands' names, and whether they change along a row. */
  operands: readonly { name: string; moves: boolean }[];
  /** What is computed at each position. */
  body: readonly Assignment[];
  /** Names whose values are written, one per position. */
  stores: readonly string[];
  /** Names whose values are reduced, one result per row. */
  reductions: readonly RowReduction[];
}

/** A block of rows: operands start at `starts` and step by `steps` from row to row. */
export interface RowBlock {
  /** How many rows. */
  rows: number;
  /** How many values per row. */
  columns: number;
  /** The operands' arrays. */
  data: readonly NumberArray[];
  /** The operands' first positions. */
  starts: readonly number[];
  /** The operands' steps from row to row. */
  steps: readonly number[];
  /** The arrays that values are written to, and those of the reductions. */
  out: readonly NumberArray[];
  /** The number of the first row among all rows. */
  firstRow: number;
}

/** A loop that can be run. */
export type RunRows = (block: RowBlock) => void;

const START = { sum: "0", max: "-Infinity", min: "Infinity" } as const;

/** What is left of two values: NaN wins over any extreme, as `Math.max` has it. */
const COMBINE: Record<RowReduction["kind"], (total: string, value: string) => string> = {
  sum: (total, value) => `${total} + ${value}`,
  max: (total, value) => `Math.max(${total}, ${value})`,
  min: (total, value) => `Math.min(${total}, ${value})`,
};

/** The loop as generated code; interpreted where generating code is forbidden, or on request. */
export function compileFused(loop: FusedLoop, options: { generate?: boolean } = {}): RunRows {
  if (options.generate ?? true) {
    try {
      return new Function("block", emit(loop)) as RunRows;
    } catch (error) {
      if (!(error instanceof EvalError)) throw error;
    }
  }
  return (block) => interpret(loop, block);
}

function emit({ operands, body, stores, reductions }: FusedLoop): string {
  const lines = (list: readonly string[]) => list.join("\n");
  const load = (i: number, at: string) => `const ${operands[i]!.name} = data${i}[at${i}${at}];`;
  return `const { rows, columns, data, starts, steps, out } = block;
${lines(operands.map((_, i) => `const data${i} = data[${i}]; let at${i} = starts[${i}];`))}
${lines(stores.map((_, i) => `const out${i} = out[${i}];`))}
${lines(reductions.map((_, i) => `const reduced${i} = out[${stores.length + i}];`))}
let o = block.firstRow * columns;
for (let i = 0; i < rows; i++, o += columns) {
  ${lines(operands.flatMap(({ moves }, k) => moves ? [] : [load(k, "")]))}
  ${lines(reductions.map(({ kind }, k) => `let total${k} = ${START[kind]};`))}
  for (let j = 0; j < columns; j++) {
    ${lines(operands.flatMap(({ moves }, k) => moves ? [load(k, " + j")] : []))}
    ${lines(body.map(({ name, expression }) => `const ${name} = ${toJavaScript(expression)};`))}
    ${lines(stores.map((name, k) => `out${k}[o + j] = ${name};`))}
    ${
    lines(reductions.map(({ name, kind }, k) => `total${k} = ${COMBINE[kind](`total${k}`, name)};`))
  }
  }
  ${lines(reductions.map((_, k) => `reduced${k}[block.firstRow + i] = total${k};`))}
  ${lines(operands.map((_, k) => `at${k} += steps[${k}];`))}
}`;
}

function interpret({ operands, body, stores, reductions }: FusedLoop, block: RowBlock): void {
  const computed = body.map(({ name, expression }) => [name, toFunction(expression)] as const);
  const combine = { sum: (t: number, v: number) => t + v, max: Math.max, min: Math.min };
  for (let i = 0; i < block.rows; i++) {
    const row = block.firstRow + i;
    const totals = reductions.map(({ kind }) => Number(START[kind]));
    for (let j = 0; j < block.columns; j++) {
      const scope: Record<string, number> = {};
      operands.forEach(({ name, moves }, k) => {
        const at = block.starts[k]! + i * block.steps[k]! + (moves ? j : 0);
        scope[name] = block.data[k]![at]!;
      });
      for (const [name, compute] of computed) scope[name] = compute(scope);
      stores.forEach((name, k) => block.out[k]![row * block.columns + j] = scope[name]!);
      reductions.forEach(({ name, kind }, k) => {
        totals[k] = combine[kind](totals[k]!, scope[name]!);
      });
    }
    totals.forEach((total, k) => block.out[stores.length + k]![row] = total);
  }
}

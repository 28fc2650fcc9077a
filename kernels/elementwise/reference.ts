/**
 * Elementwise loops on typed arrays, emitted from scalar expressions.
 *
 * V8 compiles a loop well only while it sees one kind of typed array: a loop shared by several
 * operations or element types is 2.6 times slower (bench/engine_bench.ts). So every expression gets
 * a loop of its own per element types and per pattern of repeated operands, made on first use.
 * Where generating code is forbidden (a browser's content security policy), an interpreter of the
 * same expression serves.
 *
 * @module
 */
import type { NumberArray } from "../../src/dtype.ts";
import { parameter, type Scalar } from "../functions/algebra.ts";
import { DOUBLES, evaluate } from "../functions/evaluate.ts";
import { declareJavaScript, toStatements } from "../functions/javascript.ts";
import { type Axis, walkAxes } from "../layout/axes.ts";
import { type Expression, parseExpression } from "./expression.ts";
import { toKind, toScalar } from "./scalars.ts";

/** `rows` times `columns` values from `out[o]` on; operands start at `starts` and step by `steps`. */
type Loop = (
  out: NumberArray,
  data: readonly NumberArray[],
  params: readonly number[],
  o: number,
  rows: number,
  columns: number,
  starts: readonly number[],
  steps: readonly number[],
) => void;

/** The names of the operands in an expression. */
export const OPERANDS = ["a", "b", "c"] as const;

/** The names of the parameters. */
export const PARAMETERS = ["p", "q"] as const;

/** The loops of one expression. */
export class ElementwiseKernel {
  readonly #text: string;
  #parsed: Expression | undefined;
  readonly #name: string;
  readonly #generate: boolean;
  readonly #loops = new Map<number, Loop>();
  /** The loop that was used last, which is mostly the next one, and what it was made for. */
  #last: Loop | undefined;
  #lastKey = -1;

  /** `generate: false` interprets the expression, as where generating code is forbidden. */
  constructor(name: string, expression: string, options: { generate?: boolean } = {}) {
    this.#name = name;
    this.#text = expression;
    this.#generate = options.generate ?? true;
  }

  /** Parsed at first use: importing the library makes one kernel per operation. */
  get expression(): Expression {
    return this.#parsed ??= parseExpression(this.#text);
  }

  /** All operands have the output's length, or one value. */
  runFlat(out: NumberArray, data: readonly NumberArray[], params: readonly number[] = []): void {
    let moving = 0;
    for (let i = 0; i < data.length; i++) if (data[i]!.length === out.length) moving |= 1 << i;
    const loop = this.#loop(out, data, moving, true);
    loop(out, data, params, 0, 1, out.length, ZEROS, ZEROS);
  }

  /** Operands that repeat along some axes, of which the last one is the inner loop. */
  runStrided(
    out: NumberArray,
    axes: readonly Axis[],
    data: readonly NumberArray[],
    params: readonly number[] = [],
  ): void {
    const [row = ONE, column = ONE] = axes.length === 1 ? [ONE, axes[0]] : axes.slice(-2);
    const { extent: rows, strides: steps } = row;
    const columns = column.extent;
    let moving = 0;
    data.forEach((_, i) => moving |= column.strides[i]! > 0 ? 1 << i : 0);
    const loop = this.#loop(out, data, moving, false);
    const starts = data.map(() => 0);
    walkAxes(
      axes.slice(0, -2),
      starts,
      (index) => loop(out, data, params, index * rows * columns, rows, columns, starts, steps),
    );
  }

  #loop(out: NumberArray, data: readonly NumberArray[], moving: number, isFlat: boolean): Loop {
    const key = cacheKey(out, data, moving, isFlat);
    if (key !== this.#lastKey) {
      this.#last = this.#loops.get(key) ?? this.#emit(out, data, moving, isFlat);
      this.#loops.set(key, this.#last);
      this.#lastKey = key;
    }
    return this.#last!;
  }

  /** A loop of the expression as generated code; interpreted where that is forbidden. */
  #emit(out: NumberArray, data: readonly NumberArray[], moving: number, isFlat: boolean): Loop {
    const graph = graphOf(this.expression, out);
    if (!this.#generate) return interpret(graph, moving);
    // Where positions need not be computed, loops take two thirds of the time.
    const at = (start: string, moves = true) =>
      isFlat ? (moves ? "j" : "0") : moves ? `${start} + j` : start;
    const { text, uses } = toStatements(graph, (value) => `out[${at("o")}] = ${value};`);
    const each = (write: (i: number) => string) => data.map((_, i) => write(i)).join(" ");
    const read = (moves: boolean) =>
      each((i) =>
        moves === (moving >> i & 1) > 0
          ? `const ${OPERANDS[i]} = data${i}[${at(`at${i}`, moves)}];`
          : ""
      );
    const row = `${read(false)}
for (let j = 0; j < columns; j++) {
  ${read(true)}
  ${text}
}`;
    const make = `${declareJavaScript(uses)}
return function (out, data, params, o, rows, columns, starts, steps) {
const [${PARAMETERS}] = params;
${each((i) => `const data${i} = data[${i}];`)}
${
      isFlat ? row : `${each((i) => `let at${i} = starts[${i}];`)}
for (let i = 0; i < rows; i++, o += columns) {
${row}
${each((i) => `at${i} += steps[${i}];`)}
}`
    }
}
//# sourceURL=cellgrad-${this.#name}.js`;
    try {
      return new Function("DOUBLES", make)(DOUBLES) as Loop;
    } catch (error) {
      if (error instanceof EvalError) return interpret(graph, moving);
      throw error;
    }
  }
}

function cacheKey(
  out: NumberArray,
  data: readonly NumberArray[],
  moving: number,
  isFlat: boolean,
): number {
  let key = kindOf(out);
  for (let i = 0; i < data.length; i++) key = key * 4 + kindOf(data[i]!);
  return key * 16 + moving * 2 + (isFlat ? 1 : 0);
}

const ZEROS: readonly number[] = [0, 0, 0];
const ONE: Axis = { extent: 1, strides: ZEROS };

function kindOf(data: NumberArray): number {
  if (data instanceof Float32Array) return 0;
  if (data instanceof Float64Array) return 1;
  return data instanceof Int32Array ? 2 : 3;
}

/** What an expression computes: in double precision, or with 32-bit integers where these are written. */
function graphOf(expression: Expression, out: NumberArray): Scalar {
  const kind = out instanceof Int32Array ? "integer" : "float";
  const names = new Map([...OPERANDS, ...PARAMETERS].map((name) => [
    name as string,
    parameter(name, "float64", kind),
  ]));
  return toKind(kind, toScalar(expression, (name) => names.get(name)!, "float64"), "float64");
}

function interpret(graph: Scalar, moving: number): Loop {
  const compute = evaluate([graph], "float64", [...OPERANDS, ...PARAMETERS]);
  return (out, data, params, o, rows, columns, starts, steps) => {
    const operands = OPERANDS.map(() => 0);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        data.forEach((values, k) => {
          operands[k] = values[starts[k]! + i * steps[k]! + (moving >> k & 1 ? j : 0)]!;
        });
        out[o + i * columns + j] = compute(...operands, ...params)[0]!;
      }
    }
  };
}

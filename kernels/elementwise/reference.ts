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
import { type Expression, parseExpression, toFunction, toJavaScript } from "./expression.ts";

/** A typed array that loops read and write. */
export type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** How an operand is walked: where its values stay the same along the inner or the outer loop. */
export interface Operand {
  /** The values. */
  data: NumberArray;
  /** Steps along the outer dimensions, in elements. */
  strides: readonly number[];
  /** Whether the values change along the innermost dimension. */
  moves: boolean;
}

/** `rows` times `columns` values from `out[o]` on; operands start at `starts` and step by `steps`. */
type Loop = (
  out: NumberArray,
  o: number,
  rows: number,
  columns: number,
  data: readonly NumberArray[],
  starts: readonly number[],
  steps: readonly number[],
  params: readonly number[],
) => void;

const OPERANDS = ["a", "b", "c"] as const;
const PARAMETERS = ["p", "q"] as const;

/** The loops of one expression. */
export class ElementwiseKernel {
  readonly #expression: Expression;
  readonly #name: string;
  readonly #loops = new Map<number, Loop>();
  readonly #generate: boolean;

  /** `generate: false` interprets the expression, as where generating code is forbidden. */
  constructor(name: string, expression: string, options: { generate?: boolean } = {}) {
    this.#name = name;
    this.#expression = parseExpression(expression);
    this.#generate = options.generate ?? true;
  }

  /** All operands have the output's length, or one value. */
  runFlat(out: NumberArray, data: readonly NumberArray[], params: readonly number[] = []): void {
    let pattern = 0;
    for (let i = 0; i < data.length; i++) if (data[i]!.length === out.length) pattern |= 1 << i;
    this.#loop(out, data, pattern)(out, 0, 1, out.length, data, ZEROS, ZEROS, params);
  }

  /** Operands that repeat along some dimensions of `shape`, whose last one is the inner loop. */
  runStrided(
    out: NumberArray,
    shape: readonly number[],
    operands: readonly Operand[],
    params: readonly number[] = [],
  ): void {
    let pattern = 0;
    operands.forEach((operand, i) => pattern |= operand.moves ? 1 << i : 0);
    const data = operands.map((operand) => operand.data);
    const loop = this.#loop(out, data, pattern);
    const columns = shape[shape.length - 1]!;
    const rows = shape[shape.length - 2] ?? 1;
    const outer = shape.slice(0, -2);
    const steps = operands.map((operand) => operand.strides[outer.length] ?? 0);
    const starts = operands.map(() => 0);
    const index = outer.map(() => 0);
    for (let o = 0; o < out.length; o += rows * columns) {
      loop(out, o, rows, columns, data, starts, steps, params);
      for (let d = outer.length - 1; d >= 0; d--) {
        const turn = ++index[d]! === outer[d]!;
        if (turn) index[d] = 0;
        const by = turn ? 1 - outer[d]! : 1;
        for (let i = 0; i < starts.length; i++) starts[i]! += by * operands[i]!.strides[d]!;
        if (!turn) break;
      }
    }
  }

  #loop(out: NumberArray, data: readonly NumberArray[], pattern: number): Loop {
    let key = kindOf(out);
    for (let i = 0; i < data.length; i++) key = key * 4 + kindOf(data[i]!);
    key = key * 8 + pattern;
    let loop = this.#loops.get(key);
    if (loop === undefined) {
      const integer = out instanceof Int32Array;
      loop = (this.#generate ? this.#emit(data.length, pattern, integer) : undefined) ??
        interpret(this.#expression, pattern, integer);
      this.#loops.set(key, loop);
    }
    return loop;
  }

  /** The loop as generated code; `undefined` where that is forbidden. */
  #emit(count: number, pattern: number, integer: boolean): Loop | undefined {
    const names = OPERANDS.slice(0, count);
    const moves = (i: number) => (pattern >> i & 1) === 1;
    const declare = names.map((n, i) => `const ${n}_ = data[${i}]; let ${n}0 = starts[${i}];`);
    const hoist = names.map((n, i) => moves(i) ? "" : `const ${n} = ${n}_[${n}0];`).join(" ");
    const load = names.map((n, i) => moves(i) ? `const ${n} = ${n}_[${n}0 + j];` : "").join(" ");
    const step = names.map((n, i) => `${n}0 += steps[${i}];`).join(" ");
    const code = `const [${PARAMETERS}] = params; ${declare.join(" ")}
for (let i = 0; i < rows; i++, o += columns) {
  ${hoist}
  for (let j = 0; j < columns; j++) { ${load} out[o + j] = ${
      toJavaScript(this.#expression, integer)
    }; }
  ${step}
}
//# sourceURL=cellgrad-${this.#name}-${pattern}.js`;
    try {
      const arguments_ = ["out", "o", "rows", "columns", "data", "starts", "steps", "params"];
      return new Function(...arguments_, code) as Loop;
    } catch (error) {
      if (error instanceof EvalError) return undefined;
      throw error;
    }
  }
}

const ZEROS: readonly number[] = [0, 0, 0];

function kindOf(data: NumberArray): number {
  if (data instanceof Float32Array) return 0;
  if (data instanceof Float64Array) return 1;
  return data instanceof Int32Array ? 2 : 3;
}

function interpret(expression: Expression, pattern: number, integer: boolean): Loop {
  const compute = toFunction(expression, integer);
  return (out, o, rows, columns, data, starts, steps, params) => {
    const scope: Record<string, number> = {};
    PARAMETERS.forEach((name, i) => scope[name] = params[i]!);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        data.forEach((values, k) => {
          scope[OPERANDS[k]!] = values[starts[k]! + i * steps[k]! + (pattern >> k & 1 ? j : 0)]!;
        });
        out[o + i * columns + j] = compute(scope);
      }
    }
  };
}

/**
 * Fused loops as JavaScript: what `wasm.ts` emits as WebAssembly, for where that is missing.
 *
 * @module
 */
import { toFunction, toJavaScript } from "./expression.ts";
import { type LoopSpec, type Pass, planPasses, type Reduction } from "./passes.ts";
import type { NumberArray } from "./reference.ts";

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

/** A loop that can be run. */
export type RunLoop = (call: LoopCall) => void;

const START = { sum: 0, mean: 0, norm: 0, max: -Infinity, min: Infinity } as const;

/** The loop as generated code; interpreted where generating code is forbidden, or on request. */
export function compileLoop(spec: LoopSpec, options: { generate?: boolean } = {}): RunLoop {
  if (options.generate ?? true) {
    try {
      return new Function("call", emit(spec)) as RunLoop;
    } catch (error) {
      if (!(error instanceof EvalError)) throw error;
    }
  }
  const passes = planPasses(spec);
  return (call) => interpret(spec, passes, call);
}

function emit(spec: LoopSpec): string {
  const { operands, stores } = spec;
  const declare = (kind: string, i: number) =>
    `const ${kind}${i} = call.${kind}s[${i}].data, ${kind}Step${i} = call.${kind}s[${i}].step;
const ${kind}Stride${i} = call.${kind}s[${i}].stride ?? 1;
let ${kind}At${i} = call.${kind}s[${i}].start;`;
  return `const { rows, columns } = call;
${operands.map((_, i) => declare("operand", i)).join("\n")}
${stores.map((_, i) => declare("output", i)).join("\n")}
for (let i = 0; i < rows; i++) {
${
    operands.map(({ name, moves }, k) => moves ? "" : `const ${name} = operand${k}[operandAt${k}];`)
      .join("\n")
  }
${planPasses(spec).map(emitPass).join("\n")}
${stores.map(({ name, moves }, k) => moves ? "" : `output${k}[outputAt${k}] = ${name};`).join("\n")}
${operands.map((_, k) => `operandAt${k} += operandStep${k};`).join(" ")}
${stores.map((_, k) => `outputAt${k} += outputStep${k};`).join(" ")}
}`;
}

function emitPass({ before, loads, moving, reductions, stores }: Pass): string {
  const combine = ({ reduce, name, of }: Reduction) =>
    reduce === "max" || reduce === "min"
      ? `${name} = Math.${reduce}(${name}, ${of});`
      : `${name} += ${reduce === "norm" ? `${of} * ${of}` : of};`;
  const finish = ({ reduce, name, divisor = 1 }: Reduction) => {
    if (reduce === "mean") return [`${name} /= ${divisor};`];
    return reduce === "norm" ? [`${name} = Math.sqrt(${name} / ${divisor});`] : [];
  };
  const assign = ({ name, expression }: Pass["moving"][number]) =>
    `const ${name} = ${toJavaScript(expression)};`;
  const load = ({ name, from, index }: Pass["loads"][number]) =>
    `const ${name} = ${from}${index}[${from}At${index} + j * ${from}Stride${index}];`;
  const store = ({ name, output }: Pass["stores"][number]) =>
    `output${output}[outputAt${output} + j * outputStride${output}] = ${name};`;
  const loop = reductions.length + stores.length === 0 ? "" : `for (let j = 0; j < columns; j++) {
${
    [...loads.map(load), ...moving.map(assign), ...stores.map(store), ...reductions.map(combine)]
      .join("\n")
  }
}`;
  return [
    ...before.map(assign),
    ...reductions.map(({ name, reduce }) => `let ${name} = ${START[reduce]};`),
    loop,
    ...reductions.flatMap(finish),
  ].join("\n");
}

function interpret(spec: LoopSpec, passes: readonly Pass[], call: LoopCall): void {
  const add = (t: number, v: number) => t + v;
  const addSquare = (t: number, v: number) => t + v * v;
  const combine = { sum: add, mean: add, norm: addSquare, max: Math.max, min: Math.min };
  const at = ({ data, start, step, stride = 1 }: Lane, row: number, j: number) =>
    data[start + row * step + j * stride]!;
  for (let row = 0; row < call.rows; row++) {
    const scope: Record<string, number> = {};
    spec.operands.forEach(({ name }, k) => scope[name] = at(call.operands[k]!, row, 0));
    for (const { before, loads, moving, reductions, stores } of passes) {
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

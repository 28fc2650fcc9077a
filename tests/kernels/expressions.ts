/**
 * Expressions as JavaScript has them: what loops are compared with, and what people read.
 *
 * @module
 */
import type { Expression, Operator } from "../../kernels/elementwise/expression.ts";
import { definitionOf } from "../../kernels/functions/mod.ts";
import { scalarFunction } from "./functions/scalar_function.ts";

/** The expression as JavaScript; `integer` multiplies as 32-bit integers do. */
export function toJavaScript(e: Expression, integer = false): string {
  const js = (x: Expression) => toJavaScript(x, integer);
  switch (e.kind) {
    case "number":
      return e.value < 0 || Object.is(e.value, -0) ? `(-${-e.value})` : String(e.value);
    case "name":
      return e.name;
    case "negate":
      return `(-${js(e.operands[0]!)})`;
    case "call":
      return `${isWritten(e.name) ? "scalar_" : "Math."}${e.name}(${e.operands.map(js)})`;
    case "choose":
      return `(${js(e.operands[0]!)} ? ${js(e.operands[1]!)} : ${js(e.operands[2]!)})`;
    case "binary":
      if (integer && e.operator === "*") {
        return `Math.imul(${js(e.operands[0]!)}, ${js(e.operands[1]!)})`;
      }
      return /[<=]/.test(e.operator)
        ? `(${js(e.operands[0]!)} ${e.operator} ${js(e.operands[1]!)} ? 1 : 0)`
        : `(${js(e.operands[0]!)} ${e.operator} ${js(e.operands[1]!)})`;
  }
}

/** Whether a function has a text; others are functions of the host. */
export function isWritten(name: string): boolean {
  return definitionOf(name)!.text !== undefined;
}

/** Values of an expression's names. */
export type Scope = Record<string, number>;

/** The expression as a function of its names: slow, and free of generated code. */
export function toFunction(e: Expression, integer = false): (scope: Scope) => number {
  switch (e.kind) {
    case "number":
      return () => e.value;
    case "name":
      return (scope) => scope[e.name]!;
    case "negate": {
      const operand = toFunction(e.operands[0]!, integer);
      return (scope) => -operand(scope);
    }
    case "call": {
      const call = scalarFunction(e.name);
      const args = e.operands.map((x) => toFunction(x, integer));
      return (scope) => call(...args.map((f) => f(scope)));
    }
    case "choose": {
      const [condition, then, otherwise] = e.operands.map((x) => toFunction(x, integer));
      return (scope) => condition!(scope) ? then!(scope) : otherwise!(scope);
    }
    case "binary": {
      const compute = OPERATORS[integer && e.operator === "*" ? "imul" : e.operator];
      const [left, right] = [
        toFunction(e.operands[0]!, integer),
        toFunction(e.operands[1]!, integer),
      ];
      return (scope) => compute(left(scope), right(scope));
    }
  }
}

const OPERATORS: Record<Operator | "imul", (x: number, y: number) => number> = {
  "+": (x, y) => x + y,
  "-": (x, y) => x - y,
  "*": (x, y) => x * y,
  "/": (x, y) => x / y,
  "<": (x, y) => x < y ? 1 : 0,
  "<=": (x, y) => x <= y ? 1 : 0,
  "==": (x, y) => x === y ? 1 : 0,
  "!=": (x, y) => x !== y ? 1 : 0,
  imul: Math.imul,
};

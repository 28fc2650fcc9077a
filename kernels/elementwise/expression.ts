/**
 * Scalar expressions: the one text from which the loops of an elementwise operation are emitted.
 *
 * The language is the part of JavaScript and WGSL that the two share: numbers, names, `+ - * /`,
 * comparisons (1 or 0), `c ? x : y`, and calls of scalar functions (`functions/mod.ts`). What takes
 * long is known too.
 *
 * @module
 */
import { costOfFunction, definitionOf } from "../functions/mod.ts";

/** A binary operator. */
export type Operator = "+" | "-" | "*" | "/" | "<" | "<=" | "==" | "!=";

/** A parsed expression. */
export type Expression =
  | { kind: "number"; value: number }
  | { kind: "name"; name: string }
  | { kind: "negate"; operand: Expression }
  | { kind: "binary"; operator: Operator; left: Expression; right: Expression }
  | { kind: "call"; name: string; arguments: Expression[] }
  | { kind: "choose"; condition: Expression; then: Expression; otherwise: Expression };

const TOKEN = /\s*(\d+\.?\d*(?:e[-+]?\d+)?|[a-z]\w*|<=|==|!=|[-+*/<?:(),])/y;

/** The binary operators from the loosest to the tightest. */
const PRECEDENCE: readonly (readonly Operator[])[] = [["==", "!="], ["<", "<="], ["+", "-"], [
  "*",
  "/",
]];

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const source = text.trimEnd();
  TOKEN.lastIndex = 0;
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    const match = TOKEN.exec(source);
    if (match === null) {
      throw new SyntaxError(`Cannot parse the expression "${text}": unexpected text at ${at}`);
    }
    tokens.push(match[1]!);
  }
  return tokens;
}

/** Parses an expression; throws a `SyntaxError` that shows where it fails. */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text);
  let at = 0;
  const take = (token: string): boolean => tokens[at] === token && ++at > 0;
  const expect = (token: string) => {
    if (!take(token)) {
      throw new SyntaxError(
        `Cannot parse the expression "${text}": expected "${token}" instead of "${
          tokens[at] ?? "its end"
        }"`,
      );
    }
  };
  const choice = (): Expression => {
    const condition = binary(0);
    if (!take("?")) return condition;
    const then = choice();
    expect(":");
    return { kind: "choose", condition, then, otherwise: choice() };
  };
  const binary = (level: number): Expression => {
    if (level === PRECEDENCE.length) return operand();
    let left = binary(level + 1);
    for (;;) {
      const operator = PRECEDENCE[level]!.find((o) => take(o));
      if (operator === undefined) return left;
      left = { kind: "binary", operator, left, right: binary(level + 1) };
    }
  };
  const operand = (): Expression => {
    if (take("-")) return { kind: "negate", operand: operand() };
    if (take("(")) {
      const inner = choice();
      expect(")");
      return inner;
    }
    const token = tokens[at++] ?? "";
    if (/^\d/.test(token)) return { kind: "number", value: Number(token) };
    if (tokens[at] !== "(" && /^[a-z]/.test(token)) return { kind: "name", name: token };
    if (definitionOf(token) === undefined) {
      throw new SyntaxError(`Cannot parse the expression "${text}": unexpected "${token}"`);
    }
    expect("(");
    const args = [choice()];
    while (take(",")) args.push(choice());
    expect(")");
    checkArity(text, token, args.length);
    return { kind: "call", name: token, arguments: args };
  };
  const result = choice();
  if (at < tokens.length) expect("the end");
  return result;
}

function checkArity(text: string, name: string, count: number): void {
  const { arity } = definitionOf(name)!;
  if (count === arity || count > arity && (name === "max" || name === "min")) return;
  throw new SyntaxError(
    `Cannot parse the expression "${text}": expected ${arity} operand${
      arity === 1 ? "" : "s"
    } of ${name} instead of ${count}`,
  );
}

/** The functions that an expression calls. */
export function callsIn(e: Expression): string[] {
  return [...(e.kind === "call" ? [e.name] : []), ...partsOf(e).flatMap(callsIn)];
}

/** What an expression is made of. */
export function partsOf(e: Expression): Expression[] {
  switch (e.kind) {
    case "number":
    case "name":
      return [];
    case "negate":
      return [e.operand];
    case "binary":
      return [e.left, e.right];
    case "choose":
      return [e.condition, e.then, e.otherwise];
    case "call":
      return e.arguments;
  }
}

/** The expression with others in the places of names. */
export function substitute(
  e: Expression,
  values: Readonly<Record<string, Expression>>,
): Expression {
  const inside = (x: Expression) => substitute(x, values);
  switch (e.kind) {
    case "number":
      return e;
    case "name":
      return values[e.name] ?? e;
    case "negate":
      return { ...e, operand: inside(e.operand) };
    case "call":
      return { ...e, arguments: e.arguments.map(inside) };
    case "choose":
      return {
        ...e,
        condition: inside(e.condition),
        then: inside(e.then),
        otherwise: inside(e.otherwise),
      };
    case "binary":
      return { ...e, left: inside(e.left), right: inside(e.right) };
  }
}

/** What takes longer to be computed again than to be written and read. */
export const WORTH_KEEPING = 4;

/** Roughly how many times as long as an addition an expression takes. */
export function costOf(e: Expression): number {
  const parts = partsOf(e).reduce((sum, x) => sum + costOf(x), 0);
  switch (e.kind) {
    case "number":
    case "name":
      return 0;
    case "binary":
      return (e.operator === "/" ? WORTH_KEEPING : 1) + parts;
    case "negate":
    case "choose":
      return 1 + parts;
    case "call":
      return costOfFunction(e.name) + parts;
  }
}

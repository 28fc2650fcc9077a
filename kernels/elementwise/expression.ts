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
  | { kind: "negate" | "choose"; operands: Expression[] }
  | { kind: "binary"; operator: Operator; operands: Expression[] }
  | { kind: "call"; name: string; operands: Expression[] };

const TOKEN = /\s*(\d+\.?\d*(?:e[-+]?\d+)?|[a-z]\w*|<=|==|!=|[-+*/<?:(),])/y;

/** The binary operators from the loosest to the tightest. */
const PRECEDENCE: readonly (readonly Operator[])[] = [
  ...[["==", "!="], ["<", "<="], ["+", "-"], ["*", "/"]] as const,
];

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const source = text.trimEnd();
  TOKEN.lastIndex = 0;
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    const match = TOKEN.exec(source);
    if (match === null) refuse(text, `unexpected text at ${at}`);
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
    if (take(token)) return;
    refuse(text, `expected "${token}" instead of "${tokens[at] ?? "its end"}"`);
  };
  const choice = (): Expression => {
    const condition = binary(0);
    if (!take("?")) return condition;
    const then = choice();
    expect(":");
    return { kind: "choose", operands: [condition, then, choice()] };
  };
  const binary = (level: number): Expression => {
    if (level === PRECEDENCE.length) return operand();
    let left = binary(level + 1);
    for (;;) {
      const operator = PRECEDENCE[level]!.find((o) => take(o));
      if (operator === undefined) return left;
      left = { kind: "binary", operator, operands: [left, binary(level + 1)] };
    }
  };
  const operand = (): Expression => {
    if (take("-")) return { kind: "negate", operands: [operand()] };
    if (take("(")) {
      const inner = choice();
      expect(")");
      return inner;
    }
    const token = tokens[at++] ?? "";
    if (/^\d/.test(token)) return { kind: "number", value: Number(token) };
    if (tokens[at] !== "(" && /^[a-z]/.test(token)) return { kind: "name", name: token };
    if (definitionOf(token) === undefined) refuse(text, `unexpected "${token}"`);
    expect("(");
    const args = [choice()];
    while (take(",")) args.push(choice());
    expect(")");
    checkArity(text, token, args.length);
    return { kind: "call", name: token, operands: args };
  };
  const result = choice();
  if (at < tokens.length) expect("the end");
  return result;
}

function checkArity(text: string, name: string, count: number): void {
  const { arity } = definitionOf(name)!;
  if (count === arity || count > arity && (name === "max" || name === "min")) return;
  const operands = `${arity} operand${arity === 1 ? "" : "s"}`;
  refuse(text, `expected ${operands} of ${name} instead of ${count}`);
}

function refuse(text: string, why: string): never {
  throw new SyntaxError(`Cannot parse the expression "${text}": ${why}`);
}

/** What an expression is made of. */
export function partsOf(e: Expression): readonly Expression[] {
  return "operands" in e ? e.operands : [];
}

/** The functions that an expression calls. */
export function callsIn(e: Expression): string[] {
  return [...(e.kind === "call" ? [e.name] : []), ...partsOf(e).flatMap(callsIn)];
}

/** The names that an expression has in it. */
export function namesIn(e: Expression): string[] {
  return e.kind === "name" ? [e.name] : partsOf(e).flatMap(namesIn);
}

/** The expression with others in the places of names. */
export function substitute(
  e: Expression,
  values: Readonly<Record<string, Expression>>,
): Expression {
  if (e.kind === "name") return values[e.name] ?? e;
  return "operands" in e ? { ...e, operands: e.operands.map((x) => substitute(x, values)) } : e;
}

/** What takes longer to be computed again than to be written and read. */
export const WORTH_KEEPING = 4;

/** Roughly how many times as long as an addition an expression takes. */
export function costOf(e: Expression): number {
  if (!("operands" in e)) return 0;
  const parts = e.operands.reduce((sum, x) => sum + costOf(x), 0);
  if (e.kind === "call") return costOfFunction(e.name) + parts;
  return (e.kind === "binary" && e.operator === "/" ? WORTH_KEEPING : 1) + parts;
}

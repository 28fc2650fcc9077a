import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { DOUBLES } from "../../kernels/functions/evaluate.ts";
import { declareJavaScript } from "../../kernels/functions/javascript.ts";
import { scalarFunction } from "./functions/scalar_function.ts";
import { callsIn, type Expression, parseExpression } from "../../kernels/elementwise/expression.ts";
import { isWritten, type Scope, toFunction, toJavaScript } from "./expressions.ts";

const message = (text: string) => assertThrows(() => parseExpression(text), SyntaxError).message;

const evaluate = (text: string, scope: Scope = {}) => toFunction(parseExpression(text))(scope);

/** The value of the generated code. */
function run(e: Expression, scope: Scope, integer = false): number {
  const names = Object.keys(scope);
  const declarations = declareJavaScript(callsIn(e).filter(isWritten));
  const body = `${declarations}\nreturn ${toJavaScript(e, integer)};`;
  const f = new Function("DOUBLES", ...names, body);
  return f(DOUBLES, ...names.map((name) => scope[name]));
}

const name = (text: string): Expression => ({ kind: "name", name: text });

Deno.test("parseExpression() reads numbers, names and negation", () => {
  assertEquals(parseExpression("2.5e-3"), { kind: "number", value: 0.0025 });
  assertEquals(parseExpression(" a "), name("a"));
  assertEquals(parseExpression("--a"), {
    kind: "negate",
    operands: [{ kind: "negate", operands: [name("a")] }],
  });
});

Deno.test("parseExpression() reads calls with several arguments", () => {
  assertEquals(parseExpression("max(a, b)"), {
    kind: "call",
    name: "max",
    operands: [name("a"), name("b")],
  });
});

Deno.test("parseExpression() binds products tighter than sums, and sums than comparisons", () => {
  const cases: [string, number][] = [
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["10 - 2 - 3", 5],
    ["16 / 4 / 2", 2],
    ["2 * -3 + 1", -5],
    ["-2 * 3", -6],
    ["1 + 1 < 3", 1],
    ["3 < 1 + 1", 0],
    ["1 < 2 == 1", 1],
    ["2 <= 2", 1],
    ["2 != 2", 0],
    ["1 - -1", 2],
  ];
  for (const [text, value] of cases) assertEquals([text, evaluate(text)], [text, value]);
});

Deno.test("parseExpression() binds choices loosest, and nests them to the right", () => {
  const text = "a < 0 ? 1 : a < 10 ? 2 : 3";
  assertEquals([-1, 5, 50].map((a) => evaluate(text, { a })), [1, 2, 3]);
  assertEquals(evaluate("1 ? 0 ? 7 : 8 : 9"), 8);
  assertEquals(evaluate("2 * (0 ? 3 : 4)"), 8);
});

Deno.test("parseExpression() shows text that it does not know", () => {
  assertEquals(message("a ^ b"), 'Cannot parse the expression "a ^ b": unexpected text at 1');
  assertEquals(message("A"), 'Cannot parse the expression "A": unexpected text at 0');
});

Deno.test("parseExpression() says what it expected", () => {
  const cases: [string, string][] = [
    ["(a", 'expected ")" instead of "its end"'],
    ["exp(a", 'expected ")" instead of "its end"'],
    ["a ? b", 'expected ":" instead of "its end"'],
    ["a b", 'expected "the end" instead of "b"'],
    ["a)", 'expected "the end" instead of ")"'],
    ["", 'unexpected ""'],
    ["a +", 'unexpected ""'],
    ["* a", 'unexpected "*"'],
    ["foo(a)", 'unexpected "foo"'],
    ["exp()", 'unexpected ")"'],
    ["exp(a, b)", "expected 1 operand of exp instead of 2"],
    ["pow(a)", "expected 2 operands of pow instead of 1"],
    ["toString(a)", 'unexpected "toString"'],
    ["constructor(a)", 'unexpected "constructor"'],
  ];
  for (const [text, problem] of cases) {
    assertEquals(message(text), `Cannot parse the expression "${text}": ${problem}`);
  }
});

Deno.test("expressions call JavaScript's own functions of angles, and 1 to any power is 1", () => {
  for (const key of ["abs", "max", "sign", "sqrt", "sin", "atan"]) {
    assertEquals(scalarFunction(key) === Reflect.get(Math, key), true, key);
  }
  const pow = scalarFunction("pow");
  assertEquals([pow(1, NaN), pow(1, Infinity), pow(-1, -Infinity), pow(2, -1)], [1, 1, 1, 0.5]);
});

Deno.test("toJavaScript() makes comparisons 1 or 0", () => {
  assertEquals(toJavaScript(parseExpression("a < b")), "(a < b ? 1 : 0)");
});

Deno.test("toJavaScript() and toFunction() multiply integers as 32-bit integers do", () => {
  const e = parseExpression("a * b");
  const scope = { a: 2 ** 30 + 1, b: 5 };
  assertEquals(run(e, scope, true), Math.imul(scope.a, scope.b));
  assertEquals(toFunction(e, true)(scope), Math.imul(scope.a, scope.b));
  assertEquals(toFunction(e)(scope), scope.a * scope.b);
});

/** Expressions of every kind. */
const expressions: fc.Arbitrary<Expression> = fc.letrec<{ e: Expression }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("a", "b", "c").map(name),
    fc.constantFrom(0, 1, 0.5, 3, 1e-3).map((value): Expression => ({ kind: "number", value })),
    tie("e").map((operand): Expression => ({ kind: "negate", operands: [operand] })),
    fc.tuple(fc.constantFrom("+", "-", "*", "/", "<", "<=", "==", "!="), tie("e"), tie("e")).map(
      ([operator, left, right]): Expression => ({
        kind: "binary",
        operator,
        operands: [left, right],
      }),
    ),
    fc.tuple(fc.constantFrom("abs", "exp", "log1p", "sign", "tanh"), tie("e")).map(
      ([f, x]): Expression => ({ kind: "call", name: f, operands: [x] }),
    ),
    fc.tuple(fc.constantFrom("max", "min", "pow"), tie("e"), tie("e")).map(
      ([f, x, y]): Expression => ({ kind: "call", name: f, operands: [x, y] }),
    ),
    fc.tuple(tie("e"), tie("e"), tie("e")).map(
      ([condition, then, otherwise]): Expression => ({
        kind: "choose",
        operands: [condition, then, otherwise],
      }),
    ),
  ),
})).e;

const scopes = fc.record({
  a: fc.double({ min: -3, max: 3 }),
  b: fc.double({ min: -3, max: 3 }),
  c: fc.constantFrom(0, 1, -1, Infinity, NaN),
});

Deno.test("the interpreter gives what the generated code gives", () => {
  fc.assert(
    fc.property(expressions, scopes, fc.boolean(), (e, scope, integer) => {
      assertEquals(toFunction(e, integer)(scope), run(e, scope, integer));
    }),
    { seed: 5, numRuns: 1000 },
  );
});

Deno.test("an expression written out and parsed again has the same value", () => {
  const write = (e: Expression): string => {
    switch (e.kind) {
      case "number":
        return String(e.value);
      case "name":
        return e.name;
      case "negate":
        return `-(${write(e.operands[0]!)})`;
      case "binary":
        return `(${write(e.operands[0]!)} ${e.operator} ${write(e.operands[1]!)})`;
      case "call":
        return `${e.name}(${e.operands.map(write).join(", ")})`;
      case "choose":
        return `(${write(e.operands[0]!)} ? ${write(e.operands[1]!)} : ${write(e.operands[2]!)})`;
    }
  };
  fc.assert(
    fc.property(expressions, (e) => assertEquals(parseExpression(write(e)), e)),
    { seed: 6, numRuns: 500 },
  );
});

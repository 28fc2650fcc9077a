import { assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import type { Expression } from "../../kernels/elementwise/expression.ts";
import { toFunction } from "./expressions.ts";
import { definitionOf } from "../../kernels/functions/mod.ts";
import { scalarFunction } from "./functions/scalar_function.ts";
import type { Assignment, LoopSpec } from "../../kernels/elementwise/passes.ts";
import { hasRelaxedSimd } from "../../kernels/wasm/features.ts";
import { arrayOf, assertSame, assign, chain, prepare, rounded, ulpOf, wave } from "./wasm_loops.ts";

/** Expressions of the names, of operators and the given functions. */
function expressions(names: string[], functions: string[]): fc.Arbitrary<Expression> {
  const { tree } = fc.letrec<{ tree: Expression }>((tie) => {
    const two = fc.tuple(tie("tree"), tie("tree"));
    const call = (name: string) => {
      const count = definitionOf(name)!.arity;
      return fc.array(tie("tree"), { minLength: count, maxLength: count })
        .map((args): Expression => ({ kind: "call", name, operands: args }));
    };
    return {
      tree: fc.oneof(
        { maxDepth: 4, depthSize: "medium", withCrossShrink: true },
        fc.constantFrom(...names).map((name): Expression => ({ kind: "name", name })),
        fc.constantFrom(0, 1, -0, 2, 0.1, -1.5, 1e-3).map((value): Expression => ({
          kind: "number",
          value,
        })),
        tie("tree").map((operand): Expression => ({ kind: "negate", operands: [operand] })),
        fc.tuple(fc.constantFrom("+", "-", "*", "/", "<", "<=", "==", "!="), two).map((
          [operator, [left, right]],
        ): Expression => ({ kind: "binary", operator, operands: [left, right] })),
        fc.tuple(tie("tree"), two).map(([condition, [then, otherwise]]): Expression => ({
          kind: "choose",
          operands: [condition, then, otherwise],
        })),
        ...functions.map(call),
      ),
    };
  });
  return tree;
}

const NAMES = ["a", "b", "c", "p"];
const ARITHMETIC: string[] = ["abs", "sign", "sqrt", "max", "min"];
const FUNCTIONS: string[] = ["exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "pow"];

/** Functions that both precisions compute by instructions. */
const WRITTEN: string[] = ["lgamma", "polygamma0", "polygamma2", "erfc", "round", "mod", "atan2"];

/** The loop of an expression: a moves, b has one value per row, c moves, p is a parameter. */
function treeLoop(expression: Expression, float: LoopSpec["float"]): LoopSpec {
  return {
    float,
    operands: [["a", true], ["b", false], ["c", true]].map(([name, moves]) => ({
      name: name as string,
      dtype: float,
      moves: moves as boolean,
    })),
    parameters: ["p"],
    body: [{ name: "y", expression, dtype: float }],
    stores: [{ name: "y", dtype: float, moves: true }],
  };
}

const VALUES = [0, -0, 1, -1, 0.5, 3.7, -2.25, 1e-3, Infinity, -Infinity, NaN, 1e30, 7, -40];

/** Runs a tree on every pairing of some values, and compares with an evaluator. */
function compareTree(
  expression: Expression,
  float: LoopSpec["float"],
  evaluate: (scope: Record<string, number>) => number,
): void {
  const [rows, columns, p] = [VALUES.length, VALUES.length, 0.75];
  const row = Array.from({ length: rows * columns }, (_, i) => VALUES[i % columns]!);
  const a = arrayOf(float, row);
  const c = arrayOf(float, row.toReversed());
  const b = arrayOf(float, VALUES);
  const [y] = prepare(treeLoop(expression, float))({
    rows,
    columns,
    operands: [a, b, c],
    parameters: [p],
  });
  const expected = y!.map((_, i) =>
    evaluate({ a: a[i]!, b: b[Math.floor(i / columns)]!, c: c[i]!, p })
  );
  assertSame(y!, expected, JSON.stringify(expression));
}

Deno.test("emitLoop() computes in float64 what the expression does, to the bit", () => {
  fc.assert(
    fc.property(expressions(NAMES, [...ARITHMETIC, ...FUNCTIONS, ...WRITTEN]), (expression) => {
      compareTree(expression, "float64", toFunction(expression));
    }),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("emitLoop() rounds to float32 after each operation, to the bit", () => {
  fc.assert(
    fc.property(expressions(NAMES, ARITHMETIC), (expression) => {
      compareTree(expression, "float32", (scope) => rounded(expression, scope, Math.fround));
    }),
    { seed: 2, numRuns: 300 },
  );
});

/** A value with the largest error that it may have. */
interface Bounded {
  value: number;
  error: number;
}

/** The exact value of an expression, and how far one in single precision may be from it. */
function bounded(e: Expression, scope: Record<string, number>): Bounded {
  const known = (x: Expression) => bounded(x, scope);
  const around = (value: number, error: number, ulp = 0.5): Bounded => ({
    value,
    error: error + ulp * ulpOf(Math.abs(value) + error),
  });
  if (e.kind === "number") return around(e.value, 0);
  if (e.kind === "name") return { value: scope[e.name]!, error: 0 };
  if (e.kind === "negate") {
    const { value, error } = known(e.operands[0]!);
    return { value: -value, error };
  }
  if (e.kind === "call") {
    const { value, error } = known(e.operands[0]!);
    const f = scalarFunction(e.name);
    const [low, exact, high] = [f(value - error), f(value), f(value + error)];
    const change = Math.max(Math.abs(exact - low), Math.abs(high - exact));
    return around(exact, change, 2.5);
  }
  if (e.kind !== "binary") throw new TypeError("There is no bound");
  const [x, y] = [known(e.operands[0]!), known(e.operands[1]!)];
  const [u, v] = [Math.abs(x.value), Math.abs(y.value)];
  const value = toFunction({
    ...e,
    operands: [{ kind: "number", value: x.value }, { kind: "number", value: y.value }],
  })({});
  const product = u * y.error + v * x.error + x.error * y.error;
  return around(value, e.operator === "*" ? product : x.error + y.error);
}

Deno.test("emitLoop() in float32 stays as close to the expression as its operations do", () => {
  const { tree } = fc.letrec<{ tree: Expression }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: "medium" },
      fc.constantFrom("a", "c").map((name): Expression => ({ kind: "name", name })),
      fc.constantFrom(0.5, -2, 3).map((value): Expression => ({ kind: "number", value })),
      fc.tuple(fc.constantFrom("+", "-", "*"), tie("tree"), tie("tree")).map((
        [operator, left, right],
      ): Expression => ({ kind: "binary", operator, operands: [left, right] })),
      fc.tuple(fc.constantFrom("exp", "expm1", "tanh"), tie("tree")).map((
        [name, operand],
      ): Expression => ({ kind: "call", name, operands: [operand] })),
    ),
  }));
  const [a, c] = [wave("float32", 67), wave("float32", 67, 1)];
  fc.assert(
    fc.property(tree, fc.boolean(), (expression, fused) => {
      const loop = { ...chain("a", "ac"), body: [{ name: "y", expression }] };
      const [y] = prepare(loop, fused && hasRelaxedSimd())({
        rows: 1,
        columns: 67,
        operands: [a, c],
      });
      y!.forEach((actual, i) => {
        const { value, error } = bounded(expression, { a: a[i]!, c: c[i]! });
        if (!(Math.abs(value) + error < 3e38)) return;
        assertLessOrEqual(Math.abs(actual - value), error, JSON.stringify(expression));
      });
    }),
    { seed: 3, numRuns: 300 },
  );
});

Deno.test("emitLoop() in float32 computes with 32-bit integers exactly", () => {
  const integer = (text: string): LoopSpec => ({
    float: "float32",
    operands: ["a", "b"].map((name) => ({ name, dtype: "int32", moves: true })),
    body: [assign("y", text)],
    stores: [{ name: "y", dtype: "int32", moves: true }],
  });
  const a = Int32Array.of(2 ** 30 + 1, -(2 ** 31), 7, -5, 0);
  const b = Int32Array.of(2 ** 30 + 3, -1, -3, 2, 0);
  const texts = ["a * b", "a + b - 3", "-a", "abs(b)", "sign(a)", "max(a, b)", "min(a, 1)"];
  for (const text of [...texts, "a < b ? a : b", "a == b ? 1 : b"]) {
    const spec = integer(text);
    const { expression } = spec.body[0] as { expression: Expression };
    const [y] = prepare(spec)({ rows: 1, columns: 5, operands: [a, b] });
    const f = toFunction(expression, true);
    assertSame(y!, Int32Array.from(a, (x, i) => f({ a: x, b: b[i]! })), text);
  }
});

Deno.test("emitLoop() in float32 counts and compares integers", () => {
  const spec: LoopSpec = {
    float: "float32",
    operands: [
      { name: "a", dtype: "int32", moves: true },
      { name: "b", dtype: "int32", moves: false },
    ],
    body: [
      assign("same", "a == b"),
      { name: "count", reduce: "sum", of: "same" },
      { name: "largest", reduce: "max", of: "a" },
    ],
    stores: [
      { name: "count", dtype: "int32", moves: false },
      { name: "largest", dtype: "int32", moves: false },
    ],
  };
  const a = Int32Array.from({ length: 2 * 37 }, (_, i) => i % 5 + 2 ** 30);
  const operands = [a, Int32Array.of(2 ** 30 + 1, 2 ** 30 + 7)];
  const [count, largest] = prepare(spec)({ rows: 2, columns: 37, operands });
  assertEquals([...count!], [a.subarray(0, 37).filter((x) => x === 2 ** 30 + 1).length, 0]);
  assertEquals([...largest!], [2 ** 30 + 4, 2 ** 30 + 4]);
});

Deno.test("emitLoop() brings values to the type of an assignment", () => {
  const spec: LoopSpec = {
    ...chain("a", "a", "float64"),
    body: [assign("x", "a", "float32"), assign("t", "x", "bool"), assign("y", "x + t")],
    stores: [
      { name: "y", dtype: "float64", moves: true },
      { name: "x", dtype: "float32", moves: true },
    ],
  };
  const a = Float64Array.of(0.1, 0, NaN);
  const [y, x] = prepare(spec)({ rows: 1, columns: 3, operands: [a] });
  assertEquals([...y!], [Math.fround(0.1) + 1, 0, NaN]);
  assertEquals([...x!], [Math.fround(0.1), 0, NaN]);
});

Deno.test("emitLoop() takes powers of one, two and minus one as products", () => {
  const a = wave("float32", 9);
  const of = (text: string) => prepare(chain(text))({ rows: 1, columns: 9, operands: [a] })[0]!;
  assertSame(of("pow(a, 1)"), a, "1");
  assertSame(of("pow(a, 2)"), a.map((x) => x * x), "2");
  assertSame(of("pow(a, -1)"), a.map((x) => 1 / x), "-1");
  assertSame(of("pow(abs(a), 1.5)"), a.map((x) => Math.pow(Math.abs(x), 1.5)), "1.5");
});

Deno.test("emitLoop() leaves sines and cosines of large angles to the host", () => {
  const a = Float32Array.of(1, 1e6, -1e9, 8192.5, 3e38, 2);
  for (const name of ["sin", "cos"] as const) {
    const [y] = prepare(chain(`${name}(a)`))({ rows: 1, columns: 6, operands: [a] });
    y!.forEach((value, i) => {
      const exact = Math[name](a[i]!);
      assertLessOrEqual(Math.abs(value - exact), 2.5 * ulpOf(exact));
    });
  }
});

Deno.test("emitLoop() knows which zero is larger", () => {
  const a = Float32Array.of(0, -0, 1, -1, NaN);
  const zero = (value: number): Expression => ({ kind: "number", value });
  for (const name of ["max", "min"] as const) {
    for (const limit of [0, -0]) {
      for (const args of [[zero(limit), null], [null, zero(limit)]]) {
        const expression: Expression = {
          kind: "call",
          name,
          operands: args.map((x) => x ?? { kind: "name", name: "a" }),
        };
        const loop = { ...chain("a"), body: [{ name: "y", expression }] };
        const [y] = prepare(loop)({ rows: 1, columns: 5, operands: [a] });
        assertSame(y!, a.map((x) => Math[name](x, limit)), `${name} of ${limit}`);
      }
    }
  }
});

Deno.test("emitLoop() takes products of truth and -0 as numbers", () => {
  const minusZero: Expression = { kind: "number", value: -0 };
  const truth = (assign("t", "a < 1") as Assignment).expression;
  const product: Expression = { kind: "binary", operator: "*", operands: [truth, minusZero] };
  const loop = { ...chain("a"), body: [{ name: "y", expression: product }] };
  const [y] = prepare(loop)({ rows: 1, columns: 2, operands: [Float32Array.of(0, 2)] });
  assertSame(y!, Float32Array.of(-0, -0), "product");
});

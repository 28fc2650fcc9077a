import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { EagerKernel } from "../../kernels/elementwise/eager.ts";
import type { ElementType } from "../../kernels/elementwise/elements.ts";
import {
  type Expression,
  SCALAR_FUNCTIONS,
  type ScalarFunction,
  toFunction,
} from "../../kernels/elementwise/expression.ts";
import { type Assignment, type LoopSpec, planPasses } from "../../kernels/elementwise/passes.ts";
import { ElementwiseKernel } from "../../kernels/elementwise/reference.ts";
import { importMath } from "../../kernels/elementwise/typed.ts";
import { emitLoop } from "../../kernels/elementwise/wasm.ts";
import { hasRelaxedSimd } from "../../kernels/wasm/features.ts";
import { ModuleBuilder } from "../../kernels/wasm/module.ts";
import { arrayOf, assign, chain, prepare, reduction, ulpOf, wave } from "./wasm_loops.ts";

const SIZES = [0, 1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000];
const SHORT = 20;

/** Equal to the bit, NaN being one value. */
function assertSame(actual: ArrayLike<number>, expected: ArrayLike<number>, about: string): void {
  const at = Array.from(expected).findIndex((x, i) => !Object.is(x, actual[i]));
  assert(
    actual.length === expected.length && at === -1,
    `${about}: ${actual[at]} instead of ${expected[at]} at ${at}`,
  );
}

/** The value of an expression of single-precision operations, each rounded on its own. */
function rounded(
  e: Expression,
  scope: Record<string, number>,
  round: (x: number) => number,
): number {
  const value = (x: Expression) => rounded(x, scope, round);
  switch (e.kind) {
    case "number":
      return round(e.value);
    case "name":
      return scope[e.name]!;
    case "negate":
      return -value(e.operand);
    case "choose":
      return value(e.condition) ? value(e.then) : value(e.otherwise);
    case "call":
      return round(SCALAR_FUNCTIONS[e.name](...e.arguments.map(value)));
    case "binary": {
      const [left, right] = [value(e.left), value(e.right)];
      const operands: Expression = {
        ...e,
        left: { kind: "name", name: "l" },
        right: { kind: "name", name: "r" },
      };
      return round(toFunction(operands)({ l: left, r: right }));
    }
  }
}

/** Expressions of the names, of operators and the given functions. */
function expressions(names: string[], functions: ScalarFunction[]): fc.Arbitrary<Expression> {
  const { tree } = fc.letrec<{ tree: Expression }>((tie) => {
    const two = fc.tuple(tie("tree"), tie("tree"));
    const call = (name: ScalarFunction) => {
      const count = ["max", "min", "pow"].includes(name) ? 2 : 1;
      return fc.array(tie("tree"), { minLength: count, maxLength: count })
        .map((args): Expression => ({ kind: "call", name, arguments: args }));
    };
    return {
      tree: fc.oneof(
        { maxDepth: 4, depthSize: "medium", withCrossShrink: true },
        fc.constantFrom(...names).map((name): Expression => ({ kind: "name", name })),
        fc.constantFrom(0, 1, -0, 2, 0.1, -1.5, 1e-3).map((value): Expression => ({
          kind: "number",
          value,
        })),
        tie("tree").map((operand): Expression => ({ kind: "negate", operand })),
        fc.tuple(fc.constantFrom("+", "-", "*", "/", "<", "<=", "==", "!="), two).map((
          [operator, [left, right]],
        ): Expression => ({ kind: "binary", operator, left, right })),
        fc.tuple(tie("tree"), two).map(([condition, [then, otherwise]]): Expression => ({
          kind: "choose",
          condition,
          then,
          otherwise,
        })),
        ...functions.map(call),
      ),
    };
  });
  return tree;
}

const NAMES = ["a", "b", "c", "p"];
const ARITHMETIC: ScalarFunction[] = ["abs", "sign", "sqrt", "max", "min"];
const FUNCTIONS: ScalarFunction[] = ["exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "pow"];

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
    fc.property(expressions(NAMES, [...ARITHMETIC, ...FUNCTIONS]), (expression) => {
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
    const { value, error } = known(e.operand);
    return { value: -value, error };
  }
  if (e.kind === "call") {
    const { value, error } = known(e.arguments[0]!);
    const f = SCALAR_FUNCTIONS[e.name];
    const [low, exact, high] = [f(value - error), f(value), f(value + error)];
    const change = Math.max(Math.abs(exact - low), Math.abs(high - exact));
    return around(exact, change, 2.5);
  }
  if (e.kind !== "binary") throw new TypeError("There is no bound");
  const [x, y] = [known(e.left), known(e.right)];
  const [u, v] = [Math.abs(x.value), Math.abs(y.value)];
  const value = toFunction({
    ...e,
    left: { kind: "number", value: x.value },
    right: { kind: "number", value: y.value },
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
      ): Expression => ({ kind: "binary", operator, left, right })),
      fc.tuple(fc.constantFrom("exp", "expm1", "tanh"), tie("tree")).map((
        [name, operand],
      ): Expression => ({ kind: "call", name, arguments: [operand] })),
    ),
  }));
  const [a, c] = [wave("float32", 67), wave("float32", 67, 1)];
  fc.assert(
    fc.property(tree, fc.boolean(), (expression, fused) => {
      const loop = { ...chain("a", "ac"), body: [{ name: "y", expression }] };
      const [y] = prepare(loop, { relaxed: fused && hasRelaxedSimd() })({
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

/** What a number from 0 to 7 says about three operands. */
function flags(pattern: number): boolean[] {
  return [1, 2, 4].map((bit) => (pattern & bit) > 0);
}

Deno.test("emitLoop() reads operands that move, repeat along rows or along columns", () => {
  const spec = chain("a + 10 * b - c / 7", "abc");
  const { expression } = spec.body[0] as Assignment;
  for (let pattern = 0; pattern < 16; pattern++) {
    const moves = flags(pattern & 7);
    const operands = spec.operands.map((x, i) => ({ ...x, moves: moves[i]! }));
    const run = prepare({ ...spec, operands, columns: pattern < 8 ? undefined : SHORT });
    for (const [rows, columns] of SIZES.flatMap((n) => [[1, n], [6, Math.min(n, 65)]])) {
      for (let repeats = 0; repeats < 8; repeats++) {
        const steps = flags(repeats).map((own, i) => own ? (moves[i] ? columns! : 1) : 0);
        const data = moves.map((own, i) =>
          wave("float32", own ? Math.max(columns!, rows! * steps[i]!) : rows!, i)
        );
        const [y] = run({ rows: rows!, columns: columns!, operands: data, steps });
        const expected = y!.map((_, at) => {
          const [i, j] = [Math.floor(at / columns!), at % columns!];
          const [a, b, c] = data.map((x, k) => x[i * steps[k]! + (moves[k] ? j : 0)]!);
          return rounded(expression, { a: a!, b: b!, c: c! }, Math.fround);
        });
        assertSame(y!, expected, `${rows} × ${columns}, moves ${moves}, steps ${steps}`);
      }
    }
  }
});

const TYPES: ElementType[] = ["float32", "float64", "int32", "bool"];

for (const float of ["float32", "float64"] as const) {
  const types = TYPES.filter((dtype) => float === "float64" || dtype !== "float64");
  Deno.test(`emitLoop() in ${float} reads elements of every type, at every size`, () => {
    for (const dtype of types) {
      const spec = chain("a * 0.5 + 1", "a", float);
      const run = prepare({ ...spec, operands: [{ name: "a", dtype, moves: true }] });
      for (const columns of SIZES) {
        const a = wave(dtype, 3 * columns);
        const [y] = run({ rows: 3, columns, operands: [a] });
        assertSame(
          y!,
          arrayOf(float, a.map((x) => x).length).map((_, i) => {
            const half = float === "float32" ? Math.fround(a[i]! * 0.5) : a[i]! * 0.5;
            return half + 1;
          }),
          `${dtype}, ${columns} columns`,
        );
      }
    }
  });

  Deno.test(`emitLoop() in ${float} writes truth values as bytes, at every size`, () => {
    const spec = chain("a < b", "ab", float);
    const run = prepare({ ...spec, stores: [{ name: "y", dtype: "bool", moves: true }] });
    for (const columns of SIZES) {
      const [a, b] = [wave(float, columns), wave(float, columns, 2)];
      const [y] = run({ rows: 1, columns, operands: [a, b] });
      assertSame(y!, a.map((x, i) => Number(x < b[i]!)), `${columns} columns`);
    }
  });

  Deno.test(`emitLoop() in ${float} chooses by bytes, and among them`, () => {
    const spec: LoopSpec = {
      float,
      operands: [
        { name: "a", dtype: "bool", moves: true },
        { name: "b", dtype: float, moves: true },
        { name: "c", dtype: "bool", moves: false },
      ],
      body: [
        assign("x", "a != 0 ? b : 0"),
        assign("y", "c != 0 ? a : 0", "bool"),
        assign("z", "a == c"),
      ],
      stores: [
        { name: "x", dtype: float, moves: true },
        { name: "y", dtype: "bool", moves: true },
        { name: "z", dtype: "bool", moves: true },
      ],
    };
    const [a, b] = [wave("bool", 22), wave(float, 22)];
    const [x, y, z] = prepare(spec)({
      rows: 2,
      columns: 11,
      operands: [a, b, Uint8Array.of(0, 1)],
    });
    assertSame(x!, b.map((v, i) => a[i] ? v : 0), "x");
    assertSame(y!, a.map((v, i) => i < 11 ? 0 : v), "y");
    assertSame(z!, a.map((v, i) => Number(v === (i < 11 ? 0 : 1))), "z");
  });

  Deno.test(`emitLoop() in ${float} sums rows in the order of the reference, at every size`, () => {
    for (const columns of SIZES) {
      for (const hint of [undefined, SHORT]) {
        const loop = { ...reduction("sum", "a * a", float), columns: hint };
        const a = wave(float, 6 * columns);
        const [y] = prepare(loop)({ rows: 6, columns, operands: [a] });
        const expected = arrayOf(float, 6).map((_, i) => {
          const squares = a.map((x) => x * x).subarray(i * columns, (i + 1) * columns);
          const sums = [0, 0, 0, 0];
          const partial = float === "float32" ? columns - columns % 4 : 0;
          squares.forEach((x, j) => sums[j < partial ? j % 4 : 0]! += x);
          return (sums[0]! + sums[1]!) + (sums[2]! + sums[3]!);
        });
        assertSame(y!, expected, `${columns} columns`);
      }
    }
  });

  Deno.test(`emitLoop() in ${float} finds extremes of rows, at every size`, () => {
    for (const reduce of ["max", "min"] as const) {
      for (const columns of SIZES) {
        for (const hint of [undefined, SHORT]) {
          const loop = { ...reduction(reduce, "a - 1", float), columns: hint };
          const a = wave(float, 6 * columns);
          const [y] = prepare(loop)({ rows: 6, columns, operands: [a] });
          const expected = arrayOf(float, 6).map((_, i) =>
            Math[reduce](...a.map((x) => x - 1).subarray(i * columns, (i + 1) * columns))
          );
          assertSame(y!, expected, `${reduce}, ${columns} columns`);
        }
      }
    }
  });

  Deno.test(`emitLoop() in ${float} lets NaN win over any extreme, wherever it is`, () => {
    for (const reduce of ["max", "min"] as const) {
      for (const hint of [undefined, SHORT]) {
        const run = prepare({ ...reduction(reduce, "a", float), columns: hint });
        for (let at = 0; at < 37; at++) {
          const a = wave(float, 3 * 37);
          a[37 + at] = NaN;
          const [y] = run({ rows: 3, columns: 37, operands: [a] });
          assertEquals([...y!].map(Number.isNaN), [false, true, false]);
        }
      }
    }
  });

  Deno.test(`emitLoop() in ${float} takes rows of one value as they are`, () => {
    const spec = reduction("sum", "a", float);
    const run = prepare({ ...spec, operands: [{ ...spec.operands[0]!, moves: false }] });
    const [y] = run({ rows: 2, columns: 37, operands: [arrayOf(float, [1, 3])] });
    assertEquals([...y!], [37, 111]);
  });

  for (const hint of [undefined, SHORT]) {
    const rows = hint === undefined ? "long" : "short";
    Deno.test(`emitLoop() in ${float} computes softmax and logSumExp of ${rows} rows`, () => {
      const run = prepare({ ...softmaxLoop(float), columns: hint });
      for (const columns of SIZES.slice(1)) {
        const x = wave(float, 7 * columns);
        const [y, l] = run({ rows: 7, columns, operands: [x] });
        for (let i = 0; i < 7; i++) {
          const row = [...x.subarray(i * columns, (i + 1) * columns)];
          const [exact, logSum] = softmax(row);
          const epsilon = float === "float32" ? 2 ** -24 : 2 ** -53;
          assertLessOrEqual(Math.abs(l![i]! - logSum), 8 * epsilon * Math.max(1, Math.abs(logSum)));
          exact.forEach((p, j) =>
            assertLessOrEqual(Math.abs(y![i * columns + j]! - p), 12 * epsilon * p)
          );
        }
      }
    });
  }
}

function softmaxLoop(float: LoopSpec["float"]): LoopSpec {
  return {
    float,
    operands: [{ name: "x", dtype: float, moves: true }],
    body: [
      { name: "top", reduce: "max", of: "x" },
      assign("e", "exp(x - top)"),
      { name: "sum", reduce: "sum", of: "e" },
      assign("y", "e / sum"),
      assign("l", "log(sum) + top"),
    ],
    stores: [{ name: "y", dtype: float, moves: true }, { name: "l", dtype: float, moves: false }],
  };
}

function softmax(row: readonly number[]): [number[], number] {
  const top = Math.max(...row);
  const powers = row.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return [powers.map((p) => p / sum), top + Math.log(sum)];
}

Deno.test("planPasses() computes an exponential once, and keeps it where the result will be", () => {
  const passes = planPasses(softmaxLoop("float32"));
  const names = passes.map(({ loads, moving, stores }) => ({
    loads: loads.map(({ name, from }) => `${from} ${name}`),
    moving: moving.map(({ name }) => name),
    stores: stores.map(({ name, output }) => `${name} to ${output}`),
  }));
  assertEquals(names, [
    { loads: ["operand x"], moving: [], stores: [] },
    { loads: ["operand x"], moving: ["e"], stores: ["e to 0"] },
    { loads: ["output e"], moving: ["y"], stores: ["y to 0"] },
  ]);
});

Deno.test("planPasses() computes what is cheap again", () => {
  const passes = planPasses({
    float: "float32",
    operands: [{ name: "x", dtype: "float32", moves: true }],
    body: [
      assign("d", "x - 1"),
      { name: "s", reduce: "sum", of: "d" },
      assign("y", "d / s"),
    ],
    stores: [{ name: "y", dtype: "float32", moves: true }],
  });
  assertEquals(passes.map(({ moving }) => moving.map(({ name }) => name)), [["d"], ["d", "y"]]);
  assertEquals(passes[0]!.stores, []);
});

Deno.test("planPasses() keeps nothing that no later pass needs", () => {
  const passes = planPasses({
    ...softmaxLoop("float32"),
    body: [assign("e", "exp(x)"), { name: "s", reduce: "sum", of: "e" }, assign("y", "x / s")],
    stores: [{ name: "y", dtype: "float32", moves: true }],
  });
  assertEquals(passes.map(({ stores }) => stores.map(({ name }) => name)), [[], ["y"]]);
});

Deno.test("emitLoop() keeps values until the last pass that needs them", () => {
  const spec: LoopSpec = {
    float: "float64",
    operands: [{ name: "x", dtype: "float64", moves: true }],
    body: [
      assign("e", "exp(x)"),
      { name: "s", reduce: "sum", of: "e" },
      assign("y", "e / s"),
      assign("r", "sqrt(y)"),
      { name: "t", reduce: "sum", of: "r" },
      assign("z", "e * t"),
    ],
    stores: ["y", "z"].map((name) => ({ name, dtype: "float64", moves: true })),
  };
  assertEquals(planPasses(spec)[0]!.stores, [{ name: "e", output: 1 }]);
  const x = Float64Array.from(wave("float64", 7));
  const e = x.map(Math.exp);
  const y = e.map((v) => v / e.reduce((a, b) => a + b, 0));
  const t = y.map(Math.sqrt).reduce((a, b) => a + b, 0);
  const outputs = prepare(spec)({ rows: 1, columns: 7, operands: [x] });
  assertSame(outputs[0]!, y, "y");
  assertSame(outputs[1]!, e.map((v) => v * t), "z");
});

Deno.test("planPasses() reads again what an earlier pass stored", () => {
  const passes = planPasses({
    ...softmaxLoop("float32"),
    stores: ["e", "y"].map((name) => ({ name, dtype: "float32", moves: true })),
  });
  assertEquals(passes.map(({ loads }) => loads.map(({ from, index }) => `${from} ${index}`)), [
    ["operand 0"],
    ["operand 0"],
    ["output 0"],
  ]);
});

Deno.test("emitLoop() runs sums that need sums, pass by pass", () => {
  const spec: LoopSpec = {
    float: "float64",
    operands: [{ name: "x", dtype: "float64", moves: true }],
    parameters: ["n"],
    body: [
      { name: "total", reduce: "sum", of: "x" },
      assign("mean", "total / n"),
      assign("d", "x - mean"),
      assign("square", "d * d"),
      { name: "squares", reduce: "sum", of: "square" },
      assign("deviation", "sqrt(squares / n)"),
      assign("y", "d / deviation"),
    ],
    stores: [
      { name: "y", dtype: "float64", moves: true },
      { name: "deviation", dtype: "float64", moves: false },
    ],
  };
  const x = Float64Array.of(1, 3, 1, 3, 10, 14, 10, 14);
  const [y, deviation] = prepare(spec)({ rows: 2, columns: 4, operands: [x], parameters: [4] });
  assertEquals([...y!], [-1, 1, -1, 1, -1, 1, -1, 1]);
  assertEquals([...deviation!], [1, 2]);
});

Deno.test("emitLoop() writes what does not move at each position where that is asked", () => {
  const spec: LoopSpec = {
    float: "float32",
    operands: [{ name: "b", dtype: "float32", moves: false }],
    body: [assign("y", "b + 1")],
    stores: [{ name: "y", dtype: "float32", moves: true }],
  };
  for (const columns of [3, 21]) {
    for (const hint of [undefined, SHORT]) {
      const operands = [Float32Array.of(1, 2, 3, 4, 5)];
      const [y] = prepare({ ...spec, columns: hint })({ rows: 5, columns, operands });
      assertEquals([...y!], Array.from(y!, (_, i) => Math.floor(i / columns) + 2));
    }
  }
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
          arguments: args.map((x) => x ?? { kind: "name", name: "a" }),
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
  const product: Expression = { kind: "binary", operator: "*", left: truth, right: minusZero };
  const loop = { ...chain("a"), body: [{ name: "y", expression: product }] };
  const [y] = prepare(loop)({ rows: 1, columns: 2, operands: [Float32Array.of(0, 2)] });
  assertSame(y!, Float32Array.of(-0, -0), "product");
});

Deno.test("emitLoop() may write where it reads", () => {
  const module = new ModuleBuilder({ from: "export", pages: 1 });
  module.exportFunction("loop", emitLoop(module, importMath(module), chain("a + b", "ab")));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    Math: Math as unknown as WebAssembly.ModuleImports,
  });
  const { buffer } = exports.memory as WebAssembly.Memory;
  const [a, b] = [new Float32Array(buffer, 0, 37), new Float32Array(buffer, 1024, 37)];
  a.set(wave("float32", 37));
  b.set(wave("float32", 37, 1));
  const expected = a.map((x, i) => x + b[i]!);
  (exports.loop as (...numbers: number[]) => void)(0, 0, 1024, 148, 148, 148, 1, 37);
  assertSame(a, expected, "sum");
});

Deno.test("emitLoop() gives the same bits each time", () => {
  const run = prepare(softmaxLoop("float32"));
  const x = wave("float32", 5 * 67);
  const first = run({ rows: 5, columns: 67, operands: [x] });
  for (let i = 0; i < 20; i++) {
    const again = run({ rows: 5, columns: 67, operands: [x] });
    again.forEach((y, k) => assertSame(y, first[k]!, `output ${k}`));
  }
});

Deno.test("emitLoop() refuses types that the loop cannot compute with", () => {
  assertThrows(
    () => prepare({ ...chain("a"), operands: [{ name: "a", dtype: "float64", moves: true }] }),
    TypeError,
    "Cannot emit a loop as it computes in float32: current element type is float64",
  );
  assertThrows(
    () => prepare({ ...chain("a"), stores: [{ name: "y", dtype: "int32", moves: true }] }),
    TypeError,
    "Cannot emit a loop as numbers of a float32 loop are no integers",
  );
  assertThrows(
    () => prepare({ ...chain("a"), body: [assign("y", "a", "float64")] }),
    TypeError,
    "Cannot emit a loop as it computes in float32: current type is float64",
  );
});

Deno.test("planPasses() refuses names that are not there, and rows of what moves", () => {
  assertThrows(
    () => planPasses(chain("a + b")),
    TypeError,
    "Cannot plan a loop as b is used before it is computed",
  );
  assertThrows(
    () => planPasses({ ...chain("a"), stores: [{ name: "y", dtype: "float32", moves: false }] }),
    TypeError,
    "Cannot plan a loop as y is stored once per row: it changes along the row",
  );
});

Deno.test("EagerKernel gives large arrays of float32 to WebAssembly, in chunks", () => {
  for (const text of ["exp(a)", "max(a, 0) + log1p(exp(-abs(a)))", "1 / (1 + exp(-a))"]) {
    const [eager, reference] = [EagerKernel, ElementwiseKernel].map((K) => new K("f", text));
    for (const size of [4095, 4096, 8191, 8192, 8193, 20_001]) {
      const x = wave("float32", size);
      const [y, exact] = [new Float32Array(size), new Float32Array(size)];
      eager!.runFlat(y, [x]);
      reference!.runFlat(exact, [x]);
      let differing = 0;
      y.forEach((value, i) => {
        assertLessOrEqual(Math.abs(value - exact[i]!), 3 * ulpOf(exact[i]!));
        if (value !== exact[i]) differing++;
      });
      assertEquals(differing > 0, size >= 4096);
    }
  }
});

Deno.test("EagerKernel reads operands of one value, and parameters", () => {
  const text = "exp(a - b) * p + q";
  const a = wave("float32", 10_001);
  const [y, exact] = [new Float32Array(a.length), new Float32Array(a.length)];
  for (const data of [[a, Float32Array.of(0.5)], [Float32Array.of(0.5), a], [a, a]]) {
    new EagerKernel("f", text).runFlat(y, data, [2, 0.25]);
    new ElementwiseKernel("f", text).runFlat(exact, data, [2, 0.25]);
    y.forEach((value, i) => assertLessOrEqual(Math.abs(value - exact[i]!), 3 * ulpOf(exact[i]!)));
  }
});

Deno.test("EagerKernel leaves other types and cheap expressions as they are", () => {
  const size = 5000;
  for (const dtype of ["float64", "float32"] as const) {
    const [x, text] = [wave(dtype, size), dtype === "float64" ? "exp(a)" : "a / 3 * a"];
    const [y, exact] = [arrayOf(dtype, size), arrayOf(dtype, size)];
    new EagerKernel("f", text).runFlat(y, [x]);
    new ElementwiseKernel("f", text).runFlat(exact, [x]);
    assertSame(y, exact, text);
  }
});

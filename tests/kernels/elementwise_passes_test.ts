import { assertEquals, assertThrows } from "@std/assert";
import {
  hoistLogarithms,
  type LoopSpec,
  planPasses,
  withTemporaries,
} from "../../kernels/elementwise/passes.ts";
import { emitLoop, rowsAtOnce } from "../../kernels/elementwise/wasm.ts";
import { ModuleBuilder } from "../../kernels/wasm/module.ts";
import { assertSame, assign, chain, prepare, softmaxLoop, wave } from "./wasm_loops.ts";

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

/** A row's deviations from the logarithm of its sum, and nothing to keep the logarithms in. */
const UNKEPT: LoopSpec = {
  float: "float32",
  operands: [{ name: "x", dtype: "float32", moves: true }],
  body: [
    assign("l", "log(x)"),
    { name: "s", reduce: "sum", of: "l" },
    assign("d", "l - s"),
    { name: "t", reduce: "max", of: "d" },
  ],
  stores: [{ name: "t", dtype: "float32", moves: false }],
};

Deno.test("withTemporaries() adds a store for what is costly and needed again", () => {
  const spec = withTemporaries(UNKEPT);
  assertEquals(spec.stores.slice(1), [{
    name: "l",
    dtype: "float32",
    moves: true,
    temporary: true,
  }]);
  const moving = planPasses(spec).flatMap((pass) => pass.moving.map(({ name }) => name));
  assertEquals(moving, ["l", "d"]);
});

Deno.test("withTemporaries() leaves loops alone that have an output to keep values in", () => {
  const spec = softmaxLoop("float32");
  assertEquals(withTemporaries(spec), spec);
});

for (const columns of [undefined, 70, 20]) {
  const length = columns ?? "many";
  Deno.test(`emitLoop() writes temporary stores of rows of ${length} columns over and over`, () => {
    const spec = withTemporaries({ ...UNKEPT, columns });
    const width = columns ?? 70;
    const x = Float32Array.from({ length: 11 * width }, (_, i) => 1 + i % 7);
    // The test's memory has a row for each row here; the loop uses the first ones of them.
    const module = new ModuleBuilder({ from: "import" });
    module.exportFunction("loop", emitLoop(module, spec));
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
      env: { memory },
      Math: Math as unknown as WebAssembly.ModuleImports,
    });
    const [out, temporary, input] = [0, 1024, 16384];
    const kept = rowsAtOnce(spec) * width;
    const guard = new Float32Array(memory.buffer, temporary + 4 * kept, 16).fill(-1);
    new Float32Array(memory.buffer, input, x.length).set(x);
    const loop = exports.loop as (...numbers: number[]) => void;
    loop(out, temporary, input, 4, 4 * width, 4 * width, 11, width);
    const expected = prepare(UNKEPT)({ rows: 11, columns: width, operands: [x] });
    assertSame(new Float32Array(memory.buffer, out, 11), expected[0]!, "rows");
    assertEquals([...guard], Array(16).fill(-1));
  });
}

/** Powers of a number per row, or of one per position, and what is made of them. */
function powers(float: LoopSpec["float"], moves: boolean): LoopSpec {
  return {
    float,
    operands: [{ name: "x", dtype: float, moves }, { name: "y", dtype: float, moves: true }],
    body: [assign("base", "x + 1"), assign("p", "pow(base, y)"), assign("q", "p + pow(y, base)")],
    stores: [{ name: "p", dtype: float, moves: true }, { name: "q", dtype: float, moves: true }],
  };
}

Deno.test("hoistLogarithms() takes logarithms once where bases stay, of rows and of columns", () => {
  const before = (spec: LoopSpec) => planPasses(spec)[0]!.before.map(({ name }) => name);
  assertEquals(before(hoistLogarithms(powers("float64", false))), [
    "base",
    "plogarithmHigh",
    "plogarithmLow",
  ]);
  const moving = powers("float64", true);
  assertEquals(hoistLogarithms(moving), moving);
  const columns: LoopSpec = { ...powers("float64", false), over: "column" };
  assertEquals(hoistLogarithms(columns).body.length, 5);
});

for (const float of ["float32", "float64"] as const) {
  Deno.test(`hoistLogarithms() gives powers of ${float} the bits that they have`, () => {
    const spec = powers(float, false);
    const array = float === "float32" ? Float32Array : Float64Array;
    const special = [0, -0, 1, -1, -2, 3, 1e-40, 5e-324, 1e30, Infinity, -Infinity, NaN];
    const rows = new array([...special, ...wave(float, 20)].map((x) => x - 1));
    const all = new array(rows.length * 41).map((_, i) => (i % 41 - 20) * 0.5);
    const given = { rows: rows.length, columns: 41, operands: [rows, all] };
    const [expected, actual] = [spec, hoistLogarithms(spec)].map((loop) => prepare(loop)(given));
    expected!.forEach((values, i) => assertSame(actual![i]!, values, `output ${i}`));
  });
}

import { assertEquals, assertThrows } from "@std/assert";
import { type LoopSpec, planPasses } from "../../kernels/elementwise/passes.ts";
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

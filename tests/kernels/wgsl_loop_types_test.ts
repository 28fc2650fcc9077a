import { assertEquals } from "@std/assert";
import { parseExpression, substitute } from "../../kernels/elementwise/expression.ts";
import { toFunction } from "./expressions.ts";
import type { LoopSpec } from "../../kernels/elementwise/passes.ts";
import { planLoop } from "../../kernels/elementwise/wgsl.ts";
import { assign, chain } from "./wasm_loops.ts";
import { walk, wordsOf } from "./wgsl_loops.ts";
import { gpuTest } from "./wgsl_runner.ts";

gpuTest("planLoop() computes with 32-bit integers exactly", async (runner) => {
  const a = Int32Array.of(2 ** 30 + 1, -(2 ** 31), 7, -5, 0);
  const b = Int32Array.of(2 ** 30 + 3, -1, -3, 2, 0);
  const texts = [
    ...["a * b", "a + b - 3", "-a", "abs(b)", "sign(a)", "max(a, b)", "min(a, 1)"],
    ...["a < b ? a : b", "a == b ? 1 : b", "min(max(a, -4), 6)", "max(a, -2147483648)"],
  ];
  const jobs = texts.map((text) => {
    const operands = ["a", "b"].map((name) => ({ name, dtype: "int32" as const, moves: true }));
    const stores = [{ name: "y", dtype: "int32" as const, moves: true }];
    const spec: LoopSpec = { float: "float32", operands, body: [assign("y", text)], stores };
    const plan = planLoop(spec, walk([5], [[5], [5]]));
    return { plan, inputs: [a, b], outputs: [new Int32Array(5)] };
  });
  await runner.run(jobs);
  texts.forEach((text, k) => {
    const exact = toFunction(parseExpression(text), true);
    const expected = Int32Array.from(a, (x, i) => exact({ a: x, b: b[i]! }));
    assertEquals(jobs[k]!.outputs[0], expected, text);
  });
});

gpuTest("planLoop() brings values from type to type", async (runner) => {
  const values = {
    float32: [0, 1, -7, 8e6, -(2 ** 31), 2 ** 30],
    int32: [0, 1, -7, 2 ** 24 + 1, 2 ** 31 - 1],
    bool: [0, 1, 1],
  };
  const types = ["float32", "int32", "bool"] as const;
  const jobs = types.flatMap((from) =>
    types.map((to) => {
      const spec: LoopSpec = {
        float: "float32",
        operands: [{ name: "a", dtype: from, moves: true }],
        body: [assign("y", "a", to)],
        stores: [{ name: "y", dtype: to, moves: true }],
      };
      const inputs = [wordsOf(from, values[from])];
      const size = inputs[0]!.length;
      return {
        from,
        to,
        plan: planLoop(spec, walk([size], [[size]])),
        inputs,
        outputs: [wordsOf(to, size)],
      };
    })
  );
  await runner.run(jobs);
  for (const { from, to, inputs, outputs } of jobs) {
    const expected = wordsOf(to, [...inputs[0]!].map((x) => to === "bool" ? Number(x !== 0) : x));
    assertEquals(outputs[0], expected, `${from} to ${to}`);
  }
});

gpuTest("planLoop() compares and counts large integers exactly", async (runner) => {
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
  for (const columns of [37, 20_000]) {
    const a = Int32Array.from({ length: 2 * columns }, (_, i) => i % 5 + 2 ** 30);
    const inputs = [a, Int32Array.of(2 ** 30 + 1, 2 ** 30 + 7)];
    const outputs = [new Int32Array(2), new Int32Array(2)];
    const plan = planLoop(spec, walk([2, columns], [[2, columns], [2, 1]], [1, 2]));
    await runner.run([{ plan, inputs, outputs }]);
    const count = a.subarray(0, columns).filter((x) => x === 2 ** 30 + 1).length;
    assertEquals([...outputs[0]!, ...outputs[1]!], [count, 0, 2 ** 30 + 4, 2 ** 30 + 4]);
  }
});

gpuTest("planLoop() knows constants that WGSL has no text for", async (runner) => {
  const number = (value: number) => ({ kind: "number" as const, value });
  const values = [Infinity, -Infinity, NaN, 1e39, 1e-45, 1e-50, 1e-40, -0];
  const jobs = values.map((value) => {
    const expression = substitute(parseExpression("a < 1 ? p : a"), { p: number(value) });
    const spec = { ...chain("a"), body: [{ name: "y", expression }] };
    const plan = planLoop(spec, walk([2], [[2]]));
    return { plan, inputs: [Float32Array.of(0, 2)], outputs: [new Float32Array(2)] };
  });
  await runner.run(jobs);
  jobs.forEach(({ outputs }, i) => assertEquals([...outputs[0]!], [Math.fround(values[i]!), 2]));
});

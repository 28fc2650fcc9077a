import { assertEquals } from "@std/assert";
import { parseExpression } from "../../kernels/elementwise/expression.ts";
import { LoopWriter } from "../../kernels/elementwise/wgsl_writer.ts";
import { compareLoop } from "./wgsl_loops.ts";
import { chain } from "./wasm_loops.ts";
import { gpuTest } from "./wgsl_runner.ts";

gpuTest("max() and min() let NaN win", async (runner) => {
  const x = Float32Array.of(1, NaN, -3, Infinity, -Infinity);
  const results = [];
  for (const text of ["max(a, 0.5)", "min(0.5, a)", "max(0.5, a)"]) {
    const comparison = compareLoop(chain(text), [x.length], [[x.length]]);
    await runner.run([{ ...comparison, inputs: [x] }]);
    results.push([...comparison.outputs[0]!]);
  }
  assertEquals(results, [
    [1, NaN, 0.5, Infinity, 0.5],
    [0.5, NaN, -3, 0.5, -Infinity],
    [1, NaN, 0.5, Infinity, 0.5],
  ]);
});

Deno.test("LoopWriter tells NaN by its bits where a number is compared with itself", () => {
  const translate = (text: string) => {
    const writer = new LoopWriter(chain(text));
    writer.define("a", "float");
    return writer.assign({ name: "y", expression: parseExpression(text) });
  };
  assertEquals(["a != a", "a == a", "a - a"].map(translate), [
    "let y_ = is_nan(a_);",
    "let t0 = is_nan(a_);\nlet y_ = !t0;",
    "let y_ = a_ - opaque(a_);",
  ]);
});

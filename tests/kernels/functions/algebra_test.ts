import { assertEquals } from "@std/assert";
import * as a from "../../../kernels/functions/algebra.ts";
import type { Float, Integer, Precision, Scalar } from "../../../kernels/functions/algebra.ts";
import { evaluate } from "../../../kernels/functions/evaluate.ts";
import { toStatements } from "../../../kernels/functions/javascript.ts";
import { print } from "../../../kernels/functions/print.ts";
import { printWasm } from "../../../kernels/functions/wasm.ts";
import { WgslPrinter } from "../../../kernels/functions/wgsl.ts";
import { LaneCode } from "../../../kernels/elementwise/lanes.ts";
import { v128 } from "../../../kernels/wasm/simd.ts";
import { ModuleBuilder } from "../../../kernels/wasm/module.ts";
import { HELPERS } from "../../../kernels/wgsl/helpers.ts";
import { createKernel, groupsFor } from "../../../kernels/wgsl/kernel.ts";
import { gpuTest } from "../wgsl_runner.ts";

/** Every operation on integers and truth, each folded into the bits of the next. */
function mix(x: Float, k: Integer): Float {
  const { precision } = x;
  const whole = a.toInteger(a.mul(x, 1000));
  let state = a.add(a.mul(whole, 0x9e3779b1), k);
  state = a.xor(state, a.shrU(state, 15));
  state = a.sub(a.rotate(state, 13), a.shrS(state, 3));
  state = a.or(a.and(state, 0x7fff00ff), a.shl(whole, 9));
  const odd = a.equal(a.and(state, 1), 1);
  const negative = a.less(state, 0);
  state = a.choose(a.either(odd, negative), state, a.sub(0, state));
  state = a.choose(a.both(odd, a.less(x, 0)), a.add(state, 7), state);
  const value = a.toFloat(a.shrU(state, 8), precision!);
  return a.rarely(a.not(odd), a.add(value, a.floor(x)), value);
}

const VALUES = [0, -0, 0.5, 1, -1.25, 3.75, 700.125, -700.5];
const KEY = 0x5eed;

function graphOf(precision: Precision): Scalar {
  return mix(a.parameter("x", precision), a.integerParameter("k"));
}

function byEvaluator(precision: Precision): number[] {
  const f = evaluate([graphOf(precision)], precision, ["x", "k"]);
  return VALUES.map((x) => f(x, KEY)[0]!);
}

function byWasm(precision: Precision): number[] {
  const single = precision === "float32";
  const module = new ModuleBuilder({ from: "export", pages: 1 });
  module.exportFunction(
    "run",
    module.addFunction({ end: "i32" }, (builder, { end }) => {
      const code = new LaneCode(builder, precision, false);
      builder.for(end, 16, (at) => {
        const parameters = { x: code.let([v128.load(at)]), k: code.integer(KEY) };
        const host = () => parameters.x;
        const [y] = printWasm(code, [graphOf(precision)], parameters, host);
        builder.store("v128", at, y![0]!);
      });
    }),
  );
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()));
  const { buffer } = exports.memory as WebAssembly.Memory;
  const values = single ? new Float32Array(buffer) : new Float64Array(buffer);
  values.set(VALUES);
  (exports.run as (end: number) => void)(VALUES.length * values.BYTES_PER_ELEMENT);
  return [...values.subarray(0, VALUES.length)];
}

Deno.test("WebAssembly gives the bits of the evaluator, in both precisions", () => {
  for (const precision of ["float32", "float64"] as const) {
    assertEquals(byWasm(precision), byEvaluator(precision));
  }
});

Deno.test("both precisions compute the same integers", () => {
  assertEquals(byEvaluator("float32"), byEvaluator("float64"));
});

Deno.test("JavaScript text gives what the evaluator gives", () => {
  const f = new Function("x", "k", toStatements(graphOf("float64"), (y) => `return ${y};`).text);
  assertEquals(VALUES.map((x) => f(x, KEY)), byEvaluator("float64"));
});

gpuTest("WGSL gives what the evaluator gives", async (runner) => {
  const printer = new WgslPrinter();
  const [y] = print([graphOf("float32")], { x: "x", k: `${KEY}i` }, printer);
  const kernel = createKernel({
    name: "mix",
    inputs: [{ name: "input", type: "f32" }],
    outputs: [{ name: "output", type: "f32" }],
    groups: groupsFor(VALUES.length),
    declarations: [...printer.uses].map((name) => HELPERS.get(name)!.text).join("\n"),
    body: `if (index >= ${VALUES.length}u) { return; }\nlet x = input[index];\n${
      printer.lines.join("\n")
    }\noutput[index] = ${y};`,
  });
  const output = new Float32Array(VALUES.length);
  await runner.run([{ plan: kernel, inputs: [Float32Array.from(VALUES)], outputs: [output] }]);
  assertEquals([...output], byEvaluator("float32"));
});

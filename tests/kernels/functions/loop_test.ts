/** Loops of scalars, and the upper bits of double precision: every printer gives the same. */
import { assertEquals } from "@std/assert";
import { LaneCode } from "../../../kernels/elementwise/lanes.ts";
import * as a from "../../../kernels/functions/algebra.ts";
import type { Float, Precision, Scalar } from "../../../kernels/functions/algebra.ts";
import { evaluate } from "../../../kernels/functions/evaluate.ts";
import { toStatements } from "../../../kernels/functions/javascript.ts";
import { print } from "../../../kernels/functions/print.ts";
import { printWasm } from "../../../kernels/functions/wasm.ts";
import { declareFunctions, WgslPrinter } from "../../../kernels/functions/wgsl.ts";
import { ModuleBuilder } from "../../../kernels/wasm/module.ts";
import { v128 } from "../../../kernels/wasm/simd.ts";
import { createKernel, groupsFor } from "../../../kernels/wgsl/kernel.ts";
import { gpuTest } from "../wgsl_runner.ts";

/** Turns until halves of `x` are below 1, and what is left: turns differ from number to number. */
function halve(x: Float): Float {
  const { value, turns } = a.repeat(
    { value: x, turns: a.integer(0) },
    ({ value, turns }) => {
      const half = a.mul(value, 0.5);
      return { going: a.lessEqual(1, half), next: { value: half, turns: a.add(turns, 1) } };
    },
    a.lessEqual(1, x),
  );
  return a.add(value, a.toFloat(turns, x.precision!));
}

/** A loop in a loop, with what does not change, values that change places, and a branch. */
function nest(x: Float): Float {
  const { precision } = x;
  const fixed = a.add(a.abs(x), 2);
  const outer = a.repeat({ i: a.integer(0), p: x, q: fixed }, ({ i, p, q }) => {
    const { sum } = a.repeat({ k: a.integer(0), sum: p }, ({ k, sum }) => ({
      going: a.less(k, i),
      next: { k: a.add(k, 1), sum: a.add(sum, a.div(a.toFloat(k, precision!), fixed)) },
    }));
    const bounded = a.rarely(a.less(3, sum), a.sub(sum, fixed), sum);
    return { going: a.less(i, 3), next: { i: a.add(i, 1), p: q, q: bounded } };
  });
  return a.sub(outer.p, outer.q);
}

const TEXTS: Record<string, (x: Float) => Float> = { halve, nest };
const VALUES = [0, 0.75, 1, 2, -3, 7, 100, 5.5, 1000, -0.25, 3, 12];

/** What the texts mean. */
const EXPECTED: Record<string, (x: number) => number> = {
  halve(x) {
    let turns = 0;
    for (; x >= 1; turns++) x /= 2;
    return x + turns;
  },
  nest(x) {
    const fixed = Math.abs(x) + 2;
    let [p, q] = [x, fixed];
    for (let i = 0; i <= 3; i++) {
      let sum = p;
      for (let k = 0; k <= i; k++) sum += k / fixed;
      [p, q] = [q, sum > 3 ? sum - fixed : sum];
    }
    return p - q;
  },
};

function byEvaluator(graph: Scalar, precision: Precision): number[] {
  const f = evaluate([graph], precision, ["x"]);
  return VALUES.map((x) => f(x)[0]!);
}

/** Two registers side by side. */
function byWasm(graph: Scalar, precision: Precision): number[] {
  const module = new ModuleBuilder({ from: "export", pages: 1 });
  const loop = module.addFunction({ end: "i32" }, (builder, { end }) => {
    const code = new LaneCode(builder, precision, false);
    builder.for(end, 32, (at) => {
      const x = code.let([v128.load(at), v128.load(at, 16)]);
      const [y] = printWasm(code, [graph], { x });
      y!.forEach((register, i) => builder.store("v128", at, register, 16 * i));
    });
  });
  module.exportFunction("run", loop);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()));
  const { buffer } = exports.memory as WebAssembly.Memory;
  const values = precision === "float32" ? new Float32Array(buffer) : new Float64Array(buffer);
  values.set(VALUES);
  (exports.run as (end: number) => void)(VALUES.length * values.BYTES_PER_ELEMENT);
  return [...values.subarray(0, VALUES.length)];
}

for (const [name, text] of Object.entries(TEXTS)) {
  const graphOf = (precision: Precision) => text(a.parameter("x", precision));

  Deno.test(`${name} turns as often as each number needs`, () => {
    const graph = graphOf("float64");
    const expected = VALUES.map(EXPECTED[name]!);
    assertEquals(byEvaluator(graph, "float64"), expected);
    const f = new Function("x", toStatements(graph, (y) => `return ${y};`).text);
    assertEquals(VALUES.map((x) => f(x)), expected);
    for (const precision of ["float32", "float64"] as const) {
      const own = graphOf(precision);
      assertEquals(byWasm(own, precision), byEvaluator(own, precision));
    }
  });

  gpuTest(`${name} turns as often on a device`, async (runner) => {
    const graph = graphOf("float32");
    const printer = new WgslPrinter();
    const [y] = print([graph], { x: "x" }, printer);
    const kernel = createKernel({
      name,
      inputs: [{ name: "input", type: "f32" }],
      outputs: [{ name: "output", type: "f32" }],
      groups: groupsFor(VALUES.length),
      declarations: declareFunctions(printer.uses),
      body: `if (index >= ${VALUES.length}u) { return; }
let x = input[index];
${printer.lines.join("\n")}
output[index] = ${y};`,
    });
    const output = new Float32Array(VALUES.length);
    await runner.run([{ plan: kernel, inputs: [Float32Array.from(VALUES)], outputs: [output] }]);
    byEvaluator(graph, "float32").forEach((expected, i) => {
      if (Math.abs(output[i]! - expected) > 1e-5 * Math.abs(expected)) {
        assertEquals(output[i], expected);
      }
    });
  });
}

Deno.test("the upper bits of double precision are those that numbers have", () => {
  const x = a.parameter("x", "float64");
  const graph = a.fromBits(a.add(a.bits(x), 1 << 20), "float64");
  const expected = VALUES.map((x) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, x);
    const upper = view.getInt32(0) + (1 << 20);
    view.setInt32(0, upper);
    view.setInt32(4, 0);
    return view.getFloat64(0);
  });
  assertEquals(byEvaluator(graph, "float64"), expected);
  assertEquals(byWasm(graph, "float64"), expected);
});

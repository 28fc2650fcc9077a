/** Kernels as text: what is printed is what runs. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import initWabt from "wabt";
import { listModule } from "../../kernels/wasm/listing.ts";
import * as cg from "../../mod.ts";
import { gpuTest, hosted } from "../backends/webgpu/gpu.ts";
import { broadcastingTensors, numbers } from "../ops/arbitraries.ts";
import { ROWS as ELEMENTWISE } from "../ops/elementwise_table.ts";
import { ROWS as STRUCTURAL } from "../ops/structural_table.ts";

type Tensor = cg.Tensor;
type Call = (...inputs: Tensor[]) => Tensor;

const FEATURES = { simd: true, relaxed_simd: true, bulk_memory: true, sat_float_to_int: true };

const wabt = await initWabt();

/** The bytes of a module's text. */
function assemble(text: string): Uint8Array<ArrayBuffer> {
  const module = wabt.parseWat("kernel", text, FEATURES);
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

function* programs(): Generator<[name: string, call: Call, inputs: Tensor[]]> {
  const few = { seed: 8, numRuns: 2 };
  for (const { op, call, domain, kinks } of ELEMENTWISE) {
    const inputs = broadcastingTensors(domain.map((interval) => numbers(interval, kinks)));
    for (const xs of fc.sample(inputs, few)) yield [op.name, call, xs];
  }
  for (const { op, cases } of STRUCTURAL) {
    for (const { call, inputs } of fc.sample(cases, few)) yield [op.name, call, inputs];
  }
  const [a, b] = [cg.ones([9, 20]), cg.ones([20, 17])];
  yield ["matmul", cg.matmul, [a, b]];
}

Deno.test("sources() of every operation, assembled, are the modules that they list", async () => {
  const seen = new Set<string>();
  const narrow = (x: Tensor) => x.dtype === "float64" ? x.cast("float32") : x;
  for (const [name, call, inputs] of programs()) {
    for (const given of [inputs, inputs.map(narrow)]) {
      await using program = await cg.compile(call, given);
      for (const source of program.sources()) {
        const text = source.replaceAll(/^;;.*\n/gm, "");
        if (seen.has(text)) continue;
        seen.add(text);
        const bytes = assemble(text);
        assert(WebAssembly.validate(bytes), name);
        assertEquals(listModule(bytes), text, name);
      }
    }
  }
  assert(seen.size > 200, `${seen.size}`);
  for (const word of ["relaxed_madd", "f64x2.sqrt", "i32x4.mul", "else", "(result f64)"]) {
    assert([...seen].some((text) => text.includes(word)), word);
  }
});

Deno.test("listModule() writes every number as it is", () => {
  const numbers = ["0", "-0", "0.5", "1e-7", "3.4028234663852886e+38", "inf", "-inf", "nan"];
  const lines = [
    ...numbers.map((x) => `f32.const ${Number.isFinite(+x) && x !== "-0" ? Math.fround(+x) : x}`),
    ...[...numbers, "5e-324", "1.7976931348623157e+308"].map((x) => `f64.const ${x}`),
    ...[0, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31)].map((x) => `i32.const ${x}`),
  ];
  const text = [
    "(module",
    "  (type (func))",
    "  (func (type 0)",
    ...lines.map((line) => `    ${line}`),
    "  )",
    ")",
  ].join("\n");
  assertEquals(listModule(assemble(text)), text);
});

Deno.test("sources() says what kernels make, and shows each once", async () => {
  const twice = (x: Tensor, w: Tensor) => x.matmul(w).relu().matmul(w).sum();
  await using program = await cg.compile(twice, [cg.ones([8, 8]), cg.ones([8, 8])]);
  const before = program.sources();
  const products = before.filter((source) => source.includes("= matmul("));
  assertEquals(products.length, 1);
  assertMatch(products[0]!, /^;; %2 float32\[8, 8\] = matmul\(.*\n;; .* = matmul\(.*\n\(module\n/);
  assert(before.some((source) => /^;; .* = .*\bsum\(/m.test(source)));
  await program(cg.ones([16, 8]), cg.ones([8, 8]));
  const both = program.sources();
  assert(both.length > before.length);
  assertEquals(new Set(both).size, both.length);
});

Deno.test("equal loops share their kernel, those with a power per row too", async () => {
  const layer = (x: Tensor, w: Tensor) =>
    cg.pow(x.abs().expandDims(1), cg.arange(7)).matmul(w).squeeze(1);
  const count = async (layers: number) => {
    const f = (x: Tensor, w: Tensor) =>
      Array.from({ length: layers }).reduce<Tensor>((y) => layer(y, w), x);
    await using program = await cg.compile(f, [cg.ones([200]), cg.ones([7, 1])]);
    return program.sources().join("").match(/\(export "kernel\d+"/g)!.length;
  };
  assertEquals(await count(6), await count(2));
});

gpuTest("sources() on a device are its shaders", async (gpu) => {
  const f = (x: Tensor) => hosted(x.matmul(x).exp()).sum();
  await using program = await cg.compile(f, [cg.ones([4, 4])], { device: gpu });
  const sources = program.sources();
  assertEquals(sources.length, new Set(sources).size);
  assertStringIncludes(sources[0]!, "// %1 float32[4, 4] = matmul(%0, %0)\n");
  for (const source of sources) assertMatch(source, /@compute/);
});

import type { DType } from "../../src/dtype.ts";
import { assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseExpression, substitute } from "../../kernels/elementwise/expression.ts";
import { toFunction } from "./expressions.ts";
import type { LoopSpec } from "../../kernels/elementwise/passes.ts";
import { planLoop } from "../../kernels/elementwise/wgsl.ts";
import { ROWS } from "../ops/elementwise_table.ts";
import { assign, chain, reduction, ulpOf } from "./wasm_loops.ts";
import { assertClose, compareLoop, walk } from "./wgsl_loops.ts";
import { gpuTest } from "./wgsl_runner.ts";

/** The gamma family, whose errors are those of `functions/table.ts`, and sums of products, which cancel. */
const APART = /gamma|binet|negativeBinomial|Dispersion|interpolate/;

const EXPRESSIONS = ROWS.flatMap(({ op, domain }) =>
  "expression" in op && !APART.test(op.name + op.expression)
    ? [{ name: op.name, text: op.expression as string, domain }]
    : []
);

gpuTest("planLoop() computes every elementwise operation within 4 ulp", async (runner) => {
  const size = 1000;
  const [p, q] = [2, 2.5];
  const jobs = EXPRESSIONS.map(({ name, text, domain }) => {
    const values = domain.map(([low, high], k) =>
      Float32Array.from({ length: size }, (_, i) => {
        const x = low + (high - low) * (0.5 + 0.5 * Math.sin(i * (1.7 + k)));
        return name === "where" && k === 0 ? Math.round(x) : x;
      })
    );
    const body = text.replaceAll(/\bp\b/g, `${p}`).replaceAll(/\bq\b/g, `${q}`);
    const spec = chain(body, "abc".slice(0, domain.length));
    const space = walk([size], domain.map(() => [size]));
    const exact = toFunction(parseExpression(body));
    const expected = values[0]!.map((a, i) => exact({ a, b: values[1]?.[i]!, c: values[2]?.[i]! }));
    const outputs = [new Float32Array(size)];
    return { name, plan: planLoop(spec, space), inputs: values, outputs, expected };
  });
  await runner.run(jobs);
  for (const { name, outputs, expected } of jobs) {
    outputs[0]!.forEach((value, i) =>
      assertLessOrEqual(Math.abs(value - expected[i]!), 4 * ulpOf(expected[i]!), name)
    );
  }
});

const CHOICES = ["tanh(a + b)", "a * b * 0.3", "max(a, b)", "a < b ? a : b", "abs(a) - b"];

/** Loops of some assignments over operands of all types, which repeat along some axes or rows. */
const LOOPS = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
  operands: fc.array(
    fc.record({
      dtype: fc.constantFrom<DType>("float32", "float32", "int32", "bool"),
      repeats: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  steps: fc.array(
    fc.record({ text: fc.constantFrom(...CHOICES), a: fc.nat(), b: fc.nat() }),
    { minLength: 1, maxLength: 4 },
  ),
  reduce: fc.constantFrom("sum", "max", "min"),
  axes: fc.nat({ max: 4 }),
}).map(({ shape, operands, steps, reduce, axes }) => {
  const reduced = Math.min(axes, shape.length);
  const names = operands.map((_, i) => `v${i}`);
  const body = steps.map(({ text, a, b }, i) => {
    const known = [...names, ...steps.slice(0, i).map((_, j) => `v${names.length + j}`)];
    const pick = (number: number) => parseExpression(known[number % known.length]!);
    const expression = substitute(parseExpression(text), { a: pick(a), b: pick(b) });
    return { name: `v${names.length + i}`, expression, dtype: "float32" as const };
  });
  const last = body.at(-1)!.name;
  const rows = [
    assign("small", `tanh(${last})`),
    { name: "row", reduce, of: "small" } as const,
    assign("result", "row - 0.5 * small"),
  ];
  const spec: LoopSpec = {
    float: "float32",
    operands: operands.map(({ dtype }, i) => ({ name: names[i]!, dtype, moves: true })),
    body: reduced === 0 ? body : [...body, ...rows],
    stores: [
      { name: reduced === 0 ? last : "result", dtype: "float32", moves: true },
      ...reduced === 0 ? [] : [{ name: "row", dtype: "float32" as const, moves: false }],
    ],
  };
  const first = shape.length - reduced;
  const shapes = operands.map(({ repeats }) =>
    shape.map((n, d) => repeats[Math.min(d, first)] ? 1 : n)
  );
  return { spec, shape, shapes, reduced };
});

gpuTest("planLoop() computes what the CPU does, however operands repeat", async (runner) => {
  const loops = fc.sample(LOOPS, { seed: 1, numRuns: 150 });
  const comparisons = loops.map(({ spec, shape, shapes, reduced }) =>
    compareLoop(spec, shape, shapes, reduced)
  );
  await runner.run(comparisons);
  comparisons.forEach((comparison, i) =>
    assertClose(comparison, 1e-5, JSON.stringify(loops[i]!.spec.body))
  );
});

Deno.test("planLoop() has no kernels where there is nothing to write", () => {
  const none = { kernels: [], temporaries: [] };
  assertEquals(planLoop(chain("a"), walk([0], [[0]])), none);
  assertEquals(planLoop(reduction("sum"), walk([0, 3], [[0, 3]], [1, 2])), none);
});

Deno.test("planLoop() writes shaders that can be read", () => {
  const { kernels } = planLoop(
    { ...chain("a * 2 + b", "ab"), stores: [{ name: "y", dtype: "float32", moves: true }] },
    walk([3, 5], [[3, 5], [5]]),
  );
  assertEquals(
    kernels[0]!.kernel.code,
    `@group(0) @binding(0) var<storage, read> input_a: array<f32>;
@group(0) @binding(1) var<storage, read> input_b: array<f32>;
@group(0) @binding(2) var<storage, read_write> output_y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = workgroup.x;
  let index = group * 64u + lane;
  if (index >= 15u) { return; }
  let row = index;
  let a_ = input_a[row];
  let b_ = input_b[row % 5u];
  let t0 = a_ * 2f;
  let y_ = t0 + b_;
  output_y[row] = y_;
}
`,
  );
});

Deno.test("planLoop() refuses double precision and parameters", () => {
  const space = walk([2], [[2]]);
  assertThrows(
    () => planLoop(chain("a", "a", "float64"), space),
    TypeError,
    "Cannot emit WGSL as loops must be in float32 and without parameters: current loop is in " +
      "float64 with 0 parameters",
  );
  assertThrows(
    () => planLoop({ ...chain("a * p"), parameters: ["p"] }, space),
    TypeError,
    "Cannot emit WGSL as loops must be in float32 and without parameters: current loop is in " +
      "float32 with 1 parameters",
  );
  const spec = chain("a");
  assertThrows(
    () => planLoop({ ...spec, operands: [{ name: "a", dtype: "float64", moves: true }] }, space),
    TypeError,
    "Cannot emit WGSL as it has no double precision: current type is float64",
  );
});

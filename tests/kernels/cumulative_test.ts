import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { accumulateRows, type Combination } from "../../kernels/cumulative/reference.ts";
import { type Accumulation, emitAccumulation } from "../../kernels/cumulative/wasm.ts";
import { accumulationPlan } from "../../kernels/cumulative/wgsl.ts";
import { ModuleBuilder, PAGE_BYTES } from "../../kernels/wasm/module.ts";
import { BYTES, type NumberArray } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";
import { arrayOf, wave } from "./wasm_loops.ts";
import { gpuTest, type Words } from "./wgsl_runner.ts";

const COMBINATIONS: readonly Combination[] = ["sum", "product", "max", "recurrence"];

const EXTENTS: AxisExtents[] = [1, 3].flatMap((outer) =>
  [0, 1, 2, 63, 64, 65].flatMap((count) => [1, 2, 7].map((inner) => ({ outer, count, inner })))
);

/** Numbers so near to 1 and −1 that products of all of them stay in range. */
function factors(dtype: "float32" | "float64", size: number): NumberArray {
  return arrayOf(dtype, wave(dtype, size).map((v: number) => (v < 0 ? -1 : 1) + v / (1000 + size)));
}

function inputsOf(combination: Combination, dtype: Accumulation["dtype"], size: number) {
  if (dtype === "int32") return [wave(dtype, size)];
  if (combination === "recurrence") return [factors(dtype, size), wave(dtype, size, 1)];
  return [combination === "product" ? factors(dtype, size) : wave(dtype, size)];
}

/** Each place by its definition, from the beginning of its line. */
function byDefinition(
  inputs: readonly NumberArray[],
  { count, inner }: AxisExtents,
  combination: Combination,
  reverse: boolean,
  flat: number,
): number {
  const [own, column] = [Math.floor(flat / inner) % count, flat % inner];
  const line = Math.floor(flat / inner / count) * count;
  const places = Array.from({ length: count }, (_, i) => i)
    .filter((i) => reverse ? i >= own : i <= own);
  if (reverse) places.reverse();
  const [x, y] = inputs.map((data) => places.map((i) => data[(line + i) * inner + column]!));
  switch (combination) {
    case "sum":
      return x!.reduce((a, b) => a + b, 0);
    case "product":
      return x!.reduce((a, b) => a * b, 1);
    case "max":
      return Math.max(...x!);
    case "recurrence":
      return x!.reduce((state, a, i) => a * state + y![i]!, 0);
  }
}

Deno.test("accumulateRows() gives each place what lies before it, from either end", () => {
  for (const combination of COMBINATIONS) {
    for (const extents of EXTENTS) {
      for (const reverse of [false, true]) {
        for (const dtype of ["float32", "float64"] as const) {
          const size = extents.outer * extents.count * extents.inner;
          const inputs = inputsOf(combination, dtype, size);
          const out = arrayOf(dtype, size);
          accumulateRows(out, inputs, extents, combination, reverse);
          const expected = Float64Array.from(
            { length: size },
            (_, i) => byDefinition(inputs, extents, combination, reverse, i),
          );
          assertEquals(out, arrayOf(dtype, expected));
        }
      }
    }
  }
});

/** Accumulates in a memory, between bytes that must stay as they are. */
function runWasm(
  plan: Accumulation,
  { outer, count, inner }: AxisExtents,
  inputs: readonly NumberArray[],
): NumberArray {
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("run", emitAccumulation(module, plan));
  const bytes = outer * count * inner * BYTES[plan.dtype];
  const stride = Math.ceil(bytes / 64) * 64 + 64;
  const pages = Math.ceil(4 * stride / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory },
  });
  const view = new Uint8Array(memory.buffer).fill(0xa5);
  inputs.forEach((data, i) => view.set(new Uint8Array(data.buffer), (i + 2) * stride));
  const [x, y] = [2 * stride, (inputs.length + 1) * stride];
  // Lines in two parts, as two threads take them.
  const [lines, half] = [outer * inner, Math.ceil(outer * inner / 2)];
  for (const part of [[0, half], [half, lines]]) {
    (exports.run as (...args: number[]) => void)(64, x, y, ...part);
  }
  const out = arrayOf(plan.dtype, outer * count * inner);
  new Uint8Array(out.buffer).set(view.subarray(64, 64 + bytes));
  const guards = [...view.subarray(0, 64), ...view.subarray(64 + bytes, 2 * stride)];
  assert(guards.every((byte) => byte === 0xa5));
  return out;
}

for (const dtype of ["float32", "float64", "int32"] as const) {
  Deno.test(`emitAccumulation() of ${dtype} gives the bits of the reference`, () => {
    for (const combination of dtype === "int32" ? ["sum", "max"] as const : COMBINATIONS) {
      for (const extents of EXTENTS.filter(({ count }) => count > 0)) {
        for (const reverse of [false, true]) {
          const { outer, count, inner } = extents;
          const inputs = inputsOf(combination, dtype, outer * count * inner);
          if (dtype !== "int32" && count > 3 && combination !== "product") inputs[0]![2] = NaN;
          const expected = arrayOf(dtype, outer * count * inner);
          accumulateRows(expected, inputs, extents, combination, reverse);
          const plan: Accumulation = { combination, dtype, count, inner, reverse };
          assertEquals([...runWasm(plan, extents, inputs)], [...expected]);
        }
      }
    }
  });
}

/** Lines of one invocation, of one workgroup, of several, and of more blocks than one has places. */
const LONG: readonly (AxisExtents & { reverse: boolean })[] = [
  ...[1, 32, 33, 64, 1000, 1024, 1025, 5000].flatMap((count, i) => [
    { outer: 1, count, inner: 1, reverse: i % 2 === 0 },
    { outer: 3, count, inner: 2, reverse: i % 2 === 1 },
  ]),
  { outer: 1, count: 1024 * 1024 + 1, inner: 1, reverse: true },
];

for (const combination of COMBINATIONS) {
  gpuTest(`accumulationPlan() finds the ${combination} as the reference does`, async (runner) => {
    const jobs = LONG.map((extents) => {
      const { reverse } = extents;
      const size = extents.outer * extents.count * extents.inner;
      const inputs = inputsOf(combination, "float32", size) as Words[];
      const exact = new Float64Array(size);
      accumulateRows(
        exact,
        inputs.map((x) => Float64Array.from(x)),
        extents,
        combination,
        reverse,
      );
      // Signs aside, what the terms amount to bounds what rounding can do.
      const sizes = new Float64Array(size);
      const terms = inputs.map((x) => Float64Array.from(x, Math.abs));
      accumulateRows(sizes, terms, extents, combination, reverse);
      return {
        ...{ plan: accumulationPlan({ combination, element: "float32", ...extents }) },
        ...{ inputs, outputs: [new Float32Array(size).fill(77)], exact, sizes, extents },
      };
    });
    await runner.run(jobs);
    for (const { outputs, exact, sizes, extents } of jobs) {
      // In a tree, sums are rounded a few times after another; every product counts.
      const units = { max: 0, sum: 64, product: extents.count, recurrence: extents.count };
      let worst = 0;
      outputs[0]!.forEach((value, i) => {
        const off = Math.abs(value - exact[i]!);
        worst = Math.max(worst, off === 0 ? 0 : off / (Math.abs(sizes[i]!) * 2 ** -24));
      });
      assertLessOrEqual(worst, units[combination], JSON.stringify(extents));
    }
  });
}

gpuTest(
  "accumulationPlan() lets NaN win from where it is on, and keeps infinities",
  async (runner) => {
    const jobs = [10, 2000].map((count) => {
      const x = wave("float32", count) as Float32Array;
      [x[3], x[7]] = [Infinity, NaN];
      const plan = accumulationPlan({
        ...{ combination: "max", element: "float32", reverse: false },
        ...{ outer: 1, count, inner: 1 },
      });
      return { plan, inputs: [x], outputs: [new Float32Array(count)] };
    });
    await runner.run(jobs);
    for (const { inputs, outputs } of jobs) {
      const expected = new Float32Array(inputs[0]!.length);
      const extents = { outer: 1, count: expected.length, inner: 1 };
      accumulateRows(expected, inputs, extents, "max", false);
      assertEquals([...outputs[0]!], [...expected]);
    }
  },
);

gpuTest("accumulationPlan() counts and compares integers exactly", async (runner) => {
  for (const combination of ["sum", "max"] as const) {
    const jobs = LONG.map((extents) => {
      const size = extents.outer * extents.count * extents.inner;
      const inputs = [wave("int32", size) as Int32Array];
      const expected = new Int32Array(size);
      accumulateRows(expected, inputs, extents, combination, extents.reverse);
      const plan = accumulationPlan({ combination, element: "int32", ...extents });
      return { plan, inputs, outputs: [new Int32Array(size)], expected };
    });
    await runner.run(jobs);
    for (const { outputs, expected } of jobs) assertEquals(outputs[0], expected);
  }
});

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { extremeRows, sumRows } from "../../kernels/row_reduce/reference.ts";
import { type Reduction, reductionLoop } from "../../kernels/elementwise/passes.ts";
import { planLoop } from "../../kernels/elementwise/wgsl.ts";
import { spaceOver } from "../../kernels/elementwise/wgsl_space.ts";
import type { WgslPlan } from "../../kernels/wgsl/kernel.ts";
import { arrayOf, wave } from "./wasm_loops.ts";
import { gpuTest } from "./wgsl_runner.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** The reduction of the middle axis. */
function planReduction(
  { outer, count, inner, dtype, ...reduction }:
    & Pick<Reduction, "reduce" | "divisor">
    & AxisExtents
    & { dtype: "float32" | "int32" },
): WgslPlan {
  return planLoop(reductionLoop(reduction, dtype), spaceOver([outer, count, inner], [1]));
}

const COUNTS = [1, 3, 63, 64, 65, 1000];

const EXTENTS: AxisExtents[] = [
  ...[1, 3].flatMap((outer) =>
    COUNTS.flatMap((count) => [1, 3, 65].map((inner) => ({ outer, count, inner })))
  ),
  { outer: 1, count: 20_000, inner: 1 },
  { outer: 1, count: 20_000, inner: 7 },
  { outer: 2, count: 5000, inner: 33 },
];

function wordsOf(
  dtype: "float32" | "int32",
  values: number | ArrayLike<number>,
): Float32Array | Int32Array {
  return arrayOf(dtype, values) as Float32Array | Int32Array;
}

function jobsOf(reduce: "sum" | "max" | "min", dtype: "float32" | "int32") {
  return EXTENTS.map((extents) => {
    const { outer, count, inner } = extents;
    return {
      extents,
      plan: planReduction({ reduce, dtype, ...extents }),
      inputs: [wordsOf(dtype, wave(dtype, outer * count * inner))],
      outputs: [wordsOf(dtype, outer * inner).fill(77)],
    };
  });
}

for (const [reduce, sign] of [["max", 1], ["min", -1]] as const) {
  for (const dtype of ["float32", "int32"] as const) {
    gpuTest(
      `planLoop() finds the ${reduce} of ${dtype}, as the reference does`,
      async (runner) => {
        const jobs = jobsOf(reduce, dtype);
        await runner.run(jobs);
        for (const { extents, inputs, outputs } of jobs) {
          const expected = wordsOf(dtype, outputs[0]!.length);
          extremeRows(expected, inputs[0]!, extents, sign);
          assertEquals(outputs[0], expected, JSON.stringify(extents));
        }
      },
    );
  }
}

gpuTest("planLoop() sums integers exactly", async (runner) => {
  const jobs = jobsOf("sum", "int32");
  await runner.run(jobs);
  for (const { extents, inputs, outputs } of jobs) {
    const expected = new Int32Array(outputs[0]!.length);
    sumRows(expected, inputs[0]!, extents);
    assertEquals(outputs[0], expected, JSON.stringify(extents));
  }
});

gpuTest("planLoop() sums numbers to 2⁻²² of their sizes", async (runner) => {
  const jobs = jobsOf("sum", "float32");
  await runner.run(jobs);
  for (const { extents, inputs, outputs } of jobs) {
    const [exact, sizes] = [0, 0].map(() => new Float64Array(outputs[0]!.length));
    sumRows(exact!, Float64Array.from(inputs[0]!), extents);
    sumRows(sizes!, Float64Array.from(inputs[0]!, Math.abs), extents);
    outputs[0]!.forEach((value, i) =>
      assertLessOrEqual(
        Math.abs(value - exact![i]!),
        2 ** -22 * sizes![i]!,
        JSON.stringify(extents),
      )
    );
  }
});

for (const kind of ["mean", "norm"] as const) {
  gpuTest(`planLoop() finds the ${kind} of numbers of every size`, async (runner) => {
    for (const scale of [1e-30, 1e30]) {
      const jobs = EXTENTS.filter((_, i) => i % 3 === 0).map((extents) => {
        const { outer, count, inner } = extents;
        const divisor = Math.max(count, 1);
        const x = wave("float32", outer * count * inner).map((v) => v * scale);
        return {
          extents: { ...extents, divisor },
          plan: planReduction({ reduce: kind, divisor, dtype: "float32", ...extents }),
          inputs: [wordsOf("float32", x)],
          outputs: [wordsOf("float32", outer * inner).fill(77)],
        };
      });
      await runner.run(jobs);
      for (const { extents, inputs, outputs } of jobs) {
        const [exact, size] = [0, 0].map(() => new Float64Array(outputs[0]!.length));
        const { divisor } = extents;
        const wide = Float64Array.from(inputs[0]!);
        sumRows(exact!, wide, extents, { kind, divisor });
        sumRows(size!, wide.map(Math.abs), extents, { kind, divisor });
        outputs[0]!.forEach((value, i) =>
          assertLessOrEqual(
            Math.abs(value - exact![i]!),
            2 ** -21 * size![i]!,
            `${scale}: ${JSON.stringify(extents)}`,
          )
        );
      }
    }
  });
}

gpuTest(
  "planLoop() sums a million values to 1e-6 of them, the same bits each time",
  async (runner) => {
    for (const [count, inner] of [[1_000_000, 1], [100_000, 10]] as const) {
      const plan = planReduction({ reduce: "sum", dtype: "float32", outer: 1, count, inner });
      const x = Float32Array.from({ length: count * inner }, (_, i) => 1 + Math.sin(1.7 * i));
      const jobs = Array.from({ length: 5 }, () => ({
        plan,
        inputs: [x],
        outputs: [new Float32Array(inner)],
      }));
      await runner.run(jobs);
      const exact = new Float64Array(inner);
      sumRows(exact, Float64Array.from(x), { outer: 1, count, inner });
      jobs[0]!.outputs[0]!.forEach((value, i) =>
        assertLessOrEqual(Math.abs(value - exact[i]!), 1e-6 * exact[i]!)
      );
      for (const { outputs } of jobs) assertEquals(outputs, jobs[0]!.outputs);
    }
  },
);

gpuTest("planLoop() sums no values to 0", async (runner) => {
  const outputs = [new Float32Array(6).fill(77)];
  const plan = planReduction({ reduce: "sum", dtype: "float32", outer: 2, count: 0, inner: 3 });
  await runner.run([{ plan, inputs: [new Float32Array(0)], outputs }]);
  assertEquals([...outputs[0]!], [0, 0, 0, 0, 0, 0]);
});

Deno.test("planLoop() works on long axes in parts, on short ones at once", () => {
  const plan = (outer: number, count: number, inner: number) =>
    planReduction({ reduce: "sum", dtype: "float32", outer, count, inner });
  assertEquals(plan(1000, 50, 1).kernels.length, 1);
  assertEquals(plan(1, 1000, 1).kernels.length, 1);
  assertEquals(plan(1, 100_000, 1).kernels.length, 2);
  assertEquals(plan(1, 100_000, 3).kernels.length, 2);
  const { temporaries } = plan(1, 100_000, 3);
  assert(temporaries.every((words) => words <= 3 * 1024));
});

import { assertEquals, assertLessOrEqual } from "@std/assert";
import type { LoopSpec } from "../../kernels/elementwise/passes.ts";
import { planLoop } from "../../kernels/elementwise/wgsl.ts";
import type { Shape } from "../../src/shape.ts";
import { assign, reduction, softmaxLoop, wave } from "./wasm_loops.ts";
import { assertClose, compareLoop, walk } from "./wgsl_loops.ts";
import { gpuTest } from "./wgsl_runner.ts";

const REDUCTIONS = ["sum", "max", "min"] as const;

for (const isSoftware of [false, true]) {
  const adapters = isSoftware ? "software" : "hardware";
  gpuTest(`planLoop() reduces rows of every length, for ${adapters}`, async (runner) => {
    const lengths = [1, 3, 63, 64, 65, 255, 256, 1000, 3000, 20_000];
    const comparisons = REDUCTIONS.flatMap((reduce) =>
      lengths.flatMap((n) =>
        [1, 5].map((rows) =>
          compareLoop(reduction(reduce, "a * a - 1"), [rows, n], [[rows, n]], 1, { isSoftware })
        )
      )
    );
    await runner.run(comparisons);
    for (const { inputs, outputs, expected } of comparisons) {
      const columns = inputs[0]!.length / outputs[0]!.length;
      outputs[0]!.forEach((value, i) => {
        const row = Float64Array.from(inputs[0]!.subarray(i * columns, (i + 1) * columns));
        const scale = row.reduce((sum, x) => sum + Math.abs(x * x - 1), 0);
        const error = Math.abs(value - expected[0]![i]!);
        assertLessOrEqual(error, 2 ** -22 * scale, `${columns} columns`);
      });
    }
  });
}

gpuTest(
  "planLoop() spreads more rows over workgroups than fit into one dimension",
  async (runner) => {
    const shape = [66_000, 64];
    const comparison = compareLoop(reduction("max"), shape, [shape], 1);
    await runner.run([comparison]);
    assertEquals(comparison.plan.kernels[0]!.kernel.workgroups, [33_000, 2]);
    assertEquals(Float64Array.from(comparison.outputs[0]!), comparison.expected[0]);
  },
);

gpuTest("planLoop() sums rows of nothing to 0", async (runner) => {
  const outputs = [new Float32Array(3).fill(77)];
  const space = walk([3, 0], [[3, 0]], [1, 2]);
  await runner.run([{
    plan: planLoop(reduction("sum"), space),
    inputs: [new Float32Array(0)],
    outputs,
  }]);
  assertEquals([...outputs[0]!], [0, 0, 0]);
});

gpuTest(
  "planLoop() sums a million values to 1e-6 of them, the same bits each time",
  async (runner) => {
    const size = 1_000_000;
    const spec = reduction("sum");
    const plan = planLoop(spec, walk([size], [[size]], [0, 1]));
    const inputs = [Float32Array.from({ length: size }, (_, i) => 0.5 + 0.5 * Math.sin(1.7 * i))];
    const jobs = Array.from(
      { length: 5 },
      () => ({ plan, inputs, outputs: [new Float32Array(1)] }),
    );
    await runner.run(jobs);
    const sums = jobs.map(({ outputs }) => outputs[0]![0]!);
    const exact = inputs[0]!.reduce((sum, x) => sum + x, 0);
    assertLessOrEqual(Math.abs(sums[0]! - exact), 1e-6 * exact);
    assertEquals(new Set(sums).size, 1);
  },
);

gpuTest("planLoop() computes softmax of short, long and very long rows", async (runner) => {
  const shapes: Shape[] = [[7, 1], [7, 5], [5, 100], [3, 2000], [2, 40_000]];
  const comparisons = [false, true].flatMap((isSoftware) =>
    shapes.map((shape) => compareLoop(softmaxLoop("float32"), shape, [shape], 1, { isSoftware }))
  );
  await runner.run(comparisons);
  comparisons.forEach(({ outputs, expected }, k) =>
    outputs.forEach((output, i) =>
      output.forEach((value, j) => {
        const exact = expected[i]![j]!;
        const at = shapes[k % shapes.length]!;
        assertLessOrEqual(Math.abs(value - exact), 2e-6 * Math.abs(exact), `${at}`);
      })
    )
  );
});

gpuTest("planLoop() walks columns that lie apart, softmax included", async (runner) => {
  const jobs = [[2, 5, 3], [2, 70, 33], [1, 5000, 4]].map(([outer, columns, inner]) => {
    const space = walk([outer!, columns!, inner!], [[outer!, columns!, inner!]], [1, 2]);
    const x = wave("float32", outer! * columns! * inner!) as Float32Array;
    const outputs = [new Float32Array(x.length), new Float32Array(outer! * inner!)];
    return { plan: planLoop(softmaxLoop("float32"), space), inputs: [x], outputs, columns, inner };
  });
  await runner.run(jobs);
  for (const { inputs, outputs, columns, inner } of jobs) {
    const [x, [y, l]] = [inputs[0]!, outputs as [Float32Array, Float32Array]];
    l.forEach((value, row) => {
      const first = Math.floor(row / inner!) * columns! * inner! + row % inner!;
      const at = Array.from({ length: columns! }, (_, i) => first + i * inner!);
      const sum = at.reduce((total, i) => total + Math.exp(x[i]!), 0);
      assertLessOrEqual(Math.abs(value - Math.log(sum)), 1e-6 * Math.log(sum));
      for (const i of at) {
        const exact = Math.exp(x[i]!) / sum;
        assertLessOrEqual(Math.abs(y[i]! - exact), 2e-6 * exact);
      }
    });
  }
});

gpuTest("planLoop() gives the same bits each time", async (runner) => {
  for (const shape of [[7, 5], [5, 100], [2, 40_000]]) {
    const jobs = Array.from(
      { length: 10 },
      () => compareLoop(softmaxLoop("float32"), shape, [shape], 1),
    );
    await runner.run(jobs);
    for (const { outputs } of jobs) assertEquals(outputs, jobs[0]!.outputs);
  }
});

gpuTest("planLoop() reduces and stores several values at once", async (runner) => {
  const spec: LoopSpec = {
    float: "float32",
    operands: [
      { name: "x", dtype: "float32", moves: true },
      { name: "weight", dtype: "float32", moves: false },
      { name: "mask", dtype: "bool", moves: true },
    ],
    body: [
      assign("y", "mask != 0 ? x * weight : 0"),
      assign("twice", "weight + weight"),
      { name: "sum", reduce: "sum", of: "y" },
      { name: "top", reduce: "max", of: "y" },
      { name: "count", reduce: "sum", of: "mask" },
      assign("scale", "sum / twice"),
      assign("z", "y - scale"),
      { name: "rest", reduce: "min", of: "z" },
    ],
    stores: [
      { name: "z", dtype: "float32", moves: true },
      { name: "twice", dtype: "float32", moves: false },
      { name: "top", dtype: "float32", moves: false },
      { name: "count", dtype: "int32", moves: false },
      { name: "rest", dtype: "float32", moves: false },
      { name: "scale", dtype: "float32", moves: true },
    ],
  };
  const shapes = [[4, 3, 10], [4, 3, 300], [1, 2, 30_000]];
  const comparisons = shapes.map((shape) =>
    compareLoop(spec, shape, [shape, [shape[0]!, shape[1]!, 1], shape], 1)
  );
  await runner.run(comparisons);
  comparisons.forEach((comparison) => assertClose(comparison, 1e-5, "several"));
});

gpuTest("planLoop() lets NaN win over any extreme, wherever it is", async (runner) => {
  const places = [0, 1, 7, 63, 64, 199];
  const jobs = (["max", "min"] as const).flatMap((reduce) =>
    places.map((at) => {
      const x = wave("float32", 3 * 200) as Float32Array;
      x[200 + at] = NaN;
      const plan = planLoop(reduction(reduce), walk([3, 200], [[3, 200]], [1, 2]));
      return { plan, inputs: [x], outputs: [new Float32Array(3)] };
    })
  );
  await runner.run(jobs);
  for (const { outputs } of jobs) {
    assertEquals([...outputs[0]!].map(Number.isNaN), [false, true, false]);
  }
});

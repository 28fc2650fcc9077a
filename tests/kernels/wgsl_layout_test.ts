import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { copyView } from "../../kernels/layout/reference.ts";
import {
  broadcastToKernel,
  castKernel,
  concatPlan,
  padKernel,
  sliceKernel,
  transposeKernel,
} from "../../kernels/layout/wgsl.ts";
import { repeatingStrides, rowMajorStrides, sizeOf } from "../../kernels/layout/wgsl_strides.ts";
import type { WgslElement } from "../../kernels/wgsl/kernel.ts";
import { gpuTest, type Job, type WgslRunner, type Words } from "./wgsl_runner.ts";

/** A job, and what its output must be. */
interface Check {
  job: Job;
  expected: Words;
}

async function checkAll(runner: WgslRunner, checks: readonly Check[]): Promise<void> {
  await runner.run(checks.map(({ job }) => job));
  for (const { job, expected } of checks) assertEquals(job.outputs[0], expected);
}

/** The numbers from 1 on, by which values tell where they come from. */
function numbered(shape: readonly number[], from = 1): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => from + i);
}

/** Values of one view, in row-major order. */
function viewed(
  x: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Float32Array {
  const data = new Float32Array(sizeOf(shape));
  const to = { data, offset: 0, strides: rowMajorStrides(shape) };
  copyView(to, { data: x, offset, strides }, shape);
  return data;
}

function checkOf(plan: Job["plan"], x: Words, expected: Words): Check {
  const outputs = [expected.slice().fill(99)];
  return { job: { plan, inputs: [x], outputs }, expected };
}

/** Shapes of up to four axes, and numbers to choose with. */
const CASES = fc.sample(
  fc.record({
    shape: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 4 }),
    choices: fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 }),
  }),
  { seed: 1, numRuns: 40 },
);

gpuTest("transposeKernel() orders axes as the reference does", async (runner) => {
  await checkAll(
    runner,
    [...CASES, { shape: [300, 70], choices: [1, 0] }].map(({ shape, choices }) => {
      const axes = shape.map((_, i) => i).sort((i, j) => choices[i]! - choices[j]!);
      const x = numbered(shape);
      const strides = axes.map((axis) => rowMajorStrides(shape)[axis]!);
      const expected = viewed(x, axes.map((axis) => shape[axis]!), strides);
      return checkOf(transposeKernel("float32", shape, axes), x, expected);
    }),
  );
});

/** A block within a shape: where it starts, and its extents. */
function blockIn(shape: readonly number[], choices: readonly number[]) {
  const block = shape.map((extent, i) => 1 + choices[i]! % extent);
  const start = shape.map((extent, i) => choices[i + 4]! % (extent - block[i]! + 1));
  const strides = rowMajorStrides(shape);
  const offset = start.reduce((sum, at, i) => sum + at * strides[i]!, 0);
  return { block, start, strides, offset };
}

gpuTest("sliceKernel() cuts blocks as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ shape, choices }) => {
      const { block, start, strides, offset } = blockIn(shape, choices);
      const x = numbered(shape);
      const expected = viewed(x, block, strides, offset);
      return checkOf(sliceKernel("float32", shape, start, block), x, expected);
    }),
  );
});

gpuTest("padKernel() surrounds blocks with zeros as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ shape, choices }) => {
      const { block, start, strides, offset } = blockIn(shape, choices);
      const x = numbered(block);
      const expected = new Float32Array(sizeOf(shape));
      const source = { data: x, offset: 0, strides: rowMajorStrides(block) };
      copyView({ data: expected, offset, strides }, source, block);
      return checkOf(padKernel("float32", block, start, shape), x, expected);
    }),
  );
});

gpuTest("padKernel() gives zeros around nothing", async (runner) => {
  const plan = padKernel("float32", [0, 3], [1, 0], [2, 3]);
  await checkAll(runner, [checkOf(plan, new Float32Array(0), new Float32Array(6))]);
});

gpuTest("broadcastToKernel() repeats as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ shape, choices }) => {
      const dropped = choices[7]! % (shape.length + 1);
      const own = shape.map((extent, i) => choices[i]! % 2 === 0 ? 1 : extent).slice(dropped);
      const x = numbered(own);
      const expected = viewed(x, shape, repeatingStrides(own, shape));
      return checkOf(broadcastToKernel("float32", own, shape), x, expected);
    }),
  );
});

gpuTest("concatPlan() joins as the reference does, many and empty ones too", async (runner) => {
  const joins = CASES.filter(({ shape }) => shape.length > 0).map(({ shape, choices }, i) => {
    const axis = choices[0]! % shape.length;
    const extents = [...choices.slice(i % 7), ...(i % 5 === 0 ? choices : [])].map((n) => n % 4);
    const shapes = extents.map((extent) => shape.map((n, j) => j === axis ? extent : n));
    const inputs = shapes.map((own, j) => numbered(own, 1000 * j));
    const total = shape.map((n, j) => j === axis ? extents.reduce((x, y) => x + y) : n);
    const expected = new Float32Array(sizeOf(total));
    const strides = rowMajorStrides(total);
    let offset = 0;
    shapes.forEach((own, j) => {
      const source = { data: inputs[j]!, offset: 0, strides: rowMajorStrides(own) };
      copyView({ data: expected, offset, strides }, source, own);
      offset += own[axis]! * strides[axis]!;
    });
    const outputs = [new Float32Array(expected.length).fill(-1)];
    return { job: { plan: concatPlan("float32", shapes, axis), inputs, outputs }, expected };
  });
  await checkAll(runner, joins.filter(({ expected }) => expected.length > 0));
});

gpuTest("castKernel() converts between all types", async (runner) => {
  const values: Record<WgslElement, Words> = {
    float32: new Float32Array([0, 1, -0, 1, 1, 0, 1]),
    int32: new Int32Array([0, 1, 0, 1, 1, 0, 1]),
    bool: new Uint32Array([0, 1, 0, 1, 1, 0, 1]),
  };
  const elements = ["float32", "int32", "bool"] as const;
  await checkAll(runner, [
    ...elements.flatMap((own) =>
      elements.filter((to) => to !== own).map((to) => {
        const expected = values[to].map((value) => value + 0);
        return checkOf(castKernel(own, to, 7), values[own], expected);
      })
    ),
    checkOf(
      castKernel("float32", "int32", 4),
      new Float32Array([-7, 8e6, -(2 ** 31), 2 ** 30]),
      new Int32Array([-7, 8e6, -(2 ** 31), 2 ** 30]),
    ),
    checkOf(
      castKernel("int32", "float32", 3),
      new Int32Array([-5, 2 ** 24 + 1, 2 ** 31 - 1]),
      new Float32Array([-5, 2 ** 24 + 1, 2 ** 31 - 1]),
    ),
  ]);
});

gpuTest("kernels of layout keep whole numbers and booleans as they are", async (runner) => {
  const whole = new Int32Array([2 ** 31 - 1, -(2 ** 31), 2 ** 24 + 1, 7, 8, 9]);
  const bool = new Uint32Array([1, 0, 1, 1, 0, 0]);
  await checkAll(runner, [
    checkOf(
      transposeKernel("int32", [2, 3], [1, 0]),
      whole,
      whole.map((_, i) => whole[i % 2 * 3 + (i >> 1)]!),
    ),
    checkOf(sliceKernel("bool", [6], [1], [3]), bool, bool.slice(1, 4)),
    checkOf(padKernel("bool", [2], [1], [4]), bool.slice(2, 4), new Uint32Array([0, 1, 1, 0])),
    checkOf(broadcastToKernel("int32", [1], [2]), whole, new Int32Array(2).fill(2 ** 31 - 1)),
  ]);
});

gpuTest("kernels of layout reach values beyond the workgroups of one dimension", async (runner) => {
  const count = 65535 * 64 + 100;
  const y = new Float32Array(count);
  const plan = broadcastToKernel("float32", [1], [count]);
  await runner.run([{ plan, inputs: [new Float32Array([3])], outputs: [y] }]);
  assertEquals(y.findIndex((value) => value !== 3), -1);
});

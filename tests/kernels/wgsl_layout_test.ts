import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { copyAll, type Strides, type ViewCopy } from "../../kernels/layout/reference.ts";
import { copiesPlan } from "../../kernels/layout/wgsl.ts";
import { broadcastStrides, sizeOf, stridesOf } from "../../src/shape.ts";
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

function viewOf(shape: readonly number[], start = shape.map(() => 0)): Strides {
  const strides = stridesOf(shape);
  return { offset: start.reduce((sum, at, i) => sum + at * strides[i]!, 0), strides };
}

/** Copies as the reference does them, and as kernels do. */
function checkCopies(
  inputs: readonly Float32Array[],
  copies: readonly ViewCopy[],
  shape: readonly number[],
): Check {
  const expected = new Float32Array(sizeOf(shape));
  copyAll(expected, inputs, copies);
  const plan = copiesPlan("copy", "float32", copies, shape);
  return { job: { plan, inputs, outputs: [expected.slice().fill(99)] }, expected };
}

gpuTest("copiesPlan() orders axes as the reference does", async (runner) => {
  await checkAll(
    runner,
    [...CASES, { shape: [300, 70], choices: [1, 0] }].map(({ shape, choices }) => {
      const axes = shape.map((_, i) => i).sort((i, j) => choices[i]! - choices[j]!);
      const turned = axes.map((axis) => shape[axis]!);
      const strides = axes.map((axis) => stridesOf(shape)[axis]!);
      const copy = { shape: turned, to: viewOf(turned), from: { offset: 0, strides } };
      return checkCopies([numbered(shape)], [copy], turned);
    }),
  );
});

/** A block within a shape: where it starts, and its extents. */
function blockIn(shape: readonly number[], choices: readonly number[]) {
  const block = shape.map((extent, i) => 1 + choices[i]! % extent);
  const start = shape.map((extent, i) => choices[i + 4]! % (extent - block[i]! + 1));
  return { block, start };
}

gpuTest("copiesPlan() cuts blocks as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ shape, choices }) => {
      const { block, start } = blockIn(shape, choices);
      const copy = { shape: block, to: viewOf(block), from: viewOf(shape, start) };
      return checkCopies([numbered(shape)], [copy], block);
    }),
  );
});

gpuTest("copiesPlan() surrounds blocks with zeros as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ shape, choices }) => {
      const { block, start } = blockIn(shape, choices);
      const copy = { shape: block, to: viewOf(shape, start), from: viewOf(block) };
      return checkCopies([numbered(block)], [copy], shape);
    }),
  );
});

/** Every so many-th position, or all of them backwards, along each axis. */
function stepsIn(shape: readonly number[], choices: readonly number[]) {
  const step = shape.map((_, i) => [1, -1, 2, 3][choices[i]! % 4]!);
  const block = shape.map((extent, i) => Math.ceil(extent / Math.abs(step[i]!)));
  const start = shape.map((extent, i) => step[i]! < 0 ? extent - 1 : 0);
  const own = viewOf(shape, start);
  return { block, view: { ...own, strides: own.strides.map((s, i) => s * step[i]!) } };
}

gpuTest("copiesPlan() goes backwards and by steps as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ shape, choices }) => {
      const { block, view } = stepsIn(shape, choices);
      return checkCopies(
        [numbered(shape)],
        [{ shape: block, to: viewOf(block), from: view }],
        block,
      );
    }),
  );
});

gpuTest("copiesPlan() puts zeros in between as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ shape, choices }) => {
      const forth = choices.map((choice) => choice % 4 === 1 ? 0 : choice);
      const { block, view } = stepsIn(shape, forth);
      return checkCopies(
        [numbered(block)],
        [{ shape: block, to: view, from: viewOf(block) }],
        shape,
      );
    }),
  );
});

gpuTest("copiesPlan() gives zeros around nothing", async (runner) => {
  const copy = { shape: [0, 3], to: viewOf([2, 3], [1, 0]), from: viewOf([0, 3]) };
  await checkAll(runner, [checkCopies([new Float32Array(0)], [copy], [2, 3])]);
});

gpuTest("copiesPlan() repeats as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ shape, choices }) => {
      const dropped = choices[7]! % (shape.length + 1);
      const own = shape.map((extent, i) => choices[i]! % 2 === 0 ? 1 : extent).slice(dropped);
      const from = { offset: 0, strides: broadcastStrides(own, shape) };
      return checkCopies([numbered(own)], [{ shape, to: viewOf(shape), from }], shape);
    }),
  );
});

gpuTest("copiesPlan() joins as the reference does, many and empty ones too", async (runner) => {
  const joins = CASES.filter(({ shape }) => shape.length > 0).map(({ shape, choices }, i) => {
    const axis = choices[0]! % shape.length;
    const extents = [...choices.slice(i % 7), ...(i % 5 === 0 ? choices : [])].map((n) => n % 4);
    const total = shape.map((n, j) => j === axis ? extents.reduce((x, y) => x + y) : n);
    let at = 0;
    const copies = extents.map((extent) => {
      const own = shape.map((n, j) => j === axis ? extent : n);
      const start = shape.map((_, j) => j === axis ? at : 0);
      at += extent;
      return { shape: own, to: viewOf(total, start), from: viewOf(own) };
    });
    const inputs = copies.map((copy, j) => numbered(copy.shape, 1000 * j));
    return checkCopies(inputs, copies, total);
  });
  await checkAll(runner, joins.filter(({ expected }) => expected.length > 0));
});

gpuTest("kernels of layout keep whole numbers and booleans as they are", async (runner) => {
  const whole = new Int32Array([2 ** 31 - 1, -(2 ** 31), 2 ** 24 + 1, 7, 8, 9]);
  const bool = new Uint32Array([1, 0, 1, 1, 0, 0]);
  const plan = (element: WgslElement, copy: ViewCopy, shape: readonly number[]) =>
    copiesPlan("copy", element, [copy], shape);
  const turned = { shape: [3, 2], to: viewOf([3, 2]), from: { offset: 0, strides: [1, 3] } };
  const cut = { shape: [3], to: viewOf([3]), from: viewOf([6], [1]) };
  const padded = { shape: [2], to: viewOf([4], [1]), from: viewOf([2]) };
  const repeated = { shape: [2], to: viewOf([2]), from: { offset: 0, strides: [0] } };
  const largest = new Int32Array(2).fill(2 ** 31 - 1);
  await checkAll(runner, [
    checkOf(
      plan("int32", turned, [3, 2]),
      whole,
      whole.map((_, i) => whole[i % 2 * 3 + (i >> 1)]!),
    ),
    checkOf(plan("bool", cut, [3]), bool, bool.slice(1, 4)),
    checkOf(plan("bool", padded, [4]), bool.slice(2, 4), new Uint32Array([0, 1, 1, 0])),
    checkOf(plan("int32", repeated, [2]), whole, largest),
  ]);
});

gpuTest("kernels of layout reach values beyond the workgroups of one dimension", async (runner) => {
  const count = 65535 * 64 + 100;
  const y = new Float32Array(count);
  const copy = { shape: [count], to: viewOf([count]), from: { offset: 0, strides: [0] } };
  const plan = copiesPlan("copy", "float32", [copy], [count]);
  await runner.run([{ plan, inputs: [new Float32Array([3])], outputs: [y] }]);
  assertEquals(y.findIndex((value) => value !== 3), -1);
});

import type { NumberArray } from "../../src/dtype.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  addSparseProduct,
  argSortRows,
  gatherRows,
  scatterRows,
  type SortOrder,
} from "../../kernels/select/reference.ts";
import { gatherKernel, scatterPlan, sparseProductPlan } from "../../kernels/select/wgsl.ts";
import { argSortPlan } from "../../kernels/select/wgsl_sort.ts";
import type { WgslElement } from "../../kernels/wgsl/kernel.ts";
import { gpuTest, type Job, type Words } from "./wgsl_runner.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** A job, and what its output must be. */
interface Check {
  job: Job;
  expected: Words;
}

/** Whole numbers in [0, below) that are the same every time. */
function integers(length: number, below: number, seed: number): Int32Array {
  let state = seed;
  return Int32Array.from({ length }, () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state >>> 8) % below;
  });
}

/** Values of which many are equal, and of which thousands add up exactly in float32. */
function values(length: number, seed: number, distinct = 64): Float32Array {
  return Float32Array.from(integers(length, distinct, seed), (x) => (x - distinct / 2) / 8);
}

async function checkAll(
  runner: { run(jobs: readonly Job[]): Promise<void> },
  checks: readonly Check[],
): Promise<void> {
  await runner.run(checks.map(({ job }) => job));
  for (const { job, expected } of checks) assertEquals(job.outputs[0], expected);
}

/** Small arrays, and how many positions are picked of an axis. */
const CASES = fc.sample(
  fc.record({
    outer: fc.integer({ min: 1, max: 4 }),
    count: fc.integer({ min: 1, max: 40 }),
    inner: fc.integer({ min: 1, max: 20 }),
    picked: fc.integer({ min: 1, max: 90 }),
    seed: fc.integer(),
  }),
  { seed: 1, numRuns: 20 },
);

/** The array of a type that buffers have it as. */
function wordsOf(element: WgslElement, data: Float32Array): Words {
  if (element === "float32") return data;
  return element === "int32" ? Int32Array.from(data) : Uint32Array.from(data, (x) => +(x > 0));
}

gpuTest("gatherKernel() picks the slices that the reference picks", async (runner) => {
  await checkAll(
    runner,
    CASES.flatMap(({ picked, seed, ...around }) => {
      const { outer, count, inner } = around;
      return (["float32", "int32", "bool"] as const).map((element): Check => {
        const x = wordsOf(element, values(outer * count * inner, seed));
        const indices = integers(picked, count, seed + 1);
        const expected = x.slice(0, 0).constructor === Float32Array
          ? new Float32Array(outer * picked * inner)
          : element === "int32"
          ? new Int32Array(outer * picked * inner)
          : new Uint32Array(outer * picked * inner);
        const outputs = [expected.slice()];
        gatherRows(expected as NumberArray, x as NumberArray, indices, "slice", around);
        return {
          job: {
            plan: gatherKernel("slice", element, around, picked),
            inputs: [x, indices],
            outputs,
          },
          expected,
        };
      });
    }),
  );
});

gpuTest("gatherKernel() picks the values that the reference picks", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ picked, seed, ...around }): Check => {
      const { outer, count, inner } = around;
      const x = values(outer * count * inner, seed);
      const indices = integers(outer * picked * inner, count, seed + 1);
      const expected = new Float32Array(indices.length);
      gatherRows(expected, x, indices, "value", around);
      const outputs = [new Float32Array(indices.length)];
      const plan = gatherKernel("value", "float32", around, picked);
      return { job: { plan, inputs: [x, indices], outputs }, expected };
    }),
  );
});

/** Sums of slices. */
const SUMS = { name: "scatter", by: "slice", reduce: "sum", element: "float32" } as const;

/** Slices to add up, and their exact sums. */
function scatterCheck(around: AxisExtents, picked: number, seed: number, distinct?: number): Check {
  const { outer, count, inner } = around;
  const x = values(outer * count * inner, seed);
  const updates = values(outer * picked * inner, seed + 2);
  const indices = integers(picked, distinct ?? count, seed + 1);
  const sums = Float64Array.from(x);
  scatterRows(sums, updates, indices, SUMS, around);
  const outputs = [new Float32Array(x.length)];
  const plan = scatterPlan({ ...SUMS, around, picked });
  return {
    job: { plan, inputs: [x, indices, updates], outputs },
    expected: Float32Array.from(sums),
  };
}

/** Slices to compare, and the largest; some are NaN. */
function maximaCheck(
  element: "float32" | "int32",
  around: AxisExtents,
  picked: number,
  seed: number,
): Check & { expected: Float32Array | Int32Array } {
  const { outer, count, inner } = around;
  const updates = values(outer * picked * inner, seed);
  if (element === "float32" && seed % 2 === 0) updates[seed % updates.length] = NaN;
  const typed = element === "float32" ? Float32Array : Int32Array;
  const given = typed.from(updates);
  const indices = integers(picked, count, seed + 1);
  const lowest = element === "float32" ? -Infinity : -(2 ** 31);
  const maxima = new Float64Array(outer * count * inner).fill(lowest);
  const kind = { ...SUMS, reduce: "max" } as const;
  scatterRows(maxima, given, indices, kind, around);
  const expected = typed.from(maxima);
  const plan = scatterPlan({ ...kind, element, around, picked });
  return { job: { plan, inputs: [given, indices], outputs: [expected.slice().fill(9)] }, expected };
}

/** As numbers: NaN has many bits. */
async function checkMaxima(
  runner: { run(jobs: readonly Job[]): Promise<void> },
  checks: readonly Check[],
): Promise<void> {
  await runner.run(checks.map(({ job }) => job));
  for (const { job, expected } of checks) assertEquals([...job.outputs[0]!], [...expected]);
}

gpuTest("scatterPlan() finds the slices that the reference finds", async (runner) => {
  await checkMaxima(
    runner,
    CASES.flatMap(({ picked, seed, ...around }) => [
      maximaCheck("float32", around, picked, Math.abs(seed)),
      maximaCheck("int32", around, picked, Math.abs(seed)),
    ]),
  );
});

gpuTest("scatterPlan() compares many slices, spread or in one place", async (runner) => {
  await checkMaxima(runner, [
    maximaCheck("float32", { outer: 1, count: 5000, inner: 3 }, 100_000, 3),
    maximaCheck("float32", { outer: 2, count: 7, inner: 2 }, 20_000, 4),
    maximaCheck("float32", { outer: 2, count: 3, inner: 30 }, 64, 6),
  ]);
});

gpuTest("scatterPlan() adds slices up as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.map(({ picked, seed, ...around }) => scatterCheck(around, picked, seed)),
  );
});

gpuTest(
  "scatterPlan() adds up a hundred thousand slices, spread or in one place",
  async (runner) => {
    await checkAll(runner, [
      scatterCheck({ outer: 1, count: 5000, inner: 3 }, 100_000, 3),
      scatterCheck({ outer: 1, count: 7, inner: 2 }, 100_000, 4),
      scatterCheck({ outer: 2, count: 7, inner: 1 }, 30_000, 5, 1),
      scatterCheck({ outer: 2, count: 1, inner: 30 }, 64, 6),
    ]);
  },
);

gpuTest(
  "scatterPlan() keeps what it starts from where there is nothing to add",
  async (runner) => {
    const x = values(12, 7);
    const plan = scatterPlan({ ...SUMS, around: { outer: 1, count: 4, inner: 3 }, picked: 0 });
    const job = {
      plan,
      inputs: [x, new Int32Array(0), new Float32Array(0)],
      outputs: [new Float32Array(12)],
    };
    await checkAll(runner, [{ job, expected: x }]);
  },
);

gpuTest("scatterPlan() adds integers", async (runner) => {
  const around = { outer: 1, count: 5, inner: 2 };
  const [x, indices, updates] = [
    integers(10, 99, 1),
    integers(40, 5, 2),
    integers(80, 2 ** 20, 3),
  ] as const;
  const sums = Float64Array.from(x);
  scatterRows(sums, updates, indices, SUMS, around);
  const plan = scatterPlan({ ...SUMS, element: "int32", around, picked: 40 });
  const job = { plan, inputs: [x, indices, updates], outputs: [new Int32Array(10)] };
  await checkAll(runner, [{ job, expected: Int32Array.from(sums) }]);
});

gpuTest("scatterPlan() adds values up as the reference does", async (runner) => {
  const cases = [...CASES, { outer: 3, count: 10, inner: 2, picked: 5000, seed: 8 }];
  await checkAll(
    runner,
    cases.map(({ picked, seed, ...around }): Check => {
      const { outer, count, inner } = around;
      const x = values(outer * picked * inner, seed);
      const indices = integers(x.length, count, seed + 1);
      const sums = new Float64Array(outer * count * inner);
      const kind = { ...SUMS, by: "value" } as const;
      scatterRows(sums, x, indices, kind, around);
      const plan = scatterPlan({ ...kind, around, picked });
      const outputs = [new Float32Array(sums.length)];
      return { job: { plan, inputs: [x, indices], outputs }, expected: Float32Array.from(sums) };
    }),
  );
});

gpuTest("scatterPlan() gives the same bits at every run", async (runner) => {
  const around = { outer: 1, count: 50, inner: 4 };
  const x = new Float32Array(200);
  const indices = integers(20_000, 50, 1);
  const updates = Float32Array.from(integers(80_000, 1000, 2), (v) => Math.sin(v));
  const plan = scatterPlan({ ...SUMS, around, picked: 20_000 });
  const jobs = [0, 1].map(() => ({
    plan,
    inputs: [x, indices, updates],
    outputs: [new Float32Array(200)],
  }));
  await runner.run(jobs);
  await runner.run([jobs[0]!]);
  assertEquals(jobs[0]!.outputs, jobs[1]!.outputs);
});

/** An axis to sort, and its order. */
function sortCheck(
  element: WgslElement,
  around: AxisExtents,
  options: Partial<SortOrder> & { kept: number },
  seed: number,
  distinct = 64,
): Check {
  const { outer, count, inner } = around;
  const order = { descending: false, nanFirst: false, ...options };
  const x = wordsOf(element, values(outer * count * inner, seed, distinct));
  const expected = new Int32Array(outer * options.kept * inner);
  argSortRows(expected, x as NumberArray, around, order);
  const outputs = [new Int32Array(expected.length)];
  const plan = argSortPlan(element, [outer, count, inner], [1], order);
  return { job: { plan, inputs: [x], outputs }, expected };
}

gpuTest("argSortPlan() sorts short rows as the reference does", async (runner) => {
  await checkAll(
    runner,
    CASES.flatMap(({ picked, seed, ...around }) =>
      (["float32", "int32", "bool"] as const).map((element, i) => {
        const descending = (seed + i) % 2 === 0;
        const kept = seed % 3 === 0 ? around.count : 1 + picked % around.count;
        return sortCheck(element, around, { descending, kept }, seed, i === 0 ? 1000 : 8);
      })
    ),
  );
});

for (const descending of [false, true]) {
  const direction = descending ? "descending" : "ascending";
  gpuTest(`argSortPlan() sorts long rows, ${direction}, equal values in order`, async (runner) => {
    await checkAll(
      runner,
      [2047, 2048, 2049, 5000, 8192, 20_001].map((count, i) => {
        const around = { outer: 2, count, inner: i % 2 + 1 };
        return sortCheck("float32", around, { descending, kept: count }, i, 300);
      }),
    );
  });

  gpuTest(`argSortPlan() keeps the first of long rows, ${direction}`, async (runner) => {
    await checkAll(
      runner,
      [[3000, 1], [2049, 512], [5000, 513], [70_000, 400], [129, 64], [129, 65], [128, 15]].map((
        [count, kept],
        i,
      ) =>
        sortCheck(
          "float32",
          { outer: 3, count: count!, inner: i % 2 + 1 },
          { descending, kept: kept! },
          i,
          2 ** 20,
        )
      ),
    );
  });
}

gpuTest("argSortPlan() keeps the first of equal values in long rows", async (runner) => {
  const around = { outer: 2, count: 70_000, inner: 1 };
  await checkAll(
    runner,
    [[false, 1], [true, 2], [false, 3], [true, 300]].map(([descending, distinct], i) =>
      sortCheck(
        "float32",
        around,
        { descending: Boolean(descending), kept: 40 + i },
        i,
        Number(distinct),
      )
    ),
  );
});

gpuTest(
  "argSortPlan() takes both zeros alike, NaN last or first, and the ends of int32 in order",
  async (runner) => {
    const around = { outer: 1, count: 8, inner: 1 };
    const floats = new Float32Array([0, -0, NaN, 1e-45, -0, -1e-45, Infinity, -Infinity]);
    const whole = new Int32Array([2 ** 31 - 1, -(2 ** 31), 0, -1, -(2 ** 31), 1, 7, 8]);
    const ways = [false, true].flatMap((x) => [[x, false], [x, true]] as const);
    const checks = ways.flatMap(([descending, nanFirst]) => {
      const options = { descending, kept: 8, nanFirst };
      return ([["float32", floats], ["int32", whole]] as const).map(([element, x]): Check => {
        const expected = new Int32Array(8);
        argSortRows(expected, x, around, options);
        const plan = argSortPlan(element, [1, 8, 1], [1], options);
        return { job: { plan, inputs: [x], outputs: [new Int32Array(8)] }, expected };
      });
    });
    await checkAll(runner, checks);
  },
);

gpuTest("argSortPlan() finds the first over axes that lie apart", async (runner) => {
  const [a, b, c] = [7, 5, 60];
  const x = values(a * b * c, 3, 5000);
  const turned = Float32Array.from(x, (_, i) => {
    const [row, place] = [Math.floor(i / (a * c)), i % (a * c)];
    return x[(Math.floor(place / c) * b + row) * c + place % c]!;
  });
  const order = { descending: true, kept: 1, nanFirst: true };
  const expected = new Int32Array(b);
  argSortRows(expected, turned, { outer: b, count: a * c, inner: 1 }, order);
  const plan = argSortPlan("float32", [a, b, c], [0, 2], order);
  await checkAll(runner, [
    { job: { plan, inputs: [x], outputs: [new Int32Array(b)] }, expected },
  ]);
});

gpuTest("sparseProductPlan() adds entry by entry as the reference does", async (runner) => {
  const checks = [1, 40, 300].flatMap((picked) =>
    [1, 5, 60].flatMap((count) =>
      [1, 3, 32].map((inner): Check => {
        const entries = {
          values: values(picked, 1),
          rows: integers(picked, Math.ceil(count / 2), 2).map((row) => 2 * row),
          columns: integers(picked, 9, 3),
        };
        const table = values(9 * inner, 4);
        const expected = new Float32Array(count * inner);
        addSparseProduct(expected, entries, table, inner);
        const plan = sparseProductPlan("float32", picked, [count, inner]);
        const inputs = [entries.values, entries.rows, entries.columns, table];
        return { job: { plan, inputs, outputs: [new Float32Array(count * inner)] }, expected };
      })
    )
  );
  await checkAll(runner, checks);
});

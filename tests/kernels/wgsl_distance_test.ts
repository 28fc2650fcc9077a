import { assertEquals, assertLessOrEqual } from "@std/assert";
import { squaredDistances as between } from "../../kernels/matmul/reference.ts";
import { innerProductPlan } from "../../kernels/matmul/wgsl.ts";
import { amongRows } from "./distances.ts";
import { gpuTest } from "./wgsl_runner.ts";

const squaredDistances = amongRows(between);

const DISTANCES = { name: "distances", term: "squaredDifference" } as const;

/** Of rows beside rows. */
function planDistances(m: number, n: number, k: number, tiled: boolean) {
  const a = { offset: 0, strides: [k, 1] };
  const b = { offset: 0, strides: [1, k] };
  const out = { offset: 0, strides: [n, 1] };
  return innerProductPlan(DISTANCES, { outer: [], m, k, n, a, b, out }, tiled);
}

/** Numbers in [−1, 1) around a centre that are the same every time. */
function random(length: number, seed: number, centre = 0): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return centre + state / 2 ** 31;
  });
}

/** Distances to run, and a check of them against the exact ones. */
function distances([n, m, d]: readonly number[], tiled: boolean, centre = 0) {
  const [a, b] = [random(n! * d!, 1, centre), random(m! * d!, 2, centre)];
  const out = new Float32Array(n! * m!).fill(NaN);
  const plan = planDistances(n!, m!, d!, tiled);
  const check = () => {
    const expected = new Float64Array(n! * m!);
    squaredDistances(expected, a, b, n!, m!, d!);
    expected.forEach((value, i) =>
      assertLessOrEqual(Math.abs(out[i]! - value), (d! + 3) * 2 ** -24 * value, `${n}x${m}x${d}`)
    );
  };
  return { job: { plan, inputs: [a, b], outputs: [out] }, check, out, a, b };
}

const SHAPES = [[1, 1, 1], [7, 64, 1], [64, 65, 7], [65, 7, 64], [3, 5, 3000], [1, 129, 3], [
  100,
  129,
  50,
]];

for (const tiled of [false, true]) {
  const kind = tiled ? "tiles in workgroup memory" : "sums in registers";

  gpuTest(`innerProductPlan() compares all rows with ${kind}`, async (runner) => {
    const all = [
      ...SHAPES.map((shape) => distances(shape, tiled)),
      distances([70, 9, 20], tiled, 100),
    ];
    await runner.run(all.map(({ job }) => job));
    for (const { check } of all) check();
  });

  gpuTest(
    `innerProductPlan() gives 0 where there are no columns with ${kind}`,
    async (runner) => {
      const { job, out } = distances([3, 70, 0], tiled);
      await runner.run([job]);
      assertEquals(out, new Float32Array(210));
    },
  );

  gpuTest(
    `innerProductPlan() gives 0 for equal rows and the same both ways with ${kind}`,
    async (runner) => {
      const [n, m, d] = [90, 70, 33];
      const { a, b } = distances([n, m, d], tiled);
      const [own, there, back] = [n * n, n * m, m * n].map((size) => new Float32Array(size)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      await runner.run([
        { plan: planDistances(n, n, d, tiled), inputs: [a, a], outputs: [own] },
        { plan: planDistances(n, m, d, tiled), inputs: [a, b], outputs: [there] },
        { plan: planDistances(m, n, d, tiled), inputs: [b, a], outputs: [back] },
      ]);
      for (let i = 0; i < n; i++) {
        assertEquals(own[i * n + i], 0);
        for (let j = 0; j < m; j++) assertEquals(there[i * m + j], back[j * n + i]);
      }
    },
  );
}

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { matmul, type MatrixView, type ProductLayout } from "../../kernels/matmul/reference.ts";
import { innerProductPlan } from "../../kernels/matmul/wgsl.ts";
import { gpuTest, type Job, type WgslRunner } from "./wgsl_runner.ts";

const PRODUCT = { name: "matmul", term: "product" } as const;

interface Case {
  m: number;
  k: number;
  n: number;
  transposeA?: boolean;
  transposeB?: boolean;
  transposeOut?: boolean;
}

/** Single matrices, as they are or transposed. */
function layoutOf({ m, k, n, transposeA, transposeB, transposeOut }: Case): ProductLayout {
  const place = (rows: number, columns: number, isTransposed = false) => ({
    offset: 0,
    strides: isTransposed ? [1, rows] : [columns, 1],
  });
  const [a, b] = [place(m, k, transposeA), place(k, n, transposeB)];
  return { outer: [], m, k, n, a, b, out: place(m, n, transposeOut) };
}

/** Numbers in [−1, 1) that are the same every time. */
function random(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return state / 2 ** 31;
  });
}

function view(data: Float32Array, rows: number, columns: number, isTransposed = false): MatrixView {
  const [rowStride, columnStride] = isTransposed ? [1, rows] : [columns, 1];
  return { data, offset: 0, rowStride, columnStride };
}

/** A product to run, and a check of what comes out of it. */
function product(one: Case, tiled: boolean, seed: number) {
  const { m, k, n, transposeA, transposeB, transposeOut = false } = one;
  const [a, b] = [random(m * k, seed), random(k * n, seed + 1)];
  const out = new Float32Array(m * n).fill(NaN);
  const plan = innerProductPlan(PRODUCT, layoutOf(one), tiled);
  const job: Job = { plan, inputs: [a, b], outputs: [out] };
  const check = () => {
    const [x, y] = [view(a, m, k, transposeA), view(b, k, n, transposeB)];
    const expected = new Float64Array(m * n);
    matmul(expected, 0, x, y, m, k, n);
    const sizes = new Float64Array(m * n);
    matmul(
      sizes,
      0,
      { ...x, data: a.map(Math.abs) },
      { ...y, data: b.map(Math.abs) },
      m,
      k,
      n,
    );
    for (let i = 0; i < m * n; i++) {
      const at = transposeOut ? i % n * m + Math.floor(i / n) : i;
      const error = Math.abs(out[at]! - expected[i]!);
      assertLessOrEqual(error, (k + 1) * 2 ** -24 * sizes[i]!, `${m}x${k}x${n} at ${i}`);
    }
  };
  return { job, check, out };
}

async function runAll(runner: WgslRunner, cases: readonly Case[], tiled: boolean): Promise<void> {
  const products = cases.map((one, i) => product(one, tiled, 31 * i + 1));
  await runner.run(products.map(({ job }) => job));
  for (const { check } of products) check();
}

const EXTENTS = [1, 7, 64, 65];

for (const tiled of [false, true]) {
  const kind = tiled ? "tiles in workgroup memory" : "sums in registers";

  gpuTest(
    `innerProductPlan() multiplies matrices of awkward extents with ${kind}`,
    async (runner) => {
      const cases = EXTENTS.flatMap((m, i) =>
        EXTENTS.map((n, j) => ({ m, k: EXTENTS[(i + j) % 4]!, n }))
      );
      await runAll(runner, [...cases, { m: 100, k: 3, n: 129 }], tiled);
    },
  );

  gpuTest(`innerProductPlan() has matrices that lie transposed with ${kind}`, async (runner) => {
    const extent = fc.integer({ min: 1, max: 90 });
    const cases = fc.sample(
      fc.record({
        m: extent,
        k: extent,
        n: extent,
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        transposeOut: fc.boolean(),
      }),
      { seed: 1, numRuns: 12 },
    );
    await runAll(runner, cases, tiled);
  });

  gpuTest(`innerProductPlan() splits long sums with ${kind}`, async (runner) => {
    const cases = [
      { m: 1, k: 1025, n: 1 },
      { m: 65, k: 5000, n: 20, transposeA: true },
      { m: 65, k: 5000, n: 20, transposeOut: true },
      { m: 3, k: 20_011, n: 64, transposeB: true },
      { m: 300, k: 777, n: 2 },
      { m: 2, k: 512, n: 300 },
    ];
    await runAll(runner, cases, tiled);
  });

  gpuTest(`innerProductPlan() gives zeros for sums of nothing with ${kind}`, async (runner) => {
    const { job, out } = product({ m: 5, k: 0, n: 70 }, tiled, 3);
    await runner.run([job]);
    assertEquals(out, new Float32Array(350));
  });

  gpuTest(`innerProductPlan() multiplies batches that broadcast with ${kind}`, async (runner) => {
    const [m, k, n] = [9, 5, 66];
    const [a, b] = [random(3 * m * k, 5), random(2 * k * n, 6)];
    const out = new Float32Array(6 * m * n);
    const layout = {
      ...{ outer: [3, 2], m, k, n },
      a: { offset: 0, strides: [m * k, 0, k, 1] },
      b: { offset: 0, strides: [0, k * n, 1, k] },
      out: { offset: 0, strides: [2 * m * n, m * n, n, 1] },
    };
    const plan = innerProductPlan(PRODUCT, layout, tiled);
    await runner.run([{ plan, inputs: [a, b], outputs: [out] }]);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 2; j++) {
        const expected = new Float32Array(m * n);
        const left = view(a.subarray(i * m * k), m, k);
        matmul(expected, 0, left, view(b.subarray(j * k * n), k, n, true), m, k, n);
        const part = out.subarray((2 * i + j) * m * n);
        assert(expected.every((value, at) => Math.abs(value - part[at]!) < 1e-6), `${i}, ${j}`);
      }
    }
  });

  gpuTest(`innerProductPlan() gives the same bits at every run with ${kind}`, async (runner) => {
    const runs = [0, 1, 2].map(() => product({ m: 130, k: 200, n: 131 }, tiled, 9));
    await runner.run(runs.slice(0, 2).map(({ job }) => job));
    await runner.run([runs[2]!.job]);
    assertEquals(runs[1]!.out, runs[0]!.out);
    assertEquals(runs[2]!.out, runs[0]!.out);
  });
}

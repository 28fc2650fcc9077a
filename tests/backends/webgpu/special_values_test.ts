/** Zeros of both signs, infinities, NaN and extremes on a device: what they give on the CPU. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../../mod.ts";
import type { WebGpuDevice } from "../../../src/backends/webgpu/mod.ts";
import { castOp } from "../../../src/ops/layout.ts";
import { INTERPOLATE_ROW } from "../../ops/cumulative_rows.ts";
import { LIKELIHOOD_ELEMENTWISE } from "../../ops/likelihood_rows.ts";
import { type Row, ROWS as ELEMENTWISE } from "../../ops/elementwise_table.ts";
import { ROWS as STRUCTURAL } from "../../ops/structural_table.ts";
import { gpuTest } from "./gpu.ts";

type Tensor = cg.Tensor;
type Call = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

const SMALLEST_NORMAL = 2 ** -126;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

const NORMAL = [
  ...[0, Infinity, 1, 0.5, LARGEST, SMALLEST_NORMAL, 1e20, 1e-20, 2, 3].flatMap((x) => [x, -x]),
  NaN,
].map(Math.fround);

const SPECIAL = [...NORMAL, 2 ** -149, -(2 ** -149)];

/** Whether a device gives what is expected; subnormal results may be 0, of whatever sign. */
function isNear(found: number, expected: number): boolean {
  if (Object.is(found, expected)) return true;
  const size = Math.abs(expected);
  if (size === 0 || !Number.isFinite(size)) return false;
  if (size <= SMALLEST_NORMAL * (1 + 1e-4)) return Math.abs(found) <= SMALLEST_NORMAL * (1 + 1e-4);
  return Math.abs(found - expected) <= 2e-4 * size;
}

const flushed = (x: number) => Math.abs(x) < SMALLEST_NORMAL ? 0 * x : x;

const double = (data: readonly number[]) => cg.tensor(Float64Array.from(data));
const single = (data: readonly number[]) => cg.tensor(Float32Array.from(data));
const numbersOf = (x: Tensor) => Array.from(x.data, (v) => Math.fround(Number(v)));

/** What a function gives on a device. */
async function onDevice(gpu: WebGpuDevice, call: Call, given: Tensor[]): Promise<number[][]> {
  const all = (...xs: Tensor[]) => [call(...xs)].flat() as Tensor[];
  await using program = await cg.compile(all, given, { device: gpu });
  const results = await program(...given) as Tensor[];
  const data = await Promise.all(results.map((x) => x.read()));
  for (const x of results) x.dispose();
  return data.map((values) => Array.from(values, Number));
}

/** Asserts that each value is one of those expected at its place; `nameOf` says which place it is. */
function assertNear(
  found: readonly number[],
  expected: readonly (readonly number[])[],
  nameOf: (i: number) => string,
): void {
  const wrong = found.flatMap((value, i) =>
    expected.some((values) => isNear(value, values[i]!))
      ? []
      : [`${nameOf(i)} is ${text(value)}, expected is ${text(expected[0]![i]!)}`]
  );
  assertEquals(wrong, []);
}

const text = (x: number) => Object.is(x, -0) ? "-0" : String(x);

/** All combinations of values, as one array for each operand. */
function combinations(count: number, values: readonly number[]): number[][] {
  const rows = Array.from({ length: count }).reduce<number[][]>(
    (known) => known.flatMap((row) => values.map((value) => [...row, value])),
    [[]],
  );
  return Array.from({ length: count }, (_, i) => rows.map((row) => row[i]!));
}

/** Values that an operation is tried with. */
function valuesFor({ domain }: Row): readonly number[] {
  return domain.length > 2 ? SPECIAL.slice(0, 9) : SPECIAL;
}

/** Negative counts, and infinite ones, have no meaning, nor have proportions beyond 1. */
const MEANINGFUL = ELEMENTWISE.filter((row) =>
  !LIKELIHOOD_ELEMENTWISE.includes(row) && row !== INTERPOLATE_ROW
);

gpuTest("special values in all pairs give on a device what they give elsewhere", async (gpu) => {
  for (const row of MEANINGFUL) {
    const operands = combinations(row.domain.length, valuesFor(row));
    const [found] = await onDevice(gpu, row.call, operands.map(single));
    // Devices may take subnormal operands for 0, one or all.
    const variants = [operands, operands.map((own) => own.map(flushed))];
    const expected = variants.map((own) => numbersOf(row.call(...own.map(double))));
    const at = (i: number) => operands.map((own) => own[i]!);
    assertNear(found!, expected, (i) => `${row.op.name}(${at(i).map(text).join(", ")})`);
  }
});

gpuTest(
  "special constants, on both sides, give on a device what they give elsewhere",
  async (gpu) => {
    for (const row of MEANINGFUL.filter(({ domain }) => domain.length === 2)) {
      const call = row.call as (a: cg.TensorLike, b: cg.TensorLike) => Tensor;
      const all = (x: Tensor) => [call(x, x), ...NORMAL.flatMap((c) => [call(x, c), call(c, x)])];
      const found = await onDevice(gpu, all, [single(NORMAL)]);
      const expected = all(double(NORMAL)).map(numbersOf);
      found.forEach((values, k) => {
        const constant = NORMAL[(k - 1) >> 1]!;
        const pair = (i: number) =>
          k === 0
            ? [NORMAL[i]!, NORMAL[i]!]
            : k % 2
            ? [NORMAL[i]!, constant]
            : [constant, NORMAL[i]!];
        assertNear(
          values,
          [expected[k]!],
          (i) => `${row.op.name}(${pair(i).map(text).join(", ")})`,
        );
      });
    }
  },
);

/** What compilers simplify where they assume that there are no infinities and no NaN. */
const COMPOSITIONS: Record<string, (x: Tensor, y: Tensor) => Tensor> = {
  "x + y - x": (x, y) => x.add(y).sub(x),
  "x - y + y": (x, y) => x.sub(y).add(y),
  "-x + x": (x) => x.neg().add(x),
  "0 x + 1": (x) => x.mul(0).add(1),
  "x / x": (x) => x.div(x),
  "x y / y": (x, y) => x.mul(y).div(y),
  "(x - x) / x": (x) => x.sub(x).div(x),
  "x 1e30 1e-30": (x) => x.mul(1e30).mul(1e-30),
  "x 1e-30 1e-30": (x) => x.mul(1e-30).mul(1e-30),
  "x + 1e20 - 1e20": (x) => x.add(1e20).sub(1e20),
  "x + 0": (x) => x.add(0),
  "0 - x": (x) => cg.sub(0, x),
  "x = x": (x) => x.equal(x),
  "x ≠ x": (x) => x.notEqual(x),
  "1 but for x < y": (x, y) => cg.where(x.less(y), 0, 1),
  "isNaN(x)": (x) => cg.isNaN(x),
  "x where y is no NaN": (x, y) => cg.where(cg.isNaN(y), 0, x),
  "x between 0 and 1": (x) => x.clip(0, 1),
  "√x²": (x) => x.square().sqrt(),
  "the sum": (x) => x.sum(),
  "the largest": (x) => x.max(),
  "the smallest": (x) => x.min(),
  "the first NaN, as the largest": (x) => cg.argMax(x),
  "the first NaN, as the smallest": (x) => cg.argMin(x),
  "the largest of rows": (x) => x.reshape([3, -1]).max({ axis: 1 }),
  "the order": (x) => cg.sort(x),
  "the first three": (x) => cg.topK(x, 3).values,
  "the softmax": (x) => cg.softmax(x),
  "the logarithm of sums of powers": (x) => cg.logSumExp(x),
};

gpuTest("compositions of special values give on a device what they give elsewhere", async (gpu) => {
  const given = [NORMAL, NORMAL.map((_, i) => NORMAL[(4 * i + 7) % NORMAL.length]!)].map(single);
  const found = await onDevice(
    gpu,
    (x, y) => Object.values(COMPOSITIONS).map((f) => f(x!, y!)),
    given,
  );
  Object.entries(COMPOSITIONS).forEach(([name, f], k) => {
    const expected = Array.from((f as Call as (...xs: Tensor[]) => Tensor)(...given).data, Number);
    assertNear(found[k]!, [expected], (i) => `${name} at ${i}`);
  });
});

gpuTest("NaN and infinities go through structural operations as elsewhere", async (gpu) => {
  for (const { op, cases } of STRUCTURAL.filter(({ op }) => op as unknown !== castOp)) {
    // A sum of nothing but -0 may be -0 on a device, and infinite counts have no meaning.
    const values = op.name.startsWith("negativeBinomial") ? [NaN] : [NaN, Infinity, 0, -Infinity];
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(99), async ({ inputs, call }, seed) => {
        const given = inputs.map((x, k) =>
          x.dtype === "float64"
            ? cg.tensor(
              Float32Array.from(
                x.data,
                (v, i) => (i + seed + k) % 3 ? v : values[(i + seed) % values.length]!,
              ),
              { shape: x.shape },
            )
            : x
        );
        const [found] = await onDevice(gpu, call, given);
        const expected = call(...given.map((x) => x.dtype === "float32" ? x.cast("float64") : x));
        const numbers = numbersOf(expected);
        // Nothing but −0 comes of zeros around an image, too.
        const others = /conv/i.test(op.name) ? [numbers.map((v) => v === 0 ? -v : v)] : [];
        assertNear(found!, [numbers, ...others], (i) => `${op.name} at ${i}`);
      }),
      { seed: 5, numRuns: 3 },
    );
  }
});

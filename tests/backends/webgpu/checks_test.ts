/** Every check of values, on every device: what eager refuses, programs and graphics cards refuse. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as cg from "../../../mod.ts";
import * as labels from "../../../src/labels.ts";
import type { Primitive } from "../../../src/op.ts";
import * as layout from "../../../src/ops/layout.ts";
import * as select from "../../../src/ops/select.ts";
import * as random from "../../../src/random/ops.ts";
import * as ranges from "../../../src/ranges.ts";
import { gpuTest } from "./gpu.ts";

type Tensor = cg.Tensor;

const i32 = (values: number[], shape = [values.length]) =>
  cg.tensor(Int32Array.from(values), { shape });
const f32 = (values: cg.NestedArray) => cg.tensor(values, { dtype: "float32" });
const rows = f32([[1, 2], [3, 4], [5, 6]]);
const key = cg.key(1);

interface CheckCase {
  /** The record that refuses. */
  readonly op: unknown;
  readonly call: (x: Tensor) => Tensor;
  /** What is allowed, and what is refused. */
  readonly good: Tensor;
  readonly bad: readonly Tensor[];
}

const CASES: readonly CheckCase[] = [
  {
    op: labels.checkLabelsOp,
    call: (y) => cg.crossEntropyLoss(rows, y),
    good: i32([0, 1, 1]),
    bad: [i32([0, 1, 2]), i32([-1, 0, 0])],
  },
  {
    op: labels.toIntegersOp,
    call: (y) => cg.crossEntropyLoss(rows, y),
    good: f32([0, 1, 1]),
    bad: [f32([0, 1.5, 1]), f32([0, 1, NaN]), f32([Infinity, 0, 0]), f32([0, 2 ** 31, 0])],
  },
  {
    op: labels.checkMaskOp,
    call: (m) => cg.maskedMseLoss(rows, rows, m),
    good: f32([[0, 1], [1, 1], [0, 0]]),
    bad: [f32([[0, 1], [1, 2], [0, 0]]), f32([[0, 1], [1, 0.5], [0, 0]]), rows.mul(NaN)],
  },
  {
    op: labels.requireSomeOp,
    call: (m) => cg.maskedMseLoss(rows, rows, m, { emptyMask: "error" }),
    good: f32([[0, 1], [1, 1], [0, 0]]),
    bad: [f32([[0, 0], [0, 0], [0, 0]])],
  },
  {
    op: ranges.checkRangeOp,
    call: (p) => cg.negLogBernoulliLoss(p, rows, cg.ones([3, 2])),
    good: f32([[0, 1], [0.5, 1], [0, 0.25]]),
    bad: [f32([[0, 1], [0.5, 1], [0, 1.25]]), f32([[-Infinity, 1], [0.5, 1], [0, 0]])],
  },
  {
    op: random.checkLargestOp,
    call: (z) => cg.categorical(key, z, { shape: [2, 3] }),
    good: f32([[0, 1], [-Infinity, 0], [2, 2]]),
    bad: [
      f32([[0, 1], [-Infinity, -Infinity], [2, 2]]),
      f32([[0, 1], [0, 0], [NaN, 2]]),
      f32([[Infinity, 1], [0, 0], [2, 2]]),
    ],
  },
  {
    op: random.checkOrderOp,
    call: (high) => cg.integers(key, i32([0, -3, 5]), high),
    good: i32([1, 0, 6]),
    bad: [i32([0, 0, 6]), i32([1, 0, -(2 ** 31)])],
  },
  {
    op: random.bernoulliOp,
    call: (p) => cg.bernoulli(key, p),
    good: f32([0, 1, 0.5]),
    bad: [f32([0, 1.25, 0.5]), f32([-0.5, 1, 1]), f32([0, NaN, 1])],
  },
  {
    op: random.poissonOp,
    call: (rate) => cg.poisson(key, rate),
    good: f32([0, 1, 5]),
    bad: [f32([0, -1, 5]), f32([NaN, 1, 5]), f32([1, 1, Infinity])],
  },
  {
    op: random.gammaOp,
    call: (a) => cg.gamma(key, a),
    good: f32([1, 2]),
    bad: [f32([1, 0]), f32([NaN, 1]), f32([Infinity, 1])],
  },
  {
    op: select.gatherOp,
    call: (at) => cg.gather(rows, at),
    good: i32([2, 0]),
    bad: [i32([3, 0]), i32([0, -1])],
  },
  {
    op: select.scatterAddOp,
    call: (at) => cg.scatterAdd(rows, at, [[1, 1], [2, 2]]),
    good: i32([2, 0]),
    bad: [i32([3, 0]), i32([0, -1])],
  },
  {
    op: select.takeAlongAxisOp,
    call: (at) => cg.takeAlongAxis(rows, at),
    good: i32([0, 1, 1], [3, 1]),
    bad: [i32([0, 2, 1], [3, 1]), i32([0, 0, -1], [3, 1])],
  },
  {
    op: select.putAlongAxisOp,
    call: (at) => cg.grad((x: Tensor) => cg.takeAlongAxis(x, at).sum())(rows),
    good: i32([0, 1, 1], [3, 1]),
    bad: [i32([0, 2, 1], [3, 1]), i32([0, 0, -1], [3, 1])],
  },
  {
    op: layout.castOp,
    call: (x) => cg.cast(x, "int32"),
    good: f32([1, -2]),
    bad: [f32([1, 0.5]), f32([NaN, 1]), f32([3e9, 1])],
  },
  {
    op: layout.castOp,
    call: (x) => cg.cast(x, "bool"),
    good: f32([1, 0]),
    bad: [f32([1, 2]), f32([NaN, 1])],
  },
  {
    op: labels.checkLabelsOp,
    call: (y) => cg.oneHot(y, 3),
    good: i32([2, 0]),
    bad: [i32([3, 0]), i32([0, -1])],
  },
];

Deno.test("every record that refuses values has a case", () => {
  const records = [labels, layout, select, random, ranges].flatMap((family) =>
    Object.values(family).filter((value) => typeof value === "object") as Primitive<never>[]
  );
  const refusing = records.filter(({ refuses }) => refuses !== undefined);
  assert(refusing.length > 10);
  const tried = CASES.map(({ op }) => op);
  for (const op of refusing) assert(tried.includes(op), op.name);
  for (const op of tried) assert(refusing.includes(op as never));
});

const kindOf = (call: () => unknown): Error => assertThrows(call) as Error;

for (const { op, call, good, bad } of CASES) {
  const { name } = op as { name: string };
  const title = `${name} of ${good.dtype}${JSON.stringify(good.toArray())}`;

  Deno.test(`${title} refuses in programs what it refuses at once`, async () => {
    await using program = await cg.compile(call, [good]);
    assertEquals((await program(good) as Tensor).toArray(), call(good).toArray());
    for (const x of bad) {
      const expected = kindOf(() => call(x));
      const error = await assertRejects(async () => await program(x)) as Error;
      assertEquals([error.name, error.message], [expected.name, expected.message]);
    }
  });

  gpuTest(`${title} refuses on a device what it refuses at once`, async (gpu) => {
    await using program = await cg.compile(call, [good], { device: gpu });
    await using made = await cg.compile(
      (x: Tensor) => call(x.mul(1).add(0)),
      [good],
      { device: gpu },
    );
    for (const run of [program, made] as typeof program[]) {
      await (await run(good) as Tensor).read();
      for (const x of bad) {
        const expected = kindOf(() => call(x));
        for (const given of [x, await gpu.put(x) as Tensor]) {
          const read = async () => await (await run(given) as Tensor).read();
          const error = await assertRejects(read) as Error;
          assertEquals([error.name, error.message], [expected.name, expected.message]);
        }
      }
    }
  });
}

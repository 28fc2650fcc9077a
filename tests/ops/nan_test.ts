/** NaN in, NaN out: every record, eagerly, in programs and on a device. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { isFloating } from "../../src/dtype.ts";
import * as compare from "../../src/ops/compare.ts";
import { powOp } from "../../src/ops/arithmetic.ts";
import { argSortOp } from "../../src/ops/sort.ts";
import { gpuTest, narrow } from "../backends/webgpu/gpu.ts";
import { ROWS as ELEMENTWISE } from "./elementwise_table.ts";
import { ROWS as STRUCTURAL } from "./structural_table.ts";

type Tensor = cg.Tensor;

const f64 = (values: number[]) => cg.tensor(values, { dtype: "float64" });

/** Comparisons have no place for NaN; what `where` did not choose is masked. */
const NO_PLACE: readonly unknown[] = [
  compare.equalOp,
  compare.notEqualOp,
  compare.lessOp,
  compare.lessEqualOp,
  compare.whereOp,
];

const ROWS = ELEMENTWISE.filter(({ op }) => !NO_PLACE.includes(op));

/** Operands in the middle of their domains, of which one has a NaN at its first place. */
function spoiled({ domain }: (typeof ROWS)[number], index: number): Tensor[] {
  return domain.map(([low, high], i) => {
    const [a, b] = [low + 0.6 * (high - low), low + 0.8 * (high - low)];
    return f64(i === index ? [NaN, b] : [a, b]);
  });
}

const isFirstNaN = ([first, second]: ArrayLike<number> & Iterable<number>) =>
  Number.isNaN(first) && !Number.isNaN(second);

for (const row of ROWS) {
  row.domain.forEach((_, index) => {
    const what = `NaN as operand ${index} of ${row.op.name}`;
    Deno.test(`${what} gives NaN, there and only there`, async () => {
      const inputs = spoiled(row, index);
      assert(isFirstNaN(row.call(...inputs).data));
      await using program = await cg.compile(row.call, inputs);
      assert(isFirstNaN((await program(...inputs) as Tensor).data));
    });

    gpuTest(`${what} gives NaN on a device`, async (gpu) => {
      const inputs = spoiled(row, index).map(narrow);
      await using program = await cg.compile(row.call, inputs, { device: gpu });
      assert(isFirstNaN(await (await program(...inputs) as Tensor).read()));
    });
  });
}

Deno.test("pow() is 1 where the exponent is 0, also of NaN", () => {
  assertEquals(ROWS.some(({ op }) => op as unknown === powOp), true);
  assertEquals(cg.pow(f64([NaN]), 0).toArray(), [1]);
});

for (const { op, cases } of STRUCTURAL.filter(({ op }) => op as unknown !== argSortOp)) {
  Deno.test(`NaN in every place of ${op.name} comes out`, () =>
    fc.assert(
      fc.property(cases, ({ inputs, call }) => {
        const given = inputs.map((x) =>
          isFloating(x.dtype) ? cg.full(x.shape, NaN, { dtype: x.dtype }) : x
        );
        const { data, dtype } = call(...given);
        if (!isFloating(dtype)) return;
        assert(Array.from(data).some(Number.isNaN) || data.length === 0);
      }),
      { seed: 1, numRuns: 20 },
    ));
}

Deno.test("relu() and leakyRelu() let NaN through, and its gradient as PyTorch does", () => {
  const by = (f: (x: Tensor) => Tensor) => cg.grad((x: Tensor) => f(x).sum());
  const x = f64([NaN, -Infinity, Infinity, 0, -0]);
  assertEquals(cg.relu(x).toArray(), [NaN, 0, Infinity, 0, 0]);
  assertEquals(by(cg.relu)(x).toArray(), [1, 0, 1, 0, 0]);
  assertEquals(cg.leakyRelu(x).toArray(), [NaN, -Infinity, Infinity, 0, -0]);
  assertEquals(by(cg.leakyRelu)(x).toArray(), [0.01, 0.01, 1, 0.01, 0.01]);
});

Deno.test("logSumExp() of nothing but −∞ is −∞ with gradient 0, beside other rows too", () => {
  const rows = cg.tensor([[-Infinity, -Infinity], [0, -Infinity]], { dtype: "float64" });
  const f = (x: Tensor) => cg.logSumExp(x, { axis: 1 });
  assertEquals(f(rows).toArray(), [-Infinity, 0]);
  const gradient = cg.grad((x: Tensor) => f(x).sum(), { checkNaN: true });
  assertEquals(gradient(rows).toArray(), [[0, 0], [1, 0]]);
  assertEquals(cg.grad((x: Tensor) => cg.logSumExp(x))(f64([-Infinity])).toArray(), [0]);
  assertEquals(cg.logSumExp(f64([NaN, -Infinity])).item(), NaN);
  assertEquals(cg.logSumExp(f64([Infinity, 0])).item(), Infinity);
});

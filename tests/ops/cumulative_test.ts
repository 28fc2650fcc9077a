/** What reductions and cumulative operations do at zeros, ties and infinities, and in which types. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { assertLikeEager, gpuTest } from "../backends/webgpu/gpu.ts";
import { RUNS } from "./arbitraries.ts";

type Tensor = cg.Tensor;

const f64 = (data: cg.NestedArray) => cg.tensor(data, { dtype: "float64" });
const slope = (f: (x: Tensor) => Tensor, x: cg.NestedArray) =>
  cg.grad((y: Tensor) => f(y).sum())(f64(x)).toArray();

Deno.test("prod() has at zeros the gradient and Hessian of the product of all others", () => {
  const hessian = (x: number[]) => cg.hessian((y: Tensor) => cg.prod(y))(f64(x)).toArray();
  assertEquals(slope(cg.prod, [2, 3, 5]), [15, 10, 6]);
  assertEquals(slope(cg.prod, [2, 0, 5]), [0, 10, 0]);
  assertEquals(slope(cg.prod, [0, 0, 5]), [0, 0, 0]);
  assertEquals(hessian([2, 0, 5]), [[0, 5, 0], [5, 0, 2], [0, 2, 0]]);
  assertEquals(hessian([0, 0, 5]), [[0, 5, 0], [5, 0, 0], [0, 0, 0]]);
  assertEquals(hessian([0, 0, 0]), [[0, 0, 0], [0, 0, 0], [0, 0, 0]]);
});

/** Lines of which many values are 0. */
const WITH_ZEROS = fc.array(fc.constantFrom(0, 0, -2, 0.5, 3), { minLength: 1, maxLength: 6 })
  .map((values) => f64(values));

for (const [name, f] of Object.entries({ prod: cg.prod, cumprod: cg.cumprod })) {
  Deno.test(`${name}() has the right gradients of first and second order at any zeros`, () => {
    fc.assert(
      fc.property(WITH_ZEROS, (x) => {
        checkGradients((y: Tensor) => f(y).square().add(f(y)), [x], { order: 2, atol: 1e-6 });
      }),
      RUNS,
    );
  });
}

Deno.test("prod() multiplies in float64, over any axes, and nothing to 1", () => {
  assertEquals(cg.prod(Float32Array.of(1e30, 1e30, 1e-30, 1e-30)).item(), 1);
  assertEquals(cg.prod(cg.zeros([0, 2]), { axis: 0 }).toArray(), [1, 1]);
  assertEquals(cg.prod(cg.zeros([2, 0]), { axis: 0, keepDims: true }).shape, [1, 0]);
  assertEquals(cg.prod(7).item(), 7);
  const x = cg.arange(24).add(1).reshape([2, 3, 4]);
  assertEquals(cg.prod(x, { axis: [0, 2] }).toArray(), [1048320, 195350400, 3029685248]);
  const whole = cg.tensor(Int32Array.of(2 ** 31 - 1, 4));
  assertEquals([cg.prod(whole).dtype, cg.prod(whole).item()], ["float64", 2 ** 33 - 4]);
  assertEquals([cg.prod([true, true]).dtype, cg.prod([true, false]).item()], ["int32", 0]);
});

Deno.test("std() is 0 with gradient 0 where all are equal, and neither overflows nor vanishes", () => {
  assertEquals(cg.std([0.1, 0.1, 0.1]).item(), 0);
  assertEquals(slope(cg.std, [3, 3]), [0, 0]);
  assertEquals(cg.hessian((x: Tensor) => cg.std(x))(f64([3, 3])).toArray(), [[0, 0], [0, 0]]);
  for (const scale of [1e-30, 1, 1e30]) {
    const x = cg.tensor([scale, 3 * scale]);
    assertAllClose(cg.std(x).div(scale), 1, { rtol: 1e-6 });
  }
  assertAllClose(cg.std(f64([1e9, 1e9 + 1, 1e9 + 2])), f64(Math.sqrt(2 / 3)), { rtol: 1e-12 });
  assertEquals(cg.std([1], { correction: 1 }).item(), NaN);
  assertEquals(cg.std(cg.zeros([0])).item(), NaN);
});

Deno.test("any() and all() take what is not 0 for true, NaN included, in every type", () => {
  const x = f64([[0, NaN], [0, 0], [1, -2]]);
  assertEquals(cg.any(x, { axis: 1 }).toArray(), [true, false, true]);
  assertEquals(cg.all(x, { axis: 1 }).toArray(), [false, false, true]);
  assertEquals([cg.any(cg.zeros([0])).item(), cg.all(cg.zeros([0])).item()], [0, 1]);
  assertEquals(cg.any([[true], [false]], { axis: 0, keepDims: true }).toArray(), [[true]]);
  assertEquals(cg.all(cg.tensor(Int32Array.of(1, 2))).dtype, "bool");
  assertEquals([cg.any(5).item(), cg.all(0).item()], [1, 0]);
});

Deno.test("median() and quantile() go between values as NumPy does, and keep infinities", () => {
  assertEquals(cg.median([4, 1, 3, 2]).item(), 2.5);
  assertEquals(cg.median([[3, 1, 2]], { axis: 0 }).toArray(), [3, 1, 2]);
  assertAllClose(cg.quantile(f64([1, 2, 4, 8]), [0, 0.3, 0.9, 1]), f64([1, 1.9, 6.8, 8]));
  const x = cg.arange(24).reshape([2, 3, 4]);
  const shapes = [[0, 2], [1], undefined].map((axis) =>
    cg.quantile(x, [0.1, 0.5], { axis, keepDims: true }).shape
  );
  assertEquals(shapes, [[2, 1, 3, 1], [2, 2, 1, 4], [2, 1, 1, 1]]);
  assertEquals(cg.quantile(x, [], { axis: 1 }).shape, [0, 2, 4]);
  assertEquals(cg.quantile(5, 0.3).item(), 5);
  assertEquals(cg.median([1, Infinity, Infinity]).item(), Infinity);
  assertEquals(cg.median([-Infinity, Infinity]).item(), NaN);
  assertEquals(cg.quantile([1, Infinity], 0).item(), 1);
  assertEquals(cg.quantile([[1, NaN], [1, 2]], 0, { axis: 1 }).toArray(), [NaN, 1]);
  assertEquals(cg.quantile(Float32Array.of(-3e38, 3e38), 0.5).item(), 0);
  const same = cg.full([5], 0.1);
  assertEquals(cg.quantile(same, [0.1, 0.37, 0.9]).sub(0.1).toArray(), [0, 0, 0]);
});

Deno.test("quantile() gives the gradient to its neighbours in their proportion, equal ones too", () => {
  assertAllClose(slope((x) => cg.quantile(x, 0.3), [8, 1, 2, 4]), [0, 0.1, 0.9, 0], { atol: 1e-6 });
  assertEquals(slope(cg.median, [1, 1]), [0.5, 0.5]);
  assertEquals(slope(cg.median, [5, 1, 3]), [0, 0, 1]);
});

Deno.test("quantile() of a long line is that of its sorted values", () => {
  const x = cg.normal(cg.key(3), [100_001]);
  const sorted = Float32Array.from(x.data).sort();
  for (const q of [0, 0.25, 0.5, 1]) {
    assertEquals(cg.quantile(x, q).item(), sorted[q * 100_000]);
  }
});

Deno.test("cumMax() splits the gradient of a place equally among those that are largest there", () => {
  assertAllClose(slope(cg.cumMax, [1, 3, 3, 2, 3]), [1, 7 / 3, 4 / 3, 0, 1 / 3]);
  assertAllClose(
    slope((x) => cg.cumMax(x, { reverse: true }), [3, 2, 3, 3, 1]),
    [1 / 3, 0, 4 / 3, 7 / 3, 1],
  );
});

Deno.test("cumLogSumExp() has the gradient 0 at −∞, and 1 at ∞ for each place from it on", () => {
  const gradient = (x: number[]) => slope(cg.cumLogSumExp, x);
  assertEquals(gradient([-Infinity, -Infinity]), [0, 0]);
  assertEquals(gradient([-Infinity, 5]), [0, 1]);
  assertEquals(gradient([1, Infinity, 2]), [1, 2, 0]);
  assertEquals(gradient([-1000, 0, 1000]), [1, 1, 1]);
  assertEquals(gradient([1, NaN]), [NaN, NaN]);
});

Deno.test("cumLogSumExp() of what is far apart, and of a line from its end, has all its digits", () => {
  const x = f64([800, -800, 0, 800, 801]);
  const expected = [800, 800, 800, 800 + Math.LN2, 801 + Math.log1p(2 * Math.exp(-1))];
  assertAllClose(cg.cumLogSumExp(x), f64(expected), { rtol: 1e-15 });
  assertAllClose(
    cg.cumLogSumExp(f64([801, 800, 0, -800, 800]), { reverse: true }),
    f64(expected.toReversed()),
    { rtol: 1e-15 },
  );
  checkGradients((y: Tensor) => cg.cumLogSumExp(y).square(), [x.div(100)], { order: 2 });
});

Deno.test("cumsum() adds up in float64: a million tenths", () => {
  const sums = cg.cumsum(cg.full([1_000_000], 0.1));
  assertEquals(sums.data.at(-1), Math.fround(1_000_000 * Math.fround(0.1)));
});

Deno.test("argMax() and argMin() over several axes count in row-major order", () => {
  const x = cg.tensor([[[1, 9], [3, 4]], [[5, 6], [7, 0]]]);
  assertEquals(cg.argMax(x, { axis: [0, 2] }).toArray(), [1, 2]);
  assertEquals(cg.argMin(x, { axis: [1, 2], keepDims: true }).toArray(), [[[0]], [[3]]]);
});

/** Lines short and long, along each axis. */
const SHAPES: [number[], number][] = [[[3, 5, 2], 1], [[2, 700], 1], [[700, 3], 0], [[5000], 0]];

const RUNNING = [cg.cumsum, cg.cumprod, cg.cumMax, cg.cumLogSumExp];

/** Every cumulative function along an axis, with its gradient. */
function allRunning(axis: number) {
  return (x: Tensor): Tensor[] =>
    RUNNING.flatMap((f, i) => {
      const call = (y: Tensor) => f(y, { axis, reverse: i % 2 === 0 });
      return [call(x), cg.grad((y: Tensor) => call(y).square().mean())(x)];
    });
}

for (const [shape, axis] of SHAPES) {
  const x = cg.normal(cg.key(1), shape).mul(0.05).add(1);

  for (const threads of [1, 2]) {
    Deno.test(`cumulative functions of [${shape}] in programs on ${threads} threads give what they give eagerly`, async () => {
      await using program = await cg.compile(allRunning(axis), [x], { threads });
      const eager = allRunning(axis)(x);
      (await program(x)).forEach((y, i) =>
        assertAllClose(y, eager[i]!, { rtol: 2e-6, atol: 2e-6 })
      );
    });
  }

  gpuTest(
    `cumulative functions of [${shape}] give on a device what they give eagerly`,
    (gpu) => assertLikeEager(gpu, allRunning(axis), [x], { rtol: 2e-4, atol: 2e-5 }),
  );
}

gpuTest("reductions give on a device what they give eagerly", (gpu) => {
  const f = (x: Tensor) => [
    ...[cg.prod, cg.std, cg.median].map((g) => g(x, { axis: [0, 2] })),
    cg.quantile(x, [0.1, 0.8], { axis: 1 }),
    cg.cast(cg.any(x, { axis: 0 }), "float32"),
    cg.cast(cg.all(x, { axis: 0 }), "float32"),
    cg.einsum("aba,cb->ac", x, cg.slice(x, [0, 0, 0], [1, 3, 3]).reshape([3, 3])),
  ];
  return assertLikeEager(gpu, f, [cg.normal(cg.key(2), [4, 3, 4])], { rtol: 1e-4, atol: 1e-5 });
});

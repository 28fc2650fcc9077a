/** Padding, turning, repeating and replacing: in every way of running, in all types, empty too. */
import { assertEquals } from "@std/assert";
import * as cg from "../../mod.ts";
import { checkGradients } from "../../src/testing.ts";
import { gpuTest } from "../backends/webgpu/gpu.ts";

type Tensor = cg.Tensor;

/** A call, and what it makes of `[[1, 2, 3], [4, 5, 6]]`. */
interface Case {
  name: string;
  call: (x: Tensor) => Tensor;
  expected: cg.NestedArray;
  /** The shape that it makes of one without rows; `undefined` where it is refused. */
  empty?: readonly number[];
}

const X = [[1, 2, 3], [4, 5, 6]];

const CASES: Case[] = [
  {
    name: "pad",
    call: (x) => cg.pad(x, [[1, 0], [0, 2]]),
    expected: [[0, 0, 0, 0, 0], [1, 2, 3, 0, 0], [4, 5, 6, 0, 0]],
    empty: [1, 5],
  },
  {
    name: "pad with a number",
    call: (x) => cg.pad(x, [[0, 1], [1, 0]], { value: 7 }),
    expected: [[7, 1, 2, 3], [7, 4, 5, 6], [7, 7, 7, 7]],
    empty: [1, 4],
  },
  {
    name: "pad with edges",
    call: (x) => cg.pad(x, [[0, 1], [2, 1]], { mode: "edge" }),
    expected: [[1, 1, 1, 2, 3, 3], [4, 4, 4, 5, 6, 6], [4, 4, 4, 5, 6, 6]],
  },
  {
    name: "pad with mirror images",
    call: (x) => cg.pad(x, [[1, 1], [2, 1]], { mode: "reflect" }),
    expected: [
      [6, 5, 4, 5, 6, 5],
      [3, 2, 1, 2, 3, 2],
      [6, 5, 4, 5, 6, 5],
      [3, 2, 1, 2, 3, 2],
    ],
  },
  { name: "flip", call: (x) => cg.flip(x), expected: [[6, 5, 4], [3, 2, 1]], empty: [0, 3] },
  {
    name: "flip along an axis",
    call: (x) => cg.flip(x, { axis: [-1] }),
    expected: [[3, 2, 1], [6, 5, 4]],
    empty: [0, 3],
  },
  {
    name: "slice by steps",
    call: (x) => x.slice([-2, 0], [2, 3], { step: [1, 2] }),
    expected: [[1, 3], [4, 6]],
  },
  { name: "roll", call: (x) => cg.roll(x, 7), expected: [[6, 1, 2], [3, 4, 5]], empty: [0, 3] },
  {
    name: "roll along an axis",
    call: (x) => cg.roll(x, -1, { axis: 1 }),
    expected: [[2, 3, 1], [5, 6, 4]],
    empty: [0, 3],
  },
  {
    name: "tile",
    call: (x) => cg.tile(x, [2, 1, 2]),
    expected: [
      [[1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]],
      [[1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]],
    ],
    empty: [2, 0, 6],
  },
  {
    name: "tile the last axis",
    call: (x) => cg.tile(x, 2),
    expected: [[1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]],
    empty: [0, 6],
  },
  {
    name: "repeat",
    call: (x) => cg.repeat(x, 2),
    expected: [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6],
    empty: [0],
  },
  {
    name: "repeat along an axis",
    call: (x) => cg.repeat(x, 2, { axis: 0 }),
    expected: [[1, 2, 3], [1, 2, 3], [4, 5, 6], [4, 5, 6]],
    empty: [0, 3],
  },
  {
    name: "moveAxis",
    call: (x) => cg.moveAxis(x, 0, -1),
    expected: [[1, 4], [2, 5], [3, 6]],
    empty: [3, 0],
  },
  { name: "flatten", call: cg.flatten, expected: [1, 2, 3, 4, 5, 6], empty: [0] },
  {
    name: "meshgrid",
    call: (x) => cg.meshgrid(x.reshape([-1]), [1, 2])[0]!,
    expected: [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6]],
    empty: [0, 2],
  },
  { name: "diag of a matrix", call: cg.diag, expected: [1, 5], empty: [0] },
  {
    name: "diag of a high matrix",
    call: (x) => cg.diag(x.transpose()),
    expected: [1, 5],
    empty: [0],
  },
  {
    name: "diag of a vector",
    call: (x) => cg.diag(x.slice([0, 1]).reshape([-1])),
    expected: [[2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 5, 0], [0, 0, 0, 6]],
    empty: [0, 0],
  },
  { name: "trace", call: cg.trace, expected: 6, empty: [] },
  { name: "tril", call: (x) => cg.tril(x), expected: [[1, 0, 0], [4, 5, 0]], empty: [0, 3] },
  {
    name: "tril up to another diagonal",
    call: (x) => cg.tril(x, { diagonal: 1 }),
    expected: [[1, 2, 0], [4, 5, 6]],
    empty: [0, 3],
  },
  {
    name: "triu from another diagonal on",
    call: (x) => cg.triu(x, { diagonal: 1 }),
    expected: [[0, 2, 3], [0, 0, 6]],
    empty: [0, 3],
  },
  {
    name: "outer",
    call: (x) => cg.outer(x.slice(1), [1, 2]),
    expected: [[4, 8], [5, 10], [6, 12]],
  },
  { name: "at", call: (x) => x.at(-1, 0), expected: 4 },
  {
    name: "scatterSet",
    call: (x) => cg.scatterSet(x, [2, 0, 2], x, { axis: 1 }),
    expected: [[2, 2, 3], [5, 5, 6]],
    empty: [0, 3],
  },
  {
    name: "scatterSet at a table of positions",
    call: (x) => cg.scatterSet(cg.flatten(x), [[0, 1], [1, 4]], x.slice([0, 0], [2, 2])),
    expected: [1, 4, 3, 4, 5, 6].map((v, i) => i === 4 ? 5 : v),
  },
  {
    name: "segmentSum",
    call: (x) => cg.segmentSum(x.transpose(), [1, 1, 0], 3),
    expected: [[3, 6], [3, 9], [0, 0]],
    empty: [3, 0],
  },
  {
    name: "segmentMax",
    call: (x) => cg.segmentMax(x.transpose(), [1, 1, 0], 2),
    expected: [[3, 6], [2, 5]],
    empty: [2, 0],
  },
];

const empty = cg.zeros([0, 3]);

for (const { name, call, expected, empty: shape } of CASES) {
  Deno.test(`${name}: the definition's values, eager and compiled, in all types`, async () => {
    for (const dtype of ["float32", "float64", "int32"] as const) {
      const x = cg.tensor(X, { dtype });
      const wanted = cg.tensor(expected, { dtype: "float64" });
      const y = call(x);
      assertEquals(cg.cast(y, "float64").toArray(), wanted.toArray());
      await using program = await cg.compile(call, [x]);
      const compiled = await program(x);
      assertEquals([compiled.toArray(), compiled.dtype], [y.toArray(), y.dtype]);
    }
  });

  Deno.test(`${name}: the right gradients of first and second order`, () => {
    const x = cg.tensor(X, { dtype: "float64" });
    for (const order of [1, 2] as const) checkGradients((y) => call(y).square(), [x], { order });
  });

  if (shape !== undefined) {
    Deno.test(`${name}: empty tensors`, async () => {
      assertEquals(call(empty).shape, shape);
      await using program = await cg.compile(call, [empty]);
      assertEquals((await program(empty)).shape, shape);
    });
  }

  gpuTest(`${name}: the same on a device, with its gradient`, async (gpu) => {
    const x = cg.tensor(X);
    const both = (x: Tensor) => [call(x), cg.grad((y: Tensor) => call(y).square().sum())(x)];
    await using program = await cg.compile(both, [x], { device: gpu });
    const found = await program(x);
    for (const [i, y] of both(x).entries()) assertEquals([...await found[i]!.read()], [...y.data]);
  });
}

Deno.test("booleans are padded, turned, replaced and repeated, too", async () => {
  const x = cg.tensor([true, false, true]);
  const call = (x: Tensor) => [
    cg.pad(x, [[1, 0]]),
    cg.flip(x),
    cg.scatterSet(x, [1], [true]),
    cg.repeat(x, 2),
    cg.diag(x),
  ];
  await using program = await cg.compile(call, [x]);
  for (const found of [call(x), await program(x)]) {
    assertEquals(found.map((y) => [y.dtype, ...y.data]), [
      ["bool", 0, 1, 0, 1],
      ["bool", 1, 0, 1],
      ["bool", 1, 1, 1],
      ["bool", 1, 1, 0, 0, 1, 1],
      ["bool", 1, 0, 0, 0, 0, 0, 0, 0, 1],
    ]);
  }
});

Deno.test("segmentMax() gives ties equal shares, and NaN where there is one", () => {
  const slope = cg.grad((x: Tensor) => cg.segmentMax(x, [0, 0, 1, 1], 3).slice(0, 2).sum());
  assertEquals(slope(cg.tensor([2, 2, 1, 0])).toArray(), [0.5, 0.5, 1, 0]);
  assertEquals(cg.segmentMax([1, NaN, 3, 4], [0, 0, 1, 1], 2).toArray(), [NaN, 4]);
  assertEquals(cg.segmentMax([-Infinity], [1], 2).toArray(), [-Infinity, -Infinity]);
});

Deno.test("scatterSet() gives the gradient to what was put last, and none to what was replaced", () => {
  const f = (x: Tensor, v: Tensor) => cg.scatterSet(x, [1, 1], v).mul([1, 10, 100]).sum();
  const [x, v] = cg.grad(f, { argnums: [0, 1] })(cg.tensor([NaN, NaN, 3]), cg.tensor([NaN, 5]));
  assertEquals([x!.toArray(), v!.toArray()], [[1, 0, 100], [0, 10]]);
});

Deno.test("tril() and triu() keep NaN out of what they leave away", () => {
  const x = cg.tensor([[1, NaN], [NaN, 4]]);
  assertEquals(cg.tril(x).toArray(), [[1, 0], [NaN, 4]]);
  assertEquals(cg.grad((y: Tensor) => cg.triu(y).sum())(x).toArray(), [[1, 1], [0, 1]]);
  assertEquals(cg.diag(cg.diag([NaN, 2])).toArray(), [NaN, 2]);
});

Deno.test("tril() and triu() take diagonals far beyond the corners", () => {
  const x = cg.tensor([[1, 2], [3, 4]]);
  for (const diagonal of [2 ** 31 - 1, 2 ** 31, 1e12]) {
    assertEquals(cg.tril(x, { diagonal }).toArray(), [[1, 2], [3, 4]]);
    assertEquals(cg.triu(x, { diagonal }).toArray(), [[0, 0], [0, 0]]);
    assertEquals(cg.tril(x, { diagonal: -diagonal }).toArray(), [[0, 0], [0, 0]]);
    assertEquals(cg.triu(x, { diagonal: -diagonal }).toArray(), [[1, 2], [3, 4]]);
  }
});

Deno.test("linspace() has both ends exactly, also where their difference overflows", () => {
  assertEquals(cg.linspace(0.1, 0.7, 4, { dtype: "float64" }).at(-1).item(), 0.7);
  assertEquals(cg.linspace(-1.5e308, 1.5e308, 3, { dtype: "float64" }).toArray(), [
    -1.5e308,
    0,
    1.5e308,
  ]);
  assertEquals([cg.linspace(3, 5, 1).toArray(), cg.linspace(3, 5, 0).toArray()], [[3], []]);
  assertEquals(cg.linspace(0, 4, 3, { dtype: "int32" }).toArray(), [0, 2, 4]);
});

/** Selection in programs: what eager gives, to the bit, from kernels over the program's memory. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../../mod.ts";
import { optimize } from "../../../src/program/optimize.ts";
import { CpuExecutable } from "../../../src/backends/cpu/executable.ts";
import type { Graph } from "../../../src/program/graph.ts";
import { record } from "../../../src/program/record.ts";
import { kernelOf } from "../../../src/backends/cpu/step_kernels.ts";
import {
  splitCalls,
  type StepKernel,
  type Verified,
} from "../../../src/backends/cpu/step_kernel.ts";

type Tensor = cg.Tensor;
type Floating = "float32" | "float64";

const normal = (shape: number[], dtype: Floating = "float32") =>
  cg.normal(cg.key(shape.length), shape, { dtype });
const int = (...values: number[]) => cg.tensor(Int32Array.from(values));

/** The value of a function and its gradient by the first input. */
function both(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor[] {
  return (x) => [f(x), cg.grad((y: Tensor) => f(y).square().sum())(x)];
}

const FUNCTIONS: Record<string, (x: Tensor) => Tensor> = {
  "topK of few": (x) => cg.topK(x, 1, { largest: false }).values,
  "topK of most": (x) => cg.topK(x, 30).values,
  "topK along the first axis": (x) => cg.topK(x, 2, { axis: 0 }).values,
  "sort along the middle axis": (x) => cg.sort(x, { axis: 1, descending: true }),
  "gather of slices": (x) => cg.gather(x, int(2, 0, 2), { axis: 0 }),
  "gather of single values": (x) => cg.gather(x, int(5, 5, 1, 31), { axis: 2 }),
  "takeAlongAxis": (x) => cg.takeAlongAxis(x, cg.argSort(x, { axis: 0 }), { axis: 0 }),
  "scatterAdd": (x) => cg.scatterAdd(x, int(0, 3, 0), cg.slice(x, 0, 3), { axis: 0 }),
};

for (const [name, f] of Object.entries(FUNCTIONS)) {
  for (const dtype of ["float32", "float64"] as const) {
    Deno.test(`compile() of ${name} gives the ${dtype} bits of eager`, async () => {
      const x = normal([4, 5, 40], dtype);
      await using program = await cg.compile(both(f), [x]);
      const expected = both(f)(x);
      const given = await program(x) as Tensor[];
      given.forEach((y, i) => assertEquals(y.data, expected[i]!.data));
    });
  }
}

Deno.test("compile() sorts integers and picks booleans as eager does", async () => {
  const f = (x: Tensor, mask: Tensor) => [
    cg.argSort(x, { descending: true }),
    cg.gather(mask, int(2, 0)),
  ];
  const inputs: [Tensor, Tensor] = [int(3, -5, 3, 9), cg.tensor([true, false, true])];
  await using program = await cg.compile(f, inputs);
  const [order, picked] = await program(...inputs) as Tensor[];
  assertEquals([order!.toArray(), picked!.toArray()], [[3, 0, 2, 1], [true, true]]);
});

Deno.test("compile() gives the empty results of selection", async () => {
  const f = (x: Tensor) => [cg.topK(x, 0).values, cg.gather(x, cg.zeros([0], { dtype: "int32" }))];
  const x = normal([3, 4]);
  await using program = await cg.compile(f, [x]);
  assertEquals((await program(x) as Tensor[]).map((y) => y.shape), [[3, 0], [0, 4]]);
});

Deno.test("compile() sorts lines longer than what products need in between", async () => {
  const x = normal([300_000]);
  const f = (y: Tensor) => [cg.topK(y, 30_000).indices, cg.argSort(y)];
  await using program = await cg.compile(f, [x]);
  const [some, all] = await program(x);
  assertEquals([some!.data, all!.data], f(x).map((y) => y.data));
});

const OUTSIDE = "indices must be in [0, 2]: current value at position 1 is 3";

for (
  const [caller, f] of [
    ["gather", (x, at) => cg.gather(x, at)],
    ["takeAlongAxis", (x, at) => cg.takeAlongAxis(x, at)],
    ["scatterAdd", (x, at) => cg.scatterAdd(x, at, x.slice(0, 2))],
  ] as [string, (x: Tensor, at: Tensor) => Tensor][]
) {
  Deno.test(`a program refuses positions of ${caller}() that lie outside`, async () => {
    const x = normal([3]);
    await using program = await cg.compile(f, [x, int(0, 0)]);
    await program(x, int(0, 2));
    const message = `Cannot compute ${caller} as ${OUTSIDE}`;
    await assertRejects(() => program(x, int(0, 3)), RangeError, message);
  });
}

const gradientOfTaken = (x: Tensor, at: Tensor) =>
  cg.grad((y: Tensor) => cg.takeAlongAxis(y, at).sum())(x);

Deno.test("a program that is left with a gradient refuses positions that lie outside", async () => {
  const x = normal([3]);
  await using program = await cg.compile(gradientOfTaken, [x, int(0, 0)]);
  const message = `Cannot compute takeAlongAxis as ${OUTSIDE}`;
  await assertRejects(() => program(x, int(0, 3)), RangeError, message);
  await assertRejects(() => program(x, int(0, -1)), RangeError, "position 1 is -1");
});

function recorded(f: (...inputs: Tensor[]) => Tensor[], ...inputs: Tensor[]): Graph {
  return optimize(
    record(inputs.map(({ shape, dtype }) => ({ shape, dtype })), (given) => f(...given)),
  );
}

function kernels(graph: Graph): StepKernel[] {
  return graph.steps.flatMap((step) => kernelOf(step, graph) ?? []);
}

Deno.test("kernelOf() trusts positions that sorting gives, where they fit", () => {
  const own = recorded((x) => [cg.topK(x!, 2).values], normal([3, 9]));
  assertEquals(kernels(own).map(({ verified = [] }) => verified.length), [0, 0]);
  const other = recorded(
    (x, y) => [cg.takeAlongAxis(y!, cg.argSort(x!))],
    normal([3, 9]),
    normal([3, 8]),
  );
  const [{ ids, verify }] = kernels(other)[1]!.verified as [Verified];
  assertEquals([other.values[ids[0]!]!.dtype, verify(int(0, 7))], ["int32", undefined]);
  assertThrows(() => verify(int(0, 8)), RangeError, "indices");
});

Deno.test("kernelOf() leaves the order of booleans to others, but no sums of integers", () => {
  const graph = recorded(
    (x, mask) => [cg.scatterAdd(x!, int(0), int(1)), cg.argSort(mask!)],
    int(1, 2),
    cg.tensor([true, false]),
  );
  assertEquals(kernels(graph).map(({ key }) => JSON.parse(key)[0]), ["groups"]);
});

Deno.test("programs without WebAssembly select the same", () => {
  const f = (x: Tensor) => [cg.sort(x), gradientOfTaken(x, int(1, 1))];
  const x = normal([7]);
  const graph = recorded((y) => f(y!), x);
  const [fast, plain] = [true, false].map((wasm) => new CpuExecutable(graph, { wasm }).run([x]));
  fast!.forEach((y, i) => assertEquals(y.data, plain![i]!.data));
});

Deno.test("splitCalls() gives each slice to one thread", () => {
  const kernel: StepKernel = {
    ...{ key: "", emit: () => null as never, scratchBytes: 64, nanoseconds: 100 },
    slices: 5,
    calls: ([from, to], { scratch }) => [[from, to, scratch]],
  };
  const places = { offsets: new Map(), scratch: 1000 };
  assertEquals(splitCalls(kernel, places, 2, 100), [[[0, 3, 1000]], [[3, 5, 1064]]]);
  assertEquals(splitCalls({ ...kernel, slices: 2 }, places, 3, 0)!.flat().length, 2);
  assertEquals(splitCalls(kernel, places, 2, 101), undefined);
  assertEquals(splitCalls({ ...kernel, slices: 1 }, places, 2, 0), undefined);
});

Deno.test("threads that share selection give the same bits", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.values(FUNCTIONS)), async (f) => {
      const x = normal([30, 50, 40]);
      await using one = await cg.compile(both(f), [x]);
      await using two = await cg.compile(both(f), [x], { threads: 2 });
      const expected = await one(x) as Tensor[];
      (await two(x) as Tensor[]).forEach((y, i) => assertEquals(y.data, expected[i]!.data));
    }),
    { seed: 5, numRuns: 4 },
  );
});

Deno.test("kernelOf() leaves very long lines to the host", () => {
  const slices = (count: number, kept: number) => {
    const graph = record(
      [{ shape: [1, count], dtype: "float32" }],
      ([x]) => [cg.topK(x!, kept).indices],
    );
    return kernelOf(graph.steps[0]!, graph)?.slices;
  };
  assertEquals([slices(2 ** 24, 9), slices(2 ** 24 + 1, 9)], [1, undefined]);
  assertEquals([slices(256, 256), slices(100_000, 100_000)], [1, 1]);
});

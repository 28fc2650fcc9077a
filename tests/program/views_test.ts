/** Loops that read through views: how many there are, and that they give the bits that eager gives. */
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { CpuExecutable } from "../../src/backends/cpu/executable.ts";
import { Team } from "../../src/backends/cpu/threads.ts";
import { optimize } from "../../src/program/optimize.ts";
import { isGroup } from "../../src/program/passes/fuse.ts";
import { record } from "../../src/program/record.ts";
import { sizeOf } from "../../src/shape.ts";
import { assertAllClose } from "../../src/testing.ts";

type Tensor = cg.Tensor;
type Program = (...xs: Tensor[]) => Tensor[];

const graphOf = (f: Program, xs: readonly Tensor[]) => optimize(record(xs, (args) => f(...args)));

/** What the units of a program are: the shapes of loops, and the names of other steps. */
function unitsOf(f: Program, ...xs: Tensor[]): string[] {
  return new CpuExecutable(graphOf(f, xs)).units.map((unit) =>
    isGroup(unit) ? `loop over ${unit.shape}` : unit.op.name
  );
}

const matrix = (...shape: number[]) => cg.normal(cg.key(1), shape);

Deno.test("transposes, slices and repeats are read where they lie", () => {
  const x = matrix(64, 48);
  assertEquals(unitsOf((x) => [x!.transpose().square().sum()], x), ["loop over 48,64"]);
  assertEquals(unitsOf((x) => [cg.softmax(x!.transpose())], x), ["loop over 48,64"]);
  assertEquals(
    unitsOf((x) => [x!.slice([3, 5]).exp().mul(x!.slice([0, 1], [61, 44]))], x),
    ["loop over 61,43"],
  );
  assertEquals(
    unitsOf((x) => [cg.broadcastTo(x!.slice(1, 2), [9, 48]).tanh()], x),
    ["loop over 9,48"],
  );
  assertEquals(
    unitsOf((x) => [x!.reshape([8, 8, 48]).transpose([2, 0, 1]).sin()], x),
    ["loop over 48,8,8"],
  );
});

Deno.test("steps and reversals are read where they lie", () => {
  const x = matrix(64, 48);
  assertEquals(unitsOf((x) => [cg.flip(x!).exp()], x), ["loop over 64,48"]);
  assertEquals(unitsOf((x) => [cg.flip(x!, { axis: 1 }).mul(x!).sum()], x), ["loop over 64,48"]);
  assertEquals(
    unitsOf((x) => [x!.slice(0, 64, { step: 2 }).sub(x!.slice(1, 64, { step: 2 })).square()], x),
    ["loop over 32,48"],
  );
  const downwards: Program = (x) => [cg.flip(x!.transpose(), { axis: 0 }).slice([0, 3]).tanh()];
  assertEquals(unitsOf(downwards, x), ["loop over 48,61"]);
  const gradient: Program = (x) => [cg.grad((y: Tensor) => cg.flip(y).mul(y).sin().sum())(x!)];
  assertEquals(unitsOf(gradient, x), ["loop over 64,48", "loop over 64,48"]);
});

Deno.test("a matrix times its transpose is one loop, and so is all of its gradient", () => {
  const square = (x: Tensor) => x.mul(x.transpose()).square().sum();
  const gradient: Program = (x) => cg.valueAndGrad(square)(x!).flat() as Tensor[];
  assertEquals(unitsOf(gradient, matrix(64, 64)), ["loop over 64,64"]);
});

Deno.test("slices are looked up where they are used, their positions first", () => {
  const x = matrix(20, 24);
  const at = (...positions: number[]) => cg.tensor(Int32Array.from(positions), { shape: [2, 2] });
  const f: Program = (x, i) => [cg.layerNorm(x!.gather(i!)).reshape([4, 24])];
  assertEquals(unitsOf(f, x, at(3, 1, 19, 3)), ["loop over 2,2,24", "reshape"]);
  for (const wasm of [true, false]) {
    const executable = new CpuExecutable(graphOf(f, [x, at(0, 0, 0, 0)]), { wasm });
    const expected = f(x, at(3, 1, 19, 3))[0]!;
    assertAllClose(executable.run([x, at(3, 1, 19, 3)])[0]!, expected, { rtol: 1e-6, atol: 1e-6 });
    const error = assertThrows(() => executable.run([x, at(3, 20, 1, 1)]), RangeError);
    const message = "Cannot compute gather as indices must be in [0, 19]: " +
      "current value at position 1 is 20";
    assertEquals(error.message, message);
  }
});

Deno.test("positions that a loop makes are there before it looks up", () => {
  const x = matrix(20, 24);
  const f: Program = (x, i) => [x!.gather(i!.add(1)).exp(), i!.add(1)];
  const i = cg.tensor([4, 7, 18], { dtype: "int32" });
  const [values, positions] = new CpuExecutable(graphOf(f, [x, i])).run([x, i]);
  assertEquals([...positions!.data], [5, 8, 19]);
  assertAllClose(values!, x.gather([5, 8, 19]).exp(), { rtol: 1e-6, atol: 1e-6 });
});

Deno.test("loops come after the positions that they look up", () => {
  const [x, y] = [matrix(20, 24), cg.normal(cg.key(2), [20])];
  const f: Program = (x, y) => [x!.square(), x!.gather(cg.argSort(y!)).add(x!)];
  const values = new CpuExecutable(graphOf(f, [x, y])).run([x, y]);
  assertEquals(values.map(({ data }) => data), f(x, y).map(({ data }) => data));
});

Deno.test("views that others than loops and products read are copied", () => {
  const x = matrix(6, 4);
  assertEquals(unitsOf((x) => [x!.transpose()], x), ["transpose"]);
  assertEquals(unitsOf((x) => [cg.argSort(x!.slice(1))], x), ["slice", "argSort"]);
});

Deno.test("views that no strides describe are copied", () => {
  const twice: Program = (x) => [x!.transpose().reshape([24]).exp().sum()];
  assertEquals(unitsOf(twice, matrix(6, 4)), ["transpose", "loop over 24"]);
});

/** A chain of views of a tensor, by numbers that choose. */
function viewed(x: Tensor, choices: readonly number[]): Tensor {
  return choices.reduce((y, choice) => {
    const { shape } = y;
    const rank = shape.length;
    const turn = Math.floor(choice / 8);
    switch (choice % 8) {
      case 0:
        return rank < 2
          ? y
          : cg.transpose(y, shape.map((_, i) => (i + 1 + turn % (rank - 1)) % rank));
      case 1:
        return y.slice(shape.map((n, i) => (turn + i) % n));
      case 2:
        return y.slice(shape.map(() => 0), shape.map((n, i) => n - (turn + i) % n));
      case 3: {
        const [first = 1, second = 1, ...rest] = shape;
        return turn % 2 === 0 ? y.reshape([first * second, ...rest]) : y.reshape([1, ...shape]);
      }
      case 4: {
        const axis = turn % rank;
        const positions = Array.from({ length: 6 }, (_, i) => (i * 7 + turn) % shape[axis]!);
        return y.gather(cg.tensor(Int32Array.from(positions), { shape: [2, 3] }), { axis });
      }
      case 5:
        return cg.flip(y, turn % 3 === 0 ? {} : { axis: turn % rank });
      case 6:
        return y.slice(shape.map((n, i) => (turn + i) % n), shape, {
          step: shape.map((_, i) => 1 + (turn + i) % 3),
        });
      default:
        return sizeOf(shape) > 2000 ? y : cg.broadcastTo(y.expandDims(turn % 2), [
          ...shape.slice(0, turn % 2),
          3,
          ...shape.slice(turn % 2),
        ]);
    }
  }, x);
}

const REDUCTIONS: ((y: Tensor) => Tensor)[] = [
  (y) => y.square(),
  (y) => y.square().sum(),
  (y) => y.square().sum({ axis: -1 }),
  (y) => y.square().sum({ axis: 0 }),
  (y) => y.square().sub(y).max(),
  (y) => y.sub(y.max({ axis: -1, keepDims: true })).square(),
];

const extents = fc.constantFrom(1, 2, 3, 8, 9, 17, 32, 36);
const chains = fc.array(fc.nat({ max: 159 }), { minLength: 1, maxLength: 4 });

for (const dtype of ["float32", "float64", "int32", "bool"] as const) {
  Deno.test(`chains of views of ${dtype} give compiled the bits that they give eagerly`, async () => {
    const team = new Team(2);
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(extents, { minLength: 2, maxLength: 3 }),
          chains,
          fc.nat({ max: REDUCTIONS.length - 1 }),
          async (shape, choices, which) => {
            const valueAt = (i: number) =>
              dtype === "int32" ? (i * 7919) % 1000 - 500 : 3 * Math.sin(i * i);
            const x = cg.tensor(
              Float64Array.from({ length: sizeOf(shape) }, (_, i) => valueAt(i)),
              { shape },
            );
            const given = dtype === "bool" ? x.greater(0) : cg.cast(x, dtype);
            const f: Program = (x) => {
              const y = viewed(x!, choices);
              const number = dtype.startsWith("float") ? y : cg.cast(y, "float32");
              const flat = number.reshape([-1, number.shape.at(-1) ?? 1]);
              return [REDUCTIONS[which]!(y.rank < 1 ? flat : number)];
            };
            const graph = graphOf(f, [given]);
            const expected = f(given).map(({ data }) => data);
            assertEquals(new CpuExecutable(graph).run([given]).map(({ data }) => data), expected);
            const shared = new CpuExecutable(graph, { team, smallestShared: 0 });
            await team.ready();
            assertEquals(shared.run([given]).map(({ data }) => data), expected);
            shared.dispose();
          },
        ),
        { seed: 3, numRuns: 150, endOnFailure: true },
      );
    } finally {
      team.dispose(new TypeError("ended"));
    }
  });
}

Deno.test("slices of what is looked up start at positions of their own", () => {
  const x = matrix(20, 24);
  const i = cg.tensor([4, 7, 18, 1, 0, 3], { dtype: "int32" });
  const f: Program = (x, i) => [x!.gather(i!).slice(2).exp()];
  const [y] = new CpuExecutable(graphOf(f, [x, i])).run([x, i]);
  assertAllClose(y!, x.gather([18, 1, 0, 3]).exp(), { rtol: 1e-6, atol: 1e-6 });
});

Deno.test("loops stop growing before an engine's limits: tensors, and what is computed", () => {
  const xs = Array.from({ length: 1200 }, (_, i) => cg.full([3], i));
  const many = graphOf((...xs) => xs.map((x) => x.add(1)), xs);
  const found = new CpuExecutable(many).run(xs);
  assertEquals(found.map(({ data }) => data[2]), xs.map((_, i) => i + 1));
  const x = matrix(8);
  const steps = Array.from({ length: 1800 });
  const long = graphOf((x) => [steps.reduce<Tensor>((y) => y.mul(x!).tanh(), x!)], [x]);
  assertEquals(new CpuExecutable(long).run([x])[0]!.shape, [8]);
});

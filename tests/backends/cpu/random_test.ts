/** Random numbers in programs: those of eager, to the bit, drawn in the program's memory. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as cg from "../../../mod.ts";
import { CpuExecutable } from "../../../src/backends/cpu/executable.ts";
import { optimize } from "../../../src/program/optimize.ts";
import { kernelOf } from "../../../src/backends/cpu/step_kernels.ts";
import { record } from "../../../src/program/record.ts";
import { Team } from "../../../src/backends/cpu/threads.ts";

type Tensor = cg.Tensor;

const f64 = { dtype: "float64" } as const;
const rates = (shape: number[]) => cg.uniform(cg.key(9), shape, { min: 0, max: 40 });

const SAMPLERS: Record<string, (key: Tensor, shape: number[]) => Tensor> = {
  "foldIn": (key) => cg.foldIn(key, 2 ** 32 - 5),
  "uniform": (key, shape) => cg.uniform(key, shape),
  "uniform in float64": (key, shape) => cg.uniform(key, shape, f64),
  "normal": (key, shape) => cg.normal(key, shape),
  "normal in float64": (key, shape) => cg.normal(key, shape, f64),
  "integers": (key, shape) => cg.integers(key, -7, 6, { shape }),
  "integers of own ranges": (key, shape) =>
    cg.integers(key, -(2 ** 31), rates(shape).mul(1e6).floor().cast("int32")),
  "exponential": (key, shape) => cg.exponential(key, shape),
  "laplace in float64": (key, shape) => cg.laplace(key, shape, f64),
  "bernoulli": (key, shape) => cg.bernoulli(key, 0.3, { shape }),
  "bernoulli of own probabilities": (key, shape) => cg.bernoulli(key, rates(shape).div(40)),
  "gamma": (key, shape) => cg.gamma(key, 2.5, { shape }),
  "gamma of own concentrations": (key, shape) => cg.gamma(key, rates(shape).add(0.1), f64),
  "poisson": (key, shape) => cg.poisson(key, 20, { shape }),
  "poisson of own rates": (key, shape) => cg.poisson(key, rates(shape)),
  "categorical": (key, shape) => cg.categorical(key, [0, 1, 2], { shape }),
};

/** Counts that fill no group, some groups, and more than a thread's slice. */
const SHAPES = [[], [0], [7], [3, 3], [1000, 3]];

for (const [name, sample] of Object.entries(SAMPLERS)) {
  Deno.test(`compile() of ${name} gives the bits of eager, on any number of threads`, async () => {
    using team = new Disposable(3);
    for (const shape of SHAPES) {
      const f = ([key]: readonly Tensor[]) => [sample(key!, shape)];
      const graph = optimize(record([cg.key(0)], f));
      const alone = new CpuExecutable(graph);
      const threaded = new CpuExecutable(graph, { team: team.value, smallestShared: 0 });
      await team.value.ready();
      for (const seed of [1, 2]) {
        const expected = f([cg.key(seed)])[0]!.data;
        for (const run of [alone, threaded]) {
          assertEquals(run.run([cg.key(seed)])[0]!.data, expected, `${shape}`);
        }
      }
    }
  });
}

/** A team that ends after the test. */
class Disposable {
  readonly value: Team;

  constructor(size: number) {
    this.value = new Team(size);
  }

  [Symbol.dispose](): void {
    this.value.dispose(new TypeError("ended"));
  }
}

Deno.test("every sampler has a kernel", () => {
  for (const [name, sample] of Object.entries(SAMPLERS)) {
    const graph = optimize(record([cg.key(0)], ([key]) => [sample(key!, [100])]));
    const found = graph.steps.some((step) =>
      step.op.kind === "random" && kernelOf(step, graph) !== undefined
    );
    assertEquals(found, name !== "categorical", name);
  }
});

Deno.test("parameters that come from steps are looked at before numbers are drawn", async () => {
  const cases: [(key: Tensor, x: Tensor) => Tensor, number][] = [
    [(key, x) => cg.bernoulli(key, x.mul(0.1)), 11],
    [(key, x) => cg.gamma(key, x.sub(1)), 1],
    [(key, x) => cg.poisson(key, x.sub(2)), NaN],
  ];
  for (const [f, bad] of cases) {
    const [key, x] = [cg.key(0), cg.tensor([2, 3, 4])];
    await using program = await cg.compile(f, [key, x]);
    assertEquals((await program(key, x)).data, f(key, x).data);
    const wrong = cg.tensor([2, bad, 4]);
    const expected = assertThrows(() => f(key, wrong)) as Error;
    const error = await assertRejects(async () => await program(key, wrong)) as Error;
    assertEquals(error.message, expected.message);
  }
});

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { i32 } from "../../../kernels/wasm/value.ts";
import * as cg from "../../../mod.ts";
import { optimize } from "../../../src/program/optimize.ts";
import { CpuExecutable } from "../../../src/backends/cpu/executable.ts";
import { Kernels } from "../../../src/backends/cpu/kernels.ts";
import type { StepKernel } from "../../../src/backends/cpu/step_kernel.ts";
import { record } from "../../../src/program/record.ts";
import { Team } from "../../../src/backends/cpu/threads.ts";
import { flattenTree } from "../../../src/tree.ts";

type Tensor = cg.Tensor;

const THREADS = [2, 3, 5];
const ENDED = new TypeError("ended");

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** A team whose calling thread is slow, so that the others come to do something. */
class SlowTeam extends Team {
  shared = 0;
  own = 0;

  override run(job: number, own: (part: number) => void): void {
    this.shared += this.size;
    super.run(job, (part) => {
      this.own++;
      sleep(1);
      own(part);
    });
  }
}

/** Teams of several sizes, which end after the test. */
async function withTeams(test: (teams: readonly Team[]) => Promise<void>): Promise<void> {
  const teams = THREADS.map((size) => new SlowTeam(size));
  try {
    await test(teams);
    assert(teams.some(({ shared, own }) => own < shared), "the calling thread did everything");
  } finally {
    teams.forEach((team) => team.dispose(ENDED));
  }
}

/** Asserts that teams give the bits that one thread gives, however small the steps are. */
async function assertSameBits<Inputs extends Tensor[]>(
  f: (...inputs: Inputs) => unknown,
  inputs: Inputs,
  teams: readonly Team[],
  least = 1,
): Promise<void> {
  const graph = optimize(
    record(inputs, (xs) => flattenTree("test", f(...xs as Inputs), "the result").leaves),
  );
  const expected = new CpuExecutable(graph).run(inputs).map(({ data }) => data);
  for (const team of teams) {
    const executable = new CpuExecutable(graph, { team, smallestShared: 0 });
    assert(executable.shared.length >= least, "too few steps are shared");
    await team.ready();
    for (let call = 0; call < 2; call++) {
      assertEquals(executable.run(inputs).map(({ data }) => data), expected);
    }
  }
}

const random = (seed: number, shape: number[], dtype: "float32" | "float64" = "float32") =>
  cg.normal(cg.key(seed), shape, { dtype });

/** Counts workers while a test runs. */
async function countWorkers(
  test: (count: { started: number; ended: number }) => Promise<void>,
): Promise<void> {
  const count = { started: 0, ended: 0 };
  const Original = globalThis.Worker;
  globalThis.Worker = class extends Original {
    constructor(...args: ConstructorParameters<typeof Original>) {
      super(...args);
      count.started++;
    }
    override terminate(): void {
      count.ended++;
      super.terminate();
    }
  };
  try {
    await test(count);
  } finally {
    globalThis.Worker = Original;
  }
}

/** Something of the global scope is another while a test runs. */
async function withGlobal(
  name: string,
  value: unknown,
  test: () => Promise<unknown>,
): Promise<void> {
  const original = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  try {
    await test();
  } finally {
    if (original === undefined) Reflect.deleteProperty(globalThis, name);
    else Object.defineProperty(globalThis, name, original);
  }
}

for (const dtype of ["float32", "float64"] as const) {
  Deno.test(`threads give the same bits for ${dtype} products of odd sizes`, () =>
    withTeams(async (teams) => {
      for (const [m, k, n] of [[1, 3, 2], [4, 1, 7], [31, 300, 17], [101, 65, 33], [96, 513, 64]]) {
        const a = random(0, [m!, k!], dtype);
        const b = random(1, [k!, n!], dtype);
        const f = (x: Tensor, y: Tensor) => [
          x.matmul(y),
          y.transpose().matmul(x.transpose()),
          x.transpose().matmul(x),
        ];
        await assertSameBits(f, [a, b], teams, 0);
      }
      const a = random(0, [101, 65], dtype);
      await assertSameBits((x) => x.matmul(x.transpose()), [a], teams);
    }));

  Deno.test(`threads give the same bits for ${dtype} distances`, () =>
    withTeams((teams) => {
      const f = cg.valueAndGrad((x: Tensor) =>
        cg.pairwiseSquaredDistance(x).mul(-0.1).exp().sum({ axis: 1 }).log().sum()
      );
      return assertSameBits(f, [random(3, [83, 13], dtype)], teams);
    }));

  Deno.test(`threads give the same bits for ${dtype} cross entropy and its gradient`, () =>
    withTeams((teams) => {
      const labels = Int32Array.from({ length: 203 }, (_, i) => i % 7);
      const f = cg.valueAndGrad((x: Tensor) => cg.crossEntropyLoss(x, labels));
      return assertSameBits(f, [random(4, [203, 7], dtype)], teams);
    }));

  Deno.test(`threads give the same bits for ${dtype} loops in several dimensions`, () =>
    withTeams(async (teams) => {
      const [x, y] = [random(5, [9, 1, 31], dtype), random(6, [1, 13, 31], dtype)];
      const f = (a: Tensor, b: Tensor) => a.sub(b).abs().sum({ axis: 2 });
      await assertSameBits(f, [x, y], teams);
      const g = (a: Tensor, b: Tensor) => [a.less(b), a.mul(b).tanh()];
      await assertSameBits(g, [x, y], teams);
    }));

  Deno.test(`threads give the same bits for ${dtype} values in one row`, () =>
    withTeams(async (teams) => {
      const x = random(7, [1001], dtype);
      await assertSameBits((a) => [a.exp().mul(a), a.greater(0)], [x], teams);
      await assertSameBits((a) => a.exp().sum(), [x], teams, 0);
    }));
}

Deno.test("threads leave full reductions to one of them", () => {
  const team = new Team(2);
  const graph = record([random(0, [1001])], ([x]) => [x!.exp().sum()]);
  assertEquals(new CpuExecutable(graph, { team, smallestShared: 0 }).shared, []);
  team.dispose(ENDED);
});

Deno.test("threads give the same bits for a training step", () =>
  withTeams((teams) => {
    const labels = Int32Array.from({ length: 64 }, (_, i) => i % 20);
    const optimizer = cg.adam({ learningRate: 0.01 });
    const params = { w: random(0, [200, 32]), v: random(1, [32, 20]) };
    const state = optimizer.init(params);
    const { leaves, rebuild } = flattenTree("test", { params, state }, "the arguments");
    const step = (x: Tensor, ...given: Tensor[]) => {
      const { params, state: before } = rebuild(given) as { params: Params; state: typeof state };
      type Params = { w: Tensor; v: Tensor };
      const loss = ({ w, v }: Params) => cg.crossEntropyLoss(x.matmul(w).relu().matmul(v), labels);
      const [value, gradient] = cg.valueAndGrad(loss)(params);
      return { value, ...optimizer.update(gradient, before, params) };
    };
    return assertSameBits(step, [random(2, [64, 200]), ...leaves], teams, 5);
  }));

const STEPS: ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => a.add(b),
  (a, b) => a.sub(b).tanh(),
  (a, b) => cg.maximum(a, b).exp().log(),
  (a, b) => cg.where(a.less(b), a.sin(), b.cos()),
  (a) => cg.softmax(a),
  (a) => a.sub(a.max({ axis: -1, keepDims: true })),
  (a) => a.mul(a.sum({ keepDims: true }).tanh()),
  (a) => a.add(a.mean({ axis: 0, keepDims: true })),
  (a, b) => a.matmul(b.transpose()).tanh().matmul(a),
  (a) => a.gather([...Array(37).keys()].reverse()),
  (a) => a.reshape([21, 37]).transpose(),
];

Deno.test("threads give the same bits for random programs and their gradients", () =>
  withTeams((teams) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: STEPS.length - 1 }), fc.nat({ max: 9 })), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.constantFrom("float32", "float64"),
        async (instructions, dtype) => {
          const f = (x: Tensor, y: Tensor) => {
            const values = [x, y];
            for (const [step, i] of instructions) {
              values.push(STEPS[step]!(values.at(-1)!, values[i % values.length]!));
            }
            return values.at(-1)!.square().sum();
          };
          const inputs: [Tensor, Tensor] = [random(0, [37, 21], dtype), random(1, [37, 21], dtype)];
          await assertSameBits(cg.valueAndGrad(f, { argnums: [0, 1] }), inputs, teams, 0);
        },
      ),
      { seed: 11, numRuns: 25 },
    )
  ));

const matmul = (x: Tensor, y: Tensor) => x.matmul(y);
const [A, B] = [random(0, [200, 150]), random(1, [150, 170])];

Deno.test("compile() shares large steps between threads, call after call", async () => {
  await using one = await cg.compile(matmul, [A, B]);
  await using two = await cg.compile(matmul, [A, B], { threads: 2 });
  assertStringIncludes(two.explain(), "\n  threads: 2, sharing %2");
  for (let i = 0; i < 20; i++) {
    assertEquals((await two(A, B)).data, (await one(A, B)).data);
  }
});

Deno.test("compile() shares what a loss costs, though one thread adds it up", async () => {
  const [mean, dispersion] = [0, 1].map((seed) => random(seed, [64, 500]).exp()) as [
    Tensor,
    Tensor,
  ];
  const counts = cg.poisson(cg.key(2), mean);
  const f = (mean: Tensor, dispersion: Tensor) =>
    cg.valueAndGrad((p: { mean: Tensor; dispersion: Tensor }) =>
      cg.negativeBinomialLoss(counts, p.mean, p.dispersion)
    )({ mean, dispersion });
  await using one = await cg.compile(f, [mean, dispersion]);
  await using two = await cg.compile(f, [mean, dispersion], { threads: 2 });
  assertMatch(two.explain(), /\n {2}threads: 2, sharing %\d+/);
  assertEquals(await two(mean, dispersion), await one(mean, dispersion));
});

Deno.test("compile() starts no threads where every step is small", () =>
  countWorkers(async (count) => {
    await using program = await cg.compile((x: Tensor) => x.exp(), [cg.zeros([2])], { threads: 4 });
    assertStringIncludes(
      program.explain(),
      "\n  threads: 4, no step is large enough to be shared",
    );
    assertEquals((await program(cg.zeros([2]))).toArray(), [1, 1]);
    assertEquals(count.started, 0);
  }));

Deno.test("programs for several shapes have their threads in common", () =>
  countWorkers(async (count) => {
    await using one = await cg.compile(matmul, [A, B]);
    await using three = await cg.compile(matmul, [A, B], { threads: 3 });
    const shapes = [[200, 150, 170], [300, 200, 100], [100, 200, 300], [90, 400, 110]];
    const inputs = shapes.map(([m, k, n]) => [random(m!, [m!, k!]), random(n!, [k!, n!])] as const);
    const expected = await Promise.all(inputs.map(([a, b]) => one(a, b)));
    for (let call = 0; call < 3; call++) {
      const actual = await Promise.all(inputs.map(([a, b]) => three(a, b)));
      assertEquals(actual.map(({ data }) => data), expected.map(({ data }) => data));
    }
    assertEquals(count.started, 2);
  }));

Deno.test("dispose() ends the threads", () =>
  countWorkers(async (count) => {
    const program = await cg.compile(matmul, [A, B], { threads: 3 });
    assertEquals(count, { started: 2, ended: 0 });
    program.dispose();
    assertEquals(count, { started: 2, ended: 2 });
    await assertRejects(() => program(A, B), TypeError, "it has been disposed of");
  }));

Deno.test("dispose() lets calls fail that wait for threads", async () => {
  const program = await cg.compile(matmul, [A, B], { threads: 2 });
  const waiting = assertRejects(() => program(A, A.transpose()), TypeError);
  program.dispose();
  assertEquals(
    (await waiting).message,
    "Cannot run the program as it has been disposed of",
  );
});

Deno.test("threads that are not needed end, and start anew at the next call", () =>
  countWorkers(async (count) => {
    let look = () => {};
    const keep = (later: () => void) => (look = later, 0);
    await withGlobal("setTimeout", keep, async () => {
      await using program = await cg.compile(matmul, [A, B], { threads: 2 });
      const expected = await program(A, B);
      look();
      assertEquals(count.ended, 0);
      look();
      assertEquals(count, { started: 1, ended: 1 });
      assertEquals((await program(A, B)).data, expected.data);
      assertEquals(count, { started: 2, ended: 1 });
    });
  }));

Deno.test("compile() says why threads do not start", () => {
  const Original = globalThis.Worker;
  const broken = class extends Original {
    override postMessage(): void {
      const event = new ErrorEvent("error", { message: "out of order", cancelable: true });
      queueMicrotask(() => this.dispatchEvent(event));
    }
  };
  return withGlobal("Worker", broken, async () => {
    const error = await assertRejects(() => cg.compile(matmul, [A, B], { threads: 2 }), Error);
    assertEquals(error.message, "Cannot start the threads of the program: out of order");
  });
});

Deno.test("a thread that fails fails the program", async () => {
  const kernels = new Kernels(4, true);
  const emit: StepKernel["emit"] = (builder) =>
    builder.addFunction({ at: "i32" }, (code, { at }) => void code.let(i32.load(at!)));
  const kernel = kernels.get({ key: "read", emit });
  const team = new Team(2);
  const [good, bad] = [[[[0]], [[0]]], [[[0]], [[-4]]]];
  const first = team.load(kernels.memory, [{ kernel, parts: good }, { kernel, parts: bad }]);
  await team.ready();
  const lazy = () => sleep(300);
  team.run(first, lazy);
  const error = assertThrows(() => team.run(first + 1, lazy), Error);
  assertEquals(error.message, "Cannot run the program as one of its threads failed");
  team.dispose(ENDED);
  assertThrows(() => team.run(first, lazy), TypeError, "its threads have ended");
});

const NO_WORKERS =
  "Cannot compute compile with several threads as this runtime has no workers that share memory: " +
  "use Deno, Node 22.3 or later, Bun or a current browser, or leave threads out";

const NOT_ISOLATED =
  "Cannot compute compile with several threads as this page shares no memory with workers: " +
  "serve it with the headers Cross-Origin-Opener-Policy: same-origin and " +
  "Cross-Origin-Embedder-Policy: require-corp, or leave threads out";

Deno.test("threads are Node's where the web's are missing", () =>
  withGlobal("Worker", undefined, async () => {
    await using program = await cg.compile(matmul, [A, B], { threads: 2 });
    assertStringIncludes(program.explain(), "threads: 2, sharing %");
    await using one = await cg.compile(matmul, [A, B]);
    assertEquals((await program(A, B)).data, (await one(A, B)).data);
  }));

for (
  const [name, value, message] of [
    ["SharedArrayBuffer", undefined, NO_WORKERS],
    ["Worker", undefined, NO_WORKERS],
    ["crossOriginIsolated", false, NOT_ISOLATED],
  ] as const
) {
  Deno.test(`compile() says what threads need where ${name} is ${value}`, () =>
    withGlobal("process", undefined, () =>
      withGlobal(name, value, async () => {
        await using one = await cg.compile(matmul, [A, B], { threads: 1 });
        assertEquals((await one(A, B)).shape, [200, 170]);
        const error = await assertRejects(
          () => cg.compile(matmul, [A, B], { threads: 2 }),
          TypeError,
        );
        assertEquals(error.message, message);
      })));
}

Deno.test("compile() refuses numbers of threads that are none", async () => {
  for (const threads of [0, -1, 1.5, 1024]) {
    const error = await assertRejects(() => cg.compile(matmul, [A, B], { threads }), RangeError);
    assertEquals(
      error.message,
      "Cannot compute compile as threads must be a whole number at least 1 and at most 1023: " +
        `current value is ${threads}`,
    );
  }
  for (const [threads, text] of [["2", '"2"'], [NaN, "NaN"]]) {
    const error = await assertRejects(
      () => cg.compile(matmul, [A, B], { threads: threads as number }),
      TypeError,
    );
    assertEquals(
      error.message,
      `Cannot compute compile as threads must be a whole number: current value is ${text}`,
    );
  }
});

Deno.test("compile() refuses options that do not exist", async () => {
  const error = await assertRejects(
    () => cg.compile(matmul, [A, B], { workers: 2 } as never),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot compute compile as there is no option workers: did you mean threads? " +
      "The options are device, threads, donate, shapes",
  );
});

Deno.test("a process ends, whether its programs were disposed of or forgotten", async () => {
  const entry = new URL("../../../mod.ts", import.meta.url).href;
  const run = async (end: string) => {
    const source = `import { compile, zeros } from "${entry}";
      const x = zeros([200, 200]);
      const program = await compile((y) => y.matmul(y), [x], { threads: 2 });
      await program(x);
      ${end}`;
    const url = `data:text/javascript,${encodeURIComponent(source)}`;
    const { code } = await new Deno.Command(Deno.execPath(), { args: ["run", "--no-check", url] })
      .output();
    return code;
  };
  assertEquals(await Promise.all([run(""), run("program.dispose()")]), [0, 0]);
});

/** As if the machine ran so many threads at once. */
const withCores = (count: number | undefined, test: () => Promise<void>) =>
  withGlobal("navigator", count && { hardwareConcurrency: count }, test);

for (const [cores, threads] of [[1, 1], [2, 2], [3, 3], [64, 8], [undefined, 1]] as const) {
  Deno.test(`threads: auto are ${threads} on a machine of ${cores}, to the same bits`, () =>
    withCores(cores, async () => {
      const f = (x: Tensor) => cg.softmax(x.matmul(x.transpose())).matmul(x);
      const x = random(0, [300, 200]);
      await using single = await cg.compile(f, [x]);
      await using program = await cg.compile(f, [x], { threads: "auto" });
      assertEquals((await program(x)).data, (await single(x)).data);
      assertEquals(program.explain().match(/threads: (\d+), sharing %/)?.[1] ?? "1", `${threads}`);
    }));
}

Deno.test("threads: auto shares by what each thread would do, and starts none for small steps", () =>
  withCores(8, () =>
    countWorkers(async (count) => {
      // Two statements of 100,000 elements take about 50 µs: enough for two threads, not for eight.
      const f = (x: Tensor) => x.mul(2).add(1);
      const [small, large] = [cg.ones([1000, 100]), cg.ones([1000, 1000])];
      await using auto = await cg.compile(f, [small], { threads: "auto" });
      assertEquals((await auto(small)).data[99_999], 3);
      assertEquals(count.started, 0);
      assertEquals((await auto(large)).data[999_999], 3);
      assertEquals(count.started, 7);
      await using two = await cg.compile(f, [small], { threads: 2 });
      assertEquals((await two(small)).data[99_999], 3);
      assertEquals(count.started, 8);
    })));

Deno.test("threads: auto is one thread where none can share memory", () =>
  withCores(4, () =>
    withGlobal("crossOriginIsolated", false, async () => {
      await using program = await cg.compile(matmul, [A, B], { threads: "auto" });
      assertEquals((await program(A, B)).shape, [200, 170]);
      assert(!program.explain().includes("threads"));
    })));

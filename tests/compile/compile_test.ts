import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import * as cg from "../../mod.ts";

type Tensor = cg.Tensor;

const f64 = (data: cg.NestedArray) => cg.tensor(data, { dtype: "float64" });

Deno.test("compile() takes and returns trees", async () => {
  const f = (p: { w: Tensor; b: [Tensor, Tensor] }) => ({ sum: p.w.add(p.b[0]), rest: [p.b[1]] });
  await using program = await cg.compile(f, [{ w: [1, 2], b: [f64(3), f64(4)] }]);
  const { sum, rest } = await program({ w: [1, 2], b: [f64(10), f64(20)] });
  assertEquals(sum.toArray(), [11, 12]);
  assertEquals(rest[0]!.toArray(), 20);
});

Deno.test("compile() takes numbers and nested arrays as arguments", async () => {
  await using program = await cg.compile((x: Tensor, y: Tensor) => cg.add(x, y), [[1, 2], 3]);
  assertEquals((await program([10, 20], 5)).toArray(), [15, 25]);
});

Deno.test("compile() takes numbers as live arguments, and what is closed over as constants", async () => {
  let factor = 2;
  const f = (x: Tensor, rate: number | Tensor) => x.mul(rate).mul(factor);
  await using program = await cg.compile(f, [f64([1, 2]), 1]);
  factor = 100;
  assertEquals((await program(f64([1, 2]), 3)).toArray(), [6, 12]);
  assertStringIncludes(program.explain(), "is constant: 2");
});

Deno.test("compile() compiles other shapes and types at their first call", async () => {
  let runs = 0;
  const f = (x: Tensor) => {
    runs++;
    return x.sum();
  };
  await using program = await cg.compile(f, [f64([1, 2])]);
  assertEquals((await program(f64([1, 2, 3]))).item(), 6);
  assertEquals((await program(f64([3, 2, 1]))).item(), 6);
  assertEquals((await program(cg.tensor([1, 2]))).dtype, "float32");
  assertEquals(runs, 3);
});

Deno.test("compile() leaves earlier results alone", async () => {
  await using program = await cg.compile((x: Tensor) => ({ x, twice: x.mul(2) }), [f64([1])]);
  const first = await program(f64([1]));
  const second = await program(f64([5]));
  assertEquals([first.x.item(), first.twice.item()], [1, 2]);
  assertEquals([second.x.item(), second.twice.item()], [5, 10]);
});

Deno.test("compile() gives the same bits at every call", async () => {
  const x = cg.normal(cg.key(0), [50, 20]);
  const f = cg.valueAndGrad((y: Tensor) => cg.logSoftmax(y.matmul(y.transpose())).sum());
  await using program = await cg.compile((y: Tensor) => f(y), [x]);
  const [a, b] = [await program(x), await program(x)];
  assertEquals(a[1].data, b[1].data);
});

Deno.test("compile() compiles a training step with its optimizer", async () => {
  const x = cg.normal(cg.key(1), [30, 4], { dtype: "float64" });
  const labels = Int32Array.from({ length: 30 }, (_, i) => i % 3);
  const optimizer = cg.adamw({ learningRate: 0.1 });
  const loss = (w: Tensor) => cg.crossEntropyLoss(x.matmul(w), labels);
  type State = ReturnType<typeof optimizer.init<Tensor>>;
  const step = (w: Tensor, state: State) => {
    const [value, gradient] = cg.valueAndGrad(loss)(w);
    return { value, ...optimizer.update(gradient, state, w) };
  };
  let eager = {
    w: cg.zeros([4, 3], { dtype: "float64" }),
    state: optimizer.init(cg.zeros([4, 3])),
  };
  eager.state = optimizer.init(eager.w);
  let compiled = eager;
  await using program = await cg.compile(step, [eager.w, eager.state]);
  for (let i = 0; i < 20; i++) {
    const a = step(eager.w, eager.state);
    const b = await program(compiled.w, compiled.state);
    eager = { w: a.params, state: a.state };
    compiled = { w: b.params, state: b.state };
  }
  assertEquals(compiled.w.data, eager.w.data);
  assertEquals(compiled.state.step.item(), 20);
});

Deno.test("compile() draws fresh numbers from a key that is an argument", async () => {
  await using program = await cg.compile((key: Tensor) => cg.normal(key, [4]), [cg.key(0)]);
  for (const seed of [1, 2]) {
    assertEquals((await program(cg.key(seed))).data, cg.normal(cg.key(seed), [4]).data);
  }
});

Deno.test("compile() checks labels when they arrive", async () => {
  const f = (logits: Tensor, labels: Tensor) => cg.crossEntropyLoss(logits, labels);
  const logits = f64([[0, 1], [1, 0]]);
  await using program = await cg.compile(f, [logits, Int32Array.of(0, 1)]);
  assertEquals((await program(logits, Int32Array.of(1, 0))).shape, []);
  const error = await assertRejects(() => program(logits, Int32Array.of(0, 2)), RangeError);
  assertEquals(
    error.message,
    "Cannot compute crossEntropyLoss as labels must be in [0, 1] or ignoreIndex -100: " +
      "current value at position 1 is 2",
  );
});

Deno.test("compile() refuses functions that read values", async () => {
  const error = await assertRejects(
    () => cg.compile((x: Tensor) => x.item() > 0 ? x : x.neg(), [f64(1)]),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot read the values of a tensor while a program is recorded, as they are known only when " +
      "it runs: choose by where instead of if, leave out checkNaN, return the tensor, or close over a constant",
  );
});

Deno.test("compile() refuses other devices", async () => {
  const error = await assertRejects(
    () => cg.compile((x: Tensor) => x, [f64(1)], { device: "tpu" as "cpu" }),
    TypeError,
  );
  assertEquals(
    error.message,
    'Cannot compute compile as device must be "cpu" or what await webgpu() returned: ' +
      "current value is tpu",
  );
});

Deno.test("tensors that escape from compile() throw", async () => {
  let escaped: Tensor | undefined;
  await using _program = await cg.compile((x: Tensor) => escaped = x.mul(2), [f64(1)]);
  try {
    escaped!.add(1);
  } catch (error) {
    assert(error instanceof TypeError);
    assertStringIncludes(error.message, "Cannot compute add as an input escaped from compile");
    return;
  }
  throw new Error("the escaped tensor was used");
});

Deno.test("a program that was disposed of throws", async () => {
  const program = await cg.compile((x: Tensor) => x, [f64(1)]);
  program.dispose();
  const error = await assertRejects(() => program(f64(1)), TypeError);
  assertEquals(error.message, "Cannot run the program as it has been disposed of");
});

Deno.test("explain() shows steps, cost, constants and memory", async () => {
  const f = (x: Tensor) => x.matmul(x.transpose()).sub(1).exp().sum({ axis: 1 });
  await using program = await cg.compile(f, [cg.zeros([10, 20])]);
  const text = program.explain();
  assertStringIncludes(text, "program on cpu: 2 steps, 4.3 k FLOP");
  assertStringIncludes(text, "%0 float32[10, 20] is an argument");
  assertStringIncludes(text, "float32[] is constant: 1");
  assertStringIncludes(text, "= matmul(%0, %0)  kernel, 4 k FLOP");
  assertStringIncludes(text, "= sub exp sum(");
  assertStringIncludes(text, "one loop over [10, 10]");
  assertStringIncludes(text, "memory: ");
});

Deno.test("a program says which argument is missing, or too many", async () => {
  await using program = await cg.compile((x: Tensor, y: Tensor) => x.add(y), [[1, 2], 3]);
  const call = program as unknown as (...args: unknown[]) => Promise<Tensor>;
  for (
    const [args, why] of [
      [[], "argument 0 is missing: current numbers of arguments are 0"],
      [[[1, 2]], "argument 1 is missing: current numbers of arguments are 1"],
      [[[1, 2], 3, 4], "it takes nothing after argument 1: current numbers of arguments are 3"],
    ] as const
  ) {
    const error = await assertRejects(() => call(...args), TypeError);
    assertEquals(
      error.message,
      `Cannot run the program as ${why} where it was compiled with 2`,
    );
  }
});

Deno.test("a program names an argument of other branches, where they do not work", async () => {
  const pair = [f64(1), f64([1, 2])];
  const f = (p: { w: Tensor }, xs: Tensor[]) => xs.reduce((a, b) => a.add(b)).mul(p.w);
  await using program = await cg.compile(f, [{ w: 2 }, pair]);
  assertEquals((await program({ w: 2 }, [f64(1), ...pair])).toArray(), [6, 8]);
  const error = await assertRejects(() => program({ v: 2 } as never, pair), TypeError);
  assertEquals(
    error.message,
    "Cannot run the program as argument 0 must have the branches that it was compiled with: " +
      'current values are {"v":0} where it was {"w":0}',
  );
  const ragged = await assertRejects(() => program({ w: [[1], [2, 3]] } as never, pair), TypeError);
  assertEquals(
    ragged.message,
    "Cannot compute the program as argument 0.w[1] must have 1 entries, as its arrays must not be " +
      "ragged: it has 2",
  );
});

Deno.test("compile() refuses what is no function, or no array of examples", async () => {
  for (
    const [f, args, text] of [
      [undefined, [], "f must be a function: current value is undefined"],
      [
        (x: Tensor) => x,
        f64(1),
        "exampleArgs must be an array with an example of each argument: current value is a Tensor",
      ],
    ] as const
  ) {
    const error = await assertRejects(() => cg.compile(f as never, args as never), TypeError);
    assertEquals(error.message, `Cannot compute compile as ${text}`);
  }
});

Deno.test("a program that does not fit into memory shows what is largest", async () => {
  const f = (x: Tensor) => x.matmul(x.transpose()).sum();
  await using program = await cg.compile(f, [cg.ones([4, 1])]);
  const error = await assertRejects(() => program(cg.ones([70_000, 1])), RangeError);
  assertEquals(
    error.message,
    "Cannot compile the program as its values take 18.3 GiB at once, and its memory holds at most " +
      "4 GiB: the largest is the result of matmul, float32 [70000, 70000], 18.3 GiB",
  );
  assertEquals((await program(cg.ones([3, 1]))).item(), 9);
});

Deno.test("large arguments that stay are as good as those that come anew", async () => {
  const f = (x: cg.Tensor, y: cg.Tensor) => ({
    sum: x.mul(y).sum({ axis: 1 }),
    x: x.reshape(-1),
    y,
  });
  // Each twice: what is computed with eagerly may be written to, and comes anew.
  const [given, others] = [0, 1].map(() =>
    [1, 2, 3].map((seed) => cg.normal(cg.key(seed), [64, 128], { dtype: "float64" }))
  ) as [cg.Tensor[], cg.Tensor[]];
  for (const threads of [1, 2]) {
    await using program = await cg.compile(f, others.slice(0, 2) as [cg.Tensor, cg.Tensor], {
      threads,
    });
    const calls = [[0, 1], [0, 1], [0, 2], [1, 2], [1, 1], [0, 1], [2, 2], [2, 0], [2, 0]] as const;
    for (const [x, y] of calls) {
      const made = await program(given[x]!, given[y]!);
      const expected = f(others[x]!, others[y]!);
      for (const name of ["sum", "x", "y"] as const) {
        assertEquals(made[name].data, expected[name].data);
      }
      // What a call gives is its own.
      made.x.data.fill(7);
      made.y.data.fill(7);
    }
  }
});

Deno.test("a program sees what has been written to the data of an argument", async () => {
  const x = cg.zeros([128, 64]);
  await using program = await cg.compile((x: cg.Tensor) => x.sum(), [x]);
  assertEquals((await program(x)).item(), 0);
  x.data[5] = 1;
  assertEquals((await program(x)).item(), 1);
  x.data[6] = 1;
  assertEquals((await program(x)).item(), 2);
  const { data } = x;
  data.fill(1);
  assertEquals((await program(x)).item(), 128 * 64);
  // Tensors of one array: whoever hands it out.
  const y = cg.zeros([64, 128]);
  const alike = y.reshape([128, 64]);
  assertEquals((await program(alike)).item(), 0);
  y.data[5] = 1;
  assertEquals((await program(alike)).item(), 1);
});

Deno.test("a tensor that is closed over in several places is held once", async () => {
  const c = cg.normal(cg.key(1), [100]);
  const f = (x: cg.Tensor) =>
    cg.forLoop(3, (y: cg.Tensor) => y.mul(c).add(1), x).mul(c).add(x.sub(c));
  await using program = await cg.compile(f, [cg.ones([100])]);
  assertEquals(program.explain().match(/float32\[100\] is constant/g)?.length, 1);
});

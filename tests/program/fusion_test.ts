/** Loops that go on after a reduction: how many there are, and what they give. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import * as cg from "../../mod.ts";
import { optimize } from "../../src/program/optimize.ts";
import { CpuExecutable } from "../../src/backends/cpu/executable.ts";
import type { Graph } from "../../src/program/graph.ts";
import { comparePositions } from "../../src/program/passes/compare_positions.ts";
import { fuseSteps, isGroup } from "../../src/program/passes/fuse.ts";
import { record } from "../../src/program/record.ts";
import { Team } from "../../src/backends/cpu/threads.ts";
import { assertAllClose } from "../../src/testing.ts";
import { flattenTree } from "../../src/tree.ts";

type Tensor = cg.Tensor;
type Loss = (...xs: Tensor[]) => unknown;

function graphOf(f: Loss, inputs: readonly { shape: readonly number[]; dtype: cg.DType }[]): Graph {
  return optimize(record(inputs, (xs) => flattenTree("test", f(...xs), "the result").leaves));
}

const random = (seed: number, shape: number[], dtype: "float32" | "float64" = "float32") =>
  cg.normal(cg.key(seed), shape, { dtype });

const labelsFor = (shape: number[], classes: number) =>
  cg.tensor(Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i % classes), {
    shape,
  });

/** What the units of a program are, checks left out. */
function unitsOf(f: Loss, inputs: readonly Tensor[]): string[] {
  return new CpuExecutable(graphOf(f, inputs)).units
    .filter((unit) => isGroup(unit) || unit.op.kind !== "check")
    .map((unit) => isGroup(unit) ? `loop over ${unit.shape}` : unit.op.name)
    .filter((name) => name !== "reshape");
}

/** Asserts that a function gives the same compiled, with WebAssembly and without, as eagerly. */
function assertSameValues(f: Loss, inputs: readonly Tensor[], tolerance?: number): void {
  const bound = tolerance ?? (inputs.some(({ dtype }) => dtype === "float64") ? 1e-12 : 1e-5);
  const expected = flattenTree("test", f(...inputs), "the result").leaves;
  const graph = graphOf(f, inputs);
  for (const wasm of [true, false]) {
    new CpuExecutable(graph, { wasm }).run(inputs).forEach((value, i) => {
      assertEquals([value.shape, value.dtype], [expected[i]!.shape, expected[i]!.dtype]);
      assertAllClose(value, expected[i]!, { rtol: bound, atol: bound });
    });
  }
}

const withGradient = (f: (...xs: Tensor[]) => Tensor): Loss => cg.valueAndGrad(f);

for (
  const [name, f] of [
    ["softmax", (x: Tensor) => cg.softmax(x)],
    ["logSoftmax", (x: Tensor) => cg.logSoftmax(x)],
    ["logSumExp", (x: Tensor) => cg.logSumExp(x, { axis: -1 })],
    ["layerNorm", (x: Tensor) => cg.layerNorm(x)],
    ["l2Normalize", (x: Tensor) => cg.l2Normalize(x)],
  ] as const
) {
  Deno.test(`${name}() of long rows is one loop`, () => {
    assertEquals(unitsOf(f, [random(0, [8, 100])]), ["loop over 8,100"]);
  });

  Deno.test(`${name}() is the same compiled, of rows of any length`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      for (const columns of [1, 2, 3, 20, 63, 64, 65, 200]) {
        assertSameValues(f, [random(1, [7, columns], dtype)]);
      }
    }
  });

  Deno.test(`${name}() has the same gradients of both orders, compiled`, () => {
    const twice = (x: Tensor) => {
      const slope = cg.grad((y: Tensor) => f(y).sin().sum());
      return [slope(x), cg.grad((y: Tensor) => slope(y).square().sum())(x)];
    };
    for (const shape of [[3, 1], [5, 4], [3, 70]]) {
      assertSameValues(twice, [random(2, shape, "float64")], 1e-10);
    }
  });
}

for (const axis of [0, 1]) {
  const f = (x: Tensor) => [cg.softmax(x, { axis }), cg.logSumExp(x, { axis })];

  Deno.test(`softmax() along axis ${axis} of three or four is one loop`, () => {
    assertEquals(unitsOf(f, [random(0, [2, 4, 6, 8])]).length, 1);
    assertEquals(unitsOf((x) => cg.softmax(x, { axis }), [random(0, [3, 4, 50])]).length, 1);
  });

  Deno.test(`softmax() along axis ${axis} is the same compiled, at any extents`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      for (const shape of [[1, 1, 1], [2, 3, 1], [2, 1, 5], [1, 4, 33], [3, 4, 16], [2, 70, 17]]) {
        assertSameValues(f, [random(1, shape, dtype)]);
        const slope = cg.grad((x: Tensor) => cg.softmax(x, { axis }).square().sum());
        assertSameValues(slope, [random(2, shape, dtype)]);
      }
    }
  });
}

Deno.test("cross entropy with its gradient is one loop over logits, and two over labels", () => {
  const [logits, labels] = [random(0, [50, 20]), labelsFor([50], 20)];
  const units = unitsOf(
    (x, y) => cg.valueAndGrad((z: Tensor) => cg.crossEntropyLoss(z, y!))(x!),
    [logits, labels],
  );
  assertEquals(units, ["loop over 50", "loop over 50,20", "loop over 50"]);
});

Deno.test("focal and Dice losses with their gradient are three loops over logits", () => {
  const units = unitsOf(
    (x, y) => cg.valueAndGrad((z: Tensor) => cg.focalDiceLoss(z, y!))(x!),
    [random(0, [1, 4, 64, 64]), labelsFor([1, 64, 64], 4)],
  );
  assertEquals(
    units.filter((unit) => unit === "loop over 4,64,64" || unit === "loop over 4,4096")
      .length,
    3,
  );
  assertEquals(units.filter((unit) => !unit.startsWith("loop")), []);
});

const WEIGHT = [0.5, 2, 1, 0.25];

for (
  const [name, f] of [
    ["cross entropy", (x: Tensor, y: Tensor) => cg.crossEntropyLoss(x, y)],
    [
      "cross entropy with class weights and smoothing",
      (x: Tensor, y: Tensor) =>
        cg.crossEntropyLoss(x, y, { weight: WEIGHT, labelSmoothing: 0.1, ignoreIndex: 2 }),
    ],
    [
      "cross entropy of all positions",
      (x: Tensor, y: Tensor) => cg.crossEntropyLoss(x, y, { reduction: "none" }).square().sum(),
    ],
    ["focal loss", (x: Tensor, y: Tensor) => cg.focalLoss(x, y, { weight: WEIGHT })],
    ["focal and Dice loss", (x: Tensor, y: Tensor) => cg.focalDiceLoss(x, y)],
  ] as const
) {
  Deno.test(`${name} is the same compiled, for classes in rows and in columns`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      for (const spatial of [[], [1], [5], [3, 7], [16, 16]]) {
        const inputs = [random(0, [3, 4, ...spatial], dtype), labelsFor([3, ...spatial], 4)];
        assertSameValues((x, y) => withGradient((z) => f(z!, y!))(x!), inputs);
      }
    }
  });
}

Deno.test("rows that are masked as a whole stay as they are", () => {
  const mask = cg.tensor([[true, false, true], [false, false, false]]);
  const f = (x: Tensor) => {
    const kept = cg.where(mask, x, -Infinity);
    const powers = cg.where(
      mask,
      cg.exp(cg.sub(kept, cg.max(kept, { axis: 1, keepDims: true }))),
      0,
    );
    return cg.div(powers, cg.maximum(cg.sum(powers, { axis: 1, keepDims: true }), 1e-9));
  };
  assertEquals(unitsOf(f, [random(3, [2, 3])]), ["loop over 2,3"]);
  assertSameValues((x) => f(x!), [random(3, [2, 3])]);
});

Deno.test("reductions of nothing, and of no axis that is longer than 1, are the same compiled", () => {
  const f = (x: Tensor) => [
    cg.sum(x.exp(), { axis: 1 }),
    cg.softmax(x, { axis: 0 }).sum(),
  ];
  for (const shape of [[3, 1], [1, 1], [0, 3]]) {
    if (shape[0] === 0) assertSameValues((x) => cg.sum(x!.exp(), { axis: 0 }), [random(0, shape)]);
    else assertSameValues((x) => f(x!), [random(0, shape)]);
  }
  const zeros = cg.tensor([[-0], [-0]]);
  const [sums] = new CpuExecutable(graphOf((x) => cg.sum(cg.neg(cg.neg(x!)), { axis: 1 }), [zeros]))
    .run([zeros]);
  assertEquals(sums!.data, Float32Array.of(0, 0));
});

Deno.test("a vector that is used for rows and for columns is read in both ways", () => {
  const f = (x: Tensor, v: Tensor) => {
    const powers = x.add(v.reshape([40, 1])).sub(v.reshape([1, 40])).exp();
    return powers.div(powers.sum({ axis: 1, keepDims: true }));
  };
  const inputs = [random(0, [40, 40]), random(1, [40])];
  assertEquals(unitsOf((x, v) => f(x!, v!), inputs), ["loop over 40,40"]);
  assertSameValues((x, v) => f(x!, v!), inputs);
});

Deno.test("a reduced value that is used along the rows waits for its loop", () => {
  const f = (x: Tensor) => x.mul(x.sum({ axis: 1 }));
  assertEquals(unitsOf((x) => f(x!), [random(0, [30, 30])]).length, 2);
  assertSameValues((x) => f(x!), [random(0, [30, 30])]);
});

Deno.test("rows that do not fit the caches are gone over by a loop for each pass", () => {
  const f = (x: Tensor) => x.div(x.exp().sum({ axis: 1, keepDims: true }));
  assertEquals(unitsOf((x) => f(x!), [random(0, [2, 20_000])]).length, 2);
  assertSameValues((x) => f(x!), [random(0, [2, 20_000])]);
});

Deno.test("cheap values are computed anew rather than kept for a later loop", () => {
  const f = (x: Tensor, w: Tensor) => {
    const y = x.add(1);
    return [y.exp().matmul(w), y.mul(y.exp().matmul(w))];
  };
  const inputs = [random(0, [80, 80]), random(1, [80, 80])];
  const { units } = new CpuExecutable(graphOf((x, w) => f(x!, w!), inputs));
  const groups = units.filter((unit) => isGroup(unit));
  assertEquals(groups.map(({ outputs }) => outputs.length), [1, 1]);
  assertSameValues((x, w) => f(x!, w!), inputs, 1e-4);
});

Deno.test("many cheap values are computed anew at once, and none is kept for a later loop", async () => {
  // More than one stretch of steps: the sums cannot be in the loops of what they add.
  const f = (x: Tensor) =>
    Array.from({ length: 2100 }, (_, i) => x.mul(i - 1000)).reduce((a, b) => a.add(b));
  const x = random(0, [16], "float64");
  const { units } = new CpuExecutable(graphOf((x) => f(x!), [x]));
  const stored = units.flatMap((unit) => isGroup(unit) ? unit.outputs : [unit.output]);
  assert(stored.length < 10, `${stored.length} values are stored`);
  assertAllClose(await (await cg.compile(f, [x]))(x), f(x), { rtol: 1e-12, atol: 1e-9 });
});

Deno.test("fuseSteps() makes plain loops by default: rows are gone over once", () => {
  const graph = graphOf((x) => cg.softmax(x!, { axis: 1 }), [random(0, [4, 30])]);
  const groups = fuseSteps(graph).filter((unit) => isGroup(unit));
  assert(groups.length > 1);
  for (const { passes, steps } of groups) {
    assertEquals(passes, 1);
    for (const { output } of steps.filter(({ op }) => op.kind === "reduce")) {
      assert(steps.every(({ inputs }) => !inputs.includes(output)));
    }
  }
});

Deno.test("comparePositions() takes and puts by comparison where positions are surely inside", () => {
  const classes = { shape: [6, 4], dtype: "float32" } as const;
  const names = (f: Loss, labels: "int32") =>
    comparePositions(
      record([classes, { shape: [6, 1], dtype: labels }], (xs) =>
        flattenTree("test", f(...xs), "the result").leaves),
    ).steps.map(({ op }) =>
      op.name
    );
  const take: Loss = (x, i) => cg.takeAlongAxis(x!, i!);
  assertEquals(names(take, "int32").includes("takeAlongAxis"), true);
  const pick: Loss = (x, i) => cg.crossEntropyLoss(x!, i!.reshape([6]));
  assertEquals(names(pick, "int32").includes("takeAlongAxis"), false);
});

Deno.test("a position outside still throws, compiled", () => {
  const x = random(0, [2, 3]);
  const graph = graphOf((a, i) => cg.takeAlongAxis(a!, i!), [
    x,
    cg.tensor(Int32Array.of(0, 0), {
      shape: [2, 1],
    }),
  ]);
  const executable = new CpuExecutable(graph);
  const at = (position: number) => cg.tensor(Int32Array.of(0, position), { shape: [2, 1] });
  assertEquals(executable.run([x, at(2)])[0]!.shape, [2, 1]);
  const error = assertThrows(() => executable.run([x, at(3)]), RangeError);
  assertEquals(
    error.message,
    "Cannot compute takeAlongAxis as indices must be in [0, 2]: current value at position 1 is 3",
  );
});

Deno.test("threads give the same bits in loops that go over rows and columns again", async () => {
  const programs: [Loss, Tensor[]][] = [
    [(x) => [cg.softmax(x!), cg.logSumExp(x!, { axis: 1 })], [random(0, [37, 20])]],
    [(x) => cg.layerNorm(x!), [random(0, [9, 300], "float64")]],
    [(x) => cg.softmax(x!.exp().log1p().exp(), { axis: 1 }), [random(0, [2, 4, 333])]],
    [
      (x, y) => cg.valueAndGrad((z: Tensor) => cg.focalDiceLoss(z, y!))(x!),
      [random(0, [1, 4, 32, 32]), labelsFor([1, 32, 32], 4)],
    ],
    // Logarithms have no output to be kept in.
    [
      (x) =>
        x!.exp().log1p().sub(x!.exp().log1p().sum({ axis: 1, keepDims: true })).max({ axis: 1 }),
      [random(0, [50, 70])],
    ],
  ];
  for (const size of [2, 3]) {
    const team = new Team(size);
    try {
      for (const [f, inputs] of programs) {
        const graph = graphOf(f, inputs);
        const expected = new CpuExecutable(graph).run(inputs).map(({ data }) => data);
        const executable = new CpuExecutable(graph, { team, smallestShared: 0 });
        assert(executable.shared.length > 0);
        await team.ready();
        for (let call = 0; call < 3; call++) {
          assertEquals(executable.run(inputs).map(({ data }) => data), expected);
        }
      }
    } finally {
      team.dispose(new TypeError("ended"));
    }
  }
});

/** Functions that are done again and again to what they gave. */
const REPEATED: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  softmax: (x) => x.softmax(),
  "layer norm": (x) => cg.layerNorm(x),
  "less the mean": (x) => x.sub(x.mean({ axis: 1, keepDims: true })),
  "over the deviation": (x) => x.div(cg.std(x, { axis: 1, keepDims: true }).add(1)),
  "shares of rows and columns": (x) => {
    const rows = x.abs().div(x.abs().sum({ axis: 1, keepDims: true }));
    return rows.div(rows.sum({ axis: 0, keepDims: true }));
  },
  "softmax in other shapes": (x) => x.reshape([2, 12]).softmax().reshape([4, 6]).add(x.square()),
  scan: (x) => cg.scan((c: Tensor, row: Tensor) => [c.add(row), c], x.sum({ axis: 0 }), x)[1],
};

for (const [name, f] of Object.entries(REPEATED)) {
  Deno.test(`${name} upon ${name}, 240 times, takes time in proportion, and gives the same`, async () => {
    const x = cg.normal(cg.key(1), [4, 6], { dtype: "float64" });
    const chain = (n: number) => (x: cg.Tensor) => {
      let y = x;
      for (let i = 0; i < n; i++) y = f(y).mul(1.5);
      return y;
    };
    const secondsOf = async (n: number) => {
      const start = performance.now();
      await using program = await cg.compile(chain(n), [x]);
      const seconds = (performance.now() - start) / 1000;
      assertAllClose(await program(x), chain(n)(x), { rtol: 1e-9, atol: 1e-300 });
      return seconds;
    };
    await secondsOf(60);
    const [short, long] = [await secondsOf(60), await secondsOf(240)];
    // Four times as many steps: 4 where time grows in proportion, 16 and more where it does not.
    assertLess(long, 9 * short + 0.5, `${long} s for 240 of them, ${short} s for 60`);
  });
}

Deno.test("scans side by side, 1600 of them, take time in proportion, and give the same", async () => {
  const x = cg.normal(cg.key(1), [6, 4], { dtype: "float64" });
  const fan = (n: number) => (x: Tensor) =>
    cg.stack(
      Array.from({ length: n }, (_, i) =>
        cg.scan(
          (c: Tensor, row: Tensor) => [c.mul(0.5).add(row), c.sum()],
          cg.gather(x, i % 6).mul(i),
          x,
        )[0]),
    );
  const secondsOf = async (n: number) => {
    const start = performance.now();
    await using program = await cg.compile(fan(n), [x]);
    const seconds = (performance.now() - start) / 1000;
    assertEquals((await program(x)).data, fan(n)(x).data);
    return seconds;
  };
  await secondsOf(100);
  const [short, long] = [await secondsOf(400), await secondsOf(1600)];
  assertLess(long, 9 * short + 0.5, `${long} s for 1600 of them, ${short} s for 400`);
});

Deno.test("loops are put together that neither need each other nor what waits for the other", async () => {
  const x = cg.normal(cg.key(2), [5, 3], { dtype: "float64" });
  const last = (start: Tensor) =>
    cg.scan((c: Tensor, row: Tensor) => [c.mul(0.5).add(row), c], start, x)[0];
  // c waits for a, and d for b; e is free.
  const f = (y: Tensor) => {
    const [a, b] = [last(y), last(y.mul(2))];
    const [c, d] = [last(a.exp()), last(b.exp())];
    return [a, b, c, d, last(y.mul(3))];
  };
  const start = cg.gather(x, 0).mul(0.1);
  await using program = await cg.compile(f, [start]);
  const given = await program(start);
  f(start).forEach((y, i) => assertEquals(given[i]!.data, y.data));
  assertEquals(program.explain({ after: "loopFusion" }).match(/ = scan\(/g)?.length, 2);
});

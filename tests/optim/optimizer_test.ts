import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { zeros } from "../../src/create.ts";
import { compile } from "../../src/compile/compile.ts";
import { add, matmul, mul, square, stopGradient, sub, sum } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { grad } from "../../src/transforms/grad.ts";
import { treeLeaves } from "../../src/tree.ts";
import {
  accumulateGradients,
  adagrad,
  adam,
  adamw,
  constant,
  cosine,
  lamb,
  type LearningRate,
  lion,
  movingAverage,
  nadam,
  type Optimizer,
  rmsprop,
  sgd,
  warmup,
} from "../../src/optim/mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";

const ALL: Record<string, (learningRate: LearningRate) => Optimizer> = {
  "sgd": (learningRate) => sgd({ learningRate }),
  "sgd with momentum": (learningRate) => sgd({ learningRate, momentum: 0.9 }),
  "sgd with Nesterov's momentum": (learningRate) =>
    sgd({ learningRate, momentum: 0.9, nesterov: true }),
  "adam": (learningRate) => adam({ learningRate }),
  "adamw": (learningRate) => adamw({ learningRate, weightDecay: 0 }),
  "rmsprop": (learningRate) => rmsprop({ learningRate }),
  "rmsprop with all": (learningRate) => rmsprop({ learningRate, momentum: 0.9, centered: true }),
  "adagrad": (learningRate) => adagrad({ learningRate }),
  "nadam": (learningRate) => nadam({ learningRate }),
  "lion": (learningRate) => lion({ learningRate, weightDecay: 0 }),
  "lamb": (learningRate) => lamb({ learningRate }),
};

/** Where those begin whose steps do not become shorter by themselves, or too fast. */
const FALLING: Record<string, number> = {
  ...{ adam: 0.1, adamw: 0.1, "rmsprop": 0.05, "rmsprop with all": 0.01, adagrad: 2, nadam: 0.1 },
  ...{ lion: 0.05, lamb: 0.1 },
};

const float64 = (values: number[]) => tensor(values, { dtype: "float64" });

for (const [name, make] of Object.entries(ALL)) {
  Deno.test(`${name} finds the minimum of an ill-conditioned parabola`, () => {
    const [target, curvature] = [float64([1, -2, 3]), float64([1, 4, 10])];
    const loss = (p: { x: Tensor }) => sum(mul(curvature, square(sub(p.x, target))));
    const first = FALLING[name];
    const optimizer = make(first === undefined ? 0.01 : cosine(first, { steps: 1000 }));
    let params = { x: zeros([3], { dtype: "float64" }) };
    let state = optimizer.init(params);
    for (let i = 0; i < 1000; i++) {
      ({ params, state } = optimizer.update(grad(loss)(params), state, params));
    }
    // Steps of Lion and LAMB are as long as the learning rate says, however near the minimum is.
    const isBlunt = name === "lion" || name === "lamb";
    assertAllClose(params.x, target, { rtol: 0, atol: isBlunt ? 2e-4 : 1e-6 });
  });

  Deno.test(`${name} is the same in a program, and of large tensors`, async () => {
    const optimizer = make(0.1);
    const wave = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i));
    let params = { small: tensor([1, -2, 3]), large: tensor(wave) };
    let state = optimizer.init(params);
    const f = (p: typeof params, s: typeof state) => optimizer.update(p, s, p);
    await using program = await compile(f, [params, state]);
    for (let i = 0; i < 3; i++) {
      const expected = f(params, state);
      const found = treeLeaves(await program(params, state));
      treeLeaves(expected).forEach((x, j) =>
        assertAllClose(found[j]!, x, { rtol: 1e-5, atol: 1e-6 })
      );
      const few = { x: tensor(wave.slice(0, 9)) };
      if (i === 0 && name !== "lamb") {
        const alone = optimizer.update(few, optimizer.init(few), few).params.x.data;
        assertEquals([...expected.params.large.data.slice(0, 9)], [...alone]);
      }
      ({ params, state } = expected);
    }
  });

  Deno.test(`${name} keeps the tree, the shapes and the types of the parameters`, () => {
    const params = {
      layers: [{ w: tensor([[1, 2], [3, 4]]), b: float64([1]) }, { w: tensor(2), b: zeros([0]) }],
      scale: tensor(new Float64Array(6), { shape: [1, 2, 3] }),
    };
    const optimizer = make(0.1);
    let { params: next, state } = optimizer.update(params, optimizer.init(params), params);
    ({ params: next, state } = optimizer.update(params, state, next));
    const outline = (tree: unknown) => treeLeaves(tree).map((x) => [x.shape, x.dtype]);
    assertEquals(outline(next), outline(params));
    assertEquals([next.layers.length, Object.keys(next)], [2, ["layers", "scale"]]);
    const numbers = outline(params).map(([, dtype]) => [[], dtype]);
    for (const [moment, tree] of Object.entries(state.moments)) {
      assertEquals(outline(tree), moment === "product" ? numbers : outline(params));
    }
    assertEquals([state.step.dtype, state.step.shape, state.step.item()], ["int32", [], 2]);
  });

  Deno.test(`${name} leaves what it is given as it was, and gives the same again`, () => {
    const params = { x: float64([1, 2]) };
    const grads = { x: float64([0.5, -0.25]) };
    const optimizer = make(0.1);
    const first = optimizer.update(grads, optimizer.init(params), params);
    const before = treeLeaves([params, grads, first.state]).map((x) => [...x.data]);
    const once = optimizer.update(grads, first.state, first.params);
    const again = optimizer.update(grads, first.state, first.params);
    assertEquals(treeLeaves([params, grads, first.state]).map((x) => [...x.data]), before);
    assertEquals(
      treeLeaves(once).map((x) => [...x.data]),
      treeLeaves(again).map((x) => [...x.data]),
    );
  });

  // LAMB measures whole tensors.
  const isElementwise = name !== "lamb";
  if (isElementwise) {
    Deno.test(`${name} treats a tree as its tensors one by one`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1 }),
          (xs) => {
            const optimizer = make(0.1);
            const [together, apart] = [float64(xs), xs.map((x) => float64([x]))];
            const joint = optimizer.update(together, optimizer.init(together), together);
            const single = optimizer.update(apart, optimizer.init(apart), apart);
            assertEquals([...joint.params.data], single.params.map((p) => p.data[0]));
          },
        ),
        { seed: 1, numRuns: 30 },
      );
    });
  }

  Deno.test(`${name} can be differentiated through two steps`, () => {
    const optimizer = make(0.1);
    const target = float64([0.3, 1, -2]);
    const inner = (x: Tensor, scale: Tensor) => sum(mul(scale, square(sub(x, target))));
    const outer = (start: Tensor, scale: Tensor) => {
      let params = start;
      let state = optimizer.init(stopGradient(start));
      for (let i = 0; i < 2; i++) {
        ({ params, state } = optimizer.update(grad(inner)(params, scale), state, params));
      }
      return sum(square(params));
    };
    checkGradients(outer, [float64([1, -1, 0.5]), float64([1, 2, 0.5])]);
  });
}

Deno.test("adam() has a finite derivative by a gradient of zero", () => {
  const optimizer = adam({ learningRate: 0.1, epsilon: 0.01 });
  const moved = (g: Tensor) => {
    const params = float64([1, 1]);
    return sum(optimizer.update(g, optimizer.init(params), params).params);
  };
  // There m̂/(√v̂ + ε) is g/(|g| + ε), whose slope at 0 is 1/ε, and ε/(|g| + ε)² elsewhere.
  assertAllClose(grad(moved)(float64([0, 0.5])), [-0.1 / 0.01, -0.1 * 0.01 / 0.51 ** 2]);
});

Deno.test("adam() moves each parameter by the learning rate at first, whatever its gradient", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), fc.boolean(), (size, negative) => {
      const g = negative ? -size : size;
      const optimizer = adam({ learningRate: 0.1 });
      const { params } = optimizer.update(
        float64([g]),
        optimizer.init(float64([0.5])),
        float64([0.5]),
      );
      assertAlmostEquals(params.item(), 0.5 - 0.1 * Math.sign(g), 1e-5);
    }),
    { seed: 1, numRuns: 50 },
  );
});

Deno.test("optimizers and averages refuse the state of other parameters", () => {
  const [three, other] = [tensor([0, 0, 0]), [
    tensor([5]),
    float64([0, 0, 0]),
    tensor([[0, 0, 0]]),
  ]];
  const rules = { sgd: sgd({ learningRate: 1, momentum: 0.9 }), adam: adam({ learningRate: 1 }) };
  for (const [name, optimizer] of Object.entries(rules)) {
    for (const params of other) {
      const state = optimizer.init(three) as never;
      const message = `Cannot compute ${name} as state must be that of these parameters: current`;
      assertThrows(() => optimizer.update(params, state, params), TypeError, message);
    }
    const { moments } = optimizer.init(three);
    const state = { moments, step: tensor([0, 9, 9], { dtype: "int32" }) };
    assertThrows(
      () => optimizer.update(three, state as never, three),
      TypeError,
      "state must come",
    );
  }
  const accumulated = accumulateGradients(sgd({ learningRate: 1 }), { steps: 2 });
  assertThrows(
    () => accumulated.update([7] as never, accumulated.init(three), three),
    TypeError,
    "Cannot compute accumulateGradients as grads must have the shape of params: ",
  );
  const average = movingAverage({ decay: 0.5 });
  for (const params of other) {
    assertThrows(
      () => average.update(params, average.init(three) as never),
      TypeError,
      "Cannot compute movingAverage as state must be that of these parameters",
    );
  }
  const whole = tensor([1], { dtype: "int32" });
  for (const optimizer of [sgd({ learningRate: 1 }), ...Object.values(rules)]) {
    assertThrows(() => optimizer.init(whole), TypeError, "params must be floating");
  }
});

Deno.test("adam() stays finite under gradients of zero and of 1e15 in float32", () => {
  const optimizer = adam({ learningRate: 0.1 });
  let params = tensor([1, 1]);
  let state = optimizer.init(params);
  for (let i = 0; i < 20; i++) {
    ({ params, state } = optimizer.update(tensor([0, i % 2 ? 1e15 : 0]), state, params));
  }
  assert(params.data.every(Number.isFinite));
  assertEquals(params.data[0], 1);
});

Deno.test("adamw() differs from adam() by the decay alone", () => {
  const params = float64([2, -3]);
  const grads = float64([0.1, 0.2]);
  const plain = adam({ learningRate: 0.1 });
  const decayed = adamw({ learningRate: 0.1, weightDecay: 0.2 });
  const difference = sub(
    plain.update(grads, plain.init(params), params).params,
    decayed.update(grads, decayed.init(params), params).params,
  );
  assertAllClose(difference, [2 * 0.02, -3 * 0.02], { atol: 1e-15 });
});

Deno.test("adamw() decays by 0.01 unless told otherwise", () => {
  const optimizer = adamw({ learningRate: 1 });
  const params = float64([2]);
  const { params: next } = optimizer.update(float64([0]), optimizer.init(params), params);
  assertAlmostEquals(next.item(), 1.98, 1e-15);
});

Deno.test("sgd() without momentum remembers nothing but the step", () => {
  assertEquals(sgd({ learningRate: 1 }).init([tensor([1])]).moments, {});
});

Deno.test("update() gives a schedule the number of updates made before, in the parameters' type", () => {
  const seen: (number | string)[] = [];
  const optimizer = sgd({
    learningRate(step) {
      seen.push(step.item(), step.dtype);
      return mul(step, 0.5);
    },
  });
  let params = float64([10]);
  let state = optimizer.init(params);
  for (let i = 0; i < 3; i++) {
    ({ params, state } = optimizer.update(float64([1]), state, params));
  }
  assertEquals(seen, [0, "float64", 1, "float64", 2, "float64"]);
  assertEquals(params.item(), 10 - 0 - 0.5 - 1);
});

Deno.test("update() with a constant schedule is update() with its number", () => {
  for (const make of [sgd, adam, adamw]) {
    const params = { x: float64([1, 2]) };
    const [a, b] = [make({ learningRate: 0.3 }), make({ learningRate: constant(0.3) })];
    assertAllClose(
      a.update(params, a.init(params), params).params.x,
      b.update(params, b.init(params), params).params.x,
      { rtol: 1e-15, atol: 0 },
    );
  }
});

Deno.test("update() passes gradients on to the learning rate", () => {
  const distance = (rate: Tensor) => {
    const optimizer = sgd({ learningRate: () => rate });
    const params = float64([1]);
    return sum(square(optimizer.update(float64([2]), optimizer.init(params), params).params));
  };
  // (1 − 2r)² has the slope −4(1 − 2r).
  assertAlmostEquals(grad(distance)(tensor(0.1, { dtype: "float64" })).item(), -3.2, 1e-12);
});

Deno.test("update() keeps float32 parameters where gradients and schedule are float64", () => {
  const optimizer = adamw({ learningRate: () => tensor(0.1, { dtype: "float64" }) });
  const params = tensor([1, 2]);
  const { params: next, state } = optimizer.update(float64([1, 1]), optimizer.init(params), params);
  assertEquals(next.dtype, "float32");
  assertEquals(treeLeaves(state.moments).map((x) => x.dtype), ["float32", "float32"]);
});

Deno.test("update() takes numbers and arrays for tensors, and keys in any order", () => {
  const optimizer = sgd({ learningRate: 1, momentum: 0.5 });
  const params = { a: [1, 2], b: 3 };
  const { params: next } = optimizer.update(
    { b: 1, a: [0.5, 0.5] },
    optimizer.init(params),
    params,
  );
  assertEquals([next.a.toArray(), next.b.toArray()], [[0.5, 1.5], 2]);
});

Deno.test("optimizers train a two-layer network", () => {
  const x = float64([0, 0, 1, 1]).reshape([4, 1]);
  const z = float64([0, 1, 0, 1]).reshape([4, 1]);
  const y = float64([0, 1, 1, 0]).reshape([4, 1]);
  const start = {
    a: float64([1, -1, 0.5]).reshape([1, 3]),
    b: float64([-0.5, 1, 1]).reshape([1, 3]),
    c: float64([0.1, 0, -0.1]),
    d: float64([1, 1, -1]).reshape([3, 1]),
  };
  const loss = (p: typeof start) => {
    const hidden = add(add(matmul(x, p.a), matmul(z, p.b)), p.c).tanh();
    return sum(square(sub(matmul(hidden, p.d), y)));
  };
  const optimizer = adam({ learningRate: warmup(0.05, { steps: 10 }) });
  let params = start;
  let state = optimizer.init(params);
  for (let i = 0; i < 400; i++) {
    ({ params, state } = optimizer.update(grad(loss)(params), state, params));
  }
  assertLess(loss(params).item(), 1e-3);
});

/** What goes wrong, and the text that says so. */
function assertMessages(
  kind: typeof TypeError | typeof RangeError,
  cases: readonly (readonly [() => unknown, string])[],
): void {
  for (const [act, message] of cases) {
    assertEquals(assertThrows(act, kind).message, message);
  }
}

const wrong = (options: unknown) => options as { learningRate: number };

Deno.test("sgd(), adam() and adamw() list their options where one is unknown", () => {
  assertMessages(TypeError, [
    [
      () => sgd(wrong({ lr: 1 })),
      "Cannot compute sgd as there is no option lr: did you mean learningRate? The " +
      "options are learningRate, momentum, nesterov, weightDecay",
    ],
    [
      () => adam(wrong({ learningRate: 1, weightDecay: 1 })),
      "Cannot compute adam as there is no option weightDecay: " +
      "the options are learningRate, beta1, beta2, epsilon",
    ],
    [
      () => adamw(wrong({ learningRate: 1, momentum: 1 })),
      "Cannot compute adamw as there is no option momentum: " +
      "the options are learningRate, beta1, beta2, epsilon, weightDecay",
    ],
  ]);
});

Deno.test("sgd(), adam() and adamw() want options of the right kind", () => {
  assertMessages(TypeError, [
    [
      () => sgd(wrong({})),
      "Cannot compute sgd as learningRate must be a number, or a schedule: " +
      "current value is undefined",
    ],
    [
      () => adam(wrong({ learningRate: "0.1" })),
      "Cannot compute adam as learningRate must be a number, or a schedule: " +
      "current value is a string",
    ],
    [
      () => sgd({ learningRate: NaN }),
      "Cannot compute sgd as learningRate must be a finite number: current value is NaN",
    ],
    [
      () => sgd(wrong({ learningRate: 1, momentum: 0.9, nesterov: 1 })),
      "Cannot compute sgd as nesterov must be true or false: current value is 1",
    ],
    [
      () => adamw(wrong({ learningRate: 1, weightDecay: null })),
      "Cannot compute adamw as weightDecay must be a finite number: current value is null",
    ],
  ]);
});

Deno.test("sgd(), adam() and adamw() want values in range", () => {
  assertMessages(RangeError, [
    [
      () => sgd({ learningRate: -1 }),
      "Cannot compute sgd as learningRate must be a finite number at least 0: current value is -1",
    ],
    [
      () => sgd({ learningRate: 1, momentum: 1 }),
      "Cannot compute sgd as momentum must be a finite number at least 0 and below 1: " +
      "current value is 1",
    ],
    [
      () => sgd({ learningRate: 1, weightDecay: -1 }),
      "Cannot compute sgd as weightDecay must be a finite number at least 0: current value is -1",
    ],
    [
      () => sgd({ learningRate: 1, nesterov: true }),
      "Cannot compute sgd as nesterov needs a momentum above 0: current value is 0",
    ],
    [
      () => adam({ learningRate: 1, beta1: 1 }),
      "Cannot compute adam as beta1 must be a finite number at least 0 and below 1: " +
      "current value is 1",
    ],
    [
      () => adam({ learningRate: 1, beta2: -0.5 }),
      "Cannot compute adam as beta2 must be a finite number at least 0 and below 1: " +
      "current value is -0.5",
    ],
    [
      () => adam({ learningRate: 1, epsilon: 0 }),
      "Cannot compute adam as epsilon must be a finite number above 0: current value is 0",
    ],
    [
      () => adamw({ learningRate: 1, weightDecay: -1 }),
      "Cannot compute adamw as weightDecay must be a finite number at least 0: current value is -1",
    ],
  ]);
});

Deno.test("init() and update() want floating parameters", () => {
  const optimizer = adam({ learningRate: 1 });
  const labels = [tensor([1, 2], { dtype: "int32" })];
  const message = "Cannot compute adam as params[0] must be floating: current dtype is int32";
  assertMessages(TypeError, [
    [() => optimizer.init(labels), message],
    [() => optimizer.update([tensor([1, 2])], optimizer.init([tensor([1, 2])]), labels), message],
  ]);
});

Deno.test("update() wants gradients in the shape and the tree of the parameters", () => {
  const optimizer = sgd({ learningRate: 1 });
  const params = { w: tensor([1, 2]) };
  const state = optimizer.init(params);
  const more = { b: tensor([0]), ...params };
  const two = { params: more, state: optimizer.init(more) };
  assertMessages(TypeError, [
    [
      () => optimizer.update({ b: tensor([1]), w: tensor([[1], [2]]) }, two.state, two.params),
      "Cannot compute sgd as grads.w must have the shape of params.w: " +
      "current shapes are [2, 1] and [2]",
    ],
    [
      () => optimizer.update({ v: tensor([1, 2]) } as unknown as typeof params, state, params),
      "Cannot compute sgd as params and grads must have the same branches: " +
      'current values are {"w":0} and {"v":0}',
    ],
  ]);
});

Deno.test("update() wants a state of its own", () => {
  const params = [tensor([1, 2])];
  const [plain, moving] = [sgd({ learningRate: 1 }), adam({ learningRate: 1 })];
  assertMessages(TypeError, [
    [
      () => moving.update(params, plain.init(params), params),
      "Cannot compute adam as state must come from init or update of the same optimizer, " +
      "with first, second: current value has no moments",
    ],
    [
      () => plain.update(params, moving.init(params), params),
      "Cannot compute sgd as state must come from init or update of the same optimizer, " +
      "with no moments: current value has first, second",
    ],
    [
      () => plain.update(params, {} as ReturnType<typeof plain.init<Tensor[]>>, params),
      "Cannot compute sgd as state must come from init or update of the same optimizer, " +
      "with no moments: current value has no step",
    ],
  ]);
});

Deno.test("update() wants one number from a schedule", () => {
  const params = [tensor([1, 2])];
  const step = (schedule: (step: Tensor) => Tensor) => () => {
    const optimizer = sgd({ learningRate: schedule });
    return optimizer.update(params, optimizer.init(params), params);
  };
  assertMessages(TypeError, [
    [
      step(() => tensor([0.1, 0.2])),
      "Cannot compute sgd as the schedule must return a number, or a tensor of shape []: " +
      "current shape is [2]",
    ],
    [
      step(() => "0.1" as unknown as Tensor),
      "Cannot compute sgd as the schedule must return a number, or a tensor of shape []: " +
      "current value is a string",
    ],
  ]);
});

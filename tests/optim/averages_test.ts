import { assertEquals, assertThrows } from "@std/assert";
import { compile } from "../../src/compile/compile.ts";
import { mul, square, sum } from "../../src/ops/mod.ts";
import {
  accumulateGradients,
  adam,
  movingAverage,
  nadam,
  type Optimizer,
  sgd,
  step,
} from "../../src/optim/mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { treeLeaves } from "../../src/tree.ts";

const float64 = (values: number[]) => tensor(values, { dtype: "float64" });
const GRADS = [[1, -2], [3, 0.5], [-1, 4], [0.25, 1], [2, 2], [5, -3], [9, 9]];

function run(optimizer: Optimizer, grads: readonly number[][]): Tensor[] {
  let params = { x: float64([1, 2]) };
  let state = optimizer.init(params);
  return grads.map((g) => {
    ({ params, state } = optimizer.update({ x: float64(g) }, state, params));
    return params.x;
  });
}

Deno.test("accumulateGradients() moves at every third update, by the mean of three gradients", () => {
  const learningRate = step(0.1, { milestones: [1], factor: 0.5 });
  const makers = [
    () => sgd({ learningRate }),
    () => adam({ learningRate }),
    () => nadam({ learningRate }),
  ];
  for (const make of makers) {
    const found = run(accumulateGradients(make(), { steps: 3 }), GRADS);
    const means = [0, 3].map((at) =>
      [0, 1].map((j) => (GRADS[at]![j]! + GRADS[at + 1]![j]! + GRADS[at + 2]![j]!) / 3)
    );
    const [first, second] = run(make(), means);
    const start = float64([1, 2]);
    [start, start, first, first, first, second, second].forEach((expected, i) =>
      assertAllClose(found[i]!, expected!, { rtol: 1e-14 })
    );
  }
});

Deno.test("accumulateGradients() over one update is the optimizer itself", () => {
  const found = run(accumulateGradients(adam({ learningRate: 0.1 }), { steps: 1 }), GRADS);
  run(adam({ learningRate: 0.1 }), GRADS).forEach((x, i) => assertAllClose(found[i]!, x));
});

Deno.test("accumulateGradients() keeps types, starts sums anew, and is the same in programs", async () => {
  const optimizer = accumulateGradients(adam({ learningRate: 0.1 }), { steps: 2 });
  let params = { w: tensor([1, 2]), b: tensor(0) };
  let state = optimizer.init(params);
  const f = (p: typeof params, s: typeof state) => optimizer.update(p, s, p);
  await using program = await compile(f, [params, state]);
  for (let i = 0; i < 4; i++) {
    const expected = f(params, state);
    const found = await program(params, state);
    treeLeaves(expected).forEach((x, j) => assertAllClose(treeLeaves(found)[j]!, x));
    ({ params, state } = expected);
  }
  assertEquals(treeLeaves(state.moments.accumulated).map((x) => [...x.data]), [[0, 0], [0]]);
  assertEquals([state.step.item(), params.w.dtype], [4, "float32"]);
});

Deno.test("accumulateGradients() refuses what is no optimizer, and other numbers", () => {
  const inner = sgd({ learningRate: 1 });
  const cases: [() => unknown, string][] = [
    [
      () => accumulateGradients({} as Optimizer, { steps: 2 }),
      "optimizer must be an optimizer, such as sgd(…) returns: current value is an object",
    ],
    [
      () => accumulateGradients(inner, { steps: 0 }),
      "steps must be a whole number at least 1 and at most 1048576: current value is 0",
    ],
    [
      () => accumulateGradients(inner, {} as { steps: number }),
      "steps must be a whole number: current value is undefined",
    ],
  ];
  for (const [act, text] of cases) {
    assertEquals(
      assertThrows(act, Error).message,
      `Cannot compute accumulateGradients as ${text}`,
    );
  }
});

Deno.test("movingAverage() weights what it has seen by powers of the decay", () => {
  const decay = 0.8;
  for (const debias of [true, false]) {
    const follower = movingAverage({ decay, debias });
    let state = follower.init({ x: float64([0, 0]) });
    let average = { x: float64([0, 0]) };
    for (const values of GRADS) {
      ({ average, state } = follower.update({ x: float64(values) }, state));
    }
    const weights = GRADS.map((_, i) => (1 - decay) * decay ** (GRADS.length - 1 - i));
    const total = debias ? weights.reduce((a, b) => a + b) : 1;
    const expected = [0, 1].map((j) =>
      GRADS.reduce((sum, values, i) => sum + weights[i]! * values[j]!, 0) / total
    );
    assertAllClose(average.x, expected, { rtol: 1e-13 });
    assertEquals(state.step.item(), GRADS.length);
  }
});

Deno.test("movingAverage() of what stays is what stays, whatever the decay and the type", () => {
  for (const decay of [0, 0.5, 0.999, 0.999999]) {
    const follower = movingAverage({ decay });
    const params = [tensor([3, -1e10]), float64([1e-200])];
    let state = follower.init(params);
    for (let i = 0; i < 3; i++) {
      const updated = follower.update(params, state);
      state = updated.state;
      updated.average.forEach((x: Tensor, j: number) => {
        assertEquals(x.dtype, params[j]!.dtype);
        assertAllClose(x, params[j]!, { rtol: 1e-5, atol: 0 });
      });
    }
  }
});

Deno.test("movingAverage() passes gradients, and refuses other states", () => {
  const follower = movingAverage({ decay: 0.7 });
  checkGradients(
    (a, b) => {
      const { state } = follower.update(a!, follower.init(float64([0, 0])));
      return sum(mul(square(follower.update(b!, state).average), float64([1, 3])));
    },
    [[1, -2], [0.5, 4]],
    { order: 2 },
  );
  assertEquals(
    assertThrows(() => follower.update(tensor(1), 3 as never), TypeError).message,
    "Cannot compute movingAverage as state must be a plain object: current value is 3",
  );
});

Deno.test("accumulateGradients() refuses one that accumulates, and states of others", () => {
  const inner = sgd({ learningRate: 1 });
  const optimizer = accumulateGradients(inner, { steps: 2 });
  const params = float64([1]);
  assertThrows(
    () => accumulateGradients(optimizer, { steps: 3 }).init(params),
    TypeError,
    "Cannot compute accumulateGradients as optimizer must not accumulate gradients itself",
  );
  assertThrows(
    () => optimizer.update(float64([1]), inner.init(params), params),
    TypeError,
    "Cannot compute accumulateGradients as state.moments must have an entry accumulated",
  );
});

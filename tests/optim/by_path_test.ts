import { assertEquals, assertThrows } from "@std/assert";
import { compile } from "../../src/compile/compile.ts";
import { adam, byPath, masked, type Optimizer, sgd } from "../../src/optim/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { tensor } from "../../src/tensor.ts";
import { treeLeaves } from "../../src/tree.ts";

const start = () => ({
  layers: [{ weight: tensor([1, 2]), bias: tensor([3]) }, { weight: tensor([4]), bias: tensor(5) }],
  scale: tensor(6),
});
const values = (tree: unknown) => treeLeaves(tree).map((x) => [...x.data]);

function train(optimizer: Optimizer, count: number) {
  let params = start();
  let state = optimizer.init(params);
  for (let i = 0; i < count; i++) {
    ({ params, state } = optimizer.update(params, state, params));
  }
  return { params, state };
}

Deno.test("byPath() names places by names and positions, joined by dots", () => {
  const seen: string[] = [];
  byPath((path) => {
    seen.push(path);
    return null;
  }).init(start());
  assertEquals(seen, [
    "layers.0.weight",
    "layers.0.bias",
    "layers.1.weight",
    "layers.1.bias",
    "scale",
  ]);
  const alone: string[] = [];
  byPath((path) => (alone.push(path), null)).init(tensor([1]));
  assertEquals(alone, [""]);
});

Deno.test("byPath() moves every parameter as its own optimizer would", () => {
  const [plain, adaptive] = [sgd({ learningRate: 0.1 }), adam({ learningRate: 0.2 })];
  const optimizer = byPath((path) =>
    path === "scale" ? null : path.endsWith("bias") ? plain : adaptive
  );
  const { params, state } = train(optimizer, 3);
  const [slow, fast] = [train(plain, 3).params, train(adaptive, 3).params];
  params.layers.forEach((layer, i) => {
    assertAllClose(layer.bias, slow.layers[i]!.bias);
    assertAllClose(layer.weight, fast.layers[i]!.weight);
  });
  assertEquals([params.scale.item(), state.step.item()], [6, 3]);
  assertEquals(Object.keys(state.moments), ["first", "second"]);
  assertEquals(treeLeaves(state.moments.first).map((x) => x.size), [2, 0, 1, 0, 0]);
});

Deno.test("byPath() of one optimizer is that optimizer", () => {
  const inner = adam({ learningRate: 0.2 });
  assertEquals(values(train(byPath(() => inner), 2)), values(train(inner, 2)));
});

Deno.test("byPath() runs in programs", async () => {
  const inner = adam({ learningRate: 0.2 });
  const optimizer = byPath((path) => path.includes("weight") ? inner : null);
  const params = start();
  const state = optimizer.init(params);
  const f = (p: typeof params, s: typeof state) => optimizer.update(p, s, p);
  await using program = await compile(f, [params, state]);
  const found = treeLeaves(await program(params, state));
  treeLeaves(f(params, state)).forEach((x, i) => assertAllClose(found[i]!, x));
});

Deno.test("masked() leaves what is not chosen as it is, whatever its gradient", () => {
  const optimizer = masked(sgd({ learningRate: 1 }), (path) => path === "a");
  const params = { a: tensor([1, 2]), b: tensor([3], { dtype: "int32" }) };
  const { params: next } = optimizer.update(
    { a: [1, 1], b: [NaN, NaN] } as unknown as typeof params,
    optimizer.init(params),
    params,
  );
  assertEquals([next.a.toArray(), next.b.toArray(), next.b.dtype], [[0, 1], [3], "int32"]);
});

Deno.test("byPath() and masked() refuse choices that are none, and states of others", () => {
  const inner = sgd({ learningRate: 1, momentum: 0.5 });
  const params = { x: tensor([1]) };
  const cases: [() => unknown, string][] = [
    [
      () => byPath(inner as never),
      "byPath as choose must be a function: current value is an object",
    ],
    [
      () => byPath(() => undefined as never).init(params),
      'byPath as what is chosen for "x" must be an optimizer, such as sgd(…) returns: ' +
      "current value is undefined",
    ],
    [
      () => masked(inner, (() => 1) as never).init(params),
      'masked as isMoved must return true or false: current value for "x" is 1',
    ],
    [
      () => byPath(() => inner).update(params, 1 as never, params),
      "byPath as state must be a plain object: current value is 1",
    ],
    [
      () => byPath(() => inner).update(params, { step: tensor(0), moments: {} } as never, params),
      "sgd as state must come from init or update of the same optimizer, with momentum: " +
      "current value has no moments",
    ],
  ];
  for (const [act, text] of cases) {
    assertEquals(assertThrows(act, TypeError).message, `Cannot compute ${text}`);
  }
});

import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { Tensor, tensor, treeLeaves, treeMap } from "../mod.ts";
import { flattenTree, leavesLike, mapTensors } from "../src/tree.ts";

const message = (f: () => unknown) => assertThrows(f, TypeError).message;

/** Arrays and objects of tensors, nested at random. */
const trees: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    fc.integer().map((n) => tensor(n, { dtype: "float64" })),
    fc.array(tie("tree"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("tree"), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
})).tree;

Deno.test("flattenTree() takes trees apart and puts them together again", () => {
  fc.assert(
    fc.property(trees, (tree) => {
      const { leaves, rebuild } = flattenTree("f", tree);
      assertEquals(rebuild(leaves), tree);
    }),
    { seed: 3, numRuns: 200 },
  );
});

Deno.test("flattenTree() finds the leaves in the order in which they stand", () => {
  const tree = { b: tensor(1), a: [tensor(2), { z: tensor(3), y: tensor(4) }] };
  assertEquals(flattenTree("f", tree).leaves.map((x) => x.item()), [1, 2, 3, 4]);
});

Deno.test("flattenTree() makes tensors of numbers, nested numbers and typed arrays", () => {
  const tree = { a: 1, b: [[1, 2], [3, 4]], c: Int32Array.of(1), d: true, e: [1, tensor([2])] };
  assertEquals(flattenTree("f", tree).leaves.map((x) => [x.dtype, x.shape]), [
    ["float32", []],
    ["float32", [2, 2]],
    ["int32", [1]],
    ["bool", []],
    ["float32", []],
    ["float32", [1]],
  ]);
});

Deno.test("flattenTree() sees an empty array or object as a branch without leaves", () => {
  for (const tree of [[], {}, { layers: [] }]) {
    const { leaves, rebuild } = flattenTree("f", tree);
    assertEquals([leaves, rebuild([])], [[], tree]);
  }
});

Deno.test("flattenTree() goes through objects without a prototype", () => {
  const tree = Object.assign(Object.create(null), { w: tensor(1) });
  assertEquals(flattenTree("f", tree).leaves.length, 1);
});

Deno.test("flattenTree() names the place and the kind of a foreign leaf", () => {
  const cases: [unknown, string][] = [
    [
      { w: tensor(1), name: "b" },
      'argument 0.name must be a tensor, or an array or plain object of tensors: current value is "b"',
    ],
    [
      [tensor(1), null],
      "argument 0[1] must be a tensor, or an array or plain object of tensors: current value is null",
    ],
    [
      { a: [{ b: undefined }] },
      "argument 0.a[0].b must be a tensor, or an array or plain object of tensors: current value is undefined",
    ],
    [
      { f: () => 1 },
      "argument 0.f must be a tensor, or an array or plain object of tensors: current value is a function",
    ],
    [
      new Map(),
      "argument 0 must be a tensor, or an array or plain object of tensors: current value is a Map",
    ],
  ];
  for (const [tree, text] of cases) {
    assertEquals(
      message(() => flattenTree("grad", tree, "argument 0")),
      `Cannot compute grad as ${text}`,
    );
  }
});

Deno.test("treeMap() keeps branches and applies the function to leaves", () => {
  const tree = { w: tensor([1, 2]), layers: [{ b: tensor(3) }] };
  const twice = treeMap((x) => x.mul(2), tree);
  assertEquals(twice.w.toArray(), [2, 4]);
  assertEquals(twice.layers[0]!.b.item(), 6);
});

Deno.test("treeMap() matches leaves by key, however the keys are ordered", () => {
  const one = { a: tensor(1), b: [tensor(2)] };
  const other = { b: [tensor(20)], a: tensor(10) };
  const sums = treeMap((x, y) => x.add(y!), one, other);
  assertEquals([sums.a.item(), sums.b[0]!.item()], [11, 22]);
  assertEquals(Object.keys(sums), ["a", "b"]);
});

Deno.test("treeMap() goes over any number of trees", () => {
  const add = (...leaves: Tensor[]) => leaves.reduce((a, b) => a.add(b));
  const sums = treeMap(add, { a: 1, b: 2 }, { a: 3, b: 4 }, { a: 5, b: tensor(6) });
  assertEquals([sums.a.item(), sums.b.item()], [9, 12]);
});

Deno.test("treeMap() refuses trees of other branches, showing both", () => {
  const one = { w: tensor(1), b: [tensor(2)] };
  const cases: [unknown, string][] = [
    [{ w: tensor(1) }, '{"w":0}'],
    [{ w: tensor(1), c: [tensor(2)] }, '{"c":[0],"w":0}'],
    [{ w: tensor(1), b: tensor(2) }, '{"b":0,"w":0}'],
    [{ w: tensor(1), b: [tensor(2), tensor(3)] }, '{"b":[0,0],"w":0}'],
    [tensor(1), "0"],
  ];
  for (const [other, found] of cases) {
    assertEquals(
      message(() => treeMap((x) => x, one, other)),
      "Cannot compute treeMap as the trees must have the same branches: " +
        `current values are {"b":[0],"w":0} and ${found}`,
    );
  }
});

Deno.test("treeMap() says in which tree a foreign leaf stands", () => {
  assertEquals(
    message(() => treeMap((x) => x, { w: tensor(1) }, { w: "no" })),
    "Cannot compute treeMap as tree 2.w must be a tensor, or an array or plain object of tensors: " +
      'current value is "no"',
  );
});

Deno.test("leavesLike() gives the leaves in the order of the other tree", () => {
  const like = flattenTree("f", { a: tensor(1), b: tensor(2) });
  const leaves = leavesLike("f", { b: tensor(20), a: tensor(10) }, like, "v");
  assertEquals(leaves.map((x) => x.item()), [10, 20]);
});

Deno.test("treeLeaves() lists the leaves", () => {
  const w = tensor([1, 2]);
  assertEquals(treeLeaves({ w, b: [0.5] }).map((x) => x.shape), [[2], [1]]);
  assertStrictEquals(treeLeaves([w])[0], w);
});

Deno.test("mapTensors() replaces tensors and leaves everything else as it is", () => {
  const other = new Map([["k", 1]]);
  const given = { x: tensor(1), list: [tensor(2), "text", 3, null], other };
  const found = mapTensors("grad", "aux", given, (x) => x.item()) as typeof given;
  assertEquals(found as unknown, { x: 1, list: [2, "text", 3, null], other });
  assertStrictEquals(found.other, other);
  assert(given.x instanceof Tensor);
});

Deno.test("trees that contain themselves, or are too deep, are refused", () => {
  const [object, array]: [Record<string, unknown>, unknown[]] = [{ w: 1 }, [tensor(1)]];
  object.self = { again: object };
  array.push(array);
  for (const tree of [object, array]) {
    assertEquals(
      message(() => flattenTree("grad", tree, "argument 0")),
      "Cannot compute grad as argument 0 must not contain itself",
    );
    assertEquals(
      message(() => mapTensors("grad", "aux", tree, (x) => x)),
      "Cannot compute grad as aux must not contain itself",
    );
  }
  const deep = Array.from({ length: 10_000 }).reduce<unknown>((inner) => ({ inner }), tensor(1));
  assertEquals(
    message(() => treeLeaves(deep)),
    "Cannot compute treeLeaves as the tree must be at most 256 branches deep",
  );
  const shared = { w: tensor(1) };
  assertEquals(treeLeaves([shared, shared, [shared]]).length, 3);
});

Deno.test("trees name the place of a hole, and of a leaf that is none", () => {
  const cases: [unknown, string][] = [
    [{ w: [1, 2, 3] }, "argument 0.w[1] must be a number or boolean: current value is a hole"],
    [
      [tensor(1), 2, 3],
      "argument 0[1] must be a tensor, or an array or plain object of tensors: " +
      "current value is undefined",
    ],
  ];
  for (const [tree, text] of cases) {
    delete ((tree as { w?: number[] }).w ?? tree as number[])[1];
    assertEquals(
      message(() => flattenTree("grad", tree, "argument 0")),
      `Cannot compute grad as ${text}`,
    );
  }
  const doubled = Array.from({ length: 60 }).reduce<unknown>((inner) => [inner, inner], 1);
  assertStringIncludes(
    assertThrows(() => flattenTree("grad", doubled), RangeError).message,
    "Cannot compute grad as a tensor must take at most 4 GiB",
  );
});

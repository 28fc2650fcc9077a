import { assertEquals } from "@std/assert";
import * as cg from "../../mod.ts";
import { checkLabels } from "../../src/labels.ts";
import {
  argMax,
  argSort,
  concat,
  gather,
  notEqual,
  reshape,
  slice,
  takeAlongAxis,
  transpose,
  where,
} from "../../src/ops/mod.ts";
import { isBelow } from "../../src/program/bounds.ts";
import { record } from "../../src/program/record.ts";
import { key, permutation } from "../../src/random.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";

const LABELS = { shape: [4], dtype: "int32" } as const;

/** Below which bounds, of 1 to 9, the result of a function of labels and logits is certain to be. */
function boundsOf(f: (labels: Tensor, logits: Tensor) => Tensor): number[] {
  const graph = record([LABELS, { shape: [4, 5], dtype: "float32" }], (xs) => [f(xs[0]!, xs[1]!)]);
  return [...Array(9).keys()].map((i) => i + 1)
    .filter((bound) => isBelow(graph.outputs[0]!, bound, graph));
}

const from = (least: number) => [...Array(9).keys()].map((i) => i + 1).filter((i) => i >= least);
const checked = (x: Tensor, ignore?: number) =>
  checkLabels("f", x, 3, { ...ignore === undefined ? {} : { ignore } });

const CASES: Record<string, [f: (labels: Tensor, logits: Tensor) => Tensor, least: number]> = {
  "an argument": [(x) => x, 10],
  "a constant": [() => tensor([0, 4, 2], { dtype: "int32" }), 5],
  "a negative constant": [() => tensor([0, -1], { dtype: "int32" }), 10],
  "checked labels": [(x) => checked(x), 3],
  "labels with an exception": [(x) => checked(x, -1), 10],
  "labels with an exception inside": [(x) => checked(x, 5), 6],
  "labels without their exception": [
    (x) => where(notEqual(checked(x, -1), -1), checked(x, -1), tensor(0, { dtype: "int32" })),
    10,
  ],
  "the order of an axis": [(_, y) => argSort(y, { axis: 1 }), 5],
  "the best of several axes": [(_, y) => argMax(y), 20],
  "the best of one": [(_, y) => argMax(y, { axis: 0 }), 4],
  "a permutation": [() => permutation(key(1), 6), 6],
  "labels in other places": [
    (x) => transpose(reshape(concat([slice(checked(x), [1], [3]), checked(x)]), [2, 3])),
    3,
  ],
  "labels and others": [(x) => concat([checked(x), x]), 10],
  "labels looked up": [(x) => gather(checked(x), [3, 0]), 3],
  "order looked up": [(_, y) => takeAlongAxis(argSort(y), argSort(y), { axis: 1 }), 5],
  "sums": [(x) => checked(x).add(1), 10],
};

for (const [name, [f, least]] of Object.entries(CASES)) {
  Deno.test(`${name}: what is certain to be a position`, () => {
    assertEquals(boundsOf(f), from(least));
  });
}

Deno.test("labels that are chosen where they are not the exception are positions", () => {
  const f = (x: Tensor) => {
    const labels = checked(x, -1);
    return where(notEqual(labels, -1), labels, tensor(0, { dtype: "int32" }));
  };
  assertEquals(boundsOf(f), from(3));
});

Deno.test("isBelow() looks at each value once: of 40 that are joined with themselves, too", async () => {
  const places = (i: cg.Tensor) => {
    let p = cg.argSort(i);
    for (let k = 0; k < 40; k++) p = cg.concat([p, cg.flip(p)]).slice(0, 3);
    return p;
  };
  const [x, i] = [cg.tensor([1, 2, 3]), cg.tensor(Int32Array.of(2, 0, 1))];
  await using program = await cg.compile((x: cg.Tensor, i: cg.Tensor) => cg.gather(x, places(i)), [
    x,
    i,
  ]);
  assertEquals((await program(x, i)).data, cg.gather(x, places(i)).data);
});

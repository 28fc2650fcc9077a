import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as cg from "../../mod.ts";
import { checkLabels } from "../../src/labels.ts";
import type { Graph } from "../../src/program/graph.ts";
import { eliminateDeadCode } from "../../src/program/passes/dead_code.ts";
import { foldConstants } from "../../src/program/passes/constant_folding.ts";
import { fuseSteps, isGroup } from "../../src/program/passes/fuse.ts";
import { eliminateCommonSubexpressions } from "../../src/program/passes/common_subexpressions.ts";
import { simplifySteps } from "../../src/program/passes/simplify.ts";
import { isAlias } from "../../src/program/alias.ts";
import { planMemory, readsOf, writesOf } from "../../src/program/plan.ts";
import { record } from "../../src/program/record.ts";

type Tensor = cg.Tensor;

/** The graph of a function of float64 matrices. */
function graphOf(f: (...xs: Tensor[]) => Tensor, shape: number[] = [2, 3]): Graph {
  const specs = Array.from({ length: f.length }, () => ({ shape, dtype: "float64" as const }));
  return record(specs, (inputs) => [f(...inputs)]);
}

const names = ({ steps }: Pick<Graph, "steps">) => steps.map((step) => step.op.name);

Deno.test("eliminateDeadCode() drops what no output needs", () => {
  const graph = graphOf((x) => {
    x.exp().log();
    return x.sin();
  });
  assertEquals(names(eliminateDeadCode(graph)), ["sin"]);
});

Deno.test("eliminateDeadCode() keeps checks", () => {
  const graph = record([{ shape: [3], dtype: "int32" }], ([labels]) => {
    checkLabels("f", labels!, 2);
    return [labels!];
  });
  assertEquals(names(eliminateDeadCode(graph)), ["checkLabels"]);
});

Deno.test("eliminateCommonSubexpressions() does equal steps once, and looks at parameters", () => {
  const graph = graphOf((x) =>
    x.exp().add(x.exp()).add(x.sum({ axis: 0 })).add(x.sum({ axis: 1, keepDims: true }))
  );
  assertEquals(names(eliminateCommonSubexpressions(graph)), [
    "exp",
    "add",
    "sum",
    "add",
    "sum",
    "add",
  ]);
});

Deno.test("eliminateCommonSubexpressions() tells −0 from 0", () => {
  const graph = graphOf((x) => x.pow(0).add(x.pow(-0)).add(x.div(0)).add(x.div(-0)));
  assertEquals(
    names(eliminateCommonSubexpressions(graph)).filter((name) => name === "div").length,
    2,
  );
});

Deno.test("eliminateCommonSubexpressions() leaves steps alone whose parameters are functions", () => {
  const graph = graphOf((x) => cg.debugGradient(x, "a").add(cg.debugGradient(x, "a")));
  assertEquals(names(eliminateCommonSubexpressions(graph)).length, 3);
});

Deno.test("foldConstants() does what depends on constants only", () => {
  // Recorded, as they depend on an argument's shape only.
  const graph = graphOf((x) => x.mul(cg.stopGradient(x)));
  assertEquals(names(foldConstants(graph)), ["stopGradient", "mul"]);
  const [one] = [...graph.constants.keys()];
  assertEquals(one, undefined);
  const step = { ...graph.steps[0]!, inputs: [0], output: 1 };
  const constant: Graph = {
    ...graph,
    inputs: [],
    constants: new Map([[0, cg.tensor(new Float64Array(6), { shape: [2, 3] })]]),
    steps: [step],
    outputs: [1],
  };
  const folded = foldConstants(constant);
  assertEquals([folded.steps.length, folded.constants.get(1)!.shape], [0, [2, 3]]);
});

Deno.test("foldConstants() keeps no large values, but what is made of them", () => {
  const specs = [[300, 300], [300]].map((shape) => ({ shape, dtype: "float64" as const }));
  const slopes = cg.grad((x: Tensor, b: Tensor) => x.add(b).mean(), { argnums: [0, 1] });
  const graph = foldConstants(record(specs, ([x, b]) => slopes(x!, b!) as Tensor[]));
  const folded = eliminateDeadCode(graph);
  assertEquals(names(folded), ["broadcastTo"]);
  const [ofX, ofB] = graph.outputs;
  assertAlmostEquals(folded.constants.get(ofB!)!.data[299]!, 300 / 90_000, 1e-15);
  assertEquals(folded.constants.has(ofX!), false);
  assert([...graph.constants.values()].every(({ size }) => size <= 300));
});

Deno.test("foldConstants() runs checks on constants at once", () => {
  const labels = cg.tensor([5], { dtype: "int32" });
  assertThrows(() => checkLabels("f", labels, 2), RangeError, "must be in [0, 1]");
});

for (
  const [what, f] of [
    ["x·1", (x: Tensor) => x.mul(1)],
    ["1·x", (x: Tensor) => cg.mul(1, x)],
    ["x/1", (x: Tensor) => x.div(1)],
    ["x−0", (x: Tensor) => x.sub(0)],
    ["−−x", (x: Tensor) => x.neg().neg()],
    ["x to the power of 1", (x: Tensor) => x.pow(1)],
    ["a reshape to the same shape", (x: Tensor) => x.reshape([3, 2]).reshape([2, 3])],
    ["two transposes", (x: Tensor) => x.transpose().transpose()],
    ["stopGradient", (x: Tensor) => cg.stopGradient(x)],
    ["a broadcast to the same shape", (x: Tensor) => cg.broadcastTo(x, [2, 3])],
  ] as const
) {
  Deno.test(`simplifySteps() sees that ${what} is x`, () => {
    const graph = eliminateDeadCode(simplifySteps(graphOf(f)));
    assertEquals([names(graph), graph.outputs], [[], graph.inputs]);
  });
}

for (
  const [what, f] of [
    ["x+0, as −0+0 is 0", (x: Tensor) => x.add(0)],
    ["x·0, as NaN·0 is NaN", (x: Tensor) => x.mul(0)],
    ["x−(−0)", (x: Tensor) => x.sub(-0)],
    ["a sum over no axes, as that of −0 is 0", (x: Tensor) => x.sum({ axis: [] })],
    [
      "a product with ones of a larger shape",
      (x: Tensor) => x.mul(cg.ones([4, 2, 3], { dtype: "float64" })),
    ],
  ] as const
) {
  Deno.test(`simplifySteps() leaves alone ${what}`, () => {
    assertEquals(simplifySteps(graphOf(f)).steps.length, 1);
  });
}

Deno.test("fuseSteps() makes one loop of a chain and the sum of its rows", () => {
  const [group, ...rest] = fuseSteps(graphOf((x, y) => x.sub(y).square().exp().sum({ axis: 1 })));
  assert(isGroup(group!));
  assertEquals([rest.length, names(group)], [0, ["sub", "mul", "exp", "sum"]]);
  assertEquals(group.outputs, [group.steps.at(-1)!.output]);
});

Deno.test("fuseSteps() waits for a reduction before its result is used in the same shape", () => {
  const units = fuseSteps(graphOf((x) => {
    const powers = x.exp();
    return powers.div(powers.sum({ axis: 1, keepDims: true }));
  }));
  assertEquals(units.map((unit) => isGroup(unit) ? unit.steps.length : 0), [2, 1]);
});

Deno.test("fuseSteps() does not close a circle through a step between two members", () => {
  const units = fuseSteps(graphOf((x) => {
    const a = x.exp();
    return a.add(a.matmul(a));
  }, [3, 3]));
  assertEquals(units.map((unit) => isGroup(unit) ? "loop" : unit.op.name), [
    "loop",
    "matmul",
    "loop",
  ]);
});

Deno.test("planMemory() never writes where a value lies that is still needed", () => {
  const f = (x: Tensor, y: Tensor) => {
    const powers = x.sub(y.max({ axis: 1, keepDims: true })).exp();
    const product = powers.matmul(y.transpose()).tanh();
    return product.matmul(x).add(powers).reshape([6]).sort().reshape([2, 3]).mul(x);
  };
  const slope = cg.grad((x: Tensor, y: Tensor) => f(x, y).sum());
  const graph = eliminateDeadCode(graphOf((x, y) => slope(x, y)));
  const plan = planMemory(graph, (body) => fuseSteps(body, { passes: true }));
  const { units, offsets, bytes, unsharedBytes } = plan;
  assert(bytes < unsharedBytes);
  const place = (id: number) => {
    const { shape } = graph.values[id]!;
    const start = offsets.get(id)!;
    return [start, start + 8 * shape.reduce((a, b) => a * b, 1)] as const;
  };
  const roots = new Map<number, number>();
  const rootOf = (id: number): number => roots.has(id) ? rootOf(roots.get(id)!) : id;
  for (const unit of units) {
    if (!isGroup(unit) && isAlias(unit, graph)) roots.set(unit.output, unit.inputs[0]!);
  }
  units.forEach((unit, i) => {
    const later = new Set(
      units.slice(i + 1).flatMap((u) => [...readsOf(u)]).concat(graph.outputs).map(rootOf),
    );
    for (const id of writesOf(unit)) {
      const [start, end] = place(id);
      for (const other of new Set([...later, ...readsOf(unit).map(rootOf)])) {
        if (other === rootOf(id) || !offsets.has(other)) continue;
        const born = units.findIndex((u) => writesOf(u).includes(other));
        if (born > i) continue;
        const [from, to] = place(other);
        assert(end <= from || to <= start, `%${id} overwrites %${other}`);
      }
    }
  });
});

import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import { crossEntropyLoss, stateObjective } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/state_objective.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  cells: floats([2, 3, 2]),
  observed: floats([2, 4, 2]),
  expression: floats([2, 3, 1]),
  values: floats([2, 4, 1]),
  batchLogits: floats([2, 3]),
  confidence: floats([2], 0, 3),
  controls: floats([2, 3, 2]),
});
const f64 = (values: number[][][]) => tensor(values, { dtype: "float64" });

/** Half of the energy distance, pair by pair. */
function halfEnergy(x: number[][], y: number[][]): number {
  const mean = (a: number[][], b: number[][]) =>
    a.flatMap((p) => b.map((q) => Math.hypot(...p.map((v, i) => v - q[i]!))))
      .reduce((sum, d) => sum + d, 0) / (a.length * b.length);
  return mean(x, y) - mean(x, x) / 2 - mean(y, y) / 2;
}

const setsOf = (x: Tensor) => x.toArray() as number[][][];

Deno.test("stateObjective() agrees with the golden vectors", () => {
  checkGolden(golden, COUNT_FUNCTIONS.state_objective!);
});

Deno.test("stateObjective() returns each loss before its weight, and adds them up", () => {
  fc.assert(
    fc.property(cases, ({ observed, values, controls, ...outputs }) => {
      const { total, parts: p } = stateObjective(
        outputs,
        { cells: observed, expression: values, batchLabels: [2, 0], controls },
        { changeWeight: 0.5 },
      );
      const names = ["distribution", "expression", "batch", "confidence", "change"];
      assertEquals(Object.keys(p), names);
      const [x, y] = [setsOf(outputs.cells), setsOf(observed)];
      const distances = x.map((cells, i) => halfEnergy(cells, y[i]!));
      assertAllClose(p.distribution!, (distances[0]! + distances[1]!) / 2, { atol: 1e-12 });
      const [u, v] = [setsOf(outputs.expression), setsOf(values)];
      const genes = u.map((cells, i) => halfEnergy(cells, v[i]!));
      assertAllClose(p.expression!, (genes[0]! + genes[1]!) / 2, { atol: 1e-12 });
      assertSame(p.batch!, crossEntropyLoss(outputs.batchLogits, [2, 0]));
      const off = outputs.confidence.sub(tensor(distances, { dtype: "float64" }).mul(10));
      assertAllClose(p.confidence!, off.square().mean(), { rtol: 1e-9, atol: 1e-12 });
      assertSame(p.change!, outputs.cells.sub(controls).abs().mean());
      const sum = p.distribution!.add(p.expression!).add(p.batch!.mul(0.1))
        .add(p.confidence!.mul(0.01)).add(p.change!.div(2));
      assertAllClose(total, sum, { rtol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("stateObjective() weighs each part as it is told to", () => {
  fc.assert(
    fc.property(cases, ({ observed, values, controls, ...outputs }) => {
      const targets = { cells: observed, expression: values, batchLabels: [2, 0], controls };
      const { total, parts: p } = stateObjective(outputs, targets, {
        ...{ expressionWeight: 2, batchWeight: 3, confidenceWeight: 5, confidenceScale: 0.5 },
        changeWeight: 7,
      });
      const sum = p.distribution!.add(p.expression!.mul(2)).add(p.batch!.mul(3))
        .add(p.confidence!.mul(5)).add(p.change!.mul(7));
      assertAllClose(total, sum, { rtol: 1e-12 });
      const plain = stateObjective(outputs, targets).parts;
      assertSame(p.expression!, plain.expression!);
      const weighed = plain.distribution!.add(plain.expression!).add(plain.batch!.mul(0.1))
        .add(plain.confidence!.mul(0.01)); // by default, the change from controls is not
      assertAllClose(stateObjective(outputs, targets).total, weighed, { rtol: 1e-12 });
      const alone = stateObjective({ cells: outputs.cells }, { cells: observed });
      assertEquals(Object.keys(alone.parts), ["distribution"]);
      assertSame(alone.total, plain.distribution!);
    }),
    RUNS,
  );
});

Deno.test("stateObjective() sees sets: no order of cells, and nothing between sets", () => {
  fc.assert(
    fc.property(cases, permutations(3), permutations(4), ({ cells, observed }, a, b) => {
      const total = stateObjective({ cells }, { cells: observed }).total;
      const moved = (x: Tensor, order: number[]) =>
        x.transpose(1, 0, 2).gather(order).transpose(1, 0, 2);
      const other = stateObjective({ cells: moved(cells, a) }, { cells: moved(observed, b) }).total;
      assertAllClose(other, total, { atol: 1e-12 });
      assertGreaterOrEqual(total.item(), -1e-12);
      const one = [0, 1].map((i) =>
        stateObjective({ cells: cells.slice(i, i + 1) }, { cells: observed.slice(i, i + 1) }).total
      );
      assertAllClose(total, one[0]!.add(one[1]!).div(2), { atol: 1e-12 });
      assertAllClose(stateObjective({ cells }, { cells }).total, 0, { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("stateObjective() compares cell by cell as mse, or by a function", () => {
  fc.assert(
    fc.property(cases, ({ cells, controls }) => {
      const squared = cells.sub(controls).square().mean();
      const targets = { cells: controls };
      assertSame(stateObjective({ cells }, targets, { distance: "mse" }).total, squared);
      const distance = (x: Tensor, y: Tensor) => x.sub(y).square().mean();
      assertSame(stateObjective({ cells }, targets, { distance }).total, squared);
    }),
    RUNS,
  );
});

Deno.test("stateObjective() does not move cells by their confidence", () => {
  const loss = (cells: Tensor) =>
    stateObjective({ cells, confidence: [3] }, { cells: [[[1]]] }, { distance: "mse" }).parts
      .confidence!;
  assertAllZero(grad(loss)([[[5]]]));
  assertEquals(loss(f64([[[1]]])).item(), 9);
});

Deno.test("stateObjective() has the right first derivatives", () => {
  fc.assert(
    fc.property(cases, ({ cells, expression, batchLogits, observed, values, controls }) => {
      checkGradients(
        (x, e, z) =>
          stateObjective(
            { cells: x, expression: e, batchLogits: z },
            { cells: observed, expression: values, batchLabels: [2, 0], controls },
            { changeWeight: 0.5, distance: (a, b) => a.mean().sub(b.mean()).square() },
          ).total,
        [cells.add(7), expression, batchLogits],
        { rtol: 1e-5 },
      );
    }),
    FEW_RUNS,
  );
});

Deno.test("stateObjective() is finite where cells are the same", () => {
  const same = tensor([[[1, 2], [1, 2]]]);
  assertFinite((cells) => stateObjective({ cells }, { cells: same }).total, [same]);
});

Deno.test("stateObjective() lets NaN out, and is 0 for no sets", () => {
  const { total } = stateObjective({ cells: [[[NaN]], [[1]]] }, { cells: [[[1]], [[1]]] });
  assert(Number.isNaN(total.item()));
  const none = tensor([], { shape: [0, 2, 3] });
  assertEquals(
    stateObjective({ cells: none }, { cells: none }, { distance: "mse" }).total.item(),
    0,
  );
});

const cells = [[[0], [1]]];
const ours = "Cannot compute stateObjective as ";

testMisuse("stateObjective", [
  [
    "no observed cells",
    () => stateObjective({ cells }, {} as never),
    TypeError,
    `${ours}targets.cells is missing: it is always needed`,
  ],
  [
    "cells that are no sets",
    () => stateObjective({ cells: [[0], [1]] }, { cells }),
    TypeError,
    `${ours}outputs.cells must have the shape [sets, cells, features]: current shape is [2, 1]`,
  ],
  [
    "sets of other features",
    () => stateObjective({ cells }, { cells: [[[0, 0]]] }),
    TypeError,
    `${ours}targets.cells must have the shape [1, cells, 1]: current shape is [1, 1, 2]`,
  ],
  [
    "other numbers of cells as mse",
    () => stateObjective({ cells }, { cells: [[[0]]] }, { distance: "mse" }),
    TypeError,
    `${ours}outputs.cells and targets.cells must have the same shape: ` +
    "current shapes are [1, 2, 1] and [1, 1, 1]",
  ],
  [
    "expression of one side",
    () => stateObjective({ cells, expression: cells }, { cells }),
    TypeError,
    `${ours}targets.expression is missing: give both outputs and targets, or neither`,
  ],
  [
    "expression of the other side",
    () => stateObjective({ cells }, { cells, expression: cells }),
    TypeError,
    `${ours}outputs.expression is missing: give both outputs and targets, or neither`,
  ],
  [
    "batches of one side",
    () => stateObjective({ cells, batchLogits: [[0, 0]] }, { cells }),
    TypeError,
    `${ours}targets.batchLabels is missing: give both outputs.batchLogits and ` +
    "targets.batchLabels, or neither",
  ],
  [
    "batches of the other side",
    () => stateObjective({ cells }, { cells, batchLabels: [0] }),
    TypeError,
    `${ours}outputs.batchLogits is missing: give both outputs.batchLogits and ` +
    "targets.batchLabels, or neither",
  ],
  [
    "confidence of other sets",
    () => stateObjective({ cells, confidence: [1, 2] }, { cells }),
    TypeError,
    `${ours}outputs.confidence and distances must have the same shape: current shapes are [2] and [1]`,
  ],
  [
    "controls of other cells",
    () => stateObjective({ cells }, { cells, controls: [[[0]]] }),
    TypeError,
    `${ours}outputs.cells and targets.controls must have the same shape: ` +
    "current shapes are [1, 2, 1] and [1, 1, 1]",
  ],
  [
    "an unknown distance",
    () => stateObjective({ cells }, { cells }, { distance: "sinkhorn" as never }),
    TypeError,
    `${ours}distance must be one of energy, mse: current value is sinkhorn`,
  ],
  [
    "a distance that gives many numbers",
    () => stateObjective({ cells }, { cells }, { distance: (x, y) => x.sub(y) }),
    TypeError,
    `${ours}distance must give a scalar tensor for two sets of cells: current shape is [2, 1]`,
  ],
  [
    "a distance that gives nothing",
    () => stateObjective({ cells }, { cells }, { distance: (() => {}) as never }),
    TypeError,
    `${ours}distance must give a scalar tensor for two sets of cells: current value is undefined`,
  ],
  ...(["expressionWeight", "batchWeight", "confidenceWeight", "changeWeight"] as const).map((
    name,
  ) =>
    [
      `a negative ${name}`,
      () => stateObjective({ cells }, { cells }, { [name]: -1 }),
      RangeError,
      `${ours}${name} must be a finite number at least 0: current value is -1`,
    ] as const
  ),
  [
    "a scale of 0",
    () => stateObjective({ cells }, { cells }, { confidenceScale: 0 }),
    RangeError,
    `${ours}confidenceScale must be a finite number above 0: current value is 0`,
  ],
  [
    "a foreign output",
    () => stateObjective({ cells, preds: cells } as never, { cells }),
    TypeError,
    `${ours}outputs must be an object with any of cells, expression, batchLogits, confidence: ` +
    'it has "preds"',
  ],
  [
    "a foreign target",
    () => stateObjective({ cells }, { cells, counts: cells } as never),
    TypeError,
    `${ours}targets must be an object with any of cells, expression, batchLabels, controls: ` +
    'it has "counts"',
  ],
]);

import { assert, assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { pearson } from "@cellgrad/cellgrad/metrics";
import { simulateExperiment } from "../../../examples/lib/perturb/experiment.ts";
import {
  baselines,
  cellsOf,
  heldOut,
  meanExpression,
  rank,
  score,
} from "../../../examples/lib/perturb/measures.ts";

const SIZES = {
  genes: 20,
  pathways: 3,
  controls: 60,
  cellsPerCondition: 20,
  perturbable: 10,
  seenGenes: 7,
  trainCombinations: 4,
  testCombinations: 2,
};
const experiment = simulateExperiment(SIZES, 5);

Deno.test("simulateExperiment() gives every condition its cells", () => {
  const { conditions, conditionOf, expression } = experiment;
  assertEquals(conditions.length, 10 + 4 + 3 * 2);
  assertEquals(expression.shape, [60 + 20 * 20, 20]);
  assertEquals(cellsOf(experiment, -1).length, 60);
  for (const condition of conditions.keys()) {
    assertEquals(conditionOf.filter((c) => c === condition).length, 20);
  }
});

Deno.test("simulateExperiment() holds out what its kinds say", () => {
  const { conditions } = experiment;
  const seen = new Set(
    conditions.filter(({ kind, genes }) => kind === "training" && genes.length === 1)
      .map(({ genes }) => genes[0]!),
  );
  assertEquals(seen.size, 7);
  const expected = { "both genes seen": 2, "one gene seen": 1, "no gene seen": 0, "new gene": 0 };
  for (const { kind, genes } of conditions) {
    if (kind === "training") assert(genes.every((gene) => seen.has(gene)));
    else assertEquals(genes.filter((gene) => seen.has(gene)).length, expected[kind]);
  }
  assertEquals(new Set(conditions.map(({ name }) => name)).size, conditions.length);
});

Deno.test("simulateExperiment() gives the same cells for the same seed, and others for another", () => {
  const again = simulateExperiment(SIZES, 5);
  assertEquals(again.expression.data, experiment.expression.data);
  assert(String(simulateExperiment(SIZES, 6).expression.data) !== String(again.expression.data));
});

Deno.test("simulateExperiment() knows the effects that its cells show", () => {
  const control = meanExpression(experiment, cellsOf(experiment, -1));
  for (const condition of heldOut(experiment)) {
    const mean = meanExpression(experiment, cellsOf(experiment, condition));
    const change = mean.map((value, gene) => value - control[gene]!);
    assertGreater(pearson(change, experiment.effects[condition]!), 0.8);
  }
});

Deno.test("simulateExperiment() raises the activated gene", () => {
  const { conditions, effects } = experiment;
  conditions.forEach(({ genes }, condition) =>
    genes.forEach((gene) => assertGreater(effects[condition]![gene]!, 0.3))
  );
});

Deno.test("score() gives no change a correlation of 0, and the known effect one near 1", () => {
  const [nothing, mean, sum, known] = baselines(experiment)
    .map(({ predict }) => score(experiment, predict).all);
  assertEquals(nothing!.pearsonDelta, 0);
  assertGreater(known!.pearsonDelta, 0.9);
  assertGreater(known!.pearsonDelta, mean!.pearsonDelta);
  assertGreater(known!.pearsonDelta, sum!.pearsonDelta);
});

Deno.test("score() takes the mean over the cells of a prediction", () => {
  const truth = (condition: number) => meanExpression(experiment, cellsOf(experiment, condition));
  const spread = (condition: number) => {
    const mean = truth(condition);
    return [...mean.map((value) => value - 1), ...mean.map((value) => value + 1)];
  };
  const { all, pearsonDelta } = score(experiment, spread);
  assertAlmostEquals(all.mse, 0, 1e-12);
  assertEquals(pearsonDelta.length, heldOut(experiment).length);
});

Deno.test("rank() puts an activated gene among the first", () => {
  const { conditions } = experiment;
  const single = heldOut(experiment).filter((c) => conditions[c]!.kind === "new gene");
  for (const condition of single) {
    const first = rank(experiment, cellsOf(experiment, condition)).slice(0, 5);
    assert(first.includes(conditions[condition]!.genes[0]!));
  }
});

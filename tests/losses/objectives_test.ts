import { grad, type Tensor } from "@cellgrad/cellgrad";
import {
  contrastiveCellEmbeddingLoss,
  crossEntropyLoss,
  elasticCellSimilarityLoss,
  maskedMseLoss,
  negLogBernoulliLoss,
  scformerObjective,
  type ScformerOptions,
  scgptObjective,
  type ScgptOptions,
} from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals } from "@std/assert";
import scformer from "../golden/scformer_total.json" with { type: "json" };
import scgpt from "../golden/scgpt_total.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, i32 } from "./cells.ts";
import { assertAllZero, assertSame, testMisuse } from "./laws.ts";

Deno.test("scgptObjective() agrees with the golden vectors", () => {
  checkGolden(scgpt, GOLDEN_FUNCTIONS.scgpt_total!);
});

Deno.test("scformerObjective() agrees with the golden vectors", () => {
  checkGolden(scformer, GOLDEN_FUNCTIONS.scformer_total!);
});

const genes = { mlmOutput: f64([[1, 2], [0, 3]]), mvcOutput: f64([[3, 9], [1, 1]]) };
const zeroProbs = {
  mlmZeroProbs: f64([[0.9, 0.2], [0.4, 0.5]]),
  mvcZeroProbs: f64([[0.5, 0.6], [0.7, 0.1]]),
};
const cells = { cellEmbeddings: f64([[1, 2], [2, 1]]) };
const targets = { values: f64([[2, 0], [1, 3]]), mask: i32([1, 0, 1, 1]).reshape([2, 2]) };
const scgptOutputs = { ...genes, ...zeroProbs, ...cells, dabLogits: f64([[1, 0], [2, 3]]) };
const scgptTargets = { ...targets, batchLabels: i32([0, 1]) };
const scformerOutputs = {
  ...genes,
  ...cells,
  cellEmbeddings2: f64([[1, 1], [3, 1]]),
  clsLogits: f64([[1, 0, 2], [2, 3, 1]]),
};
const scformerTargets = { ...targets, clsLabels: i32([2, 0]) };
const ALL = { cls: true, cce: true, mvc: true, ecs: true };

Deno.test("scgptObjective() returns each loss before its weight", () => {
  const { parts } = scgptObjective(scgptOutputs, scgptTargets);
  const { values, mask } = targets;
  assertEquals(Object.keys(parts), ["mse", "zeroLogProb", "gepc", "gepcZeroLogProb", "ecs", "dab"]);
  assertSame(parts.mse!, maskedMseLoss(genes.mlmOutput, values, mask));
  assertSame(parts.zeroLogProb!, negLogBernoulliLoss(zeroProbs.mlmZeroProbs, values, mask));
  assertSame(parts.gepc!, maskedMseLoss(genes.mvcOutput, values, mask));
  assertSame(parts.gepcZeroLogProb!, negLogBernoulliLoss(zeroProbs.mvcZeroProbs, values, mask));
  assertSame(parts.ecs!, elasticCellSimilarityLoss(cells.cellEmbeddings, { threshold: 0.8 }));
  assertSame(parts.dab!, crossEntropyLoss(scgptOutputs.dabLogits, scgptTargets.batchLabels));
});

Deno.test("scgptObjective() adds its parts with a weight of 10 for ecs and 1 for dab", () => {
  const { total, parts: p } = scgptObjective(scgptOutputs, scgptTargets);
  const plain = p.mse!.add(p.zeroLogProb!).add(p.gepc!).add(p.gepcZeroLogProb!).add(p.dab!);
  assertSame(total, plain.add(p.ecs!.mul(10)));
});

Deno.test("scgptObjective() leaves out what is switched off or not given", () => {
  const off = { gepc: false, explicitZeroProb: false, ecsThreshold: 0 };
  const { total, parts } = scgptObjective({ mlmOutput: genes.mlmOutput }, targets, off);
  assertEquals(Object.keys(parts), ["mse"]);
  assertSame(total, parts.mse!);
});

Deno.test("scgptObjective() needs gepc and explicitZeroProb for gepcZeroLogProb", () => {
  const names = (options: ScgptOptions) =>
    Object.keys(scgptObjective(scgptOutputs, scgptTargets, options).parts);
  assertEquals(names({ gepc: false }), ["mse", "zeroLogProb", "ecs", "dab"]);
  assertEquals(names({ explicitZeroProb: false }), ["mse", "gepc", "ecs", "dab"]);
});

Deno.test("scformerObjective() returns each loss before its weight", () => {
  const { parts } = scformerObjective(scformerOutputs, scformerTargets, ALL);
  const { values, mask } = targets;
  const { cellEmbeddings, cellEmbeddings2, clsLogits } = scformerOutputs;
  assertEquals(Object.keys(parts), ["mse", "cls", "cce", "mvc", "ecs"]);
  assertSame(parts.mse!, maskedMseLoss(genes.mlmOutput, values, mask));
  assertSame(parts.cls!, crossEntropyLoss(clsLogits, scformerTargets.clsLabels));
  assertSame(parts.cce!, contrastiveCellEmbeddingLoss(cellEmbeddings, cellEmbeddings2));
  assertSame(parts.mvc!, maskedMseLoss(genes.mvcOutput, values, mask));
  assertSame(parts.ecs!, elasticCellSimilarityLoss(cellEmbeddings, { threshold: 0.85 }));
});

Deno.test("scformerObjective() adds its parts with weights of 10 for cce and ecs", () => {
  const { total, parts: p } = scformerObjective(scformerOutputs, scformerTargets, ALL);
  const embeddings = p.cce!.add(p.ecs!).mul(10);
  assertSame(total, p.mse!.add(p.cls!).add(p.mvc!).add(embeddings));
});

Deno.test("scformerObjective() is the masked error alone by default", () => {
  const { total, parts } = scformerObjective(scformerOutputs, scformerTargets);
  assertEquals(Object.keys(parts), ["mse"]);
  assertSame(total, parts.mse!);
});

Deno.test("scformerObjective() gives outputs that are not in use a gradient of 0", () => {
  const loss = (mvcOutput: Tensor) =>
    scformerObjective({ ...scformerOutputs, mvcOutput }, scformerTargets).total;
  assertAllZero(grad(loss)(genes.mvcOutput));
});

Deno.test("objectives differentiate by trees of outputs", () => {
  const loss = (outputs: typeof scgptOutputs) => scgptObjective(outputs, scgptTargets).total;
  const gradients = grad(loss)(scgptOutputs);
  assertEquals(Object.keys(gradients), Object.keys(scgptOutputs));
  assertEquals(gradients.dabLogits.shape, [2, 2]);
});

Deno.test("scgptObjective() has right gradients of first and second order", () => {
  const names = Object.keys(scgptOutputs) as (keyof typeof scgptOutputs)[];
  const loss = (...xs: Tensor[]) =>
    scgptObjective(
      Object.fromEntries(names.map((name, i) => [name, xs[i]!])) as typeof scgptOutputs,
      scgptTargets,
      { dabWeight: 0.5 },
    ).total;
  checkGradients(loss, names.map((name) => scgptOutputs[name]), { order: 2 });
});

Deno.test("scformerObjective() has right gradients of first and second order", () => {
  const names = Object.keys(scformerOutputs) as (keyof typeof scformerOutputs)[];
  const loss = (...xs: Tensor[]) =>
    scformerObjective(
      Object.fromEntries(names.map((name, i) => [name, xs[i]!])) as typeof scformerOutputs,
      scformerTargets,
      ALL,
    ).total;
  checkGradients(loss, names.map((name) => scformerOutputs[name]), { order: 2 });
});

const scgptOf = (outputs: object, given: object = scgptTargets, options: ScgptOptions = {}) => () =>
  scgptObjective(outputs as typeof scgptOutputs, given as typeof scgptTargets, options);

testMisuse("scgptObjective", [
  [
    "missing zero probabilities",
    scgptOf({ ...scgptOutputs, mlmZeroProbs: undefined }),
    TypeError,
    "Cannot compute scgptObjective as outputs.mlmZeroProbs is missing: " +
    "give it, or set explicitZeroProb to false",
  ],
  [
    "a missing output of the cell embedding",
    scgptOf({ ...scgptOutputs, mvcOutput: undefined }),
    TypeError,
    "Cannot compute scgptObjective as outputs.mvcOutput is missing: give it, or set gepc to false",
  ],
  [
    "missing zero probabilities of the cell embedding",
    scgptOf({ ...scgptOutputs, mvcZeroProbs: undefined }),
    TypeError,
    "Cannot compute scgptObjective as outputs.mvcZeroProbs is missing: " +
    "give it, or set gepc or explicitZeroProb to false",
  ],
  [
    "missing embeddings",
    scgptOf({ ...scgptOutputs, cellEmbeddings: undefined }),
    TypeError,
    "Cannot compute scgptObjective as outputs.cellEmbeddings is missing: " +
    "give it, or set ecsThreshold to 0",
  ],
  [
    "logits of batches without labels",
    scgptOf(scgptOutputs, targets),
    TypeError,
    "Cannot compute scgptObjective as targets.batchLabels is missing: " +
    "give both outputs.dabLogits and targets.batchLabels, or neither",
  ],
  [
    "labels of batches without logits",
    scgptOf({ ...scgptOutputs, dabLogits: undefined }),
    TypeError,
    "Cannot compute scgptObjective as outputs.dabLogits is missing: " +
    "give both outputs.dabLogits and targets.batchLabels, or neither",
  ],
  [
    "a missing output of the genes",
    scgptOf({ ...scgptOutputs, mlmOutput: undefined }),
    TypeError,
    "Cannot compute scgptObjective as outputs.mlmOutput is missing: it is always needed",
  ],
  [
    "another shape of an output",
    scgptOf({ ...scgptOutputs, mvcOutput: f64([[1, 2]]) }),
    TypeError,
    "Cannot compute scgptObjective as outputs.mvcOutput, targets.values and targets.mask must " +
    "have the same shape: current shapes are [1, 2], [2, 2] and [2, 2]",
  ],
  [
    "an output that does not exist",
    scgptOf({ ...scgptOutputs, mlm_output: genes.mlmOutput }),
    TypeError,
    "Cannot compute scgptObjective as outputs must be an object with any of mlmOutput, " +
    'mlmZeroProbs, mvcOutput, mvcZeroProbs, cellEmbeddings, dabLogits: it has "mlm_output"',
  ],
  [
    "targets that are no object",
    scgptOf(scgptOutputs, null as never),
    TypeError,
    "Cannot compute scgptObjective as targets must be an object with any of values, mask, " +
    "batchLabels: current value is null",
  ],
  [
    "outputs that are a number",
    scgptOf(3 as never),
    TypeError,
    "Cannot compute scgptObjective as outputs must be an object with any of mlmOutput, " +
    "mlmZeroProbs, mvcOutput, mvcZeroProbs, cellEmbeddings, dabLogits: current value is 3",
  ],
  [
    "a threshold above 1",
    scgptOf(scgptOutputs, scgptTargets, { ecsThreshold: 2 }),
    RangeError,
    "Cannot compute scgptObjective as ecsThreshold must be a finite number at least 0 and at " +
    "most 1: current value is 2",
  ],
  [
    "a negative weight of ecs",
    scgptOf(scgptOutputs, scgptTargets, { ecsWeight: -1 }),
    RangeError,
    "Cannot compute scgptObjective as ecsWeight must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a negative weight of dab",
    scgptOf(scgptOutputs, scgptTargets, { dabWeight: -1 }),
    RangeError,
    "Cannot compute scgptObjective as dabWeight must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a switch that is no boolean",
    scgptOf(scgptOutputs, scgptTargets, { explicitZeroProb: "false" as never }),
    TypeError,
    "Cannot compute scgptObjective as explicitZeroProb must be true or false: current " +
    'value is "false"',
  ],
  [
    "an unknown option",
    scgptOf(scgptOutputs, scgptTargets, { GEPC: true } as never),
    TypeError,
    "Cannot compute scgptObjective as there is no option GEPC: did you mean gepc? The " +
    "options are gepc, explicitZeroProb, ecsThreshold, ecsWeight, dabWeight, check",
  ],
]);

const scformerOf = (outputs: object, given: object, options: ScformerOptions = ALL) => () =>
  scformerObjective(outputs as typeof scformerOutputs, given as typeof scformerTargets, options);

testMisuse("scformerObjective", [
  [
    "missing logits of cell types",
    scformerOf({ ...scformerOutputs, clsLogits: undefined }, scformerTargets),
    TypeError,
    "Cannot compute scformerObjective as outputs.clsLogits is missing: " +
    "give it, or set cls to false",
  ],
  [
    "missing cell types",
    scformerOf(scformerOutputs, targets),
    TypeError,
    "Cannot compute scformerObjective as targets.clsLabels is missing: " +
    "give it, or set cls to false",
  ],
  [
    "a missing second embedding",
    scformerOf({ ...scformerOutputs, cellEmbeddings2: undefined }, scformerTargets),
    TypeError,
    "Cannot compute scformerObjective as outputs.cellEmbeddings2 is missing: " +
    "give it, or set cce to false",
  ],
  [
    "a missing output of the cell embedding",
    scformerOf({ ...scformerOutputs, mvcOutput: undefined }, scformerTargets),
    TypeError,
    "Cannot compute scformerObjective as outputs.mvcOutput is missing: " +
    "give it, or set mvc to false",
  ],
  [
    "missing embeddings",
    scformerOf({ ...scformerOutputs, cellEmbeddings: undefined }, scformerTargets, { ecs: true }),
    TypeError,
    "Cannot compute scformerObjective as outputs.cellEmbeddings is missing: " +
    "give it, or set ecs to false",
  ],
  [
    "a target that does not exist",
    scformerOf(scformerOutputs, { ...scformerTargets, target: 1 }),
    TypeError,
    "Cannot compute scformerObjective as targets must be an object with any of values, mask, " +
    'clsLabels: it has "target"',
  ],
  [
    "a negative weight of cce",
    scformerOf(scformerOutputs, scformerTargets, { cceWeight: -1 }),
    RangeError,
    "Cannot compute scformerObjective as cceWeight must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a negative weight of ecs",
    scformerOf(scformerOutputs, scformerTargets, { ecsWeight: -1 }),
    RangeError,
    "Cannot compute scformerObjective as ecsWeight must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a threshold below 0",
    scformerOf(scformerOutputs, scformerTargets, { ecsThreshold: -1 }),
    RangeError,
    "Cannot compute scformerObjective as ecsThreshold must be a finite number at least 0 and at " +
    "most 1: current value is -1",
  ],
  [
    "a temperature of 0",
    scformerOf(scformerOutputs, scformerTargets, { temperature: 0 }),
    RangeError,
    "Cannot compute scformerObjective as temperature must be a finite number above 0: " +
    "current value is 0",
  ],
  [
    "a switch that is no boolean",
    scformerOf(scformerOutputs, scformerTargets, { mvc: 0 as never }),
    TypeError,
    "Cannot compute scformerObjective as mvc must be true or false: current value is 0",
  ],
  [
    "an unknown option",
    scformerOf(scformerOutputs, scformerTargets, { mlm: true } as never),
    TypeError,
    "Cannot compute scformerObjective as there is no option mlm: the options are cls, cce, " +
    "mvc, ecs, cceWeight, ecsWeight, ecsThreshold, temperature",
  ],
]);

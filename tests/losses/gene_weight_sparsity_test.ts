import { grad, type Tensor, zeros } from "@cellgrad/cellgrad";
import { geneWeightSparsityLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/gene_weight_sparsity.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertSame, testMisuse } from "./laws.ts";

Deno.test("geneWeightSparsityLoss() agrees with the golden vectors", () => {
  checkGolden(golden, ({ gene_weights }) => geneWeightSparsityLoss(gene_weights));
});

Deno.test("geneWeightSparsityLoss() is at least 0, and scales with the weights", () => {
  fc.assert(
    fc.property(floats([5]), gridNumbers(-4, 4), (weights, scale) => {
      const loss = geneWeightSparsityLoss(weights);
      assertGreaterOrEqual(loss.item(), 0);
      assertSame(geneWeightSparsityLoss(weights.mul(scale)), loss.mul(Math.abs(scale)));
    }),
    RUNS,
  );
});

Deno.test("geneWeightSparsityLoss() pushes every weight alike, and leaves 0 alone", () => {
  const gradient = grad((w: Tensor) => geneWeightSparsityLoss(w))([3, -0.25, 0, 1e4]);
  assertEquals(gradient.toArray(), [0.25, -0.25, 0, 0.25]);
});

Deno.test("geneWeightSparsityLoss() has the right derivatives away from 0", () => {
  fc.assert(
    fc.property(floats([4], 0.5, 3), (weights) => {
      checkGradients((w) => geneWeightSparsityLoss(w.sub(5)), [weights], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("geneWeightSparsityLoss() of no genes is 0", () => {
  assertEquals(geneWeightSparsityLoss(zeros([0])).item(), 0);
});

testMisuse("geneWeightSparsityLoss", [
  [
    "a matrix",
    () => geneWeightSparsityLoss([[1, 2]]),
    TypeError,
    "Cannot compute geneWeightSparsityLoss as geneWeights must have the shape [genes]: " +
    "current shape is [1, 2]",
  ],
]);

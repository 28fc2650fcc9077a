import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  accuracy,
  adjustedRandIndex,
  balancedAccuracy,
  batchEntropy,
  confusionMatrix,
  lisi,
  macroF1,
  normalizedMutualInformation,
  segmentationMetrics,
  silhouette,
  silhouetteSamples,
} from "../../src/metrics/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import fixture from "./sklearn.json" with { type: "json" };

const CLOSE = { rtol: 1e-12, atol: 1e-14 };

fixture.classification.forEach((given, i) => {
  const { pred, target, numClasses } = given;

  Deno.test(`confusionMatrix() gives scikit-learn's counts, case ${i}`, () => {
    assertEquals(confusionMatrix(pred, target, { numClasses }), given.confusion);
  });

  Deno.test(`accuracy(), balancedAccuracy() and macroF1() give scikit-learn's, case ${i}`, () => {
    assertAlmostEquals(accuracy(pred, target), given.accuracy, 1e-15);
    assertAlmostEquals(balancedAccuracy(pred, target), given.balancedAccuracy, 1e-15);
    assertAlmostEquals(macroF1(pred, target), given.macroF1, 1e-15);
  });

  Deno.test(`segmentationMetrics() gives scikit-learn's scores per class, case ${i}`, () => {
    const found = segmentationMetrics(pred, target, { numClasses });
    assertAllClose(found.recall, given.recall, CLOSE);
    assertAllClose(found.precision, given.precision, CLOSE);
    assertAllClose(found.f1, given.f1, CLOSE);
    assertAllClose(found.iou, given.iou, CLOSE);
  });
});

fixture.clustering.forEach(({ a, b, ari, nmi }, i) => {
  Deno.test(`adjustedRandIndex() gives scikit-learn's, case ${i}`, () => {
    assertAlmostEquals(adjustedRandIndex(a, b), ari, 1e-14);
  });

  Deno.test(`normalizedMutualInformation() gives scikit-learn's, case ${i}`, () => {
    assertAlmostEquals(normalizedMutualInformation(a, b), nmi, 1e-14);
  });
});

fixture.embeddings.forEach((given, i) => {
  Deno.test(`silhouette() gives scikit-learn's, case ${i}`, () => {
    assertAlmostEquals(silhouette(given.points, given.labels), given.silhouette, 1e-9);
    assertAllClose(silhouetteSamples(given.points, given.labels), given.silhouetteSamples, {
      rtol: 1e-8,
      atol: 1e-9,
    });
  });

  Deno.test(`lisi() gives the definition's values, case ${i}`, () => {
    const { perCell } = lisi(given.points, given.labels, { perplexity: given.perplexity });
    assertAllClose(perCell, given.lisi, { rtol: 1e-8, atol: 0 });
  });

  Deno.test(`batchEntropy() gives what scikit-learn's neighbours give, case ${i}`, () => {
    const found = batchEntropy(given.points, given.labels, { nNeighbors: given.nNeighbors });
    assertAlmostEquals(found, given.batchEntropy, 1e-12);
  });
});

import { assertEquals } from "@std/assert";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { pearson, perturbationMetrics, segmentationMetrics } from "../../src/metrics/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import pearsonVectors from "../golden/pearson.json" with { type: "json" };
import perturbationVectors from "../golden/perturbation_pearson.json" with { type: "json" };
import segmentationVectors from "../golden/segmentation_metrics.json" with { type: "json" };

/** The comparison that the golden vectors ask for where a case says nothing else. */
const GOLDEN = { rtol: 1e-9, atol: 1e-10 };

function read({ shape, dtype, data }: { shape: number[]; dtype: string; data: number[] }): Tensor {
  return tensor(data, { dtype: dtype === "i32" ? "int32" : "float64" }).reshape(shape);
}

for (const { id, inputs, params, value, outputs } of segmentationVectors.cases) {
  Deno.test(`segmentationMetrics() gives the golden values of ${id}`, () => {
    const found = segmentationMetrics(read(inputs.pred), read(inputs.target), {
      numClasses: params.num_classes,
      ignoreIndex: params.ignore_index ?? undefined,
    });
    assertEquals(found.confusion, read(outputs.confusion).toArray());
    for (const name of ["recall", "precision", "f1", "iou"] as const) {
      assertAllClose(found[name], outputs[name].data, GOLDEN);
    }
    assertAllClose(found.accuracy, outputs.accuracy, GOLDEN);
    assertAllClose(found.meanIou, outputs.mean_iou, GOLDEN);
    assertAllClose(found.meanIou, value, GOLDEN);
  });
}

for (const { id, inputs, value, tol } of pearsonVectors.cases) {
  Deno.test(`pearson() gives the golden value of ${id}`, () => {
    assertAllClose(pearson(read(inputs.x), read(inputs.y)), value, tol ?? GOLDEN);
  });
}

for (const { id, inputs, params, value, outputs } of perturbationVectors.cases) {
  Deno.test(`perturbationMetrics() gives the golden values of ${id}`, () => {
    const { perPerturbation, mean } = perturbationMetrics(read(inputs.pred), read(inputs.truth), {
      ctrlMean: read(inputs.ctrl_mean),
      perturbation: read(inputs.pert),
      deIndices: read(inputs.de_idx),
      topK: params.top_k,
    });
    assertAllClose(mean.pearson, value, GOLDEN);
    assertAllClose(perPerturbation.pearson, outputs.pearson.data, GOLDEN);
    assertAllClose(perPerturbation.pearsonDe, outputs.pearson_de.data, GOLDEN);
    assertAllClose(perPerturbation.pearsonDelta, outputs.pearson_delta.data, GOLDEN);
    assertAllClose(perPerturbation.pearsonDeltaDe, outputs.pearson_delta_de.data, GOLDEN);
    assertAllClose(perPerturbation.mse, outputs.mse.data, GOLDEN);
    assertAllClose(perPerturbation.mseDe, outputs.mse_de.data, GOLDEN);
  });
}

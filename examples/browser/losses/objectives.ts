/** Objectives: sums of losses with which foundation models, and models of counts, are trained. */
import * as cg from "@cellgrad/cellgrad";
import { setsOfBatches } from "../cell_groups.ts";
import type { Cells } from "../cells.ts";
import { defineLoss, family, type LossEntry, type Named, type Sizes } from "../loss_entry.ts";
import { choice, flag, number } from "../parameters.ts";
import { codes, drawCode } from "./shared.ts";

type Tensor = cg.Tensor;

const ECS_WEIGHT = number(10, { min: 0 }, "The weight of the similarity");
const MVC = "Whether expression is also predicted from the embedding";
const LIKELIHOOD = choice(
  ["zinb", "nb", "poisson"],
  "The noise of counts: negative binomials with and without dropouts, or Poisson",
);

const decoders = ({ embedding, genes }: Sizes) => ({
  decoder: [embedding, genes],
  dropoutDecoder: [embedding, genes],
  logTheta: [genes],
});

/** What the decoder makes of codes, for libraries of the observed size. */
function decode(code: Tensor, weights: Named, { counts }: Cells) {
  const library = cg.maximum(counts!.sum({ axis: 1, keepDims: true }), 1);
  return {
    logRate: cg.logSoftmax(code.matmul(weights.decoder!)).add(library.log()),
    logTheta: weights.logTheta!,
    dropoutLogits: code.matmul(weights.dropoutDecoder!),
  };
}

/** What one layer, with a shift for each type, makes of codes: (types, cells, embedding). */
function ofEachType(code: Tensor, layer: Tensor, types: Tensor): Tensor {
  return code.matmul(layer).add(types.reshape([types.shape[0]!, 1, types.shape[1]!]));
}

/** The objectives, in the order in which they are listed. */
export const OBJECTIVES: readonly LossEntry[] = family("Objectives", {
  scgptObjective: defineLoss({
    about: "With which scGPT integrates batches: hidden values, their zeros, similarity, batches.",
    parameters: {
      gepc: flag(true, MVC),
      explicitZeroProb: flag(true, "Whether it is also predicted which genes are expressed at all"),
      ecsThreshold: number(
        0.8,
        { min: 0, max: 1 },
        "The threshold of elastic cell similarity; 0 leaves it out",
      ),
      ecsWeight: ECS_WEIGHT,
      dabWeight: number(1, { min: 0 }, "The weight of the batches"),
    },
    outputs: ({ genes, embedding, batches }) => ({
      predicted: genes,
      zeros: genes,
      embedding,
      batches,
    }),
    behindReversal: ["batches"],
    weights: ({ embedding, genes }) => ({
      decoder: [embedding, genes],
      zeroDecoder: [embedding, genes],
    }),
    hides: true,
    needs: ["expression"],
    compute: ({ outputs, weights, cells }, options) =>
      cg.scgptObjective(
        {
          mlmOutput: outputs.predicted,
          mlmZeroProbs: cg.sigmoid(outputs.zeros),
          mvcOutput: outputs.embedding.matmul(weights.decoder!),
          mvcZeroProbs: cg.sigmoid(outputs.embedding.matmul(weights.zeroDecoder!)),
          cellEmbeddings: outputs.embedding,
          dabLogits: outputs.batches,
        },
        { values: cells.expression!, mask: cells.hidden, batchLabels: cells.batches },
        options,
      ).total,
  }),
  scformerObjective: defineLoss({
    about: "With which scFormer predicts perturbations: values, types, contrast, similarity.",
    parameters: {
      cls: flag(false, "Whether cell types are classified"),
      cce: flag(false, "Whether two views of a cell are contrasted"),
      mvc: flag(false, MVC),
      ecs: flag(false, "Whether elastic cell similarity is used"),
      cceWeight: number(10, { min: 0 }, "The weight of the contrast"),
      ecsWeight: ECS_WEIGHT,
      ecsThreshold: number(0.85, { min: 0, max: 1 }, "The threshold of the similarity"),
      temperature: number(0.5, { above: 0 }, "The temperature of the contrast"),
    },
    outputs: ({ genes, classes, embedding }) => ({ predicted: genes, logits: classes, embedding }),
    weights: ({ embedding, genes }) => ({ decoder: [embedding, genes] }),
    twoViews: true,
    compute: ({ outputs, second, weights, cells }, options) =>
      cg.scformerObjective(
        {
          mlmOutput: outputs.predicted,
          clsLogits: outputs.logits,
          mvcOutput: outputs.embedding.matmul(weights.decoder!),
          cellEmbeddings: outputs.embedding,
          cellEmbeddings2: second.embedding,
        },
        { values: cells.features, mask: cells.everything, clsLabels: cells.labels },
        options,
      ).total,
  }),
  stateObjective: defineLoss({
    about: "With which State predicts sets of perturbed cells; here sets of four, from a part.",
    parameters: {
      distance: choice(
        ["energy", "mse"],
        "How sets are compared: as distributions, or cell by cell",
      ),
      expressionWeight: number(1, { min: 0 }, "The weight of the decoded expression"),
      batchWeight: number(0.1, { min: 0 }, "The weight of the batches"),
      changeWeight: number(0, { min: 0 }, "The weight of the change from what the model saw"),
    },
    outputs: ({ genes, batches }) => ({ predicted: genes, batches }),
    weights: ({ genes }) => ({ decoder: [genes, genes] }),
    hides: true,
    needs: ["expression"],
    compute: ({ outputs, weights, cells }, options) => {
      const { rows, batchLabels } = setsOfBatches(cells, 4);
      const sets = (x: Tensor) => x.gather(rows).reshape([-1, 4, x.shape[1]!]);
      const predicted = sets(outputs.predicted);
      const seen = cells.features.mul(cells.hidden.cast("float32").neg().add(1));
      // Confidence is left out: it is compared with a distance that is held fixed, as differences
      // cannot see.
      return cg.stateObjective(
        {
          cells: predicted,
          expression: predicted.matmul(weights.decoder!),
          batchLogits: sets(outputs.batches).mean({ axis: 1 }),
        },
        {
          cells: sets(cells.features),
          expression: sets(cells.expression!),
          controls: sets(seen),
          batchLabels,
        },
        options,
      ).total;
    },
  }),
  scviObjective: defineLoss({
    about: "With which scVI learns codes of cells: unlikely counts, and codes far from the prior.",
    parameters: {
      likelihood: LIKELIHOOD,
      klWeight: number(1, { min: 0 }, "The weight of the codes"),
    },
    outputs: codes,
    weights: decoders,
    needs: ["counts"],
    compute: ({ outputs: { mean, logVariance }, weights, cells }, options) => {
      const code = drawCode(mean, logVariance, cells.noise);
      return cg.scviObjective(
        { ...decode(code, weights, cells), mean, logVariance },
        { counts: cells.counts! },
        options,
      ).total;
    },
  }),
  scanviObjective: defineLoss({
    about:
      "With which scANVI learns codes and cell types together: scVI's, types and a deeper code.",
    parameters: {
      likelihood: LIKELIHOOD,
      klWeight: number(1, { min: 0 }, "The weight of the deeper code and the types"),
      classificationRatio: number(50, { min: 0 }, "The weight of the cross entropy of types"),
      conditionOnLabels: flag(
        false,
        "Whether codes know the true type, or all types by the classifier's shares",
      ),
    },
    outputs: codes,
    weights: (sizes) => {
      const { classes, embedding } = sizes;
      return {
        ...decoders(sizes),
        classifier: [embedding, classes],
        deeper: [embedding, embedding],
        deeperTypes: [classes, embedding],
        deeperLogVariance: [embedding],
        prior: [embedding, embedding],
        priorTypes: [classes, embedding],
        priorLogVariance: [embedding],
      };
    },
    needs: ["counts"],
    compute: ({ outputs: { mean, logVariance }, weights, cells }, options) => {
      const z1 = drawCode(mean, logVariance, cells.noise);
      const z2Mean = ofEachType(z1, weights.deeper!, weights.deeperTypes!);
      const z2LogVariance = cg.broadcastTo(weights.deeperLogVariance!, z2Mean.shape);
      // Backwards, each number of the noise serves another one of the code.
      const z2 = drawCode(z2Mean, z2LogVariance, cells.noise.flip({ axis: 1 }));
      const priorMean = ofEachType(z2, weights.prior!, weights.priorTypes!);
      return cg.scanviObjective(
        {
          ...decode(z1, weights, cells),
          ...{ z1, mean, logVariance, z2Mean, z2LogVariance, priorMean },
          priorLogVariance: cg.broadcastTo(weights.priorLogVariance!, priorMean.shape),
          classLogits: z1.matmul(weights.classifier!),
        },
        { counts: cells.counts!, labels: cells.labels },
        options,
      ).total;
    },
  }),
});

/**
 * Objectives: sums of losses with which foundation models are trained.
 *
 * @module
 */
import {
  scformerObjective,
  scgptObjective,
  sigmoid,
  stateObjective,
  type Tensor,
} from "@cellgrad/cellgrad";
import { setsOfBatches } from "../cell_groups.ts";
import { defineLoss, type LossEntry } from "../loss_entry.ts";

/** The objectives, in the order in which they are listed. */
export const OBJECTIVES: readonly LossEntry[] = [
  defineLoss({
    name: "scgptObjective",
    family: "Objectives",
    about: "With which scGPT integrates batches: hidden values, their zeros, similarity, batches.",
    parameters: {
      gepc: {
        kind: "switch",
        default: true,
        about: "Whether expression is also predicted from the embedding",
      },
      explicitZeroProb: {
        kind: "switch",
        default: true,
        about: "Whether it is also predicted which genes are expressed at all",
      },
      ecsThreshold: {
        kind: "number",
        default: 0.8,
        min: 0,
        max: 1,
        about: "The threshold of elastic cell similarity; 0 leaves it out",
      },
      ecsWeight: { kind: "number", default: 10, min: 0, about: "The weight of the similarity" },
      dabWeight: { kind: "number", default: 1, min: 0, about: "The weight of the batches" },
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
      scgptObjective(
        {
          mlmOutput: outputs.predicted,
          mlmZeroProbs: sigmoid(outputs.zeros),
          mvcOutput: outputs.embedding.matmul(weights.decoder!),
          mvcZeroProbs: sigmoid(outputs.embedding.matmul(weights.zeroDecoder!)),
          cellEmbeddings: outputs.embedding,
          dabLogits: outputs.batches,
        },
        { values: cells.expression!, mask: cells.hidden, batchLabels: cells.batches },
        options,
      ).total,
  }),
  defineLoss({
    name: "scformerObjective",
    family: "Objectives",
    about: "With which scFormer predicts perturbations: values, types, contrast, similarity.",
    parameters: {
      cls: { kind: "switch", default: false, about: "Whether cell types are classified" },
      cce: { kind: "switch", default: false, about: "Whether two views of a cell are contrasted" },
      mvc: {
        kind: "switch",
        default: false,
        about: "Whether expression is also predicted from the embedding",
      },
      ecs: { kind: "switch", default: false, about: "Whether elastic cell similarity is used" },
      cceWeight: { kind: "number", default: 10, min: 0, about: "The weight of the contrast" },
      ecsWeight: { kind: "number", default: 10, min: 0, about: "The weight of the similarity" },
      ecsThreshold: {
        kind: "number",
        default: 0.85,
        min: 0,
        max: 1,
        about: "The threshold of the similarity",
      },
      temperature: {
        kind: "number",
        default: 0.5,
        above: 0,
        about: "The temperature of the contrast",
      },
    },
    outputs: ({ genes, classes, embedding }) => ({ predicted: genes, logits: classes, embedding }),
    weights: ({ embedding, genes }) => ({ decoder: [embedding, genes] }),
    twoViews: true,
    compute: ({ outputs, second, weights, cells }, options) =>
      scformerObjective(
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
  defineLoss({
    name: "stateObjective",
    family: "Objectives",
    about: "With which State predicts sets of perturbed cells; here sets of four, from a part.",
    parameters: {
      distance: {
        kind: "choice",
        choices: ["energy", "mse"],
        default: "energy",
        about: "How sets are compared: as distributions, or cell by cell",
      },
      expressionWeight: {
        kind: "number",
        default: 1,
        min: 0,
        about: "The weight of the decoded expression",
      },
      batchWeight: { kind: "number", default: 0.1, min: 0, about: "The weight of the batches" },
      changeWeight: {
        kind: "number",
        default: 0,
        min: 0,
        about: "The weight of the change from what the model saw",
      },
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
      return stateObjective(
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
];

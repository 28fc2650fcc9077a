/**
 * Objectives of models that explain counts by codes: scVI and scANVI.
 *
 * @module
 */
import {
  broadcastTo,
  logSoftmax,
  maximum,
  scanviObjective,
  scviObjective,
  type Tensor,
} from "@cellgrad/cellgrad";
import type { Cells } from "../cells.ts";
import { defineLoss, type LossEntry, type Named, type Sizes } from "../loss_entry.ts";

const LIKELIHOOD = {
  kind: "choice",
  choices: ["zinb", "nb", "poisson"],
  default: "zinb",
  about: "The noise of counts: negative binomials with and without dropouts, or Poisson",
} as const;

const codes = ({ embedding }: Sizes) => ({ mean: embedding, logVariance: embedding });

const decoders = ({ embedding, genes }: Sizes) => ({
  decoder: [embedding, genes],
  dropoutDecoder: [embedding, genes],
  logTheta: [genes],
});

/** A code that is drawn from its normal distribution. */
function draw(mean: Tensor, logVariance: Tensor, noise: Tensor): Tensor {
  return mean.add(logVariance.mul(0.5).exp().mul(noise));
}

/** What the decoder makes of codes, for libraries of the observed size. */
function decode(code: Tensor, weights: Named, { counts }: Cells) {
  const library = maximum(counts!.sum({ axis: 1, keepDims: true }), 1);
  return {
    logRate: logSoftmax(code.matmul(weights.decoder!)).add(library.log()),
    logTheta: weights.logTheta!,
    dropoutLogits: code.matmul(weights.dropoutDecoder!),
  };
}

/** What one layer, with a shift for each type, makes of codes: (types, cells, embedding). */
function ofEachType(code: Tensor, layer: Tensor, types: Tensor): Tensor {
  return code.matmul(layer).add(types.reshape([types.shape[0]!, 1, types.shape[1]!]));
}

/** The objectives, in the order in which they are listed. */
export const COUNT_OBJECTIVES: readonly LossEntry[] = [
  defineLoss({
    name: "scviObjective",
    family: "Objectives",
    about: "With which scVI learns codes of cells: unlikely counts, and codes far from the prior.",
    parameters: {
      likelihood: LIKELIHOOD,
      klWeight: { kind: "number", default: 1, min: 0, about: "The weight of the codes" },
    },
    outputs: codes,
    weights: decoders,
    needs: ["counts"],
    compute: ({ outputs: { mean, logVariance }, weights, cells }, options) => {
      const code = draw(mean, logVariance, cells.noise);
      return scviObjective(
        { ...decode(code, weights, cells), mean, logVariance },
        { counts: cells.counts! },
        options,
      ).total;
    },
  }),
  defineLoss({
    name: "scanviObjective",
    family: "Objectives",
    about:
      "With which scANVI learns codes and cell types together: scVI's, types and a deeper code.",
    parameters: {
      likelihood: LIKELIHOOD,
      klWeight: {
        kind: "number",
        default: 1,
        min: 0,
        about: "The weight of the deeper code and the types",
      },
      classificationRatio: {
        kind: "number",
        default: 50,
        min: 0,
        about: "The weight of the cross entropy of types",
      },
      conditionOnLabels: {
        kind: "switch",
        default: false,
        about: "Whether codes know the true type, or all types by the classifier's shares",
      },
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
      const z1 = draw(mean, logVariance, cells.noise);
      const z2Mean = ofEachType(z1, weights.deeper!, weights.deeperTypes!);
      const z2LogVariance = broadcastTo(weights.deeperLogVariance!, z2Mean.shape);
      // Backwards, each number of the noise serves another one of the code.
      const z2 = draw(z2Mean, z2LogVariance, cells.noise.flip({ axis: 1 }));
      const priorMean = z2.matmul(weights.prior!).add(
        weights.priorTypes!.reshape([cells.classes.length, 1, -1]),
      );
      return scanviObjective(
        {
          ...decode(z1, weights, cells),
          ...{ z1, mean, logVariance, z2Mean, z2LogVariance, priorMean },
          priorLogVariance: broadcastTo(weights.priorLogVariance!, priorMean.shape),
          classLogits: z1.matmul(weights.classifier!),
        },
        { counts: cells.counts!, labels: cells.labels },
        options,
      ).total;
    },
  }),
];

/**
 * Losses of expression: values and their change.
 *
 * @module
 */
import {
  geneWeightSparsityLoss,
  maskedMseLoss,
  maskedRelativeError,
  maskedValueLoss,
  negLogBernoulliLoss,
  negLogBernoulliWithLogitsLoss,
  normalKl,
  sigmoid,
  vaeLoss,
  velocityConsistencyLoss,
} from "@cellgrad/cellgrad";
import { defineLoss, type LossEntry, type Sizes } from "../loss_entry.ts";
import { REDUCTION } from "./shared.ts";

const predicted = ({ genes }: Sizes) => ({ predicted: genes });

/** The losses, in the order in which they are listed. */
export const EXPRESSION: readonly LossEntry[] = [
  defineLoss({
    name: "maskedMseLoss",
    family: "Hidden values",
    about: "The mean squared error of the values that the model did not see.",
    parameters: {},
    outputs: predicted,
    hides: true,
    compute: ({ outputs, cells }) => maskedMseLoss(outputs.predicted, cells.features, cells.hidden),
  }),
  defineLoss({
    name: "maskedValueLoss",
    family: "Hidden values",
    about: "Squared or absolute errors of the values that the model did not see.",
    parameters: {
      lossType: {
        kind: "choice",
        choices: ["mse", "mae"],
        default: "mse",
        about: "Squared or absolute errors",
      },
    },
    outputs: predicted,
    hides: true,
    compute: ({ outputs, cells }, options) =>
      maskedValueLoss(outputs.predicted, cells.features, cells.hidden, options),
  }),
  defineLoss({
    name: "maskedRelativeError",
    family: "Hidden values",
    about: "Errors by the size of the true value, where that was hidden and is above 0.",
    parameters: {
      epsilon: { kind: "number", default: 1e-6, min: 0, about: "Added to the denominator" },
      denominator: {
        kind: "choice",
        choices: ["signed", "abs"],
        default: "signed",
        about: "Whether errors are divided by the value or by its absolute value",
      },
    },
    outputs: predicted,
    hides: true,
    needs: ["expression"],
    compute: ({ outputs, cells: { expression, hidden } }, options) => {
      const counted = hidden.cast("int32").mul(expression!.greater(0).cast("int32")).cast("bool");
      return maskedRelativeError(outputs.predicted, expression!, counted, options);
    },
  }),
  defineLoss({
    name: "negLogBernoulliLoss",
    family: "Hidden values",
    about: "Which hidden genes are expressed at all, from probabilities.",
    parameters: {
      epsilon: {
        kind: "number",
        default: undefined,
        above: 0,
        below: 0.5,
        about: "Probabilities keep this distance from 0 and 1; nothing is the machine epsilon",
      },
    },
    outputs: predicted,
    hides: true,
    needs: ["expression"],
    compute: ({ outputs, cells }, options) =>
      negLogBernoulliLoss(sigmoid(outputs.predicted), cells.expression!, cells.hidden, options),
  }),
  defineLoss({
    name: "negLogBernoulliWithLogitsLoss",
    family: "Hidden values",
    about: "Which hidden genes are expressed at all, from logits.",
    parameters: {},
    outputs: predicted,
    hides: true,
    needs: ["expression"],
    compute: ({ outputs, cells }) =>
      negLogBernoulliWithLogitsLoss(outputs.predicted, cells.expression!, cells.hidden),
  }),
  defineLoss({
    name: "vaeLoss",
    family: "Expression",
    about: "How badly cells are reconstructed, and how far their codes are from a standard normal.",
    parameters: {
      klWeight: {
        kind: "number",
        default: 1,
        min: 0,
        about: "Weight of the divergence from the prior",
      },
      reconstructionLoss: {
        kind: "choice",
        choices: ["mse", "bce"],
        default: "mse",
        about: "Squared error of values, or cross entropy of what is above average",
      },
    },
    outputs: ({ embedding }) => ({ mean: embedding, logVariance: embedding }),
    weights: ({ embedding, genes }) => ({ decoder: [embedding, genes] }),
    compute: ({ outputs: { mean, logVariance }, weights, cells }, options) => {
      const { features, noise } = cells;
      const code = mean.add(logVariance.mul(0.5).exp().mul(noise));
      const target = options.reconstructionLoss === "bce"
        ? features.greater(0).cast("float32")
        : features;
      return vaeLoss(target, code.matmul(weights.decoder!), mean, logVariance, options);
    },
  }),
  defineLoss({
    name: "normalKl",
    family: "Expression",
    about:
      "How far the codes of cells are from a standard normal: alone, it makes all of them one.",
    parameters: { reduction: REDUCTION },
    outputs: ({ embedding }) => ({ mean: embedding, logVariance: embedding }),
    compute: ({ outputs: { mean, logVariance } }, options) => normalKl(mean, logVariance, options),
  }),
  defineLoss({
    name: "velocityConsistencyLoss",
    family: "Expression",
    about: "Whether the predicted velocity leads to the expression one time step later.",
    parameters: {
      dt: {
        kind: "number",
        default: 0.1,
        above: 0,
        about: "The time step, in the unit of the velocity",
      },
      cosineWeight: { kind: "number", default: 1, min: 0, about: "The weight of the direction" },
      magnitudeWeight: { kind: "number", default: 1, min: 0, about: "The weight of the length" },
    },
    outputs: ({ genes }) => ({ velocity: genes }),
    needs: ["velocity"],
    compute: ({ outputs, cells: { motion } }, options) => {
      const { expression, velocity } = motion!;
      const future = expression.add(velocity.mul(options.dt));
      return velocityConsistencyLoss(expression, outputs.velocity, future, options);
    },
  }),
  defineLoss({
    name: "geneWeightSparsityLoss",
    family: "Expression",
    about: "The mean absolute weight of genes: alone, it drives all of them to 0.",
    parameters: {},
    outputs: () => ({}),
    weights: ({ genes }) => ({ geneWeights: [genes] }),
    compute: ({ weights }) => geneWeightSparsityLoss(weights.geneWeights!),
  }),
];

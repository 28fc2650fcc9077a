/** Losses of expression: values and their change, counts; and of times until events. */
import * as cg from "@cellgrad/cellgrad";
import { survivalOf } from "../cell_groups.ts";
import { defineLoss, family, type LossEntry } from "../loss_entry.ts";
import { choice, number } from "../parameters.ts";
import { codes, drawCode, predicted, REDUCTION, reductionOf } from "./shared.ts";

/** The losses of values, in the order in which they are listed. */
export const EXPRESSION: readonly LossEntry[] = [
  ...family("Hidden values", {
    maskedMseLoss: defineLoss({
      about: "The mean squared error of the values that the model did not see.",
      parameters: {},
      outputs: predicted,
      hides: true,
      compute: ({ outputs, cells }) =>
        cg.maskedMseLoss(outputs.predicted, cells.features, cells.hidden),
    }),
    maskedValueLoss: defineLoss({
      about: "Squared or absolute errors of the values that the model did not see.",
      parameters: { lossType: choice(["mse", "mae"], "Squared or absolute errors") },
      outputs: predicted,
      hides: true,
      compute: ({ outputs, cells }, options) =>
        cg.maskedValueLoss(outputs.predicted, cells.features, cells.hidden, options),
    }),
    maskedRelativeError: defineLoss({
      about: "Errors by the size of the true value, where that was hidden and is above 0.",
      parameters: {
        epsilon: number(1e-6, { min: 0 }, "Added to the denominator"),
        denominator: choice(
          ["signed", "abs"],
          "Whether errors are divided by the value or by its absolute value",
        ),
      },
      outputs: predicted,
      hides: true,
      needs: ["expression"],
      compute: ({ outputs, cells: { expression, hidden } }, options) => {
        const counted = hidden.cast("int32").mul(expression!.greater(0).cast("int32")).cast("bool");
        return cg.maskedRelativeError(outputs.predicted, expression!, counted, options);
      },
    }),
    negLogBernoulliLoss: defineLoss({
      about: "Which hidden genes are expressed at all, from probabilities.",
      parameters: {
        epsilon: number(
          undefined,
          { above: 0, below: 0.5 },
          "Probabilities keep this distance from 0 and 1; nothing is the machine epsilon",
        ),
      },
      outputs: predicted,
      hides: true,
      needs: ["expression"],
      compute: ({ outputs: { predicted }, cells: { expression, hidden } }, options) =>
        cg.negLogBernoulliLoss(cg.sigmoid(predicted), expression!, hidden, options),
    }),
    negLogBernoulliWithLogitsLoss: defineLoss({
      about: "Which hidden genes are expressed at all, from logits.",
      parameters: {},
      outputs: predicted,
      hides: true,
      needs: ["expression"],
      compute: ({ outputs, cells }) =>
        cg.negLogBernoulliWithLogitsLoss(outputs.predicted, cells.expression!, cells.hidden),
    }),
  }),
  ...family("Expression", {
    vaeLoss: defineLoss({
      about:
        "How badly cells are reconstructed, and how far their codes are from a standard normal.",
      parameters: {
        klWeight: number(1, { min: 0 }, "Weight of the divergence from the prior"),
        reconstructionLoss: choice(
          ["mse", "bce"],
          "Squared error of values, or cross entropy of what is above average",
        ),
      },
      outputs: codes,
      weights: ({ embedding, genes }) => ({ decoder: [embedding, genes] }),
      compute: ({ outputs: { mean, logVariance }, weights, cells }, options) => {
        const { features, noise } = cells;
        const code = drawCode(mean, logVariance, noise);
        const target = options.reconstructionLoss === "bce"
          ? features.greater(0).cast("float32")
          : features;
        return cg.vaeLoss(target, code.matmul(weights.decoder!), mean, logVariance, options);
      },
    }),
    normalKl: defineLoss({
      about:
        "How far the codes of cells are from a standard normal: alone, it makes all of them one.",
      parameters: { reduction: REDUCTION },
      outputs: codes,
      compute: ({ outputs: { mean, logVariance } }, options) =>
        cg.normalKl(mean, logVariance, options),
    }),
    velocityConsistencyLoss: defineLoss({
      about: "Whether the predicted velocity leads to the expression one time step later.",
      parameters: {
        dt: number(0.1, { above: 0 }, "The time step, in the unit of the velocity"),
        cosineWeight: number(1, { min: 0 }, "The weight of the direction"),
        magnitudeWeight: number(1, { min: 0 }, "The weight of the length"),
      },
      outputs: ({ genes }) => ({ velocity: genes }),
      needs: ["velocity"],
      compute: ({ outputs, cells: { motion } }, options) => {
        const { expression, velocity } = motion!;
        const future = expression.add(velocity.mul(options.dt));
        return cg.velocityConsistencyLoss(expression, outputs.velocity, future, options);
      },
    }),
    geneWeightSparsityLoss: defineLoss({
      about: "The mean absolute weight of genes: alone, it drives all of them to 0.",
      parameters: {},
      outputs: () => ({}),
      weights: ({ genes }) => ({ geneWeights: [genes] }),
      compute: ({ weights }) => cg.geneWeightSparsityLoss(weights.geneWeights!),
    }),
  }),
];

const OF_VALUES = reductionOf("values");

/** The losses of numbers, in the order in which they are listed. */
export const REGRESSION: readonly LossEntry[] = family("Regression", {
  huberLoss: defineLoss({
    about: "Squared errors of small size, absolute ones of large: outliers pull no harder.",
    parameters: {
      delta: number(1, { above: 0 }, "From which error on the loss grows in proportion to it"),
      reduction: OF_VALUES,
    },
    outputs: predicted,
    hides: true,
    compute: ({ outputs, cells }, options) =>
      cg.huberLoss(outputs.predicted, cells.features, options),
  }),
  quantileLoss: defineLoss({
    about: "Errors with prices of their own above and below: it trains a quantile, not the mean.",
    parameters: {
      quantile: number(
        0.9,
        { above: 0, below: 1 },
        "The share of values that should lie below the prediction",
      ),
      reduction: OF_VALUES,
    },
    outputs: predicted,
    hides: true,
    compute: ({ outputs, cells }, options) =>
      cg.quantileLoss(outputs.predicted, cells.features, options),
  }),
  gaussianNllLoss: defineLoss({
    about: "How unlikely the values are under normal distributions of predicted variances.",
    parameters: { reduction: OF_VALUES },
    outputs: ({ genes }) => ({ predicted: genes, logVariance: genes }),
    hides: true,
    compute: ({ outputs: { predicted, logVariance }, cells }, options) =>
      cg.gaussianNllLoss(predicted, cells.features, cg.exp(logVariance), options),
  }),
  evidentialLoss: defineLoss({
    about:
      "The same when mean and variance are uncertain themselves, with a price on false evidence.",
    parameters: {
      lambda: number(1, { min: 0 }, "The weight of evidence for what is wrong"),
      reduction: OF_VALUES,
    },
    outputs: ({ genes }) => ({ predicted: genes, nu: genes, alpha: genes, beta: genes }),
    hides: true,
    compute: ({ outputs: { predicted, ...raw }, cells }, options) => {
      const [nu, alpha, beta] = [raw.nu, raw.alpha, raw.beta].map((x) => cg.softplus(x));
      return cg.evidentialLoss(cells.features, predicted, nu!, alpha!.add(1), beta!, options);
    },
  }),
});

const EPSILON = number(1e-8, { above: 0 }, "The least mean and dispersion");
const OF_COUNTS = reductionOf("counts");

/** The losses of counts and times, in the order in which they are listed. */
export const COUNTS: readonly LossEntry[] = [
  ...family("Counts", {
    poissonLoss: defineLoss({
      about:
        "How unlikely counts are under Poisson distributions, without log x!: it may be below 0.",
      parameters: { reduction: OF_COUNTS },
      outputs: ({ genes }) => ({ logRate: genes }),
      needs: ["counts"],
      compute: ({ outputs, cells }, options) =>
        cg.poissonLoss(outputs.logRate, cells.counts!, options),
    }),
    poissonDeviance: defineLoss({
      about: "The same from means, doubled and less that of the best prediction; at least 0.",
      parameters: { reduction: OF_COUNTS },
      outputs: ({ genes }) => ({ logMean: genes }),
      needs: ["counts"],
      compute: ({ outputs, cells }, options) =>
        cg.poissonDeviance(cg.exp(outputs.logMean), cells.counts!, options),
    }),
    negativeBinomialLoss: defineLoss({
      about: "How unlikely the counts are under negative binomials.",
      parameters: { epsilon: EPSILON },
      outputs: ({ genes }) => ({ logMean: genes }),
      weights: ({ genes }) => ({ logTheta: [genes] }),
      needs: ["counts"],
      compute: ({ outputs: { logMean }, weights, cells: { counts } }, options) =>
        cg.negativeBinomialLoss(counts!, cg.exp(logMean), cg.exp(weights.logTheta!), options),
    }),
    zinbLoss: defineLoss({
      about: "The same with dropouts: zero-inflated negative binomials, summed over all counts.",
      parameters: {
        zeroIndicator: choice(
          ["hard", "soft"],
          "How zero counts are told from others; soft is DiffBio's",
        ),
      },
      outputs: ({ genes }) => ({ logRate: genes, dropout: genes }),
      weights: ({ genes }) => ({ logTheta: [genes] }),
      needs: ["counts"],
      compute: ({ outputs: { logRate, dropout }, weights, cells: { counts } }, options) => {
        const logTheta = cg.broadcastTo(weights.logTheta!, counts!.shape);
        return cg.zinbLoss(counts!, logRate, logTheta, dropout, options);
      },
    }),
    negativeBinomialMixtureLoss: defineLoss({
      about: "How unlikely counts are that are background in some cells, and foreground in others.",
      parameters: { epsilon: EPSILON },
      outputs: ({ genes }) => ({ background: genes, foreground: genes, mixture: genes }),
      weights: ({ genes }) => ({ logTheta: [genes] }),
      needs: ["counts"],
      compute: ({ outputs: { background, foreground, mixture }, weights, cells }, options) => {
        const low = cg.exp(background);
        const high = low.add(cg.exp(foreground));
        const theta = cg.exp(weights.logTheta!);
        return cg.negativeBinomialMixtureLoss(cells.counts!, low, high, theta, mixture, options);
      },
    }),
  }),
  ...family("Times", {
    coxLoss: defineLoss({
      about: "Whether cells with early events, here simulated by type, have the largest hazards.",
      parameters: { reduction: reductionOf("events") },
      outputs: () => ({ logHazard: 1 }),
      compute: ({ outputs, cells }, options) => {
        const { times, events } = survivalOf(cells);
        return cg.coxLoss(outputs.logHazard.reshape([-1]), times, events, options);
      },
    }),
  }),
];

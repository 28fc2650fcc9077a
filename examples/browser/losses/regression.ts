/**
 * Losses of numbers: how far predictions are off, and how sure they are.
 *
 * @module
 */
import {
  evidentialLoss,
  exp,
  gaussianNllLoss,
  huberLoss,
  quantileLoss,
  softplus,
} from "@cellgrad/cellgrad";
import { defineLoss, type LossEntry, type Sizes } from "../loss_entry.ts";
import { REDUCTION as OF_CELLS } from "./shared.ts";

const predicted = ({ genes }: Sizes) => ({ predicted: genes });

const REDUCTION = { ...OF_CELLS, about: "How the losses of values become one number" } as const;

/** The losses, in the order in which they are listed. */
export const REGRESSION: readonly LossEntry[] = [
  defineLoss({
    name: "huberLoss",
    family: "Regression",
    about: "Squared errors of small size, absolute ones of large: outliers pull no harder.",
    parameters: {
      delta: {
        kind: "number",
        default: 1,
        above: 0,
        about: "From which error on the loss grows in proportion to it",
      },
      reduction: REDUCTION,
    },
    outputs: predicted,
    hides: true,
    compute: ({ outputs, cells }, options) => huberLoss(outputs.predicted, cells.features, options),
  }),
  defineLoss({
    name: "quantileLoss",
    family: "Regression",
    about: "Errors with prices of their own above and below: it trains a quantile, not the mean.",
    parameters: {
      quantile: {
        kind: "number",
        default: 0.9,
        above: 0,
        below: 1,
        about: "The share of values that should lie below the prediction",
      },
      reduction: REDUCTION,
    },
    outputs: predicted,
    hides: true,
    compute: ({ outputs, cells }, options) =>
      quantileLoss(outputs.predicted, cells.features, options),
  }),
  defineLoss({
    name: "gaussianNllLoss",
    family: "Regression",
    about: "How unlikely the values are under normal distributions of predicted variances.",
    parameters: { reduction: REDUCTION },
    outputs: ({ genes }) => ({ predicted: genes, logVariance: genes }),
    hides: true,
    compute: ({ outputs: { predicted, logVariance }, cells }, options) =>
      gaussianNllLoss(predicted, cells.features, exp(logVariance), options),
  }),
  defineLoss({
    name: "evidentialLoss",
    family: "Regression",
    about:
      "The same when mean and variance are uncertain themselves, with a price on false evidence.",
    parameters: {
      lambda: {
        kind: "number",
        default: 1,
        min: 0,
        about: "The weight of evidence for what is wrong",
      },
      reduction: REDUCTION,
    },
    outputs: ({ genes }) => ({ predicted: genes, nu: genes, alpha: genes, beta: genes }),
    hides: true,
    compute: ({ outputs, cells }, options) =>
      evidentialLoss(
        cells.features,
        outputs.predicted,
        softplus(outputs.nu),
        softplus(outputs.alpha).add(1),
        softplus(outputs.beta),
        options,
      ),
  }),
];

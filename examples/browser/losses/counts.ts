/**
 * Losses of counts, and of times until events.
 *
 * @module
 */
import {
  broadcastTo,
  coxLoss,
  exp,
  negativeBinomialLoss,
  negativeBinomialMixtureLoss,
  poissonDeviance,
  poissonLoss,
  zinbLoss,
} from "@cellgrad/cellgrad";
import { survivalOf } from "../cell_groups.ts";
import { defineLoss, type LossEntry } from "../loss_entry.ts";
import { REDUCTION } from "./shared.ts";

const EPSILON = {
  kind: "number",
  default: 1e-8,
  above: 0,
  about: "The least mean and dispersion",
} as const;

const OF_COUNTS = { ...REDUCTION, about: "How the losses of counts become one number" } as const;

/** The losses, in the order in which they are listed. */
export const COUNTS: readonly LossEntry[] = [
  defineLoss({
    name: "poissonLoss",
    family: "Counts",
    about:
      "How unlikely counts are under Poisson distributions, without log x!: it may be below 0.",
    parameters: {
      reduction: { ...REDUCTION, about: "How the losses of counts become one number" },
    },
    outputs: ({ genes }) => ({ logRate: genes }),
    needs: ["counts"],
    compute: ({ outputs, cells }, options) => poissonLoss(outputs.logRate, cells.counts!, options),
  }),
  defineLoss({
    name: "poissonDeviance",
    family: "Counts",
    about: "The same from means, doubled and less that of the best prediction; at least 0.",
    parameters: { reduction: OF_COUNTS },
    outputs: ({ genes }) => ({ logMean: genes }),
    needs: ["counts"],
    compute: ({ outputs, cells }, options) =>
      poissonDeviance(exp(outputs.logMean), cells.counts!, options),
  }),
  defineLoss({
    name: "negativeBinomialLoss",
    family: "Counts",
    about: "How unlikely the counts are under negative binomials.",
    parameters: {
      epsilon: EPSILON,
    },
    outputs: ({ genes }) => ({ logMean: genes }),
    weights: ({ genes }) => ({ logTheta: [genes] }),
    needs: ["counts"],
    compute: ({ outputs, weights, cells }, options) =>
      negativeBinomialLoss(cells.counts!, exp(outputs.logMean), exp(weights.logTheta!), options),
  }),
  defineLoss({
    name: "zinbLoss",
    family: "Counts",
    about: "The same with dropouts: zero-inflated negative binomials, summed over all counts.",
    parameters: {
      zeroIndicator: {
        kind: "choice",
        choices: ["hard", "soft"],
        default: "hard",
        about: "How zero counts are told from others; soft is DiffBio's",
      },
    },
    outputs: ({ genes }) => ({ logRate: genes, dropout: genes }),
    weights: ({ genes }) => ({ logTheta: [genes] }),
    needs: ["counts"],
    compute: ({ outputs: { logRate, dropout }, weights, cells: { counts } }, options) => {
      const logTheta = broadcastTo(weights.logTheta!, counts!.shape);
      return zinbLoss(counts!, logRate, logTheta, dropout, options);
    },
  }),
  defineLoss({
    name: "negativeBinomialMixtureLoss",
    family: "Counts",
    about: "How unlikely counts are that are background in some cells, and foreground in others.",
    parameters: { epsilon: EPSILON },
    outputs: ({ genes }) => ({ background: genes, foreground: genes, mixture: genes }),
    weights: ({ genes }) => ({ logTheta: [genes] }),
    needs: ["counts"],
    compute: ({ outputs: { background, foreground, mixture }, weights, cells }, options) => {
      const low = exp(background);
      const high = low.add(exp(foreground));
      const theta = exp(weights.logTheta!);
      return negativeBinomialMixtureLoss(cells.counts!, low, high, theta, mixture, options);
    },
  }),
  defineLoss({
    name: "coxLoss",
    family: "Times",
    about: "Whether cells with early events, here simulated by type, have the largest hazards.",
    parameters: {
      reduction: { ...REDUCTION, about: "How the losses of events become one number" },
    },
    outputs: () => ({ logHazard: 1 }),
    compute: ({ outputs, cells }, options) => {
      const { times, events } = survivalOf(cells);
      return coxLoss(outputs.logHazard.reshape([-1]), times, events, options);
    },
  }),
];

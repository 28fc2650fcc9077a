/**
 * Losses of two views of every cell, as self-supervised learning has them.
 *
 * @module
 */
import {
  barlowTwinsLoss,
  jensenShannonDivergence,
  klDivergence,
  ntXentLoss,
  softmax,
  vicRegLoss,
} from "@cellgrad/cellgrad";
import { defineLoss, type LossEntry, type Sizes } from "../loss_entry.ts";
import { REDUCTION } from "./shared.ts";

const embedding = ({ embedding }: Sizes) => ({ embedding });
const clusters = ({ classes }: Sizes) => ({ clusters: classes });

/** The losses, in the order in which they are listed. */
export const VIEWS: readonly LossEntry[] = [
  defineLoss({
    name: "ntXentLoss",
    family: "Two views",
    about: "Finds each cell's other view, with other values missing, among both views of all.",
    parameters: {
      temperature: { kind: "number", default: 0.5, above: 0, about: "What cosines are divided by" },
    },
    outputs: embedding,
    twoViews: true,
    compute: ({ outputs, second }, options) =>
      ntXentLoss(outputs.embedding, second.embedding, options),
  }),
  defineLoss({
    name: "vicRegLoss",
    family: "Two views",
    about: "Draws the views together, and keeps embeddings spread and uncorrelated.",
    parameters: {
      invariance: {
        kind: "number",
        default: 25,
        min: 0,
        about: "The weight of the distance of the views",
      },
      variance: {
        kind: "number",
        default: 25,
        min: 0,
        about: "The weight of standard deviations below 1",
      },
      covariance: {
        kind: "number",
        default: 1,
        min: 0,
        about: "The weight of covariances between different numbers of the embedding",
      },
    },
    outputs: embedding,
    twoViews: true,
    compute: ({ outputs, second }, options) =>
      vicRegLoss(outputs.embedding, second.embedding, options),
  }),
  defineLoss({
    name: "barlowTwinsLoss",
    family: "Two views",
    about: "Whether numbers of the embedding correlate with themselves between views, not others.",
    parameters: {
      lambda: {
        kind: "number",
        default: 0.005,
        min: 0,
        about: "The weight of correlations between different numbers",
      },
    },
    outputs: embedding,
    twoViews: true,
    compute: ({ outputs, second }, options) =>
      barlowTwinsLoss(outputs.embedding, second.embedding, options),
  }),
  defineLoss({
    name: "klDivergence",
    family: "Two views",
    about: "How far the shares of clusters in a cell's first view are from those in its second.",
    parameters: { reduction: REDUCTION },
    outputs: clusters,
    twoViews: true,
    compute: ({ outputs, second }, options) =>
      klDivergence(softmax(outputs.clusters), softmax(second.clusters), options),
  }),
  defineLoss({
    name: "jensenShannonDivergence",
    family: "Two views",
    about: "The same both ways, from the mean of the two; at most log 2.",
    parameters: { reduction: REDUCTION },
    outputs: clusters,
    twoViews: true,
    compute: ({ outputs, second }, options) =>
      jensenShannonDivergence(softmax(outputs.clusters), softmax(second.clusters), options),
  }),
];

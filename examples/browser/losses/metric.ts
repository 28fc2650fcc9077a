/**
 * Losses of cell embeddings by their types, as metric learning has them.
 *
 * @module
 */
import {
  arcFaceLoss,
  centerLoss,
  cosFaceLoss,
  proxyAnchorLoss,
  supervisedContrastiveLoss,
  tripletLoss,
} from "@cellgrad/cellgrad";
import { defineLoss, type LossEntry, type Sizes } from "../loss_entry.ts";

const embedding = ({ embedding }: Sizes) => ({ embedding });

/** One row per type. */
const rows = ({ classes, embedding }: Sizes) => ({ types: [classes, embedding] });

const SCALE = {
  kind: "number",
  default: 64,
  above: 0,
  about: "What cosines are multiplied by before the softmax",
} as const;

/** The losses, in the order in which they are listed. */
export const METRIC: readonly LossEntry[] = [
  defineLoss({
    name: "supervisedContrastiveLoss",
    family: "Embeddings by type",
    about: "Finds the cells of a cell's own type among all others, by their cosines.",
    parameters: {
      temperature: { kind: "number", default: 0.1, above: 0, about: "What cosines are divided by" },
    },
    outputs: embedding,
    compute: ({ outputs, cells }, options) =>
      supervisedContrastiveLoss(outputs.embedding, cells.labels, options),
  }),
  defineLoss({
    name: "tripletLoss",
    family: "Embeddings by type",
    about: "Whether cells of another type lie farther off than those of the own, by a margin.",
    parameters: {
      margin: { kind: "number", default: 1, min: 0, about: "How much farther they should lie" },
      mining: {
        kind: "choice",
        choices: ["all", "hard", "semiHard"],
        default: "all",
        about: "Which triplets count",
      },
    },
    outputs: embedding,
    compute: ({ outputs, cells }, options) => tripletLoss(outputs.embedding, cells.labels, options),
  }),
  defineLoss({
    name: "arcFaceLoss",
    family: "Embeddings by type",
    about: "Cross entropy of cosines with one direction per type, with a margin on the own angle.",
    parameters: {
      margin: {
        kind: "number",
        default: 0.5,
        min: 0,
        max: Math.PI,
        about: "What is added to the angle of the own type, in radians",
      },
      scale: SCALE,
    },
    outputs: embedding,
    weights: rows,
    compute: ({ outputs, weights, cells }, options) =>
      arcFaceLoss(outputs.embedding, weights.types!, cells.labels, options),
  }),
  defineLoss({
    name: "cosFaceLoss",
    family: "Embeddings by type",
    about: "The same with a margin on the own cosine.",
    parameters: {
      margin: {
        kind: "number",
        default: 0.35,
        min: 0,
        about: "What is taken off the cosine of the own type",
      },
      scale: SCALE,
    },
    outputs: embedding,
    weights: rows,
    compute: ({ outputs, weights, cells }, options) =>
      cosFaceLoss(outputs.embedding, weights.types!, cells.labels, options),
  }),
  defineLoss({
    name: "centerLoss",
    family: "Embeddings by type",
    about: "How far cells lie from the centres of their types; alone, all may fall together.",
    parameters: {},
    outputs: embedding,
    weights: rows,
    compute: ({ outputs, weights, cells }) =>
      centerLoss(outputs.embedding, cells.labels, weights.types!),
  }),
  defineLoss({
    name: "proxyAnchorLoss",
    family: "Embeddings by type",
    about: "Draws cells to the direction of their type and away from others, the hardest most.",
    parameters: {
      margin: {
        kind: "number",
        default: 0.1,
        min: 0,
        about: "How far cosines should be above 0 for the own type, and below for others",
      },
      alpha: {
        kind: "number",
        default: 32,
        above: 0,
        about: "How strongly the hardest cells count",
      },
    },
    outputs: embedding,
    weights: rows,
    compute: ({ outputs, weights, cells }, options) =>
      proxyAnchorLoss(outputs.embedding, weights.types!, cells.labels, options),
  }),
];

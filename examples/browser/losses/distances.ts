/**
 * Distances of batches as clouds of cells.
 *
 * @module
 */
import {
  energyDistance,
  hsic,
  key,
  oneHot,
  sinkhornDivergence,
  slicedWasserstein,
  wasserstein1d,
} from "@cellgrad/cellgrad";
import { firstAndOthers } from "../cell_groups.ts";
import { defineLoss, type LossEntry, type Sizes } from "../loss_entry.ts";

const embedding = ({ embedding }: Sizes) => ({ embedding });

const POWER = { kind: "number", default: 2, min: 1, about: "The power of distances" } as const;

/** The losses, in the order in which they are listed. */
export const DISTANCES: readonly LossEntry[] = [
  defineLoss({
    name: "energyDistance",
    family: "Distances of batches",
    about: "How much farther cells of the first batch and others lie apart than among themselves.",
    parameters: {
      squared: { kind: "switch", default: true, about: "Whether the root is left out" },
      unbiased: {
        kind: "switch",
        default: false,
        about: "Whether no cell is compared with itself",
      },
    },
    outputs: embedding,
    compute: ({ outputs, cells }, options) =>
      energyDistance(...firstAndOthers(outputs.embedding, cells), options),
  }),
  defineLoss({
    name: "sinkhornDivergence",
    family: "Distances of batches",
    about: "What it costs to move the first batch onto the others, smoothed by entropy.",
    parameters: {
      epsilon: {
        kind: "number",
        default: 1,
        above: 0,
        about: "The coefficient of the entropy; small beside the cost, it takes more iterations",
      },
      p: POWER,
      debias: {
        kind: "switch",
        default: true,
        about: "Whether half of the cost of either cloud to itself is taken off",
      },
      reach: {
        kind: "number",
        default: undefined,
        above: 0,
        about: "How far cells are moved rather than made and lost; nothing moves all",
      },
      iterations: {
        kind: "number",
        default: 100,
        integer: true,
        min: 1,
        about: "The most iterations",
      },
      tolerance: {
        kind: "number",
        default: 1e-9,
        min: 0,
        about: "The change of potentials that ends the iteration; derivatives are of the end",
      },
    },
    outputs: embedding,
    compute: ({ outputs, cells }, options) =>
      sinkhornDivergence(...firstAndOthers(outputs.embedding, cells), options),
  }),
  defineLoss({
    name: "slicedWasserstein",
    family: "Distances of batches",
    about: "How far the shadows of the first batch and of the others are apart on random lines.",
    parameters: {
      projections: {
        kind: "number",
        default: 128,
        integer: true,
        min: 1,
        about: "How many lines there are",
      },
      p: POWER,
    },
    outputs: embedding,
    compute: ({ outputs, cells }, options) =>
      slicedWasserstein(...firstAndOthers(outputs.embedding, cells), { ...options, key: key(5) }),
  }),
  defineLoss({
    name: "wasserstein1d",
    family: "Distances of batches",
    about: "How far a score of the first batch must be moved to be distributed as the others'.",
    parameters: { p: { ...POWER, default: 1 } },
    outputs: () => ({ score: 1 }),
    compute: ({ outputs, cells }, options) => {
      const [first, others] = firstAndOthers(outputs.score, cells);
      return wasserstein1d(first.reshape([-1]), others.reshape([-1]), options);
    },
  }),
  defineLoss({
    name: "hsic",
    family: "Distances of batches",
    about: "How much embeddings depend on batches: 0 where they do not.",
    parameters: {
      bandwidths: {
        kind: "numbers",
        default: [1, 2, 4, 8, 16],
        about: "Standard deviations of the Gaussians",
      },
    },
    outputs: embedding,
    compute: ({ outputs, cells }, options) =>
      hsic(outputs.embedding, oneHot(cells.batches, cells.batchNames.length), options),
  }),
];

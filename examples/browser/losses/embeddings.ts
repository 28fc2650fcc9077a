/**
 * Losses of cell embeddings: where cells lie among each other.
 *
 * @module
 */
import {
  batchMixingLoss,
  clusteringCompactnessLoss,
  contrastiveCellEmbeddingLoss,
  coralLoss,
  domainAdversarialLoss,
  elasticCellSimilarityLoss,
  mmdLoss,
  shannonDiversityLoss,
  simpsonDiversityLoss,
  softmax,
} from "@cellgrad/cellgrad";
import { firstAndOthers } from "../cell_groups.ts";
import { defineLoss, type LossEntry, type Sizes } from "../loss_entry.ts";

const embedding = ({ embedding }: Sizes) => ({ embedding });
const clusters = ({ classes }: Sizes) => ({ clusters: classes });

/** The losses, in the order in which they are listed. */
export const EMBEDDINGS: readonly LossEntry[] = [
  defineLoss({
    name: "elasticCellSimilarityLoss",
    family: "Embeddings",
    about: "Draws similar cells closer and pushes others apart (scGPT, scFormer).",
    parameters: {
      threshold: {
        kind: "number",
        default: 0.3,
        min: 0,
        max: 1,
        about: "The similarity from which pairs are pushed away",
      },
    },
    outputs: embedding,
    compute: ({ outputs }, options) => elasticCellSimilarityLoss(outputs.embedding, options),
  }),
  defineLoss({
    name: "contrastiveCellEmbeddingLoss",
    family: "Embeddings",
    about: "Finds each cell's second view, with other values missing, among those of all cells.",
    parameters: {
      temperature: {
        kind: "number",
        default: 0.5,
        above: 0,
        about: "What similarities are divided by",
      },
      symmetric: {
        kind: "switch",
        default: false,
        about: "Whether the second view also queries the first",
      },
    },
    outputs: embedding,
    twoViews: true,
    compute: ({ outputs, second }, options) =>
      contrastiveCellEmbeddingLoss(outputs.embedding, second.embedding, options),
  }),
  defineLoss({
    name: "mmdLoss",
    family: "Batches",
    about: "How far apart batches lie: their maximum mean discrepancy.",
    parameters: {
      kernel: {
        kind: "choice",
        choices: ["linear", "rbf"],
        default: "linear",
        about: "The distance of means, or Gaussian kernels",
      },
      bandwidths: {
        kind: "numbers",
        default: [1, 2, 4, 8, 16],
        about: "Standard deviations of the Gaussians; for rbf only",
      },
    },
    outputs: embedding,
    compute: ({ outputs, cells }, { kernel, bandwidths }) =>
      mmdLoss(outputs.embedding, cells.batches, {
        kernel,
        bandwidths: kernel === "rbf" ? bandwidths : undefined,
      }),
  }),
  defineLoss({
    name: "coralLoss",
    family: "Batches",
    about: "How far the covariances of the first batch are from those of all others.",
    parameters: {},
    outputs: embedding,
    compute: ({ outputs, cells }) => coralLoss(...firstAndOthers(outputs.embedding, cells)),
  }),
  defineLoss({
    name: "batchMixingLoss",
    family: "Batches",
    about: "How evenly batches are mixed around each cell; −1 is perfectly mixed.",
    parameters: {
      nNeighbors: {
        kind: "number",
        default: 15,
        integer: true,
        min: 1,
        about: "How many nearest neighbours of each cell count",
      },
      temperature: {
        kind: "number",
        default: 1,
        above: 0,
        about: "What squared distances are divided by before the softmax",
      },
      selection: {
        kind: "choice",
        choices: ["topk", "soft"],
        default: "topk",
        about: "Exactly the nearest, or DiffBio's soft choice, which is slow",
      },
    },
    outputs: embedding,
    compute: ({ outputs, cells }, options) =>
      batchMixingLoss(outputs.embedding, cells.batches, {
        ...options,
        nBatches: cells.batchNames.length,
      }),
  }),
  defineLoss({
    name: "domainAdversarialLoss",
    family: "Batches",
    about: "A discriminator learns the batches, and the cells learn to deceive it.",
    parameters: {
      scale: { kind: "number", default: 1, min: 0, about: "The factor of the reversed gradient" },
    },
    outputs: embedding,
    weights: ({ embedding, batches }) => ({ discriminator: [embedding, batches] }),
    reverses: { output: "embedding", scale: ({ scale }) => scale as number },
    compute: ({ outputs, weights, cells }, options) =>
      domainAdversarialLoss(outputs.embedding, cells.batches, {
        ...options,
        discriminator: (x) => x.matmul(weights.discriminator!),
      }),
  }),
  defineLoss({
    name: "clusteringCompactnessLoss",
    family: "Clusters",
    about: "How far cells lie from the centroids of their clusters, and these from each other.",
    parameters: {
      separationWeight: {
        kind: "number",
        default: 1,
        min: 0,
        about: "The weight of the separation",
      },
      minSeparation: {
        kind: "number",
        default: 1,
        min: 0,
        about: "The distance that centroids should keep",
      },
      hingeSoftness: {
        kind: "number",
        default: 0.1,
        min: 0,
        about: "How soft the hinge is, as a distance",
      },
    },
    outputs: (sizes) => ({ ...embedding(sizes), ...clusters(sizes) }),
    compute: ({ outputs }, options) =>
      clusteringCompactnessLoss(outputs.embedding, softmax(outputs.clusters), options),
  }),
  defineLoss({
    name: "shannonDiversityLoss",
    family: "Clusters",
    about: "How undecided cells are between clusters; training sharpens them.",
    parameters: {},
    outputs: clusters,
    compute: ({ outputs }) => shannonDiversityLoss(softmax(outputs.clusters)),
  }),
  defineLoss({
    name: "simpsonDiversityLoss",
    family: "Clusters",
    about: "The chance that two draws of a cell name one cluster; training spreads them.",
    parameters: {},
    outputs: clusters,
    compute: ({ outputs }) => simpsonDiversityLoss(softmax(outputs.clusters)),
  }),
];

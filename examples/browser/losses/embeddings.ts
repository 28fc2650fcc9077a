/** Losses of cell embeddings: where cells lie among each other, by batch, by type, by view. */
import * as cg from "@cellgrad/cellgrad";
import { firstAndOthers } from "../cell_groups.ts";
import type { Cells } from "../cells.ts";
import { defineLoss, family, type LossEntry, type Sizes } from "../loss_entry.ts";
import { choice, flag, number, numbers, type Parameters, type ValuesOf } from "../parameters.ts";
import { clusters, embedding, ofViews, REDUCTION } from "./shared.ts";

type Tensor = cg.Tensor;

/** A loss of embeddings alone, or with what is known of the cells. */
function ofCells<const P extends Parameters>(
  about: string,
  parameters: P,
  loss: (embedding: Tensor, cells: Cells, options: ValuesOf<P>) => Tensor,
) {
  return defineLoss({
    about,
    parameters,
    outputs: embedding,
    compute: ({ outputs, cells }, options) => loss(outputs.embedding, cells, options),
  });
}

const BANDWIDTHS = numbers([1, 2, 4, 8, 16], "Standard deviations of the Gaussians");

/** The losses of embeddings, batches and clusters, in the order in which they are listed. */
export const EMBEDDINGS: readonly LossEntry[] = [
  ...family("Embeddings", {
    elasticCellSimilarityLoss: ofCells(
      "Draws similar cells closer and pushes others apart (scGPT, scFormer).",
      {
        threshold: number(
          0.3,
          { min: 0, max: 1 },
          "The similarity from which pairs are pushed away",
        ),
      },
      (x, _, options) => cg.elasticCellSimilarityLoss(x, options),
    ),
    contrastiveCellEmbeddingLoss: ofViews(
      "Finds each cell's second view, with other values missing, among those of all cells.",
      {
        temperature: number(0.5, { above: 0 }, "What similarities are divided by"),
        symmetric: flag(false, "Whether the second view also queries the first"),
      },
      cg.contrastiveCellEmbeddingLoss,
    ),
  }),
  ...family("Batches", {
    mmdLoss: ofCells(
      "How far apart batches lie: their maximum mean discrepancy.",
      {
        kernel: choice(["linear", "rbf"], "The distance of means, or Gaussian kernels"),
        bandwidths: { ...BANDWIDTHS, about: `${BANDWIDTHS.about}; for rbf only` },
      },
      (x, { batches }, { kernel, bandwidths }) =>
        cg.mmdLoss(x, batches, { kernel, bandwidths: kernel === "rbf" ? bandwidths : undefined }),
    ),
    coralLoss: ofCells(
      "How far the covariances of the first batch are from those of all others.",
      {},
      (x, cells) => cg.coralLoss(...firstAndOthers(x, cells)),
    ),
    batchMixingLoss: ofCells(
      "How evenly batches are mixed around each cell; −1 is perfectly mixed.",
      {
        nNeighbors: number(
          15,
          { integer: true, min: 1 },
          "How many nearest neighbours of each cell count",
        ),
        temperature: number(
          1,
          { above: 0 },
          "What squared distances are divided by before the softmax",
        ),
        selection: choice(
          ["topk", "soft"],
          "Exactly the nearest, or DiffBio's soft choice, which is slow",
        ),
      },
      (x, { batches, batchNames: { length: nBatches } }, options) =>
        cg.batchMixingLoss(x, batches, { ...options, nBatches }),
    ),
    domainAdversarialLoss: defineLoss({
      about: "A discriminator learns the batches, and the cells learn to deceive it.",
      parameters: { scale: number(1, { min: 0 }, "The factor of the reversed gradient") },
      outputs: embedding,
      weights: ({ embedding, batches }) => ({ discriminator: [embedding, batches] }),
      reverses: { output: "embedding", scale: ({ scale }) => scale as number },
      compute: ({ outputs, weights, cells }, options) =>
        cg.domainAdversarialLoss(outputs.embedding, cells.batches, {
          ...options,
          discriminator: (x) => x.matmul(weights.discriminator!),
        }),
    }),
  }),
  ...family("Clusters", {
    clusteringCompactnessLoss: defineLoss({
      about: "How far cells lie from the centroids of their clusters, and these from each other.",
      parameters: {
        separationWeight: number(1, { min: 0 }, "The weight of the separation"),
        minSeparation: number(1, { min: 0 }, "The distance that centroids should keep"),
        hingeSoftness: number(0.1, { min: 0 }, "How soft the hinge is, as a distance"),
      },
      outputs: (sizes) => ({ ...embedding(sizes), ...clusters(sizes) }),
      compute: ({ outputs }, options) =>
        cg.clusteringCompactnessLoss(outputs.embedding, cg.softmax(outputs.clusters), options),
    }),
    shannonDiversityLoss: defineLoss({
      about: "How undecided cells are between clusters; training sharpens them.",
      parameters: {},
      outputs: clusters,
      compute: ({ outputs }) => cg.shannonDiversityLoss(cg.softmax(outputs.clusters)),
    }),
    simpsonDiversityLoss: defineLoss({
      about: "The chance that two draws of a cell name one cluster; training spreads them.",
      parameters: {},
      outputs: clusters,
      compute: ({ outputs }) => cg.simpsonDiversityLoss(cg.softmax(outputs.clusters)),
    }),
  }),
];

const POWER = number(2, { min: 1 }, "The power of distances");

/** The distances of batches as clouds of cells, in the order in which they are listed. */
export const DISTANCES: readonly LossEntry[] = family("Distances of batches", {
  energyDistance: ofCells(
    "How much farther cells of the first batch and others lie apart than among themselves.",
    {
      squared: flag(true, "Whether the root is left out"),
      unbiased: flag(false, "Whether no cell is compared with itself"),
    },
    (x, cells, options) => cg.energyDistance(...firstAndOthers(x, cells), options),
  ),
  sinkhornDivergence: ofCells(
    "What it costs to move the first batch onto the others, smoothed by entropy.",
    {
      epsilon: number(
        1,
        { above: 0 },
        "The coefficient of the entropy; small beside the cost, it takes more iterations",
      ),
      p: POWER,
      debias: flag(true, "Whether half of the cost of either cloud to itself is taken off"),
      reach: number(
        undefined,
        { above: 0 },
        "How far cells are moved rather than made and lost; nothing moves all",
      ),
      iterations: number(100, { integer: true, min: 1 }, "The most iterations"),
      tolerance: number(
        1e-9,
        { min: 0 },
        "The change of potentials that ends the iteration; derivatives are of the end",
      ),
    },
    (x, cells, options) => cg.sinkhornDivergence(...firstAndOthers(x, cells), options),
  ),
  slicedWasserstein: ofCells(
    "How far the shadows of the first batch and of the others are apart on random lines.",
    { projections: number(128, { integer: true, min: 1 }, "How many lines there are"), p: POWER },
    (x, cells, options) =>
      cg.slicedWasserstein(...firstAndOthers(x, cells), { ...options, key: cg.key(5) }),
  ),
  wasserstein1d: defineLoss({
    about: "How far a score of the first batch must be moved to be distributed as the others'.",
    parameters: { p: { ...POWER, default: 1 } },
    outputs: () => ({ score: 1 }),
    compute: ({ outputs, cells }, options) => {
      const [first, others] = firstAndOthers(outputs.score, cells);
      return cg.wasserstein1d(first.reshape([-1]), others.reshape([-1]), options);
    },
  }),
  hsic: ofCells(
    "How much embeddings depend on batches: 0 where they do not.",
    { bandwidths: BANDWIDTHS },
    (x, { batches, batchNames }, options) =>
      cg.hsic(x, cg.oneHot(batches, batchNames.length), options),
  ),
});

/** A loss of embeddings and a row of weights per type. */
function ofRows<const P extends Parameters>(
  about: string,
  parameters: P,
  loss: (embedding: Tensor, types: Tensor, labels: Tensor, options: ValuesOf<P>) => Tensor,
) {
  return defineLoss({
    about,
    parameters,
    outputs: embedding,
    weights: ({ classes, embedding }: Sizes) => ({ types: [classes, embedding] }),
    compute: ({ outputs, weights, cells }, options) =>
      loss(outputs.embedding, weights.types!, cells.labels, options),
  });
}

const SCALE = number(64, { above: 0 }, "What cosines are multiplied by before the softmax");

/** The losses of metric learning, in the order in which they are listed. */
export const METRIC: readonly LossEntry[] = family("Embeddings by type", {
  supervisedContrastiveLoss: ofCells(
    "Finds the cells of a cell's own type among all others, by their cosines.",
    { temperature: number(0.1, { above: 0 }, "What cosines are divided by") },
    (x, { labels }, options) => cg.supervisedContrastiveLoss(x, labels, options),
  ),
  tripletLoss: ofCells(
    "Whether cells of another type lie farther off than those of the own, by a margin.",
    {
      margin: number(1, { min: 0 }, "How much farther they should lie"),
      mining: choice(["all", "hard", "semiHard"], "Which triplets count"),
    },
    (x, { labels }, options) => cg.tripletLoss(x, labels, options),
  ),
  arcFaceLoss: ofRows(
    "Cross entropy of cosines with one direction per type, with a margin on the own angle.",
    {
      margin: number(
        0.5,
        { min: 0, max: Math.PI },
        "What is added to the angle of the own type, in radians",
      ),
      scale: SCALE,
    },
    cg.arcFaceLoss,
  ),
  cosFaceLoss: ofRows("The same with a margin on the own cosine.", {
    margin: number(0.35, { min: 0 }, "What is taken off the cosine of the own type"),
    scale: SCALE,
  }, cg.cosFaceLoss),
  centerLoss: ofRows(
    "How far cells lie from the centres of their types; alone, all may fall together.",
    {},
    (x, types, labels) => cg.centerLoss(x, labels, types),
  ),
  proxyAnchorLoss: ofRows(
    "Draws cells to the direction of their type and away from others, the hardest most.",
    {
      margin: number(
        0.1,
        { min: 0 },
        "How far cosines should be above 0 for the own type, and below for others",
      ),
      alpha: number(32, { above: 0 }, "How strongly the hardest cells count"),
    },
    cg.proxyAnchorLoss,
  ),
});

/** A divergence of the shares of clusters in two views. */
function ofShares(
  about: string,
  loss: (
    first: Tensor,
    second: Tensor,
    options: ValuesOf<{ reduction: typeof REDUCTION }>,
  ) => Tensor,
) {
  return defineLoss({
    about,
    parameters: { reduction: REDUCTION },
    outputs: clusters,
    twoViews: true,
    compute: ({ outputs, second }, options) =>
      loss(cg.softmax(outputs.clusters), cg.softmax(second.clusters), options),
  });
}

/** The losses of two views of every cell, in the order in which they are listed. */
export const VIEWS: readonly LossEntry[] = family("Two views", {
  ntXentLoss: ofViews(
    "Finds each cell's other view, with other values missing, among both views of all.",
    { temperature: number(0.5, { above: 0 }, "What cosines are divided by") },
    cg.ntXentLoss,
  ),
  vicRegLoss: ofViews("Draws the views together, and keeps embeddings spread and uncorrelated.", {
    invariance: number(25, { min: 0 }, "The weight of the distance of the views"),
    variance: number(25, { min: 0 }, "The weight of standard deviations below 1"),
    covariance: number(
      1,
      { min: 0 },
      "The weight of covariances between different numbers of the embedding",
    ),
  }, cg.vicRegLoss),
  barlowTwinsLoss: ofViews(
    "Whether numbers of the embedding correlate with themselves between views, not others.",
    { lambda: number(0.005, { min: 0 }, "The weight of correlations between different numbers") },
    cg.barlowTwinsLoss,
  ),
  klDivergence: ofShares(
    "How far the shares of clusters in a cell's first view are from those in its second.",
    cg.klDivergence,
  ),
  jensenShannonDivergence: ofShares(
    "The same both ways, from the mean of the two; at most log 2.",
    cg.jensenShannonDivergence,
  ),
});

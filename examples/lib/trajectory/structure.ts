/**
 * DiffBio's structure losses in one objective: an autoencoder into the plane whose embedding should
 * mix batches, be compact around clusters, and use all clusters.
 */
import * as cg from "@cellgrad/cellgrad";
import { adam } from "@cellgrad/cellgrad/optim";
import { foldIn, normal } from "@cellgrad/cellgrad/random";
import { forward, initNetwork, type Network } from "../network.ts";
import {
  type Budget,
  DivergedError,
  type EpochRecord,
  shuffledBatches,
  trainIn,
} from "../training/mod.ts";
import type { BatchedCells } from "./batches.ts";
import type { TrajectoryContext } from "./velocity.ts";
import { measureStructure, type StructureMeasures } from "./structure_measures.ts";

type Tensor = cg.Tensor;

/** What multiplies each loss; a negative number is a wrong sign. */
export interface Weights {
  /** batchMixingLoss: lower is better mixed. */
  mixing: number;
  /** clusteringCompactnessLoss: lower is more compact. */
  compactness: number;
  /** shannonDiversityLoss of each cell's assignment: lower is more decided. */
  decision: number;
  /** simpsonDiversityLoss of the mean assignment: lower uses the clusters more evenly. */
  evenness: number;
}

/** A combination of the losses. */
export interface StructureVariant {
  id: string;
  name: string;
  /** What is to be expected. */
  note: string;
  weights: Weights;
}

const RIGHT: Weights = { mixing: 3, compactness: 0.5, decision: 0.3, evenness: 2 };

/** All signs right, then one wrong at a time. */
export const STRUCTURE_VARIANTS: readonly StructureVariant[] = [
  {
    id: "none",
    name: "Reconstruction only",
    note: "None of the structure losses.",
    weights: { mixing: 0, compactness: 0, decision: 0, evenness: 0 },
  },
  { id: "right", name: "All signs right", note: "The combined objective.", weights: RIGHT },
  {
    id: "mixing",
    name: "Mixing negated",
    note: "As DiffBio's example of combined training does: −batch_loss.",
    weights: { ...RIGHT, mixing: -RIGHT.mixing },
  },
  {
    id: "decision",
    name: "Decision negated",
    note: "The entropy of each cell's assignment maximised, as “diversity” suggests.",
    weights: { ...RIGHT, decision: -RIGHT.decision },
  },
  {
    id: "evenness",
    name: "Evenness negated",
    note: "The concentration of the mean assignment maximised.",
    weights: { ...RIGHT, evenness: -RIGHT.evenness },
  },
  {
    id: "compactness",
    name: "Compactness negated",
    note: "Distances to the centroids maximised, which has no bound.",
    weights: { ...RIGHT, compactness: -RIGHT.compactness },
  },
];

/** Encoder and decoder, and the directions that tell clusters apart. */
type Model = { encoder: Network; decoder: Network; clusters: { weight: Tensor; bias: Tensor } };

type Cells = { inputs: Tensor; batches: Tensor };

export interface LearnedStructure {
  variant: StructureVariant;
  /** Coordinates of the cells (cells, 2). */
  embedding: Tensor;
  /** The cluster of each cell. */
  clusters: Int32Array;
  /** What it is like. */
  measures: StructureMeasures;
  /** Losses per epoch. */
  history: EpochRecord[];
}

/** Learns an embedding; the message where it diverged. */
export async function learnStructure(
  cells: BatchedCells,
  variant: StructureVariant,
  budget: Budget,
  context: TrajectoryContext,
): Promise<LearnedStructure | string> {
  const { inputs, batches, batchCount } = cells;
  const name = `structure-${variant.id}`;
  const settings = { ...context.settings, training: name };
  const training = { name, label: `Embedding: ${variant.name}`, settings };
  try {
    const result = await trainIn(context, training, {
      key: context.key,
      parameters: initModel(context.key, cells, budget.hidden),
      epochs: budget.epochs,
      clip: 5,
      optimizer: adam({ learningRate: budget.learningRate }),
      batches: (key: Tensor) => shuffledBatches(key, batches.length, { size: budget.batch }),
      prepare: (items: Int32Array): Cells => ({
        inputs: inputs.gather(items),
        batches: cg.tensor(items.map((item) => batches[item]!)),
      }),
      loss: (model: Model, batch: Cells) => objective(model, batch, batchCount, variant.weights),
    });
    return finish(cells, variant, result.parameters, result.history);
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    return error.message;
  }
}

function initModel(key: Tensor, { inputs, batchCount, typeCount }: BatchedCells, hidden: number) {
  const components = inputs.shape[1]!;
  return {
    encoder: initNetwork(foldIn(key, 1), components, hidden, 2),
    decoder: initNetwork(foldIn(key, 2), 2 + batchCount, hidden, components),
    clusters: { weight: normal(foldIn(key, 3), [2, typeCount]), bias: cg.zeros([typeCount]) },
  };
}

/** The share of each cell in each cluster. */
function assign({ clusters }: Model, embedding: Tensor): Tensor {
  return cg.matmul(embedding, clusters.weight).add(clusters.bias).softmax();
}

/** Reconstruction, which keeps the cells apart, and the structure losses with their weights. */
function objective(model: Model, { inputs, batches }: Cells, nBatches: number, w: Weights) {
  const embedding = forward(model.encoder, inputs);
  const assignments = assign(model, embedding);
  // The decoder knows the batch, so that the embedding need not.
  const known = cg.concat([embedding, cg.oneHot(batches, nBatches)], { axis: 1 });
  const parts = {
    reconstruction: forward(model.decoder, known).sub(inputs).square().sum({ axis: 1 }).mean(),
    mixing: cg.mul(cg.batchMixingLoss(embedding, batches, { nBatches }), w.mixing),
    compactness: cg.mul(
      cg.clusteringCompactnessLoss(embedding, assignments, { minSeparation: 3 }),
      w.compactness,
    ),
    decision: cg.mul(cg.shannonDiversityLoss(assignments), w.decision),
    evenness: cg.mul(
      cg.simpsonDiversityLoss(assignments.mean({ axis: 0, keepDims: true })),
      w.evenness,
    ),
  };
  return { total: Object.values(parts).reduce((sum, part) => cg.add(sum, part)), parts };
}

function finish(
  cells: BatchedCells,
  variant: StructureVariant,
  model: Model,
  history: EpochRecord[],
): LearnedStructure {
  const embedding = forward(model.encoder, cells.inputs);
  const assignments = assign(model, embedding);
  const clusters = Int32Array.from(assignments.argMax({ axis: 1 }).data);
  return {
    variant,
    embedding,
    clusters,
    measures: measureStructure(cells, embedding, assignments, clusters),
    history,
  };
}

/** What an embedding is like: mixed, apart, compact, decided. */
import { shannonDiversityLoss, type Tensor } from "@cellgrad/cellgrad";
import { adjustedRandIndex, batchEntropy, lisi, silhouette } from "@cellgrad/cellgrad/metrics";
import type { BatchedCells } from "./batches.ts";

/** What can be said of any coordinates of the cells. */
export interface MixingMeasures {
  /** Entropy of batches among 15 neighbours over log K: 1 is mixed as well as can be. */
  batchEntropy: number;
  /** iLISI, from 0 (batches apart) to 1 (mixed). */
  ilisi: number;
  /** Silhouette by cell type, from −1 to 1: higher is better apart. */
  silhouette: number;
}

/** What a learned embedding is like. */
export interface StructureMeasures extends MixingMeasures {
  /** Agreement of clusters and cell types: 1 is the same, about 0 is chance. */
  ari: number;
  /** Mean entropy of a cell's assignment over log K: 0 is decided, 1 is undecided. */
  indecision: number;
  /** Clusters that hold at least 2 % of the cells. */
  clustersUsed: number;
  /** Root mean square distance of the cells from their centre. */
  radius: number;
}

/** Measures how batches are mixed and types are apart. */
export function measureMixing({ batches, types }: BatchedCells, points: Tensor): MixingMeasures {
  return {
    batchEntropy: batchEntropy(points, batches, { nNeighbors: 15, normalize: true }),
    ilisi: lisi(points, batches).ilisi,
    silhouette: silhouette(points, types),
  };
}

/** Measures an embedding with its soft assignments (cells, clusters) and hard clusters. */
export function measureStructure(
  cells: BatchedCells,
  embedding: Tensor,
  assignments: Tensor,
  clusters: Int32Array,
): StructureMeasures {
  const { types, typeCount } = cells;
  const centred = embedding.sub(embedding.mean({ axis: 0, keepDims: true }));
  const sizeOf = (k: number) => clusters.reduce((n, cluster) => n + Number(cluster === k), 0);
  const used = Array.from({ length: typeCount }, (_, k) => sizeOf(k) >= 0.02 * clusters.length);
  return {
    ...measureMixing(cells, embedding),
    ari: adjustedRandIndex(clusters, types),
    indecision: shannonDiversityLoss(assignments).item() / Math.log(typeCount),
    clustersUsed: used.filter(Boolean).length,
    radius: Math.sqrt(centred.square().sum({ axis: 1 }).mean().item()),
  };
}

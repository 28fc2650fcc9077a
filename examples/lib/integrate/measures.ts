/** How well batches are mixed and cell types kept apart in an embedding. */
import type { Tensor } from "@cellgrad/cellgrad";
import {
  adjustedRandIndex,
  lisi,
  normalizedMutualInformation,
  silhouette,
} from "@cellgrad/cellgrad/metrics";
import { kMeans } from "./kmeans.ts";

/** Measures of an embedding. A silhouette by batch is none: near 0 does not mean that they mix. */
export type Measures = {
  /** How well batches are mixed around each cell, 0 to 1; higher is better. */
  ilisi: number;
  /** How well cell types are apart around each cell, 0 to 1; higher is better. */
  clisi: number;
  /** The silhouette width by type, −1 to 1; higher is better. */
  typeSilhouette: number;
  /** Agreement of k-means clusters with the types, corrected for chance; 1 is best. */
  ari: number;
  /** Information that clusters and types share, 0 to 1; higher is better. */
  nmi: number;
};

export interface Labels {
  types: Int32Array;
  typeNames: readonly string[];
  batches: Int32Array;
}

/** Measures an embedding (cells, d); clusters are as many as there are types. */
export function measure(embedding: Tensor, labels: Labels): Measures {
  const { types, typeNames, batches } = labels;
  const clusters = kMeans(embedding, { clusters: typeNames.length });
  return {
    ilisi: lisi(embedding, batches).ilisi,
    clisi: lisi(embedding, types).clisi,
    typeSilhouette: silhouette(embedding, types),
    ari: adjustedRandIndex(clusters, types),
    nmi: normalizedMutualInformation(clusters, types),
  };
}

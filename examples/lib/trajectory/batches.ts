/** Simulated cells of several batches. */
import { log1p, type Tensor } from "@cellgrad/cellgrad";
import { normalizeTotal, pca, scale, simulateCells } from "@cellgrad/cellgrad/data";

/** Cells of several batches. */
export interface BatchedCells {
  /** Principal components of their expression (cells, components), with standard deviation 1. */
  inputs: Tensor;
  batches: Int32Array;
  /** The type of each cell, which no loss sees. */
  types: Int32Array;
  batchCount: number;
  typeCount: number;
}

const BATCHES = 3;
const TYPES = 4;
const COMPONENTS = 20;

/** Simulates cells of four types in three batches that differ. */
export function simulateBatches(cells: number, seed: number): BatchedCells {
  const { counts, labels, batches } = simulateCells({
    cells,
    genes: 120,
    types: TYPES,
    typeWeights: Array(TYPES).fill(1),
    batches: BATCHES,
    batchStrength: 0.6,
    markerStrength: 1.7,
    trajectory: 0.15,
    seed,
  });
  const { values } = scale(log1p(normalizeTotal(counts)), { maxValue: 10 });
  const { scores, explainedVariance } = pca(values, { components: COMPONENTS });
  const inputs = scores.div(Math.sqrt(explainedVariance[0]!));
  return { inputs, batches, types: labels, batchCount: BATCHES, typeCount: TYPES };
}

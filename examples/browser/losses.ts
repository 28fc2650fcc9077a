/**
 * The losses on the page: what each measures, its parameters with their ranges and defaults, and how
 * it is computed from a small network's outputs for cells.
 */
import type { LossEntry } from "./loss_entry.ts";
import { DISTANCES, EMBEDDINGS, METRIC, VIEWS } from "./losses/embeddings.ts";
import { COUNTS, EXPRESSION, REGRESSION } from "./losses/expression.ts";
import { OBJECTIVES } from "./losses/objectives.ts";
import { CLASSIFICATION, SEGMENTATION } from "./losses/types.ts";

/** All losses, family by family. */
export const LOSSES: readonly LossEntry[] = [
  ...CLASSIFICATION,
  ...SEGMENTATION,
  ...EMBEDDINGS,
  ...DISTANCES,
  ...METRIC,
  ...VIEWS,
  ...EXPRESSION,
  ...REGRESSION,
  ...COUNTS,
  ...OBJECTIVES,
];

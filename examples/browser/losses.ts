/**
 * The losses on the page: what each measures, its parameters with their ranges and defaults, and how
 * it is computed from a small network's outputs for cells.
 *
 * @module
 */
import type { LossEntry } from "./loss_entry.ts";
import { CLASSIFICATION } from "./losses/classification.ts";
import { COUNTS } from "./losses/counts.ts";
import { COUNT_OBJECTIVES } from "./losses/count_objectives.ts";
import { DISTANCES } from "./losses/distances.ts";
import { EMBEDDINGS } from "./losses/embeddings.ts";
import { EXPRESSION } from "./losses/expression.ts";
import { METRIC } from "./losses/metric.ts";
import { OBJECTIVES } from "./losses/objectives.ts";
import { REGRESSION } from "./losses/regression.ts";
import { SEGMENTATION } from "./losses/segmentation.ts";
import { VIEWS } from "./losses/views.ts";

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
  ...COUNT_OBJECTIVES,
];

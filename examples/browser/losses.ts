/**
 * The losses on the page: what each measures, its parameters with their ranges and defaults, and how
 * it is computed from a small network's outputs for cells.
 *
 * @module
 */
import type { LossEntry } from "./loss_entry.ts";
import { CLASSIFICATION } from "./losses/classification.ts";
import { EMBEDDINGS } from "./losses/embeddings.ts";
import { EXPRESSION } from "./losses/expression.ts";
import { OBJECTIVES } from "./losses/objectives.ts";

/** All losses, family by family. */
export const LOSSES: readonly LossEntry[] = [
  ...CLASSIFICATION,
  ...EMBEDDINGS,
  ...EXPRESSION,
  ...OBJECTIVES,
];

/** What a run of the example has found. */
import type { EpochRecord } from "../training/mod.ts";
import type { BatchedCells } from "./cells.ts";
import type { Measures } from "./measures.ts";

/** Cells in the plane. */
export interface Picture {
  /** The cells that are drawn. */
  cells: readonly number[];
  x: Float64Array;
  y: Float64Array;
}

/** A seed's cells before and after. */
export interface Repeat {
  seed: number;
  /** In principal components of the expression. */
  before: Measures;
  /** In the learned embedding. */
  after: Measures;
}

/** A row of the ablation table. */
export interface AblationRow {
  name: string;
  title: string;
  measures: Measures;
}

/** Everything that the report shows. */
export interface IntegrationResult extends Omit<BatchedCells, "expression" | "notes"> {
  /** Cells and genes. */
  shape: readonly [number, number];
  /** The first seed's cells before. */
  before: Picture;
  /** The first seed's cells after. */
  after: Picture;
  /** One per seed; the first is the one that is drawn. */
  repeats: readonly Repeat[];
  /** The first is the whole objective. */
  ablation: readonly AblationRow[];
  /** The losses of the whole objective by epoch. */
  history: readonly EpochRecord[];
  settings: Readonly<Record<string, string | number | boolean>>;
  elapsedSeconds: number;
}

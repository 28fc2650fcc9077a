/** What a run of the example has found. */
import type { EpochRecord } from "../training/mod.ts";
import type { Measures } from "./measures.ts";

/** Cells in the plane. */
export interface Picture {
  /** The cells that are drawn. */
  cells: readonly number[];
  /** First coordinate of each of these. */
  x: Float64Array;
  /** Second coordinate. */
  y: Float64Array;
}

/** A seed's cells before and after. */
export interface Repeat {
  /** The seed. */
  seed: number;
  /** In principal components of the expression. */
  before: Measures;
  /** In the learned embedding. */
  after: Measures;
}

/** A row of the ablation table. */
export interface AblationRow {
  /** A short name. */
  name: string;
  /** What is changed. */
  title: string;
  /** What came out. */
  measures: Measures;
}

/** Everything that the report shows. */
export interface IntegrationResult {
  /** Where the cells come from. */
  source: string;
  /** Where the batches come from. */
  origin: "simulated" | "synthetic" | "measured";
  /** Cells and genes. */
  shape: readonly [number, number];
  /** The names of the types. */
  typeNames: readonly string[];
  /** The names of the batches. */
  batchNames: readonly string[];
  /** The type of each cell. */
  types: Int32Array;
  /** The batch of each cell. */
  batches: Int32Array;
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
  /** Settings of the run, by name. */
  settings: Readonly<Record<string, string | number | boolean>>;
  /** How long the run took, in seconds. */
  elapsedSeconds: number;
}

/** What a training knows between two steps: all that is needed to go on. */
import type { OptimizerState } from "@cellgrad/cellgrad/optim";

/** What an epoch has shown. */
export interface EpochRecord {
  epoch: number;
  /** Means over the epoch's batches: `total`, the parts of the loss, and `gradientNorm`. */
  losses: Record<string, number>;
  /** What `evaluate` measured after the epoch; empty without it. */
  measures: Record<string, number>;
}

/** The best epoch so far, for early stopping. */
export interface BestEpoch<P> {
  /** The parameters after it. */
  parameters: P;
  /** The value that is watched. */
  value: number;
  epoch: number;
}

/** The state of a training between two steps. */
export interface TrainingState<P> {
  parameters: P;
  /** The optimizer's moments and its count of steps. */
  optimizer: OptimizerState<P>;
  /** Finished epochs. */
  epoch: number;
  /** Batches of the current epoch that were learned from. */
  position: number;
  /** Batches that were learned from in all. */
  steps: number;
  /** Sums of the losses over these batches. */
  sums: Record<string, number>;
  history: EpochRecord[];
  /** The best epoch, where one is looked for. */
  best: BestEpoch<P> | undefined;
  /** Whether nothing is left to do. */
  finished: boolean;
}

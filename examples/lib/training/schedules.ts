/**
 * Learning-rate schedules that trainings of the originals use. The usual ones (`constant`, `cosine`,
 * `step`, `warmup`) are in `@cellgrad/cellgrad/optim`: give any of them to the optimizer.
 */
import { type LearningRate, step } from "@cellgrad/cellgrad/optim";

/** How a rate falls from epoch to epoch. */
export interface EpochDecayOptions {
  /** What the rate is multiplied with after each epoch, above 0; 0.9 by default, as in scGPT. */
  factor?: number;
  /** Steps per epoch. */
  stepsPerEpoch: number;
  /** How many epochs there are. */
  epochs: number;
}

/**
 * A rate that is multiplied with a factor after every epoch: PyTorch's `StepLR(optimizer, 1,
 * factor)`, stepped once per epoch, with which scGPT is fine-tuned.
 */
export function decayPerEpoch(learningRate: number, options: EpochDecayOptions): LearningRate {
  const { factor = 0.9, stepsPerEpoch, epochs } = options;
  const milestones = Array.from({ length: epochs - 1 }, (_, i) => (i + 1) * stepsPerEpoch);
  return step(learningRate, { milestones, factor });
}

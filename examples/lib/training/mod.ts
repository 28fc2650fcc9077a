/**
 * The training kit of the examples: mini-batches, masks, schedules, the loop with its guard against
 * NaN, early stopping, checkpoints and progress.
 */
export { claimFolder, prepareFile, prepareFolder } from "./claim.ts";
export {
  type Budget,
  INTERRUPTED,
  interruptible,
  trainIn,
  type TrainingContext,
} from "./context.ts";
export { openDevice, type TrainingDevice } from "./device.ts";
export { lossProgress } from "./loss_progress.ts";
export { maskValues } from "./masking.ts";
export { groupedBatches, shuffledBatches } from "./mini_batches.ts";
export { DivergedError, type LossParts } from "./nan_guard.ts";
export { epochsOption, FOLDS_OPTION, SHARED_OPTIONS } from "./options.ts";
export { writeAtomically, writeResults } from "./results.ts";
export { decayPerEpoch } from "./schedules.ts";
export { type EpochRecord } from "./state.ts";
export { train, type TrainOptions, type TrainResult } from "./train.ts";

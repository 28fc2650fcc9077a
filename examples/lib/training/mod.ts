/**
 * The training kit of the examples: mini-batches, masks, schedules, the loop with its guard against
 * NaN, early stopping, checkpoints and progress.
 *
 * @module
 */
export { type CheckpointOptions, type TrainingSettings } from "./checkpoints.ts";
export { claimFolder, prepareFile, prepareFolder } from "./claim.ts";
export { type OpenDevice, openDevice, type TrainingDevice } from "./device.ts";
export { type EarlyStopping } from "./early_stopping.ts";
export { lossProgress, type LossProgressOptions, type TrainingProgress } from "./loss_progress.ts";
export { type Masked, type MaskOptions, maskValues } from "./masking.ts";
export { type BatchOptions, groupedBatches, shuffledBatches } from "./mini_batches.ts";
export { DivergedError, type LossParts } from "./nan_guard.ts";
export { epochsOption, SHARED_OPTIONS } from "./options.ts";
export { writeAtomically, writeResults } from "./results.ts";
export { decayPerEpoch, type EpochDecayOptions } from "./schedules.ts";
export { type EpochRecord } from "./state.ts";
export { train, type TrainOptions, type TrainResult } from "./train.ts";
export { type Parameters } from "./trees.ts";

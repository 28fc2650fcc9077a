/** Trainings of a program, which Ctrl-C stops and `--resume` continues. */
import type { TrainingSettings } from "./checkpoints.ts";
import type { TrainingDevice } from "./device.ts";
import { lossProgress } from "./loss_progress.ts";
import { train, type TrainOptions, type TrainResult } from "./train.ts";
import type { Parameters } from "./trees.ts";

/** The status of a program that Ctrl-C has ended. */
export const INTERRUPTED = 130;

/** Ctrl-C came; the checkpoint is written. */
class Interrupted extends Error {}

/** Where trainings run, what they continue, and when they stop. */
export interface TrainingContext {
  device: TrainingDevice;
  /** Of the checkpoints. */
  folder: string;
  /** Whether to continue from checkpoints. */
  resume: boolean;
  /** Stops between two steps. */
  signal: AbortSignal;
}

/** How long is learned, and how large a network. */
export interface Budget {
  /** Passes over what is learned from. */
  epochs: number;
  /** Items per step. */
  batch: number;
  hidden: number;
  learningRate: number;
}

export interface NamedTraining {
  /** What its checkpoint is called. */
  name: string;
  /** What its progress is called. */
  label: string;
  /** What decides its numbers. */
  settings: TrainingSettings;
  /** Steps between two checkpoints. */
  every?: number;
}

/** Trains to the end; an interruption is left to {@linkcode interruptible}. */
export async function trainIn<P extends Parameters, B>(
  { device, folder, resume, signal }: TrainingContext,
  { name, label, ...checkpoint }: NamedTraining,
  options: TrainOptions<P, B>,
): Promise<TrainResult<P>> {
  const file = `${folder}/${name}.safetensors`;
  const result = await train({
    ...options,
    checkpoint: { file, resume, ...checkpoint },
    progress: lossProgress({ label }),
    device,
    signal,
  });
  if (result.interrupted) throw new Interrupted();
  return result;
}

/**
 * What trainings by {@linkcode trainIn} lead to; `undefined` where Ctrl-C came before their end,
 * which is said. Checkpoints go into a folder within that of the program's results.
 */
export async function interruptible<T>(
  { device, folder, resume }: Omit<TrainingContext, "signal">,
  learn: (context: TrainingContext) => Promise<T>,
  said = "\nInterrupted: run it again with --resume to go on",
): Promise<T | undefined> {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const { signal } = controller;
    return await learn({ device, folder: `${folder}/checkpoints`, resume, signal });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    console.log(said);
    return undefined;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

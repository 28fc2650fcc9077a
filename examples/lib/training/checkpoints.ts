/**
 * Checkpoints: the state of a training in one safetensors file.
 *
 * The tensors are `parameters.…`, `optimizer.…`, `key` and, with early stopping, `best.…`; the
 * metadata hold the counters, the history and the settings as JSON, whose numbers come back to the
 * last bit, and a checksum. Other programs can read the file as well.
 */
import type { Tensor } from "@cellgrad/cellgrad";
import { readSafetensors, writeSafetensors } from "@cellgrad/cellgrad/data";
import { UsageError } from "../arguments.ts";
import { WriteError } from "../write_error.ts";
import { writeAtomically } from "./results.ts";
import type { TrainingState } from "./state.ts";
import { namedTensors, onHost, type Parameters, treeFrom } from "./trees.ts";

/** What decides the numbers of a training: a checkpoint of other settings is not continued. */
export type TrainingSettings = Readonly<Record<string, string | number | boolean>>;

/** Where and how often the state is kept. */
export interface CheckpointOptions {
  /** The file, such as `out/integrate/full.safetensors`; its folder is made where needed. */
  file: string;
  /** Steps between two checkpoints; 100 by default. There is one more at the end. */
  every?: number;
  /** Whether to continue from the file where it exists; `false` by default. */
  resume?: boolean;
  /** What decides the numbers; nothing by default. */
  settings?: TrainingSettings;
}

/** What else identifies a training. */
export interface TrainingIdentity {
  /** The key that all randomness comes from. */
  key: Tensor;
  /** What decides the numbers. */
  settings: TrainingSettings;
}

/**
 * Writes a state, wherever its tensors are: as a whole or, if the program is killed meanwhile, not
 * at all.
 */
export async function saveCheckpoint<P extends Parameters>(
  file: string,
  state: TrainingState<P>,
  identity: TrainingIdentity,
): Promise<void> {
  const { epoch, position, steps, sums, history, best, finished } = state;
  const tensors = await onHost({
    ...namedTensors(state.parameters, "parameters"),
    ...namedTensors(state.optimizer, "optimizer"),
    ...(best === undefined ? {} : namedTensors(best.parameters, "best")),
    key: identity.key,
  });
  const progress = { epoch, position, steps, sums, history, finished };
  const watched = best === undefined ? null : { value: best.value, epoch: best.epoch };
  const metadata = {
    progress: JSON.stringify(progress),
    best: JSON.stringify(watched),
    settings: JSON.stringify(identity.settings),
  };
  try {
    await writeAtomically(file, writeSafetensors(tensors, { metadata, checksum: true }));
  } catch (error) {
    if (!(error instanceof WriteError)) throw error;
    throw new WriteError(`${error.message}; --resume goes on from what is kept`);
  }
}

/**
 * Reads a state of the training that begins so, `undefined` where there is none yet; throws
 * `UsageError` where the file is no checkpoint of this training.
 */
export async function loadCheckpoint<P extends Parameters>(
  file: string,
  start: TrainingState<P>,
  identity: TrainingIdentity,
): Promise<TrainingState<P> | undefined> {
  if (!await exists(file)) return undefined;
  const { tensors, metadata } = await readSafetensors(file, { checksum: true }).catch(
    (error: Error) => {
      throw new UsageError(`${error.message}: remove it, or run without --resume`);
    },
  );
  checkIdentity(file, tensors.key, metadata.settings, identity);
  const parameters = treeFrom(start.parameters, "parameters", tensors);
  const optimizer = treeFrom(start.optimizer, "optimizer", tensors);
  const watched = parse<{ value: number; epoch: number } | null>(file, metadata.best);
  const best = watched === null ? undefined : treeFrom(start.parameters, "best", tensors);
  if (parameters === undefined || optimizer === undefined || (watched && best === undefined)) {
    throw cannotResume(file, "its parameters have other names or shapes");
  }
  return {
    parameters,
    optimizer,
    ...parse<Counters>(file, metadata.progress),
    best: watched === null || best === undefined ? undefined : { parameters: best, ...watched },
  };
}

type Counters = Pick<
  TrainingState<never>,
  "epoch" | "position" | "steps" | "sums" | "history" | "finished"
>;

async function exists(file: string): Promise<boolean> {
  try {
    return (await Deno.stat(file)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function cannotResume(file: string, reason: string): UsageError {
  return new UsageError(
    `Cannot resume from "${file}" as ${reason}: remove it, or run without --resume`,
  );
}

function parse<T>(file: string, text: string | undefined): T {
  if (text === undefined) throw cannotResume(file, "it is no checkpoint of a training");
  return JSON.parse(text) as T;
}

function checkIdentity(
  file: string,
  key: Tensor | undefined,
  text: string | undefined,
  identity: TrainingIdentity,
): void {
  const settings = parse<TrainingSettings>(file, text);
  const names = new Set([...Object.keys(settings), ...Object.keys(identity.settings)]);
  for (const name of names) {
    if (settings[name] === identity.settings[name]) continue;
    const values = [settings[name], identity.settings[name]].map((value) => value ?? "missing");
    throw cannotResume(file, `its ${name} is ${values[0]}, and that of this run ${values[1]}`);
  }
  if (String(key?.data) !== String(identity.key.data)) {
    throw cannotResume(file, "it was made with another seed");
  }
}

/**
 * The training loop that the examples share.
 *
 * Everything random in a training comes from its key, the number of the epoch and that of the step,
 * and everything else is in its state. So the same key gives the same numbers, and a training that
 * was killed goes on from its checkpoint to the same numbers as one that was not.
 */
import { compile, type Tensor, valueAndGrad } from "@cellgrad/cellgrad";
import {
  clipByGlobalNorm,
  globalNorm,
  type Optimizer,
  type OptimizerState,
} from "@cellgrad/cellgrad/optim";
import { foldIn } from "@cellgrad/cellgrad/random";
import { type CheckpointOptions, loadCheckpoint, saveCheckpoint } from "./checkpoints.ts";
import type { TrainingDevice } from "./device.ts";
import { type EarlyStopping, noteEpoch } from "./early_stopping.ts";
import { diagnose, type LossParts } from "./nan_guard.ts";
import type { TrainingProgress } from "./loss_progress.ts";
import type { EpochRecord, TrainingState } from "./state.ts";
import { onHost, type Parameters } from "./trees.ts";

export interface TrainOptions<P extends Parameters, B> {
  /** The parameters at the start. */
  parameters: P;
  /**
   * What is minimised: a pure function of parameters and a batch. It is compiled, so whatever
   * changes from step to step must come in with the batch.
   */
  loss: (parameters: P, batch: B) => LossParts;
  /** The optimizer, with its learning rate or schedule. */
  optimizer: Optimizer;
  /** The batches of an epoch, as positions of items: `shuffledBatches` or `groupedBatches`. */
  batches: (key: Tensor, epoch: number) => readonly Int32Array[];
  /** The batch that the loss is given: arrays and plain objects of tensors. */
  prepare: (items: Int32Array, key: Tensor) => B;
  /** How often all items are seen. */
  epochs: number;
  /** What all randomness comes from: batches and what `prepare` draws. */
  key: Tensor;
  /** The largest norm of the gradient; not limited by default. */
  clip?: number;
  /** What to measure after each epoch; its numbers go into the history. */
  evaluate?: (
    parameters: P,
    epoch: number,
  ) => Record<string, number> | Promise<Record<string, number>>;
  /** When to stop before the last epoch, with the best parameters; never by default. */
  earlyStopping?: EarlyStopping;
  /** Where the state is kept; nowhere by default. */
  checkpoint?: CheckpointOptions;
  /** Where progress is shown; nowhere by default. */
  progress?: TrainingProgress;
  /** Where the steps run; `"cpu"` by default. */
  device?: TrainingDevice;
  /** Whether steps are compiled; `true` by default. Eager steps are for debugging. */
  compiled?: boolean;
  /** Stops the training between two steps, with a checkpoint. */
  signal?: AbortSignal;
}

/** What a training has led to. */
export interface TrainResult<P> {
  /** The last parameters; with early stopping, the best. */
  parameters: P;
  history: EpochRecord[];
  /** The epoch that `parameters` are from. */
  epoch: number;
  /** Whether `signal` stopped it before its end. */
  interrupted: boolean;
}

interface StepResult<P> {
  parameters: P;
  optimizer: OptimizerState<P>;
  losses: Record<string, Tensor>;
}

type Step<P, B> = (
  parameters: P,
  optimizer: OptimizerState<P>,
  batch: B,
) => StepResult<P> | Promise<StepResult<P>>;

/**
 * Trains; throws `DivergedError` where the loss or its gradient is not finite, `UsageError` where
 * the checkpoint belongs to another training.
 */
export async function train<P extends Parameters, B>(
  options: TrainOptions<P, B>,
): Promise<TrainResult<P>> {
  const state = await firstState(options);
  const { progress, epochs } = options;
  if (!state.finished) {
    const runner = new Runner(options, state);
    await using _program = await runner.open();
    while (!state.finished && await runner.epoch());
  }
  progress?.finish();
  if (state.finished) await save(options, state);
  const best = state.finished ? state.best : undefined;
  return {
    parameters: await onHost(best?.parameters ?? state.parameters),
    history: state.history,
    epoch: best?.epoch ?? Math.min(state.epoch, epochs),
    interrupted: !state.finished,
  };
}

/** The state at the start, or that of the checkpoint. */
async function firstState<P extends Parameters, B>(
  options: TrainOptions<P, B>,
): Promise<TrainingState<P>> {
  const { parameters, optimizer, checkpoint, key, epochs } = options;
  const start: TrainingState<P> = {
    parameters,
    optimizer: optimizer.init(parameters) as OptimizerState<P>,
    epoch: 0,
    position: 0,
    steps: 0,
    sums: {},
    history: [],
    best: undefined,
    finished: epochs === 0,
  };
  if (checkpoint?.resume !== true) return start;
  const settings = { epochs, ...checkpoint.settings };
  return await loadCheckpoint(checkpoint.file, start, { key, settings }) ?? start;
}

async function save<P extends Parameters, B>(
  { checkpoint, key, epochs }: TrainOptions<P, B>,
  state: TrainingState<P>,
): Promise<void> {
  if (checkpoint === undefined) return;
  const settings = { epochs, ...checkpoint.settings };
  await saveCheckpoint(checkpoint.file, state, { key, settings });
}

/** Loss, gradient, clipping and update as one pure function, which compiles to one program. */
function makeStep<P extends Parameters, B>(
  { loss, optimizer, clip }: TrainOptions<P, B>,
): (parameters: P, state: OptimizerState<P>, batch: B) => StepResult<P> {
  const objective = valueAndGrad((parameters: P, batch: B): readonly [Tensor, Outcome] => {
    const { total, parts, kept = {} } = loss(parameters, batch);
    return [total, { losses: { total, ...given(parts) }, kept: given(kept) }];
  }, { hasAux: true });
  return (parameters, state, batch) => {
    const [[, { losses, kept }], gradient] = objective(parameters as never, batch);
    const limited = clip === undefined ? gradient : clipByGlobalNorm(gradient, clip);
    const updated = optimizer.update(limited as never, state as never, parameters);
    return {
      parameters: { ...updated.params, ...kept } as P,
      optimizer: updated.state as OptimizerState<P>,
      losses: { ...losses, gradientNorm: globalNorm(gradient) },
    };
  };
}

/** What a loss says besides its value. */
type Outcome = { losses: Record<string, Tensor>; kept: Record<string, object> };

/** Without what is left out. */
function given<T>(fields: Readonly<Record<string, T | undefined>>): Record<string, T> {
  const entries = Object.entries(fields).filter((entry): entry is [string, T] =>
    entry[1] !== undefined
  );
  return Object.fromEntries(entries);
}

/** How long the loop runs before it lets signals and timers have their turn. */
const TURN_MS = 50;

class Runner<P extends Parameters, B> {
  readonly #options: TrainOptions<P, B>;
  readonly #state: TrainingState<P>;
  #step: Step<P, B>;
  #turn = performance.now();

  constructor(options: TrainOptions<P, B>, state: TrainingState<P>) {
    this.#options = options;
    this.#state = state;
    this.#step = makeStep(options);
  }

  /** Compiles the step, where it is to be compiled. */
  async open(): Promise<AsyncDisposable> {
    const { compiled = true, device = "cpu", epochs } = this.#options;
    const batch = this.#batches(Math.min(this.#state.epoch, epochs - 1))[0];
    if (!compiled || batch === undefined) {
      return { [Symbol.asyncDispose]: () => Promise.resolve() };
    }
    const { parameters, optimizer } = this.#state;
    const example = [parameters, optimizer, this.#prepare(batch, 0)];
    const step = this.#step as (...args: unknown[]) => StepResult<P>;
    const program = await compile(step, example as never, { device });
    this.#step = program as unknown as Step<P, B>;
    return program;
  }

  /** The rest of the epoch; `false` where it was interrupted. */
  async epoch(): Promise<boolean> {
    const { signal, checkpoint, progress, epochs } = this.#options;
    const state = this.#state;
    const batches = this.#batches(state.epoch);
    while (state.position < batches.length) {
      await this.#takeTurns();
      if (signal?.aborted) {
        await save(this.#options, state);
        return false;
      }
      const losses = await this.#learn(batches[state.position]!);
      state.position++;
      state.steps++;
      for (const [name, value] of Object.entries(losses)) {
        state.sums[name] = (state.sums[name] ?? 0) + value;
      }
      const done = { epoch: state.epoch, epochs, step: state.position, steps: batches.length };
      progress?.update({ ...done, losses: meansOf(state) });
      if (state.steps % (checkpoint?.every ?? 100) === 0) await save(this.#options, state);
    }
    await this.#finishEpoch();
    return true;
  }

  async #finishEpoch(): Promise<void> {
    const { evaluate, earlyStopping, epochs } = this.#options;
    const state = this.#state;
    const losses = meansOf(state);
    state.epoch++;
    const measures = await evaluate?.(await onHost(state.parameters), state.epoch) ?? {};
    state.history.push({ epoch: state.epoch, losses, measures });
    Object.assign(state, { position: 0, sums: {} });
    const stop = earlyStopping !== undefined && noteEpoch(state, earlyStopping);
    state.finished = stop || state.epoch >= epochs;
  }

  /** One step; the numbers that it computed. */
  async #learn(items: Int32Array): Promise<Record<string, number>> {
    const { loss } = this.#options;
    const state = this.#state;
    const batch = this.#prepare(items, state.position);
    const { parameters, optimizer, losses } = await this.#step(
      state.parameters,
      state.optimizer,
      batch,
    );
    const values = Object.fromEntries(
      await Promise.all(
        Object.entries(losses).map(async ([name, x]) => [name, (await x.read())[0]!] as const),
      ),
    );
    const { total, gradientNorm } = values as { total: number; gradientNorm: number };
    if (!Number.isFinite(total) || !Number.isFinite(gradientNorm)) {
      const before = await onHost(state.parameters);
      const at = { epoch: state.epoch + 1, step: state.position + 1 };
      throw diagnose({ ...at, total, loss, parameters: before, batch });
    }
    Object.assign(state, { parameters, optimizer });
    return values;
  }

  #key(epoch: number): Tensor {
    return foldIn(this.#options.key, epoch);
  }

  #batches(epoch: number): readonly Int32Array[] {
    return this.#options.batches(foldIn(this.#key(epoch), 0), epoch);
  }

  #prepare(items: Int32Array, position: number): B {
    return this.#options.prepare(items, foldIn(this.#key(this.#state.epoch), position + 1));
  }

  async #takeTurns(): Promise<void> {
    if (performance.now() - this.#turn < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#turn = performance.now();
  }
}

/** The means of the losses over the batches so far. */
function meansOf<P>({ sums, position }: TrainingState<P>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(sums).map(([name, total]) => [name, total / Math.max(1, position)]),
  );
}

/** Training the integration on many ranks. */
import { type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import {
  type Communicator,
  type DataParallel,
  dataParallel,
  loadCheckpoint,
  saveCheckpoint,
  shardRows,
  type TrainingState,
} from "@cellgrad/cellgrad/mpi";
import { adam, clipByGlobalNorm, type Optimizer } from "@cellgrad/cellgrad/optim";
import { foldIn, key } from "@cellgrad/cellgrad/random";
import { UsageError } from "../arguments.ts";
import { digestOf } from "../cells/digest.ts";
import type { BatchedCells } from "../integrate/cells.ts";
import { EMBEDDING } from "../integrate/fit.ts";
import type { ObjectiveSettings } from "../integrate/variants.ts";
import { decayPerEpoch, lossProgress } from "../training/mod.ts";
import { type CellBatch, embed, initModel, type Model, TOKENS } from "./model.ts";
import { countHidden, gatheredObjective } from "./objective.ts";
import { type ShareOptions, type Shares, sharesOf } from "./shares.ts";

/** Settings of a training on many ranks: what decides its numbers. */
export interface ParallelSettings extends ObjectiveSettings, ShareOptions {
  epochs: number;
  hidden: number;
  /** About how far each weight moves per step, in the first epoch. */
  learningRate: number;
  /** Decides first weights, masks and the order of the cells. */
  seed: number;
}

/** Where a training keeps its state. */
export interface Checkpoint {
  /** The file; its folder exists. */
  file: string;
  resume: boolean;
}

/** All that a checkpoint holds. */
type Progress = {
  /** Parameters, optimizer, step and key. */
  training: TrainingState<Model>;
  /** (epochs): their mean losses, 0 before they are known. */
  losses: Tensor;
  /** What decides the numbers, as a digest. */
  identity: Tensor;
};

/** One training: what does not change on its way. */
interface Job {
  comm: Communicator;
  settings: ParallelSettings;
  checkpoint: Checkpoint;
  shares: Shares;
  parallel: DataParallel<Model, CellBatch>;
  stepsPerEpoch: number;
}

/** Steps between two checkpoints, and between two comparisons of the ranks. */
const CHECKPOINT_EVERY = 25;

/**
 * Trains on the ranks' shares of each mini-batch: to the same for any number of ranks, up to
 * rounding. All cells are on every rank, and so are their embedding and the epochs' mean losses.
 */
export async function fitParallel(
  cells: BatchedCells,
  comm: Communicator,
  settings: ParallelSettings,
  checkpoint: Checkpoint,
): Promise<{ embedding: Tensor; losses: number[] }> {
  const { epochs, hidden, seed } = settings;
  const shares = sharesOf(cells, comm, settings);
  const stepsPerEpoch = shares.epoch(key(seed)).length;
  const parallel = dataParallel(gatheredObjective(comm, settings.mixing, settings), comm, {
    optimizer: clippedAdam(settings, stepsPerEpoch),
    weight: countHidden,
    checkEvery: CHECKPOINT_EVERY,
  });
  const batches = cells.batchNames.length;
  const sizes = { batches, hidden, embedding: EMBEDDING, tokens: TOKENS };
  const model = initModel(foldIn(key(seed), 0), cells.expression.mean({ axis: 0 }), sizes);
  const first = {
    training: parallel.start(model, foldIn(key(seed), 1)),
    losses: zeros([epochs]),
    identity: await identityOf(cells, settings),
  };
  const start = checkpoint.resume ? await resumed(first, comm, checkpoint.file) : first;
  const job = { comm, settings, checkpoint, shares, parallel, stepsPerEpoch };
  const { training, losses } = await run(job, start);
  const own = embed(training.params, shardRows(shares.standardized, comm));
  return { embedding: comm.allGather(own), losses: [...losses.data] };
}

/** All steps that are left. */
async function run(job: Job, start: Progress): Promise<Progress> {
  const { comm, settings: { seed, epochs }, checkpoint: { file }, stepsPerEpoch: steps } = job;
  const shown = comm.rank === 0 ? lossProgress({ label: `seed ${seed}` }) : undefined;
  let state = start;
  for (let made = state.training.step.item(); made < epochs * steps;) {
    const epoch = Math.floor(made / steps);
    state = stepOf(job, state, epoch, made % steps);
    made++;
    const step = made - epoch * steps;
    const total = state.losses.data[epoch]! * steps / step;
    shown?.update({ epoch, epochs, step, steps, losses: { total } });
    if (made % CHECKPOINT_EVERY === 0 || made === epochs * steps) {
      await saveCheckpoint(file, state, comm).catch((error: Error) => {
        throw new UsageError(`${error.message}; --resume goes on from what is kept`);
      });
    }
  }
  shown?.finish();
  return state;
}

/** One step, and its part in the epoch's mean loss. */
function stepOf(
  { shares, parallel, stepsPerEpoch }: Job,
  state: Progress,
  epoch: number,
  position: number,
): Progress {
  const { training, losses, identity } = state;
  const epochKey = foldIn(training.key, epoch);
  const items = shares.epoch(foldIn(epochKey, 0))[position]!;
  const share = shares.of(items, foldIn(epochKey, position + 1));
  const next = parallel.step(training, share);
  const value = next.value.item();
  if (!Number.isFinite(value)) {
    throw new UsageError(
      `Training stopped in epoch ${epoch + 1}, step ${
        position + 1
      }, as the loss became ${value}: ` +
        `try a smaller --learning-rate`,
    );
  }
  const sums = Float32Array.from(losses.data);
  sums[epoch]! += value / stepsPerEpoch;
  return { training: next.state, losses: tensor(sums), identity };
}

/** Gradients of a norm of 1 at most, as in `examples/02_integrate.ts`. */
function clippedAdam({ learningRate, epochs }: ParallelSettings, stepsPerEpoch: number): Optimizer {
  const { init, update } = adam({
    learningRate: decayPerEpoch(learningRate, { stepsPerEpoch, epochs }),
  });
  return {
    init,
    update: (gradients, state, parameters) =>
      update(clipByGlobalNorm(gradients, 1) as typeof gradients, state, parameters),
  };
}

/** A digest of the cells and the settings: checkpoints hold tensors only. */
async function identityOf(
  { source, expression }: BatchedCells,
  settings: ParallelSettings,
): Promise<Tensor> {
  const digest = await digestOf(expression);
  const text = JSON.stringify({ source, shape: expression.shape, digest, ...settings });
  return tensor(
    new Int32Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
  );
}

/** The state in the file, if there is one. */
async function resumed(first: Progress, comm: Communicator, file: string): Promise<Progress> {
  const advice = "remove it, or run without --resume";
  const found = await loadCheckpoint(file, first, comm).catch((error: Error) => {
    throw new UsageError(`${error.message}: ${advice}`);
  });
  if (found === undefined) return first;
  if (String(found.identity.data) === String(first.identity.data)) return found;
  throw new UsageError(
    `Cannot resume from "${file}" as it is of other cells or settings: ${advice}`,
  );
}

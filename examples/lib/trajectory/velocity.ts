/** A velocity field that is learned from pairs of readings by velocityConsistencyLoss. */
import { neg, type Tensor, velocityConsistencyLoss } from "@cellgrad/cellgrad";
import { adam, cosine } from "@cellgrad/cellgrad/optim";
import { foldIn } from "@cellgrad/cellgrad/random";
import { forward, initNetwork, type Network } from "../network.ts";
import {
  type Budget,
  type EpochRecord,
  shuffledBatches,
  trainIn,
  type TrainingContext,
} from "../training/mod.ts";
import type { Trajectory } from "./cells.ts";

/** A way to learn the field. */
export interface VelocityVariant {
  id: string;
  name: string;
  /** Weight of the direction. */
  cosineWeight: number;
  /** Weight of the length. */
  magnitudeWeight: number;
  /** Whether the loss is negated by mistake. */
  negated: boolean;
}

/** The loss as it is, each of its terms alone, and with the wrong sign. */
export const VELOCITY_VARIANTS: readonly VelocityVariant[] = [
  { id: "both", name: "Both terms", cosineWeight: 1, magnitudeWeight: 1, negated: false },
  { id: "direction", name: "Direction only", cosineWeight: 1, magnitudeWeight: 0, negated: false },
  { id: "length", name: "Length only", cosineWeight: 0, magnitudeWeight: 1, negated: false },
  {
    id: "negated",
    name: "Direction, wrong sign",
    cosineWeight: 1,
    magnitudeWeight: 0,
    negated: true,
  },
];

/** How well directions and lengths are met on some cells. */
export interface VelocityMeasures {
  /** Cells that move: their true step is long enough to have a direction. */
  moving: number;
  /** Mean cosine with the true direction over the moving cells. */
  cosine: number;
  /** The cosine of each moving cell. */
  cosines: number[];
  cosineOfAll: number;
  /** Predicted over true length, summed over the moving cells. */
  lengthRatio: number;
}

export interface LearnedVelocity {
  variant: VelocityVariant;
  /** Predicted change per unit of time (cells, genes), of all cells. */
  velocity: Tensor;
  /** On the held-out cells. */
  measures: VelocityMeasures;
  /** Loss per epoch. */
  history: EpochRecord[];
}

/** Where trainings run, and what decides their numbers besides. */
export interface TrajectoryContext extends TrainingContext {
  key: Tensor;
  settings: { quick: boolean; data: string };
}

/** The batch of a step: expression now and later. */
type Pair = { now: Tensor; later: Tensor };

export async function learnVelocity(
  cells: Trajectory,
  variant: VelocityVariant,
  budget: Budget,
  context: TrajectoryContext,
): Promise<LearnedVelocity> {
  const { expression, future, dt, train: seen } = cells;
  const { cosineWeight, magnitudeWeight, negated } = variant;
  const genes = expression.shape[1]!;
  const size = Math.min(budget.batch, seen.length);
  const steps = budget.epochs * Math.floor(seen.length / size);
  const pairOf = (items: Int32Array): Pair => {
    const positions = items.map((item) => seen[item]!);
    return { now: expression.gather(positions), later: future.gather(positions) };
  };
  const name = `velocity-${variant.id}`;
  const settings = { ...context.settings, training: name };
  const training = { name, label: `Velocity: ${variant.name}`, settings };
  const result = await trainIn(context, training, {
    key: context.key,
    parameters: initNetwork(foldIn(context.key, 0), genes, budget.hidden, genes),
    epochs: budget.epochs,
    optimizer: adam({ learningRate: cosine(budget.learningRate, { steps }) }),
    batches: (key: Tensor) => shuffledBatches(key, seen.length, { size }),
    prepare: pairOf,
    loss: (network: Network, { now, later }: Pair) => {
      const options = { dt, cosineWeight, magnitudeWeight };
      const loss = velocityConsistencyLoss(now, forward(network, now), later, options);
      return { total: negated ? neg(loss) : loss, parts: {} };
    },
  });
  const velocity = forward(result.parameters, expression);
  return {
    variant,
    velocity,
    measures: measureVelocity(cells, velocity, cells.test),
    history: result.history,
  };
}

/** A step this much shorter than the mean one is rest: its direction is noise. */
const REST = 0.25;

/** Compares predicted with true velocities on some cells. */
export function measureVelocity(
  cells: Trajectory,
  predicted: Tensor,
  positions: Int32Array,
): VelocityMeasures {
  const all = Array.from(positions, (cell) => compareRows(predicted, cells.velocity, cell));
  const typical = mean(all.map(({ trueLength }) => trueLength));
  const moving = all.filter(({ trueLength }) => trueLength >= REST * typical);
  const total = (name: "length" | "trueLength") => mean(moving.map((row) => row[name]));
  return {
    moving: moving.length,
    cosine: mean(moving.map((row) => row.cosine)),
    cosines: moving.map((row) => row.cosine),
    cosineOfAll: mean(all.map((row) => row.cosine)),
    lengthRatio: total("length") / total("trueLength"),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function compareRows(a: Tensor, b: Tensor, row: number) {
  const genes = a.shape[1]!;
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = row * genes; i < (row + 1) * genes; i++) {
    const [x, y] = [a.data[i]!, b.data[i]!];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  const [length, trueLength] = [Math.sqrt(squareA), Math.sqrt(squareB)];
  return { cosine: product / Math.max(length * trueLength, 1e-12), length, trueLength };
}

/** What is hard to beat: every cell's own observed step, and the mean step of all training cells. */
export function baselines(
  cells: Trajectory,
): { observed: VelocityMeasures; mean: VelocityMeasures } {
  const observed = cells.future.sub(cells.expression).div(cells.dt);
  const average = observed.gather(cells.train).mean({ axis: 0, keepDims: true });
  return {
    observed: measureVelocity(cells, observed, cells.test),
    mean: measureVelocity(cells, average.broadcastTo(observed.shape), cells.test),
  };
}

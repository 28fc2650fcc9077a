/** What a step under each loss costs. */
import { compile, type Tensor, tensor, valueAndGrad } from "@cellgrad/cellgrad";
import { key, normal } from "@cellgrad/cellgrad/random";
import { forward, initNetwork, type Network } from "../network.ts";
import type { Budget, TrainingDevice } from "../training/mod.ts";
import { type Configuration, lossOf } from "./configurations.ts";
import { CLASSES } from "./micrograph.ts";
import type { PixelData } from "./pixels.ts";

/** Milliseconds per run, in the fastest round: what else the machine does only ever adds. */
export interface StepTime {
  /** Network, loss and their gradient on one batch. */
  step: number;
  /** The loss and its gradient alone. */
  loss: number;
}

/** Steps per round: enough for the clock. */
const STEPS = 5;

/** A program that runs on the same arguments again and again. */
interface Timed extends AsyncDisposable {
  run: () => Promise<unknown>;
  times: number[];
}

/**
 * Times all losses in turn, round by round, so that what else the machine does meets them alike.
 */
export async function timeSteps(
  data: PixelData,
  losses: readonly Configuration[],
  budget: Budget,
  device: TrainingDevice,
  rounds: number,
): Promise<StepTime[]> {
  const { train } = data;
  const { batch, hidden } = budget;
  const count = train.features.shape[1]!;
  const network = initNetwork(key(0), count, hidden, CLASSES.length);
  const features = train.features.slice([0, 0], [batch, count]);
  const logits = normal(key(1), [batch, CLASSES.length]);
  const labels = tensor(train.labels.slice(0, batch));
  await using programs = new AsyncDisposableStack();
  const timed: Timed[] = [];
  for (const configuration of losses) {
    const loss = lossOf(configuration, data.classCounts);
    const step = (n: Network, x: Tensor, y: Tensor) => loss(forward(n, x), y);
    const alone = (z: Tensor, y: Tensor) => loss(z, y);
    timed.push(
      programs.use(await timedProgram(valueAndGrad(step), [network, features, labels], device)),
      programs.use(await timedProgram(valueAndGrad(alone), [logits, labels], device)),
    );
  }
  for (let round = 0; round < rounds; round++) {
    for (const { run, times } of timed) {
      const start = performance.now();
      for (let i = 0; i < STEPS; i++) await run();
      times.push((performance.now() - start) / STEPS);
    }
  }
  return losses.map((_, i) => ({
    step: Math.min(...timed[2 * i]!.times),
    loss: Math.min(...timed[2 * i + 1]!.times),
  }));
}

async function timedProgram(
  f: unknown,
  args: readonly unknown[],
  device: TrainingDevice,
): Promise<Timed> {
  const program = await compile(f as (...args: unknown[]) => unknown, args as never, { device });
  const run = async () => await program(...args as never[]);
  for (let i = 0; i < STEPS; i++) await run(); // The first runs are slower.
  return { run, times: [], [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

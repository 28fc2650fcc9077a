/** Training on a device, a few steps at a time. */
import { compile, type Tensor, treeLeaves, type webgpu } from "@cellgrad/cellgrad";
import { createTraining, type Task } from "./model.ts";

/** Where to train: `"cpu"`, or what `await webgpu()` returned. */
export type TrainingDevice = "cpu" | Awaited<ReturnType<typeof webgpu>>;

/** A training that can go on. */
export interface Trainer extends AsyncDisposable {
  /** Trains some steps; their losses, and the time that a step took. */
  train(steps: number): Promise<{ losses: number[]; milliseconds: number }>;
}

/** A training, compiled for a device. */
export async function createTrainer(
  task: Task,
  device: TrainingDevice,
  options: { learningRate: number; hiddenUnits: number },
): Promise<Trainer> {
  const { start, step } = createTraining(task, options);
  const program = await compile(step, [start], { device, donate: true });
  let state = device === "cpu" ? start : await device.put(start);
  return {
    async train(steps) {
      const begin = performance.now();
      const values: Tensor[] = [];
      for (let i = 0; i < steps; i++) {
        const { loss, state: next } = await program(state);
        values.push(loss);
        state = next;
      }
      // All losses come back in one go.
      const losses = (await Promise.all(values.map((x) => x.read()))).map((data) => data[0]!);
      const milliseconds = (performance.now() - begin) / steps;
      if (device !== "cpu") { for (const value of values) value.dispose(); }
      return { losses, milliseconds };
    },
    async [Symbol.asyncDispose]() {
      if (device !== "cpu") { for (const x of treeLeaves(state)) x.dispose(); }
      await program[Symbol.asyncDispose]();
    },
  };
}

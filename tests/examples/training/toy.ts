/** A line to be fitted, for the tests of the training kit. */
import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { adam } from "@cellgrad/cellgrad/optim";
import { key } from "@cellgrad/cellgrad/random";
import { shuffledBatches, type TrainOptions } from "../../../examples/lib/training/mod.ts";

export type Line = { slope: Tensor; offset: Tensor };
export type Points = { x: Tensor; y: Tensor };

const X = tensor(Array.from({ length: 32 }, (_, i) => i / 16 - 1));
const Y = X.mul(3).add(1);

/** A training that finds slope 3 and offset 1. */
export function lineTraining(): TrainOptions<Line, Points> {
  return {
    parameters: { slope: tensor(0), offset: tensor(0) },
    loss({ slope, offset }, { x, y }) {
      const squared = x.mul(slope).add(offset).sub(y).square().mean();
      return { total: squared, parts: { squared } };
    },
    optimizer: adam({ learningRate: 0.1 }),
    batches: (key) => shuffledBatches(key, 32, { size: 8 }),
    prepare: (items) => ({ x: X.gather(items), y: Y.gather(items) }),
    epochs: 40,
    key: key(3),
  };
}

/** Runs a test in a folder of its own. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "training" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * A small training that the tests kill and resume: `killable.ts CHECKPOINT`. It says "training" when
 * it begins, and writes what it has found to `CHECKPOINT.json`.
 */
import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { adam, cosine } from "@cellgrad/cellgrad/optim";
import { key, normal } from "@cellgrad/cellgrad/random";
import { maskValues, shuffledBatches, train } from "../../../examples/lib/training/mod.ts";

const file = Deno.args[0]!;
const values = normal(key(1), [48, 6]);
type Model = { layers: { weight: Tensor; bias: Tensor }[] };
const parameters: Model = {
  layers: [
    { weight: normal(key(2), [6, 4]), bias: tensor([0, 0, 0, 0]) },
    { weight: normal(key(3), [4, 6]), bias: tensor([0, 0, 0, 0, 0, 0]) },
  ],
};

const result = await train({
  parameters,
  loss({ layers }: Model, { visible, truth }: { visible: Tensor; truth: Tensor }) {
    const [encoder, decoder] = layers as [Model["layers"][0], Model["layers"][0]];
    const hidden = visible.matmul(encoder.weight).add(encoder.bias).tanh();
    const error = hidden.matmul(decoder.weight).add(decoder.bias).sub(truth);
    const [squared, absolute] = [error.square().mean(), error.abs().mean()];
    return { total: squared.add(absolute), parts: { squared, absolute } };
  },
  optimizer: adam({ learningRate: cosine(0.01, { steps: 300 }) }),
  batches: (key) => shuffledBatches(key, 48, { size: 8 }),
  prepare(items, key) {
    if (Deno.args[1] === "announce") console.log("training");
    const truth = values.gather(items);
    return { ...maskValues(key, truth, { maskValue: 0 }), truth };
  },
  epochs: 50,
  key: key(7),
  clip: 1,
  evaluate: ({ layers }) => ({ norm: layers[0]!.weight.norm().item() }),
  earlyStopping: { watch: "norm", mode: "max", patience: 60 },
  checkpoint: { file, every: 2, resume: true, settings: { learningRate: 0.01 } },
});
const { history, epoch } = result;
const weights = result.parameters.layers.map(({ weight }) => weight.toArray());
await Deno.writeTextFile(`${file}.json`, JSON.stringify({ weights, history, epoch }));

/**
 * What does a step of scGPT cost at its full size: 12 layers of 512 features and 8 heads, all heads
 * and scGPT's objective, value and gradient of one cell of 1,200 genes, compiled, in float32?
 *
 * Other sizes are named as arguments: `deno task bench:scgpt --layers 4 --genes 600 --cells 2`.
 *
 * @module
 */
import { compile, type Tensor, tensor, valueAndGrad, where } from "@cellgrad/cellgrad";
import { scgptObjective } from "@cellgrad/cellgrad/losses";
import { bernoulli, key, normal } from "@cellgrad/cellgrad/random";
import { parseArgs } from "@std/cli/parse-args";
import { initScgpt, scgpt, type ScgptParams } from "../examples/lib/scgpt.ts";
import { watchMemory } from "./watch_memory.ts";

const BATCHES = 3;
const HEADS = 8;

const { layers, genes, cells, steps } = readSizes();
const params = initScgpt(key(0), {
  ...{ vocabulary: genes + 1, dModel: 512, heads: HEADS, feedForward: 512, layers },
  ...{ batches: BATCHES, mvc: true, zeroProbs: true },
});
const tokens = genes + 1;
const ids = tensor(Int32Array.from({ length: cells * tokens }, (_, i) => i % tokens), {
  shape: [cells, tokens],
});
const values = normal(key(1), [cells, tokens]).abs();
const mask = bernoulli(key(2), 0.4, { shape: [cells, tokens] });
const labels = tensor(new Int32Array(cells));

type Batch = { ids: Tensor; values: Tensor; mask: Tensor; labels: Tensor };

function step(params: ScgptParams, { ids, values, mask, labels }: Batch) {
  const loss = (params: ScgptParams) => {
    const input = { genes: ids, values: where(mask, -1, values), batchLabels: labels };
    const { outputs } = scgpt(params, input, { heads: HEADS, training: true });
    return scgptObjective(outputs, { values, mask, batchLabels: labels }).total;
  };
  return valueAndGrad(loss as never)(params as never);
}

const batch = { ids, values, mask, labels };
const memory = await watchMemory();
const start = performance.now();
await using program = await compile(step as never, [params, batch] as never);
const compiled = performance.now();
const run = program as unknown as typeof step;
const times: number[] = [];
let value = NaN;
for (let i = 0; i < steps; i++) {
  const before = performance.now();
  const [loss] = await run(params, batch) as unknown as [Tensor];
  value = (await loss.read())[0]!;
  times.push((performance.now() - before) / 1000);
}
const peak = await memory.peak();
console.log(
  `${layers} layers × 512 × ${HEADS}, ${cells} × ${genes} genes, value and gradient, float32`,
);
console.log(`compile  ${((compiled - start) / 1000).toFixed(2)} s`);
console.log(`step     ${Math.min(...times).toFixed(2)} s, the fastest of ${steps}`);
console.log(`peak     ${(peak / 2 ** 30).toFixed(2)} GiB of the process`);
console.log(`loss     ${value.toPrecision(8)}`);

function readSizes(): Record<"layers" | "genes" | "cells" | "steps", number> {
  const usual = { layers: 12, genes: 1200, cells: 1, steps: 5 };
  const given = parseArgs(Deno.args, { string: Object.keys(usual) });
  const sizes = Object.entries(usual).map(([name, size]) => {
    const chosen = Number(given[name] ?? size);
    if (Number.isInteger(chosen) && chosen > 0) return [name, chosen];
    throw new RangeError(`Cannot measure --${name} ${given[name]} as it is to be 1, 2, …`);
  });
  return Object.fromEntries(sizes);
}

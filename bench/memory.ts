/**
 * How long do the losses that compare all pairs of cells take with their gradient, and how much
 * memory at its peak?
 *
 * Every line is a run in a process of its own, on float32 cells of 50 features, eager or compiled;
 * seconds include compiling. Other runs than the usual ones are named as arguments:
 * `deno task bench:memory batchMixing:50000:compiled mmd:20000`.
 *
 * @module
 */
import {
  batchMixingLoss,
  compile,
  contrastiveCellEmbeddingLoss,
  elasticCellSimilarityLoss,
  energyDistance,
  mmdLoss,
  sinkhornDivergence,
  split,
  supervisedContrastiveLoss,
  type Tensor,
  tripletLoss,
  valueAndGrad,
} from "@cellgrad/cellgrad";
import { key, normal } from "@cellgrad/cellgrad/random";
import { watchMemory } from "./watch_memory.ts";

const LOSSES: Record<string, (cells: Tensor, batches: Int32Array) => Tensor> = {
  batchMixing: (cells, batches) => batchMixingLoss(cells, batches, { temperature: 50 }),
  elasticCellSimilarity: (cells) => elasticCellSimilarityLoss(cells),
  contrastiveCellEmbedding: (cells) => contrastiveCellEmbeddingLoss(cells, cells.square()),
  energyDistance: (cells) => {
    const half = Math.ceil(cells.shape[0]! / 2);
    const [x, y] = split(cells, [half, cells.shape[0]! - half]) as [Tensor, Tensor];
    return energyDistance(x, y);
  },
  mmd: (cells, batches) => mmdLoss(cells, batches, { kernel: "rbf" }),
  supervisedContrastive: (cells, batches) => supervisedContrastiveLoss(cells, batches),
  triplet: (cells, batches) => tripletLoss(cells, batches),
  sinkhorn: (cells) => sinkhornDivergence(cells, cells.add(1), { iterations: 2, tolerance: 0 }),
};

const USUAL = [
  ...Object.keys(LOSSES).flatMap((name) => [`${name}:5000`, `${name}:5000:compiled`]),
  "batchMixing:20000:compiled",
];

/** What a run took. */
interface Cost {
  value: number;
  seconds: number;
  peakMiB: number;
}

async function measure(run: string): Promise<Cost> {
  const [name, cellCount, way = "eager", ...more] = run.split(":");
  const [loss, count] = [LOSSES[name!], Number(cellCount)];
  const isKnown = ["eager", "compiled"].includes(way) && more.length === 0;
  if (loss === undefined || !Number.isInteger(count) || !isKnown) {
    throw new TypeError(
      `Cannot measure ${run} as runs are named loss:cells or loss:cells:compiled, with one of the ` +
        `losses ${Object.keys(LOSSES).join(", ")}`,
    );
  }
  const cells = normal(key(0), [count, 50]);
  const batches = Int32Array.from({ length: count }, (_, i) => i % 3);
  const memory = await watchMemory();
  const start = performance.now();
  const step = (x: Tensor) => valueAndGrad((y: Tensor) => loss(y, batches))(x);
  const program = way === "compiled" ? await compile(step, [cells]) : step;
  const [value, gradient] = await program(cells);
  const checksum = value.item() + 0 * gradient.sum().item();
  const seconds = (performance.now() - start) / 1000;
  return { value: checksum, seconds, peakMiB: await memory.peak() / 2 ** 20 };
}

/** Runs this script for one loss and number of cells. */
async function measureApart(run: string): Promise<Cost> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", import.meta.filename!, "--here", run],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

if (Deno.args[0] === "--here") {
  console.log(JSON.stringify(await measure(Deno.args[1]!)));
} else {
  console.log(`${"loss:cells".padEnd(32)}   seconds  peak MiB  value`);
  for (const run of Deno.args.length > 0 ? Deno.args : USUAL) {
    const { value, seconds, peakMiB } = await measureApart(run);
    const columns = [seconds.toFixed(2).padStart(9), peakMiB.toFixed(0).padStart(9)];
    console.log(`${run.padEnd(32)} ${columns.join(" ")}  ${value.toPrecision(8)}`);
  }
}

/**
 * What does communication cost a data-parallel training step, and how far would that scale?
 *
 * `deno task bench:mpi [RANKS] [LAUNCHER …]` measures on this machine, `mpirun` and two ranks by
 * default: an all-reduce of 1 to 4·10⁶ float32 numbers, the line `latency + bytes/bandwidth` through
 * its times, and a training step with the share of it that is spent in communication. From these a
 * model says what up to 1,024 ranks would do; its assumptions are printed with it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { crossEntropyLoss, type Tensor, tensor, treeLeaves, valueAndGrad } from "../mod.ts";
import { type Communicator, openMpi, parallelValueAndGrad } from "../src/mpi/mod.ts";
import { key, normal, split } from "../src/random.ts";

const SIZES = [1, 1e2, 1e3, 1e4, 1e5, 1e6, 4e6];

/** Cells of one rank in each step, genes, and the widths of the layers behind them. */
const MODEL = { cells: 256, widths: [2000, 128, 20] };

/** How long the slowest rank takes, over repetitions. */
interface Timing {
  /** The fastest repetition: what the machine can do. */
  fastest: number;
  /** The median: what it does beside whatever else runs on it. */
  median: number;
}

function time(comm: Communicator, repetitions: number, work: () => void): Timing {
  work();
  const times = Float64Array.from({ length: repetitions }, () => {
    comm.barrier();
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  });
  const slowest = comm.allReduce(tensor(times), { op: "max" }).data.slice().sort();
  return { fastest: slowest[0]!, median: slowest[repetitions >> 1]! };
}

function timeAllReduce(comm: Communicator, count: number): Timing {
  const x = normal(key(comm.rank), [count]);
  return time(comm, count > 1e6 ? 41 : 101, () => comm.allReduce(x));
}

/** The latency and the seconds per byte that fit the fastest times best, relatively. */
function fitLine(timings: readonly Timing[]): { latency: number; perByte: number } {
  let [w, wx, wxx, wy, wxy] = [0, 0, 0, 0, 0];
  for (const [i, { fastest: seconds }] of timings.entries()) {
    const [x, weight] = [4 * SIZES[i]!, 1 / seconds ** 2];
    w += weight;
    wx += weight * x;
    wxx += weight * x * x;
    wy += weight * seconds;
    wxy += weight * x * seconds;
  }
  const perByte = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  return { latency: Math.max(0, (wy - perByte * wx) / w), perByte };
}

type Layers = { weight: Tensor; bias: Tensor }[];

function createLayers(): Layers {
  const keys = split(key(0), MODEL.widths.length - 1);
  return keys.map((own, i) => {
    const [inputs, outputs] = [MODEL.widths[i]!, MODEL.widths[i + 1]!];
    const weight = normal(own, [inputs, outputs], { standardDeviation: inputs ** -0.5 });
    return { weight, bias: normal(own, [outputs], { standardDeviation: 0.01 }) };
  });
}

/** What a training step costs, with and without the other ranks. */
function timeStep(comm: Communicator): Record<"alone" | "together" | "reduce", Timing> {
  const params = createLayers();
  const cells = normal(key(comm.rank), [MODEL.cells, MODEL.widths[0]!]);
  const labels = tensor(Int32Array.from({ length: MODEL.cells }, (_, i) => i % 20));
  const loss = (layers: Layers, share: { cells: Tensor; labels: Tensor }) =>
    crossEntropyLoss(
      layers.reduce(
        (x, { weight, bias }, i) => (i === 0 ? x : x.relu()).matmul(weight).add(bias),
        share.cells,
      ),
      share.labels,
    );
  const own = valueAndGrad(loss);
  const all = parallelValueAndGrad(loss, comm);
  const share = { cells, labels };
  return {
    alone: time(comm, 25, () => own(params, share)),
    together: time(comm, 25, () => all(params, share)),
    reduce: time(comm, 25, () => comm.allReduce(params)),
  };
}

const format = (seconds: number) =>
  seconds < 1e-3 ? `${(seconds * 1e6).toFixed(1)} µs` : `${(seconds * 1e3).toFixed(2)} ms`;

function report(text: string): void {
  console.log(text);
}

/** Prints what a training step would take on more ranks, one or several to a host. */
function model(step: number, bytes: number, line: { latency: number; perByte: number }): void {
  const networks = [
    { name: "this host's memory", latency: line.latency, perByte: line.perByte },
    { name: "25 Gbit/s Ethernet", latency: 20e-6, perByte: 8 / 25e9 },
    { name: "200 Gbit/s InfiniBand", latency: 2e-6, perByte: 8 / 200e9 },
  ];
  report(`\nA step of ${format(step)} on a share of ${MODEL.cells} cells, and an all-reduce of`);
  report(`${(bytes / 1e6).toFixed(2)} MB, on n ranks (weak scaling: every rank has a full share).`);
  report(`Assumed, not measured beyond this host: the step does not slow down with more ranks;`);
  report(
    `nothing is overlapped; all-reduce by reduce-scatter and all-gather in rings or by halving`,
  );
  report(`(Rabenseifner), of time 2·⌈log₂ n⌉·latency + 2·(n−1)/n·bytes/bandwidth; one rank per`);
  report(`network port, no contention, no stragglers. This host's line is measured at its own`);
  report(
    `number of ranks, and solved for latency and bandwidth of a message; the networks are nominal.\n`,
  );
  report(`| ranks | ${networks.map(({ name }) => name).join(" | ")} |`);
  report(`| ---: |${" ---: |".repeat(networks.length)}`);
  for (const ranks of [2, 4, 16, 64, 256, 1024]) {
    const shares = networks.map(({ latency, perByte }) => {
      const hops = 2 * Math.ceil(Math.log2(ranks));
      const reduce = hops * latency + 2 * (1 - 1 / ranks) * bytes * perByte;
      return `${format(reduce)}, efficiency ${(100 * step / (step + reduce)).toFixed(1)} %`;
    });
    report(`| ${ranks} | ${shares.join(" | ")} |`);
  }
}

async function runRank(): Promise<void> {
  await using comm = await openMpi();
  const timings = SIZES.map((count) => timeAllReduce(comm, count));
  const line = fitLine(timings);
  const { alone, together, reduce } = timeStep(comm);
  if (comm.rank !== 0) return;
  report(`${comm.name}, ${comm.size} ranks on ${navigator.hardwareConcurrency} cores\n`);
  report(
    `| float32 numbers | fastest | median | bytes per second |\n| ---: | ---: | ---: | ---: |`,
  );
  for (const [i, { fastest, median }] of timings.entries()) {
    const rate = (4e-9 * SIZES[i]! / fastest).toFixed(3);
    report(`| ${SIZES[i]} | ${format(fastest)} | ${format(median)} | ${rate} GB/s |`);
  }
  const bandwidth = (1e-9 / line.perByte).toFixed(2);
  report(`\nfit: ${format(line.latency)} + bytes / ${bandwidth} GB/s (copies in and out included)`);
  const widths = MODEL.widths.join("→");
  const show = ({ fastest, median }: Timing) => `${format(fastest)} (median ${format(median)})`;
  report(`\nA step (${widths}, ${MODEL.cells} cells per rank, eager): ${show(together)};`);
  report(`without the other ranks ${show(alone)};`);
  report(`the all-reduce of its gradient by itself ${show(reduce)}:`);
  report(`${(100 * reduce.fastest / together.fastest).toFixed(1)} % of the step.`);
  const bytes = treeLeaves(createLayers()).reduce((sum, x) => sum + 4 * x.size, 0);
  model(alone.fastest, bytes, perMessage(line, comm.size));
}

/** The line of one message, from that of an all-reduce among some ranks. */
function perMessage(
  { latency, perByte }: { latency: number; perByte: number },
  ranks: number,
): { latency: number; perByte: number } {
  if (ranks === 1) return { latency, perByte };
  return {
    latency: latency / (2 * Math.ceil(Math.log2(ranks))),
    perByte: perByte / (2 * (1 - 1 / ranks)),
  };
}

/** Starts this file as the ranks of a job. */
async function start(ranks: string, launcher: readonly string[]): Promise<number> {
  const [command, ...options] = launcher.length > 0
    ? launcher
    : ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"];
  const path = new URL(import.meta.url).pathname;
  const deno = [Deno.execPath(), "run", "--no-prompt", "--allow-ffi", path, "--rank"];
  const job = new Deno.Command(command!, { args: [...options, "-n", ranks, ...deno] }).spawn();
  return (await job.status).code;
}

if (import.meta.main) {
  const { rank, _: [ranks = 2, ...launcher] } = parseArgs(Deno.args, { boolean: ["rank"] });
  if (rank) await runRank();
  else Deno.exit(await start(String(ranks), launcher.map(String)));
}

/**
 * What do programs cost on a WebGPU device, beside the CPU and beside what the device can do?
 *
 * Two kernels measure the device's peak: one does nothing but multiply and add, one copies. Then each
 * program runs on the device and on the CPU in turns. FLOP and bytes moved are those of `explain()`;
 * the time of a step is until the device has done it, the average over several in a row, reading
 * nothing. `--quick` takes small sizes, `--json` prints JSON; other arguments are words that the names
 * of the programs to be measured contain: `deno task bench:gpu matmul MLP`.
 *
 * @module
 */
import {
  batchMixingLoss,
  compile,
  crossEntropyLoss,
  pairwiseSquaredDistance,
  type Program,
  type Tensor,
  treeLeaves,
  valueAndGrad,
  webgpu,
  type WebGpuDevice,
} from "@cellgrad/cellgrad";
import { adam } from "@cellgrad/cellgrad/optim";
import { key, normal } from "@cellgrad/cellgrad/random";
import { measurePeak, type Peak } from "./gpu_peak.ts";

type Step = (...args: never[]) => unknown;

/** A program to be measured. */
interface Workload {
  step: Step;
  args: readonly unknown[];
  /** Which results are the next call's arguments; all others are as before. */
  feed?: (results: never) => readonly unknown[];
}

/** What a program costs. */
interface Cost {
  name: string;
  gpuMs: number;
  cpuMs: number;
  /** How many times faster the device is: the median of neighbouring runs. */
  ratio: number;
  gigaflops: number;
  bytes: number;
  gigabytesPerSecond: number;
  /** Of the device's peak, in percent. */
  computeShare: number;
  memoryShare: number;
  submissions: number;
  readBacks: number;
}

const ROUNDS = 3;

/** Where a step takes more seconds than this, there is one round. */
const SLOW = 10;

/** A side of the comparison runs for at least so many seconds at a time. */
const SECONDS = 0.3;

/** The programs by their names. */
function workloads(quick: boolean): Record<string, () => Workload> {
  const [small, large] = quick ? [256, 512] : [2048, 4096];
  const [points, cells] = quick ? [1000, 1000] : [10_000, 20_000];
  return {
    [`matmul ${small}`]: () => product(small!),
    [`matmul ${large}`]: () => product(large!),
    [`distances ${points}×50`]: () => distances(points!),
    [`batch mixing of ${cells} cells`]: () => batchMixing(cells!),
    "MLP step, 256×2000→128→20": trainingStep,
  };
}

function product(n: number): Workload {
  const args = [normal(key(0), [n, n]), normal(key(1), [n, n])];
  return { step: (a: Tensor, b: Tensor) => a.matmul(b), args };
}

function distances(count: number): Workload {
  const args = [normal(key(0), [count, 50])];
  return { step: (x: Tensor) => pairwiseSquaredDistance(x), args };
}

function batchMixing(count: number): Workload {
  const batches = Int32Array.from({ length: count }, (_, i) => i % 3);
  const loss = (x: Tensor) => batchMixingLoss(x, batches, { temperature: 50 });
  return { step: valueAndGrad(loss), args: [normal(key(0), [count, 50])] };
}

function trainingStep(): Workload {
  const optimizer = adam({ learningRate: 1e-3 });
  const params = {
    w1: normal(key(0), [2000, 128]).mul(0.03),
    b1: normal(key(1), [128]).mul(0),
    w2: normal(key(2), [128, 20]).mul(0.1),
    b2: normal(key(3), [20]).mul(0),
  };
  type Params = typeof params;
  const types = Int32Array.from({ length: 256 }, (_, i) => i % 20);
  const step = (p: Params, state: ReturnType<typeof optimizer.init<Params>>, x: Tensor) => {
    const loss = ({ w1, b1, w2, b2 }: Params) =>
      crossEntropyLoss(x.matmul(w1).add(b1).relu().matmul(w2).add(b2), types);
    const [value, gradient] = valueAndGrad(loss)(p);
    return { value, ...optimizer.update(gradient, state, p) };
  };
  return {
    step,
    args: [params, optimizer.init(params), normal(key(4), [256, 2000])],
    feed: ({ params, state }: ReturnType<typeof step>) => [params, state],
  };
}

/** A program and what it is called with. */
class Runner {
  readonly program: Program<unknown[], unknown>;
  readonly #gpu: WebGpuDevice | undefined;
  readonly #feed: Workload["feed"];
  #args: readonly unknown[];

  constructor(
    program: Program<unknown[], unknown>,
    { args, feed }: Workload,
    gpu?: WebGpuDevice,
  ) {
    this.program = program;
    this.#args = args;
    this.#feed = feed;
    this.#gpu = gpu;
  }

  static async create(workload: Workload, gpu?: WebGpuDevice): Promise<Runner> {
    const { step, feed, args } = workload;
    const own = gpu === undefined ? args : await gpu.put(args) as unknown as unknown[];
    const donate = feed === undefined ? [] : [0, 1];
    const options = gpu === undefined ? {} : { device: gpu, donate };
    const program = await compile(step as (...args: unknown[]) => unknown, [...own], options);
    return new Runner(program as Program<unknown[], unknown>, { ...workload, args: own }, gpu);
  }

  /** Seconds per step, of so many. */
  async time(count: number): Promise<number> {
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      const results = await this.program(...this.#args);
      const fed = this.#feed?.(results as never) ?? [];
      this.#args = [...fed, ...this.#args.slice(fed.length)];
      const kept = new Set(treeLeaves(fed));
      for (const x of treeLeaves(results) as Tensor[]) if (!kept.has(x)) x.dispose();
    }
    await this.#gpu?.device.queue.onSubmittedWorkDone();
    return (performance.now() - start) / 1000 / count;
  }
}

async function measure(
  name: string,
  workload: Workload,
  gpu: WebGpuDevice,
  peak: Peak,
): Promise<Cost> {
  const [onGpu, onCpu] = [await Runner.create(workload, gpu), await Runner.create(workload)];
  const counts: number[] = [];
  let rounds = ROUNDS;
  for (const runner of [onGpu, onCpu]) {
    const first = await runner.time(1);
    if (first > SLOW) rounds = 1;
    const seconds = first > SLOW ? first : await runner.time(1);
    counts.push(Math.min(200, Math.ceil(SECONDS / seconds)));
  }
  const before = gpu.counters;
  const [gpuTimes, cpuTimes]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    gpuTimes.push(await onGpu.time(counts[0]!));
    cpuTimes.push(await onCpu.time(counts[1]!));
  }
  const after = gpu.counters;
  const steps = rounds * counts[0]!;
  const seconds = median(gpuTimes);
  const gigaflops = flopOf(onCpu.program.explain()) / seconds / 1e9;
  const bytes = bytesOf(onGpu.program.explain());
  const gigabytesPerSecond = bytes / seconds / 1e9;
  onGpu.program.dispose();
  onCpu.program.dispose();
  return {
    name,
    gpuMs: 1000 * seconds,
    cpuMs: 1000 * median(cpuTimes),
    ratio: median(cpuTimes.map((time, i) => time / gpuTimes[i]!)),
    gigaflops,
    bytes,
    gigabytesPerSecond,
    computeShare: 100 * gigaflops / peak.gigaflops,
    memoryShare: 100 * gigabytesPerSecond / peak.gigabytesPerSecond,
    submissions: (after.submissions - before.submissions) / steps,
    readBacks: (after.readBacks - before.readBacks) / steps,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** The number before a unit in a plan: "1.5 G FLOP". */
function numberIn(plan: string, pattern: RegExp, scale: Record<string, number>): number {
  const found = pattern.exec(plan);
  if (found === null) throw new Error(`Cannot find ${pattern} in the plan: ${plan.split("\n")[0]}`);
  return Number(found[1]) * scale[found[2] ?? ""]!;
}

function flopOf(plan: string): number {
  return numberIn(plan, /([\d.]+)(?: ([kMGT]))? FLOP/, { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 });
}

function bytesOf(plan: string): number {
  const scale = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
  return numberIn(plan, /([\d.]+) (\w+) moved per call/, scale);
}

const COLUMNS: [title: string, width: number, cell: (cost: Cost) => string][] = [
  ["program", -30, ({ name }) => name],
  ["GPU ms", 9, ({ gpuMs }) => gpuMs.toPrecision(3)],
  ["CPU ms", 9, ({ cpuMs }) => cpuMs.toPrecision(3)],
  ["ratio", 7, ({ ratio }) => ratio.toPrecision(2)],
  ["GFLOP/s", 9, ({ gigaflops }) => gigaflops.toPrecision(3)],
  ["of peak", 8, ({ computeShare }) => `${computeShare.toFixed(1)} %`],
  ["MB moved", 10, ({ bytes }) => (bytes / 1e6).toPrecision(3)],
  ["GB/s", 7, ({ gigabytesPerSecond }) => gigabytesPerSecond.toPrecision(2)],
  ["of peak", 8, ({ memoryShare }) => `${memoryShare.toFixed(1)} %`],
  ["submissions", 12, ({ submissions }) => String(submissions)],
  ["read-backs", 11, ({ readBacks }) => String(readBacks)],
];

function row(cells: readonly string[]): string {
  return cells.map((text, i) => {
    const width = COLUMNS[i]![1];
    return width < 0 ? text.padEnd(-width) : text.padStart(width);
  }).join("");
}

async function main(args: readonly string[]): Promise<void> {
  const words = args.filter((arg) => !["--quick", "--json"].includes(arg));
  const all = Object.entries(workloads(args.includes("--quick")));
  const isIn = (name: string, word: string) => name.toLowerCase().includes(word.toLowerCase());
  const unknown = words.find((word) => !all.some(([name]) => isIn(name, word)));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot measure ${unknown}: the options are --quick, --json, and words in the names ` +
        all.map(([name]) => name).join("; "),
    );
  }
  const chosen = all.filter(([name]) =>
    words.length === 0 || words.some((word) => isIn(name, word))
  );
  const asJson = args.includes("--json");
  const print = (text: string) => asJson ? undefined : console.log(text);
  await using gpu = await webgpu();
  const { name, isSoftware } = gpu;
  const peak = await measurePeak(gpu.device);
  print(isSoftware ? `${name}, a software adapter: the processor plays the graphics card` : name);
  print(
    `peak: ${peak.gigaflops.toPrecision(3)} GFLOP/s, ` +
      `${peak.gigabytesPerSecond.toPrecision(3)} GB/s read and written\n`,
  );
  print(row(COLUMNS.map(([title]) => title)));
  const costs: Cost[] = [];
  for (const [program, make] of chosen) {
    const cost = await measure(program, make(), gpu, peak);
    costs.push(cost);
    print(row(COLUMNS.map(([, , cell]) => cell(cost))));
  }
  if (asJson) console.log(JSON.stringify({ adapter: name, isSoftware, peak, costs }, null, 2));
}

await main(Deno.args);

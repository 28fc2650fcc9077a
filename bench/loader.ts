/**
 * How fast are cells read and learned from, beside h5py and PyTorch's DataLoader, on one thread?
 *
 * A file of 2000 genes, a tenth of them not zero, is written to a temporary folder by h5py; each
 * line is a run in a process of its own, both sides in turns. Cells per second are told by the clock
 * and, in brackets, by the processor's time, which a busy machine leaves alone. "any order" reads
 * batches of rows that lie far from each other. Training is one epoch of a network
 * 2000 → 256 → 20 with Adam: ours shuffled by cellLoader, theirs by a dataset of single cells
 * ("items"), and by one of ranges in a random order ("batches"), which shuffles less. "sparse" is ours
 * with batches without their zeros. With
 * `--workers N`, training with so many workers stands beside training without, of every form.
 *
 * @module
 */
import {
  adam,
  add,
  compile,
  crossEntropyLoss,
  matmul,
  type Program,
  relu,
  Tensor,
  valueAndGrad,
  zeros,
} from "@cellgrad/cellgrad";
import { type BatchEntries, cellLoader, openAnnData, sparseMatmul } from "@cellgrad/cellgrad/data";
import { initMlp, mlp } from "@cellgrad/cellgrad/nn";
import { key, uniform } from "@cellgrad/cellgrad/random";
import process from "node:process";
import { runProgram } from "../examples/lib/arguments.ts";
import { watchMemory } from "./watch_memory.ts";

const GENES = 2000, TYPES = 20, PYTHON = "/usr/bin/python3";

const PROGRAM = {
  command: "deno task bench:loader",
  summary: "Cells per second, read and learned from, beside h5py and PyTorch's DataLoader.",
  options: {
    cells: { kind: "integer", default: 200_000, min: 10_000, help: "Cells of each file" },
    batch: { kind: "integer", default: 512, min: 1, help: "Cells of each batch" },
    forms: {
      kind: "string",
      default: "csr,csr-gzip,dense,dense-gzip",
      placeholder: "FORMS",
      help: "Which files are read; csr is learned from",
    },
    rounds: { kind: "integer", default: 3, min: 1, help: "Runs of each side, in turns" },
    only: {
      kind: "choice",
      choices: ["all", "read", "train"],
      default: "all",
      help: "What is run",
    },
    workers: {
      kind: "integer",
      default: 0,
      min: 0,
      help: "Workers that read while a step runs: training with them, beside training without",
    },
    folder: { kind: "string", help: "Where files are kept between runs; a temporary one else" },
  },
} as const;

/** What a run took. */
interface Cost {
  cells: number;
  value: number;
  seconds: number;
  processor: number;
  peakMiB: number;
}

async function read(path: string, size: number, order: string) {
  await using file = await openAnnData(path);
  const { X, nObs } = file;
  return await timed(async () => {
    let [cells, value] = [0, 0];
    const limit = order === "rows" ? nObs : Math.min(nObs, 20 * size);
    for (let start = 0; start < limit; start += size) {
      const end = Math.min(limit, start + size);
      const rows = (_: unknown, i: number) => (start + i) * 7919 % nObs;
      const x = order === "rows"
        ? await X.readRows(start, end)
        : await X.readRows(Array.from({ length: end - start }, rows));
      for (let j = 0; j < GENES; j++) value += x.data[j]!;
      cells += end - start;
    }
    return { cells, value };
  });
}

/** The parameters of the network, whose first layer may leave out the zeros of its input. */
interface Network {
  w: Tensor;
  b: Tensor;
  head: ReturnType<typeof initMlp>;
}

async function train(path: string, size: number, workers: number, sparse: boolean) {
  await using file = await openAnnData(path);
  return await timed(async () => {
    const optimizer = adam({ learningRate: 1e-3 });
    const options = { batchSize: size, shuffle: true, drop: true, obs: ["type"], workers };
    const loader = sparse
      ? cellLoader(file, { ...options, sparse })
      : cellLoader(file, { ...options, sparse });
    const objective = ({ w, b, head }: Network, x: Tensor | BatchEntries, types: Tensor) => {
      const first = x instanceof Tensor
        ? matmul(x, w)
        : sparseMatmul({ ...x, shape: [size, GENES] }, w);
      return crossEntropyLoss(mlp(head, relu(add(first, b))), types);
    };
    const bound = 1 / Math.sqrt(GENES);
    let params: Network = {
      w: uniform(key(0), [GENES, 256], { min: -bound, max: bound }),
      b: zeros([256]),
      head: initMlp(key(1), [256, TYPES]),
    };
    let state = optimizer.init(params);
    const step = (
      from: Network,
      memory: typeof state,
      x: Tensor | BatchEntries,
      types: Tensor,
    ) => {
      const [value, gradient] = valueAndGrad(objective)(from, x, types);
      return { value, ...optimizer.update(gradient, memory, from) };
    };
    let program: Program<Parameters<typeof step>, ReturnType<typeof step>> | undefined;
    let value: Tensor | undefined;
    let cells = 0;
    for await (const { x, obs, count } of loader) {
      const types = obs["type"]!;
      program ??= await compile(step, [params, state, x, types]);
      ({ value, params, state } = await program(params, state, x, types));
      cells += count;
    }
    await program!.dispose();
    return { cells, value: value!.item() };
  });
}

async function timed(run: () => Promise<{ cells: number; value: number }>): Promise<Cost> {
  const memory = await watchMemory();
  const [before, start] = [process.cpuUsage(), performance.now()];
  const done = await run();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const peakMiB = await memory.peak() / 2 ** 20;
  return { ...done, seconds, processor: (user + system) / 1e6, peakMiB };
}

async function run(command: string, args: readonly string[]): Promise<Cost> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

const ours = (...args: string[]) =>
  run(Deno.execPath(), [
    "run",
    "--allow-read",
    "--allow-env",
    "--allow-sys",
    import.meta.filename!,
    "--here",
    ...args,
  ]);

const theirs = (...args: string[]) =>
  run(PYTHON, [new URL("./loader.py", import.meta.url).pathname, ...args]);

/** Runs both sides in turns, and prints the median of each. */
async function compare(
  name: string,
  rounds: number,
  mine: () => Promise<Cost>,
  peer: () => Promise<Cost>,
  isSame: boolean,
): Promise<void> {
  const costs: [Cost, Cost][] = [];
  for (let i = 0; i < rounds; i++) costs.push([await mine(), await peer()]);
  const [own, other] = costs[0]!;
  if (isSame && Math.abs(own.value - other.value) > 1e-5 * Math.abs(other.value)) {
    throw new Error(`${name}: other numbers are read: ${own.value} and ${other.value}`);
  }
  const typical = (of: (cost: Cost) => number, side: 0 | 1) =>
    costs.map((pair) => of(pair[side])).toSorted((a, b) => a - b)[rounds >> 1]!;
  const clock = (side: 0 | 1) => typical(({ cells, seconds }) => cells / seconds, side);
  const work = (side: 0 | 1) => typical(({ cells, processor }) => cells / processor, side);
  const rate = (side: 0 | 1) => `${clock(side).toFixed(0)} (${work(side).toFixed(0)})`.padStart(19);
  const ratio = `${(clock(0) / clock(1)).toFixed(2)} (${(work(0) / work(1)).toFixed(2)})`;
  const peak = (side: 0 | 1) => typical(({ peakMiB }) => peakMiB, side).toFixed(0).padStart(6);
  console.log(`${name.padEnd(28)}${rate(0)}${rate(1)}${ratio.padStart(15)}${peak(0)}${peak(1)}`);
}

interface Values {
  cells: number;
  batch: number;
  forms: string;
  rounds: number;
  only: string;
  workers: number;
  folder: string | undefined;
}

async function main(values: Values): Promise<void> {
  const { cells, batch, forms, rounds, only, workers, folder } = values;
  const place = folder ?? await Deno.makeTempDir();
  try {
    console.log(
      `${"cells/s (per processor's)".padEnd(28)}${"cellgrad".padStart(19)}${
        (workers > 0 ? "without" : "Python").padStart(19)
      }` +
        `${"ratio".padStart(15)}   MiB   MiB`,
    );
    for (const form of forms.split(",")) {
      const path = `${place}/${form}-${cells}.h5ad`;
      if (!await Deno.stat(path).catch(() => undefined)) {
        await theirs("make", path, `${cells}`, form);
      }
      for (const order of only === "train" ? [] : ["rows", "any"]) {
        const args = ["read", path, `${batch}`, order];
        const name = `read ${form}, ${order === "any" ? "any order" : "in order"}`;
        await compare(name, rounds, () => ours(...args), () => theirs(...args), true);
      }
      const commands = only === "read"
        ? []
        : form.startsWith("csr")
        ? ["train", "sparse"]
        : ["train"];
      for (const command of workers > 0 ? commands : []) {
        const side = (count: number) => () => ours(command, path, `${batch}`, `${count}`);
        await compare(
          `${command} ${form}, workers: ${workers}`,
          rounds,
          side(workers),
          side(0),
          true,
        );
      }
      for (const command of workers > 0 || form !== "csr" ? [] : commands) {
        for (const way of ["items", "batches"]) {
          const [mine, peer] = [[command, path, `${batch}`], ["train", path, `${batch}`, way]];
          const name = `${command}, DataLoader of ${way}`;
          await compare(name, rounds, () => ours(...mine), () => theirs(...peer), false);
        }
      }
      if (folder === undefined) await Deno.remove(path);
    }
  } finally {
    if (folder === undefined) await Deno.remove(place, { recursive: true });
  }
}

if (Deno.args[0] === "--here") {
  const [, command, path, size, order] = Deno.args;
  const cost = command === "read"
    ? await read(path!, Number(size), order!)
    : await train(path!, Number(size), Number(order ?? 0), command === "sparse");
  console.log(JSON.stringify(cost));
} else Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);

/**
 * How does the time to compile grow with a program? Families of graphs, from 100 to 50,000 steps, to
 * where one takes longer than a minute; and how long do the loops and networks of `bench:peers` take?
 *
 * @module
 */
import * as cellgrad from "@cellgrad/cellgrad";
import { compile, type Tensor, zeros } from "@cellgrad/cellgrad";
import * as linalg from "@cellgrad/cellgrad/linalg";
import * as nn from "@cellgrad/cellgrad/nn";
import { textTable } from "../examples/lib/table.ts";
import { record } from "../src/program/record.ts";
import { FAMILIES, type Family } from "./compile_families.ts";
import { gaussian } from "./peers/numbers.ts";
import { makeOurs } from "./peers/ours.ts";
import { type Inputs, processorTime } from "./peers/side.ts";
import { WORKLOADS } from "./peers/workloads.ts";

const SIZES = [100, 1000, 10_000, 50_000];
const LONGEST_S = 60;

/** How many steps a function is recorded as. */
function countSteps({ shapes, f }: Family, n: number): number {
  const specs = shapes(n).map((shape) => ({ shape, dtype: "float32" as const }));
  return record(specs, (inputs) => [f(n)(...inputs)].flat()).steps.length;
}

async function secondsOf({ shapes, f }: Family, n: number): Promise<number> {
  const inputs = shapes(n).map((shape) => zeros(shape));
  const start = processorTime();
  await using program = await compile((...xs: Tensor[]) => f(n)(...xs), inputs);
  const seconds = (processorTime() - start) / 1000;
  await program(...inputs);
  return seconds;
}

/** Programs as they are compared with PyTorch, the most seconds that they may take, and other inputs. */
const PROGRAMS: readonly { name: string; limit: number; changes?: Inputs }[] = [
  { name: "lstm 64x32x128-256", limit: 0.3 },
  { name: "lstm 64x32x128-256", limit: 0.3, changes: { x: gaussian(1, [1024, 32, 128]) } },
  { name: "runge kutta 10000x100", limit: 0.5 },
  { name: "sinkhorn 2x1000x2", limit: 0.5 },
  { name: "sinkhorn divergence 2x1000x50", limit: 1 },
  { name: "transformer layer 32x64x128", limit: 0.5 },
  { name: "transformer layer 2x1200x512", limit: 0.5 },
  { name: "12 transformer layers, step 32x64x128", limit: 1.5 },
];

/** The processor's seconds that our side of a comparison spends on compiling. */
async function secondsToPrepare(form: string, inputs: Inputs): Promise<number> {
  let ms = 0;
  const timed = async (...args: Parameters<typeof compile>) => {
    const start = processorTime();
    const program = await compile(...args);
    ms += processorTime() - start;
    return program;
  };
  const library = { ...cellgrad, linalg, nn, compile: timed as typeof compile };
  await makeOurs("cellgrad", library).prepare(form, inputs);
  return ms / 1000;
}

const programs: string[][] = [];
for (const { name, limit, changes } of PROGRAMS) {
  const { form, inputs } = WORKLOADS.find((workload) => workload.name === name)!;
  const all = { ...inputs(), ...changes };
  const seconds = await secondsToPrepare(form, all);
  const shape = Object.values(all)[0]!.shape.join(" × ");
  programs.push([
    name,
    shape,
    seconds.toFixed(2),
    String(limit),
    seconds < limit ? "met" : "missed",
  ]);
}
console.log(textTable(["program", "first input", "seconds", "limit", ""], programs));

const rows: string[][] = [];
for (const family of FAMILIES) {
  const perUnit = countSteps(family, 100) / 100;
  let last = 0;
  for (const steps of SIZES) {
    if (last > LONGEST_S / 5) break;
    const n = Math.max(1, Math.round(steps / perUnit));
    last = await secondsOf(family, n);
    const each = `${(1e6 * last / steps).toFixed(0)} µs`;
    rows.push([family.name, String(steps), last.toFixed(2), each]);
  }
}
console.log(textTable(["family", "steps", "seconds", "per step"], rows));

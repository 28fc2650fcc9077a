/**
 * DiffBio's structure losses at work: a velocity field learned from pairs of readings, and an
 * embedding in which batches mix and clusters are compact; each with the right sign, and with the
 * wrong one.
 *
 * Run it with `deno task example:trajectory`, or `deno task example:trajectory --help`.
 */
import { foldIn, key } from "@cellgrad/cellgrad/random";
import { type OptionValues, runProgram } from "./lib/arguments.ts";
import { formatMetric } from "./lib/format.ts";
import { textTable } from "./lib/table.ts";
import {
  type Budget,
  claimFolder,
  INTERRUPTED,
  interruptible,
  openDevice,
  SHARED_OPTIONS,
  writeResults,
} from "./lib/training/mod.ts";
import { type BatchedCells, simulateBatches } from "./lib/trajectory/batches.ts";
import { readTrajectory, simulatedTrajectory } from "./lib/trajectory/cells.ts";
import type { TrajectoryResult } from "./lib/trajectory/report.ts";
import {
  type LearnedStructure,
  learnStructure,
  STRUCTURE_VARIANTS,
} from "./lib/trajectory/structure.ts";
import { measureMixing } from "./lib/trajectory/structure_measures.ts";
import {
  baselines,
  type LearnedVelocity,
  learnVelocity,
  type TrajectoryContext,
  VELOCITY_VARIANTS,
} from "./lib/trajectory/velocity.ts";

const OPTIONS = {
  data: {
    kind: "string",
    placeholder: "FILE",
    help: "Runs of a simulated trajectory such as krumsiek11.txt (simulated cells by default)",
  },
  ...SHARED_OPTIONS,
} as const;

type Settings = OptionValues<typeof OPTIONS>;

/** How much is simulated and learned. */
function sizes({ quick, data }: Settings) {
  const velocity: Budget = {
    epochs: data === undefined ? (quick ? 50 : 80) : (quick ? 100 : 300),
    batch: 64,
    hidden: 64,
    learningRate: 3e-3,
  };
  const structure: Budget = {
    epochs: quick ? 60 : 150,
    batch: 120,
    hidden: 32,
    learningRate: 5e-3,
  };
  return { velocity, structure, cells: quick ? 1000 : 1500, batched: quick ? 240 : 480 };
}

async function main(settings: Settings): Promise<number> {
  const started = performance.now();
  const size = sizes(settings);
  const cells = settings.data === undefined
    ? simulatedTrajectory(size.cells, settings.seed)
    : await readTrajectory(settings.data);
  const folder = `${settings.out}/trajectory`;
  await using _claim = await claimFolder(folder);
  console.log(`${cells.source}: ${cells.expression.shape.join(" × ")} (cells × genes)`);
  const batched = simulateBatches(size.batched, settings.seed);
  await using open = await openDevice(settings.device);
  const place = { device: open.device, folder, resume: settings.resume };
  const learned = await interruptible(place, async (context) => {
    const { quick, seed, data = "simulated" } = settings;
    const run = { ...context, key: foldIn(key(seed), 100), settings: { quick, data } };
    const velocities: LearnedVelocity[] = [];
    for (const variant of VELOCITY_VARIANTS) {
      velocities.push(await learnVelocity(cells, variant, size.velocity, run));
    }
    return { velocities, ...await learnStructures(batched, size.structure, run) };
  });
  if (learned === undefined) return INTERRUPTED;
  const result: TrajectoryResult = {
    cells,
    baselines: baselines(cells),
    batched,
    inputs: measureMixing(batched, batched.inputs),
    ...learned,
    budgets: { velocity: size.velocity, structure: size.structure },
    seed: settings.seed,
    device: settings.device,
    elapsedSeconds: (performance.now() - started) / 1000,
  };
  await write(folder, result);
  print(result, folder);
  return 0;
}

async function learnStructures(cells: BatchedCells, budget: Budget, run: TrajectoryContext) {
  const structures: LearnedStructure[] = [];
  const failures: [string, string][] = [];
  for (const variant of STRUCTURE_VARIANTS) {
    const result = await learnStructure(cells, variant, budget, run);
    if (typeof result === "string") failures.push([variant.name, result]);
    else structures.push(result);
  }
  return { structures, failures };
}

async function write(folder: string, result: TrajectoryResult): Promise<void> {
  const { trajectoryReport } = await import("./lib/trajectory/report.ts");
  const { cells, velocities, baselines, inputs, structures, failures, budgets } = result;
  const metrics = {
    seed: result.seed,
    device: result.device,
    source: cells.source,
    cells: { learnedFrom: cells.train.length, heldOut: cells.test.length },
    budgets,
    velocity: Object.fromEntries(
      velocities.map(({ variant, measures: { cosines: _, ...rest } }) => [variant.id, rest]),
    ),
    baselines: Object.fromEntries(
      Object.entries(baselines).map(([name, { cosines: _, ...rest }]) => [name, rest]),
    ),
    structure: {
      before: inputs,
      ...Object.fromEntries(structures.map(({ variant, measures }) => [variant.id, measures])),
    },
    failures: Object.fromEntries(failures),
  };
  await writeResults(folder, metrics, trajectoryReport(result));
}

function print({ velocities, baselines, structures }: TrajectoryResult, folder: string): void {
  const fields = [
    ...velocities.map(({ variant, measures }) => [variant.name, measures] as const),
    ["The observed step itself", baselines.observed] as const,
    ["The mean step of all cells", baselines.mean] as const,
  ];
  console.log("\nVelocities of held-out cells (cosine with the true direction: 1 is best)\n");
  console.log(textTable(
    ["Learned by", "Cosine", "Length"],
    fields.map(([name, m]) => [name, formatMetric(m.cosine), `${m.lengthRatio.toFixed(2)} ×`]),
  ));
  console.log("\nEmbeddings (batch entropy, silhouette and ARI: 1 is best)\n");
  console.log(textTable(
    ["Objective", "Batch entropy", "Silhouette", "ARI", "Clusters", "Radius"],
    structures.map(({ variant, measures: m }) => [
      variant.name,
      ...[m.batchEntropy, m.silhouette, m.ari].map(formatMetric),
      String(m.clustersUsed),
      m.radius.toFixed(1),
    ]),
  ));
  console.log(`\nWrote ${folder}/metrics.json and ${folder}/report.html`);
}

const PROGRAM = {
  command: "deno task example:trajectory",
  summary: "Learns where cells go, and an embedding in which batches mix; with right and wrong " +
    "signs.",
  options: OPTIONS,
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);

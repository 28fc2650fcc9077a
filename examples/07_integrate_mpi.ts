/**
 * Integrates batches of cells on many machines: the objective of `examples/02_integrate.ts` with a
 * small network, each mini-batch shared out over the ranks of MPI.
 *
 * Alone: `deno task example:integrate-mpi`. On four ranks:
 * `mpirun -n 4 --bind-to none deno run --allow-ffi --allow-read --allow-write
 * examples/07_integrate_mpi.ts --mpi`. See `docs/mpi.md`.
 */
import { pca } from "@cellgrad/cellgrad/data";
import { type Communicator, openMpi, singleProcess } from "@cellgrad/cellgrad/mpi";
import { type OptionValues, runProgram, UsageError } from "./lib/arguments.ts";
import { announceNotes } from "./lib/cells.ts";
import { READING_OPTIONS } from "./lib/cells/options.ts";
import { formatMetric } from "./lib/format.ts";
import { type BatchedCells, loadCells } from "./lib/integrate/cells.ts";
import { EMBEDDING, standardize } from "./lib/integrate/fit.ts";
import { measure, type Measures } from "./lib/integrate/measures.ts";
import { fitParallel, type ParallelSettings } from "./lib/integrate_mpi/fit.ts";
import { textTable } from "./lib/table.ts";
import {
  BATCH_STRENGTH,
  CELL_OPTIONS,
  LEARNING_OPTIONS,
  OBJECTIVE_OPTIONS,
} from "./lib/integrate/options.ts";
import { claimFolder, SHARED_OPTIONS, writeAtomically } from "./lib/training/mod.ts";

const { device: _device, ...SHARED } = SHARED_OPTIONS;

const OPTIONS = {
  mpi: { kind: "boolean", help: "Join the ranks that mpirun, mpiexec or srun has started" },
  ...CELL_OPTIONS,
  ...READING_OPTIONS,
  mixing: {
    kind: "choice",
    choices: ["dab", "batchMixing", "mmd"],
    default: "dab",
    help: "What mixes the batches",
  },
  ...LEARNING_OPTIONS,
  batchSize: {
    kind: "integer",
    min: 1,
    default: 32,
    help: "Cells per step, of all ranks together",
  },
  ...SHARED,
} as const;

type Settings = OptionValues<typeof OPTIONS>;

/** The defaults of `examples/02_integrate.ts`. */
const OBJECTIVE = {
  maskRatio: OBJECTIVE_OPTIONS.maskRatio.default,
  ecsThreshold: OBJECTIVE_OPTIONS.ecsThreshold.default,
  ecsWeight: OBJECTIVE_OPTIONS.ecsWeight.default,
  dabWeight: OBJECTIVE_OPTIONS.dabWeight.default,
  reversal: OBJECTIVE_OPTIONS.reversal.default,
};

async function main(settings: Settings): Promise<void> {
  if (settings.data !== undefined && settings.batch === undefined) {
    throw new UsageError("Option --data needs --batch KEY, the column of its batches");
  }
  await using comm = settings.mpi ? await openMpi() : singleProcess();
  const { resume } = settings;
  const cells = await loadCells({
    ...settings,
    syntheticBatches: undefined,
    batchStrength: BATCH_STRENGTH,
  });
  const folder = `${settings.out}/integrate_mpi`;
  await using _claim = comm.rank === 0
    ? await claimFolder(folder, ["metrics.json", "state.safetensors"])
    : undefined;
  if (comm.rank === 0) announce(cells, comm);
  const chosen = settingsOf(settings);
  const checkpoint = { file: `${folder}/state.safetensors`, resume };
  const { embedding, losses } = await fitParallel(cells, comm, chosen, checkpoint);
  if (comm.rank !== 0) return;
  const components = Math.min(EMBEDDING, ...cells.expression.shape);
  const before = measure(pca(standardize(cells.expression), { components }).scores, cells);
  const after = measure(embedding, cells);
  const [count, genes] = cells.expression.shape;
  const dataset = { source: cells.source, origin: cells.origin, cells: count, genes };
  const metrics = { dataset, ranks: comm.size, before, after, losses, settings: chosen };
  await writeAtomically(`${folder}/metrics.json`, JSON.stringify(metrics, null, 2) + "\n");
  console.log(`\n${tableOf(before, after)}\n\nWrote ${folder}/metrics.json`);
}

function settingsOf(
  { quick, epochs, batchSize, learningRate, mixing, seed }: Settings,
): ParallelSettings {
  const [most, hidden] = quick ? [6, 32] : [Infinity, 128];
  return {
    ...OBJECTIVE,
    epochs: Math.min(most, epochs),
    hidden,
    batchSize,
    learningRate,
    mixing,
    seed,
  };
}

function announce(cells: BatchedCells, comm: Communicator): void {
  const { source, expression, typeNames, batchNames } = cells;
  const ranks = comm.size === 1 ? "one rank" : `${comm.size} ranks of ${comm.name}`;
  console.log(
    `${source}: ${expression.shape.join(" × ")} (cells × genes), ${typeNames.length} types, ` +
      `${batchNames.length} batches, on ${ranks}`,
  );
  announceNotes(cells, "all cells");
}

function tableOf(before: Measures, after: Measures): string {
  const row = ({ ilisi, clisi, ari }: Measures) => [ilisi, clisi, ari].map(formatMetric);
  const rows = [["before", ...row(before)], ["after", ...row(after)]];
  return textTable(["", "iLISI ↑", "cLISI ↑", "ARI ↑"], rows);
}

const PROGRAM = {
  command: "deno task example:integrate-mpi",
  summary: "Learns an embedding of cells in which batches are mixed, on one or many ranks.",
  options: OPTIONS,
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);

/**
 * Integrates batches of cells: scGPT's fine-tuning objective on a small scGPT, measured before and
 * after, with each of its terms switched off in turn.
 *
 * Run it with `deno task example:integrate`, or `deno task example:integrate --help`.
 */
import type { Tensor } from "@cellgrad/cellgrad";
import { pca } from "@cellgrad/cellgrad/data";
import { type OptionValues, runProgram } from "./lib/arguments.ts";
import { announceNotes } from "./lib/cells.ts";
import { READING_OPTIONS } from "./lib/cells/options.ts";
import { evenlySpread } from "./lib/evenly_spread.ts";
import { formatMetric } from "./lib/format.ts";
import { type BatchedCells, loadCells } from "./lib/integrate/cells.ts";
import { EMBEDDING, fit, standardize } from "./lib/integrate/fit.ts";
import { measure, type Measures } from "./lib/integrate/measures.ts";
import type { AblationRow, IntegrationResult, Picture, Repeat } from "./lib/integrate/result.ts";
import { ABLATIONS, FULL, type Variant } from "./lib/integrate/variants.ts";
import { tsne } from "./lib/integrate/tsne.ts";
import { textTable } from "./lib/table.ts";
import {
  BATCH_STRENGTH,
  CELL_OPTIONS,
  OBJECTIVE_OPTIONS,
  TRANSFORMER_OPTIONS,
} from "./lib/integrate/options.ts";
import {
  claimFolder,
  INTERRUPTED,
  interruptible,
  openDevice,
  prepareFolder,
  SHARED_OPTIONS,
  type TrainingContext,
  writeResults,
} from "./lib/training/mod.ts";

const OPTIONS = {
  ...CELL_OPTIONS,
  ...READING_OPTIONS,
  syntheticBatches: {
    kind: "integer",
    min: 2,
    max: 20,
    help: "Add a batch effect to the cells of a file, in so many batches",
  },
  batchStrength: {
    kind: "number",
    min: 0,
    max: 5,
    default: BATCH_STRENGTH,
    help: "Spread of log-fold changes in a batch that is simulated or added",
  },
  ...TRANSFORMER_OPTIONS,
  ...OBJECTIVE_OPTIONS,
  repeats: { kind: "integer", min: 1, max: 20, default: 3, help: "Seeds to train with" },
  fullOnly: { kind: "boolean", help: "Train with all terms only, without the ablation" },
  figures: { kind: "string", placeholder: "DIR", help: "Also write the figures as SVG files" },
  ...SHARED_OPTIONS,
} as const;

type Settings = OptionValues<typeof OPTIONS>;

/** What all trainings of a run share. */
interface Run {
  settings: Settings;
  context: TrainingContext;
}

async function main(given: Settings): Promise<number> {
  const started = performance.now();
  const settings = given.quick ? shortened(given) : given;
  const folder = `${settings.out}/integrate`;
  const cells = await load(settings, 0);
  await using _claim = await claimFolder(folder);
  if (settings.figures !== undefined) {
    const { FIGURES } = await import("./lib/integrate/standalone.ts");
    await prepareFolder(settings.figures, FIGURES);
  }
  await using open = await openDevice(settings.device);
  const place = { device: open.device, folder, resume: settings.resume };
  const found = await interruptible(
    place,
    (context) => integrate({ settings, context }, cells),
    "Interrupted: --resume continues from here",
  );
  if (found === undefined) return INTERRUPTED;
  const elapsedSeconds = (performance.now() - started) / 1000;
  await write(settings, folder, { ...found, elapsedSeconds });
  print(found, folder);
  return 0;
}

/** Settings for a look at everything, not for good numbers. */
function shortened(settings: Settings): Settings {
  const { epochs, variableGenes, repeats } = settings;
  return {
    ...settings,
    epochs: Math.min(6, epochs),
    variableGenes: Math.min(50, variableGenes),
    repeats: Math.min(2, repeats),
  };
}

type Found = Omit<IntegrationResult, "elapsedSeconds">;

/** All trainings and measurements. */
async function integrate(run: Run, cells: BatchedCells): Promise<Found> {
  const { settings } = run;
  const shape = cells.expression.shape as readonly [number, number];
  console.log(`${cells.source}: ${shape.join(" × ")} (cells × genes), ${words(cells)}`);
  announceNotes(cells, "all cells");
  const components = componentsOf(cells);
  const { embedding, history } = await fitOne(run, cells, FULL, 0);
  const [before, after] = [measure(components, cells), measure(embedding, cells)];
  const repeats = [{ seed: settings.seed, before, after }, ...await others(run)];
  const ablation: AblationRow[] = [{ name: FULL.name, title: FULL.title, measures: after }];
  for (const variant of settings.fullOnly ? [] : ABLATIONS) {
    const { name, title } = variant;
    const changed = await fitOne(run, cells, variant, 0);
    ablation.push({ name, title, measures: measure(changed.embedding, cells) });
  }
  const { source, origin, typeNames, batchNames, types, batches } = cells;
  return {
    ...{ source, origin, shape, typeNames, batchNames, types, batches, repeats, ablation, history },
    before: await picture(components),
    after: await picture(embedding),
    settings: reported(settings),
  };
}

/** The other seeds: other cells or another batch effect, and another network. */
async function others(run: Run): Promise<Repeat[]> {
  const repeats: Repeat[] = [];
  for (let repeat = 1; repeat < run.settings.repeats; repeat++) {
    const cells = await load(run.settings, repeat);
    const { embedding } = await fitOne(run, cells, FULL, repeat);
    const [before, after] = [measure(componentsOf(cells), cells), measure(embedding, cells)];
    repeats.push({ seed: run.settings.seed + repeat, before, after });
  }
  return repeats;
}

function load(settings: Settings, repeat: number): Promise<BatchedCells> {
  return loadCells({ ...settings, seed: settings.seed + repeat });
}

function words({ typeNames, batchNames, origin }: BatchedCells): string {
  const added = origin === "synthetic" ? " (batch effect added)" : "";
  return `${typeNames.length} types, ${batchNames.length} batches${added}`;
}

/** The principal components of the expression: what one has without integration. */
function componentsOf({ expression }: BatchedCells): Tensor {
  const components = Math.min(EMBEDDING, ...expression.shape);
  return pca(standardize(expression), { components }).scores;
}

/** A trained variant of one of the seeds. */
function fitOne(run: Run, cells: BatchedCells, variant: Variant, repeat: number) {
  const { settings, context } = run;
  const { ecsThreshold, ecsWeight, dabWeight, reversal, maskRatio, epochs } = settings;
  const { layers, variableGenes: genes, learningRate } = settings;
  const seed = settings.seed + repeat;
  const name = repeat === 0 ? variant.name : `${variant.name}_seed_${seed}`;
  const objective = { ecsThreshold, ecsWeight, dabWeight, reversal };
  const all = { ...objective, maskRatio, epochs, layers, genes, learningRate };
  return fit(cells, variant, all, { seed, name, context });
}

/** Cells that are drawn, at most: the time for it grows with the square of their number. */
const MOST_DRAWN = 1000;

async function picture(embedding: Tensor): Promise<Picture> {
  const cells = evenlySpread(embedding.shape[0]!, MOST_DRAWN);
  const places = await tsne(embedding.gather(cells));
  const coordinate = (k: number) =>
    Float64Array.from(places.slice([0, k], [cells.length, k + 1]).data);
  return { cells: [...cells], x: coordinate(0), y: coordinate(1) };
}

/** The settings that decide the numbers. */
function reported(settings: Settings): Record<string, string | number | boolean> {
  const others = ["data", "out", "resume", "figures", "header", "decimal", "unlabelled"];
  return Object.fromEntries(
    Object.entries(settings).filter((entry): entry is [string, string | number | boolean] =>
      entry[1] !== undefined && !others.includes(entry[0])
    ),
  );
}

async function write(settings: Settings, folder: string, result: IntegrationResult): Promise<void> {
  const { integrationReport } = await import("./lib/integrate/report.ts");
  const { source, origin, shape, repeats, ablation, history } = result;
  const metrics = {
    dataset: { source, origin, cells: shape[0], genes: shape[1] },
    repeats,
    ablation,
    losses: history.at(-1)?.losses ?? {},
    settings: result.settings,
  };
  await writeResults(folder, metrics, integrationReport(result));
  if (settings.figures === undefined) return;
  const { writeFigures } = await import("./lib/integrate/standalone.ts");
  await writeFigures(settings.figures, result);
}

function print({ repeats, ablation }: Found, folder: string): void {
  const header = ["iLISI ↑", "cLISI ↑", "type width ↑", "ARI ↑", "NMI ↑"];
  const cells = (m: Measures) =>
    [m.ilisi, m.clisi, m.typeSilhouette, m.ari, m.nmi].map(formatMetric);
  const pairs = repeats.flatMap(({ seed, before, after }) => [
    [`seed ${seed} before`, ...cells(before)],
    [`seed ${seed} after`, ...cells(after)],
  ]);
  console.log(`\n${textTable(["All terms", ...header], pairs)}\n`);
  const rows = ablation.map(({ title, measures }) => [title, ...cells(measures)]);
  console.log(textTable([`Seed ${repeats[0]!.seed}, changed`, ...header], rows));
  console.log(`\nWrote ${folder}/metrics.json and ${folder}/report.html`);
}

const PROGRAM = {
  command: "deno task example:integrate",
  summary: "Learns an embedding of cells in which batches are mixed and cell types apart.",
  options: OPTIONS,
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);

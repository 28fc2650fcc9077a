/**
 * Predicts what perturbations do to cells, as scFormer does: a transformer over genes learns from
 * single and combined activations, and predicts others that it has never seen.
 *
 * Run it with `deno task example:perturb`, or `deno task example:perturb --help`.
 */
import { type OptionValues, runProgram } from "./lib/arguments.ts";
import { formatMetric } from "./lib/format.ts";
import { HELD_OUT_KINDS } from "./lib/perturb/design.ts";
import { type ExperimentSizes, simulateExperiment } from "./lib/perturb/experiment.ts";
import {
  type Budget,
  learn,
  type LearnContext,
  predictCells,
  termName,
} from "./lib/perturb/learn.ts";
import { baselines, heldOut, score } from "./lib/perturb/measures.ts";
import type { Terms } from "./lib/perturb/model.ts";
import type { Method, PerturbResult } from "./lib/perturb/report.ts";
import { textTable } from "./lib/table.ts";
import {
  claimFolder,
  epochsOption,
  INTERRUPTED,
  interruptible,
  openDevice,
  SHARED_OPTIONS,
  writeResults,
} from "./lib/training/mod.ts";

const OPTIONS = {
  cls: { kind: "boolean", help: "Also learn to tell cell types from the cell's embedding" },
  cce: { kind: "boolean", help: "Also contrast two embeddings of each cell (doubles the time)" },
  mvc: { kind: "boolean", help: "Also predict expression from the cell's embedding" },
  ecs: { kind: "boolean", help: "Also make cells that are similar more so" },
  ablation: { kind: "boolean", help: "Train with each of these terms in turn, and with all" },
  epochs: epochsOption(12, "each training cell"),
  ...SHARED_OPTIONS,
} as const;

type Settings = OptionValues<typeof OPTIONS>;

function sizesOf({ quick }: Settings): ExperimentSizes {
  return quick
    ? {
      ...{ genes: 24, pathways: 3, controls: 80, cellsPerCondition: 16 },
      ...{ perturbable: 16, seenGenes: 12, trainCombinations: 8, testCombinations: 3 },
    }
    : {
      ...{ genes: 48, pathways: 5, controls: 300, cellsPerCondition: 40 },
      ...{ perturbable: 32, seenGenes: 24, trainCombinations: 20, testCombinations: 8 },
    };
}

function budgetOf({ quick, epochs }: Settings): Budget {
  return quick
    ? {
      epochs: Math.min(epochs, 12),
      batch: 16,
      embedding: 16,
      layers: 1,
      learningRate: 5e-3,
      decay: 0.9,
    }
    : { epochs, batch: 32, embedding: 32, layers: 2, learningRate: 3e-3, decay: 0.85 };
}

/** What is trained: the terms that were asked for, or each in turn. */
function variantsOf({ cls, cce, mvc, ecs, ablation }: Settings): Terms[] {
  const none = { cls: false, cce: false, mvc: false, ecs: false };
  if (!ablation) return [{ cls, cce, mvc, ecs }];
  const single = Object.keys(none).map((name) => ({ ...none, [name]: true }));
  return [none, ...single, { cls: true, cce: true, mvc: true, ecs: true }];
}

async function main(settings: Settings): Promise<number> {
  const started = performance.now();
  const sizes = sizesOf(settings);
  const experiment = simulateExperiment(sizes, settings.seed);
  const folder = `${settings.out}/perturb`;
  await using _claim = await claimFolder(folder);
  const [cells, genes] = experiment.expression.shape as [number, number];
  console.log(
    `simulated experiment: ${cells} × ${genes} (cells × genes), ${experiment.conditions.length} ` +
      `perturbations, ${heldOut(experiment).length} held out\n`,
  );
  const budget = budgetOf(settings);
  await using open = await openDevice(settings.device);
  const place = { device: open.device, folder, resume: settings.resume };
  const models = await interruptible(
    place,
    (context) => trainAll(experiment, budget, settings, { ...context, sizes, seed: settings.seed }),
  );
  if (models === undefined) return INTERRUPTED;
  const result: PerturbResult = {
    experiment,
    sizes,
    budget,
    seed: settings.seed,
    device: settings.device,
    baselines: baselines(experiment).map((method) => ({
      ...method,
      scores: score(experiment, method.predict),
      history: [],
    })),
    models,
    elapsedSeconds: (performance.now() - started) / 1000,
  };
  const { perturbReport } = await import("./lib/perturb/report.ts");
  await writeResults(folder, metricsOf(result), perturbReport(result));
  print(result, folder);
  return 0;
}

async function trainAll(
  experiment: PerturbResult["experiment"],
  budget: Budget,
  settings: Settings,
  context: LearnContext,
): Promise<Method[]> {
  const methods: Method[] = [];
  for (const terms of variantsOf(settings)) {
    const { parameters, history } = await learn(experiment, terms, budget, context);
    const predict: Method["predict"] = (_, cells) =>
      predictCells(experiment, parameters, cells, settings.seed);
    const scores = score(experiment, predict);
    methods.push({ name: `transformer, ${termName(terms)}`, predict, scores, history });
  }
  return methods;
}

function metricsOf({ experiment, sizes, budget, seed, device, baselines, models }: PerturbResult) {
  const conditions = heldOut(experiment).map((condition) => experiment.conditions[condition]!);
  const reported = ({ name, scores: { all, kinds } }: Method) => ({ name, all, kinds });
  return {
    seed,
    device,
    sizes,
    budget,
    baselines: baselines.map(reported),
    models: models.map((method) => ({ ...reported(method), history: method.history })),
    heldOut: conditions.map(({ name, kind }, i) => ({
      name,
      kind,
      pearsonDelta: Object.fromEntries(
        [...baselines, ...models].map((method) => [method.name, method.scores.pearsonDelta[i]!]),
      ),
    })),
  };
}

function print({ baselines, models }: PerturbResult, folder: string): void {
  const rows = [...baselines, ...models].map(({ name, scores: { all, kinds } }) => [
    name,
    ...[all.pearson, all.pearsonDelta, all.pearsonDeltaDe].map(formatMetric),
    ...HELD_OUT_KINDS.map((kind) => formatMetric(kinds[kind]?.pearsonDelta)),
  ]);
  const header = ["Predicted by", "All genes", "Change", "Change, DE", ...HELD_OUT_KINDS];
  console.log(textTable(header, rows));
  console.log("\nPearson correlation, held-out perturbations, 1 is best; kinds: on the change");
  console.log(`Wrote ${folder}/metrics.json and ${folder}/report.html`);
}

const PROGRAM = {
  command: "deno task example:perturb",
  summary: "Predicts the effects of perturbations that a transformer has never seen.",
  options: OPTIONS,
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);

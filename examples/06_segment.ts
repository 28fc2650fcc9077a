/**
 * The segmentation guide's table, measured: six losses segment a simulated electron micrograph under
 * equal budgets, five times each, and the guide's claims are put to the test.
 *
 * Run it with `deno task example:segment`, or `deno task example:segment --help`.
 */
import { type OptionValues, runProgram } from "./lib/arguments.ts";
import { formatMetric } from "./lib/format.ts";
import { speedClaim, testClaims } from "./lib/segment/claims.ts";
import { describeRecommended, GUIDE_LOSSES, VARIANTS } from "./lib/segment/configurations.ts";
import { learn, type Run, type RunContext } from "./lib/segment/learn.ts";
import {
  formatArea,
  type LossMeasures,
  overPredictionWord,
  stabilityWord,
  summarize,
} from "./lib/segment/measures.ts";
import { type PixelData, simulatePixels } from "./lib/segment/pixels.ts";
import type { SegmentResult } from "./lib/segment/report.ts";
import { type StepTime, timeSteps } from "./lib/segment/timing.ts";
import { textTable } from "./lib/table.ts";
import {
  type Budget,
  claimFolder,
  epochsOption,
  INTERRUPTED,
  interruptible,
  openDevice,
  SHARED_OPTIONS,
  writeAtomically,
  writeResults,
} from "./lib/training/mod.ts";

const OPTIONS = {
  repeats: {
    kind: "integer",
    min: 2,
    max: 50,
    default: 5,
    help: "Trainings per loss, each with other first weights",
  },
  epochs: epochsOption(8, "each training pixel"),
  ...SHARED_OPTIONS,
} as const;

type Settings = OptionValues<typeof OPTIONS>;

const LOSSES = [...GUIDE_LOSSES, ...VARIANTS];

/** How much is simulated and learned. */
function sizes(settings: Settings) {
  const { quick } = settings;
  return {
    images: quick
      ? { size: 100, trainImages: 2, testImages: 1 }
      : { size: 160, trainImages: 4, testImages: 2 },
    budget: {
      epochs: quick ? Math.min(settings.epochs, 6) : settings.epochs,
      batch: quick ? 1024 : 2048,
      hidden: 32,
      learningRate: 0.01,
    } satisfies Budget,
    repeats: quick ? 2 : settings.repeats,
    rounds: quick ? 8 : 40,
  };
}

async function main(settings: Settings): Promise<number> {
  const started = performance.now();
  const { images, budget, repeats, rounds } = sizes(settings);
  const folder = `${settings.out}/segment`;
  await using _claim = await claimFolder(folder, ["metrics.json", "report.html", "timings.json"]);
  const data = simulatePixels(images, settings.seed);
  console.log(describeRecommended(data.classCounts));
  await using open = await openDevice(settings.device);
  const place = { device: open.device, folder, resume: settings.resume };
  const runs = await interruptible(place, (context) =>
    learnAll(data, repeats, budget, {
      ...context,
      settings: { ...images, repeats },
      seed: settings.seed,
    }));
  if (runs === undefined) return INTERRUPTED;
  const times = await timeSteps(data, GUIDE_LOSSES, budget, open.device, rounds);
  const result: SegmentResult = {
    data,
    images,
    budget,
    seed: settings.seed,
    device: settings.device,
    ...conclude(runs, times),
    description: describeRecommended(data.classCounts),
    elapsedSeconds: (performance.now() - started) / 1000,
  };
  await write(folder, result);
  print(result, folder);
  return 0;
}

/** What follows from the trainings and the times. */
function conclude(runs: readonly Run[][], stepTimes: readonly StepTime[]) {
  const measures = LOSSES.map((configuration, i) => summarize(configuration, runs[i]!));
  const times = new Map(stepTimes.map((time, i) => [GUIDE_LOSSES[i]!.id, time]));
  return {
    measures,
    predictions: runs.map((repeated) => repeated.find(({ prediction }) => prediction)?.prediction),
    times,
    claims: testClaims(Object.fromEntries(measures.map((m) => [m.configuration.id, m]))),
    speedClaim: speedClaim(times),
  };
}

/** All trainings, `[loss][repeat]`. */
async function learnAll(data: PixelData, repeats: number, budget: Budget, context: RunContext) {
  const runs: Run[][] = [];
  for (const configuration of LOSSES) {
    const repeated: Run[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const run = await learn(data, configuration, repeat, budget, context);
      if (run.failure !== undefined) console.error(`${configuration.name}: ${run.failure}`);
      repeated.push(run);
    }
    runs.push(repeated);
  }
  return runs;
}

/** Times go into a file of their own: they are no more the same in two runs of one seed. */
async function write(folder: string, result: SegmentResult): Promise<void> {
  const { segmentReport } = await import("./lib/segment/report.ts");
  const { images, budget, seed, device, measures, claims } = result;
  const metrics = { seed, device, images, budget, losses: measures.map(reported), claims };
  await writeAtomically(
    `${folder}/timings.json`,
    JSON.stringify(
      { batch: budget.batch, milliseconds: Object.fromEntries(result.times) },
      null,
      2,
    ) + "\n",
  );
  await writeResults(folder, metrics, segmentReport(result));
}

function reported(measures: LossMeasures) {
  const { configuration: { id, name, guide, config, weighted }, ...rest } = measures;
  return {
    id,
    name,
    guide,
    config: { ...config, useClassWeighting: weighted },
    overPrediction: overPredictionWord(measures.area),
    stability: stabilityWord(measures),
    ...rest,
  };
}

function print({ measures, claims, speedClaim, times }: SegmentResult, folder: string): void {
  const rows = measures.map((m) => [
    m.configuration.name,
    formatMetric(m.configuration.guide?.meanIou),
    `${formatMetric(m.meanIou)} ± ${formatMetric(m.spread)}`,
    formatArea(m.area),
    stabilityWord(m),
    times.get(m.configuration.id)?.step.toFixed(2) ?? "",
  ]);
  const header = ["Loss", "Guide's IoU", "Mean IoU", "Area marked", "Stability", "ms/step"];
  console.log(`\n${textTable(header, rows)}\n`);
  for (const { claim, found, verdict } of [...claims, speedClaim]) {
    console.log(`${verdict.toUpperCase()}: ${claim}\n    ${found}`);
  }
  console.log(`\nWrote ${folder}/metrics.json, ${folder}/timings.json and ${folder}/report.html`);
}

const PROGRAM = {
  command: "deno task example:segment",
  summary: "Measures the segmentation guide's six losses on a simulated electron micrograph.",
  options: OPTIONS,
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);

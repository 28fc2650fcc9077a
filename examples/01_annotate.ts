/**
 * Annotates cells: trains a network of two layers to tell cell types apart, under the loss of your
 * choice, and reports how well it does on cells that it has not seen.
 *
 * Run it with `deno task demo`, or `deno task demo --help`.
 */
import { confusionMatrix, createLoss, macroF1, segmentationMetrics } from "@cellgrad/cellgrad";
import { pca, scale } from "@cellgrad/cellgrad/data";
import { type OptionValues, runProgram } from "./lib/arguments.ts";
import { announceNotes, type Cells, readManyCells, simulatedCells } from "./lib/cells.ts";
import { type Expression, takeCells } from "./lib/cells/matrix.ts";
import { DATA_OPTION, READING_OPTIONS } from "./lib/cells/options.ts";
import {
  crossValidate,
  type CrossValidation,
  type Loss,
  type OnEpoch,
  type TrainingSettings,
} from "./lib/cross_validate.ts";
import { evenlySpread } from "./lib/evenly_spread.ts";
import { formatMetric } from "./lib/format.ts";
import { progressBar } from "./lib/progress.ts";
import type { AnnotationResult, ClassResult } from "./lib/report.ts";
import { textTable } from "./lib/table.ts";
import {
  claimFolder,
  epochsOption,
  FOLDS_OPTION,
  INTERRUPTED,
  openDevice,
  SHARED_OPTIONS,
  writeResults,
} from "./lib/training/mod.ts";
import { hasResults } from "./lib/training/results.ts";

const OPTIONS = {
  data: DATA_OPTION,
  labels: {
    kind: "string",
    placeholder: "KEY",
    help: "The column of the file that holds the cell types",
  },
  ...READING_OPTIONS,
  loss: {
    kind: "choice",
    choices: ["ce", "weighted_ce", "focal"],
    default: "weighted_ce",
    help: "What is minimised",
  },
  gamma: {
    kind: "number",
    min: 0,
    default: 2,
    help: "How much the focal loss plays down what is easy",
  },
  epochs: epochsOption(20, "each training cell"),
  hidden: { kind: "integer", min: 1, max: 4096, default: 128, help: "Units of the hidden layer" },
  learningRate: {
    kind: "number",
    above: 0,
    default: 1e-3,
    help: "About how far each weight moves per step",
  },
  folds: FOLDS_OPTION,
  seed: SHARED_OPTIONS.seed,
  device: SHARED_OPTIONS.device,
  out: SHARED_OPTIONS.out,
} as const;

/** Cells drawn per figure, about: of more cells, a part is drawn. */
const MOST_DRAWN = 4000;

type Settings = OptionValues<typeof OPTIONS>;

async function main(settings: Settings): Promise<number> {
  const started = performance.now();
  const cells: Cells<Expression> = settings.data === undefined
    ? simulatedCells(settings.seed)
    : await readManyCells(settings.data, settings.labels, settings);
  await using _claim = await claimFolder(settings.out);
  const folds = Math.min(settings.folds, cells.labels.length);
  console.log(`${cells.source}: ${cells.expression.shape.join(" × ")} (cells × genes)`);
  announceNotes(cells, "the cells that are learned from");
  const describe = lossFor(cells, settings)(cells.labels).describe();
  console.log(`\n${describe}\n`);

  await using open = await openDevice(settings.device);
  const { device } = open;
  const { result, interrupted } = await learn(cells, { ...settings, folds, device });
  if (interrupted && result.foldAccuracies.length === 0 && await hasResults(settings.out)) {
    console.log(`Interrupted in the first fold: the earlier results in ${settings.out} are kept`);
    return INTERRUPTED;
  }

  const elapsedSeconds = (performance.now() - started) / 1000;
  const report = summarize(cells, result, settings, describe, elapsedSeconds, interrupted);
  print(report);
  await write(report, settings);
  console.log(`Wrote ${settings.out}/metrics.json and ${settings.out}/report.html`);
  return interrupted ? INTERRUPTED : 0;
}

/** The cross-validation with its progress; Ctrl-C ends it. */
async function learn(
  cells: Cells<Expression>,
  settings: Omit<Settings, "device"> & TrainingSettings,
): Promise<{ result: CrossValidation; interrupted: boolean }> {
  let interrupted = false;
  const interrupt = () => interrupted = true;
  Deno.addSignalListener("SIGINT", interrupt);
  const progress = progressBar(settings);
  const onEpoch: OnEpoch = async (fold, epoch, run) => {
    const [loss, accuracy] = [run.trainLoss.at(-1)!, run.validationAccuracy.at(-1)!];
    progress.update({ fold: fold + 1, epoch, loss, accuracy });
    await new Promise((resolve) => setTimeout(resolve));
    return !interrupted;
  };
  try {
    const result = await crossValidate(cells, lossFor(cells, settings), settings, onEpoch);
    return { result, interrupted };
  } finally {
    progress.finish();
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

/** The loss for the training cells of a fold, whose counts decide the class weights. */
function lossFor(cells: Pick<Cells, "classes">, settings: Pick<Settings, "loss" | "gamma">) {
  return (labels: Int32Array): Loss & { describe(): string } => {
    const classCounts = cells.classes.map((_, type) => labels.filter((l) => l === type).length);
    return createLoss({
      lossType: settings.loss,
      useClassWeighting: settings.loss === "weighted_ce",
      classCounts,
      focalGamma: settings.gamma,
    });
  };
}

function summarize(
  cells: Cells<Expression>,
  result: CrossValidation,
  settings: Settings,
  lossDescription: string,
  elapsedSeconds: number,
  interrupted: boolean,
): AnnotationResult {
  const kept = Array.from(result.prediction.keys()).filter((cell) => result.prediction[cell]! >= 0);
  const predicted = Int32Array.from(kept, (cell) => result.prediction[cell]!);
  const truth = Int32Array.from(kept, (cell) => cells.labels[cell]!);
  const numClasses = cells.classes.length;
  const metrics = segmentationMetrics(predicted, truth, { numClasses });
  return {
    title: "Cell types, predicted and true",
    dataset: {
      source: cells.source,
      cells: cells.labels.length,
      genes: cells.genes,
      genesUsed: cells.expression.shape[1]!,
      simulated: cells.simulated,
      ...(cells.simulated ? {} : { notes: cells.notes }),
    },
    settings: reported(settings),
    lossDescription,
    classes: cells.classes,
    folds: result.folds,
    confusion: confusionMatrix(predicted, truth, { numClasses }),
    perClass: cells.classes.map((name, type): ClassResult => ({
      name,
      cells: cells.labels.filter((label) => label === type).length,
      recall: metrics.recall[type],
      precision: metrics.precision[type],
      f1: metrics.f1[type],
      iou: metrics.iou[type],
    })),
    accuracy: kept.length === 0 ? undefined : metrics.accuracy,
    macroF1: kept.length === 0 ? undefined : macroF1(predicted, truth, { numClasses }),
    foldAccuracies: result.foldAccuracies,
    embedding: embed(cells.expression),
    truth: cells.labels,
    prediction: result.prediction,
    confidence: result.confidence,
    elapsedSeconds,
    interrupted,
  };
}

/** The cells that are drawn, by the first two principal components of their z-scores. */
function embed(expression: Expression): AnnotationResult["embedding"] {
  const cells = evenlySpread(expression.shape[0]!, MOST_DRAWN);
  const { values } = scale(takeCells(expression, cells), { maxValue: 10 });
  const { scores, explainedVarianceRatio } = pca(values, { components: 2 });
  const component = (k: number) =>
    Float64Array.from(scores.slice([0, k], [cells.length, k + 1]).data);
  const [first, second] = explainedVarianceRatio as ArrayLike<number> as [number, number];
  return { cells, x: component(0), y: component(1), explainedVariance: [first, second] };
}

/** The settings that decide the numbers. */
function reported(settings: Settings): Record<string, string | number> {
  const { loss, epochs, hidden, learningRate, folds, seed, device, gamma, ...reading } = settings;
  const { labels, genes, ignore } = reading;
  const given = Object.entries({ labels, genes, ignore })
    .filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(given),
    ...{ loss, epochs, hidden, learningRate, folds, seed, device },
    ...(settings.loss === "focal" ? { gamma } : {}),
  };
}

async function write(report: AnnotationResult, settings: Settings): Promise<void> {
  const { annotationReport } = await import("./lib/report.ts");
  const metrics = {
    accuracy: report.accuracy ?? null,
    macroF1: report.macroF1 ?? null,
    perClass: report.perClass,
    foldAccuracies: report.foldAccuracies,
    dataset: report.dataset,
    settings: report.settings,
    seed: settings.seed,
    interrupted: report.interrupted,
  };
  await writeResults(settings.out, metrics, annotationReport(report));
}

function print(report: AnnotationResult): void {
  const rows = report.perClass.map((row) => [
    row.name,
    String(row.cells),
    ...[row.recall, row.precision, row.f1, row.iou].map(formatMetric),
  ]);
  console.log(textTable(["Cell type", "Cells", "Recall", "Precision", "F1", "IoU"], rows));
  console.log(
    `\naccuracy ${formatMetric(report.accuracy)}   macro F1 ${formatMetric(report.macroF1)}   ` +
      `(1 is best; held-out cells of ${report.foldAccuracies.length} folds)`,
  );
  if (report.interrupted) console.log("Interrupted: these are the folds that were finished");
}

const PROGRAM = {
  command: "deno task demo",
  summary: "Learns to tell cell types apart and reports how well it does on unseen cells.",
  options: OPTIONS,
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);

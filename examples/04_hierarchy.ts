/**
 * Annotates cells along the Cell Ontology, as UniCell does: a network with a head per level (HMCN)
 * beside a flat classifier, on the same cells, and what each gets wrong in the tree of types.
 *
 * Run it with `deno task example:hierarchy`, or `deno task example:hierarchy --help`.
 */
import { type OptionValues, runProgram } from "./lib/arguments.ts";
import { announceNotes } from "./lib/cells.ts";
import { DATA_OPTION, READING_OPTIONS } from "./lib/cells/options.ts";
import { formatMetric } from "./lib/format.ts";
import { type AnnotatedCells, annotatedCells } from "./lib/hierarchy/annotated_cells.ts";
import type { LearnSettings } from "./lib/hierarchy/classifiers.ts";
import { type HeldOut, learnBoth } from "./lib/hierarchy/learn.ts";
import {
  depthAccuracy,
  fromTheTop,
  localAccuracy,
  measure,
  type Measures,
  mostProbable,
} from "./lib/hierarchy/measures.ts";
import type { HierarchyResult } from "./lib/hierarchy/report.ts";
import { textTable } from "./lib/table.ts";
import {
  claimFolder,
  epochsOption,
  FOLDS_OPTION,
  INTERRUPTED,
  interruptible,
  openDevice,
  SHARED_OPTIONS,
  writeResults,
} from "./lib/training/mod.ts";

const OPTIONS = {
  data: DATA_OPTION,
  labels: {
    kind: "string",
    placeholder: "KEY",
    default: "bulk_labels",
    help: "The column of the file that holds the cell types",
  },
  ...READING_OPTIONS,
  ontology: {
    kind: "string",
    placeholder: "FILE",
    help: "The Cell Ontology, cl-basic.obo (a small one of blood cells by default)",
  },
  terms: {
    kind: "string",
    placeholder: "FILE",
    help: "Lines of label, tab, term, for types that are no terms themselves",
  },
  beta: { kind: "number", min: 0, default: 0.25, help: "The weight of the global loss" },
  focalWeight: { kind: "number", min: 0, default: 0.5, help: "The weight of the focal loss" },
  gamma: {
    kind: "number",
    min: 0,
    default: 1,
    help: "How much the focal loss plays down what is easy",
  },
  epochs: epochsOption(20, "each training cell"),
  folds: FOLDS_OPTION,
  ...SHARED_OPTIONS,
} as const;

type Settings = OptionValues<typeof OPTIONS>;

async function main(settings: Settings): Promise<number> {
  const started = performance.now();
  const { quick } = settings;
  const cells = await annotatedCells({
    ...settings,
    simulated: quick ? { cells: 400, genes: 200 } : { cells: 800, genes: 300 },
  });
  const folder = `${settings.out}/hierarchy`;
  await using _claim = await claimFolder(folder);
  const [count, genes] = cells.expression.shape as [number, number];
  console.log(`${cells.source}: ${count} × ${genes} (cells × genes)`);
  announceNotes(cells, "the cells that are learned from");
  console.log(
    `${cells.ontology}: ${cells.classes.length} types, ${cells.hierarchy.ids.length} terms above ` +
      `or at them, ${cells.hierarchy.classes.length} levels\n`,
  );
  const learn: LearnSettings = {
    epochs: quick ? Math.min(settings.epochs, 8) : settings.epochs,
    folds: quick ? 2 : Math.min(settings.folds, count),
    units: quick ? { hidden: 32, level: 16 } : { hidden: 128, level: 48 },
    learningRate: quick ? 5e-3 : 1e-3,
    beta: settings.beta,
    focalWeight: settings.focalWeight,
    gamma: settings.gamma,
    seed: settings.seed,
  };
  await using open = await openDevice(settings.device);
  const place = { device: open.device, folder, resume: settings.resume };
  const said = await interruptible(place, (context) => learnBoth(cells, learn, context));
  if (said === undefined) return INTERRUPTED;
  const elapsedSeconds = (performance.now() - started) / 1000;
  const result = summarize(cells, said, learn, { device: settings.device, elapsedSeconds });
  const { hierarchyReport } = await import("./lib/hierarchy/report.ts");
  await writeResults(folder, metricsOf(result), hierarchyReport(result));
  print(result, folder);
  return 0;
}

function summarize(
  cells: AnnotatedCells,
  { flat, hmcn }: { flat: HeldOut; hmcn: HeldOut },
  settings: LearnSettings,
  run: { device: string; elapsedSeconds: number },
): HierarchyResult {
  return {
    cells,
    settings,
    ...run,
    flat: measure("flat, most probable type", mostProbable(flat, cells), cells),
    others: [
      measure("flat, down the tree", fromTheTop(flat, cells), cells),
      measure("hierarchical, most probable type", mostProbable(hmcn, cells), cells),
    ],
    hierarchical: measure("hierarchical, down the tree", fromTheTop(hmcn, cells), cells),
    localAccuracy: localAccuracy(cells, hmcn),
    depthAccuracy: depthAccuracy(cells, hmcn),
    histories: hmcn.histories,
  };
}

function metricsOf(result: HierarchyResult) {
  const { cells, settings, device, flat, others, hierarchical } = result;
  const reported = (measures: Measures) => {
    const { prediction: _, errorsAt: _at, ...rest } = measures;
    return rest;
  };
  return {
    seed: settings.seed,
    device,
    data: { source: cells.source, simulated: cells.simulated, cells: cells.labels.length },
    ontology: cells.ontology,
    settings,
    types: cells.classes.map((label, type) => ({ label, term: cells.terms[type]! })),
    branches: cells.branches.names,
    flat: reported(flat),
    hierarchical: reported(hierarchical),
    others: others.map(reported),
    localAccuracy: result.localAccuracy,
    depthAccuracy: result.depthAccuracy,
    tree: cells.tree.nodes.map((node, i) => ({
      name: node.name,
      parent: node.parent,
      errors: { flat: flat.errorsAt[i]!, hierarchical: hierarchical.errorsAt[i]! },
    })),
  };
}

function print({ cells, flat, others, hierarchical }: HierarchyResult, folder: string): void {
  const rows = [flat, ...others, hierarchical].map((m) => [
    m.name,
    ...[m.accuracy, m.macroF1, m.hierarchicalF1].map(formatMetric),
    String(m.errors),
    String(m.outsideBranch),
  ]);
  const header = ["Predicted by", "Accuracy", "Macro F1", "Hierarchical F1", "Errors", "Outside"];
  console.log(textTable(header, rows));
  console.log(
    `\nOutside: errors that leave the main branch, of ${cells.branches.names.join(", ")}`,
  );
  console.log(`Wrote ${folder}/metrics.json and ${folder}/report.html`);
}

const PROGRAM = {
  command: "deno task example:hierarchy",
  summary: "Annotates cells along an ontology of cell types, level by level.",
  options: OPTIONS,
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);

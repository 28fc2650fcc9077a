/** The figures of the integration report, as SVG text. */
import * as Plot from "@observablehq/plot";
import { draw } from "../draw.ts";
import { formatMetric } from "../format.ts";
import type { Markup } from "../html.ts";
import { epochAxis, type Look, type Plane, scatterPlot, typeLook } from "../plots.ts";
import type { EpochRecord } from "../training/mod.ts";
import type { Measures } from "./measures.ts";
import type { AblationRow, IntegrationResult, Picture } from "./result.ts";

/** A measure, and how it is read. */
export interface MeasureText {
  key: keyof Measures;
  name: string;
  /** Which direction is good, in a few words. */
  good: string;
  meaning: string;
}

/** The measures in the order of the tables. */
export const MEASURES: readonly MeasureText[] = [
  {
    key: "ilisi",
    name: "iLISI",
    good: "higher",
    meaning:
      "how many batches a neighbourhood effectively holds, scaled: 0 one, 1 all of them alike",
  },
  {
    key: "clisi",
    name: "cLISI",
    good: "higher",
    meaning:
      "how few cell types a neighbourhood effectively holds, scaled: 1 one, 0 all of them alike",
  },
  {
    key: "typeSilhouette",
    name: "type silhouette",
    good: "higher",
    meaning: "how much closer cells are to their own type than to the next one, from −1 to 1",
  },
  {
    key: "ari",
    name: "ARI",
    good: "higher",
    meaning:
      "how well k-means clusters agree with the types, corrected for chance: 1 the same, 0 chance",
  },
  {
    key: "nmi",
    name: "NMI",
    good: "higher",
    meaning: "the information that clusters and types share: 1 all, 0 none",
  },
];

/** What the parts of the loss are called. */
const PARTS: Readonly<Record<string, string>> = {
  total: "total, weighted",
  mse: "MLM: squared error",
  zeroLogProb: "MLM: zero or not (nats)",
  gepc: "MVC: squared error",
  gepcZeroLogProb: "MVC: zero or not (nats)",
  ecs: "ECS",
  dab: "DAB: cross entropy (nats)",
};

/** Cells of one colour: a batch or a type. */
export interface Group {
  name: string;
  look: Look;
  cells: number[];
}

/** Cells by batch or by type. */
export function groupsOf(names: readonly string[], labels: Int32Array): Group[] {
  return names.map((name, group) => ({
    name,
    look: typeLook(group),
    cells: Array.from(labels.keys()).filter((cell) => labels[cell] === group),
  }));
}

/** How often the groups take turns on top of each other. */
const LAYERS = 12;

/**
 * Cells in the plane. Groups are drawn in turns, a twelfth of their cells at a time, so that none
 * of them hides the others.
 */
export function cloudPlot(
  picture: Picture,
  groups: readonly Group[],
  describe: (cell: number) => string,
): Markup {
  const labels = ["t-SNE 1 (no unit)", "t-SNE 2 (no unit)"] as const;
  const total = 1 + picture.cells.reduce((a, b) => Math.max(a, b), 0);
  const plane: Plane = { x: new Float64Array(total), y: new Float64Array(total), labels };
  picture.cells.forEach((cell, i) => {
    plane.x[cell] = picture.x[i]!;
    plane.y[cell] = picture.y[i]!;
  });
  const drawn = new Set(picture.cells);
  const layers = Array.from({ length: LAYERS }, (_, layer) =>
    groups.map(({ cells, look }) => ({
      look,
      cells: cells.filter((cell, i) => drawn.has(cell) && i % LAYERS === layer),
    })));
  return scatterPlot(plane, layers.flat(), describe);
}

/**
 * One measure of all variants: a dot per variant, with lines at the whole objective and at the
 * cells before integration.
 */
export function ablationPlot(
  rows: readonly AblationRow[],
  before: Measures,
  { key, name, good }: MeasureText,
): Markup {
  const values = rows.map(({ title, measures }) => ({ title, value: measures[key] }));
  const all = [...values.map(({ value }) => value), before[key]];
  const arrow = good === "higher" ? " (higher is better) →" : "";
  return draw({
    width: 390,
    height: 70 + 22 * rows.length,
    marginLeft: 150,
    marginRight: 14,
    marginTop: 26,
    marginBottom: 40,
    x: {
      domain: [Math.floor(10 * Math.min(...all)) / 10, Math.max(1, ...all)],
      label: `${name}${arrow}`,
      labelAnchor: "right",
      ticks: 5,
      grid: true,
    },
    y: { domain: rows.map(({ title }) => title), label: null, tickSize: 0 },
    marks: ablationMarks(values, before[key], name),
  });
}

function ablationMarks(
  values: readonly { title: string; value: number }[],
  before: number,
  name: string,
) {
  return [
    Plot.ruleX([before], { stroke: "var(--wrong)", strokeDasharray: "4,3" }),
    Plot.ruleX([values[0]!.value], { stroke: "var(--accent)" }),
    Plot.text([[before, "before"]], {
      x: "0",
      text: "1",
      frameAnchor: "top",
      dy: -14,
      fill: "var(--wrong)",
    }),
    Plot.dot(values, {
      x: "value",
      y: "title",
      r: 5,
      fill: "var(--accent)",
      title: (d) => `${d.title}: ${name} ${formatMetric(d.value)}`,
    }),
  ];
}

/** The parts of the loss over the epochs, a panel each, each with its own scale. */
export function lossPlots(history: readonly EpochRecord[]): { title: string; plot: Markup }[] {
  const names = Object.keys(history[0]?.losses ?? {}).filter((name) => name in PARTS);
  return names.map((name) => ({
    title: PARTS[name]!,
    plot: draw({
      width: 190,
      height: 150,
      marginLeft: 42,
      marginTop: 10,
      marginBottom: 36,
      x: epochAxis(history.length),
      y: { label: null, ticks: 4, grid: true, nice: true },
      marks: [
        Plot.line(history.map(({ epoch, losses }) => [epoch, losses[name]!]), {
          stroke: "var(--accent)",
          marker: history.length === 1 ? "dot" : "none",
        }),
      ],
    }),
  }));
}

/** What is known of a cell. */
export function describeCell(result: IntegrationResult): (cell: number) => string {
  const { typeNames, batchNames, types, batches } = result;
  return (cell) => `Cell ${cell + 1}: ${typeNames[types[cell]!]}, ${batchNames[batches[cell]!]}`;
}

/**
 * The figures of a report: Observable Plot drawn without a browser, as SVG text.
 *
 * Colours are CSS variables of the page, so that one file reads well on light and on dark.
 */
import * as Plot from "@observablehq/plot";
import { draw, FONT } from "./draw.ts";
import { formatCount, formatPercent } from "./format.ts";
import type { Markup } from "./html.ts";

const COLORS = Array.from({ length: 7 }, (_, i) => `var(--type-${i})`);
const SYMBOLS: readonly TypeSymbol[] = [
  "circle",
  "triangle",
  "square",
  "diamond",
  "cross",
  "star",
  "wye",
];
const MAX_LABEL = 30;

/** How many types get a look of their own before colours and symbols repeat. */
export const DISTINCT_LOOKS: number = COLORS.length * SYMBOLS.length;

/** A quantity after each epoch of one fold. */
export interface FoldCurves {
  /** On the training cells: a solid line. */
  training?: readonly number[];
  /** On the held-out cells: a dashed line. */
  heldOut: readonly number[];
}

/** The axes that the panels of all folds share. */
export interface CurveAxes {
  /** Label and unit of the vertical axis. */
  label: string;
  /** Upper end of the vertical axis, which begins at 0. */
  top: number;
  /** Right end of the horizontal axis, which begins at the first epoch. */
  epochs: number;
}

/** Cells in the plane of the first two principal components. */
export interface Plane {
  x: Float64Array;
  y: Float64Array;
  labels: readonly [string, string];
}

/** The symbols that tell types apart, besides colour. */
export type TypeSymbol = "circle" | "triangle" | "square" | "diamond" | "cross" | "star" | "wye";

/** How a group of cells is drawn. */
export interface Look {
  /** Fill or stroke: any CSS colour. */
  color: string;
  /** A symbol of Observable Plot: these two are strokes, for what must stand out. */
  symbol: TypeSymbol | "times" | "plus";
}

/** The look of the k-th type: seven colours, then the same colours with another symbol. */
export function typeLook(type: number): Look {
  return {
    color: COLORS[type % COLORS.length]!,
    symbol: SYMBOLS[Math.floor(type / COLORS.length) % SYMBOLS.length]!,
  };
}

/** Keeps both ends of a long name, as cell types often share a beginning. */
export function shorten(name: string, most: number = MAX_LABEL): string {
  const letters = [...name];
  if (letters.length <= most) return name;
  const half = Math.floor((most - 1) / 2);
  return `${letters.slice(0, half).join("")}…${letters.slice(-half).join("")}`;
}

/** The horizontal axis of curves over the epochs. */
export function epochAxis(epochs: number): Plot.ScaleOptions {
  return {
    domain: [1, Math.max(2, epochs)],
    label: "epoch",
    ticks: 4,
    tickFormat: (epoch: number) => Number.isInteger(epoch) ? String(epoch) : "",
  };
}

/** Labels are proportional text: about 0.56 of the font size per character. */
function labelWidth(names: readonly string[]): number {
  return Math.max(20, ...names.map((name) => [...shorten(name)].length * FONT * 0.56));
}

/** Curves of one fold over the epochs. */
export function curvePlot({ training = [], heldOut }: FoldCurves, axes: CurveAxes): Markup {
  const line = (values: readonly number[], options: Plot.LineOptions) =>
    Plot.line(values.map((value, index) => [index + 1, value]), {
      ...options,
      marker: values.length === 1 ? "dot" : "none",
    });
  return draw({
    width: 190,
    height: 170,
    marginLeft: 38,
    marginTop: 28,
    marginBottom: 40,
    x: epochAxis(axes.epochs),
    y: { domain: [0, axes.top], label: axes.label, ticks: 5, grid: true, nice: true },
    marks: [
      line(training, { stroke: "var(--accent)" }),
      line(heldOut, { stroke: "var(--wrong)", strokeDasharray: "5,3" }),
    ],
  });
}

/** The cells of a matrix that are drawn: those with counts, and the diagonal. */
function matrixCells(confusion: readonly (readonly number[])[]) {
  return confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, prediction) => ({
      truth,
      prediction,
      count,
      share: total > 0 ? count / total : 0,
      diagonal: truth === prediction,
    }));
  }).filter(({ count, diagonal }) => count > 0 || diagonal);
}

function matrixMarks(classes: readonly string[], cells: ReturnType<typeof matrixCells>) {
  const position = { x: "prediction", y: "truth" };
  return [
    Plot.cell(cells, {
      ...position,
      inset: 1,
      fill: "var(--cell)",
      fillOpacity: { value: "share", scale: null },
      stroke: (d) => d.diagonal ? "currentColor" : "var(--line)",
      strokeWidth: (d) => d.diagonal ? 1.5 : 0.75,
      title: (d) =>
        `True ${classes[d.truth]}, predicted ${classes[d.prediction]}: ${d.count} cells, ` +
        `${formatPercent(d.share)} of the true type`,
    }),
    Plot.text(cells.filter((d) => d.count > 0), {
      ...position,
      text: (d) => formatCount(d.count),
      fill: (d) => d.share > 0.72 ? "white" : "currentColor",
      pointerEvents: "none",
    }),
  ];
}

/** A confusion matrix: one row per true type, coloured by the share of the row, counts as text. */
export function confusionPlot(
  classes: readonly string[],
  confusion: readonly (readonly number[])[],
): Markup {
  const cells = matrixCells(confusion);
  const widest = Math.max(0, ...cells.map(({ count }) => formatCount(count).length));
  const size = Math.max(34, widest * 7 + 8, Math.min(56, 620 / classes.length));
  const left = labelWidth(classes) + 34;
  const slanted = labelWidth(classes) * Math.SQRT1_2 + 30;
  // The scales hold indices, as two shortened names may be the same.
  const domain = classes.map((_, index) => index);
  const axis = { domain, tickFormat: (index: number) => shorten(classes[index]!), tickSize: 0 };
  return draw({
    width: left + classes.length * size + 20,
    height: classes.length * size + slanted + 24,
    marginLeft: left,
    marginRight: 20,
    marginTop: 24,
    marginBottom: slanted,
    x: { ...axis, tickRotate: -45, label: "predicted type" },
    y: { ...axis, label: "true type" },
    marks: matrixMarks(classes, cells),
  });
}

/** Cells in the plane, drawn group by group, so that the last group lies on top. */
export function scatterPlot(
  plane: Plane,
  groups: readonly { cells: readonly number[]; look: Look }[],
  describe: (cell: number) => string,
): Markup {
  const drawn = groups.reduce((total, { cells }) => total + cells.length, 0);
  return draw({
    width: 440,
    height: 390,
    marginLeft: 44,
    marginBottom: 40,
    x: { label: plane.labels[0], ticks: 6 },
    y: { label: plane.labels[1], ticks: 6 },
    marks: groups.map(({ cells, look }) =>
      Plot.dot(cells, {
        x: (cell) => plane.x[cell],
        y: (cell) => plane.y[cell],
        title: describe,
        ...dotStyle(look, drawn > 1500 ? 2.2 : 3),
      })
    ),
  });
}

/** Crosses are strokes; everything else is filled, with a hairline that separates neighbours. */
function dotStyle({ color, symbol }: Look, r: number) {
  return symbol === "times" || symbol === "plus"
    ? { symbol, r: r * 1.2, stroke: color, strokeWidth: 1.5 }
    : { symbol, r, fill: color, stroke: "var(--page)", strokeWidth: 0.4 };
}

/** The symbol of a group, for a legend. */
export function legendSymbol(look: Look): Markup {
  return draw({
    width: 14,
    height: 14,
    margin: 0,
    axis: null,
    x: { domain: [-1, 1] },
    y: { domain: [-1, 1] },
    marks: [Plot.dot([[0, 0]], dotStyle(look, 4.5))],
  });
}

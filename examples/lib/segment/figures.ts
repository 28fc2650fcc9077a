/** The figures of the segmentation report. */
import * as Plot from "@observablehq/plot";
import { formatMetric } from "../format.ts";
import type { Markup } from "../html.ts";
import { epochAxis, typeLook } from "../plots.ts";
import { draw } from "../draw.ts";
import { type LossMeasures, mean } from "./measures.ts";

/** The mean IoU of one training, or of the guide. */
interface LossIou {
  loss: string;
  iou: number;
}

function iouDots(values: readonly LossIou[], what: string, look: Plot.DotOptions): Plot.Dot {
  const title = ({ loss, iou }: LossIou) => `${loss}, ${what}: mean IoU ${formatMetric(iou)}`;
  return Plot.dot(values, { x: "iou", y: "loss", title, ...look });
}

/** Mean IoU per loss: a dot per training, and where the guide expects it. */
export function iouFigure(measures: readonly LossMeasures[]): Markup {
  const losses = measures.map(({ configuration }) => configuration.name);
  const dots = measures.flatMap(({ configuration, meanIous }) =>
    meanIous.filter(Number.isFinite).map((iou) => ({ loss: configuration.name, iou }))
  );
  const expected = measures.flatMap(({ configuration: { name, guide } }) =>
    guide === undefined ? [] : [{ loss: name, iou: guide.meanIou }]
  );
  const all = [...dots, ...expected].map(({ iou }) => iou);
  const diamond = { symbol: "diamond", r: 6, stroke: "var(--wrong)", strokeWidth: 2 } as const;
  return draw({
    width: 440,
    height: 46 + 30 * losses.length,
    marginLeft: 92,
    marginBottom: 40,
    marginTop: 6,
    x: {
      domain: [Math.min(0.3, ...all), Math.max(0.65, ...all)],
      nice: true,
      label: "mean IoU on held-out images →",
      ticks: 6,
      grid: true,
    },
    y: { domain: losses, label: null, tickSize: 0 },
    marks: [
      iouDots(expected, "expected by the guide", diamond),
      iouDots(dots, "measured", { r: 4.5, fill: "var(--accent)", fillOpacity: 0.55 }),
    ],
  });
}

/** Text in a corner of a figure. */
function note(x: number, y: number, text: string, textAnchor: "start" | "end"): Plot.Text {
  return Plot.text([[x, y]], { text: () => text, textAnchor, fill: "var(--quiet)" });
}

/** Recall and precision of one class under each loss: below the diagonal is over-prediction. */
export function balanceFigure(measures: readonly LossMeasures[], classIndex: number): Markup {
  const dots = measures.map(({ configuration, classes }, loss) => {
    const { recall, precision } = classes[classIndex]!;
    const { color, symbol } = typeLook(loss);
    return Plot.dot(Number.isFinite(recall) ? [[recall, precision]] : [], {
      symbol,
      r: 5.5,
      fill: color,
      stroke: "var(--page)",
      strokeWidth: 0.6,
      title: () =>
        `${configuration.name}: recall ${formatMetric(recall)}, ` +
        `precision ${formatMetric(precision)}`,
    });
  });
  return draw({
    width: 260,
    height: 260,
    marginLeft: 44,
    marginBottom: 40,
    x: { domain: [0, 1], label: "recall →", ticks: 5, grid: true },
    y: { domain: [0, 1], label: "↑ precision", ticks: 5, grid: true },
    marks: [
      Plot.line([[0, 0], [1, 1]], { stroke: "var(--quiet)", strokeDasharray: "3,3" }),
      note(0.98, 0.06, "over-predicts", "end"),
      note(0.03, 0.96, "under-predicts", "start"),
      ...dots,
    ],
  });
}

/** Mean IoU after each epoch under one loss: mean and range over the trainings. */
export function curveFigure({ curves }: LossMeasures, top: number): Markup {
  const epochs = curves[0]?.length ?? 0;
  const band = Array.from({ length: epochs }, (_, epoch) => {
    const values = curves.map((curve) => curve[epoch]!);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return { epoch: epoch + 1, low, high, mean: mean(values) };
  });
  return draw({
    width: 190,
    height: 160,
    marginLeft: 38,
    marginTop: 24,
    marginBottom: 38,
    x: epochAxis(epochs),
    y: { domain: [0, top], label: "mean IoU", ticks: 4, grid: true },
    marks: [
      Plot.areaY(band, {
        x: "epoch",
        y1: "low",
        y2: "high",
        fill: "var(--accent)",
        fillOpacity: 0.25,
      }),
      Plot.line(band, { x: "epoch", y: "mean", stroke: "var(--accent)" }),
    ],
  });
}

/** Curves of losses, one over the other. */
/// <reference lib="dom" />
import { formatNumber, svg } from "./dom.ts";

export interface Series {
  /** Its class: `cpu` or `gpu`. */
  name: string;
  /** A loss per step. */
  losses: readonly number[];
}

/** Room around the curves: left, right, top, bottom. */
const [LEFT, RIGHT, TOP, BOTTOM] = [58, 12, 10, 34];

/** Where steps and losses lie in the picture. */
interface Scales {
  width: number;
  height: number;
  /** How many steps the axis has. */
  last: number;
  /** Round losses around all of them. */
  ticks: readonly number[];
  /** Places of a step and of a loss. */
  x: (step: number) => number;
  y: (loss: number) => number;
}

/**
 * Draws curves, later ones above, into an element, at its width, on an axis of so many steps at
 * least.
 */
export function drawCurve(into: HTMLElement, series: readonly Series[], steps: number): void {
  const scales = scalesFor(Math.max(into.clientWidth, 240), series, steps);
  const { width, height, x, y } = scales;
  const lines = series.map(({ name, losses }) => {
    const points = losses.flatMap((loss, i) =>
      Number.isFinite(loss) ? [`${x(i).toFixed(1)},${y(loss).toFixed(1)}`] : []
    );
    return svg("polyline", { class: `curve ${name}`, points: points.join(" ") });
  });
  const size = { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": describe(series) };
  into.replaceChildren(svg("svg", size, ...axes(scales), ...lines));
}

function scalesFor(width: number, series: readonly Series[], steps: number): Scales {
  const height = Math.round(Math.min(Math.max(width * 0.42, 220), 340));
  const all = series.flatMap(({ losses }) => losses).filter(Number.isFinite);
  const low = all.reduce((a, b) => Math.min(a, b), Infinity);
  const high = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const ticks = all.length === 0 ? [] : niceTicks(low, high, 5, "around");
  const [bottom, top] = [Math.min(low, ticks[0] ?? 0), Math.max(high, ticks.at(-1) ?? 1)];
  const last = Math.max(steps, ...series.map(({ losses }) => losses.length));
  return {
    width,
    height,
    last,
    ticks,
    x: (step) => LEFT + (width - LEFT - RIGHT) * step / Math.max(last - 1, 1),
    y: (loss) =>
      TOP + (height - TOP - BOTTOM) * (1 - (loss - bottom) / Math.max(top - bottom, 1e-30)),
  };
}

function axes({ width, height, last, ticks, x, y }: Scales): SVGElement[] {
  const text = (left: number, top: number, anchor: string, value: string) =>
    svg("text", { x: left, y: top, "text-anchor": anchor }, value);
  const middle = (LEFT + width - RIGHT) / 2;
  return [
    ...ticks.flatMap((tick) => [
      svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
      text(LEFT - 8, y(tick) + 4, "end", formatNumber(tick)),
    ]),
    ...niceTicks(0, last, width < 500 ? 4 : 8).map((tick) =>
      text(x(Math.min(tick, last - 1)), height - BOTTOM + 18, "middle", `${tick}`)
    ),
    text(middle, height - 2, "middle", "step"),
  ];
}

function describe(series: readonly Series[]): string {
  const parts = series.filter(({ losses }) => losses.length > 0).map(({ name, losses }) =>
    `${name}: from ${formatNumber(losses[0]!)} to ${formatNumber(losses.at(-1)!)} ` +
    `in ${losses.length} steps`
  );
  return parts.length === 0 ? "No loss yet" : `Loss by step; ${parts.join("; ")}`;
}

/** About so many round numbers, ascending, within a range, or around it. */
export function niceTicks(
  low: number,
  high: number,
  count: number,
  where: "within" | "around" = "within",
): number[] {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => span / s <= count) ?? 10 * power;
  const [down, up] = where === "within" ? [Math.ceil, Math.floor] : [Math.floor, Math.ceil];
  const slack = where === "within" ? 1e-9 : -1e-9;
  const first = down(low / step - slack);
  const last = up(high / step + slack);
  return Array.from({ length: Math.max(last - first + 1, 1) }, (_, i) => {
    const tick = (first + i) * step;
    return Number(tick.toPrecision(12));
  });
}

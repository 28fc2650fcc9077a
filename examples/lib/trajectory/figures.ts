/** The figures of the trajectory report. */
import * as Plot from "@observablehq/plot";
import {
  concat,
  l2Normalize,
  matmul,
  split,
  stack,
  type Tensor,
  transpose,
} from "@cellgrad/cellgrad";
import { pca } from "@cellgrad/cellgrad/data";
import type { Markup } from "../html.ts";
import { typeLook } from "../plots.ts";
import { draw } from "../draw.ts";
import type { Trajectory } from "./cells.ts";

export interface Embedding {
  /** Coordinates of each cell. */
  points: (readonly [number, number])[];
  /** Two orthogonal directions of length 1, which span the plane (2, genes). */
  plane: Tensor;
}

/** Mixtures of two directions that are tried. */
const ANGLES = 24;

/** Cells that have come at least this share of their way stand for their fate. */
const ARRIVED = 0.7;

/**
 * The plane that shows the fates apart: along x the direction in which they differ most, along y the
 * mixture of the next two that keeps the nearest fates farthest apart, as both sides of the first
 * branching branch again, each its own way.
 */
export function embed({ expression, labels, time, fates }: Trajectory): Embedding {
  const last = Math.max(...time);
  const ends = stack(fates.map((_, fate) => {
    const arrived = (cell: number) => labels[cell] === fate && time[cell]! >= ARRIVED * last;
    const cells = Int32Array.from(labels.keys().filter(arrived));
    return expression.gather(cells).mean({ axis: 0 });
  }));
  const components = Math.min(3, fates.length - 1);
  const { components: directions } = pca(ends, { components });
  const [x, y, z = y] = split(directions, components, { axis: 0 }) as [Tensor, Tensor, Tensor?];
  const planes = Array.from({ length: ANGLES }, (_, i) => {
    const angle = Math.PI * i / ANGLES;
    const both = y.mul(Math.cos(angle)).add(z.mul(Math.sin(angle)));
    return concat([x, l2Normalize(both)], { axis: 0 });
  });
  const plane = planes.reduce((a, b) => nearest(ends, b) > nearest(ends, a) ? b : a);
  return { points: rows(matmul(expression, transpose(plane))), plane };
}

/** How near the two nearest fates lie in a plane. */
function nearest(ends: Tensor, plane: Tensor): number {
  const points = rows(matmul(ends, transpose(plane)));
  const distances = points.flatMap(([x, y], i) =>
    points.slice(i + 1).map(([u, v]) => Math.hypot(x - u, y - v))
  );
  return Math.min(...distances);
}

function rows(matrix: Tensor): (readonly [number, number])[] {
  return Array.from(
    { length: matrix.shape[0]! },
    (_, i) => [matrix.data[2 * i]!, matrix.data[2 * i + 1]!] as const,
  );
}

interface Arrow {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** Squares along the longer side of the plane; each holds one arrow. */
const SQUARES = 15;

/** Squares with fewer cells hold no arrow. */
const FEWEST_CELLS = 3;

/** The mean step of the cells in each square, and how long the longest may be drawn. */
function meanArrows({ points }: Embedding, steps: readonly (readonly [number, number])[]): {
  arrows: Arrow[];
  side: number;
} {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, low] = [Math.min(...xs), Math.min(...ys)];
  const side = Math.max(Math.max(...xs) - left, Math.max(...ys) - low) / SQUARES;
  const squares = Map.groupBy(
    points.keys(),
    (cell) => `${Math.floor((xs[cell]! - left) / side)},${Math.floor((ys[cell]! - low) / side)}`,
  );
  const mean = (cells: readonly number[], value: (cell: number) => number) =>
    cells.reduce((sum, cell) => sum + value(cell), 0) / cells.length;
  const arrows = [...squares.values()].filter((cells) => cells.length >= FEWEST_CELLS)
    .map((cells) => {
      const [x1, y1] = [mean(cells, (cell) => xs[cell]!), mean(cells, (cell) => ys[cell]!)];
      const x2 = x1 + mean(cells, (cell) => steps[cell]![0]);
      return { x1, y1, x2, y2: y1 + mean(cells, (cell) => steps[cell]![1]) };
    });
  return { arrows, side };
}

/** Scales arrows so that nearly all are at most two squares long. */
function fitLengths(arrows: readonly Arrow[], side: number): Arrow[] {
  const lengths = arrows.map(({ x1, y1, x2, y2 }) => Math.hypot(x2 - x1, y2 - y1)).sort((a, b) =>
    a - b
  );
  const long = lengths[Math.floor(0.9 * (lengths.length - 1))] ?? 1;
  const factor = 1.6 * side / Math.max(long, 1e-12);
  return arrows.map(({ x1, y1, x2, y2 }) => ({
    x1,
    y1,
    x2: x1 + factor * (x2 - x1),
    y2: y1 + factor * (y2 - y1),
  }));
}

/** Velocities (cells, genes) as arrows over the cells in the plane, coloured by fate. */
export function arrowFigure(embedding: Embedding, velocity: Tensor, labels: Int32Array): Markup {
  const { points, plane } = embedding;
  const { arrows, side } = meanArrows(embedding, rows(matmul(velocity, transpose(plane))));
  return draw({
    width: 360,
    height: 330,
    marginLeft: 40,
    marginBottom: 40,
    x: { label: "what tells the fates apart most", ticks: 5 },
    y: { label: "a mixture of the next two directions", ticks: 5 },
    marks: [
      ...groupsOf(points, labels).map(({ members, color }) =>
        Plot.dot(members, { x: "0", y: "1", r: 2, fill: color, fillOpacity: 0.45 })
      ),
      Plot.arrow(fitLengths(arrows, side), {
        x1: "x1",
        y1: "y1",
        x2: "x2",
        y2: "y2",
        stroke: "var(--text)",
        strokeWidth: 1.4,
        headLength: 6,
      }),
    ],
  });
}

function groupsOf(points: readonly (readonly [number, number])[], labels: ArrayLike<number>) {
  const groups = Map.groupBy(points.keys(), (cell) => labels[cell]!);
  return [...groups].toSorted(([a], [b]) => a - b).map(([label, cells]) => ({
    color: typeLook(label).color,
    members: cells.map((cell) => points[cell]!),
  }));
}

/** How the cosines with the true direction are spread: shares of cells per tenth. */
export function cosineFigure(cosines: readonly number[], color: string): Markup {
  const bins = Array.from({ length: 20 }, (_, i) => ({ from: (i - 10) / 10, share: 0 }));
  for (const cosine of cosines) {
    const bin = Math.max(0, Math.min(19, Math.floor((cosine + 1) * 10)));
    bins[bin]!.share += 1 / cosines.length;
  }
  return draw({
    width: 250,
    height: 170,
    marginLeft: 40,
    marginTop: 24,
    marginBottom: 38,
    x: { domain: [-1, 1], label: "cosine with the true direction →", ticks: 5 },
    y: { domain: [0, 1], label: "share of cells", ticks: 4, grid: true },
    marks: [
      Plot.rectY(bins, {
        x1: "from",
        x2: (bin: { from: number }) => bin.from + 0.1,
        y: "share",
        fill: color,
        inset: 0.5,
      }),
      Plot.ruleY([0]),
    ],
  });
}

/** The cells of a two-dimensional embedding, coloured by a label. */
export function embeddingFigure(embedding: Tensor, labels: ArrayLike<number>): Markup {
  return draw({
    width: 210,
    height: 190,
    marginLeft: 32,
    marginBottom: 24,
    marginTop: 8,
    x: { label: null, ticks: 4 },
    y: { label: null, ticks: 4 },
    marks: groupsOf(rows(embedding), labels).map(({ members, color }) =>
      Plot.dot(members, { x: "0", y: "1", r: 1.8, fill: color, fillOpacity: 0.7 })
    ),
  });
}

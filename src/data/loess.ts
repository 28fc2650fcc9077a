/**
 * Local regression of one variable on another.
 *
 * @module
 */
import { decomposeSingular } from "../../kernels/linalg/svd.ts";

/** How many points of the neighbourhood a cell between vertices may have. */
const CELL = 0.2;

/** How much further than the points the vertices reach. */
const MARGIN = 0.005;

/** A value and a slope of the regression at a place. */
interface Vertex {
  at: number;
  value: number;
  slope: number;
}

/** The points in ascending order, and how many are neighbours. */
interface Points {
  x: Float64Array;
  y: Float64Array;
  neighbours: number;
}

/**
 * Fitted values of local quadratic regression (Cleveland and Grosse 1991,
 * https://doi.org/10.1007/BF01890836), as `loess` of scikit-misc and of netlib's dloess fit them: by
 * least squares with tricube weights at a few vertices, which halve the points until at most a fifth
 * of a neighbourhood lies between two, and by cubic Hermite blending in between.
 *
 * @param x Where the points lie.
 * @param y Their values.
 * @param span The share of the points in a neighbourhood.
 * @returns The fitted values; `undefined` where all neighbours of a vertex lie in one place.
 */
export function loess(x: Float64Array, y: Float64Array, span: number): Float64Array | undefined {
  const n = x.length;
  const order = Int32Array.from(x.keys()).sort((i, j) => x[i]! - x[j]!);
  const points: Points = {
    x: Float64Array.from(order, (i) => x[i]!),
    y: Float64Array.from(order, (i) => y[i]!),
    neighbours: Math.min(n, Math.floor(n * span + 1e-5)),
  };
  const places = verticesOf(points.x, Math.floor(n * (span * CELL)));
  const vertices = places.map((at) => fitAt(points, at));
  if (vertices.includes(undefined)) return undefined;
  return x.map((z) => blend(vertices as Vertex[], z));
}

/** The vertices: around all points, and wherever more than `most` points lie between two. */
function verticesOf(x: Float64Array, most: number): number[] {
  const last = x.length - 1;
  const size = Math.max(Math.abs(x[0]!), Math.abs(x[last]!));
  const margin = MARGIN * Math.max(x[last]! - x[0]!, 1e-10 * size + 1e-30);
  const vertices = [x[0]! - margin, x[last]! + margin];
  const divide = (first: number, end: number, low: number, high: number): void => {
    if (end - first + 1 <= most || high <= low) return;
    const middle = cutAmong(x, first, end);
    const cut = x[middle]!;
    if (cut === low || cut === high) return;
    vertices.push(cut);
    divide(first, middle, low, cut);
    divide(middle + 1, end, cut, high);
  };
  divide(0, last, vertices[0]!, vertices[1]!);
  return vertices.sort((a, b) => a - b);
}

/** The place nearest to the middle of points after which they are others. */
function cutAmong(x: Float64Array, first: number, last: number): number {
  const middle = Math.floor((first + last) / 2);
  for (let away = 0;;) {
    const at = middle + away;
    if (at >= last || at < first) return middle;
    if (x[at] !== x[at + 1]) return at;
    away = away > 0 ? -away : 1 - away;
  }
}

/** The regression at a place; `undefined` where no neighbour lies between it and the last of them. */
function fitAt(points: Points, at: number): Vertex | undefined {
  const { x, y, neighbours } = points;
  const first = firstNeighbour(x, at, neighbours);
  const radius = Math.max(Math.abs(x[first]! - at), Math.abs(x[first + neighbours - 1]! - at));
  if (radius === 0) return undefined;
  const design = new Float64Array(3 * neighbours);
  const target = new Float64Array(neighbours);
  const scale = [0, 0, 0];
  for (let i = 0; i < neighbours; i++) {
    const away = x[first + i]! - at;
    const weight = Math.sqrt((1 - Math.abs(away / radius) ** 3) ** 3);
    target[i] = weight * y[first + i]!;
    for (let j = 0, entry = weight; j < 3; j++, entry *= away) {
      design[3 * i + j] = entry;
      scale[j]! += entry * entry;
    }
  }
  if (scale[0] === 0) return undefined;
  const lengths = scale.map((sum) => sum > 0 ? Math.sqrt(sum) : 1);
  design.forEach((entry, k) => design[k] = entry / lengths[k % 3]!);
  const [value, slope] = leastSquares(design, target, neighbours);
  return { at, value: value! / lengths[0]!, slope: slope! / lengths[1]! };
}

/** The solution of least length of three equilibrated columns. */
function leastSquares(design: Float64Array, target: Float64Array, rows: number): number[] {
  const { u, s, vt } = decomposeSingular(design, rows, 3);
  const solution = [0, 0, 0];
  for (let k = 0; k < 3; k++) {
    if (!(s[k]! > s[0]! * 100 * Number.EPSILON)) continue;
    let along = 0;
    for (let i = 0; i < rows; i++) along += u[3 * i + k]! * target[i]!;
    for (let j = 0; j < 3; j++) solution[j]! += vt[3 * k + j]! * along / s[k]!;
  }
  return solution;
}

/** The first of the points that lie nearest to a place. */
function firstNeighbour(x: Float64Array, at: number, neighbours: number): number {
  let first = 0;
  while (
    first + neighbours < x.length &&
    Math.abs(x[first + neighbours]! - at) < Math.abs(x[first]! - at)
  ) first++;
  return first;
}

/** The value between two vertices. */
function blend(vertices: readonly Vertex[], z: number): number {
  let right = 1;
  while (right + 1 < vertices.length && z > vertices[right]!.at) right++;
  const [a, b] = [vertices[right - 1]!, vertices[right]!];
  const width = b.at - a.at;
  const h = (z - a.at) / width;
  const rest = 1 - h;
  return rest * rest * (1 + 2 * h) * a.value + h * h * (3 - 2 * h) * b.value +
    (h * rest * rest * a.slope - h * h * rest * b.slope) * width;
}

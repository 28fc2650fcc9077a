/**
 * Distances between all pairs of rows.
 *
 * @module
 */
import type { Composite, RowBlocks } from "../op.ts";
import { checkOptions } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { abs, div, mul, neg, pow, sign, square, sub } from "./arithmetic.ts";
import { PAIRWISE_DISTANCE } from "./checks.ts";
import { equal, greater, less, where } from "./compare.ts";
import { sqrt } from "./exponential.ts";
import { stopGradient } from "./gradient.ts";
import { cast, expandDims } from "./layout.ts";
import { pairwiseSquaredDistance, rowPairs } from "./linalg.ts";
import { logicalAnd } from "./logical.ts";
import { max, sum } from "./reduce.ts";
import { runBlocks } from "./row_blocks.ts";

/** Options of {@linkcode pairwiseDistance}. */
export interface PairwiseDistanceOptions {
  /** The order of the norm, at least 1, or `Infinity`; 2 by default. */
  p?: number | undefined;
  /** Whether distances are squared; `false` by default. */
  squared?: boolean | undefined;
}

/**
 * Distances between all pairs of rows: `D_ij = (Σ_k |x_ik − y_jk|^p)^(1/p)`, and `max_k |x_ik − y_jk|`
 * for p = ∞, from the differences themselves: exact far from the origin, and 0 between equal rows.
 *
 * The gradient is 0 between equal rows, and for p = 1 where two numbers are equal. Several largest
 * differences share the gradient for p = ∞. Derivatives of any order are finite; beyond the order p
 * those at equal numbers are 0, where there are none.
 *
 * Distances for p = 2 have the accuracy of {@linkcode pairwiseSquaredDistance}, whose roots they are:
 * in `float32`, distances below 1e-19 are 0, and those above 1e19 are ∞. For other p neither happens,
 * and memory is that of the result and of a block of rows; gradients compute each block once more.
 *
 * @param x (n, d)
 * @param y (m, d); `x` itself by default.
 * @param options `p`, 2 by default; `squared`, `false`.
 * @returns (n, m), at least 0, in units of the data, or squared.
 * @throws {TypeError} If the arguments are not matrices with the same number of columns, or an option
 * does not exist.
 * @throws {RangeError} If `p` is below 1.
 *
 * @example Euclid's distance, along streets, and of a king
 * ```ts
 * import { pairwiseDistance } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [x, y] = [[[0, 0]], [[3, 4], [0, 0]]];
 * assertEquals(pairwiseDistance(x, y).toArray(), [[5, 0]]);
 * assertEquals(pairwiseDistance(x, y, { p: 1 }).toArray(), [[7, 0]]);
 * assertEquals(pairwiseDistance(x, y, { p: Infinity, squared: true }).toArray(), [[16, 0]]);
 * ```
 */
export function pairwiseDistance(
  x: TensorLike,
  y: TensorLike = x,
  options: PairwiseDistanceOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("pairwiseDistance", PAIRWISE_DISTANCE, 2, arguments);
  const { p = 2, squared = false } = options;
  const [a, b] = rowPairs("pairwiseDistance", x, y);
  if (p === 2 || a.shape[1] === 0) {
    const squares = pairwiseSquaredDistance(a, b);
    return squared ? squares : rootOf(squares);
  }
  const distances = p === 1 || p === Infinity ? sums(p, a, b) : rooted(p, a, b);
  return squared ? square(distances) : distances;
}

/** Square roots, with gradient 0 where they are 0. */
export function rootOf(squares: Tensor): Tensor {
  const same = equal(squares, 0);
  return where(same, 0, sqrt(where(same, 1, squares)));
}

/** In units of each pair's largest difference, so that no power overflows or vanishes. */
function rooted(p: number, x: Tensor, y: Tensor): Tensor {
  const largest = sums(Infinity, stopGradient(x), stopGradient(y));
  const scale = where(logicalAnd(greater(largest, 0), less(largest, Infinity)), largest, 1);
  const powers = sums(p, x, y, { scale });
  const same = equal(powers, 0);
  return where(same, 0, mul(scale, pow(where(same, 1, powers), 1 / p)));
}

/** What has one value per pair, per entry of x, or per entry of y. */
type Place = "pairs" | "rows" | "columns";

/** Tensors by what they have a value for, and what differences are divided by. */
type Factors = Partial<Record<Place | "scale", Tensor>>;

/** The axis that results do not have, of pairs and their differences: (n, m, d). */
const AXES = { scale: 2, pairs: 2, rows: 1, columns: 0 } as const;

/** Factors that are cut into blocks with the rows of x, in their order among the inputs. */
const CUT = ["scale", "pairs", "rows"] as const;

interface SumParams {
  readonly p: number;
  /** Which derivative of the power is summed up. */
  readonly order: number;
  /** What each result is for. */
  readonly by: Place;
  readonly given: readonly (Place | "scale")[];
}

/** How many differences one block has: 4 MiB in float64. */
const LARGEST = 1 << 19;

/** Sums of powers of differences, times factors: what is differentiated is a sum of the same kind. */
function sums(
  p: number,
  x: Tensor,
  y: Tensor,
  factors: Factors = {},
  order = 0,
  by: Place = "pairs",
): Tensor {
  const rowInputs = [x, ...CUT.flatMap((name) => factors[name] ?? [])];
  const inputs = [...rowInputs, y, ...factors.columns === undefined ? [] : [factors.columns]];
  const given = [...CUT, "columns" as const].filter((name) => factors[name] !== undefined);
  const params = { p, order, by, given };
  const height = Math.max(1, Math.floor(LARGEST / Math.max(1, y.size)));
  if (x.shape[0]! <= height) return apply(sumsOp, inputs, params);
  const blocks: RowBlocks = {
    f: (block, shared) => [sumsAtOnce([...block, ...shared], params)],
    combine: [by === "columns" ? "sum" : "concat"],
    rowInputs: rowInputs.length,
    height,
  };
  const compose = (live: readonly Tensor[]) => runBlocks(blocks, live)[0]!;
  return apply({ ...sumsOp, blocks, compose }, inputs, params);
}

const sumsOp: Composite<SumParams> = {
  name: "pairwiseDistance",
  compose: sumsAtOnce,
  vjp(g, _sums, inputs, { p, order, by, given }, wanted) {
    const { x, y, factors } = readInputs(inputs, given);
    const all: Factors = { ...factors, [by]: g };
    const slope = (place: "rows" | "columns") => {
      if (isFlat(p, order + 1)) return null;
      const { [place]: own, ...rest } = all;
      const slopes = sums(p, x, y, perUnit(rest), order + 1, place);
      return own === undefined ? slopes : mul(slopes, own);
    };
    const among = (name: Place) => {
      const { [name]: _own, ...rest } = all;
      return sums(p, x, y, rest, order, name);
    };
    const names = ["x", ...given.filter((name) => name !== "columns"), "y", "columns"];
    return inputs.map((_, i) => {
      if (!wanted[i] || names[i] === "scale") return null;
      if (names[i] === "x") return slope("rows");
      if (names[i] !== "y") return among(names[i] as Place);
      const pulled = slope("columns");
      return pulled && neg(pulled);
    });
  },
};

function readInputs(
  inputs: readonly Tensor[],
  given: SumParams["given"],
): { x: Tensor; y: Tensor; factors: Factors } {
  const [x, ...rest] = inputs as [Tensor, ...Tensor[]];
  const [y] = rest.splice(given.filter((name) => name !== "columns").length, 1);
  return { x, y: y!, factors: Object.fromEntries(given.map((name, i) => [name, rest[i]!])) };
}

/** Factors of a derivative by what is divided by a scale. */
function perUnit(factors: Factors): Factors {
  const { scale, pairs } = factors;
  return scale === undefined ? factors : { ...factors, pairs: div(pairs ?? 1, scale) };
}

/** Whether a derivative of the power is 0 wherever there is one. */
function isFlat(p: number, order: number): boolean {
  return p === Infinity ? order > 1 : Number.isInteger(p) && order > p;
}

function sumsAtOnce(inputs: readonly Tensor[], { p, order, by, given }: SumParams): Tensor {
  const { x, y, factors: { scale, ...others } } = readInputs(inputs, given);
  const differences = sub(expandDims(x, 1), y);
  const scaled = scale === undefined ? differences : div(differences, expandDims(scale, 2));
  if (p === Infinity && order === 0) return max(abs(scaled), { axis: 2 });
  const terms = Object.entries(others).reduce(
    (product, [name, factor]) => mul(product, expandDims(factor, AXES[name as Place])),
    p === Infinity ? largestShares(scaled) : powers(scaled, p, order),
  );
  return sum(terms, { axis: AXES[by] });
}

/** A derivative of `|u|^p`, 0 where there is none. */
function powers(u: Tensor, p: number, order: number): Tensor {
  const [size, exponent, factor] = [abs(u), p - order, factorOf(p, order)];
  const none = equal(size, 0);
  const power = exponent === 1
    ? size
    : where(none, exponent === 0 ? 1 : 0, pow(where(none, 1, size), exponent));
  const signed = order % 2 === 0 ? power : exponent === 0 ? sign(u) : mul(sign(u), power);
  return factor === 1 ? signed : mul(signed, factor);
}

/** `p (p − 1) … (p − order + 1)` */
function factorOf(p: number, order: number): number {
  return Array.from({ length: order }, (_, i) => p - i).reduce((a, b) => a * b, 1);
}

/** The derivative of the largest size: the signs of those that have it, shared evenly. */
function largestShares(u: Tensor): Tensor {
  const size = abs(u);
  const isLargest = cast(equal(size, max(size, { axis: 2, keepDims: true })), u.dtype);
  return mul(sign(u), div(isLargest, sum(isLargest, { axis: 2, keepDims: true })));
}

/**
 * Two clouds of points and what each point counts, as distances between distributions share them.
 *
 * @module
 */
import { div, square, sub, sum } from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { full } from "../create.ts";
import { checkAxes } from "../options.ts";
import { checkRangeOp } from "../ranges.ts";
import { formatShape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { type CellArguments, readCellWeights } from "./cells.ts";

/** What each point of two clouds counts. */
export interface CloudWeights {
  /** What each point of x counts, (n), at least 0; divided by their sum; all the same by default. */
  weightsX?: TensorLike | undefined;
  /** The same for y, (m). */
  weightsY?: TensorLike | undefined;
}

/** The options of {@linkcode CloudWeights}, none of which is given. */
export const UNWEIGHTED = { weightsX: undefined, weightsY: undefined } as const;

/**
 * Two matrices with the same number of columns, in the stronger of their floating types.
 *
 * @param caller The function's name, for messages.
 * @param x (n, d)
 * @param y (m, d)
 * @param least How many rows each must have; 1 by default.
 * @returns Both.
 * @throws {TypeError} If one is no matrix or has too few rows, or their columns differ.
 */
export function readPoints(
  caller: string,
  x: TensorLike,
  y: TensorLike,
  least = 1,
): [Tensor, Tensor] {
  const [a, b] = promoteAll(caller, { x, y }).map(floating) as [Tensor, Tensor];
  checkAxes(caller, "x", a, ["points", "features"]);
  checkAxes(caller, "y", b, ["points", a.shape[1]!]);
  checkRows(caller, { x: a, y: b }, least);
  return [a, b];
}

/** Throws a `TypeError` unless matrices have so many rows. */
export function checkRows(
  caller: string,
  matrices: Readonly<Record<string, Tensor>>,
  least: number,
): void {
  for (const [name, { shape }] of Object.entries(matrices)) {
    if (shape[0]! >= least) continue;
    throw new TypeError(
      `Cannot compute ${caller} as ${name} must hold at least ${least} ` +
        `${least === 1 ? "point" : "points"}: current shape is ${formatShape(shape)}`,
    );
  }
}

/**
 * What each point counts: shares that sum to 1, or the weights as they are.
 *
 * @param caller The function's name, for messages.
 * @param points The matrix, by its name.
 * @param weights The weights by the option's name; `undefined` for 1 / n each.
 * @param normalise Whether they are divided by their sum.
 * @returns (n)
 * @throws {TypeError} If there is not one weight per point.
 * @throws {RangeError} If one is negative, or all are 0.
 */
export function readMasses(
  caller: string,
  points: CellArguments,
  weights: Readonly<Record<string, TensorLike | undefined>>,
  normalise = true,
): Tensor {
  const [[name], [{ shape, dtype }]] = [Object.keys(weights), Object.values(points)] as [
    [string],
    [Tensor],
  ];
  const given = readCellWeights(caller, points, weights);
  if (given === null) return full([shape[0]!], 1 / shape[0]!, { dtype });
  const total = sum(given);
  apply(checkRangeOp, [total], {
    caller,
    must: `${name} must have a finite sum above 0`,
    low: LEAST_SUM,
    high: Number.MAX_VALUE,
    what: "sum of row",
  });
  return normalise ? div(given, total) : given;
}

/** The least sum of weights, which is a normal number in all types. */
const LEAST_SUM = 2 ** -126;

/**
 * How much of two points that shares draw are different ones: `1 − Σ w²`.
 *
 * @param caller The function's name, for messages.
 * @param shares (n), which sum to 1.
 * @param name The option that they came from.
 * @returns A scalar above 0.
 * @throws {RangeError} If one point has all of it.
 */
export function othersOf(caller: string, shares: Tensor, name: string): Tensor {
  const others = sub(1, sum(square(shares)));
  apply(checkRangeOp, [others], {
    caller,
    must: `${name} must be above 0 for two points at least, so that 1 − Σ w² is above 0`,
    low: LEAST_SUM,
    high: 1,
    what: "value of row",
  });
  return others;
}

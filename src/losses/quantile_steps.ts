/**
 * The steps on which the quantiles of two samples are constant.
 *
 * @module
 */
import {
  abs,
  argSort,
  cast,
  concat,
  cumsum,
  gather,
  less,
  lessEqual,
  minimum,
  mul,
  slice,
  sort,
  stopGradient,
  sub,
  takeAlongAxis,
  where,
} from "../ops/mod.ts";
import { arange, zeros } from "../create.ts";
import { cumsumOp } from "../ops/cumulative.ts";
import { expandDims } from "../ops/layout.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { apply } from "../trace.ts";

/** How far two quantiles are apart, step by step: of samples in columns. */
export interface QuantileSteps {
  /** (steps, columns) */
  readonly gaps: Tensor;
  /** The share of each step, (steps, columns) or (steps, 1). */
  readonly widths: Tensor;
}

/** The steps of samples of which all points count the same. */
export function equalSteps(x: Tensor, y: Tensor): QuantileSteps {
  const [n, m] = [x.shape[0]!, y.shape[0]!];
  const [ofX, ofY, widths]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0, j = 0, at = 0; i < n;) {
    // In units of 1 / (n m), which are whole numbers.
    const end = Math.min((i + 1) * m, (j + 1) * n);
    ofX.push(i);
    ofY.push(j);
    widths.push((end - at) / (n * m));
    if (end === (i + 1) * m) i++;
    if (end === (j + 1) * n) j++;
    at = end;
  }
  const quantiles = (samples: Tensor, at: number[]) =>
    gather(sort(samples, { axis: 0 }), Int32Array.from(at));
  return {
    gaps: abs(sub(quantiles(x, ofX), quantiles(y, ofY))),
    widths: tensor(widths, { shape: [widths.length, 1], dtype: x.dtype }),
  };
}

/** The steps of samples whose points count by shares, (n) and (m), that sum to 1. */
export function weightedSteps(
  x: Tensor,
  y: Tensor,
  sharesX: Tensor,
  sharesY: Tensor,
): QuantileSteps {
  const [a, b] = [inOrder(x, sharesX), inOrder(y, sharesY)];
  const ends = concat([a.ends, b.ends]);
  const [n, steps] = [x.shape[0]!, ends.shape[0]!];
  const order = argSort(ends, { axis: 0 });
  const reached = takeAlongAxis(ends, order, { axis: 0 });
  const start = zeros([1, x.shape[1]!], { dtype: x.dtype });
  const widths = sub(reached, concat([start, slice(reached, 0, steps - 1)]));
  const isOfX = cast(less(order, n), "int32");
  const along = { axis: 0, reverse: false };
  const pastX = sub(apply(cumsumOp, [isOfX], along), isOfX);
  const pastY = sub(expandDims(arange(steps, { dtype: "int32" }), 1), pastX);
  // The last ends may differ in their last digits.
  const valueOf = ({ values }: { values: Tensor }, past: Tensor) =>
    takeAlongAxis(values, minimum(past, values.shape[0]! - 1), { axis: 0 });
  const gaps = abs(sub(valueOf(a, pastX), valueOf(b, pastY)));
  // Ends that are the same but for the rounding of sums have no step between them.
  const rounding = x.dtype === "float32" ? 2 ** -21 : steps * 2 ** -52;
  const isNone = lessEqual(widths, mul(stopGradient(reached), rounding));
  return { gaps: where(isNone, 0, gaps), widths };
}

/** The points of each column in order, and the share of all up to each of them. */
function inOrder(x: Tensor, shares: Tensor): { values: Tensor; ends: Tensor } {
  const order = argSort(x, { axis: 0 });
  return {
    values: takeAlongAxis(x, order, { axis: 0 }),
    ends: cumsum(gather(shares, order), { axis: 0 }),
  };
}

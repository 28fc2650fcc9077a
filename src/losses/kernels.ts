/**
 * Kernels between cells, and their means over batches, without room for all pairs at once.
 *
 * @module
 */
import type { Composite } from "../op.ts";
import {
  add,
  div,
  equal,
  exp,
  matmul,
  mul,
  neg,
  pairwiseSquaredDistance,
  square,
  sub,
  sum,
  transpose,
  where,
} from "../ops/mod.ts";
import { rootOf } from "../ops/pairwise_distance.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { vjp } from "../transforms/grad.ts";
import { fitsAtOnce, mapCells } from "./cells.ts";

/** Kernels by their names, and the widths over which they are averaged. */
export interface Kernel {
  /** What is computed from a distance. */
  readonly name: "rbf" | "laplacian" | "energy" | "rationalQuadratic";
  /** The widths, which `"energy"` does not have. */
  readonly widths: readonly number[];
}

/** A kernel of all pairs of some cells with others. */
export function kernelOf({ name, widths }: Kernel, rows: Tensor, cells: Tensor): Tensor {
  const squared = pairwiseSquaredDistance(rows, cells);
  if (name === "energy") return neg(rootOf(squared));
  const kernels = name === "rationalQuadratic"
    ? widths.map((width) => div(1, add(mul(squared, 0.5 / width ** 2), 1)))
    : exponentials(name, squared, widths);
  return div(kernels.reduce((a, b) => add(a, b)), widths.length);
}

/** The most squarings in a row, so that 16 roundings are the worst. */
const MOST_SQUARINGS = 4;

/**
 * `exp(−squared / 2w²)`, or `exp(−√squared / w)`, for every width. That of half a width is its fourth
 * power, or its square, which costs far less than another exponential.
 */
function exponentials(
  name: "rbf" | "laplacian",
  squared: Tensor,
  widths: readonly number[],
): Tensor[] {
  const [lengths, squarings] = name === "rbf" ? [squared, 2] : [rootOf(squared), 1];
  const known = new Map<number, { kernel: Tensor; squared: number }>();
  for (const width of widths.toSorted((a, b) => b - a)) {
    const wider = known.get(2 * width);
    if (wider !== undefined && wider.squared + squarings <= MOST_SQUARINGS) {
      const once = square(wider.kernel);
      const kernel = squarings === 1 ? once : square(once);
      known.set(width, { kernel, squared: wider.squared + squarings });
    } else {
      const factor = name === "rbf" ? -0.5 / width ** 2 : -1 / width;
      known.set(width, { kernel: exp(mul(lengths, factor)), squared: 0 });
    }
  }
  return widths.map((width) => known.get(width)!.kernel);
}

/**
 * The mean kernel of each row with the cells of each batch.
 *
 * @param x (n, d)
 * @param cells (m, d)
 * @param shares (m, batches): what each cell counts in the mean of each batch.
 * @param kernel The kernel.
 * @param largest That of {@linkcode mapCells}.
 * @returns (n, batches)
 */
export function kernelMeans(
  x: Tensor,
  cells: Tensor,
  shares: Tensor,
  kernel: Kernel,
  largest?: number,
): Tensor {
  const meansOf = ([rows]: [Tensor], [cells, members]: [Tensor, Tensor]) =>
    weightedSums(kernelOf(kernel, rows, cells), members);
  return mapCells(meansOf, [x], [cells, shares], cells.shape[0]!, largest);
}

/** Products with a matrix; those with a single column join the loop that makes the values. */
function weightedSums(values: Tensor, shares: Tensor): Tensor {
  return shares.shape[1] === 1
    ? sum(mul(values, transpose(shares)), { axis: 1, keepDims: true })
    : matmul(values, shares);
}

/**
 * The mean kernel of each pair of batches.
 *
 * @param x (n, d)
 * @param shares (n, batches): what each cell counts in the mean of each batch.
 * @param kernel The kernel.
 * @param largest That of {@linkcode mapCells}.
 * @returns (batches, batches)
 */
export function batchMeans(x: Tensor, shares: Tensor, kernel: Kernel, largest?: number): Tensor {
  const n = x.shape[0]!;
  const params = { kernel, largest };
  // To take roots again costs less than to add a matrix of gradients to its transpose.
  return kernel.name !== "energy" && fitsAtOnce(n, n, largest)
    ? pairMeans(x, shares, params)
    : apply(batchMeansOp, [x, shares], params);
}

/**
 * Mean kernels of batches with themselves as means over pairs of different cells. A cell that is alone
 * keeps that with itself.
 *
 * @param own (batches): the means over all pairs.
 * @param shares (n, batches): what each cell counts in the mean of each batch.
 * @param kernel The kernel.
 * @returns (batches)
 */
export function withoutSelf(own: Tensor, shares: Tensor, { name }: Kernel): Tensor {
  const self = sum(square(shares), { axis: 0 });
  const alone = equal(self, 1);
  const others = name === "energy" ? own : sub(own, self);
  return where(alone, own, div(others, where(alone, 1, sub(1, self))));
}

interface BatchMeansParams {
  kernel: Kernel;
  largest: number | undefined;
}

/**
 * Where blocks are computed again for the gradient. A cell is a row and a column, and as kernels are
 * symmetric, the gradient is that of the rows for both places: half the work.
 */
const batchMeansOp: Composite<BatchMeansParams> = {
  name: "batchMeans",
  compose: ([x, shares], params) => pairMeans(x!, shares!, params),
  vjp(g, _means, inputs, { kernel, largest }, wanted) {
    const [x, shares] = inputs as [Tensor, Tensor];
    const bothWays = add(g, transpose(g));
    const pullRows = (
      [rows, cotangents]: [Tensor, Tensor],
      [cells, members]: [Tensor, Tensor],
    ) => {
      const meansOf = (own: Tensor) => weightedSums(kernelOf(kernel, own, cells), members);
      return vjp(meansOf, rows)[1](cotangents)[0];
    };
    return [
      mapCells(pullRows, [x, matmul(shares, bothWays)], [x, shares], x.shape[0]!, largest),
      wanted[1] ? matmul(kernelMeans(x, x, shares, kernel, largest), bothWays) : null,
    ];
  },
};

/** The mean kernel of each pair of batches, whole or in blocks. */
function pairMeans(x: Tensor, shares: Tensor, { kernel, largest }: BatchMeansParams): Tensor {
  return matmul(transpose(shares), kernelMeans(x, x, shares, kernel, largest));
}

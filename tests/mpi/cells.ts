/**
 * The cells and the small network that scenarios train, and how near results must be.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Tensor, tensor, treeLeaves } from "../../mod.ts";
import { key, normal } from "../../src/random.ts";

/** For random numbers that gradients are checked with. */
export const float64: { dtype: "float64" } = { dtype: "float64" };

/** Cells of three batches; their number is no multiple of 2, 3 or 4. */
export const CELLS: { cells: Tensor; batches: Tensor } = {
  cells: normal(key(1), [23, 6], float64),
  batches: tensor(Int32Array.from({ length: 23 }, (_, i) => i * i % 3)),
};

/** The parameters of an embedding, to start from. */
export const PARAMS: { weight: Tensor; bias: Tensor } = {
  weight: normal(key(2), [6, 4], float64),
  bias: normal(key(3), [4], float64),
};

/** The parameters' type. */
export type Params = typeof PARAMS;
/** Some of the cells. */
export type Share = typeof CELLS;

/** The embeddings of cells. */
export function embed({ weight, bias }: Params, cells: Tensor): Tensor {
  return cells.matmul(weight).add(bias).tanh();
}

/** Throws unless all numbers agree to a share of the largest, and returns how far they are apart. */
export function assertNear(actual: unknown, expected: unknown, tolerance: number): number {
  const [found, wanted] = [treeLeaves(actual), treeLeaves(expected)];
  assertEquals(found.map((x) => x.shape), wanted.map((x) => x.shape));
  let worst = 0;
  found.forEach(({ data }, i) => {
    const other = wanted[i]!.data;
    const scale = Math.max(1, ...Array.from(other, Math.abs));
    data.forEach((v: number, at: number) => {
      worst = Math.max(worst, Math.abs(v - other[at]!) / scale);
    });
  });
  assert(
    worst <= tolerance,
    `the numbers differ by ${worst} of the largest: more than ${tolerance}`,
  );
  return worst;
}

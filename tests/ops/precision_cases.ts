/** Rows that sums of squares in single precision would lose, and what is computed of them. */
import * as cg from "../../mod.ts";

type Tensor = cg.Tensor;

/** Results of a tensor of rows, each with the gradient of one of them. */
export interface PrecisionCase {
  name: string;
  f: (x: Tensor) => Tensor[];
  x: Tensor;
}

const FUNCTIONS: Record<string, (x: Tensor, axis: number) => Tensor> = {
  mean: (x, axis) => cg.mean(x, { axis }),
  norm: (x, axis) => cg.norm(x, { axis }),
  l2Normalize: (x, axis) => cg.l2Normalize(x, { axis, epsilon: 1e-37 }),
  std: (x, axis) => cg.std(x, { axis }),
  variance: (x, axis) => cg.variance(x, { axis }),
  layerNorm: (x, axis) => cg.layerNorm(x, { axis }),
};

const row = (scale: number, shift: number) =>
  Array.from({ length: 60 }, (_, i) => shift + scale * ((i * 37) % 60 - 23.7) / 30);

const SIZES: readonly (readonly [name: string, scale: number, shift: number])[] = [
  ["ordinary numbers", 1, 0.3],
  ["large numbers", 1e25, 0],
  ["the largest numbers", 1.5e38, 1e38],
  ["small numbers", 1e-25, 0],
  ["numbers far from the origin", 400, 1e8],
  ["numbers that differ in their last digits", 30, 1e8],
];

/** Variances that are out of the type's range, and lengths, have no digits to be compared. */
const OUT_OF_RANGE = ["variance of large", "variance of the largest", "variance of small"];

/** All of these. */
export const PRECISION_CASES: readonly PrecisionCase[] = SIZES.flatMap(([size, scale, shift]) =>
  Object.entries(FUNCTIONS).flatMap(([name, f]) => {
    const title = `${name} of ${size}`;
    if (OUT_OF_RANGE.some((start) => title.startsWith(start))) return [];
    if (title === "norm of the largest numbers") return [];
    if (title === "l2Normalize of the largest numbers") return [];
    const rows = cg.tensor([row(scale, shift), row(scale, shift).toReversed()]);
    return [{ name: title, f: (x: Tensor) => [f(x, 1), f(x.transpose(), 0)], x: rows }];
  })
);

/** The largest difference, as a share of the largest value. */
export function worstError(found: Tensor, exact: Tensor): number {
  const largest = Math.max(...Array.from(exact.data, Math.abs));
  const errors = Array.from(exact.data, (v, i) => Math.abs(found.data[i]! - v) / largest);
  return errors.reduce((a, b) => a > b || a !== a ? a : b, 0);
}

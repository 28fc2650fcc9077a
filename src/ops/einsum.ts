/**
 * Sums of products over any axes.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkWholes, refuseMore } from "../options.ts";
import { formatShape, normalizeAxis } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { contract, contractAll } from "./contract.ts";
import { floating, promoteAll } from "./elementwise.ts";
import { readSubscripts } from "./subscripts.ts";

/**
 * Einstein's summation: products of the operands' values, added up over the letters that the result
 * does not name. A letter that one operand has twice walks along its diagonal; `...` stands for any
 * axes, which broadcast; extents of 1 broadcast. Without `->`, the result has the axes of `...` and
 * then the letters that are there once, in the order of the alphabet, capitals first.
 *
 * Two operands at a time are multiplied as matrices, in the order that takes the fewest
 * multiplications; from eight operands on, the cheapest pairs are taken first.
 *
 * @param subscripts A letter for each axis of each operand, with commas between the operands, and
 * those of the result behind `->`. Spaces do not count.
 * @param operands The tensors; integers become `float32`.
 * @returns The sums.
 * @throws {TypeError} If the subscripts do not fit the operands, or extents of one letter differ.
 *
 * @example A product of matrices, a trace, an outer product
 * ```ts
 * import { einsum } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]];
 * assertEquals(einsum("ij,jk->ik", a, b).toArray(), [[19, 22], [43, 50]]);
 * assertEquals(einsum("ii", a).item(), 5);
 * assertEquals(einsum("i,j->ij", [1, 2], [3, 4]).toArray(), [[3, 4], [6, 8]]);
 * ```
 *
 * @example Attention scores of each head
 * ```ts
 * import { einsum, ones } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [queries, keys] = [ones([2, 5, 4, 8]), ones([2, 6, 4, 8])];
 * assertEquals(einsum("bqhd,bkhd->bhqk", queries, keys).shape, [2, 4, 5, 6]);
 * ```
 */
export function einsum(subscripts: string, ...operands: TensorLike[]): Tensor {
  if (operands.length === 0) {
    throw new TypeError(
      `Cannot compute einsum as there are no operands: current value of subscripts is ` +
        describe(subscripts),
    );
  }
  const named = Object.fromEntries(operands.map((x, i) => [`operand ${i}`, x]));
  const tensors = promoteAll("einsum", named).map(floating);
  const { inputs, output, extents } = readSubscripts(subscripts, tensors.map((x) => x.shape));
  const labelled = tensors.map((tensor, i) => ({ tensor, labels: inputs[i]! }));
  return contractAll(labelled, output, extents);
}

/** Axes that are summed over: the last of a and the first of b, so many; or those of each. */
export type ContractedAxes =
  | number
  | readonly [a: number | readonly number[], b: number | readonly number[]];

/**
 * Products of two tensors, added up over some axes of the one and as many of the other.
 *
 * @param a Any shape.
 * @param b Any shape.
 * @param axes How many: the last of `a`, with the first of `b`; or `[of a, of b]`, each an axis or a
 * list of them, which are paired in their order.
 * @returns The other axes of `a`, followed by those of `b`; integers become `float32`.
 * @throws {TypeError} If `axes` is of another kind, or extents that are paired differ.
 * @throws {RangeError} If an axis does not exist, or is named twice.
 *
 * @example Two axes at once
 * ```ts
 * import { ones, tensordot } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [ones([2, 3, 4]), ones([4, 3, 5])];
 * assertEquals(tensordot(a, b, [[1, 2], [1, 0]]).shape, [2, 5]);
 * assertEquals(tensordot(a, b, 1).shape, [2, 3, 3, 5]);
 * ```
 */
export function tensordot(a: TensorLike, b: TensorLike, axes: ContractedAxes): Tensor {
  if (arguments.length > 3) refuseMore("tensordot", "axes", 3, arguments);
  const [x, y] = promoteAll("tensordot", { a, b }).map(floating) as [Tensor, Tensor];
  const [left, right] = pairedAxes(axes, x, y);
  return sumPairs("tensordot", x, y, left, right);
}

/**
 * Product of two tensors as NumPy's `dot`: of vectors, the sum of the products; of matrices, the
 * matrix product; with a number, all values multiplied. Else the last axis of `a` meets the one before
 * the last of `b`, or its only one.
 *
 * @param a Any shape.
 * @param b Any shape.
 * @returns The other axes of `a`, followed by those of `b`; integers become `float32`.
 * @throws {TypeError} If the axes that meet have different extents.
 *
 * @example Of vectors
 * ```ts
 * import { dot } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(dot([1, 2, 3], [4, 5, 6]).item(), 32);
 * ```
 */
export function dot(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("dot", "b", 2, arguments);
  const [x, y] = promoteAll("dot", { a, b }).map(floating) as [Tensor, Tensor];
  if (x.rank === 0 || y.rank === 0) return mul(x, y);
  return sumPairs("dot", x, y, [x.rank - 1], [Math.max(0, y.rank - 2)]);
}

/** The axes of each tensor, as they meet. */
function pairedAxes(axes: unknown, x: Tensor, y: Tensor): [number[], number[]] {
  if (Number.isInteger(axes) && (axes as number) >= 0) {
    const count = axes as number;
    if (count <= Math.min(x.rank, y.rank)) {
      const places = Array.from({ length: count }, (_, i) => i);
      return [places.map((i) => x.rank - count + i), places];
    }
    throw new RangeError(
      `Cannot compute tensordot as axes must be at most the ranks of a and b: current value is ` +
        `${count}, current shapes are ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
    );
  }
  if (!Array.isArray(axes) || axes.length !== 2) throw noAxes(axes);
  for (const own of [axes[0], axes[1]]) checkWholes("tensordot", "axes", own);
  const [left, right] = (axes as (number | number[])[]).map((own) => [own].flat());
  if (left!.length !== right!.length) throw noAxes(axes);
  return [normalizeList(left!, x.rank), normalizeList(right!, y.rank)];
}

function noAxes(axes: unknown): TypeError {
  return new TypeError(
    `Cannot compute tensordot as axes must be how many are summed over, or [axes of a, as many ` +
      `axes of b]: current value is ${describe(axes)}`,
  );
}

/** Axes in the order given. */
function normalizeList(axes: readonly number[], rank: number): number[] {
  const normal = axes.map((axis) => normalizeAxis("tensordot", axis, rank));
  if (new Set(normal).size === normal.length) return normal;
  throw new RangeError(
    `Cannot compute tensordot as axes names an axis twice: current value is [${axes}]`,
  );
}

/** The sum of products over pairs of axes. */
function sumPairs(
  caller: string,
  x: Tensor,
  y: Tensor,
  left: readonly number[],
  right: readonly number[],
): Tensor {
  if (left.some((axis, i) => x.shape[axis] !== y.shape[right[i]!])) {
    throw new TypeError(
      `Cannot compute ${caller} as axes ${left} of a and ${right} of b must have the same extents: ` +
        `current shapes are ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
    );
  }
  const a = x.shape.map((_, i) => `a${i}`);
  const b = y.shape.map((_, i) => right.includes(i) ? a[left[right.indexOf(i)]!]! : `b${i}`);
  const kept = [...a, ...b].filter((label, _, all) =>
    all.indexOf(label) === all.lastIndexOf(label)
  );
  const extents = new Map([
    ...a.map((label, i) => [label, x.shape[i]!] as const),
    ...b.map((label, i) => [label, y.shape[i]!] as const),
  ]);
  return contract({ tensor: x, labels: a }, { tensor: y, labels: b }, kept, extents).tensor;
}

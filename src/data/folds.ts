/**
 * Cross-validation folds.
 *
 * @module
 */
import { toIntegers } from "../labels.ts";
import { describe } from "../describe.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { key, permutation } from "../random.ts";
import type { TensorLike } from "../tensor.ts";

/** One division of the cells. */
export interface Fold {
  /** The cells to learn from, in ascending order. */
  train: Int32Array;
  /** The cells to test on, in ascending order. */
  test: Int32Array;
}

/** Options of {@linkcode stratifiedFolds}. */
export interface StratifiedFoldsOptions {
  /** The seed of the random division; 0 by default. */
  seed?: number | undefined;
}

const SEEDS = { integer: true, min: 0, max: Number.MAX_SAFE_INTEGER };

/**
 * Divides cells into `k` parts, each of which is once the test set.
 *
 * Every class is spread over the parts as evenly as its size allows, and so are all cells: parts
 * differ by at most one cell, of each class and altogether. A class of fewer than `k` cells is
 * missing from some test sets, a class of one cell from the training set of one fold.
 *
 * @param labels One whole number per cell: its class.
 * @param k How many folds, at least 2.
 * @param options `seed`.
 * @returns The folds.
 * @throws {TypeError} If the labels are no whole numbers or an option is unknown.
 * @throws {RangeError} If `k` is no whole number from 2 to the number of cells, or `seed` none from 0
 * to 2⁵³ − 1.
 *
 * @example Two folds of four cells
 * ```ts
 * import { stratifiedFolds } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const labels = [0, 0, 1, 1];
 * for (const { train, test } of stratifiedFolds(labels, 2)) {
 *   assertEquals(Array.from(test, (cell) => labels[cell]), [0, 1]);
 *   assertEquals(Array.from(train, (cell) => labels[cell]), [0, 1]);
 * }
 * ```
 */
export function stratifiedFolds(
  labels: TensorLike,
  k: number,
  options: StratifiedFoldsOptions = {},
): Fold[] {
  if (arguments.length > 3) refuseMore("stratifiedFolds", "options", 3, arguments);
  const { seed } = readOptions("stratifiedFolds", options, { seed: 0 });
  checkNumber("stratifiedFolds", "seed", seed, SEEDS);
  const classes = toIntegers("stratifiedFolds", labels, "labels").data;
  if (!Number.isInteger(k) || k < 2 || k > classes.length) {
    throw new RangeError(
      `Cannot compute stratifiedFolds as k must be a whole number from 2 to the number of cells, ` +
        `${classes.length}: current value is ${describe(k)}`,
    );
  }
  const order = permutation(key(seed), classes.length).data;
  // Cells in random order, class after class, are dealt out like cards.
  const dealt = Int32Array.from(order).sort((a, b) => classes[a]! - classes[b]!);
  const part = new Int32Array(classes.length);
  dealt.forEach((cell, i) => part[cell] = i % k);
  const cells = Int32Array.from(classes.keys());
  return Array.from({ length: k }, (_, fold) => ({
    train: cells.filter((cell) => part[cell] !== fold),
    test: cells.filter((cell) => part[cell] === fold),
  }));
}

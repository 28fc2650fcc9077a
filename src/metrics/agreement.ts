/**
 * Agreement of two clusterings.
 *
 * @module
 */
import { checkSameShape, refuseMore } from "../options.ts";
import { groupBy, readLabels, type Values } from "./values.ts";

/** How many items the groups of two clusterings share, and hold. */
interface Contingency {
  /** The sizes of the intersections that are not empty, with the numbers of their groups. */
  cells: { a: number; b: number; size: number }[];
  /** The sizes of the first clustering's groups. */
  rows: Float64Array;
  /** The sizes of the second clustering's groups. */
  columns: Float64Array;
  /** How many items there are. */
  total: number;
}

function countShared(caller: string, labelsA: Values, labelsB: Values): Contingency {
  const a = readLabels(caller, "labelsA", labelsA);
  const b = readLabels(caller, "labelsB", labelsB);
  checkSameShape(caller, { labelsA: a, labelsB: b });
  const [first, second] = [groupBy(a.data), groupBy(b.data)];
  const rows = new Float64Array(first.count);
  const columns = new Float64Array(second.count);
  const shared = new Map<number, { a: number; b: number; size: number }>();
  first.codes.forEach((row, i) => {
    const column = second.codes[i]!;
    rows[row]!++;
    columns[column]!++;
    const key = row * second.count + column;
    const cell = shared.get(key);
    if (cell === undefined) shared.set(key, { a: row, b: column, size: 1 });
    else cell.size++;
  });
  return { cells: [...shared.values()], rows, columns, total: a.size };
}

/**
 * The adjusted Rand index: in how many pairs of items two clusterings agree on "together" or
 * "apart", beyond what chance would give.
 *
 * With n_ij items shared by group i of one and j of the other, `(Σ C(n_ij, 2) − E) / (½(A + B) − E)`
 * where A and B are the pairs within groups of either and `E = A·B / C(n, 2)`. 1 for the same
 * partition, 0 on average for unrelated ones, never below −½; higher is better. The names of the
 * groups do not matter, and neither does the order of the two.
 *
 * Source: Hubert and Arabie 1985, https://doi.org/10.1007/BF01908075; as scikit-learn's
 * `adjusted_rand_score`, also where the formula is 0/0: two clusterings with one group each, with
 * every item apart, or without items agree, which is 1.
 *
 * @param labelsA A group for each item: any whole numbers.
 * @param labelsB A group for each item, in the same shape.
 * @returns The index.
 * @throws {TypeError} If the shapes differ, or a label is not a whole number.
 *
 * @example Other names, and one item moved
 * ```ts
 * import { adjustedRandIndex } from "@cellgrad/cellgrad/metrics";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * assertEquals(adjustedRandIndex([0, 0, 1, 1], [5, 5, 2, 2]), 1);
 * assertAlmostEquals(adjustedRandIndex([0, 0, 1, 1], [0, 0, 1, 2]), 4 / 7);
 * ```
 */
export function adjustedRandIndex(labelsA: Values, labelsB: Values): number {
  if (arguments.length > 2) refuseMore("adjustedRandIndex", "labelsB", 2, arguments);
  const { cells, rows, columns, total } = countShared("adjustedRandIndex", labelsA, labelsB);
  const pairs = (n: number) => n * (n - 1) / 2;
  const pairsWithin = (sizes: Iterable<number>) =>
    Array.from(sizes, pairs).reduce((s, p) => s + p, 0);
  const [a, b] = [pairsWithin(rows), pairsWithin(columns)];
  const together = pairsWithin(cells.map((cell) => cell.size));
  if (together === a && together === b) return 1;
  const expected = a * b / pairs(total);
  return (together - expected) / ((a + b) / 2 - expected);
}

/**
 * Normalized mutual information: how much of two clusterings each tells about the other.
 *
 * `MI / ½(H_a + H_b)` with the mutual information `Σ n_ij/n · log(n·n_ij / (n_i·n_j))` and the
 * entropies of both. In [0, 1]: 1 for the same partition, 0 for independent ones; higher is better.
 * It is not corrected for chance: many small groups raise it, see {@linkcode adjustedRandIndex}.
 *
 * Source: Strehl and Ghosh 2002, https://www.jmlr.org/papers/v3/strehl02a.html, with the arithmetic
 * mean, as is the default of scikit-learn's `normalized_mutual_info_score`, also where it is 0/0:
 * two clusterings with one group each, or without items, agree, which is 1.
 *
 * @param labelsA A group for each item: any whole numbers.
 * @param labelsB A group for each item, in the same shape.
 * @returns The information, normalized.
 * @throws {TypeError} If the shapes differ, or a label is not a whole number.
 *
 * @example The same partition, and an independent one
 * ```ts
 * import { normalizedMutualInformation } from "@cellgrad/cellgrad/metrics";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(normalizedMutualInformation([0, 0, 1, 1], [5, 5, 2, 2]), 1);
 * assertAlmostEquals(normalizedMutualInformation([0, 0, 1, 1], [0, 1, 0, 1]), 0);
 * ```
 */
export function normalizedMutualInformation(labelsA: Values, labelsB: Values): number {
  if (arguments.length > 2) refuseMore("normalizedMutualInformation", "labelsB", 2, arguments);
  const { cells, rows, columns, total } = countShared(
    "normalizedMutualInformation",
    labelsA,
    labelsB,
  );
  if (rows.length <= 1 && columns.length <= 1) return 1;
  const entropy = (sizes: Float64Array) =>
    sizes.reduce((sum, size) => sum - size / total * Math.log(size / total), 0);
  const information = cells.reduce(
    (sum, { a, b, size }) => sum + size / total * Math.log(size * total / (rows[a]! * columns[b]!)),
    0,
  );
  const mean = (entropy(rows) + entropy(columns)) / 2;
  return Math.max(0, Math.min(1, information / mean));
}

/** Expression as programs want it: finite, on a logarithmic scale, of genes that vary. */
import { highlyVariableGenes } from "@cellgrad/cellgrad/data";
import { UsageError } from "../arguments.ts";
import {
  countEmpty,
  type Expression,
  logNormalized,
  placeOf,
  takeGenes,
  varies,
} from "./matrix.ts";

/** Expression as a file holds it. */
export interface Measured {
  /** What is called so in messages: the file's name, or a part of it. */
  where: string;
  /** (cells, genes). */
  values: Expression;
  genes: readonly string[];
  /** What a cell is called in messages. */
  cellName: (cell: number) => string;
  /** Whether the file says that these are counts. */
  counts: boolean;
}

export interface Prepared {
  /** How many genes were measured. */
  genes: number;
  /** (cells, genes used), without its zeros where it came so. */
  expression: Expression;
  /** What was done, in words. */
  notes: string[];
}

/** Genes beyond this number are dropped, the least variable first. */
const MOST_GENES = 2000;

/** The total of a cell's counts after normalization: the default of `normalizeTotal`. */
const TOTAL = "10,000";

/** No logarithm of normalized counts is as large. */
const LARGEST_LOGARITHM = 20;

/** Checks expression, normalizes counts and takes their logarithm, and chooses genes. */
export function prepare(measured: Measured): Prepared {
  const { where, values, genes } = measured;
  if (genes.length < 2) {
    throw new UsageError(
      `Cannot use ${where} as it must hold at least two genes: ` +
        `it holds ${genes.length === 0 ? "none" : `one, ${genes[0]}`}`,
    );
  }
  refuse(
    measured,
    Number.isFinite,
    (value, gene) =>
      Number.isNaN(value)
        ? `missing or NaN: fill it in, or leave the gene out with --ignore ${gene}`
        : `${value}: it must be finite, or leave the gene out with --ignore ${gene}`,
  );
  const { expression, note } = scaleOf(measured);
  if (!varies(expression)) {
    throw new UsageError(`Cannot use ${where} as no gene differs between two cells`);
  }
  const [cells, count] = values.shape as [number, number];
  const used = selectGenes(where, expression);
  const selected = used.shape[1]! < count
    ? [`the ${used.shape[1]} most variable of ${count} genes are used`]
    : [];
  const taken = `${cells} cells and ${count} genes are taken from ${where}`;
  return { genes: count, expression: used, notes: [taken, note, ...selected] };
}

/** Throws for the first value that is not as it must be, with the names of cell and gene. */
function refuse(
  { where, values, genes, cellName }: Measured,
  isRight: (value: number) => boolean,
  why: (value: number, gene: string) => string,
): void {
  const { data } = values;
  for (let i = 0; i < data.length; i++) {
    if (isRight(data[i]!)) continue;
    const { cell, gene } = placeOf(values, i);
    throw new UsageError(
      `Cannot use ${where} as gene ${genes[gene]} of ${cellName(cell)} is ` +
        why(data[i]!, genes[gene]!),
    );
  }
}

/** Counts normalized and logarithmic; anything else as it is, with what it seems to be. */
function scaleOf(measured: Measured): { expression: Expression; note: string } {
  const { values, counts } = measured;
  const data: ArrayLike<number> & Iterable<number> = values.data;
  if (counts) {
    refuse(measured, (value) => value >= 0, (value) => `${value}: counts must not be negative`);
  }
  let [whole, negative, largest] = [true, false, 0];
  for (const value of data) {
    if (!Number.isInteger(value)) whole = false;
    if (value < 0) negative = true;
    if (value > largest) largest = value;
  }
  if (counts || (whole && !negative)) {
    const kind = whole ? "whole numbers are counts" : "fractional counts";
    const empty = countEmpty(values);
    const note = `${kind}: normalised to a total of ${TOTAL} per cell, logarithm taken (log1p)` +
      (empty > 0 ? `; cells without any counts: ${empty}` : "");
    return { expression: logNormalized(values), note };
  }
  const note = negative
    ? "some values are negative: taken for scaled expression, used as they are"
    : largest > LARGEST_LOGARITHM
    ? `fractional values up to ${Number(largest.toPrecision(4))}: used as they are, although no ` +
      `logarithm seems to be taken; counts in layers/counts are normalised`
    : "fractional values: taken for normalised expression on a logarithmic scale, used as they are";
  return { expression: values, note };
}

function selectGenes(where: string, x: Expression): Expression {
  if (x.shape[1]! <= MOST_GENES) return x;
  if (x.data.some((value) => value < 0)) {
    throw new UsageError(
      `Cannot use ${where} as the most variable of more than ${MOST_GENES} genes are not to be ` +
        `found in scaled expression, with negative values: give counts, or choose with --genes`,
    );
  }
  const { indices } = highlyVariableGenes(x, { top: MOST_GENES });
  if (indices.length > 1) return takeGenes(x, indices);
  throw new UsageError(
    `Cannot use ${where} as none of its ${x.shape[1]} genes is more variable than others of its ` +
      `mean, and at most ${MOST_GENES} are used: choose with --genes`,
  );
}

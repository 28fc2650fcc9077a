/**
 * Expression of cells × genes: with its zeros, or without them where these would fill the memory.
 */
import { log1p, Tensor } from "@cellgrad/cellgrad";
import { normalizeTotal, type SparseMatrix } from "@cellgrad/cellgrad/data";

/** (cells, genes): all values, or those that are held, by rows. */
export type Expression = Tensor | SparseMatrix;

/** Some of the cells, in the order of the list. */
export function takeCells(x: Expression, cells: Int32Array): Expression {
  return x instanceof Tensor ? x.gather(cells) : x.rows(cells);
}

/** Some of the genes, in the order of the list. */
export function takeGenes(x: Expression, genes: Int32Array): Expression {
  return x instanceof Tensor ? x.gather(genes, { axis: 1 }) : x.columns(genes);
}

/** Counts normalised to the same total per cell, and their logarithm. */
export function logNormalized(counts: Expression): Expression {
  return counts instanceof Tensor
    ? log1p(normalizeTotal(counts))
    : normalizeTotal(counts).map(log1p);
}

/** The cell and the gene of the value that is held at a position. */
export function placeOf(x: Expression, at: number): { cell: number; gene: number } {
  const genes = x.shape[1]!;
  return x instanceof Tensor
    ? { cell: Math.floor(at / genes), gene: at % genes }
    : { cell: x.indptr.findLastIndex((start) => start <= at), gene: x.indices[at]! };
}

/** How many cells have nothing but zeros. */
export function countEmpty(x: Expression): number {
  const [cells, genes] = x.shape as [number, number];
  const startOf = (cell: number) => x instanceof Tensor ? cell * genes : x.indptr[cell]!;
  let empty = 0;
  for (let cell = 0; cell < cells; cell++) {
    empty += Number(x.data.subarray(startOf(cell), startOf(cell + 1)).every((value) => !value));
  }
  return empty;
}

/** Whether a gene differs between two cells; what is not held is zero. */
export function varies(x: Expression): boolean {
  const [cells, genes] = x.shape as [number, number];
  const indices = x instanceof Tensor ? undefined : x.indices;
  const first = new Float64Array(genes);
  const held = new Float64Array(genes);
  for (let at = 0; at < x.data.length; at++) {
    const gene = indices === undefined ? at % genes : indices[at]!;
    if (held[gene]!++ === 0) first[gene] = x.data[at]!;
    else if (first[gene] !== x.data[at]) return true;
  }
  return first.some((value, gene) => value !== 0 && held[gene]! < cells);
}

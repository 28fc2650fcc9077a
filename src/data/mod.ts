/**
 * Cells: simulated, or read from files of any format, and written as AnnData; their preprocessing;
 * ontologies of cell types; and distances in segmentations.
 *
 * @example From counts to two coordinates per cell
 * ```ts
 * import { log1p } from "@cellgrad/cellgrad";
 * import { normalizeTotal, pca, scale, simulateCells } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const { counts } = simulateCells({ cells: 50, genes: 40, types: 3 });
 * const { values } = scale(log1p(normalizeTotal(counts)), { maxValue: 10 });
 * assertEquals(pca(values, { components: 2 }).scores.shape, [50, 2]);
 * ```
 *
 * @module
 */
export { AnnDataFile, type AnnDataKeys, openAnnData, type OpenAnnDataOptions } from "./anndata.ts";
export type { RawAnnData } from "./cell_parts.ts";
export type { AwaitUsingDisposable } from "../disposal.ts";
export type { CellTree } from "./cell_tree.ts";
export type {
  BigIntColumn,
  BooleanColumn,
  CategoricalColumn,
  Column,
  NumericColumn,
  StringColumn,
} from "./column.ts";
export type { BatchEntries } from "./batch_forms.ts";
export type { CellBatch, CellLoader } from "./cell_epochs.ts";
export { cellLoader, type CellLoaderOptions, type SparseLoaderOptions } from "./cell_loader.ts";
export { openCells, type OpenCellsOptions } from "./cells.ts";
export type { FilePath, Platform } from "./file.ts";
export { readNpz } from "./npz.ts";
export type { DataSource } from "./source.ts";
export { type DistanceOptions, distanceTransform, signedDistance } from "./distance.ts";
export type { ElementArray } from "./elements.ts";
export { type Fold, stratifiedFolds, type StratifiedFoldsOptions } from "./folds.ts";
export { readNpy, writeNpy } from "./npy.ts";
export {
  type Ontology,
  type OntologyTerm,
  parseObo,
  readObo,
  type TermHierarchy,
  termHierarchy,
  type TermHierarchyOptions,
  termLabels,
} from "./ontology.ts";
export { type Pca, pca, type PcaOptions } from "./pca.ts";
export {
  type Batches,
  type HighlyVariableGenes,
  highlyVariableGenes,
  type HighlyVariableGenesOptions,
} from "./highly_variable.ts";
export type { CellValues } from "./matrix.ts";
export type { VariableGenes, VarianceOptions } from "./variable_genes.ts";
export {
  normalizeTotal,
  type NormalizeTotalOptions,
  pearsonResiduals,
  type PearsonResidualsOptions,
  scale,
  type Scaled,
  type ScaleOptions,
} from "./preprocess.ts";
export {
  readSafetensors,
  type ReadSafetensorsOptions,
  type Safetensors,
  type SafetensorsOptions,
  writeSafetensors,
} from "./safetensors.ts";
export { simulateCells, type SimulateCellsOptions, type SimulatedCells } from "./simulate.ts";
export { csc, csr, sparse, type SparseData, type SparseOptions } from "./make_sparse.ts";
export type { SparseFormat, SparseMatrix } from "./sparse.ts";
export { sparseMatmul } from "./sparse_matmul.ts";
export type { StoredMatrix } from "./stored_matrix.ts";
export { parseTable, readTable, type TableOptions } from "./read_table.ts";
export { type MatrixOptions, Table } from "./table.ts";
export type { TableColumn } from "./field.ts";
export {
  encodeAnnData,
  type EncodeAnnDataOptions,
  updateAnnData,
  type UpdateAnnDataOptions,
  writeAnnData,
  type WriteAnnDataOptions,
} from "./write_anndata.ts";
export type {
  AnnDataContent,
  WritableColumn,
  WritableMatrix,
  WritableSparse,
  WritableValue,
} from "./written_parts.ts";

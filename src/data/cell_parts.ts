/**
 * What is known of cells in a file, whatever its format.
 *
 * @module
 */
import type { Tensor } from "../tensor.ts";
import type { Frame } from "./frame.ts";
import type { StoredMatrix } from "./stored_matrix.ts";

/** The matrix that was set aside before genes were left out or values scaled. */
export interface RawAnnData {
  /** The matrix: as many rows as `X` has, often more columns. */
  readonly X: StoredMatrix;
  /** The names of its columns. */
  varNames(): Promise<string[]>;
}

/** What has names, opened one by one. */
export interface Members<T> {
  /** The names. */
  readonly keys: readonly string[];
  /** Opens what has one of them. */
  open(key: string): Promise<T>;
}

/** What is known of a file once it is open. */
export interface CellParts {
  /** What messages call the file. */
  readonly path: string;
  /** What the file is. */
  readonly format: string;
  /** The data frame of the cells. */
  readonly obs: Frame;
  /** The data frame of the genes. */
  readonly var: Frame;
  /** The main matrix, where there is one. */
  readonly X: StoredMatrix | undefined;
  /** The matrix that was set aside, where there is one. */
  readonly raw?: RawAnnData | undefined;
  /** Other matrices of the same shape. */
  readonly layers: Members<StoredMatrix>;
  /** Arrays with a row for each cell. */
  readonly obsm: Members<Tensor>;
  /** Closes what is open. */
  close(): void;
}

/** No members. */
export const NO_MEMBERS: Members<never> = {
  keys: [],
  open: () => Promise.reject(new RangeError("There are no members")),
};

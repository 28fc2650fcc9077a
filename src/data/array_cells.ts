/**
 * Cells in arrays and tables, which have no names of their own or only those of columns.
 *
 * @module
 */
import { fromData, type Tensor } from "../tensor.ts";
import { type CellParts, NO_MEMBERS } from "./cell_parts.ts";
import type { Column } from "./column.ts";
import type { TableColumn } from "./field.ts";
import { type Frame, memoryFrame } from "./frame.ts";
import { memoryArray } from "./memory_array.ts";
import { parseNpy } from "./npy.ts";
import { arraysIn, npyIn } from "./npz.ts";
import { denseMatrix, sparseMatrix, type StoredMatrix } from "./stored_matrix.ts";
import { promised, unreadable } from "./store.ts";
import { parseTableBytes, type TableOptions } from "./read_table.ts";
import type { Table } from "./table.ts";
import type { ZipFiles } from "./zarr_files.ts";

/** More cells or genes than this have no names: lists are no longer. */
const MOST_NAMES = 2 ** 27;

function partsOf(path: string, format: string, X: StoredMatrix): CellParts {
  const most = Math.max(...X.shape);
  if (most > MOST_NAMES || !X.shape.every(Number.isInteger)) {
    const why = `it must have at most ${MOST_NAMES} cells and genes: its shape is [${X.shape}]`;
    throw unreadable(path, "", why);
  }
  const [obs, vars] = X.shape.map((length) =>
    memoryFrame(Array.from({ length }, (_, i) => `${i}`))
  );
  const members = { layers: NO_MEMBERS, obsm: NO_MEMBERS };
  return { path, format, obs: obs!, var: vars!, X, ...members, close: () => {} };
}

function asMatrix(path: string, tensor: Tensor): StoredMatrix {
  if (tensor.rank === 2) return denseMatrix(path, memoryArray("X", tensor.data, tensor.shape));
  const why = `cells are a matrix: it holds an array of the shape [${tensor.shape.join(", ")}]`;
  throw unreadable(path, "", why);
}

/** A sparse matrix as SciPy saves it, or the one matrix of an archive. */
export async function partsOfNpz(zip: ZipFiles): Promise<CellParts> {
  const { path } = zip;
  const names = arraysIn(zip);
  const array = async (name: string) => parseNpy(await npyIn(zip, name), `"${name}" of "${path}"`);
  if (["data", "indices", "indptr", "shape", "format"].every((name) => names.includes(name))) {
    const part = async (name: string) => {
      const { data, shape } = await array(name);
      return memoryArray(name, data, shape);
    };
    const described = new TextDecoder("latin1").decode(await npyIn(zip, "format"));
    const format = /csr|csc/.exec(described.replaceAll("\0", "").slice(-3))?.[0];
    if (format !== "csr" && format !== "csc") {
      throw unreadable(
        path,
        "",
        "it is a sparse matrix of SciPy, and must be of the format csr or csc",
      );
    }
    const [rows, columns] = Array.from((await array("shape")).data, Number) as [number, number];
    const X = sparseMatrix(path, "", [rows, columns], format, {
      data: await part("data"),
      indices: await part("indices"),
      indptr: await part("indptr"),
    });
    return partsOf(path, `SciPy sparse matrix (.npz, ${format})`, X);
  }
  if (names.length === 1) {
    return partsOf(path, "NumPy array (.npz)", asMatrix(path, await array(names[0]!)));
  }
  const why =
    "it holds several arrays, and none is said to be the matrix of the cells: read them " +
    `by readNpz; they are ${names.join(", ")}`;
  throw unreadable(path, "", why);
}

/** NumPy's array. */
export function partsOfNpy(
  name: string,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): CellParts {
  return partsOf(path, "NumPy array (.npy)", asMatrix(path, parseNpy(bytes, name)));
}

/** A table: columns of numbers are genes, or those that `genes` names; the others annotate cells. */
export async function partsOfTable(
  name: string,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  options: TableOptions,
): Promise<CellParts> {
  const { table, format } = await parseTableBytes("openCells", name, bytes, options);
  const { columns, nRows } = table;
  const all = columns.map((_, position) => position);
  const genes = options.genes?.map((gene) => columns.indexOf(gene)) ??
    all.filter((position) => !Array.isArray(table.column(position)));
  const chosen = new Set(genes);
  const rest = all.filter((position) => !chosen.has(position));
  const { data, shape } = genes.length === 0
    ? fromData(new Float32Array(0), [nRows, 0])
    : table.matrix({ columns: genes });
  const names = table.rowNames ?? Array.from({ length: nRows }, (_, i) => `${i}`);
  return {
    ...partsOf(path, format, denseMatrix(path, memoryArray("X", data, shape))),
    obs: tableFrame(path, names, table, rest),
    var: memoryFrame(genes.map((position) => columns[position]!)),
  };
}

/** Columns of a table, of which several may have one name. */
function tableFrame(
  path: string,
  names: readonly string[],
  table: Table,
  positions: readonly number[],
): Frame {
  const columns = positions.map((position) => table.columns[position]!);
  return {
    ...memoryFrame(names),
    columns,
    read: (name) =>
      promised(() => {
        const [first, second] = positions.filter((position) => table.columns[position] === name);
        if (second === undefined) return asColumn(table.column(first!));
        throw new RangeError(
          `Cannot read the obs column of "${path}" as more than one has the name ${name}: ` +
            `readTable reads them by their positions, ${first} and ${second}`,
        );
      }),
  };
}

function asColumn(values: TableColumn): Column {
  return Array.isArray(values) ? { kind: "string", values } : { kind: "numeric", values };
}

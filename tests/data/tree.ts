/**
 * A small AnnData tree in memory: what the tests write to files, and read without any.
 *
 * @module
 */
import type { ElementArray, ElementType } from "../../src/data/elements.ts";
import type { StoredArray, StoredGroup } from "../../src/data/store.ts";
import { elementTypeOf } from "../../src/data/written_tree.ts";

export type Attributes = Record<string, string | boolean | string[] | number[]>;

/** An array of the tree. */
export interface Leaf {
  kind: "leaf";
  values: ElementArray | string[];
  type: ElementType | "string";
  shape: number[];
  attributes: Attributes;
}

/** A group of the tree. */
export interface Branch {
  kind: "branch";
  members: Record<string, Leaf | Branch>;
  attributes: Attributes;
}

function encoding(type: string, version: string, more: Attributes = {}): Attributes {
  return { "encoding-type": type, "encoding-version": version, ...more };
}

/** An array of numbers or text. */
export function leaf(
  values: ElementArray | string[],
  shape: number[] = [values.length],
): Leaf {
  if (Array.isArray(values)) {
    const attributes = encoding("string-array", "0.2.0");
    return { kind: "leaf", values, type: "string", shape, attributes };
  }
  const type = elementTypeOf(values)!;
  return { kind: "leaf", values, type, shape, attributes: encoding("array", "0.2.0") };
}

/** Booleans, which HDF5 can only hold where h5py has written them: as numbers there. */
export function flags(values: boolean[]): Leaf {
  return { ...leaf(Uint8Array.from(values, Number)), type: "bool" };
}

/** A group. */
export function branch(
  type: string,
  version: string,
  members: Branch["members"],
  more: Attributes = {},
): Branch {
  return { kind: "branch", members, attributes: encoding(type, version, more) };
}

/** A group of named elements. */
export function mapping(members: Branch["members"]): Branch {
  return branch("dict", "0.1.0", members);
}

/** A data frame. */
export function frame(index: string[], columns: Branch["members"]): Branch {
  return branch("dataframe", "0.2.0", { _index: leaf(index), ...columns }, {
    "_index": "_index",
    "column-order": Object.keys(columns),
  });
}

/** A categorical column. */
export function categorical(codes: number[], categories: string[], ordered = false): Branch {
  return branch("categorical", "0.2.0", {
    codes: leaf(Int8Array.from(codes)),
    categories: leaf(categories),
  }, { ordered });
}

/** A column with a mask of missing values. */
export function nullable(type: string, values: Leaf, mask: boolean[]): Branch {
  return branch(type, "0.1.0", { values, mask: flags(mask) });
}

/** A sparse matrix in rows or columns of the dense one. */
export function sparse(
  format: "csr" | "csc",
  rows: number[][],
  type: Float32ArrayConstructor | Int32ArrayConstructor = Float32Array,
): Branch {
  const columns = rows[0]!.map((_, j) => rows.map((row) => row[j]!));
  const entries = (format === "csr" ? rows : columns).map((line) =>
    [...line.entries()].filter(([, value]) => value !== 0)
  );
  const flat = entries.flat();
  const indptr = [0];
  for (const line of entries) indptr.push(indptr.at(-1)! + line.length);
  return branch(`${format}_matrix`, "0.1.0", {
    data: leaf(type.from(flat.map(([, value]) => value))),
    indices: leaf(Int32Array.from(flat.map(([index]) => index))),
    indptr: leaf(Int32Array.from(indptr)),
  }, { shape: [rows.length, columns.length] });
}

/** The counts of five cells and four genes. */
export const COUNTS: number[][] = [
  [0, 2, 0, 1],
  [1, 0, 0, 0],
  [0, 0, 3, 0],
  [0, 0, 0, 0],
  [4, 5, 0, 6],
];

export const CELLS: string[] = ["cell0", "cell1", "cell2", "zelle\u00e4", "cell4"];

/** An AnnData file of those five cells; every kind of element that is read is in it. */
export function cells(): Branch {
  return branch("anndata", "0.1.0", {
    X: leaf(Float32Array.from(COUNTS.flat(), (v) => v / 2), [5, 4]),
    layers: mapping({
      counts: sparse("csr", COUNTS, Int32Array),
      by_gene: sparse("csc", COUNTS),
      small: leaf(Uint16Array.from(COUNTS.flat()), [5, 4]),
      large: leaf(BigInt64Array.from(COUNTS.flat(), (v) => BigInt(v - 3)), [5, 4]),
      too_large: leaf(BigInt64Array.from(COUNTS.flat(), (v) => BigInt(v) << 31n), [5, 4]),
    }),
    obs: frame(CELLS, {
      cell_type: categorical([1, 0, -1, 1, 0], ["B", "T \u03b1\u03b2"]),
      stage: categorical([0, 1, 1, 0, 0], ["early", "late"], true),
      n_genes: leaf(BigInt64Array.of(2n, 1n, 1n, 0n, 3n)),
      score: leaf(Float64Array.of(0.5, NaN, -1, 2, 1e300)),
      note: leaf(["", "a", "b,c", "\u2192", "e"]),
      count: nullable("nullable-integer", leaf(Int32Array.of(7, 0, -9, 1, 2)), [
        false,
        true,
        false,
        false,
        false,
      ]),
      "percent #? %41": leaf(Float32Array.of(1, 2, 3, 4, 5)),
    }),
    var: frame(["g1", "g2", "g3", "g4"], { length: leaf(Int32Array.of(10, 20, 30, 40)) }),
    raw: branch("raw", "0.1.0", {
      X: sparse("csr", COUNTS.map((row) => [...row, 0, 7])),
      var: frame(["g1", "g2", "g3", "g4", "g5", "g6"], {}),
    }),
    obsm: mapping({
      X_pca: leaf(Float32Array.from({ length: 10 }, (_, i) => i), [5, 2]),
      tiles: leaf(Float64Array.from({ length: 20 }, (_, i) => i), [5, 2, 2]),
      sparse: sparse("csr", COUNTS),
    }),
  });
}

/** A copy of a tree with the element at a path put in, or taken out where it is `undefined`. */
export function withElement(
  tree: Branch,
  path: string,
  element: Leaf | Branch | undefined,
): Branch {
  const [name, ...rest] = path.split("/");
  const members = { ...tree.members };
  if (rest.length > 0) {
    members[name!] = withElement(members[name!] as Branch, rest.join("/"), element);
  } else if (element === undefined) delete members[name!];
  else members[name!] = element;
  return { ...tree, members };
}

/** The tree as the readers see it, without any file. */
export function stored(tree: Branch, key?: string): StoredGroup;
export function stored(tree: Leaf, key?: string): StoredArray;
export function stored(tree: Leaf | Branch, key?: string): StoredArray | StoredGroup;
export function stored(tree: Leaf | Branch, key = ""): StoredArray | StoredGroup {
  const { attributes } = tree;
  if (tree.kind === "branch") {
    return {
      kind: "group",
      key,
      attributes,
      keys: () => Promise.resolve(Object.keys(tree.members)),
      get(path) {
        let node: Leaf | Branch | undefined = tree;
        for (const name of path.split("/")) {
          node = node?.kind === "branch" ? node.members[name] : undefined;
        }
        const full = key === "" ? path : `${key}/${path}`;
        return Promise.resolve(node === undefined ? undefined : stored(node, full));
      },
    };
  }
  const { values, type, shape } = tree;
  const row = shape.slice(1).reduce((a, b) => a * b, 1);
  const part = (start = 0, end = shape[0]!) => values.slice(start * row, end * row);
  return {
    kind: "array",
    key,
    attributes,
    shape,
    type,
    chunkLength: 2,
    readNumbers: (start, end) => Promise.resolve(part(start, end) as ElementArray),
    readStrings: (start, end) => Promise.resolve(part(start, end) as string[]),
  };
}

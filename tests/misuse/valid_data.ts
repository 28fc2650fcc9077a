/** One valid call of every function of `./data`, and of what they return. */
import * as data from "../../src/data/mod.ts";
import { tensor } from "../../src/tensor.ts";
import { zipBytes } from "../data/write.ts";
import type { ValidCall } from "./valid_calls.ts";

const OBO = `[Term]
id: CL:0
name: cell

[Term]
id: CL:1
name: T cell
is_a: CL:0
`;
const TABLE = "cell\tA\tB\nx\t1\t2\ny\t3\t4\n";
const counts = () => [[1, 2, 3], [4, 0, 6], [7, 8, 1]];
const ontology = () => data.parseObo(OBO);
const hierarchy = () => data.termHierarchy(ontology(), ["CL:0", "CL:1"]);
const table = data.parseTable(TABLE);

const PARTS = { data: [1, 2], indices: [0, 1], indptr: [0, 1, 2], shape: [2, 2] };
const held = data.sparse(counts());

const row = (name: keyof typeof data, args: () => unknown[], options?: number): ValidCall => ({
  name,
  f: data[name] as ValidCall["f"],
  args,
  ...(options === undefined ? {} : { options }),
});

/** Two cells of three genes, as they are written: not three cells, which bad values fit. */
const content = () => ({
  X: [[1, 2, 3], [4, 0, 6]],
  obs: {
    _index: ["a", "b"],
    type: { kind: "categorical", codes: [0, -1], categories: ["T"], ordered: false },
    count: { kind: "numeric", values: Int32Array.of(1, 2), missing: [0, 1] },
    note: ["x", "y"],
    score: [0.5, 1],
  },
  layers: {
    sparse: { format: "csr", shape: [2, 3], data: [1], indices: [2], indptr: [0, 0, 1] },
  },
  obsm: { X_pca: [[1, 2], [3, 4]] },
});

const three = await data.openAnnData(
  await data.encodeAnnData({
    X: [[1, 2], [3, 4], [5, 6]],
    obs: { score: [1, 2, 3] },
    layers: { counts: [[1, 2], [3, 4], [5, 6]] },
  }),
);

/** Batches of three cells, and rows of them. */
const loaderCalls: ValidCall[] = [
  row("cellLoader", () => [three, {
    batchSize: 2,
    shuffle: true,
    seed: 1,
    prefetch: 1,
    workers: 1,
    drop: false,
    sparse: false,
    transform: (x: unknown) => x,
    layer: "counts",
    obs: ["score"],
    rows: [0, 2],
    rank: 0,
    ranks: 1,
    block: 2,
    window: 4,
  }], 1),
  {
    name: "epoch",
    f: (...args) => data.cellLoader(three, { batchSize: 2 }).epoch(...args as [number]),
    args: () => [0, 1],
  },
  {
    name: "readRows",
    f: (...args) => three.X.readRows(...args as [number[]]),
    args: () => [[2, 0]],
  },
  {
    name: "readRows",
    f: (...args) => three.X.readRows(...args as [number, number]),
    args: () => [0, 2],
  },
  {
    name: "readSparse",
    f: (...args) => three.X.readSparse(...args as [number]),
    args: () => [0, 2],
  },
  { name: "obs", f: (...args) => three.obs(...args as [string]), args: () => ["score"] },
  { name: "layer", f: (...args) => three.layer(...args as [string]), args: () => ["counts"] },
];

/** Files that the readers find, in a folder. */
export async function writeFiles(folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/table.tsv`, TABLE);
  await Deno.writeTextFile(`${folder}/terms.obo`, OBO);
  await data.writeAnnData(`${folder}/x.h5ad`, { obs: { a: [1, 2] } });
  await Deno.writeFile(`${folder}/x.npy`, data.writeNpy([1, 2]));
  await Deno.writeFile(`${folder}/x.npz`, zipBytes(new Map([["x.npy", data.writeNpy([1, 2])]])));
  await Deno.writeFile(`${folder}/x.safetensors`, data.writeSafetensors({ x: tensor([1, 2]) }));
}

/** Calls of readers, of files as {@linkcode writeFiles} writes them. */
export const validReaders = (folder: string): ValidCall[] => [
  row("readTable", () => [`${folder}/table.tsv`, { delimiter: "\t" }], 1),
  row("readObo", () => [`${folder}/terms.obo`]),
  row("readNpy", () => [`${folder}/x.npy`]),
  row("readSafetensors", () => [`${folder}/x.safetensors`, { checksum: false }], 1),
  row("readNpz", () => [`${folder}/x.npz`]),
  row("openAnnData", () => [
    new URL("../data/h5py.h5ad", import.meta.url),
    { integers: "float64" },
  ], 1),
  row("openCells", () => [
    new URL("../data/h5py.h5ad", import.meta.url),
    { integers: "bigint" },
  ], 1),
  ...loaderCalls,
  row("writeAnnData", () => [`${folder}/y.h5ad`, { X: [[1], [2]], obs: { a: [1, 2] } }, {}], 2),
  {
    name: "writeAnnData",
    f: (...args) => data.writeAnnData(`${folder}/z`, ...args as [never]),
    args: () => [{ X: [[1], [2]], obs: { a: [1, 2] } }, {
      format: "h5ad",
      compression: "gzip",
      zarrVersion: 2,
    }],
    options: 1,
  },
  row(
    "updateAnnData",
    () => [`${folder}/x.h5ad`, { obs: { _index: ["0", "1"], a: [1, 2] } }, { overwrite: true }],
    2,
  ),
];

/** All that need no file. */
export const VALID_DATA: readonly ValidCall[] = [
  row("stratifiedFolds", () => [[0, 1, 0, 1], 2, { seed: 1 }], 2),
  row("writeNpy", () => [[1, 2, 3]]),
  { name: "readNpy", f: data.readNpy, args: () => [data.writeNpy([1, 2])] },
  row("encodeAnnData", () => [content(), { compression: "gzip" }], 1),
  row("writeSafetensors", () => [{ x: [1, 2] }, { metadata: { format: "pt" } }], 1),
  {
    name: "readSafetensors",
    f: data.readSafetensors,
    args: () => [data.writeSafetensors({ x: [1, 2] }), { checksum: false }],
    options: 1,
  },
  row("parseObo", () => [OBO, "the ontology"]),
  row("termHierarchy", () => [ontology(), ["CL:0", "CL:1"], { unknownParents: "ignore" }], 2),
  row("termLabels", () => [hierarchy(), ["CL:0", "CL:1"]]),
  row("pca", () => [counts(), { components: 1 }], 1),
  row(
    "highlyVariableGenes",
    () => [[[0, 0.5, 1], [0.2, 0.1, 0], [0.5, 1.5, 2]], {
      flavor: "seurat",
      bins: 2,
      batchKey: [0, 0, 0],
      minMean: 0,
      maxMean: 3,
      minDispersion: 0,
    }],
    1,
  ),
  row("distanceTransform", () => [[[0, 1], [1, 1]], { spacing: [1, 2], dtype: "float64" }], 1),
  row("signedDistance", () => [[[0, 1, 2]], 3, { spacing: 2, dtype: "float32" }], 2),
  row("highlyVariableGenes", () => [[[0, 0.5, 1], [0.2, 0.1, 0], [0.5, 1.5, 2]], { top: 2 }], 1),
  row("normalizeTotal", () => [counts(), { targetSum: 100 }], 1),
  row("scale", () => [
    counts(),
    { maxValue: 10, zeroCenter: true, mean: [1, 2, 3], standardDeviation: [1, 1, 1] },
  ], 1),
  row("pearsonResiduals", () => [counts(), { theta: 10, clip: 2, check: true }], 1),
  row("csr", () => [PARTS], 0),
  row("csc", () => [PARTS], 0),
  row("sparse", () => [counts(), { format: "csc" }], 1),
  row("sparseMatmul", () => [held, [[1], [2], [3]]]),
  { name: "rows", f: (...args) => held.rows(...args as [number[]]), args: () => [[1, 0]] },
  { name: "slice", f: (...args) => held.slice(...args as [number]), args: () => [0, 2] },
  { name: "asFormat", f: (...args) => held.asFormat(...args as ["csc"]), args: () => ["csc"] },
  row("simulateCells", () => [
    {
      cells: 6,
      genes: 5,
      types: 2,
      typeWeights: [1, 2],
      markers: 0.2,
      markerStrength: 1,
      trajectory: 0.2,
      batches: 2,
      batchStrength: 0.1,
      librarySize: 10,
      librarySpread: 0.1,
      dispersion: 0.1,
      dropout: 0.1,
      seed: 1,
    },
  ], 0),
  row("parseTable", () => [
    TABLE,
    { delimiter: "\t", comment: "#", genes: ["A"], ignore: ["B"] },
  ], 1),
  { name: "column", f: (...args) => table.column(...args as [string]), args: () => ["A"] },
  {
    name: "matrix",
    f: (...args) => table.matrix(...args as []),
    args: () => [{ columns: ["A", "B"], dtype: "float64" }],
    options: 0,
  },
];

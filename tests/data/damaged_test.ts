/**
 * Files with damage are read, or refused in the library's own words; they end, either way.
 *
 * `deno test … tests/data/damaged_test.ts -- --times=20 --seed=3` tries more of them.
 */
import { arange, tensor } from "@cellgrad/cellgrad";
import {
  type AnnDataFile,
  type DataSource,
  openCells,
  type OpenCellsOptions,
  readNpy,
  readNpz,
  readObo,
  readSafetensors,
  readTable,
  termHierarchy,
  writeNpy,
  writeSafetensors,
} from "@cellgrad/cellgrad/data";
import { gzipSync } from "node:zlib";
import { BLOOD } from "./blood.ts";
import { damageAll, lone, type Sample } from "./damage.ts";
import { cells } from "./tree.ts";
import { variants } from "./variants.ts";
import { inTempDirectory, writeFiles, zarrFiles } from "./write.ts";

async function readAll(file: AnnDataFile): Promise<void> {
  const { keys, raw } = file;
  await file.obsNames();
  await file.varNames();
  for (const column of keys.obs) await file.obs(column);
  for (const column of keys.var) await file.var(column);
  for (const layer of keys.layers) await (await file.layer(layer)).readSparse();
  for (const array of keys.obsm) await file.obsm(array);
  await raw?.varNames();
  await raw?.X.read();
  await file.X.read();
  await file.X.readSparse();
}

async function readCells(source: DataSource, options: OpenCellsOptions = {}): Promise<void> {
  await using file = await openCells(source, options);
  await readAll(file);
}

type Read = (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>;

/** Those of the variants whose names match, each a sample of its own. */
async function matching(
  ending: RegExp,
  read: Read = (bytes) => readCells(bytes),
  archive?: "parquet",
): Promise<Sample[]> {
  return [...await variants(archive)].flatMap(([name, bytes]) =>
    ending.test(name) ? [lone(name, bytes, read)] : []
  );
}

type Files = Map<string, Uint8Array>;

/** A folder of files, in which one lies damaged while it is read. */
async function folder(path: string, files: Files): Promise<Sample> {
  await writeFiles(path, files);
  const read = async (name: string, bytes: Uint8Array) => {
    await Deno.writeFile(`${path}/${name}`, bytes);
    try {
      await readCells(path);
    } finally {
      await Deno.writeFile(`${path}/${name}`, files.get(name)!);
    }
  };
  return { name: path, files, read };
}

/** Every so manieth of the variants that are folders of this ending. */
async function folders(ending: RegExp, step: number, directory: string): Promise<Sample[]> {
  const found = new Map<string, Files>();
  for (const [path, bytes] of await variants()) {
    const [name, ...rest] = path.split("/");
    if (rest.length === 0 || !ending.test(name!)) continue;
    if (!found.has(name!)) found.set(name!, new Map());
    found.get(name!)!.set(rest.join("/"), bytes);
  }
  const chosen = [...found].filter((_, i) => i % step === 0);
  return await Promise.all(chosen.map(([name, files]) => folder(`${directory}/${name}`, files)));
}

/** A Zarr hierarchy with a list of its metadata, on a server that answers here. */
async function served(version: 2 | 3): Promise<Sample> {
  const files = await zarrFiles(cells(), { version });
  const parsed = ([name, bytes]: [string, Uint8Array]): [string, Record<string, unknown>] => [
    version === 2 ? name : name.replace(/\/?zarr\.json$/, ""),
    JSON.parse(new TextDecoder().decode(bytes)),
  ];
  const listed = [...files].filter(([name]) => /(^|\/)(\.z\w+|zarr\.json)$/.test(name)).map(parsed);
  const metadata = Object.fromEntries(listed);
  const all = version === 2
    ? { metadata, zarr_consolidated_format: 1 }
    : { ...metadata[""], consolidated_metadata: { kind: "inline", metadata } };
  const list = version === 2 ? ".zmetadata" : "zarr.json";
  files.set(list, new TextEncoder().encode(JSON.stringify(all)));
  const read = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
    const { fetch } = globalThis;
    globalThis.fetch = (address) => {
      const path = decodeURIComponent(new URL(String(address)).pathname).slice(
        "/cells.zarr/".length,
      );
      const body = path === name ? bytes : files.get(path) as Uint8Array<ArrayBuffer> | undefined;
      return Promise.resolve(new Response(body ?? "none", { status: body ? 200 : 404 }));
    };
    try {
      await readCells("http://localhost/cells.zarr");
    } finally {
      globalThis.fetch = fetch;
    }
  };
  return { name: `served Zarr ${version}`, files, read };
}

/** Zarr in the folders of our own writer: in version 3, with shards, and in Fortran's order. */
async function zarrFolders(directory: string): Promise<Sample[]> {
  const forms = {
    "2": { version: 2, fortranOrder: true },
    "3": { version: 3 },
    "sharded": { version: 3, sharded: true },
  } as const;
  return await Promise.all(
    Object.entries(forms).map(async ([name, form]) =>
      folder(`${directory}/${name}`, await zarrFiles(cells(), form))
    ),
  );
}

/** Texts with damage, compressed after it. */
const zipped = (read: Read): Read => (bytes) => read(new Uint8Array(gzipSync(bytes, { level: 1 })));

const ARRAYS = {
  matrix: arange(12).reshape([3, 4]),
  whole: tensor([1, -2, 3], { dtype: "int32" }),
  truth: tensor([[true], [false]]),
  nothing: tensor([], { dtype: "float64" }),
};

async function npy(): Promise<Sample[]> {
  const own = Object.entries(ARRAYS).map(([name, x]) => lone(`${name}.npy`, writeNpy(x), readNpy));
  return [...await matching(/\.npy$/, readNpy), ...await matching(/\.npy$/), ...own];
}

function safetensors(): Sample[] {
  const plain = writeSafetensors(ARRAYS, { metadata: { step: "7" } });
  const summed = writeSafetensors(ARRAYS, { checksum: true });
  return [
    lone("plain.safetensors", plain, readSafetensors),
    lone("summed.safetensors", summed, readSafetensors),
  ];
}

function ontologies(): Sample[] {
  const read = async (bytes: Uint8Array) => {
    const ontology = await readObo(bytes);
    termHierarchy(ontology, [...ontology.terms.keys()], { unknownParents: "ignore" });
  };
  return [lone("blood.obo", new TextEncoder().encode(BLOOD), read)];
}

/** A family of files: how many of them are damaged, and which there are; `directory` is empty. */
type Family = [name: string, cases: number, samples: (directory: string) => Promise<Sample[]>];

const FAMILIES: Family[] = [
  ["HDF5 of AnnData", 300, () => matching(/\.h5ad$/)],
  ["HDF5 of loom and 10x", 300, () => matching(/\.(loom|h5)$/)],
  ["HDF5 of MuData", 200, () => matching(/\.h5mu$/, (b) => readCells(b, { modality: "rna" }))],
  ["Zarr in a zip archive", 300, () => matching(/\.zip$/)],
  ["Zarr 2 in a folder", 300, (directory) => folders(/\.zarr$/, 7, directory)],
  ["Zarr in a folder of other forms", 300, zarrFolders],
  ["Zarr on a server", 200, () => Promise.all([served(2), served(3)])],
  ["10x in a folder", 300, (directory) => folders(/^mtx/, 1, directory)],
  ["NumPy's archives", 300, () => matching(/\.npz$/, readNpz)],
  ["NumPy's archives of cells", 300, () => matching(/\.npz$/)],
  ["NumPy's arrays", 300, npy],
  ["safetensors", 500, () => Promise.resolve(safetensors())],
  ["Parquet", 500, () => matching(/\.parquet$/, undefined, "parquet")],
  ["delimited text", 300, () => matching(/\.(csv|tsv)$/)],
  ["delimited text by gzip", 300, () => matching(/\.gz$/, readTable)],
  ["delimited text before gzip", 100, () => matching(/\.(csv|tsv)$/, zipped(readTable))],
  ["OBO", 500, () => Promise.resolve(ontologies())],
];

for (const [name, cases, samples] of FAMILIES) {
  Deno.test(`damaged ${name} is read, or refused in the library's own words`, () =>
    inTempDirectory(async (directory) => damageAll(await samples(directory), cases)));
}

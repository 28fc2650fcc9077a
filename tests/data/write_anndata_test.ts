import { assert, assertEquals, assertRejects } from "@std/assert";
import { type AnnDataFile, openAnnData } from "../../src/data/anndata.ts";
import type { Column } from "../../src/data/column.ts";
import {
  encodeAnnData,
  updateAnnData,
  writeAnnData,
  type WriteAnnDataOptions,
} from "../../src/data/write_anndata.ts";
import type { AnnDataContent } from "../../src/data/written_parts.ts";
import { LocalFile } from "../../src/data/file.ts";
import { checksum, objectHeader, pack } from "../../src/data/h5_messages.ts";
import { openH5 } from "../../src/data/h5ad.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { CELLS, cells, COUNTS } from "./tree.ts";
import { FORMS, h5Bytes, inTempDirectory } from "./write.ts";
import { ADDED, CONTENT } from "./written_content.ts";

const READ_BY_PYTHON = new URL("written.h5ad", import.meta.url);

/** All ways to write. */
const WAYS: Record<string, [end: string, options: WriteAnnDataOptions]> = {
  "HDF5": ["h5ad", {}],
  "HDF5, compressed": ["h5ad", { compression: "gzip" }],
  "Zarr 2": ["zarr", {}],
  "Zarr 2, compressed": ["zarr", { compression: "gzip" }],
  "Zarr 3": ["zarr", { zarrVersion: 3 }],
  "Zarr 3, compressed": ["zarr", { zarrVersion: 3, compression: "gzip" }],
};

type Parts = Record<string, unknown>;

const plain = (x: Tensor) => [x.dtype, [...x.shape], x.data];

/** All that a reader sees of a file, a column of large integers aside. */
async function contentOf(file: AnnDataFile): Promise<Parts> {
  const found: Parts = { obs: await file.obsNames(), var: await file.varNames(), keys: file.keys };
  for (const key of file.keys.obs.filter((key) => !TOO_LARGE.includes(key))) {
    found[`obs/${key}`] = await file.obs(key);
  }
  for (const key of file.keys.var) found[`var/${key}`] = await file.var(key);
  for (const key of file.keys.layers) {
    const layer = await file.layer(key);
    found[`layers/${key}`] = [layer.format, ...plain(await layer.read())];
  }
  for (const key of file.keys.obsm) found[`obsm/${key}`] = plain(await file.obsm(key));
  found["X"] = plain(await file.X.read());
  return found;
}

const TOO_LARGE = ["large", "unsigned"];

async function read(path: string): Promise<Parts> {
  const file = await openAnnData(path);
  try {
    return await contentOf(file);
  } finally {
    file.close();
  }
}

/** The files of a folder, at any depth, and the folder's own neighbours. */
function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`) : [`${folder}/${name}`]
  ).sort();
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

Deno.test("encodeAnnData() gives the bytes that AnnData 0.8 has read", async () => {
  // Where they differ on purpose: verify_written.py reads the new ones.
  const bytes = await encodeAnnData(CONTENT);
  assertEquals(bytes.length, (await Deno.stat(READ_BY_PYTHON)).size);
  assert(bytes.every((byte, i) => byte === expected[i]));
});

const expected = await Deno.readFile(READ_BY_PYTHON);

Deno.test("writeAnnData() writes the Zarr files that AnnData 0.8 has read", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/cells.zarr`;
    await writeAnnData(path, CONTENT);
    const parts = filesIn(path).map((file) => [
      new TextEncoder().encode(file.slice(path.length)),
      Deno.readFileSync(file),
    ]).flat();
    const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
    const hex = Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join("");
    // Where it differs on purpose: verify_written.py reads the new files.
    assertEquals(hex, "0161f23e723271adc810f4455954691c17f5b467f2d0e01246bf6c6ae06c05dd");
  });
});

for (const [way, [end, options]] of Object.entries(WAYS)) {
  Deno.test(`writeAnnData() writes what openAnnData() reads: ${way}`, async () => {
    await inTempDirectory(async (folder) => {
      const path = `${folder}/cells.${end}`;
      await writeAnnData(path, CONTENT, options);
      assertEquals(namesIn(folder), [`cells.${end}`]);
      const found = await read(path);
      assertEquals(found["obs"], ["c0", "c1", "zelle\u00e4", "\u{1f9ec}"]);
      assertEquals(found["X"], ["float32", [4, 3], X]);
      const { obs } = CONTENT;
      for (const key of ["cell_type", "stage", "many", "missing_count", "missing_flag"]) {
        assertEquals(found[`obs/${key}`], obs![key]);
      }
      assertEquals(found["obs/note"], { kind: "string", values: obs!["note"] as string[] });
      assertEquals(found["obs/passed"], { kind: "boolean", values: Uint8Array.of(1, 0, 0, 1) });
      const numeric = (key: string) => (found[`obs/${key}`] as { values: unknown }).values;
      assertEquals(numeric("score"), Float64Array.of(0.5, NaN, -Infinity, 1e300));
      assertEquals(numeric("share"), Float32Array.of(0.25, NaN, -1, 2));
      assertEquals(numeric("small"), Int32Array.of(1, -2, 3, 4));
      assertEquals(numeric("percent #? %41"), Float64Array.of(1, 2, 3, 4));
      const dense = [0, 1, 0, 2, 0, 0, 0, 0, 3, 4, 5, 0];
      assertEquals(found["layers/csr"], ["csr", "float32", [4, 3], Float32Array.from(dense)]);
      assertEquals(found["layers/csc"], ["csc", "int32", [4, 3], Int32Array.from(dense)]);
      assertEquals((found["layers/flags"] as unknown[])[1], "bool");
      assertEquals((found["obsm/tiles"] as unknown[])[1], [4, 3, 2]);
      assertEquals((found["obsm/empty"] as unknown[])[1], [4, 0]);
    });
  });
}

const X = Float32Array.of(0, 1.5, 0, 2, 0, 0, 0, 0, -3, 4, 5, 0);

/** What a file holds as it can be written; layers and obsm only where they are asked for. */
async function copyOf(file: AnnDataFile, withMatrices: boolean): Promise<AnnDataContent> {
  const part = async <T>(keys: readonly string[], get: (key: string) => Promise<T>) =>
    Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await get(key)] as const)));
  const layers = withMatrices ? file.keys.layers.filter((key) => key !== "too_large") : [];
  const obsm = withMatrices ? file.keys.obsm : [];
  return {
    X: await file.X.read(),
    obs: { _index: await file.obsNames(), ...await part(file.keys.obs, (key) => file.obs(key)) },
    var: { _index: await file.varNames(), ...await part(file.keys.var, (key) => file.var(key)) },
    layers: await part(layers, async (key) => await (await file.layer(key)).read()),
    obsm: await part(obsm, (key) => file.obsm(key)),
  };
}

Deno.test("what openAnnData() reads can be written again, and reads alike", async () => {
  await inTempDirectory(async (folder) => {
    const own = await FORMS["h5ad"]!(folder, cells());
    // Its layers and obsm are of kinds that cannot be read.
    const foreign = new URL("h5py.h5ad", import.meta.url);
    for (const source of [own, foreign]) {
      await using file = await openAnnData(source);
      const content = await copyOf(file, source === own);
      for (const end of ["h5ad", "zarr"]) {
        const path = `${folder}/copy.${end}`;
        await writeAnnData(path, content);
        await using copy = await openAnnData(path);
        assertEquals(copy.keys.obs, file.keys.obs);
        assertEquals(await copy.obsNames(), await file.obsNames());
        for (const key of file.keys.obs) assertEquals(await copy.obs(key), await file.obs(key));
        for (const key of file.keys.var) assertEquals(await copy.var(key), await file.var(key));
        for (const key of copy.keys.obsm) {
          assertEquals(plain(await copy.obsm(key)), plain(await file.obsm(key)));
        }
        assertEquals((await copy.X.read()).data, (await file.X.read()).data);
      }
    }
  });
});

Deno.test("names of rows are their numbers by default, and lengths come from any part", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/x.h5ad`;
    const cases: [AnnDataContent, number, number][] = [
      [{ X: [[1, 2, 3]] }, 1, 3],
      [{ obs: { a: ["x", "y"] } }, 2, 0],
      [{ var: { _index: ["g"] } }, 0, 1],
      [{ obsm: { a: [[1], [2], [3]] }, varm: { b: [[1], [2]] } }, 3, 2],
      [{ obsp: { a: [[1, 0], [0, 1]] } }, 2, 0],
      [{ uns: { a: 1 } }, 0, 0],
      [{ X: undefined, layers: { a: [[true], [false]] } }, 2, 1],
    ];
    for (const [content, nObs, nVars] of cases) {
      await writeAnnData(path, content);
      await using file = await openAnnData(path);
      assertEquals([file.nObs, file.nVars], [nObs, nVars]);
      const names = content.var?._index as string[] ??
        Array.from({ length: nVars }, (_, i) => `${i}`);
      assertEquals(await file.varNames(), names);
    }
  });
});

Deno.test("a floating-point column says NaN where a value is missing; a mask stays one", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/x.h5ad`;
    const missing = Uint8Array.of(0, 1);
    const columns: Record<string, Column> = {
      score: { kind: "numeric", values: Float32Array.of(1, 2), missing },
      text: { kind: "string", values: ["a", ""], missing },
      none: { kind: "numeric", values: Int32Array.of(1, 2), missing: Uint8Array.of(0, 0) },
    };
    await writeAnnData(path, { obs: columns });
    await using file = await openAnnData(path);
    assertEquals(await file.obs("score"), { kind: "numeric", values: Float32Array.of(1, NaN) });
    assertEquals(await file.obs("text"), columns["text"]);
    assertEquals(await file.obs("none"), columns["none"]);
  });
});

Deno.test("a path ends in its format, or the option says it", async () => {
  await inTempDirectory(async (folder) => {
    const content = { X: [[1]] };
    await writeAnnData(`${folder}/a.zarr/`, content);
    await writeAnnData(new URL(`file://${folder}/b.H5AD`), content);
    await writeAnnData(`${folder}/c`, content, { format: "zarr" });
    await writeAnnData(`${folder}/d.zarr`, content, { format: "h5ad" });
    for (const name of ["a.zarr", "b.H5AD", "c", "d.zarr"]) {
      await using file = await openAnnData(`${folder}/${name}`);
      assertEquals(file.X.shape, [1, 1]);
    }
    assert(!Deno.statSync(`${folder}/d.zarr`).isDirectory);
    await assertRejects(
      () => writeAnnData(`${folder}/e`, content),
      TypeError,
      `Cannot write "${folder}/e" as its name says no format: let it end in .h5ad or .zarr, or ` +
        "give the option format",
    );
  });
});

/** What is refused, by what the message says behind the file. */
const REFUSED: [string, unknown][] = [
  [
    'Cannot write "obs/a" of F as it must have 2 values, one for each cell of "X": it has 3',
    { X: [[1], [2]], obs: { a: [1, 2, 3] } },
  ],
  [
    'Cannot write "var/_index" of F as it must have 1 values, one for each gene of "X": it has 2',
    { X: [[1], [2]], var: { _index: ["a", "b"] } },
  ],
  [
    'Cannot write "layers/b" of F as it must have 1 columns, one for each gene of "X": it has 2',
    { X: [[1], [2]], layers: { b: [[1, 2], [3, 4]] } },
  ],
  [
    'Cannot write "obsm/b" of F as it must have 2 rows, one for each cell of "obs/a": it has 1',
    { obs: { a: ["x", "y"] }, obsm: { b: [[1, 2]] } },
  ],
  [
    'Cannot write "obsm/a" of F as it must have at least two axes: its shape is [2]',
    { obsm: { a: [1, 2] } },
  ],
  ['Cannot write "X" of F as it must have two axes: its shape is [1, 1, 1]', { X: [[[1]]] }],
  [
    'Cannot write "obs" of F as a name in it must not have "/", which begins a new group or ends ' +
    'a name: current name is "a/b"',
    { obs: { "a/b": [1] } },
  ],
  ['Cannot write "uns" of F as a name in it is empty', { uns: { "": 1 } }],
  [
    'Cannot write "uns/a" of F as the format keeps the name "." for itself: take another one',
    { uns: { a: { ".": 1 } } },
  ],
  [
    'Cannot write "obs/__categories" of F as AnnData keeps this name for itself: take another one',
    { obs: { __categories: [1] } },
  ],
  [
    'Cannot write "obs/a" of F as value 1 must be a text: it is null: a missing text is said by ' +
    "the code −1 of a categorical column, or by missing",
    { obs: { a: ["x", null] } },
  ],
  [
    'Cannot write "obs/a" of F as its values must be of one kind: value 0 is 1, and value 1 is "b"',
    { obs: { a: [1, "b"] } },
  ],
  [
    'Cannot write "obs/a" of F as its values must be texts, numbers or booleans: value 0 is null: ' +
    "NaN says that a number is missing, or a column with missing",
    { obs: { a: [null, 1] } },
  ],
  [
    'Cannot write "obs/a" of F as value 0 has a zero character, which ends a text in HDF5: current ' +
    'value is "x\\u0000y"',
    { obs: { a: ["x\0y"] } },
  ],
  [
    'Cannot write "obs/a" of F as value 0 is no whole Unicode text: current value is "\\ud800"',
    { obs: { a: ["\ud800"] } },
  ],
  [
    'Cannot write "obs/a" of F as it holds booleans, 0 or 1, and numbers need another type than ' +
    "Uint8Array: value 1 is 2",
    { obs: { a: Uint8Array.of(1, 2) } },
  ],
  [
    'Cannot write "obs/a" of F as codes must be in [-1, 0]: value 1 is 1',
    { obs: { a: { kind: "categorical", codes: [0, 1], categories: ["x"] } } },
  ],
  [
    'Cannot write "obs/a" of F as categories must differ: "x" is there twice',
    { obs: { a: { kind: "categorical", codes: [0], categories: ["x", "x"] } } },
  ],
  [
    'Cannot write "obs/a" of F as missing must have 2 values, as many as values: it is [1]',
    { obs: { a: { kind: "numeric", values: Int32Array.of(1, 2), missing: [1] } } },
  ],
  [
    'Cannot write "obs/a" of F as values of a numeric column must fit its kind: they are ["x"]',
    { obs: { a: { kind: "numeric", values: ["x"] } } },
  ],
  [
    'Cannot write "obs/a" of F as it must be an array of texts, numbers or booleans, a tensor, or ' +
    "a column that openAnnData reads: it is undefined",
    { obs: { a: undefined } },
  ],
  [
    'Cannot write "obs/_index" of F as names must be an array of texts: they are 7',
    { obs: { _index: 7 } },
  ],
  [
    'Cannot write "X" of F as indices must be in [0, 1]: value 0 is 2',
    { X: { format: "csr", shape: [1, 2], data: [1], indices: [2], indptr: [0, 1] } },
  ],
  [
    'Cannot write "X" of F as indptr must grow from 0 to 1: value 1 is 2',
    { X: { format: "csc", shape: [3, 1], data: [1], indices: [2], indptr: [0, 2] } },
  ],
  [
    'Cannot write "X" of F as its parts do not fit together: 1 rows (of csc: columns) need 2 ' +
    "indptr and there are 2; there are 1 data and 2 indices",
    { X: { format: "csr", shape: [1, 2], data: [1], indices: [0, 1], indptr: [0, 1] } },
  ],
  [
    'Cannot write "uns/a" of F as it must be a text, a number, a boolean, an array, a tensor, a ' +
    "column, a sparse matrix or an object of these: it is null: AnnData before 0.11 could not " +
    "read the file: leave it out, or say it by a text",
    { uns: { a: null } },
  ],
  [
    'Cannot write "uns/a" of F as int64 cannot hold it: current value is 9223372036854775808',
    { uns: { a: 2n ** 63n } },
  ],
  [
    "Cannot write F as there is no part oobs: the parts are X, obs, var, layers, obsm, varm, obsp, " +
    "varp, uns",
    { oobs: {} },
  ],
  [
    "Cannot write F as no part is given: they are X, obs, var, layers, obsm, varm, obsp, varp, uns",
    {},
  ],
  ["Cannot write F as its content must be a plain object: it is [1]", [1]],
  [
    'Cannot write "obs" of F as it must be a plain object of what it holds: it is ["a"]',
    { obs: ["a"] },
  ],
];

Deno.test("what cannot be written is refused in one line that names the key", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/x.h5ad`;
    for (const [message, content] of REFUSED) {
      const error = await assertRejects(() => writeAnnData(path, content as AnnDataContent), Error);
      assertEquals(error.message.replace(`"${path}"`, "F"), message);
      assert(error instanceof TypeError || error instanceof RangeError);
    }
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    const content = { uns: cyclic } as AnnDataContent;
    await assertRejects(() => writeAnnData(path, content), RangeError, "more than 100 deep");
    const columns = Object.fromEntries(Array.from({ length: 4001 }, (_, i) => [`c${i}`, [1]]));
    const many = "as HDF5 can list 4000 columns: there are 4001; obsm and varm hold more, and Zarr";
    await assertRejects(() => writeAnnData(path, { obs: columns }), RangeError, many);
    await using file = await openAnnData(new URL("h5py.h5ad", import.meta.url));
    const stored = { X: file.X } as unknown as AnnDataContent;
    const read = 'Cannot write "X" of an AnnData file as it is a matrix in a file: give what its ' +
      "read() resolves to";
    await assertRejects(() => encodeAnnData(stored), TypeError, read);
    assertEquals(namesIn(folder), []);
  });
});

Deno.test("Zarr keeps other names for itself than HDF5", async () => {
  await inTempDirectory(async (folder) => {
    for (const name of ["..", ".zattrs", "zarr.json", "a\\b", "__x"]) {
      const content = { uns: { [name]: 1 } };
      await assertRejects(() => writeAnnData(`${folder}/x.zarr`, content), TypeError, '"uns" of "');
      await writeAnnData(`${folder}/x.h5ad`, content);
    }
    await writeAnnData(`${folder}/x.zarr`, { obs: { a: ["x\0y"] } });
    await using file = await openAnnData(`${folder}/x.zarr`);
    assertEquals(await file.obs("a"), { kind: "string", values: ["x\0y"] });
  });
});

Deno.test("options are checked", async () => {
  const content = { X: [[1]] };
  const write = (options: unknown) =>
    writeAnnData("x.h5ad", content, options as WriteAnnDataOptions);
  await assertRejects(
    () => write({ zarrVersion: 1 }),
    RangeError,
    "Cannot compute writeAnnData as zarrVersion must be 2 or 3: current value is 1",
  );
  await assertRejects(() => write({ compression: "lzf" }), TypeError, "must be one of none, gzip");
  await assertRejects(() => write({ format: "csv" }), TypeError, "must be one of h5ad, zarr");
  await assertRejects(() => write({ compress: "gzip" }), TypeError, "did you mean compression?");
  const path = "" as string;
  await assertRejects(() => writeAnnData(path, content), TypeError, "a text that is not empty");
});

/** Files of many forms, to be added to. */
const EXISTING: Record<string, (folder: string) => Promise<string>> = {
  "HDF5 with old groups": async (folder) => {
    await Deno.writeFile(`${folder}/x.h5ad`, await h5Bytes(cells()));
    return `${folder}/x.h5ad`;
  },
  "HDF5 of its own": async (folder) => {
    await writeAnnData(`${folder}/x.h5ad`, OWN, { compression: "gzip" });
    return `${folder}/x.h5ad`;
  },
  "HDF5 behind another program's bytes": async (folder) => {
    await Deno.copyFile(new URL("h5py.h5ad", import.meta.url), `${folder}/x.h5ad`);
    return `${folder}/x.h5ad`;
  },
  "Zarr 2": async (folder) => {
    await FORMS["Zarr 2"]!(folder, cells());
    return `${folder}/cells2.zarr`;
  },
  "Zarr 3": async (folder) => {
    await FORMS["Zarr 3"]!(folder, cells());
    return `${folder}/cells3.zarr`;
  },
  "Zarr of its own": async (folder) => {
    await writeAnnData(`${folder}/x.zarr`, OWN, { zarrVersion: 3 });
    return `${folder}/x.zarr`;
  },
};

const OWN: AnnDataContent = { X: tensor(COUNTS), obs: { _index: CELLS, score: [1, 2, 3, 4, 5] } };

for (const [name, make] of Object.entries(EXISTING)) {
  Deno.test(`updateAnnData() adds, and leaves the rest: ${name}`, async () => {
    await inTempDirectory(async (folder) => {
      const path = await make(folder);
      const { nObs, names, before, keys } = await look(path);
      const codes = Int32Array.from({ length: nObs }, (_, i) => i % 2 - 1);
      const added: AnnDataContent = {
        obs: {
          predicted: { kind: "categorical", codes, categories: ["T"], ordered: false },
          sure: Array.from({ length: nObs }, (_, i) => i === 0),
        },
        obsm: {
          X_new: tensor(Float32Array.from({ length: 2 * nObs }, (_, i) => i), { shape: [nObs, 2] }),
        },
        uns: { model: { name: "demo" } },
      };
      await updateAnnData(path, { ...added, obs: { _index: names, ...added.obs } });
      const twice = await assertRejects(() => updateAnnData(path, added), TypeError);
      assertEquals(
        twice.message,
        `Cannot write "obs/predicted" of "${path}" as it is there already: the option overwrite ` +
          "replaces it",
      );
      await updateAnnData(path, { obs: { sure: new Float64Array(nObs).fill(0.5) } }, {
        overwrite: true,
      });
      const after = await look(path);
      assertEquals(after.keys.obs, [...keys.obs, "predicted", "sure"]);
      assertEquals([...after.keys.obsm].sort(), [...keys.obsm, "X_new"].sort());
      for (const [key, value] of Object.entries(before)) assertEquals(after.before[key], value);
      assertEquals(after.before["obs/predicted"], added.obs!["predicted"]);
      assertEquals(after.before["obs/sure"], {
        kind: "numeric",
        values: new Float64Array(nObs).fill(0.5),
      });
      assertEquals(namesIn(folder), [path.slice(folder.length + 1)]);
    });
  });
}

/** What a file of the tests holds, of what can be read. */
async function look(path: string) {
  await using file = await openAnnData(path);
  const before: Parts = {};
  const { keys, nObs } = file;
  for (const key of keys.obs) before[`obs/${key}`] = await file.obs(key);
  for (const key of keys.layers) {
    before[`layers/${key}`] = await file.layer(key).then((layer) => layer.read())
      .then(plain, () => "cannot be read");
  }
  before["X"] = plain(await file.X.read());
  return { nObs, keys, before, names: await file.obsNames() };
}

Deno.test("updateAnnData() keeps every byte of an HDF5 file but those that say where its root is", async () => {
  await inTempDirectory(async (folder) => {
    for (const make of Object.values(EXISTING).slice(0, 3)) {
      const path = await make(folder);
      const old = await Deno.readFile(path);
      const { nObs } = await look(path);
      await updateAnnData(path, { obs: { new: new Float32Array(nObs) } });
      const bytes = await Deno.readFile(path);
      const changed = old.reduce((list: number[], byte, i) => {
        if (byte !== bytes[i]) list.push(i);
        return list;
      }, []);
      assert(changed.length > 0 && changed.at(-1)! - changed[0]! < 104, `${changed}`);
    }
  });
});

Deno.test("updateAnnData() refuses what does not fit the file", async () => {
  await inTempDirectory(async (folder) => {
    for (const make of Object.values(EXISTING)) {
      const path = await make(folder);
      const before = filesIn(folder).map((file) => [file, Deno.readFileSync(file).length]);
      const { nObs, names } = await look(path);
      const reject = async (content: AnnDataContent, kind: typeof TypeError, message: string) => {
        const error = await assertRejects(() => updateAnnData(path, content), kind);
        assertEquals(error.message.replace(`"${path}"`, "F"), message);
      };
      await reject(
        { obs: { a: [1] } },
        TypeError,
        `Cannot write "obs/a" of F as it must have ${nObs} values, one for each cell of the file: ` +
          "it has 1",
      );
      const wrong = names.toReversed();
      await reject(
        { obs: { _index: wrong, a: names } },
        RangeError,
        'Cannot write "obs/_index" of F as names must be those of the file, in its order: name 0 ' +
          `is "${wrong[0]}", and the file has "${names[0]}"`,
      );
      await updateAnnData(path, { obs: {}, obsm: {} });
      await updateAnnData(path, { obs: { _index: names } });
      assertEquals(filesIn(folder).map((file) => [file, Deno.readFileSync(file).length]), before);
      await Deno.remove(path, { recursive: true });
    }
    await assertRejects(
      () => updateAnnData(`${folder}/missing.h5ad`, { obs: { a: [1] } }),
      Error,
      `Cannot read "${folder}/missing.h5ad" as it does not exist`,
    );
    await FORMS["zipped Zarr 3 in shards"]!(folder, cells());
    await assertRejects(
      () => updateAnnData(`${folder}/cells.zarr.zip`, { obs: { a: new Float32Array(5) } }),
      TypeError,
      "as it is a zip archive, to which nothing can be added: unpack it",
    );
  });
});

Deno.test("updateAnnData() refuses HDF5 files that keep a list of free space", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/x.h5ad`;
    // An extension of the superblock is an object of its own, here an empty one.
    const own = await encodeAnnData(OWN);
    const bytes = pack(own, objectHeader([]));
    const view = new DataView(bytes.buffer);
    view.setBigUint64(20, BigInt(own.length), true);
    view.setBigUint64(28, BigInt(bytes.length), true);
    view.setUint32(44, checksum(bytes.subarray(0, 44)), true);
    await Deno.writeFile(path, bytes);
    await assertRejects(
      () => updateAnnData(path, { obs: { a: [1, 2, 3, 4, 5] } }),
      SyntaxError,
      `Cannot read "${path}" as its HDF5 superblock is of a form that cannot be added to: write it ` +
        "anew with AnnData, or with h5repack",
    );
    assertEquals(namesIn(folder), ["x.h5ad"]);
  });
});

Deno.test("updateAnnData() keeps attributes of all kinds", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/x.h5ad`;
    const tree = cells();
    const more = { numbers: [1, 2, 3], texts: ["a", "b"], text: "c" };
    const obsm = {
      ...tree.members["obsm"]!,
      attributes: { ...tree.members["obsm"]!.attributes, ...more },
    };
    await Deno.writeFile(path, await h5Bytes({ ...tree, members: { ...tree.members, obsm } }));
    const attributesOf = async () => {
      const store = await openH5(await LocalFile.open(path));
      const { attributes } = (await store.root.get("obsm"))!;
      store.close();
      return attributes;
    };
    const before = await attributesOf();
    assertEquals(before["texts"], ["a", "b"]);
    await updateAnnData(path, { obsm: { a: [[1], [2], [3], [4], [5]] } });
    assertEquals(await attributesOf(), before);
  });
});

Deno.test("the names of rows are no column, whatever they are called", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/x.zarr`;
    await writeAnnData(path, { obs: { barcode: ["a", "b"] } });
    const attributes = JSON.parse(await Deno.readTextFile(`${path}/obs/.zattrs`));
    Object.assign(attributes, { _index: "barcode", "column-order": [] });
    await Deno.writeTextFile(`${path}/obs/.zattrs`, JSON.stringify(attributes));
    await assertRejects(
      () => updateAnnData(path, { obs: { barcode: ["c", "d"] } }, { overwrite: true }),
      TypeError,
      `Cannot write "obs/barcode" of "${path}" as it names the rows, which stay as they are`,
    );
  });
});

Deno.test("a column that a killed writer has left unlisted is added again", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/x.zarr`;
    await writeAnnData(path, { obs: { a: ["x", "y"], b: ["x", "y"] } });
    const attributes = JSON.parse(await Deno.readTextFile(`${path}/obs/.zattrs`));
    attributes["column-order"] = ["a"];
    await Deno.writeTextFile(`${path}/obs/.zattrs`, JSON.stringify(attributes));
    await updateAnnData(path, { obs: { b: [1, 2] } });
    await using file = await openAnnData(path);
    assertEquals(file.keys.obs, ["a", "b"]);
    assertEquals(await file.obs("b"), { kind: "numeric", values: Float64Array.of(1, 2) });
    assertEquals(namesIn(folder), ["x.zarr"]);
  });
});

Deno.test("updateAnnData() adds to the list of all metadata, where there is one", async () => {
  await inTempDirectory(async (folder) => {
    const update = async (path: string) => {
      await updateAnnData(path, ADDED);
      await updateAnnData(path, { obsm: { X_new: [[1], [2], [3], [4]] } }, { overwrite: true });
    };
    const two = `${folder}/2.zarr`;
    await writeAnnData(two, CONTENT);
    const metadata = Object.fromEntries(
      filesIn(two).filter((file) => /\.z\w+$/.test(file)).map((
        file,
      ) => [file.slice(two.length + 1), JSON.parse(Deno.readTextFileSync(file))]),
    );
    const list = { zarr_consolidated_format: 1, metadata };
    await Deno.writeTextFile(`${two}/.zmetadata`, JSON.stringify(list));
    await update(two);
    const found = JSON.parse(await Deno.readTextFile(`${two}/.zmetadata`)).metadata;
    for (const file of filesIn(two).filter((file) => /\.z(array|attrs|group)$/.test(file))) {
      const name = file.slice(two.length + 1);
      assertEquals(found[name], JSON.parse(Deno.readTextFileSync(file)), name);
      delete found[name];
    }
    assertEquals(found, {});

    const three = `${folder}/3.zarr`;
    await writeAnnData(three, CONTENT, { zarrVersion: 3 });
    const root = JSON.parse(await Deno.readTextFile(`${three}/zarr.json`));
    root.consolidated_metadata = { kind: "inline", must_understand: false, metadata: {} };
    await Deno.writeTextFile(`${three}/zarr.json`, JSON.stringify(root));
    await update(three);
    const inline = JSON.parse(await Deno.readTextFile(`${three}/zarr.json`)).consolidated_metadata;
    const predicted = await Deno.readTextFile(`${three}/obs/predicted/codes/zarr.json`);
    assertEquals(inline.metadata["obs/predicted/codes"], JSON.parse(predicted));
    assertEquals(inline.metadata["obsm/X_new"].shape, [4, 1]);
    assert(inline.metadata["obs"].attributes["column-order"].includes("predicted"));
  });
});

Deno.test("groups that a file lacks are added, and X", async () => {
  await inTempDirectory(async (folder) => {
    for (
      const [end, options] of [["h5ad", {}], ["zarr", {}], ["zarr", { zarrVersion: 3 }]] as const
    ) {
      const path = `${folder}/x.${end}`;
      await writeAnnData(path, { obs: { a: ["x", "y"] }, var: { _index: ["g"] } }, options);
      if (end === "zarr") await Deno.remove(`${path}/layers`, { recursive: true });
      await updateAnnData(path, { X: [[1], [2]], layers: { b: [[3], [4]] } });
      await using file = await openAnnData(path);
      assertEquals((await file.X.read()).toArray(), [[1], [2]]);
      assertEquals((await (await file.layer("b")).read()).toArray(), [[3], [4]]);
    }
  });
});

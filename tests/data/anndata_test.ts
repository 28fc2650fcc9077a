import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { cellLoader } from "../../src/data/cell_loader.ts";
import { type AnnDataFile, openAnnData } from "../../src/data/anndata.ts";
import { type Branch, CELLS, cells, COUNTS, leaf, nullable, withElement } from "./tree.ts";
import { FORMS, inTempDirectory } from "./write.ts";

const HALVES = COUNTS.map((row) => row.map((v) => v / 2));

/** Writes a tree in one form, opens it and hands it to the test. */
function withFile(
  form: string,
  tree: Branch,
  test: (file: AnnDataFile) => Promise<void> | void,
): Promise<void> {
  return inTempDirectory(async (directory) => {
    await using file = await openAnnData(await FORMS[form]!(directory, tree));
    await test(file);
  });
}

for (const form of Object.keys(FORMS)) {
  /** Registers a test on the five cells in this form. */
  const check = (name: string, test: (file: AnnDataFile) => Promise<void> | void) =>
    Deno.test(`openAnnData() ${name} from ${form}`, () => withFile(form, cells(), test));

  check("tells how many cells and genes there are", (file) => {
    assertEquals([file.nObs, file.nVars], [5, 4]);
  });

  check("lists the keys", (file) => {
    assertEquals(file.keys.obs, [
      "cell_type",
      "stage",
      "n_genes",
      "score",
      "note",
      "count",
      "percent #? %41",
    ]);
    assertEquals(file.keys.var, ["length"]);
    assertEquals([...file.keys.layers].sort(), [
      "by_gene",
      "counts",
      "large",
      "small",
      "too_large",
    ]);
    assertEquals([...file.keys.obsm].sort(), ["X_pca", "sparse", "tiles"]);
  });

  check("reads the names of cells and genes", async (file) => {
    assertEquals(await file.obsNames(), CELLS);
    assertEquals(await file.varNames(), ["g1", "g2", "g3", "g4"]);
  });

  check("reads a dense matrix", async (file) => {
    assertEquals([file.X.format, file.X.dtype, file.X.shape], ["dense", "float32", [5, 4]]);
    assertEquals((await file.X.read()).toArray(), HALVES);
  });

  check("reads a sparse matrix in rows", async (file) => {
    const matrix = await file.layer("counts");
    assertEquals([matrix.format, matrix.dtype, matrix.shape], ["csr", "int32", [5, 4]]);
    assertEquals((await matrix.read()).toArray(), COUNTS);
  });

  check("reads a sparse matrix in columns", async (file) => {
    const matrix = await file.layer("by_gene");
    assertEquals([matrix.format, matrix.dtype, matrix.shape], ["csc", "float32", [5, 4]]);
    assertEquals((await matrix.read()).toArray(), COUNTS);
  });

  check("reads small and 64-bit integers as int32", async (file) => {
    const [small, large] = [await file.layer("small"), await file.layer("large")];
    assertEquals([small.dtype, large.dtype], ["int32", "int32"]);
    assertEquals((await small.read()).toArray(), COUNTS);
    assertEquals((await large.read()).toArray(), COUNTS.map((row) => row.map((v) => v - 3)));
  });

  check("refuses integers that int32 cannot hold", async (file) => {
    const matrix = await file.layer("too_large");
    const error = await assertRejects(() => matrix.read(), RangeError);
    assertEquals(
      error.message,
      `Cannot read "layers/too_large" of "${file.path}" as int32 cannot hold its values: ` +
        "they must be in [-2147483648, 2147483647]: current value is 4294967296",
    );
  });

  for (const key of ["counts", "by_gene", "small"]) {
    check(`reads row batches of layer ${key} that add up to all rows`, async (file) => {
      const matrix = await file.layer(key);
      for (const size of [1, 2, 3, 5, 8]) {
        const rows: unknown[] = [];
        for await (const batch of matrix.rowBatches(size)) rows.push(...batch.toArray() as []);
        assertEquals(rows, COUNTS);
      }
    });
  }

  for (const key of ["counts", "by_gene", "small"]) {
    check(`reads any rows of layer ${key}, in any order`, async (file) => {
      const matrix = await file.layer(key);
      for (const rows of [[], [4], [4, 0, 4, 2], [3, 1], [0, 1, 2, 3, 4]]) {
        const read = await matrix.readRows(rows);
        assertEquals(read.toArray(), rows.map((row) => COUNTS[row]!));
        assertEquals(read.dtype, matrix.dtype);
      }
    });
  }

  check("loads shuffled batches of every row", async (file) => {
    const loader = cellLoader(file, {
      batchSize: 2,
      shuffle: true,
      layer: "counts",
      obs: ["stage"],
    });
    const seen: number[] = [];
    for await (const { x, index, count, obs } of loader) {
      const rows = [...index.subarray(0, count)];
      seen.push(...rows);
      assertEquals(x.toArray().slice(0, count), rows.map((row) => COUNTS[row]!));
      assertEquals(
        [...obs["stage"]!.data].slice(0, count),
        rows.map((row) => [0, 1, 1, 0, 0][row]!),
      );
    }
    assertEquals(seen.sort(), [0, 1, 2, 3, 4]);
  });

  check("reads the raw matrix and its own genes", async (file) => {
    assertEquals(file.raw?.X.shape, [5, 6]);
    assertEquals((await file.raw!.X.readRows(1, 3)).toArray(), [
      [1, 0, 0, 0, 0, 7],
      [0, 0, 3, 0, 0, 7],
    ]);
    assertEquals((await file.raw!.varNames()).at(-1), "g6");
  });

  check("reads categories, with -1 for missing ones", async (file) => {
    assertEquals(await file.obs("cell_type"), {
      kind: "categorical",
      codes: Int32Array.of(1, 0, -1, 1, 0),
      categories: ["B", "T αβ"],
      ordered: false,
    });
  });

  check("reads whether categories are ordered", async (file) => {
    const column = await file.obs("stage");
    assertEquals(column.kind === "categorical" && column.ordered, true);
  });

  check("reads columns of numbers", async (file) => {
    assertEquals(await file.obs("n_genes"), {
      kind: "numeric",
      values: Int32Array.of(2, 1, 1, 0, 3),
    });
    assertEquals(await file.obs("score"), {
      kind: "numeric",
      values: Float64Array.of(0.5, NaN, -1, 2, 1e300),
    });
    assertEquals(await file.var("length"), {
      kind: "numeric",
      values: Int32Array.of(10, 20, 30, 40),
    });
  });

  check("reads columns of text", async (file) => {
    const values = ["", "a", "b,c", "→", "e"];
    assertEquals(await file.obs("note"), { kind: "string", values });
  });

  check("reads which numbers are missing", async (file) => {
    assertEquals(await file.obs("count"), {
      kind: "numeric",
      values: Int32Array.of(7, 0, -9, 1, 2),
      missing: Uint8Array.of(0, 1, 0, 0, 0),
    });
  });

  check("reads a column whose name is no plain word", async (file) => {
    const values = Float32Array.of(1, 2, 3, 4, 5);
    assertEquals(await file.obs("percent #? %41"), { kind: "numeric", values });
  });

  check("reads arrays of any rank with a row for each cell", async (file) => {
    assertEquals((await file.obsm("X_pca")).toArray(), [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]);
    const tiles = await file.obsm("tiles");
    assertEquals([tiles.dtype, tiles.shape, tiles.data.at(-1)], ["float64", [5, 2, 2], 19]);
    assertEquals((await file.obsm("sparse")).toArray(), COUNTS);
  });

  check("names the keys there are where one is missing", async (file) => {
    const messages = [
      (await assertRejects(() => file.obs("louvain"), RangeError)).message,
      (await assertRejects(() => file.var("x"), RangeError)).message,
      (await assertRejects(() => file.layer("spliced"), RangeError)).message,
      (await assertRejects(() => file.obsm("X_umap"), RangeError)).message,
    ];
    const { obs, layers, obsm } = file.keys;
    assertEquals(messages, [
      `Cannot read the obs column of "${file.path}" as key must be one of ${obs.join(", ")}: ` +
      "current value is louvain",
      `Cannot read the var column of "${file.path}" as key must be one of length: ` +
      "current value is x",
      `Cannot read the layer of "${file.path}" as key must be one of ${layers.join(", ")}: ` +
      "current value is spliced",
      `Cannot read the obsm array of "${file.path}" as key must be one of ${obsm.join(", ")}: ` +
      "current value is X_umap",
    ]);
  });

  check("reads nothing once the file is closed", async (file) => {
    const X = file.X;
    file.close();
    file.close();
    const error = await assertRejects(() => X.read(), TypeError);
    assertEquals(error.message, `Cannot read "${file.path}" as it is closed`);
    await assertRejects(() => file.obs("score"), TypeError, "as it is closed");
  });

  Deno.test(`openAnnData() reads an empty matrix from ${form}`, () =>
    withFile(form, emptyCells(), async (file) => {
      assertEquals([file.nObs, file.nVars], [0, 4]);
      assertEquals((await file.X.read()).shape, [0, 4]);
      assertEquals(await file.obsNames(), []);
    }));

  Deno.test(`openAnnData() opens a file without X from ${form}`, () =>
    withFile(form, withElement(cells(), "X", undefined), async (file) => {
      const error = assertThrows(() => file.X, TypeError);
      assertEquals(
        error.message,
        `Cannot read X of "${file.path}" as it has none: its layers are ` +
          file.keys.layers.join(", "),
      );
      assertEquals((await (await file.layer("counts")).read()).toArray(), COUNTS);
    }));

  Deno.test(`openAnnData() opens a file without raw, layers and obsm from ${form}`, () => {
    let tree = cells();
    for (const key of ["raw", "layers", "obsm"]) tree = withElement(tree, key, undefined);
    return withFile(form, tree, async (file) => {
      assertStrictEquals(file.raw, undefined);
      assertEquals([file.keys.layers, file.keys.obsm], [[], []]);
      await assertRejects(() => file.layer("counts"), RangeError, "as there is none");
    });
  });

  Deno.test(`openAnnData() refuses numbers where text must be from ${form}`, () => {
    const numbers = leaf(Int32Array.of(1, 2, 3, 4, 5));
    const column = nullable("nullable-string-array", numbers, new Array(5).fill(false));
    return withFile(form, withElement(cells(), "obs/note", column), async (file) => {
      const error = await assertRejects(() => file.obs("note"), SyntaxError);
      assertEquals(
        error.message,
        `Cannot read "obs/note/values" of "${file.path}" as it must hold text: its type is int32`,
      );
    });
  });

  Deno.test(`openAnnData() refuses raw without its matrix from ${form}`, () =>
    inTempDirectory(async (directory) => {
      const file = await FORMS[form]!(directory, withElement(cells(), "raw/X", undefined));
      const error = await assertRejects(() => openAnnData(file), SyntaxError);
      assertEquals(error.message, `Cannot read "raw/X" of "${file}" as it is not there`);
    }));

  /** Registers a test that a changed tree cannot be opened. */
  const refuse = (
    name: string,
    path: string,
    element: ReturnType<typeof leaf> | undefined,
    why: string,
  ) =>
    Deno.test(`openAnnData() refuses ${name} from ${form}`, () =>
      inTempDirectory(async (directory) => {
        const file = await FORMS[form]!(directory, withElement(cells(), path, element));
        const error = await assertRejects(() => openAnnData(file), SyntaxError);
        assertEquals(error.message, why.replaceAll("FILE", file));
      }));

  refuse(
    "a matrix of another size than obs and var",
    "X",
    leaf(new Float32Array(12), [4, 3]),
    'Cannot read "X" of "FILE" as it must have 5 cells and 4 genes: its shape is [4, 3]',
  );
  refuse(
    "a file whose names of cells are missing",
    "obs/_index",
    undefined,
    'Cannot read "obs" of "FILE" as its index "_index" must be an array',
  );
  refuse(
    "a data frame that is an array of numbers",
    "obs",
    leaf(new Float32Array(5)),
    'Cannot read "obs" of "FILE" as a data frame must be a group or an array of records with names',
  );
}

function emptyCells(): Branch {
  let tree = withElement(cells(), "X", leaf(new Float32Array(0), [0, 4]));
  for (const key of ["raw", "layers", "obsm"]) tree = withElement(tree, key, undefined);
  const obs = tree.members["obs"] as Branch;
  return withElement(tree, "obs", {
    ...obs,
    members: { _index: leaf([]) },
    attributes: { ...obs.attributes, "column-order": [] },
  });
}

Deno.test("openAnnData() says that a file does not exist", async () => {
  const error = await assertRejects(() => openAnnData("no/such.h5ad"), Error);
  assertEquals(error.message, 'Cannot read "no/such.h5ad" as it does not exist');
});

Deno.test("openAnnData() takes a file URL", () =>
  inTempDirectory(async (directory) => {
    const path = await FORMS["h5ad"]!(directory, cells());
    await using file = await openAnnData(new URL(`file://${path}`));
    assertEquals(file.path, path);
  }));

Deno.test("openAnnData() says what a foreign file is not", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/cells.h5ad`;
    await Deno.writeTextFile(path, "cell,gene\n");
    const error = await assertRejects(() => openAnnData(path), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "${path}" as it is neither an HDF5 file (.h5ad) nor a zip archive (.zarr.zip)`,
    );
  }));

Deno.test("openAnnData() says that a file is empty", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/cells.h5ad`;
    await Deno.writeTextFile(path, "");
    const error = await assertRejects(() => openAnnData(path), SyntaxError);
    assertEquals(error.message, `Cannot read "${path}" as it is empty`);
  }));

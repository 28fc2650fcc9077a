import { assert, assertEquals } from "@std/assert";
import { type AnnDataFile, openAnnData } from "../../src/data/anndata.ts";
import { readTable } from "../../src/data/read_table.ts";

// Real cells, in a folder beside the repository that not everyone has.
const FOLDER = new URL("../../../shared/data/", import.meta.url);
const H5AD = new URL("10x_pbmc68k_reduced.h5ad", FOLDER);
const ZARR = new URL("10x_pbmc68k_reduced.zarr.zip", FOLDER);
const TABLE = new URL("krumsiek11.txt", FOLDER);

function exists(path: URL): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Registers a test of the same cells in both forms. */
function compare(
  name: string,
  test: (h5ad: AnnDataFile, zarr: AnnDataFile) => Promise<void>,
): void {
  if (!exists(H5AD) || !exists(ZARR)) return;
  Deno.test(`openAnnData() reads ${name} alike from .h5ad and .zarr.zip of real cells`, async () => {
    await using h5ad = await openAnnData(H5AD);
    await using zarr = await openAnnData(ZARR);
    await test(h5ad, zarr);
  });
}

compare("keys and names", async (h5ad, zarr) => {
  assertEquals([h5ad.nObs, h5ad.nVars], [700, 765]);
  assertEquals([h5ad.keys.obs, h5ad.keys.var], [zarr.keys.obs, zarr.keys.var]);
  assertEquals([h5ad.keys.layers, zarr.keys.layers], [[], ["counts"]]);
  assertEquals([h5ad.keys.obsm, zarr.keys.obsm], [["X_pca", "X_umap"], ["X_pca", "X_umap"]]);
  assertEquals(await h5ad.obsNames(), await zarr.obsNames());
  assertEquals(await h5ad.varNames(), await zarr.varNames());
  assertEquals((await h5ad.obsNames())[0], "AAAGCCTGGCTAAC-1");
});

compare("expression", async (h5ad, zarr) => {
  const [a, b] = [await h5ad.X.read(), await zarr.X.read()];
  assertEquals([a.dtype, a.shape], ["float32", [700, 765]]);
  assertEquals(a.data, b.data);
});

compare("all columns", async (h5ad, zarr) => {
  for (const key of h5ad.keys.obs) assertEquals(await h5ad.obs(key), await zarr.obs(key));
  for (const key of h5ad.keys.var) assertEquals(await h5ad.var(key), await zarr.var(key));
});

compare("embeddings", async (h5ad, zarr) => {
  for (const key of h5ad.keys.obsm) {
    const [a, b] = [await h5ad.obsm(key), await zarr.obsm(key)];
    assertEquals([a.dtype, a.shape, a.data], [b.dtype, b.shape, b.data]);
  }
  assertEquals((await h5ad.obsm("X_pca")).shape, [700, 50]);
});

compare("batches of rows", async (h5ad, zarr) => {
  const all = (await h5ad.X.read()).data;
  for (const file of [h5ad, zarr]) {
    let at = 0;
    for await (const batch of file.X.rowBatches(64)) {
      assertEquals(batch.data, all.slice(at, at + batch.size));
      at += batch.size;
    }
    assertEquals(at, all.length);
  }
});

compare("cell types", async (h5ad) => {
  const labels = await h5ad.obs("bulk_labels");
  assert(labels.kind === "categorical");
  const counts = labels.categories.map((_, c) => labels.codes.filter((code) => code === c).length);
  assertEquals(labels.categories.length, 10);
  assertEquals([Math.max(...counts), Math.min(...counts)], [240, 8]);
});

compare("counts and what was made of them", async (h5ad, zarr) => {
  const counts = await zarr.layer("counts");
  assertEquals([counts.format, counts.dtype], ["csr", "int32"]);
  const { data } = await counts.read();
  assert(data.every((v) => Number.isInteger(v) && v >= 0));
  const share = data.filter((v) => v > 0).length / data.length;
  assertEquals(Math.round(1000 * share), 326);
  // The raw matrix is log-normalised counts: it is zero where they are.
  const raw = (await h5ad.raw!.X.read()).data;
  assertEquals(h5ad.raw!.X.format, "csr");
  assert(raw.every((v, i) => (v > 0) === (data[i]! > 0)));
  assertEquals(zarr.raw, undefined);
});

if (exists(TABLE)) {
  Deno.test("readTable() reads a simulated trajectory whose header is a comment", async () => {
    const table = await readTable(TABLE);
    assertEquals([table.nRows, table.columns.length], [640, 12]);
    assertEquals(table.columns.slice(0, 3), ["it", "Gata2", "Gata1"]);
    const genes = table.matrix({ columns: table.columns.slice(1) });
    assertEquals([genes.dtype, genes.shape], ["float32", [640, 11]]);
    assertEquals(table.column("Gata2").slice(0, 2), Float64Array.of(0.8032, 0.7239));
    const steps = Float64Array.from({ length: 640 }, (_, i) => i % 160);
    assertEquals(table.column("it"), steps);
  });
}

/**
 * Four cells and three genes with every kind of element that is written: `verify_written.py` says
 * the same in Python's words.
 *
 * Run by hand to write the files that Python reads, and those that are compared here:
 * `deno run --allow-read --allow-write tests/data/written_content.ts FOLDER`, then
 * `python verify_written.py FOLDER` (AnnData 0.8).
 *
 * @module
 */
import { encodeAnnData, updateAnnData, writeAnnData } from "../../src/data/write_anndata.ts";
import type { AnnDataContent } from "../../src/data/written_parts.ts";
import { tensor } from "../../src/tensor.ts";

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

/** The parts. */
export const CONTENT: AnnDataContent = {
  X: tensor([[0, 1.5, 0], [2, 0, 0], [0, 0, -3], [4, 5, 0]]),
  obs: {
    _index: ["c0", "c1", "zelle\u00e4", "\u{1f9ec}"],
    cell_type: {
      kind: "categorical",
      codes: Int32Array.of(1, -1, 0, 1),
      categories: ["B", "T \u03b1"],
      ordered: false,
    },
    stage: {
      kind: "categorical",
      codes: Int32Array.of(0, 2, 1, 0),
      categories: ["early", "middle", "late"],
      ordered: true,
    },
    many: {
      kind: "categorical",
      codes: Int32Array.of(126, 0, -1, 7),
      categories: numbers(127).map((i) => `k${i}`),
      ordered: false,
    },
    note: ["", "a", "b,c", "\u2192"],
    score: [0.5, NaN, -Infinity, 1e300],
    share: Float32Array.of(0.25, NaN, -1, 2),
    count: Int32Array.of(1, -2, 3, 2 ** 31 - 1),
    small: Int16Array.of(1, -2, 3, 4),
    unsigned: Uint32Array.of(0, 1, 2, 2 ** 32 - 1),
    large: BigInt64Array.of(0n, 1n, 2n ** 62n, -1n),
    passed: [true, false, false, true],
    of_tensor: tensor([1, 2, 3, 4], { dtype: "int32" }),
    missing_count: {
      kind: "numeric",
      values: Int32Array.of(7, 0, -9, 0),
      missing: Uint8Array.of(0, 1, 0, 1),
    },
    missing_flag: {
      kind: "boolean",
      values: Uint8Array.of(1, 0, 0, 0),
      missing: Uint8Array.of(0, 0, 0, 1),
    },
    "percent #? %41": [1, 2, 3, 4],
  },
  var: { _index: ["g0", "g1", "g2"], length: Int32Array.of(10, 20, 30) },
  layers: {
    csr: {
      format: "csr",
      shape: [4, 3],
      data: Float32Array.of(1, 2, 3, 4, 5),
      indices: Int32Array.of(1, 0, 2, 0, 1),
      indptr: Int32Array.of(0, 1, 2, 3, 5),
    },
    csc: {
      format: "csc",
      shape: [4, 3],
      data: Int32Array.of(2, 4, 1, 5, 3),
      indices: Int32Array.of(1, 3, 0, 3, 2),
      indptr: Int32Array.of(0, 2, 4, 5),
    },
    double: tensor(Float64Array.from(numbers(12)), { shape: [4, 3] }),
    integers: tensor(Int32Array.from(numbers(12, -5)), { shape: [4, 3] }),
    flags: tensor([[true, false, false], [false, true, false], [true, true, true], [
      false,
      false,
      false,
    ]]),
  },
  obsm: {
    X_pca: tensor(numbers(8), { shape: [4, 2] }),
    tiles: tensor(Float64Array.from(numbers(24)), { shape: [4, 3, 2] }),
    empty: tensor([], { shape: [4, 0] }),
  },
  varm: { PCs: [[1, 2], [3, 4], [5, 6]] },
  obsp: {
    distances: {
      format: "csr",
      shape: [4, 4],
      data: [0.5],
      indices: [3],
      indptr: [0, 1, 1, 1, 1],
    },
  },
  uns: {
    text: "T \u03b1",
    empty_text: "",
    number: 0.1,
    whole: 15n,
    flag: true,
    texts: ["x", "", "\u2192"],
    numbers: [1, 2.5],
    matrix: tensor([[1, 2], [3, 4]]),
    colours: { kind: "categorical", codes: Int32Array.of(0), categories: ["red"], ordered: false },
    nested: { deeper: { rate: 0.5 }, nothing: {} },
  },
};

/** What is added to it. */
export const ADDED: AnnDataContent = {
  obs: {
    predicted: {
      kind: "categorical",
      codes: Int32Array.of(0, 1, 1, 0),
      categories: ["B", "T"],
      ordered: false,
    },
    confidence: Float32Array.of(0.5, 0.25, 1, 0),
  },
  obsm: { X_new: tensor(numbers(12), { shape: [4, 3] }) },
  uns: { model: { name: "demo", rate: 0.1 } },
};

/** Adds to the files that `verify_added.py` has made. */
async function addTo(folder: string): Promise<void> {
  for (const { name } of Deno.readDirSync(folder)) {
    if (!/\.(h5ad|zarr)$/.test(name)) continue;
    const isRefused = name === "paged.h5ad" || name === "free_space.h5ad";
    const update = updateAnnData(`${folder}/${name}`, {
      obs: {
        _index: numbers(40).map((i) => `cell${i}`),
        predicted: {
          kind: "categorical",
          codes: Int32Array.from(numbers(40), (i) => i % 2),
          categories: ["B", "T"],
          ordered: false,
        },
        confidence: new Float32Array(40).fill(0.25),
      },
      obsm: { X_new: tensor(numbers(80), { shape: [40, 2] }) },
      uns: { model: { name: "demo", rate: 0.1 } },
    });
    if (!isRefused) await update;
    else await update.then(() => Deno.exit(1), (error) => console.log(error.message));
  }
}

if (import.meta.main) {
  const [folder, mode] = Deno.args;
  if (mode === "add") {
    await addTo(folder!);
    Deno.exit();
  }
  await Deno.mkdir(folder!, { recursive: true });
  await Deno.writeFile(`${folder}/written.h5ad`, await encodeAnnData(CONTENT));
  for (const compression of ["none", "gzip"] as const) {
    for (const end of ["h5ad", "zarr"]) {
      const path = `${folder}/${compression}.${end}`;
      await writeAnnData(path, CONTENT, { compression });
      await writeAnnData(`${folder}/added_${compression}.${end}`, CONTENT, { compression });
      await updateAnnData(`${folder}/added_${compression}.${end}`, ADDED);
      await updateAnnData(`${folder}/added_${compression}.${end}`, {
        obs: { score: [1, 2, 3, 4] },
        uns: { nested: 7 },
      }, { overwrite: true });
    }
  }
  const X = tensor(Float32Array.from({ length: 70_000 * 20 }, (_, i) => i % 1009), {
    shape: [70_000, 20],
  });
  const obs = {
    _index: Array.from({ length: 70_000 }, (_, i) => `cell number ${i}`),
    text: Array.from({ length: 70_000 }, (_, i) => "x".repeat(i % 50)),
  };
  await writeAnnData(`${folder}/long.h5ad`, { X, obs }, { compression: "gzip" });
  await writeAnnData(`${folder}/long.zarr`, { X, obs }, { compression: "gzip" });
  await writeAnnData(`${folder}/nothing.h5ad`, { obs: { _index: [], x: [] } });
}

import {
  type AnnDataFile,
  type BigIntColumn,
  cellLoader,
  type Column,
  encodeAnnData,
  openAnnData,
  openCells,
} from "@cellgrad/cellgrad/data";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { cells, frame, leaf, nullable, withElement } from "./tree.ts";
import { variants } from "./variants.ts";
import { FORMS, h5Bytes, inTempDirectory, writeFiles } from "./write.ts";

const SIGNED = BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 2n ** 53n + 1n);
const UNSIGNED = BigUint64Array.of(0n, 2n ** 64n - 1n, 2n ** 63n, 1n, 2n ** 53n + 1n);
const MASK = [false, true, false, false, false];

Deno.test("openAnnData() reads wide integers in double precision where that is asked for", async () => {
  const large = leaf(BigInt64Array.of(1n, 2n ** 40n, -3n, 0n, 2n ** 53n));
  const tree = withElement(cells(), "obs/n_genes", large);
  const bytes = (await h5Bytes(tree)).slice();
  const refused = await assertRejects(async () => {
    await using file = await openAnnData(bytes);
    await file.obs("n_genes");
  }, RangeError);
  assertEquals(refused.message.includes("int32 cannot hold its values"), true);
  await using file = await openAnnData(bytes, { integers: "float64" });
  assertEquals(await file.obs("n_genes"), {
    kind: "numeric",
    values: Float64Array.of(1, 2 ** 40, -3, 0, 2 ** 53),
  });
  const layer = await file.layer("too_large");
  assertEquals([layer.dtype, (await layer.read()).max().item()], ["float64", 6 * 2 ** 31]);
  const beyond = withElement(
    cells(),
    "obs/n_genes",
    leaf(new BigInt64Array(5).fill(2n ** 53n + 1n)),
  );
  await using inexact = await openAnnData((await h5Bytes(beyond)).slice(), { integers: "float64" });
  const { message } = await assertRejects(() => inexact.obs("n_genes"), RangeError);
  assertEquals(
    message,
    'Cannot read "obs/n_genes" of "the bytes" as float64 cannot hold its values exactly: ' +
      "current value is 9007199254740993",
  );
});

/** What Python reads of columns, as text. */
type Texts = Record<string, (string | null)[]>;

function textsOf(column: Column): (string | null)[] {
  if (column.kind === "categorical") {
    return Array.from(column.codes, (code) => column.categories[code] ?? null);
  }
  const values = Array.from<string | number | bigint, string>(column.values, String);
  return values.map((value, i) => column.missing?.[i] ? null : value);
}

Deno.test('openAnnData() reads the integers that Python reads, with integers: "bigint"', () =>
  inTempDirectory(async (directory) => {
    const files = await variants("wide");
    await writeFiles(directory, files);
    const expected = JSON.parse(new TextDecoder().decode(files.get("expected.json")));
    for (const [name, columns] of Object.entries(expected as Record<string, Texts>)) {
      await using file = await openAnnData(`${directory}/${name}`, { integers: "bigint" });
      assertEquals(file.keys.obs, Object.keys(columns));
      for (const key of file.keys.obs) {
        const column = await file.obs(key);
        assertEquals(textsOf(column), columns[key], `${key} of ${name}`);
        const isWide = /signed/.test(key);
        assertEquals(column.kind === "bigint", isWide, `${key} of ${name}`);
      }
      assertEquals((await file.obs("words")).kind, "numeric");
      const layer = await file.layer("wide");
      assertEquals(layer.dtype, "float64");
      assertEquals([...(await layer.read()).data], [0, 1, 2 ** 31, 2 ** 53, -1, 2]);
    }
  }));

for (const [form, write] of Object.entries(FORMS)) {
  Deno.test(`openAnnData() and openCells() keep integers of 64 bits as they are from ${form}`, () =>
    inTempDirectory(async (directory) => {
      let tree = withElement(cells(), "obs/score", leaf(UNSIGNED));
      tree = withElement(tree, "obs/n_genes", leaf(SIGNED));
      tree = withElement(tree, "obs/count", nullable("nullable-integer", leaf(UNSIGNED), MASK));
      tree = withElement(tree, "obsm/table", frame(["a", "b", "c", "d", "e"], { x: leaf(SIGNED) }));
      const path = await write(directory, tree);
      const check = async (file: AnnDataFile) => {
        assertEquals(await file.obs("score"), { kind: "bigint", values: UNSIGNED });
        assertEquals(await file.obs("n_genes"), { kind: "bigint", values: SIGNED });
        const missing = Uint8Array.from(MASK, Number);
        assertEquals(await file.obs("count"), { kind: "bigint", values: UNSIGNED, missing });
        assertEquals((await file.var("length")).kind, "numeric");
        const { message } = await assertRejects(() => file.obsm("table"), RangeError);
        assertEquals(
          message,
          `Cannot read "obsm/table" of "${path}" as float64 cannot hold its values exactly: ` +
            "current value is 9223372036854775807",
        );
        await assertRejects(
          async () => await cellLoader(file, { batchSize: 2, obs: ["n_genes"] }).epoch(0).next(),
          TypeError,
          "as tensors hold no integers of 64 bits",
        );
      };
      await using file = await openAnnData(path, { integers: "bigint" });
      await check(file);
      await using cellsFile = await openCells(path, { integers: "bigint" });
      await check(cellsFile);
    }));
}

Deno.test("columns of 64-bit integers are written as they are read", async () => {
  const bytes = await encodeAnnData({
    X: [[1], [2], [3], [4], [5]],
    obs: {
      signed: { kind: "bigint", values: SIGNED },
      nullable: { kind: "bigint", values: UNSIGNED, missing: Uint8Array.from(MASK, Number) },
    },
  });
  await using file = await openAnnData(bytes, { integers: "bigint" });
  const signed = await file.obs("signed") as BigIntColumn;
  assert(signed.values instanceof BigInt64Array);
  assertEquals(signed, { kind: "bigint", values: SIGNED });
  const nullable = await file.obs("nullable") as BigIntColumn;
  assertEquals([nullable.values[2], nullable.missing?.[1]], [2n ** 63n, 1]);
  const wrong = { kind: "bigint", values: Int32Array.of(1, 2, 3, 4, 5) } as never;
  const { message } = await assertRejects(
    () => encodeAnnData({ X: [[1], [2], [3], [4], [5]], obs: { wrong } }),
    TypeError,
  );
  assertEquals(message.includes("values of a bigint column must fit its kind"), true);
});

import { type AnnDataFile, type Column, openCells } from "@cellgrad/cellgrad/data";
import { assert, assertEquals } from "@std/assert";
import { variants } from "./variants.ts";
import { inTempDirectory } from "./write.ts";

type Numbers = (number | null | string | Numbers)[];

/** What Python reads of a file. */
interface Expected {
  X: Numbers | null;
  obs: string[];
  var: string[];
  columns?: Record<string, (number | string | null)[]>;
  layers?: Record<string, Numbers>;
  obsm?: Record<string, Numbers>;
  raw?: Numbers | null;
  options?: { modality: string };
}

/** Numbers as the expectations have them. */
function plain(x: unknown): unknown {
  if (Array.isArray(x)) return x.map(plain);
  if (typeof x === "boolean") return Number(x);
  if (typeof x !== "number" || Number.isFinite(x)) return x === 0 ? 0 : x;
  return Number.isNaN(x) ? null : x > 0 ? "inf" : "-inf";
}

function valuesOf(column: Column): unknown[] {
  if (column.kind === "categorical") {
    return Array.from(column.codes, (code) => column.categories[code] ?? null);
  }
  return Array.from<string | number | bigint, unknown>(
    column.values,
    (value, i) => column.missing?.[i] ? null : plain(value),
  );
}

/** Texts of numbers and booleans, as Python and JavaScript write them differently. */
const spelled = (values: unknown[]) =>
  values.map((value) => {
    if (value === "True" || value === "False") return value === "True" ? 1 : 0;
    return typeof value === "string" && value !== "" && !Number.isNaN(Number(value))
      ? Number(value)
      : value;
  });

async function check(file: AnnDataFile, expected: Expected): Promise<void> {
  assertEquals(await file.obsNames(), expected.obs);
  assertEquals(await file.varNames(), expected.var);
  if (expected.X !== null) {
    assertEquals(plain((await file.X.read()).toArray()), plain(expected.X));
    const [cells] = file.X.shape;
    const rows = [...Array(cells).keys()].reverse();
    for (const row of rows) {
      const [found] = (await file.X.readRows(row, row + 1)).toArray() as unknown[];
      assertEquals(plain(found), plain(expected.X[row]));
    }
  }
  for (const [name, values] of Object.entries(expected.columns ?? {})) {
    assert(file.keys.obs.includes(name), `there is no column ${name}`);
    assertEquals(spelled(valuesOf(await file.obs(name))), spelled(values), `column ${name}`);
  }
  for (const [name, values] of Object.entries(expected.layers ?? {})) {
    assertEquals(plain((await (await file.layer(name)).read()).toArray()), values);
  }
  for (const [name, values] of Object.entries(expected.obsm ?? {})) {
    assertEquals(plain((await file.obsm(name)).toArray()), values);
  }
  if (expected.raw != null) {
    assertEquals(plain((await file.raw!.X.read()).toArray()), expected.raw);
  }
}

/** The files, and what is expected of each. */
async function load(
  archive: "variants" | "parquet",
): Promise<{ files: Map<string, Uint8Array>; expected: Record<string, Expected> }> {
  const files = await variants(archive);
  return { files, expected: JSON.parse(new TextDecoder().decode(files.get("expected.json"))) };
}

Deno.test("openCells() reads what Python reads of Parquet tables", async (t) => {
  const { files, expected } = await load("parquet");
  assert(Object.keys(expected).length >= 20);
  for (const [name, wanted] of Object.entries(expected)) {
    await t.step(name, async () => {
      await using file = await openCells(files.get(name)!);
      assertEquals(file.format, "Parquet table");
      await check(file, wanted);
    });
  }
});

Deno.test("openCells() reads what Python reads", async (t) => {
  const { files, expected } = await load("variants");
  assert(Object.keys(expected).length >= 200);
  await inTempDirectory(async (directory) => {
    for (const [path, bytes] of files) {
      const folder = path.slice(0, path.lastIndexOf("/") + 1);
      await Deno.mkdir(`${directory}/${folder}`, { recursive: true });
      await Deno.writeFile(`${directory}/${path}`, bytes);
    }
    for (const [name, wanted] of Object.entries(expected)) {
      await t.step(name, async () => {
        const bytes = files.get(name);
        // Files from memory, every third from a blob; folders by their paths.
        const source = bytes === undefined
          ? `${directory}/${name}`
          : name.length % 3 === 0
          ? new Blob([bytes.slice()])
          : bytes;
        await using file = await openCells(source, wanted.options ?? {});
        await check(file, wanted);
      });
    }
  });
});

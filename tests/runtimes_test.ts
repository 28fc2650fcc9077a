/** The package as npm gets it: installed in an empty folder, run by Node and Bun, read by tsc. */
import { assertEquals, assertMatch } from "@std/assert";
import { cells } from "./data/tree.ts";
import { FORMS } from "./data/write.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** What runs the package, by the name that npx knows. */
const RUNTIMES = ["node@22", "node@24", "bun@1"];

interface Outcome {
  ok: boolean;
  text: string;
}

async function run(cwd: string, command: string, ...args: string[]): Promise<Outcome> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { cwd, args }).output();
    const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
    return { ok: success, text };
  } catch (error) {
    return { ok: false, text: String(error) };
  }
}

/** So that a machine without a network is told from one with, in seconds. */
const NPM_FLAGS = [
  "--prefer-offline",
  "--fetch-retry-mintimeout=500",
  "--fetch-retry-maxtimeout=2000",
];

/** Where npx keeps a runtime; empty where it cannot get it. */
async function find(name: string, folder: string): Promise<string> {
  const found = await run(folder, "npx", "-y", ...NPM_FLAGS, name, "-p", "process.execPath");
  return found.ok ? found.text.trim().split("\n").at(-1)! : "";
}

async function inTempFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runtimes that npx cannot get are ignored: without a network, or without npx. */
const paths = await inTempFolder((folder) =>
  Promise.all(RUNTIMES.map((name) => find(name, folder)))
);
const ignore = paths.every((path) => path === "");

/** Packs the library, and installs it with what its user would have beside it. */
async function install(folder: string): Promise<void> {
  const pack = ["pack", "--quiet", "--allow-dirty", "--no-source-maps", "--output"];
  const packed = await run(ROOT, Deno.execPath(), ...pack, `${folder}/cellgrad.tgz`);
  assertEquals([packed.ok, packed.ok ? "" : packed.text], [true, ""]);
  await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true, "type": "module" }');
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", ...NPM_FLAGS];
  const packages = ["./cellgrad.tgz", "typescript@7"];
  const installed = await run(folder, "npm", "install", ...flags, ...packages);
  assertEquals([installed.ok, installed.ok ? "" : installed.text], [true, ""]);
}

/** The files of `types/`, as they are written where the package is installed. */
async function copyTypes(folder: string): Promise<string[]> {
  const names = ["values.ts", "functions.ts"];
  for (const name of names) {
    const text = await Deno.readTextFile(`${ROOT}tests/types/${name}`);
    const own = text.replace('"../../mod.ts"', '"@cellgrad/cellgrad"')
      .replace('"../../src/data/mod.ts"', '"@cellgrad/cellgrad/data"')
      .replace('"../../src/testing.ts"', '"@cellgrad/cellgrad/testing"')
      .replace('"@std/assert"', '"./assert.ts"');
    await Deno.writeTextFile(`${folder}/${name}`, own);
  }
  const declaration = "export declare function assertEquals<T>(actual: T, expected: T): void;";
  await Deno.writeTextFile(`${folder}/assert.ts`, declaration);
  await Deno.copyFile(`${ROOT}tests/runtimes/entries.ts`, `${folder}/entries.ts`);
  return [...names, "entries.ts"];
}

Deno.test(
  "the package runs in Node and Bun, and tsc sees its types",
  { ignore },
  (t) =>
    inTempFolder(async (folder) => {
      await install(folder);
      for (const write of Object.values(FORMS)) await write(folder, cells());
      await Deno.copyFile(`${ROOT}tests/runtimes/consumer.mjs`, `${folder}/consumer.mjs`);
      for (const [i, name] of RUNTIMES.entries()) {
        await t.step({
          name: `${name} runs the package`,
          ignore: paths[i] === "",
          async fn() {
            const { text } = await run(folder, paths[i]!, "consumer.mjs", folder);
            assertMatch(text, /^\d+ checks passed\n$/);
          },
        });
      }
      const files = await copyTypes(folder);
      const strict = ["--ignoreConfig", "--strict", "--noEmit", "--skipLibCheck", "false"];
      for (
        const flags of [
          ["--module", "nodenext"],
          ["--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022"],
        ]
      ) {
        await t.step(`tsc --strict ${flags.join(" ")}`, async () => {
          const extra = ["--allowImportingTsExtensions", ...strict, ...flags];
          const checked = await run(folder, "node_modules/.bin/tsc", ...extra, ...files);
          assertEquals(checked, { ok: true, text: "" });
        });
      }
      const manifest = JSON.parse(
        await Deno.readTextFile(`${folder}/node_modules/@cellgrad/cellgrad/package.json`),
      );
      assertEquals(Object.keys(manifest.dependencies).sort(), [
        "@zarrita/storage",
        "h5wasm",
        "h5wasm-plugins",
        "hyparquet",
        "hyparquet-compressors",
        "zarrita",
      ]);
    }),
);

/** Writes the documentation's examples as tests into `out/docs`. */
import { findSnippets, snippetModules } from "./snippets.ts";

const ROOT = new URL("../../", import.meta.url);
const OUT = new URL("out/docs/", ROOT);

/** The TypeScript and Markdown files of a folder, or a file, by their paths. */
function documents(path: string): string[] {
  if (!Deno.statSync(new URL(path, ROOT)).isDirectory) return /\.(ts|md)$/.test(path) ? [path] : [];
  return [...Deno.readDirSync(new URL(`${path}/`, ROOT))]
    .map(({ name }) => `${path}/${name}`).sort().flatMap(documents);
}

const files = ["README.md", "CONTRIBUTING.md", "docs", "mod.ts", "src", "kernels", "examples"];
const snippets = files.flatMap(documents).flatMap((path) => {
  const resolve = (specifier: string) =>
    specifier.startsWith(".") ? new URL(specifier, new URL(path, ROOT)).href : specifier;
  return findSnippets(path, Deno.readTextFileSync(new URL(path, ROOT)), resolve);
});
await Deno.remove(OUT, { recursive: true }).catch(() => {});
Deno.mkdirSync(OUT, { recursive: true });
snippetModules(snippets).forEach((text, i) => {
  Deno.writeTextFileSync(new URL(`examples_${i}_test.ts`, OUT), text);
});

/**
 * Builds the page: one file with its style and script inside, which needs no server and no network.
 */

const FOLDER = new URL("./", import.meta.url);

/**
 * What the page may do: run its own script, compile WebAssembly and loops, and use its own style. It
 * cannot send anything anywhere. (Loops would be interpreted where `'unsafe-eval'` is not allowed,
 * which is right too, but ten times slower.)
 */
async function policyFor(script: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
  const hash = new Uint8Array(digest).toBase64();
  return `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}' ` +
    `'wasm-unsafe-eval' 'unsafe-eval'`;
}

/**
 * A module and all that it imports as a script for browsers; throws what Deno says where it cannot.
 */
export async function bundle(entry: URL): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--format", "iife", "--minify"]
      .concat(decodeURIComponent(entry.pathname)),
    cwd: new URL("../../", FOLDER),
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`Cannot bundle ${entry}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** The page as the text of a file. */
export async function buildPage(): Promise<string> {
  const read = (name: string) => Deno.readTextFile(new URL(name, FOLDER));
  const [template, style, bundled] = await Promise.all([
    read("index.html"),
    read("style.css"),
    bundle(new URL("page.ts", FOLDER)),
  ]);
  // Only this would end the element early.
  const script = bundled.replaceAll("</script", "<\\/script");
  return template
    .replace("POLICY", await policyFor(script))
    .replace("<!-- style -->", () => `<style>\n${style}</style>`)
    .replace("<!-- script -->", () => `<script>${script}</script>`);
}

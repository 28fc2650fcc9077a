/** What is published: small enough to be fetched without a thought. */
import { assert, assertLess } from "@std/assert";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

/** The files of the package. */
function filesOf(path: string): string[] {
  if (!Deno.statSync(new URL(path, ROOT)).isDirectory) return [path];
  return [...Deno.readDirSync(new URL(`${path}/`, ROOT))].flatMap(({ name }) =>
    filesOf(`${path}/${name}`)
  );
}

/** How many bytes are left of some after compression, as packages travel. */
async function packedBytes(data: Uint8Array<ArrayBuffer>[]): Promise<number> {
  const packed = new Blob(data).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(packed).arrayBuffer()).byteLength;
}

Deno.test("the package is below 1 MB as it travels", async () => {
  const files = config.publish.include.flatMap(filesOf);
  assert(files.length > 100);
  assertLess(await packedBytes(files.map((file) => Deno.readFileSync(new URL(file, ROOT)))), 1e6);
});

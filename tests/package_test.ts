/** What is published: small enough to be fetched without a thought. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
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

/** What Deno has and Node 22 has not: syntax, globals and methods. */
const NEWER_THAN_NODE_22 = new RegExp(
  [
    /^\s*(?:await )?using\s+\w+\s*=/,
    /\b(?:Async)?DisposableStack\b|\bSuppressedError\b|\bFloat16Array\b|\bTemporal\./,
    /\bPromise\.try\b|\bRegExp\.escape\b|\bError\.isError\b|\bIterator\.(?:concat|zip)\b/,
    /\bMath\.(?:sumPrecise|f16round)\b|\bAtomics\.pause\b|\.getOrInsert(?:Computed)?\(/,
    /\b(?:from|to|setFrom)(?:Base64|Hex)\(/,
  ].map(({ source }) => source).join("|"),
  "m",
);

Deno.test("the package has nothing that Node 22 lacks", () => {
  for (const line of ["  using a = b;", "await using a = b;", "x(Promise.try(f))", "b.toHex()"]) {
    assertMatch(line, NEWER_THAN_NODE_22);
  }
  for (const file of config.publish.include.flatMap(filesOf).filter((f) => f.endsWith(".ts"))) {
    const text = Deno.readTextFileSync(new URL(file, ROOT)).replace(/^\s*\/?\*.*$|\/\/.*$/gm, "");
    assertEquals([file, text.match(NEWER_THAN_NODE_22)?.[0]], [file, undefined]);
  }
});

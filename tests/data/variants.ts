/**
 * Files of cells that Python wrote, in every form that it has for them.
 *
 * @module
 */
import { gunzipSync } from "node:zlib";

/** The files of a tar archive by their paths. */
function* membersOf(archive: Uint8Array): Generator<[string, Uint8Array]> {
  const text = (at: number, length: number) =>
    new TextDecoder().decode(archive.subarray(at, at + length)).replace(/\0.*$/s, "");
  for (let at = 0; archive[at] !== 0;) {
    const [name, prefix] = [text(at, 100), text(at + 345, 155)];
    const size = parseInt(text(at + 124, 12), 8);
    const isFile = text(at + 156, 1) === "0";
    const path = prefix === "" ? name : `${prefix}/${name}`;
    if (isFile) yield [path, archive.subarray(at + 512, at + 512 + size)];
    at += 512 + 512 * Math.ceil(size / 512);
  }
}

/** The files of an archive by their paths, and `expected.json`, what Python reads of them. */
export async function variants(
  archive: "variants" | "parquet" | "wide" = "variants",
): Promise<Map<string, Uint8Array>> {
  const packed = await Deno.readFile(new URL(`variants/${archive}.tar.gz`, import.meta.url));
  return new Map(membersOf(gunzipSync(packed)));
}

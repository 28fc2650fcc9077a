/**
 * Files compressed by gzip.
 *
 * @module
 */
import { messageOf } from "./store.ts";

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** More than a text has: what becomes larger is refused before it fills the memory. */
const LARGEST = 2 ** 31;

/**
 * The bytes that were compressed; several compressed parts, as bgzip writes them, one after the
 * other.
 *
 * @param bytes What begins as gzip does.
 * @param name What messages call the file.
 * @returns The bytes.
 * @throws {SyntaxError} If they are damaged, or become larger than 2 GiB.
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const zlib = await import("node:zlib").catch(() => undefined);
    if (zlib === undefined) return await inBrowser(bytes);
    const out = zlib.gunzipSync(bytes, { maxOutputLength: LARGEST });
    return new Uint8Array(out.buffer as ArrayBuffer, out.byteOffset, out.length);
  } catch (cause) {
    const why = `it is compressed by gzip and cannot be decompressed: ${messageOf(cause)}`;
    throw new SyntaxError(`Cannot read ${name} as ${why}`, { cause });
  }
}

/** As browsers have it, which know one part only and refuse what follows. */
async function inBrowser(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
    .getReader();
  const parts: Uint8Array[] = [];
  for (let size = 0;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    size += value.length;
    if (size > LARGEST) throw new RangeError(`it becomes larger than ${LARGEST} bytes`);
    parts.push(value);
  }
}

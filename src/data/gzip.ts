/**
 * What is compressed by deflate, decompressed within bounds.
 *
 * @module
 */
import { messageOf } from "./store.ts";

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The most that bytes may become of which nobody knows how many there were: 2 GiB at last. */
export const mostGrowth = (length: number): number =>
  Math.min(2 ** 31, Math.max(2 ** 24, length * 2 ** 15));

/**
 * Decompresses bytes.
 *
 * @param bytes The bytes; of gzip, several compressed parts, as bgzip writes them, may be one after
 * the other.
 * @param format What they are, by the names that `DecompressionStream` has.
 * @param most How many bytes they may become.
 * @returns What they become.
 * @throws {Error} If they are damaged, or become more.
 */
export async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  format: "gzip" | "deflate" | "deflate-raw",
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const zlib = await import("node:zlib").catch(() => undefined);
  if (zlib === undefined) return await inBrowser(bytes, format, most);
  const call = format === "gzip"
    ? zlib.gunzipSync
    : format === "deflate"
    ? zlib.inflateSync
    : zlib.inflateRawSync;
  try {
    const out = call(bytes, { maxOutputLength: Math.max(1, most) });
    // What is small may lie in a buffer with others, and readers begin at its start.
    return out.byteOffset > 0
      ? Uint8Array.from(out)
      : new Uint8Array(out.buffer as ArrayBuffer, 0, out.length);
  } catch (error) {
    throw (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE" ? tooLarge(most) : error;
  }
}

const tooLarge = (most: number) => new RangeError(`it becomes larger than ${most} bytes`);

/**
 * The bytes of a file that is compressed by gzip; `name` is what messages call it. What becomes more
 * than `most` is refused before it fills the memory.
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await inflate(bytes, "gzip", most);
  } catch (cause) {
    const why = `it is compressed by gzip and cannot be decompressed: ${messageOf(cause)}`;
    throw new SyntaxError(`Cannot read ${name} as ${why}`, { cause });
  }
}

/** As browsers have it, which know one part of gzip only and refuse what follows. */
async function inBrowser(
  bytes: Uint8Array<ArrayBuffer>,
  format: "gzip" | "deflate" | "deflate-raw",
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  for (let size = 0;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw tooLarge(most);
    }
    parts.push(value);
  }
}

/**
 * What can be read: paths, addresses, files of browsers, bytes, streams.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { type ByteFile, LocalFile, MemoryFile, type Platform } from "./file.ts";
import { PagedFile } from "./paged.ts";

/**
 * Where data come from: a path, a `URL` (`file:`, or `http:` and `https:`, of which only the parts
 * are fetched that are read), a `Blob` or `File` (of which likewise), bytes, or a `ReadableStream`
 * of bytes, which is held in memory.
 */
export type DataSource =
  | string
  | Uint8Array
  | Platform<"URL">
  | Platform<"Blob">
  | Platform<"ReadableStream">;

/** What messages call bytes that come without a name. */
const BYTES = "the bytes";

/** A source as an address, where it is one on a server. */
export function addressOf(source: unknown): URL | undefined {
  if (typeof source === "string") return /^https?:\/\//i.test(source) ? new URL(source) : undefined;
  return source instanceof URL && /^https?:$/.test(source.protocol) ? source : undefined;
}

/** Opens a source of bytes. */
export async function openSource(source: DataSource): Promise<ByteFile> {
  const address = addressOf(source);
  if (address !== undefined) {
    const { openHttp } = await import("./http.ts");
    return await openHttp(address);
  }
  if (source instanceof URL && /^(blob|data):$/.test(source.protocol)) {
    const { fetchWhole } = await import("./http.ts");
    return new MemoryFile(source.protocol, (await fetchWhole(source))!);
  }
  if (typeof source === "string" || source instanceof URL) return await LocalFile.open(source);
  if (source instanceof Uint8Array) return new MemoryFile(BYTES, source);
  if (isA("Blob", source)) return openBlob(source as Blob);
  if (isA("ReadableStream", source)) {
    return new MemoryFile("the stream", await collect(source as ReadableStream));
  }
  throw new TypeError(
    "Cannot read a source as it must be a path, a URL, a Blob or File, a Uint8Array or a " +
      `ReadableStream: current value is ${describe(source)}`,
  );
}

/** Whether a value is of a class that the platform may lack. */
function isA(name: "Blob" | "ReadableStream", value: unknown): boolean {
  const Class = globalThis[name];
  return Class !== undefined && (value as unknown) instanceof Class;
}

function openBlob(blob: Blob): ByteFile {
  const name = "name" in blob && typeof blob.name === "string" ? blob.name : "the blob";
  return new PagedFile(name, blob.size, async (position, length) => {
    const part = blob.slice(position, position + length);
    return new Uint8Array(await part.arrayBuffer());
  });
}

async function collect(stream: ReadableStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = stream.getReader();
  while (true) {
    const { done, value: part } = await reader.read();
    if (done) break;
    if (!(part instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot read the stream as it must give bytes (Uint8Array): current value is ${
          describe(part)
        }`,
      );
    }
    parts.push(part);
  }
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
  return bytes;
}

/** What messages call a source, and all of its bytes. */
export async function readBytes(
  source: DataSource,
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const file = await openSource(source);
  try {
    const name = source instanceof Uint8Array ? file.path : `"${file.path}"`;
    return { name, bytes: await file.read(0, file.size) };
  } finally {
    file.close();
  }
}

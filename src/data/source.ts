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

/** A source that can be opened again. */
export type KeptSource = string | Platform<"URL"> | Platform<"Blob"> | MemoryFile;

/** What messages call bytes that come without a name. */
const BYTES = "the bytes";

/** A source as an address, where it is one on a server. */
export function addressOf(source: unknown): URL | undefined {
  if (typeof source === "string") return /^https?:\/\//i.test(source) ? new URL(source) : undefined;
  return source instanceof URL && /^https?:$/.test(source.protocol) ? source : undefined;
}

/** A source as it can be opened again: streams, and addresses that end with a page, are read. */
export async function keepSource(source: DataSource | KeptSource): Promise<KeptSource> {
  if (source instanceof MemoryFile) return source;
  checkSource(source);
  if (source instanceof URL && /^(blob|data):$/.test(source.protocol)) {
    const { fetchWhole } = await import("./http.ts");
    return new MemoryFile(source.protocol, (await fetchWhole(source))!);
  }
  if (source instanceof Uint8Array) return new MemoryFile(BYTES, source);
  if (!isA("ReadableStream", source)) return source as KeptSource;
  return new MemoryFile("the stream", await collect(source as ReadableStream));
}

/** Throws unless it is a source, and a stream is still to be read. */
function checkSource(source: unknown): void {
  const isStream = isA("ReadableStream", source);
  if (isStream && (source as ReadableStream).locked) {
    throw new TypeError("Cannot read the stream as somebody reads it already: give another one");
  }
  const isPlain = typeof source === "string" || source instanceof Uint8Array;
  if (isPlain || isStream || source instanceof URL || isA("Blob", source)) return;
  throw new TypeError(
    "Cannot read a source as it must be a path, a URL, a Blob or File, a Uint8Array or a " +
      `ReadableStream: current value is ${describe(source)}`,
  );
}

/** Opens a source of bytes. */
export async function openSource(given: DataSource | KeptSource): Promise<ByteFile> {
  const source = await keepSource(given);
  if (source instanceof MemoryFile) return source;
  const address = addressOf(source);
  if (address !== undefined) {
    const { openHttp } = await import("./http.ts");
    return await openHttp(address);
  }
  if (typeof source === "string" || source instanceof URL) return await LocalFile.open(source);
  return openBlob(source as Blob);
}

/** A source as threads send it to each other. */
export type SentSource =
  | string
  | { readonly address: string }
  | { readonly blob: Platform<"Blob">; readonly name: string | undefined }
  | { readonly bytes: Uint8Array; readonly name: string };

/** What other threads are sent of a source; `undefined` where it is held no more. */
export function sendSource(source: KeptSource): SentSource | undefined {
  if (typeof source === "string") return source;
  if (source instanceof URL) return { address: source.href };
  if (source instanceof MemoryFile) {
    return source.bytes && { bytes: source.bytes, name: source.path };
  }
  return { blob: source, name: nameOf(source) };
}

/** The source that another thread has sent. */
export function receiveSource(sent: SentSource): KeptSource {
  if (typeof sent === "string") return sent;
  if ("address" in sent) return new URL(sent.address);
  if ("bytes" in sent) return new MemoryFile(sent.name, sent.bytes);
  // Node leaves names of files behind.
  return sent.name === undefined ? sent.blob : new File([sent.blob], sent.name);
}

/** Whether a value is of a class that the platform may lack. */
function isA(name: "Blob" | "ReadableStream", value: unknown): boolean {
  const Class = globalThis[name];
  return Class !== undefined && (value as unknown) instanceof Class;
}

/** The name of a file of a browser. */
function nameOf(blob: Blob): string | undefined {
  return "name" in blob && typeof blob.name === "string" ? blob.name : undefined;
}

function openBlob(blob: Blob): ByteFile {
  return new PagedFile(nameOf(blob) ?? "the blob", blob.size, async (position, length) => {
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

/** More than a text has in any engine. */
export const LONGEST_TEXT: number = 2 ** 29;

/** The text of bytes in UTF-8 that messages call `name`. */
export function utf8Text(name: string, bytes: Uint8Array): string {
  if (bytes.length >= LONGEST_TEXT) {
    throw new SyntaxError(
      `Cannot read ${name} as a text has fewer than ${LONGEST_TEXT} bytes: it has ${bytes.length}`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${name} as it is not text in UTF-8`, { cause });
  }
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

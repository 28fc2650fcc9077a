/**
 * Files on servers, read in ranges.
 *
 * @module
 */
import { type ByteFile, MemoryFile, notFound } from "./file.ts";
import { PagedFile } from "./paged.ts";
import { messageOf } from "./store.ts";

/** What a server says of a range that a file does not have, as an empty one has none. */
const EMPTY = 416;

/** How often a request is made that fails for reasons that may pass. */
const TRIES = 3;

/** An address without what may be secret in it: names of users, passwords, keys in the query. */
export function publicName(url: URL): string {
  return `${url.origin === "null" ? url.protocol : url.origin}${url.pathname}`;
}

function refused(url: URL, why: string, cause?: unknown): Error {
  return new Error(`Cannot read "${publicName(url)}" as ${why}`, { cause });
}

/** The answer to a request, `undefined` where the server has no such file. */
async function request(url: URL, init: RequestInit): Promise<Response | undefined> {
  for (let left = TRIES - 1;; left--) {
    let response: Response;
    try {
      response = await fetch(url, init);
    } catch (error) {
      if (left > 0) continue;
      throw refused(url, `it cannot be fetched: ${messageOf(error)}`, error);
    }
    if (response.ok || response.status === EMPTY) return response;
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return undefined;
    if (left > 0 && (response.status >= 500 || response.status === 429)) continue;
    throw refused(url, `the server says ${response.status} ${response.statusText}`.trimEnd());
  }
}

/** All bytes of an address, `undefined` where there is no such file. */
export async function fetchWhole(url: URL): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const response = await request(url, {});
  if (response === undefined) return undefined;
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw refused(url, `it ends too early: ${messageOf(error)}`, error);
  }
}

/** The bytes from `position` on, as the server has them, or the whole file where it knows no ranges. */
async function fetchRange(url: URL, position: number, length: number): Promise<Response> {
  const range = `bytes=${position}-${position + length - 1}`;
  // Compressed, the bytes of a range would have no place in the file.
  const headers = { "Range": range, "Accept-Encoding": "identity" };
  const response = await request(url, { headers });
  if (response === undefined) throw notFound(publicName(url), undefined);
  return response;
}

/** What tells versions of a file apart. */
function versionOf({ headers }: Response): string | null {
  return headers.get("etag") ?? headers.get("last-modified");
}

/** How many bytes a file has that was asked for a range. */
async function sizeOf(url: URL, response: Response): Promise<number> {
  const total = response.headers.get("content-range")?.split("/")[1];
  if (total !== undefined && /^\d+$/.test(total)) return Number(total);
  // Browsers hide Content-Range of other sites, unless these expose it.
  const head = await request(url, { method: "HEAD" });
  const length = head?.headers.get("content-length");
  if (length !== null && length !== undefined) return Number(length);
  throw refused(url, "the server does not say how large it is");
}

/**
 * Opens a file on a server: in ranges where the server knows them, else whole.
 *
 * @param url The address.
 * @returns The file.
 * @throws {Error} If there is no such file, or the server does not give it.
 */
export async function openHttp(url: URL): Promise<ByteFile> {
  const first = await fetchRange(url, 0, 1);
  const name = publicName(url);
  if (first.status === EMPTY) {
    await first.body?.cancel();
    return new MemoryFile(name, new Uint8Array(0));
  }
  if (first.status !== 206) {
    try {
      return new MemoryFile(name, new Uint8Array(await first.arrayBuffer()));
    } catch (error) {
      throw refused(url, `it ends too early: ${messageOf(error)}`, error);
    }
  }
  const [version] = [versionOf(first), await first.body?.cancel()];
  return new PagedFile(name, await sizeOf(url, first), async (position, length) => {
    const response = await fetchRange(url, position, length);
    if (versionOf(response) !== version) {
      await response.body?.cancel();
      throw refused(url, "it has changed on the server since it was opened");
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.status === 206 && bytes.length === length) return bytes;
    const got = `${bytes.length} bytes with status ${response.status}`;
    throw refused(url, `the server gave ${got} where ${length} bytes were asked for`);
  });
}

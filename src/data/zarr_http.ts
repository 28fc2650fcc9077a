/**
 * Zarr hierarchies on servers.
 *
 * @module
 */
import type { AbsolutePath } from "@zarrita/storage";
import type { ByteFile } from "./file.ts";
import { fetchWhole, openHttp, publicName } from "./http.ts";
import { unreadable } from "./store.ts";
import { resolveRange, type ZarrFiles } from "./zarr_files.ts";
import { parseJson } from "./zarr_json.ts";

/** The files that say what is in a hierarchy; the first two list all of it. */
const METADATA = ["zarr.json", ".zmetadata", ".zgroup"];

/** The hierarchy that begins at an address, if one does. */
export async function findZarr(url: URL): Promise<ZarrFiles | undefined> {
  // A file is asked for once; what has the name of a folder, for what a folder would hold.
  if (!/(\/|\.zarr)$/i.test(url.pathname)) return undefined;
  const base = new URL(url);
  base.pathname = base.pathname.replace(/\/*$/, "/");
  for (const name of METADATA) {
    const bytes = await fetchWhole(placeOf(base, `/${name}`));
    if (bytes !== undefined) return new ZarrHttp(base, name, bytes);
  }
  return undefined;
}

function placeOf(base: URL, key: string): URL {
  const url = new URL(base);
  url.pathname += key.slice(1).split("/").map(encodeURIComponent).join("/");
  return url;
}

class ZarrHttp implements ZarrFiles {
  readonly path: string;
  readonly #base: URL;
  readonly #names: readonly string[] | undefined;
  readonly #files = new Map<string, Promise<ByteFile>>();
  #open = true;

  constructor(base: URL, name: string, metadata: Uint8Array) {
    this.path = publicName(base);
    this.#base = base;
    this.#names = namesIn(this.path, name, metadata);
  }

  async get(key: AbsolutePath) {
    this.#checkOpen();
    return await fetchWhole(placeOf(this.#base, key));
  }

  async getRange(key: AbsolutePath, range: Parameters<ZarrFiles["getRange"]>[1]) {
    this.#checkOpen();
    const opened = this.#files.get(key) ?? openHttp(placeOf(this.#base, key));
    this.#files.set(key, opened);
    const file = await opened;
    return await file.read(...resolveRange(this.path, key, file.size, range));
  }

  folders(key: string): Promise<string[]> {
    if (this.#names === undefined) {
      const why = "a server cannot list what is in it: consolidate its metadata " +
        "(zarr.consolidate_metadata), so that they do";
      return Promise.reject(unreadable(this.path, key, why));
    }
    const prefix = key === "" ? "" : `${key}/`;
    const inside = this.#names.filter((name) => name.startsWith(prefix) && name !== prefix);
    return Promise.resolve(
      [...new Set(inside.map((name) => name.slice(prefix.length).split("/")[0]!))].sort(),
    );
  }

  close(): void {
    this.#open = false;
  }

  #checkOpen(): void {
    if (!this.#open) throw new TypeError(`Cannot read "${this.path}" as it is closed`);
  }
}

/** The keys of all groups and arrays, where the metadata list them. */
function namesIn(path: string, name: string, bytes: Uint8Array): string[] | undefined {
  let metadata: Record<string, unknown>;
  try {
    metadata = parseJson(bytes) as Record<string, unknown>;
  } catch (cause) {
    throw unreadable(path, name, "it is not JSON", cause);
  }
  if (name === ".zgroup") return undefined;
  const consolidated = name === "zarr.json"
    ? (metadata["consolidated_metadata"] as Record<string, unknown> | undefined)?.["metadata"]
    : metadata["metadata"];
  if (typeof consolidated !== "object" || consolidated === null) return undefined;
  const keys = Object.keys(consolidated).map((key) => key.replace(/(^|\/)\.z\w+$/, ""));
  return [...new Set(keys)].filter((key) => key !== "");
}

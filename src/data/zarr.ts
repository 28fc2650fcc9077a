/**
 * Zarr hierarchies (versions 2 and 3) as trees of groups and arrays.
 *
 * @module
 */
import type { AbsolutePath } from "@zarrita/storage";
import type { Array as ZarrArray, Chunk, DataType, Group, Location } from "zarrita";
import { sizeOf } from "../shape.ts";
import { allocateElements, type ElementArray, toRowMajor } from "./elements.ts";
import {
  checkText,
  messageOf,
  numberType,
  type Store,
  type StoredArray,
  type StoredGroup,
  unreadable,
} from "./store.ts";
import { numpyField, type RecordField, RecordGroup } from "./records.ts";
import { registerCodecs } from "./zarr_codecs.ts";
import type { ZarrFiles } from "./zarr_files.ts";
import { checkedFiles } from "./zarr_metadata.ts";

type Zarrita = typeof import("zarrita");
type AnyArray = ZarrArray<DataType, ZarrFiles>;

/** What is read at a time has no more chunks: each costs a task. */
const MOST_CHUNKS = 2 ** 22;

/** Opens a Zarr hierarchy. The store closes the files; where opening fails, they are closed too. */
export async function openZarr(files: ZarrFiles): Promise<Store> {
  try {
    const version = await versionOf(files);
    const root = await openRoot(files, version);
    const format = `Zarr ${version.slice(1)}`;
    return { path: files.path, format, root, close: () => files.close() };
  } catch (error) {
    files.close();
    throw error;
  }
}

/** The version of a hierarchy, by the metadata that it has. */
async function versionOf(files: ZarrFiles): Promise<"v2" | "v3"> {
  if (await files.get("/zarr.json") !== undefined) return "v3";
  if (await files.get("/.zgroup") !== undefined) return "v2";
  const why = "it is not a Zarr group: it has neither a zarr.json nor a .zgroup file";
  throw unreadable(files.path, "", why);
}

async function openRoot(files: ZarrFiles, version: "v2" | "v3"): Promise<StoredGroup> {
  const zarrita = await import("zarrita");
  registerCodecs(zarrita.registry);
  const root = await new ZarrTree(zarrita, checkedFiles(files), version).open("");
  if (root?.kind !== "group") throw unreadable(files.path, "", "it is a Zarr array, not a group");
  return root;
}

class ZarrTree {
  readonly path: string;
  readonly #zarrita: Zarrita;
  readonly #files: ZarrFiles;
  readonly #version: "v2" | "v3";

  constructor(zarrita: Zarrita, files: ZarrFiles, version: "v2" | "v3") {
    this.path = files.path;
    this.#zarrita = zarrita;
    this.#files = files;
    this.#version = version;
  }

  /** The group or array that has the key, if any has. */
  async open(key: string): Promise<StoredArray | StoredGroup | undefined> {
    // Locations are resolved as URLs, which would end at a "?" or "#".
    const place = `/${key.split("/").map(encodeURIComponent).join("/")}` as AbsolutePath;
    const location = new this.#zarrita.Location(this.#files, place);
    let node: AnyArray | Group<ZarrFiles> | RecordGroup;
    try {
      node = await this.#openNode(key, location);
    } catch (error) {
      if (this.#zarrita.isZarritaError(error, "NotFoundError")) return undefined;
      throw this.#failure(key, error);
    }
    if (node instanceof RecordGroup) return node;
    if (node.kind === "group") return new ZarrGroup(this, key, node);
    return new StoredZarrArray(this, key, node);
  }

  /** A node of the hierarchy's own version: guessing would hide broken metadata. */
  async #openNode(
    key: string,
    location: Location<ZarrFiles>,
  ): Promise<AnyArray | Group<ZarrFiles> | RecordGroup> {
    const { open } = this.#zarrita;
    if (this.#version === "v3") return await open.v3(location);
    const bytes = await this.#files.get(location.resolve(".zarray").path);
    if (bytes === undefined) return await open.v2(location, { kind: "group" });
    const metadata = parse(bytes);
    const { dtype } = metadata ?? {};
    if (!Array.isArray(dtype) || !isWhole(metadata!.shape)) {
      return await open.v2(location, { kind: "array" });
    }
    return await this.#openRecords(key, location, { ...metadata, dtype, shape: metadata!.shape });
  }

  /** An array of records, which the library reads as one of bytes. */
  async #openRecords(
    key: string,
    location: Location<ZarrFiles>,
    { dtype, shape: [length = 0], ...metadata }: RecordMetadata,
  ): Promise<RecordGroup> {
    const fields: RecordField[] = [];
    let size = 0;
    for (const described of dtype) {
      const field = numpyField(described, size);
      fields.push(field);
      size += field.size * sizeOf(field.shape);
    }
    const asBytes = {
      ...metadata,
      dtype: "|u1",
      shape: [length, size],
      chunks: [(metadata["chunks"] as number[])[0], size],
      fill_value: 0,
    };
    const files = recordsAsBytes(this.#files, location.resolve(".zarray").path, asBytes);
    const array = await this.#zarrita.open.v2(new this.#zarrita.Location(files, location.path), {
      kind: "array",
    });
    return new RecordGroup({
      path: this.path,
      key,
      attributes: array.attrs,
      length,
      fields,
      read: async (start, end, use) =>
        use(
          end <= start
            ? new Uint8Array(0)
            : await this.values(key, array, start, end, 0) as Uint8Array,
        ),
    });
  }

  /** The names of what is in a group. */
  async keys(key: string): Promise<string[]> {
    return await this.#files.folders(key);
  }

  /** Values of an array from `start` to `end` of its first axis, in row-major order. */
  async values(
    key: string,
    array: AnyArray,
    start: number,
    end: number,
    along: number,
  ): Promise<ElementArray | unknown[]> {
    const { defineArrayExtension, get, slice } = this.#zarrita;
    this.#checkCount(key, array, along, start, end);
    const whole = defineArrayExtension((inner) => ({
      getChunk: async (...args: Parameters<AnyArray["getChunk"]>): Promise<Chunk<DataType>> => {
        const chunk = await inner.getChunk(...args);
        const size = sizeOf(chunk.shape);
        if (chunk.data.length === size) return chunk;
        const why = `chunk ${args[0]} holds ${chunk.data.length} values instead of ${size}`;
        throw unreadable(this.path, key, why);
      },
    }))(array);
    try {
      const selection = array.shape.map((_, axis) => axis === along ? slice(start, end) : null);
      const { data, shape, stride } = await get(whole, selection, { createQueue });
      return toRowMajor(plain(data), shape, stride);
    } catch (error) {
      throw this.#failure(key, error);
    }
  }

  /** Throws where a part has more chunks than tasks fit in memory. */
  #checkCount(key: string, array: AnyArray, along: number, start: number, end: number): void {
    const counts = array.chunks.map((extent, axis) =>
      axis === along
        ? Math.ceil(end / extent) - Math.floor(start / extent)
        : Math.ceil(array.shape[axis]! / extent)
    );
    if (sizeOf(counts) <= MOST_CHUNKS) return;
    const why = `a part of it must have at most ${MOST_CHUNKS} chunks: this has ${sizeOf(counts)}`;
    throw unreadable(this.path, key, why);
  }

  /** The error for what has the key, made of one of the library. */
  #failure(key: string, error: unknown): unknown {
    const message = messageOf(error).replace("numcodecs.cellgrad.", "");
    if (message.startsWith('Cannot read "')) return error;
    return unreadable(this.path, key, `the Zarr library says: ${message}`, error);
  }
}

/** The metadata of an array of records in version 2. */
interface RecordMetadata {
  dtype: Parameters<typeof numpyField>[0][];
  shape: number[];
  [name: string]: unknown;
}

/** Metadata as an object; the library says what is wrong where they are none. */
function parse(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(shape: unknown): shape is number[] {
  return Array.isArray(shape) && shape.length === 1 && Number.isInteger(shape[0]);
}

/** The files of an array of records as those of one of bytes, whose chunks have a second number. */
function recordsAsBytes(files: ZarrFiles, place: AbsolutePath, metadata: object): ZarrFiles {
  const bytes = new TextEncoder().encode(JSON.stringify(metadata));
  const chunk = (key: AbsolutePath) => key.replace(/(\d+)[./]0$/, "$1") as AbsolutePath;
  return {
    path: files.path,
    get: (key) => key === place ? Promise.resolve(bytes) : files.get(chunk(key)),
    getRange: (key, range) => files.getRange(chunk(key), range),
    folders: (key) => files.folders(key),
    close: () => files.close(),
  };
}

/** One chunk after the other: decoding is work for one thread, and memory holds one chunk more. */
function createQueue(): { add(task: () => Promise<void>): void; onIdle(): Promise<void[]> } {
  const tasks: (() => Promise<void>)[] = [];
  return {
    add: (task) => void tasks.push(task),
    async onIdle() {
      for (const task of tasks) await task();
      return [];
    },
  };
}

/** The library's own arrays, of booleans and of text of a fixed length, as plain ones. */
function plain(data: object): ElementArray | unknown[] {
  if (Array.isArray(data) || ArrayBuffer.isView(data)) return data as ElementArray | unknown[];
  const values = Array.from(data as Iterable<unknown>);
  return typeof values[0] === "boolean" ? Uint8Array.from(values, Number) : values;
}

class ZarrGroup implements StoredGroup {
  readonly kind = "group";
  readonly key: string;
  readonly attributes: Record<string, unknown>;
  readonly #tree: ZarrTree;

  constructor(tree: ZarrTree, key: string, group: Group<ZarrFiles>) {
    this.key = key;
    this.attributes = group.attrs;
    this.#tree = tree;
  }

  keys(): Promise<string[]> {
    return this.#tree.keys(this.key);
  }

  get(name: string): Promise<StoredArray | StoredGroup | undefined> {
    return this.#tree.open(this.key === "" ? name : `${this.key}/${name}`);
  }
}

class StoredZarrArray implements StoredArray {
  readonly kind = "array";
  readonly key: string;
  readonly attributes: Record<string, unknown>;
  readonly shape: readonly number[];
  readonly type: string;
  readonly chunkLength: number;
  readonly #tree: ZarrTree;
  readonly #array: AnyArray;

  constructor(tree: ZarrTree, key: string, array: AnyArray) {
    this.key = key;
    this.attributes = array.attrs;
    this.shape = array.shape;
    this.type = array.is("string") || array.is("object") ? "string" : array.dtype;
    this.chunkLength = array.chunks[0] ?? 1;
    this.#tree = tree;
    this.#array = array;
  }

  async readNumbers(start = 0, end?: number, axis = 0): Promise<ElementArray> {
    const type = numberType(this.#tree.path, this);
    const stop = end ?? this.shape[axis] ?? 0;
    if (stop <= start || this.shape.includes(0)) return allocateElements(type, 0);
    const values = await this.#tree.values(this.key, this.#array, start, stop, axis);
    // Half precision has an array type of its own, where the platform has it.
    return type === "float16" ? Float32Array.from(values as number[]) : values as ElementArray;
  }

  async readStrings(start = 0, end = this.shape[0] ?? 0): Promise<string[]> {
    checkText(this.#tree.path, this);
    if (end <= start || this.shape.includes(0)) return [];
    const values = await this.#tree.values(this.key, this.#array, start, end, 0) as unknown[];
    // Chunks that were never written hold the fill value, in version 2 often 0 or null.
    return values.map((text) => typeof text === "string" ? text : "");
  }
}

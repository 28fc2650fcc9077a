/**
 * HDF5 files as trees of groups and arrays.
 *
 * @module
 */
import type { Dataset, File, Group, Metadata } from "h5wasm";
import { sizeOf } from "../shape.ts";
import {
  allocateElements,
  bytesPerElement,
  type ElementArray,
  elementsOf,
  isElementType,
} from "./elements.ts";
import type { LocalFile } from "./file.ts";
import { attempt, type H5Library, loadH5, mountFile, unmountFile } from "./h5_runtime.ts";
import {
  checkText,
  numberType,
  promised,
  Resources,
  type Store,
  type StoredArray,
  type StoredGroup,
  unreadable,
} from "./store.ts";

/** The classes of HDF5 types (`H5T_class_t`). */
const INTEGER = 0, FLOAT = 1, STRING = 3, COMPOUND = 6, ENUM = 8;

/** The filters (`H5Z_filter_t`) that the library has: gzip, shuffle, Fletcher's checksum and so on. */
const LAST_FILTER = 6;

/** How many bytes pass through the library's memory at once: that memory never shrinks. */
const PIECE = 2 ** 25;

/** Opens an HDF5 file as a tree. The store closes `file`; where opening fails, it is closed too. */
export async function openH5(file: LocalFile): Promise<Store> {
  const resources = new Resources();
  resources.add(() => file.close());
  try {
    const library = await loadH5();
    const name = mountFile(library, file);
    resources.add(() => unmountFile(library, name));
    const fail = (reason: string, cause?: unknown) => unreadable(file.path, "", reason, cause);
    const handle = attempt(library, () => new library.h5wasm.File(name, "r"), fail);
    resources.add(() => void attempt(library, () => handle.close(), fail));
    return new H5Store(file.path, library, handle, resources);
  } catch (error) {
    resources.close();
    throw error;
  }
}

class H5Store implements Store {
  readonly path: string;
  readonly root: StoredGroup;
  readonly #library: H5Library;
  readonly #resources: Resources;

  constructor(path: string, library: H5Library, handle: File, resources: Resources) {
    this.path = path;
    this.#library = library;
    this.#resources = resources;
    this.root = new H5Group(this, "", handle);
  }

  close(): void {
    this.#resources.close();
  }

  /** Calls the library about what has the key. */
  attempt<T>(key: string, call: () => T): T {
    if (this.#resources.closed) {
      throw new TypeError(`Cannot read "${this.path}" as it is closed`);
    }
    const { path } = this;
    return attempt(this.#library, call, (reason, cause) => unreadable(path, key, reason, cause));
  }

  /** What has the key, if anything has. */
  find(key: string, parent: Group, name: string): StoredArray | StoredGroup | undefined {
    const { Dataset, Group } = this.#library.h5wasm;
    const node = this.attempt(key, () => parent.get(name));
    if (node instanceof Group) return new H5Group(this, key, node);
    if (node instanceof Dataset) return new H5Array(this, key, node);
    if (node === null) return undefined;
    throw unreadable(this.path, key, "it is neither a group nor a dataset");
  }

  /** All attributes of a group or dataset, those of unknown types as `undefined`. */
  attributes(key: string, node: Group | Dataset): Record<string, unknown> {
    const { module } = this.#library;
    const { file_id: file, path } = node;
    const names = this.attempt(key, () => module.get_attribute_names(file, path));
    return Object.fromEntries(names.map((name) => {
      const type = this.attempt(key, () => module.get_attribute_metadata(file, path, name));
      if (type.shape === null) return [name, undefined];
      const values = this.#load(
        key,
        type,
        type.total_size,
        (at) => module.get_attribute_data(file, path, name, at),
        (at) => module.reclaim_vlen_memory(file, path, name, at),
      );
      return [name, type.shape.length === 0 ? values?.[0] : values];
    }));
  }

  /** The values of a part of a dataset. */
  values(
    key: string,
    dataset: Dataset,
    offset: number[],
    count: number[],
  ): ElementArray | string[] {
    const { module } = this.#library;
    const { file_id: file, path, metadata } = dataset;
    const [from, extents, steps] = [offset, count, count.map(() => 1)].map((n) => n.map(BigInt));
    return this.#load(
      key,
      metadata,
      sizeOf(count),
      (at) => module.get_dataset_data(file, path, extents!, from!, steps!, at),
      (at) => module.reclaim_vlen_memory_count(file, path, "", at, extents!),
    )!;
  }

  /** Lets the library fill memory of its own and copies it out; `undefined` for unknown types. */
  #load(
    key: string,
    type: Metadata,
    length: number,
    fill: (pointer: bigint) => number,
    release: (pointer: bigint) => number,
  ): ElementArray | string[] | undefined {
    const { module } = this.#library;
    const size = length * type.size;
    const pointer = module._malloc(Math.max(size, 1));
    if (pointer === 0) throw unreadable(this.path, key, `there is no memory for ${size} bytes`);
    try {
      // Where the library fails, what it leaves must not be taken for pointers to text.
      module.HEAPU8.fill(0, pointer, pointer + size);
      this.attempt(key, () => fill(BigInt(pointer)));
      const bytes = new Uint8Array(size);
      bytes.set(module.HEAPU8.subarray(pointer, pointer + size));
      const name = typeName(type);
      if (isElementType(name)) return elementsOf(name, bytes.buffer);
      if (name !== "string") return undefined;
      if (!type.vlen) return fixedText(bytes, type.size);
      return Array.from(new Uint32Array(bytes.buffer), (at) => module.UTF8ToString(at));
    } finally {
      if (type.vlen) release(BigInt(pointer));
      module._free(pointer);
    }
  }
}

class H5Group implements StoredGroup {
  readonly kind = "group";
  readonly key: string;
  readonly attributes: Record<string, unknown>;
  readonly #store: H5Store;
  readonly #group: Group;

  constructor(store: H5Store, key: string, group: Group) {
    this.key = key;
    this.#store = store;
    this.#group = group;
    this.attributes = store.attributes(key, group);
  }

  keys(): Promise<string[]> {
    return promised(() => this.#store.attempt(this.key, () => this.#group.keys()));
  }

  get(name: string): Promise<StoredArray | StoredGroup | undefined> {
    const key = this.key === "" ? name : `${this.key}/${name}`;
    return promised(() => this.#store.find(key, this.#group, name));
  }
}

class H5Array implements StoredArray {
  readonly kind = "array";
  readonly key: string;
  readonly attributes: Record<string, unknown>;
  readonly shape: readonly number[];
  readonly type: string;
  readonly chunkLength: number;
  readonly #store: H5Store;
  readonly #dataset: Dataset;

  constructor(store: H5Store, key: string, dataset: Dataset) {
    this.key = key;
    this.#store = store;
    this.#dataset = dataset;
    this.attributes = store.attributes(key, dataset);
    const type = store.attempt(key, () => dataset.metadata);
    this.shape = type.shape ?? [];
    this.type = typeName(type);
    this.chunkLength = type.chunks?.[0] ?? 1;
  }

  readNumbers(start = 0, end = this.shape[0] ?? 0): Promise<ElementArray> {
    return promised(() => {
      const type = numberType(this.#store.path, this);
      const row = this.#rowLength();
      const out = allocateElements(type, Math.max(0, end - start) * row);
      for (const [from, to] of this.#pieces(start, end, row * bytesPerElement(type))) {
        (out as Float64Array).set(this.#part(from, to) as Float64Array, (from - start) * row);
      }
      return out;
    });
  }

  readStrings(start = 0, end = this.shape[0] ?? 0): Promise<string[]> {
    return promised(() => {
      checkText(this.#store.path, this);
      const width = this.#rowLength() * this.#dataset.metadata.size;
      const pieces = this.#pieces(start, end, width);
      return pieces.flatMap(([from, to]) => this.#part(from, to) as string[]);
    });
  }

  #rowLength(): number {
    return sizeOf(this.shape.slice(1));
  }

  /** Ranges of the first axis that end where chunks end, so that none is decompressed twice. */
  #pieces(start: number, end: number, rowBytes: number): [number, number][] {
    if (rowBytes === 0) return [];
    const chunk = this.chunkLength;
    const step = Math.max(1, Math.floor(PIECE / (rowBytes * chunk))) * chunk;
    const pieces: [number, number][] = [];
    for (let from = start, to; from < end; from = to) {
      to = Math.min(end, from - from % chunk + step);
      pieces.push([from, to]);
    }
    return pieces;
  }

  #part(from: number, to: number): ElementArray | string[] {
    const filters = this.#store.attempt(this.key, () => this.#dataset.filters);
    const unknown = filters.find((filter) => filter.id > LAST_FILTER);
    if (unknown !== undefined) {
      const why = `its compression is not supported: it is HDF5 filter ${unknown.id} ` +
        `${unknown.name}, and gzip can be read`;
      throw unreadable(this.#store.path, this.key, why);
    }
    const rest = this.shape.slice(1);
    const offset = [from, ...rest.map(() => 0)];
    return this.#store.values(this.key, this.#dataset, offset, [to - from, ...rest]);
  }
}

/** The name of an HDF5 type; h5py writes booleans as an enumeration of FALSE and TRUE. */
function typeName(type: Metadata): string {
  const bits = 8 * type.size;
  switch (type.type) {
    case INTEGER:
      return `${type.signed ? "int" : "uint"}${bits}`;
    case FLOAT:
      return `float${bits}`;
    case STRING:
      return "string";
    case COMPOUND:
      return "compound";
    case ENUM:
      return bits === 8 && Object.hasOwn(type.enum_type?.members ?? {}, "TRUE") ? "bool" : "enum";
    default:
      return `HDF5 class ${type.type}`;
  }
}

/** Strings of a fixed number of bytes, padded with zeros or blanks. */
function fixedText(bytes: Uint8Array, width: number): string[] {
  const decoder = new TextDecoder();
  return Array.from(
    { length: bytes.length / width },
    (_, i) => decoder.decode(bytes.subarray(i * width, (i + 1) * width)).replace(/[\0 ]+$/, ""),
  );
}

/**
 * HDF5 files as trees of groups and arrays.
 *
 * @module
 */
import type { CompoundMember, Dataset, File, Group, Metadata } from "h5wasm";
import { sizeOf } from "../shape.ts";
import {
  allocateElements,
  bytesPerElement,
  type ElementArray,
  elementsOf,
  isElementType,
} from "./elements.ts";
import { type ByteFile, PresentFile } from "./file.ts";
import { type DirectReader, directReader } from "./h5_direct.ts";
import { needFilter } from "./h5_filters.ts";
import { attempt, type H5Library, openHandle } from "./h5_runtime.ts";
import { checkPart } from "./h5_sizes.ts";
import { COMPOUND, type H5Type, oddNumbers, STRING, textsOf, typeName } from "./h5_types.ts";
import { type RecordField, RecordGroup } from "./records.ts";
import {
  checkText,
  numberType,
  Resources,
  type Store,
  type StoredArray,
  type StoredGroup,
  unreadable,
} from "./store.ts";

/** How many bytes pass through the library's memory at once: that memory never shrinks. */
const PIECE = 2 ** 25;

/** Opens an HDF5 file as a tree. The store closes `file`; where opening fails, it is closed too. */
export async function openH5(file: ByteFile): Promise<Store> {
  const resources = new Resources();
  resources.add(() => file.close());
  try {
    const { library, handle } = await openHandle(file, file.path, resources);
    return await file.whole(() => new H5Store(file, library, handle, resources));
  } catch (error) {
    resources.close();
    throw error;
  }
}

class H5Store implements Store {
  readonly path: string;
  readonly size: number;
  readonly format = "HDF5";
  readonly root: StoredGroup;
  readonly #file: ByteFile;
  readonly #library: H5Library;
  readonly #resources: Resources;

  constructor(file: ByteFile, library: H5Library, handle: File, resources: Resources) {
    [this.path, this.size] = [file.path, file.size];
    this.#file = file;
    this.#library = library;
    this.#resources = resources;
    this.root = new H5Group(this, "", handle);
  }

  close(): void {
    this.#resources.close();
  }

  /** Makes calls of the library, again where bytes had to be fetched first. */
  whole<T>(call: () => T): Promise<T> {
    return this.#file.whole(call);
  }

  /** Calls the library about what has the key, for which it may need so many bytes. */
  attempt<T>(key: string, call: () => T, need?: number): T {
    if (this.#resources.closed) {
      throw new TypeError(`Cannot read "${this.path}" as it is closed`);
    }
    const { path } = this;
    const fail = (reason: string, cause?: unknown) => unreadable(path, key, reason, cause);
    return attempt(this.#library, call, fail, need);
  }

  /** Sees to it that the library has the filters of a dataset. */
  async needFilters(key: string, dataset: Dataset): Promise<void> {
    const filters = await this.whole(() => this.attempt(key, () => dataset.filters));
    for (const filter of filters) {
      await needFilter(this.#library, filter).catch((error) => {
        throw unreadable(this.path, key, error.message, error);
      });
    }
  }

  /** A reader of a dataset's numbers that does without the library, where its form allows that. */
  async direct(key: string, dataset: Dataset): Promise<DirectReader | undefined> {
    const file = this.#file;
    if (!(file instanceof PresentFile)) return undefined;
    const call = <T>(act: () => T) => this.attempt(key, act);
    const { shape, chunks, size, littleEndian } = call(() => dataset.metadata);
    if (shape === null || (size > 1 && !littleEndian)) return undefined;
    return await directReader(file, {
      header: this.#header(key, dataset),
      shape,
      chunks: chunks ?? [],
      filters: call(() => dataset.filters).map(({ id }) => id),
      width: size,
    });
  }

  /** Throws where the numbers of a dataset are not what the library takes them for. */
  async checkNumbers(key: string, dataset: Dataset): Promise<void> {
    const odd = () => oddNumbers(this.#file, this.#header(key, dataset));
    // A header that cannot be read is the library's to explain.
    const why = await this.whole(odd).catch(() => undefined);
    if (why !== undefined) throw unreadable(this.path, key, why);
  }

  /** Where the object header of a dataset is. */
  #header(key: string, { file_id: file, path }: Dataset): number {
    const { module } = this.#library;
    const reference = this.attempt(key, () => module.create_object_reference(file, path));
    return Number(new DataView(Uint8Array.from(reference).buffer).getBigUint64(0, true));
  }

  /** What has the key, if anything has. */
  find(key: string, parent: Group, name: string): StoredArray | StoredGroup | undefined {
    const { Dataset, Group } = this.#library.h5wasm;
    const node = this.attempt(key, () => parent.get(name));
    if (node instanceof Group) return new H5Group(this, key, node);
    if (node instanceof Dataset) {
      const type = this.attempt(key, () => node.metadata);
      if (type.type === COMPOUND && type.shape?.length === 1) return this.#records(key, node, type);
      return new H5Array(this, key, node, type);
    }
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
        (bytes) => this.#decode(type, bytes),
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
    const { metadata } = dataset;
    return this.#part(key, dataset, offset, count, (bytes) => {
      const values = this.#decode(metadata, bytes)!;
      if (!Array.isArray(values) || !values.includes(undefined)) return values as string[];
      throw unreadable(this.path, key, "a text in it is not UTF-8");
    });
  }

  /** An array of records as a group. */
  #records(key: string, dataset: Dataset, { shape, size, compound_type }: Metadata): RecordGroup {
    const read = <T>(start: number, end: number, use: (bytes: Uint8Array) => T) =>
      this.whole(() => this.#part(key, dataset, [start], [end - start], use));
    return new RecordGroup({
      path: this.path,
      key,
      attributes: this.attributes(key, dataset),
      length: shape?.[0] ?? 0,
      fields: compound_type!.members.map((member) => this.#field(member)),
      read: (start, end, use) => size === 0 ? Promise.resolve(use(EMPTY)) : read(start, end, use),
    });
  }

  #field({ name, offset, array_type, ...own }: CompoundMember): RecordField {
    const element = array_type ?? own;
    const shape = array_type?.shape ?? [];
    const text = (bytes: Uint8Array) => textsOf(element, bytes, this.#library.module.HEAPU8)[0];
    return {
      name,
      offset,
      type: typeName(element),
      size: element.size,
      shape,
      littleEndian: element.littleEndian,
      decode: element.type === STRING ? text : undefined,
    };
  }

  /** What is made of the bytes of a part of a dataset, while the text is there that they point to. */
  #part<T>(
    key: string,
    dataset: Dataset,
    offset: number[],
    count: number[],
    use: (bytes: Uint8Array) => T,
  ): T {
    const { module } = this.#library;
    const { file_id: file, path, metadata } = dataset;
    checkPart(this, key, metadata, count);
    const [from, extents, steps] = [offset, count, count.map(() => 1)].map((n) => n.map(BigInt));
    return this.#load(
      key,
      metadata,
      sizeOf(count),
      (at) => module.get_dataset_data(file, path, extents!, from!, steps!, at),
      (at) => module.reclaim_vlen_memory_count(file, path, "", at, extents!),
      use,
    );
  }

  /** Lets the library fill memory of its own, and copies it out for `use`. */
  #load<T>(
    key: string,
    type: Metadata,
    length: number,
    fill: (pointer: bigint) => number,
    release: (pointer: bigint) => number,
    use: (bytes: Uint8Array) => T,
  ): T {
    const { module } = this.#library;
    const size = length * type.size;
    const pointer = module._malloc(Math.max(size, 1));
    if (pointer === 0) throw unreadable(this.path, key, `there is no memory for ${size} bytes`);
    try {
      // Where the library fails, what it leaves must not be taken for pointers to text.
      module.HEAPU8.fill(0, pointer, pointer + size);
      // A chunk is held as it is stored and as each filter leaves it.
      const chunk = sizeOf(type.chunks ?? []) * type.size;
      this.attempt(key, () => fill(BigInt(pointer)), 4 * chunk);
      const bytes = new Uint8Array(size);
      bytes.set(module.HEAPU8.subarray(pointer, pointer + size));
      return use(bytes);
    } finally {
      if (type.vlen || type.compound_type?.members.some(({ vlen }) => vlen)) {
        release(BigInt(pointer));
      }
      module._free(pointer);
    }
  }

  /** Bytes as values of a type; `undefined` for unknown types. */
  #decode(
    type: H5Type,
    bytes: Uint8Array,
  ): ElementArray | (string | undefined)[] | undefined {
    const name = typeName(type);
    // The library gives numbers in the machine's order, whatever that of the file.
    if (isElementType(name)) return elementsOf(name, bytes.buffer as ArrayBuffer);
    if (name !== "string") return undefined;
    return textsOf(type, bytes, this.#library.module.HEAPU8);
  }
}

const EMPTY = new Uint8Array(0);

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
    return this.#store.whole(() => this.#store.attempt(this.key, () => this.#group.keys()));
  }

  get(name: string): Promise<StoredArray | StoredGroup | undefined> {
    const key = this.key === "" ? name : `${this.key}/${name}`;
    return this.#store.whole(() => this.#store.find(key, this.#group, name));
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
  readonly #metadata: Metadata;
  #ready: Promise<void> | undefined;
  #usual: Promise<void> | undefined;
  #direct: Promise<DirectReader | undefined> | undefined;

  constructor(store: H5Store, key: string, dataset: Dataset, type: Metadata) {
    this.key = key;
    this.#store = store;
    this.#dataset = dataset;
    this.#metadata = type;
    this.attributes = store.attributes(key, dataset);
    this.shape = type.shape ?? [];
    this.type = typeName(type);
    this.chunkLength = type.chunks?.[0] ?? 1;
  }

  async readNumbers(start = 0, end?: number, axis = 0): Promise<ElementArray> {
    const type = numberType(this.#store.path, this);
    await (this.#usual ??= this.#store.checkNumbers(this.key, this.#dataset));
    const extents = this.#extents(start, end, axis);
    const bytes = axis === 0 ? await this.#inPlace(start, start + (extents[0] ?? 0)) : undefined;
    if (bytes !== undefined) return elementsOf(type, bytes);
    const out = allocateElements(type, sizeOf(extents));
    // A part is in its place where its axis is the outermost.
    const limit = axis === 0 ? PIECE : Infinity;
    const width = bytesPerElement(type) * sizeOf(extents.with(axis, 1));
    for (const [from, to] of this.#pieces(start, start + extents[axis]!, width, axis, limit)) {
      const part = await this.#part(from, to, axis);
      (out as Float64Array).set(part as Float64Array, (from - start) * sizeOf(extents.slice(1)));
    }
    return out;
  }

  /** Bytes that are read without the library, which says what is wrong where that fails. */
  async #inPlace(start: number, end: number): Promise<ArrayBuffer | undefined> {
    try {
      const direct = await (this.#direct ??= this.#store.direct(this.key, this.#dataset));
      return direct?.read(start, end).buffer;
    } catch {
      this.#direct = Promise.resolve(undefined);
      return undefined;
    }
  }

  async readStrings(start = 0, end?: number): Promise<string[]> {
    checkText(this.#store.path, this);
    const extents = this.#extents(start, end, 0);
    const width = sizeOf(extents.slice(1)) * this.#metadata.size;
    const parts: string[][] = [];
    for (const [from, to] of this.#pieces(start, start + extents[0]!, width, 0, PIECE)) {
      parts.push(await this.#part(from, to, 0) as string[]);
    }
    return parts.flat();
  }

  #extents(start: number, end: number | undefined, axis: number): number[] {
    const stop = end ?? this.shape[axis] ?? 0;
    const extents = (this.shape.length === 0 ? [0] : [...this.shape])
      .with(axis, Math.max(0, stop - start));
    checkPart(this.#store, this.key, this.#metadata, extents);
    return extents;
  }

  /** Ranges of an axis that end where chunks end, so that none is decompressed twice. */
  #pieces(start: number, end: number, width: number, axis: number, limit: number): Range[] {
    if (width === 0) return [];
    const chunk = this.#metadata.chunks?.[axis] ?? 1;
    const step = Math.max(1, Math.floor(limit / (width * chunk))) * chunk;
    const pieces: Range[] = [];
    for (let from = start, to; from < end; from = to) {
      to = Math.min(end, from - from % chunk + step);
      pieces.push([from, to]);
    }
    return pieces;
  }

  async #part(from: number, to: number, axis: number): Promise<ElementArray | string[]> {
    await (this.#ready ??= this.#store.needFilters(this.key, this.#dataset));
    const offset = this.shape.map((_, i) => i === axis ? from : 0);
    const count = this.shape.with(axis, to - from);
    return await this.#store.whole(() =>
      this.#store.values(this.key, this.#dataset, offset, count)
    );
  }
}

/** Where a part of an axis begins, and what is behind it. */
type Range = readonly [from: number, to: number];

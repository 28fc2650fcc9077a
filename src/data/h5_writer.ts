/**
 * Trees as HDF5 files, written from front to back: arrays are not copied, so that memory holds
 * little beside them. The HDF5 library itself, compiled to WebAssembly, cannot write booleans as
 * h5py does, nor take an array's place.
 *
 * Source: the HDF5 File Format Specification, version 3.0.
 *
 * @module
 */
import { sizeOf } from "../shape.ts";
import {
  arrayMessages,
  attributeMessage,
  datatype,
  groupMessages,
  type Layout,
  linkMessage,
  type Message,
  objectHeader,
  pack,
  sizeOfElement,
  UNDEFINED,
  withChecksum,
} from "./h5_messages.ts";
import type { Output } from "./output.ts";
import {
  type AttributeValue,
  bytesOf,
  chunkRows,
  compress,
  type Compression,
  LEVEL,
  type Values,
  type WrittenArray,
  type WrittenNode,
} from "./written_tree.ts";

/** How many bytes the superblock takes. */
const SUPERBLOCK = 48;

/** The size of a collection of texts: at least, and where there are many. */
const SMALL_HEAP = 4096, LARGE_HEAP = 2 ** 16;

/** The number of children of a tree's node, fixed by the format where the superblock says nothing. */
const CHILDREN = 64;

/** Writes a tree as an HDF5 file. */
export async function writeH5(
  output: Output,
  root: WrittenNode,
  compression: Compression,
): Promise<void> {
  output.append(new Uint8Array(SUPERBLOCK));
  const writer = new H5Writer(output, 0, compression);
  const address = await writer.write(root);
  writer.end();
  output.replace(0, superblock(2, 0, UNDEFINED, output.size, address));
}

/** A superblock of version 2 or 3 (II.A). */
export function superblock(
  version: number,
  base: number,
  extension: number,
  end: number,
  root: number,
): Uint8Array {
  const signature = pack([1, 0x89], "HDF\r\n\x1a\n");
  const addresses = [base, extension, end, root].map((address) => [8, address] as const);
  return withChecksum(pack(signature, [1, version], [1, 8], [1, 8], [1, 0], ...addresses));
}

/** A collection of texts that is not full. */
interface Heap {
  readonly address: number;
  readonly bytes: Uint8Array;
  used: number;
  count: number;
}

/** An attribute as it is in a file. */
export interface RawAttribute {
  /** Its element type, as bytes. */
  readonly datatype: Uint8Array;
  /** The extents. */
  readonly shape: readonly number[];
  /** The bytes of its values. */
  readonly bytes: Uint8Array;
}

/** Attributes of which some are kept as they are. */
export type H5Attributes = Readonly<Record<string, AttributeValue | RawAttribute>>;

/** Writes objects at the end of a file. */
export class H5Writer {
  readonly #output: Output;
  readonly #base: number;
  readonly #compression: Compression;
  #heap: Heap | undefined;

  /** Addresses count from `base`. */
  constructor(output: Output, base: number, compression: Compression) {
    this.#output = output;
    this.#base = base;
    this.#compression = compression;
  }

  /** Writes a group or an array with all that is in it; gives its address. */
  async write(node: WrittenNode): Promise<number> {
    if (node.kind === "array") return await this.#writeArray(node);
    const links = new Map<string, number>();
    for (const [name, member] of node.members) links.set(name, await this.write(member));
    return this.writeGroup(node.attributes, links);
  }

  /** Writes a group of members that have been written; gives its address. */
  writeGroup(attributes: H5Attributes, links: ReadonlyMap<string, number>): number {
    const members = Array.from(links, ([name, address]) => linkMessage(name, address));
    return this.#header([...groupMessages(), ...members], attributes);
  }

  /** Writes what is left; without it, texts are missing. */
  end(): void {
    if (this.#heap !== undefined) {
      this.#output.replace(this.#base + this.#heap.address, heapBytes(this.#heap));
    }
    this.#heap = undefined;
  }

  async #writeArray(array: WrittenArray): Promise<number> {
    const { type, shape, attributes } = array;
    const layout = await this.#writeValues(array);
    return this.#header(arrayMessages(type, shape, layout, LEVEL), attributes);
  }

  #header(messages: readonly Message[], attributes: H5Attributes): number {
    const own = Object.entries(attributes).map(([name, value]) => this.#attribute(name, value));
    return this.#append(objectHeader([...messages, ...own]));
  }

  #attribute(name: string, value: AttributeValue | RawAttribute): Message {
    if (typeof value === "object" && "datatype" in value) {
      return attributeMessage(name, value.datatype, value.shape, value.bytes);
    }
    const { type, shape, values }: Values = typeof value === "boolean"
      ? { type: "bool", shape: [], values: Uint8Array.of(Number(value)) }
      : typeof value === "string"
      ? { type: "string", shape: [], values: [value] }
      : value;
    const data = Array.isArray(values) ? this.#texts(values) : bytesOf(values as Uint8Array);
    return attributeMessage(name, datatype(type), shape, data);
  }

  /** Writes bytes at the next place that eight divides; gives their address. */
  #append(bytes: Uint8Array): number {
    const gap = (8 - this.#output.size % 8) % 8;
    if (gap > 0) this.#output.append(new Uint8Array(gap));
    const address = this.#output.size - this.#base;
    this.#output.append(bytes);
    return address;
  }

  async #writeValues(array: Values): Promise<Layout> {
    const { type, shape, values } = array;
    const size = sizeOf(shape) * sizeOfElement(type);
    if (size === 0) return { address: UNDEFINED, size };
    if (Array.isArray(values)) return { address: this.#append(this.#texts(values)), size };
    const bytes = bytesOf(values as Uint8Array);
    const isLarge = shape.length > 0 && size >= SMALL_HEAP;
    if (this.#compression === "none" || !isLarge) return { address: this.#append(bytes), size };
    return await this.#writeChunks(array, bytes);
  }

  /** Compresses rows together, and writes the tree that finds them. */
  async #writeChunks(array: Values, bytes: Uint8Array<ArrayBuffer>): Promise<Layout> {
    const element = sizeOfElement(array.type);
    const chunk = [chunkRows(array), ...array.shape.slice(1)];
    const size = sizeOf(chunk) * element;
    const leaves: TreeEntry[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      let part = bytes.subarray(at, at + size);
      if (part.length < size) part = pack(part, new Uint8Array(size - part.length));
      const packed = await compress(part, "deflate");
      const address = this.#append(packed);
      leaves.push({ address, size: packed.length, row: at / size * chunk[0]! });
    }
    return { tree: this.#writeTree(leaves, chunk, element), chunk, element };
  }

  /** A B-tree over chunks (III.A.1), whose nodes have as many children as fit. */
  #writeTree(leaves: readonly TreeEntry[], chunk: readonly number[], element: number): number {
    const end = leaves.length * chunk[0]!;
    let entries = leaves;
    for (let level = 0;; level++) {
      const nodes: TreeEntry[] = [];
      const start = this.#append(new Uint8Array(0));
      const count = Math.ceil(entries.length / CHILDREN);
      const width = 24 + 8 * CHILDREN + (CHILDREN + 1) * (8 + 8 * (chunk.length + 1));
      for (let i = 0; i < count; i++) {
        const part = entries.slice(i * CHILDREN, (i + 1) * CHILDREN);
        const siblings = [
          i > 0 ? start + (i - 1) * width : UNDEFINED,
          i < count - 1 ? start + (i + 1) * width : UNDEFINED,
        ] as const;
        const next = entries[(i + 1) * CHILDREN]?.row ?? end;
        const bytes = treeNode(level, part, siblings, next, chunk, element);
        const address = this.#append(pack(bytes, new Uint8Array(width - bytes.length)));
        nodes.push({ address, size: part[0]!.size, row: part[0]!.row });
      }
      if (count === 1) return start;
      entries = nodes;
    }
  }

  /** Puts texts into collections, and gives the references to them (III.E, IV.B.2.c). */
  #texts(texts: readonly string[]): Uint8Array {
    const encoder = new TextEncoder();
    const encoded = texts.map((text) => encoder.encode(text));
    let left = encoded.reduce((sum, text) => sum + heapSize(text), 0);
    const references = new Uint8Array(16 * texts.length);
    const view = new DataView(references.buffer);
    encoded.forEach((text, i) => {
      // An empty text has no place: all zeros.
      if (text.length === 0) return;
      const heap = this.#heapFor(text, left);
      heap.bytes.set(pack([2, ++heap.count], [2, 0], [4, 0], [8, text.length], text), heap.used);
      heap.used += heapSize(text);
      left -= heapSize(text);
      view.setUint32(16 * i, text.length, true);
      view.setBigUint64(16 * i + 4, BigInt(heap.address), true);
      view.setUint32(16 * i + 12, heap.count, true);
    });
    return references;
  }

  /** A collection with room for a text; a new one as large as what is left asks for. */
  #heapFor(text: Uint8Array, left: number): Heap {
    const need = heapSize(text);
    const { used, bytes } = this.#heap ?? { used: 0, bytes: new Uint8Array(0) };
    if (this.#heap !== undefined && used + need <= bytes.length) return this.#heap;
    this.end();
    const size = Math.max(
      SMALL_HEAP,
      Math.min(LARGE_HEAP, Math.ceil(left / 8) * 8 + 16),
      need + 16,
    );
    const heap = new Uint8Array(size);
    heap.set(pack("GCOL", [1, 1], [1, 0], [2, 0], [8, size]));
    const address = this.#append(heap);
    return this.#heap = { address, bytes: heap, used: 16, count: 0 };
  }
}

/** How many bytes a text takes in a collection. */
function heapSize(text: Uint8Array): number {
  return 16 + Math.ceil(text.length / 8) * 8;
}

/** A collection, with what is free in it said. */
function heapBytes({ bytes, used }: Heap): Uint8Array {
  const free = bytes.length - used;
  if (free >= 16) bytes.set(pack([2, 0], [2, 0], [4, 0], [8, free]), used);
  return bytes;
}

/** A chunk, or a node of the tree over chunks, with its first row. */
interface TreeEntry {
  readonly address: number;
  readonly size: number;
  readonly row: number;
}

function treeNode(
  level: number,
  entries: readonly TreeEntry[],
  [left, right]: readonly [number, number],
  next: number,
  chunk: readonly number[],
  element: number,
): Uint8Array {
  const rest = chunk.slice(1).map(() => [8, 0] as const);
  const last = [...chunk.slice(1), element].map((extent) => [8, extent] as const);
  return pack(
    "TREE",
    [1, 1],
    [1, level],
    [2, entries.length],
    [8, left],
    [8, right],
    ...entries.flatMap(({ address, size, row }) =>
      [[4, size], [4, 0], [8, row], ...rest, [8, 0], [8, address]] as const
    ),
    [4, 0],
    [4, 0],
    [8, next],
    ...last,
  );
}

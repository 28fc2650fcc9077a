/**
 * Where the bytes of HDF5's arrays lie, so that those of common forms are read in place.
 *
 * Source: the HDF5 File Format Specification, version 3.0; its section is named at each part.
 *
 * @module
 */
import type { ByteFile } from "./file.ts";

/** Where an array's bytes lie: together, or in chunks that are found by a tree. */
export type ArrayLayout =
  | { readonly kind: "contiguous"; readonly address: number; readonly size: number }
  | { readonly kind: "chunked"; readonly tree: number };

/** A chunk of an array. */
export interface StoredChunk {
  /** Where it lies in the file. */
  readonly address: number;
  /** How many bytes it takes there. */
  readonly size: number;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const CONTINUATION = 0x10, LAYOUT = 0x08;

/** Reads numbers of a file's metadata, whose addresses count from the superblock; within `whole`. */
export class H5Bytes {
  readonly file: ByteFile;
  readonly #base: number;

  private constructor(file: ByteFile, base: number) {
    this.file = file;
    this.#base = base;
  }

  /** The bytes of a file whose addresses take eight of them; `undefined` of any other (II.A). */
  static of(file: ByteFile): H5Bytes | undefined {
    let start = 0;
    while (!SIGNATURE.every((byte, i) => bytesAt(file, start, 8)[i] === byte)) {
      start = Math.max(512, 2 * start);
    }
    const bytes = bytesAt(file, start, 16);
    const sizes = bytes[8]! < 2 ? [bytes[13], bytes[14]] : [bytes[9], bytes[10]];
    return sizes.every((size) => size === 8) && bytes[8]! <= 3
      ? new H5Bytes(file, start)
      : undefined;
  }

  /** Where an address lies in the file. */
  place(address: number): number {
    return this.#base + address;
  }

  /** A view of bytes at an address. */
  view(address: number, length: number): DataView {
    return new DataView(bytesAt(this.file, this.place(address), length).buffer);
  }
}

function bytesAt(file: ByteFile, position: number, length: number): Uint8Array<ArrayBuffer> {
  if (position + length > file.size) throw new RangeError("The file ends too early");
  const bytes = new Uint8Array(length);
  file.readInto(bytes, position);
  return bytes;
}

const wide = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

/**
 * The layout of an array, read from its object header.
 *
 * @param bytes The file.
 * @param header The address of the header.
 * @returns The layout; `undefined` where it has another form than those of h5py's defaults.
 */
export function readLayout(bytes: H5Bytes, header: number): ArrayLayout | undefined {
  const message = findMessage(bytes, header, LAYOUT);
  if (message === undefined || message.getUint8(0) !== 3) return undefined;
  // IV.A.2.i: the size is told for contiguous arrays, dimensions and their number for chunks.
  if (message.getUint8(1) === 1) {
    return { kind: "contiguous", address: wide(message, 2), size: wide(message, 10) };
  }
  return message.getUint8(1) === 2 ? { kind: "chunked", tree: wide(message, 3) } : undefined;
}

/** What a message of a type says in an object header, unless there is none, or it is elsewhere. */
export function findMessage(bytes: H5Bytes, header: number, wanted: number): DataView | undefined {
  const isNew = bytes.view(header, 4).getUint32(0) === 0x4f484452;
  return isNew ? inNewHeader(bytes, header, wanted) : inOldHeader(bytes, header, wanted);
}

/** A header in more blocks than this is one whose blocks come round again. */
const MOST_BLOCKS = 1000;

interface Block {
  readonly at: number;
  readonly length: number;
}

/** A message in a header of version 1 (IV.A.1.a). */
function inOldHeader(bytes: H5Bytes, header: number, wanted: number): DataView | undefined {
  const prefix = bytes.view(header, 16);
  if (prefix.getUint8(0) !== 1) return undefined;
  return inBlocks(bytes, { at: header + 16, length: prefix.getUint32(8, true) }, wanted, {
    lead: 0,
    trail: 0,
    head: 8,
    read: (view, at) => ({
      type: view.getUint16(at, true),
      size: view.getUint16(at + 2, true),
      flags: view.getUint8(at + 4),
    }),
  });
}

/** A message in a header of version 2 (IV.A.1.b). */
function inNewHeader(bytes: H5Bytes, header: number, wanted: number): DataView | undefined {
  const prefix = bytes.view(header, 6);
  const flags = prefix.getUint8(5);
  const at = header + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const width = 1 << (flags & 3);
  const sized = bytes.view(at, 8);
  const length = width === 8
    ? wide(sized, 0)
    : width === 4
    ? sized.getUint32(0, true)
    : width === 2
    ? sized.getUint16(0, true)
    : sized.getUint8(0);
  return inBlocks(bytes, { at: at + width, length }, wanted, {
    lead: 4,
    trail: 4,
    head: flags & 4 ? 6 : 4,
    read: (view, at) => ({
      type: view.getUint8(at),
      size: view.getUint16(at + 1, true),
      flags: view.getUint8(at + 3),
    }),
  });
}

interface Form {
  /** How many bytes come before the messages of a continuation, and behind them. */
  readonly lead: number;
  readonly trail: number;
  /** How many bytes come before what a message says. */
  readonly head: number;
  readonly read: (view: DataView, at: number) => { type: number; size: number; flags: number };
}

function inBlocks(
  bytes: H5Bytes,
  first: Block,
  wanted: number,
  form: Form,
): DataView | undefined {
  const blocks = [first];
  for (const { at, length } of blocks) {
    if (blocks.length > MOST_BLOCKS) return undefined;
    const view = bytes.view(at, length);
    for (let i = 0; i + form.head <= length;) {
      const { type, size, flags } = form.read(view, i);
      i += form.head;
      if (type === CONTINUATION) {
        const [start, extent] = [wide(view, i), wide(view, i + 8)];
        blocks.push({ at: start + form.lead, length: extent - form.lead - form.trail });
      }
      // A message that is shared is elsewhere.
      if (type === wanted) return flags & 2 ? undefined : new DataView(view.buffer, i, size);
      i += size;
    }
  }
  return undefined;
}

/**
 * Finds all chunks of an array by its tree (III.A.1).
 *
 * @param bytes The file.
 * @param tree The address of the tree's root.
 * @param chunk The extents of a chunk.
 * @param counts How many chunks there are along each axis.
 * @returns Each chunk at its place in row-major order, `undefined` where it was never written;
 * `undefined` instead of all where a chunk has left a filter out.
 */
export function readChunks(
  bytes: H5Bytes,
  tree: number,
  chunk: readonly number[],
  counts: readonly number[],
): (StoredChunk | undefined)[] | undefined {
  const rank = chunk.length;
  const key = 8 + 8 * (rank + 1);
  const total = counts.reduce((a, b) => a * b, 1);
  if (total * (key + 8) > bytes.file.size) return undefined;
  const chunks = new Array<StoredChunk | undefined>(total).fill(undefined);
  const nodes: { node: number; below: number }[] = [{ node: tree, below: Infinity }];
  while (nodes.length > 0) {
    const { node, below } = nodes.pop()!;
    const head = bytes.view(node, 24);
    if (head.getUint32(0) !== 0x54524545 || head.getUint8(4) !== 1) return undefined;
    const [level, entries] = [head.getUint8(5), head.getUint16(6, true)];
    if (level >= below) return undefined;
    const view = bytes.view(node + 24, entries * (key + 8));
    for (let i = 0; i < entries; i++) {
      const at = i * (key + 8);
      const address = wide(view, at + key);
      if (level > 0) {
        nodes.push({ node: address, below: level });
        continue;
      }
      if (view.getUint32(at + 4, true) !== 0) return undefined;
      const place = chunk.reduce(
        (place, extent, axis) => place * counts[axis]! + wide(view, at + 8 + 8 * axis) / extent,
        0,
      );
      if (!Number.isInteger(place) || place >= total) return undefined;
      chunks[place] = { address: bytes.place(address), size: view.getUint32(at, true) };
    }
  }
  return chunks;
}

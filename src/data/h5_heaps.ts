/**
 * The heaps of HDF5 files, which hold texts and names, and in which a damaged entry sends the
 * library round and round: it steps from entry to entry, in 32 bits, without counting.
 *
 * @module
 */
import type { ByteFile } from "./file.ts";

const TEXTS = signature("GCOL", 1);
const NAMES = signature("HEAP", 0);

/** What a heap begins with: its four letters, its version, three zeros. */
function signature(letters: string, version: number): Uint8Array {
  return Uint8Array.of(...new TextEncoder().encode(letters), version, 0, 0, 0);
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= 32 && start.every((byte, i) => bytes[i] === byte);
}

const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What of a file is needed to see on. */
type Source = Pick<ByteFile, "size" | "readInto">;

/** Tells of each read of a file whether the library would never end in the heap that it shows. */
export function heapGuard(file: Source): (bytes: Uint8Array, position: number) => boolean {
  // The first free block of each heap of names, by the place of its data.
  const free = new Map<number, number>();
  return (bytes, position) => {
    if (beginsWith(bytes, TEXTS)) return isBrokenCollection(file, bytes, position);
    if (beginsWith(bytes, NAMES)) {
      const view = viewOf(bytes);
      const [first, data] = [view.getUint32(16, true), Number(view.getBigUint64(24, true))];
      free.set(data, first);
      const inside = data - position;
      if (inside < 32 || inside >= bytes.length) return false;
      const end = inside + Math.min(view.getUint32(8, true), bytes.length - inside);
      return isCircular(bytes.subarray(inside, end), first);
    }
    const first = free.get(position);
    return first !== undefined && isCircular(bytes, first);
  };
}

/**
 * Whether a heap of texts is larger than the rest of its file, or holds an entry of no length or of
 * more than the heap.
 */
function isBrokenCollection(file: Source, bytes: Uint8Array, position: number): boolean {
  const total = Number(viewOf(bytes).getBigUint64(8, true));
  if (total > file.size - position) return true;
  // The library reads the first part of a heap, and the rest by itself.
  const rest = new Uint8Array(16);
  const entry = (at: number) => {
    if (at + 16 <= bytes.length) return viewOf(bytes.subarray(at, at + 16));
    file.readInto(rest, position + at);
    return viewOf(rest);
  };
  for (let at = 16; at + 16 <= total;) {
    const view = entry(at);
    const isFree = view.getUint16(0, true) === 0;
    const size = Number(view.getBigUint64(8, true));
    if (size > Math.min(total, 2 ** 31) || (isFree && size === 0)) return true;
    at += isFree ? size : 16 + 8 * Math.ceil(size / 8);
  }
  return false;
}

/** Whether the free blocks of a heap of names, each of which names the next, come round again. */
function isCircular(data: Uint8Array, first: number): boolean {
  const view = viewOf(data);
  let blocks = 0;
  for (let at = first; at !== LAST && at + 16 <= data.length; at = view.getUint32(at, true)) {
    if (++blocks * 16 > data.length) return true;
  }
  return false;
}

const LAST = 1;

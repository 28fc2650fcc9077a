/**
 * HDF5's arrays of common forms, read without the library: their bytes in place, or chunks that the
 * platform's own zlib decompresses, of which the last ones are kept.
 *
 * @module
 */
import { sizeOf } from "../shape.ts";
import type { PresentFile } from "./file.ts";
import { H5Bytes, readChunks, readLayout, type StoredChunk } from "./h5_layout.ts";

const DEFLATE = 1, SHUFFLE = 2;

/** How many bytes of decompressed chunks an array keeps, where one row of them takes no more. */
const KEPT = 2 ** 23;

/** What the library knows of an array. */
export interface DirectArray {
  /** The address of its object header. */
  readonly header: number;
  /** The extents. */
  readonly shape: readonly number[];
  /** The extents of a chunk; none where it is not in chunks. */
  readonly chunks: readonly number[];
  /** The registered numbers of its filters, in the order in which they were applied. */
  readonly filters: readonly number[];
  /** How many bytes a number takes. */
  readonly width: number;
}

/** Reads positions of the first axis. */
export interface DirectReader {
  /** The bytes of what lies from `start` to `end` of the first axis. */
  read(start: number, end: number): Uint8Array<ArrayBuffer>;
}

/**
 * A reader of an array's bytes.
 *
 * @param file The file.
 * @param array What the library says of the array.
 * @returns The reader; `undefined` for forms that are left to the library.
 */
export async function directReader(
  file: PresentFile,
  array: DirectArray,
): Promise<DirectReader | undefined> {
  const { shape, chunks, filters } = array;
  if (shape.length < 1 || shape.length > 2 || shape.includes(0)) return undefined;
  if (filters.some((id) => id !== DEFLATE && id !== SHUFFLE)) return undefined;
  const bytes = H5Bytes.of(file);
  const layout = bytes && readLayout(bytes, array.header);
  if (bytes === undefined || layout === undefined) return undefined;
  if (layout.kind === "contiguous") {
    const { address, size } = layout;
    const isWhole = size === sizeOf(shape) * array.width && chunks.length === 0;
    const place = bytes.place(address);
    return isWhole && filters.length === 0 && place + size <= file.size
      ? new Contiguous(file, place, size / shape[0]!)
      : undefined;
  }
  if (chunks.length !== shape.length) return undefined;
  const zlib = await import("node:zlib").catch(() => undefined);
  if (zlib === undefined) return undefined;
  const counts = chunks.map((extent, axis) => Math.ceil(shape[axis]! / extent));
  const found = readChunks(bytes, layout.tree, chunks, counts);
  const size = sizeOf(chunks) * array.width;
  const isKnown = (chunk: StoredChunk | undefined) =>
    chunk !== undefined && chunk.address + chunk.size <= file.size &&
    (filters.length > 0 || chunk.size === size);
  if (!found?.every(isKnown)) return undefined;
  return new Chunked(file, array, counts, found as StoredChunk[], zlib.inflateSync);
}

class Contiguous implements DirectReader {
  readonly #file: PresentFile;
  readonly #place: number;
  readonly #width: number;

  constructor(file: PresentFile, place: number, width: number) {
    this.#file = file;
    this.#place = place;
    this.#width = width;
  }

  read(start: number, end: number): Uint8Array<ArrayBuffer> {
    return this.#file.bytesAt(this.#place + start * this.#width, (end - start) * this.#width);
  }
}

type Inflate = typeof import("node:zlib").inflateSync;

class Chunked implements DirectReader {
  readonly #file: PresentFile;
  readonly #array: DirectArray;
  readonly #counts: readonly number[];
  readonly #chunks: readonly StoredChunk[];
  readonly #inflate: Inflate;
  /** By number, the one that was used last at the end. */
  readonly #kept = new Map<number, Uint8Array>();
  readonly #size: number;
  readonly #limit: number;

  constructor(
    file: PresentFile,
    array: DirectArray,
    counts: readonly number[],
    chunks: readonly StoredChunk[],
    inflate: Inflate,
  ) {
    this.#file = file;
    this.#array = array;
    this.#counts = counts;
    this.#chunks = chunks;
    this.#inflate = inflate;
    this.#size = sizeOf(array.chunks) * array.width;
    this.#limit = Math.max(counts[1] ?? 1, Math.floor(KEPT / this.#size));
  }

  read(start: number, end: number): Uint8Array<ArrayBuffer> {
    const { shape, chunks, width } = this.#array;
    const [rows, across] = [chunks[0]!, this.#counts[1] ?? 1];
    const [line, piece] = [(shape[1] ?? 1) * width, (chunks[1] ?? 1) * width];
    const out = new Uint8Array((end - start) * line);
    if (this.#array.filters.length === 0 && across === 1) {
      this.#readPlain(out, start * line, rows * line);
      return out;
    }
    for (let i = Math.floor(start / rows); i * rows < end; i++) {
      const [from, to] = [Math.max(start, i * rows), Math.min(end, (i + 1) * rows)];
      for (let j = 0; j < across; j++) {
        const part = this.#part(i * across + j, (from - i * rows) * piece, (to - i * rows) * piece);
        if (across === 1 && piece === line) {
          out.set(part, (from - start) * line);
          continue;
        }
        const length = Math.min(piece, line - j * piece);
        let [source, target] = [0, (from - start) * line + j * piece];
        for (let row = from; row < to; row++, source += piece, target += line) {
          out.set(part.subarray(source, source + length), target);
        }
      }
    }
    return out;
  }

  /** Bytes from a position on, of chunks that are one after the other: at once where they touch. */
  #readPlain(out: Uint8Array, position: number, size: number): void {
    for (let done = 0; done < out.length;) {
      const at = position + done;
      let number = Math.floor(at / size);
      const from = this.#chunks[number]!.address + at - number * size;
      while (
        this.#chunks[number + 1]?.address === this.#chunks[number]!.address + size &&
        (number + 1) * size < position + out.length
      ) number++;
      const end = Math.min(out.length, done + (number + 1) * size - at);
      this.#file.readInto(out.subarray(done, end), from);
      done = end;
    }
  }

  /** A part of a chunk. */
  #part(number: number, from: number, to: number): Uint8Array {
    if (this.#array.filters.length > 0) return this.#chunk(number).subarray(from, to);
    return this.#file.bytesAt(this.#chunks[number]!.address + from, to - from);
  }

  #chunk(number: number): Uint8Array {
    const kept = this.#kept.get(number);
    const chunk = kept ?? this.#decoded(this.#chunks[number]!);
    if (kept !== undefined) this.#kept.delete(number);
    this.#kept.set(number, chunk);
    if (this.#kept.size > this.#limit) this.#kept.delete(this.#kept.keys().next().value!);
    return chunk;
  }

  #decoded({ address, size }: StoredChunk): Uint8Array {
    let bytes: Uint8Array = this.#file.bytesAt(address, size);
    for (const filter of this.#array.filters.toReversed()) {
      bytes = filter === DEFLATE
        ? this.#inflate(bytes, { chunkSize: this.#size + 64, maxOutputLength: this.#size })
        : unshuffle(bytes, this.#array.width);
    }
    if (bytes.length !== this.#size) throw new SyntaxError("a chunk has another size");
    return bytes;
  }
}

/** Bytes in the order in which they were before the first ones of all numbers were put together. */
export function unshuffle(bytes: Uint8Array, width: number): Uint8Array {
  const count = Math.floor(bytes.length / width);
  const out = new Uint8Array(bytes.length);
  for (let part = 0; part < width; part++) {
    const from = part * count;
    for (let i = 0, to = part; i < count; i++, to += width) out[to] = bytes[from + i]!;
  }
  out.set(bytes.subarray(count * width), count * width);
  return out;
}

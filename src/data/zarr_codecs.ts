/**
 * Zarr's decompressions, which take no more memory than a chunk has, whatever its bytes claim. They
 * have names of their own in the library's registry, where others may have theirs.
 *
 * Sources: RFC 8878 for frames of zstd; the headers of Blosc and of numcodecs' LZ4.
 *
 * @module
 */
import { sizeOf } from "../shape.ts";
import { bytesPerElement, isElementType } from "./elements.ts";
import { inflate, mostGrowth } from "./gzip.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Registry = typeof import("zarrita")["registry"];

/** What a chunk is, as the library tells codecs. */
interface ChunkMeta {
  dataType: string;
  shape: readonly number[];
}

/** Throws where bytes would become more than `most`; the rest is left to the library's codec. */
type Check = (bytes: Bytes, most: number) => void;

const CHECKS: Readonly<Record<string, Check>> = {
  zstd: (bytes, most) => checkSize(sizeOfZstd(bytes), most),
  blosc(bytes, most) {
    const view = viewOf(bytes);
    const size = view.getUint32(12, true);
    if (size !== bytes.length) throw new Error(`it has ${bytes.length} bytes instead of ${size}`);
    checkSize(view.getUint32(4, true), most);
  },
  lz4: (bytes, most) => checkSize(viewOf(bytes).getUint32(0, true), most),
};

/** What the registry calls our codec of a name, by version 2 behind a prefix of its own. */
const ownName = (name: string) => `numcodecs.cellgrad.${name}`;

/** What the registry calls our codecs, by the names that metadata give them. */
export const OWN_CODECS: ReadonlyMap<unknown, string> = new Map(
  [...Object.keys(CHECKS), "gzip", "zlib", "crc32c"].flatMap((name) => [
    [name, ownName(name)],
    [`numcodecs.${name}`, ownName(name)],
  ]),
);

/** Sees to it that the library knows our codecs. */
export function registerCodecs(registry: Registry): void {
  const add = (name: string, load: () => Promise<unknown>) =>
    registry.set(ownName(name), load as never);
  for (const [name, check] of Object.entries(CHECKS)) {
    const inner = registry.get(name)!;
    add(name, async () => {
      const Codec = await inner();
      return codecOf((configuration, meta) => {
        const codec = Codec.fromConfig(configuration as never, meta as never) as unknown as {
          decode(bytes: Bytes): Bytes | Promise<Bytes>;
        };
        return (bytes) => {
          check(bytes, mostBytes(meta, bytes.length));
          return codec.decode(bytes);
        };
      });
    });
  }
  for (const [name, format] of [["gzip", "gzip"], ["zlib", "deflate"]] as const) {
    const decoder = (_: unknown, meta: ChunkMeta) => (bytes: Bytes) =>
      inflate(bytes, format, mostBytes(meta, bytes.length));
    add(name, () => Promise.resolve(codecOf(decoder)));
  }
  add("crc32c", () => Promise.resolve(codecOf(() => withoutChecksum, 4)));
}

/** A codec of bytes, as the library wants one; `more` bytes longer than what it decodes. */
function codecOf(
  decoder: (configuration: unknown, meta: ChunkMeta) => (bytes: Bytes) => Bytes | Promise<Bytes>,
  more?: number,
) {
  const computeEncodedSize = more === undefined ? undefined : (size: number) => size + more;
  return {
    fromConfig: (configuration: unknown, meta: ChunkMeta) => ({
      kind: "bytes_to_bytes",
      decode: decoder(configuration, meta),
      computeEncodedSize,
    }),
  };
}

/** How many bytes a chunk may have before the last decompression: a little more than its numbers. */
function mostBytes({ dataType, shape }: ChunkMeta, length: number): number {
  const [, kind, count] = /^v2:([SU])(\d+)$/.exec(dataType) ?? [];
  const width = isElementType(dataType)
    ? bytesPerElement(dataType)
    : kind === undefined
    ? undefined
    : Number(count) * (kind === "U" ? 4 : 1);
  return width === undefined
    ? mostGrowth(length)
    : Math.ceil(sizeOf(shape) * width * 9 / 8) + 2 ** 16;
}

const viewOf = (bytes: Bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function checkSize(size: number, most: number): void {
  if (size <= most) return;
  throw new Error(`it would become ${size} bytes, and a chunk has at most ${most}`);
}

const FRAME = 0xfd2fb528, SKIPPED = 0x184d2a50;

/** A block of zstd becomes no more. */
const BLOCK = 2 ** 17;

/**
 * How many bytes frames of zstd become, or may become where they do not say. Throws where they do
 * not end where the bytes do: the library's decoder would wait for more for ever.
 */
function sizeOfZstd(bytes: Bytes): number {
  const view = viewOf(bytes);
  let [at, size] = [0, 0];
  while (at < bytes.length) {
    const magic = view.getUint32(at, true);
    if ((magic & ~15) >>> 0 === SKIPPED) {
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    if (magic !== FRAME) throw new Error(`it is not compressed by zstd at position ${at}`);
    const descriptor = view.getUint8(at + 4);
    const isSingle = (descriptor & 32) !== 0;
    at += (isSingle ? 5 : 6) + [0, 1, 2, 4][descriptor & 3]!;
    const width = descriptor < 64 ? Number(isSingle) : 1 << (descriptor >> 6);
    const claim = contentSize(view, at, width);
    const frame = blocksOf(view, at + width);
    at = frame.end + (descriptor & 4);
    size += claim ?? frame.most;
  }
  if (at !== bytes.length) throw new Error(`it ends at ${bytes.length} instead of ${at}`);
  return size;
}

/** What a frame says of its size, in so many bytes. */
function contentSize(view: DataView, at: number, width: number): number | undefined {
  switch (width) {
    case 0:
      return undefined;
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}

/** Where the blocks of a frame end, and how many bytes they may become. */
function blocksOf(view: DataView, start: number): { end: number; most: number } {
  for (let at = start, most = 0;;) {
    const head = view.getUint16(at, true) | view.getUint8(at + 2) << 16;
    const [type, size] = [head >> 1 & 3, head >> 3];
    at += 3 + (type === 1 ? 1 : size);
    most += type === 2 ? BLOCK : size;
    if (type === 3 || size > BLOCK) throw new Error("it has a block of no kind");
    if (head & 1) return { end: at, most };
  }
}

const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >>> 1 ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** The bytes before their checksum, that of Castagnoli, which must be theirs. */
function withoutChecksum(bytes: Bytes): Bytes {
  const content = bytes.subarray(0, -4);
  let state = -1;
  for (const byte of content) state = state >>> 8 ^ REMAINDERS[(state ^ byte) & 255]!;
  const [stored, computed] = [viewOf(bytes).getUint32(content.length, true), ~state >>> 0];
  if (stored === computed) return content;
  throw new Error(`a byte of it has changed: its checksum was ${stored}, and is now ${computed}`);
}

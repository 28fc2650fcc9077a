/**
 * The files of a Zarr hierarchy: in a directory, or in a zip archive.
 *
 * @module
 */
import type { AbsolutePath, AsyncReadable, RangeQuery } from "@zarrita/storage";
import { type ByteFile, foldersIn, isMissing, LocalFile } from "./file.ts";
import { inflate } from "./gzip.ts";
import { messageOf, unreadable } from "./store.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Where the bytes of a hierarchy come from: what zarrita asks for, and the names of members. */
export interface ZarrFiles extends AsyncReadable {
  /** Where the directory or archive lies. */
  readonly path: string;
  /** The bytes of a file, `undefined` where there is no such file. */
  get(key: AbsolutePath): Promise<Bytes | undefined>;
  /** Some bytes of a file; throws where the file is shorter. */
  getRange(key: AbsolutePath, range: RangeQuery): Promise<Bytes | undefined>;
  /** The names of the folders in a folder. */
  folders(key: string): Promise<string[]>;
  /** Closes what is open. */
  close(): void;
}

/** The range of a file of `size` bytes that a query means; throws where it goes beyond the file. */
export function resolveRange(
  path: string,
  key: string,
  size: number,
  range: RangeQuery,
): [number, number] {
  const [offset, length] = "suffixLength" in range
    ? [size - range.suffixLength, range.suffixLength]
    : [range.offset, range.length];
  if (offset < 0 || offset + length > size) {
    throw unreadable(
      path,
      key.slice(1),
      `the file ends too early: ${length} bytes are expected at position ${offset}, and it has ` +
        `${size}`,
    );
  }
  return [offset, length];
}

/**
 * A hierarchy in a directory. Not zarrita's own reader for directories, as that gives zeros for
 * what a truncated file lacks.
 */
export class ZarrDirectory implements ZarrFiles {
  readonly path: string;
  #open = true;

  constructor(path: string) {
    this.path = path;
  }

  get(key: AbsolutePath): Promise<Bytes | undefined> {
    return this.#read(key, (file) => file.read(0, file.size));
  }

  getRange(key: AbsolutePath, range: RangeQuery): Promise<Bytes | undefined> {
    return this.#read(key, (file) => {
      return file.read(...resolveRange(this.path, key, file.size, range));
    });
  }

  async folders(key: string): Promise<string[]> {
    this.#checkOpen();
    return await foldersIn(this.#place(`/${key}`));
  }

  close(): void {
    this.#open = false;
  }

  #checkOpen(): void {
    if (!this.#open) throw new TypeError(`Cannot read "${this.path}" as it is closed`);
  }

  /** Where a key leads, which must be in the folder. */
  #place(key: string): string {
    if (!key.split(/[\\/]/).includes("..")) return this.path + key;
    throw unreadable(this.path, key.slice(1), "it would lead out of the folder");
  }

  async #read<T>(key: string, read: (file: LocalFile) => Promise<T>): Promise<T | undefined> {
    this.#checkOpen();
    try {
      const file = await LocalFile.open(this.#place(key));
      try {
        return await read(file);
      } finally {
        file.close();
      }
    } catch (error) {
      if (isMissing((error as Error).cause)) return undefined;
      throw error;
    }
  }
}

/** The members of a zip archive. */
export interface ZipFiles extends ZarrFiles {
  /** Their names. */
  readonly names: readonly string[];
}

/** Opens a hierarchy in a zip archive, which may hold it within a folder; takes over the file. */
export async function openZip(file: ByteFile): Promise<ZipFiles> {
  const { default: ZipFileStore } = await import("@zarrita/storage/zip");
  const members = new Map<string, ZipMember>();
  let failure: unknown;
  const reader = {
    getLength: () => Promise.resolve(file.size),
    read: (offset: number, size: number) =>
      file.read(offset, size).catch((error) => {
        throw failure = error;
      }),
  };
  // What the archive does not hold as it should, in our words; what the file cannot give, as it is.
  const member = async (key: string, read: Promise<unknown>) => {
    try {
      return await read as Bytes | undefined;
    } catch (cause) {
      if (cause === failure) throw cause;
      throw unreadable(
        file.path,
        key.slice(1),
        `its zip archive is damaged: ${messageOf(cause)}`,
        cause,
      );
    }
  };
  const zip = new ZipFileStore(reader, {
    transformEntries(entries) {
      const root = commonFolder(Object.keys(entries));
      const inside = Object.entries(entries).filter(([name]) => name.startsWith(root));
      for (const [name, entry] of inside) members.set(`/${name.slice(root.length)}`, entry);
      return Object.fromEntries(inside.map(([name, entry]) => [name.slice(root.length), entry]));
    },
  });
  try {
    await zip.has("/zarr.json");
    checkMembers([...members.values()], file.size);
  } catch (cause) {
    throw unreadable(file.path, "", `it is not a whole zip archive: ${messageOf(cause)}`, cause);
  }
  const get = (key: AbsolutePath) => {
    const entry = members.get(key);
    return entry?.compressionMethod === DEFLATED ? inflateMember(reader, entry) : zip.get(key);
  };
  return {
    path: file.path,
    names: [...members.keys()].map((name) => name.slice(1)),
    get: (key) => member(key, get(key)),
    async getRange(key, range) {
      const entry = members.get(key);
      if (entry === undefined) return undefined;
      const [offset, length] = resolveRange(file.path, key, entry.size, range);
      const part = entry.compressionMethod === DEFLATED
        ? inflateMember(reader, entry).then((bytes) => bytes.subarray(offset, offset + length))
        : zip.getRange(key, { offset, length });
      return await member(key, part);
    },
    folders(key) {
      const prefix = key === "" ? "/" : `/${key}/`;
      const rest = [...members.keys()].filter((name) => name.startsWith(prefix))
        .map((name) => name.slice(prefix.length).split("/"));
      const names = rest.filter((parts) => parts.length > 1).map((parts) => parts[0]!);
      return Promise.resolve([...new Set(names)].sort());
    },
    close: () => file.close(),
  };
}

const STORED = 0, DEFLATED = 8;

/** What the library knows of a member. */
interface ZipMember {
  readonly size: number;
  readonly compressedSize: number;
  readonly compressionMethod: number;
}

/** Deflate makes no more of a byte. */
const DENSEST = 1032;

/** Throws where members claim more than they can become, or the same bytes several times. */
function checkMembers(members: readonly ZipMember[], fileSize: number): void {
  let all = 0;
  for (const { size, compressedSize, compressionMethod } of members) {
    all += compressedSize;
    const most = compressionMethod === STORED ? compressedSize : DENSEST * compressedSize;
    if (size <= most) continue;
    throw new Error(`${compressedSize} bytes of a member cannot become ${size}`);
  }
  if (all <= fileSize) return;
  throw new Error(`its members take ${all} bytes together, and it has ${fileSize}`);
}

interface ByteReader {
  read(position: number, length: number): Promise<Bytes>;
}

/** A member that is compressed, which becomes as large as the archive's list says. */
async function inflateMember(reader: ByteReader, member: ZipMember): Promise<Bytes> {
  const { _rawEntry: raw } = member as unknown as {
    _rawEntry: { relativeOffsetOfLocalHeader: number };
  };
  const start = raw.relativeOffsetOfLocalHeader;
  const header = new DataView((await reader.read(start, 30)).buffer);
  const at = start + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const { size, compressedSize } = member;
  const bytes = await inflate(await reader.read(at, compressedSize), "deflate-raw", size);
  if (bytes.length === size) return bytes;
  throw new Error(`it becomes ${bytes.length} bytes instead of ${size}`);
}

/** The folder that holds the outermost group, with a slash at its end; empty for none. */
function commonFolder(names: string[]): string {
  const groups = names.filter((name) => /(^|\/)(zarr\.json|\.zgroup)$/.test(name))
    .map((name) => name.slice(0, name.lastIndexOf("/") + 1));
  return groups.sort((a, b) => a.length - b.length)[0] ?? "";
}

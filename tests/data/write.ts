/**
 * Writes trees to HDF5 files, Zarr directories and zip archives of them.
 *
 * @module
 */
import { crc32, deflateSync } from "node:zlib";
import * as h5wasm from "h5wasm";
import { registry } from "zarrita";
import type { Branch, Leaf } from "./tree.ts";

/** Runs a test in a directory of its own. */
export async function inTempDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The bytes of an HDF5 file that holds the tree; arrays are chunked and compressed. */
export async function h5Bytes(tree: Branch): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("/write.h5", "w");
  writeH5(file, tree);
  file.close();
  const bytes = FS.readFile("/write.h5") as unknown as Uint8Array;
  FS.unlink("/write.h5");
  return bytes;
}

function writeH5(group: h5wasm.Group, tree: Leaf | Branch): void {
  for (const [name, value] of Object.entries(tree.attributes)) {
    if (Array.isArray(value) && value.length === 0) {
      group.create_attribute(name, new Float64Array(0));
    } else group.create_attribute(name, typeof value === "boolean" ? Number(value) : value);
  }
  if (tree.kind === "leaf") return;
  for (const [name, member] of Object.entries(tree.members)) {
    if (member.kind === "branch") {
      writeH5(group.create_group(name), member);
      continue;
    }
    const { values, shape } = member;
    const data = values as string[];
    const chunks = shape.map((extent, axis) => axis === 0 ? Math.min(2, extent) : extent);
    const isChunked = member.type !== "string" && !shape.includes(0);
    const options = isChunked ? { chunks, compression: 4 } : {};
    const dtype = member.type === "string" ? "S" : null;
    const dataset = group.create_dataset({ name, data, shape, dtype, ...options });
    writeH5(dataset as unknown as h5wasm.Group, { ...member });
  }
}

/** How a Zarr hierarchy is written. */
export interface ZarrOptions {
  /** The version of the format. */
  version: 2 | 3;
  /** Version 3: chunks compressed with zstd, all of an array in one file. */
  sharded?: boolean;
  /** Version 2: values in Fortran order within a chunk. */
  fortranOrder?: boolean;
}

type Files = Map<string, Uint8Array>;

/** The files of a Zarr hierarchy that holds the tree; chunks have two rows. */
export async function zarrFiles(tree: Branch, options: ZarrOptions): Promise<Files> {
  const files: Files = new Map();
  const visit = async (node: Leaf | Branch, at: string) => {
    if (node.kind === "leaf") {
      if (options.version === 2) writeArray2(files, at, node, options.fortranOrder === true);
      else await writeArray3(files, at, node, options.sharded === true);
      return;
    }
    if (options.version === 2) {
      files.set(`${at}.zgroup`, json({ zarr_format: 2 }));
      files.set(`${at}.zattrs`, json(node.attributes));
    } else {
      const { attributes } = node;
      files.set(`${at}zarr.json`, json({ zarr_format: 3, node_type: "group", attributes }));
    }
    for (const [name, member] of Object.entries(node.members)) await visit(member, `${at}${name}/`);
  };
  await visit(tree, "");
  return files;
}

const NAMES_2: Record<string, string> = {
  bool: "|b1",
  int8: "|i1",
  uint8: "|u1",
  uint16: "<u2",
  int32: "<i4",
  int64: "<i8",
  uint64: "<u8",
  float32: "<f4",
  float64: "<f8",
  string: "|O",
};

function writeArray2(files: Files, at: string, leaf: Leaf, fortranOrder: boolean): void {
  const { shape, type, attributes } = leaf;
  const chunkShape = [2, ...shape.slice(1)];
  const isText = type === "string";
  files.set(
    `${at}.zarray`,
    json({
      zarr_format: 2,
      shape,
      chunks: chunkShape,
      dtype: NAMES_2[type],
      compressor: { id: "zlib", level: 1 },
      filters: isText ? [{ id: "vlen-utf8" }] : null,
      order: fortranOrder ? "F" : "C",
      fill_value: isText ? "" : 0,
    }),
  );
  files.set(`${at}.zattrs`, json(attributes));
  chunksOf(leaf, fortranOrder && !isText).forEach((bytes, i) => {
    const name = [i, ...shape.slice(1).map(() => 0)].join(".");
    files.set(at + name, deflateSync(bytes));
  });
}

async function writeArray3(files: Files, at: string, leaf: Leaf, sharded: boolean): Promise<void> {
  const { shape, type, attributes } = leaf;
  const chunk_shape = [2, ...shape.slice(1)];
  const count = Math.ceil(shape[0]! / 2);
  const little = { name: "bytes", configuration: { endian: "little" } };
  const inner = type === "string" ? { name: "vlen-utf8", configuration: {} } : little;
  const zstd = { name: "zstd", configuration: { level: 1, checksum: false } };
  const shard = {
    name: "sharding_indexed",
    configuration: {
      chunk_shape,
      codecs: [inner, zstd],
      index_codecs: [little, { name: "crc32c" }],
      index_location: "end",
    },
  };
  const grid = sharded ? [2 * count, ...shape.slice(1)] : chunk_shape;
  files.set(
    `${at}zarr.json`,
    json({
      zarr_format: 3,
      node_type: "array",
      shape,
      data_type: type,
      chunk_grid: { name: "regular", configuration: { chunk_shape: grid } },
      chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
      codecs: sharded ? [shard] : [inner],
      fill_value: type === "string" ? "" : type === "bool" ? false : 0,
      attributes,
    }),
  );
  const chunks = chunksOf(leaf, false);
  const name = (i: number) => ["c", i, ...shape.slice(1).map(() => 0)].join("/");
  if (!sharded) chunks.forEach((bytes, i) => files.set(at + name(i), bytes));
  else files.set(at + name(0), await shardOf(chunks));
}

/** Compressed chunks one after the other, then where each begins and how long it is. */
async function shardOf(chunks: Uint8Array[]): Promise<Uint8Array> {
  const Zstd = await registry.get("zstd")!();
  const codec = Zstd.fromConfig({ level: 1 }, undefined as never) as unknown as {
    encode(bytes: Uint8Array): Promise<Uint8Array>;
  };
  const parts: Uint8Array[] = [];
  const index: bigint[] = [];
  let offset = 0;
  for (const chunk of chunks) {
    const bytes = Uint8Array.from(await codec.encode(chunk));
    index.push(BigInt(offset), BigInt(bytes.length));
    parts.push(bytes);
    offset += bytes.length;
  }
  const table = new Uint8Array(BigUint64Array.from(index).buffer);
  const checksum = new Uint8Array(Uint32Array.of(crc32c(table)).buffer);
  return concat([...parts, table, checksum]);
}

/** The cyclic redundancy check of Castagnoli, reflected: polynomial 0x82f63b78. */
function crc32c(bytes: Uint8Array): number {
  let state = 0xffffffff;
  for (const byte of bytes) {
    state ^= byte;
    for (let bit = 0; bit < 8; bit++) state = state & 1 ? state >>> 1 ^ 0x82f63b78 : state >>> 1;
  }
  return ~state >>> 0;
}

/** The bytes of chunks of two rows each, the last one filled up. */
function chunksOf(leaf: Leaf, fortranOrder: boolean): Uint8Array[] {
  const { values, shape } = leaf;
  const row = shape.slice(1).reduce((a, b) => a * b, 1);
  return Array.from({ length: Math.ceil(shape[0]! / 2) }, (_, i) => {
    const part = values.slice(i * 2 * row, (i + 1) * 2 * row);
    if (Array.isArray(part)) return textBytes([...part, ...["", ""].slice(part.length)]);
    const chunk = new (part.constructor as Float64ArrayConstructor)(2 * row);
    chunk.set(part as Float64Array);
    const bytes = fortranOrder ? chunk.map((_, at) => chunk[at % 2 * row + (at >> 1)]!) : chunk;
    return new Uint8Array(bytes.buffer);
  });
}

/** Text as the codec vlen-utf8 stores it: the count, then each length and its bytes. */
function textBytes(values: string[]): Uint8Array {
  const number = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  const encoded = values.map((value) => new TextEncoder().encode(value));
  return concat([
    number(values.length),
    ...encoded.flatMap((bytes) => [number(bytes.length), bytes]),
  ]);
}

/** Writes files below a directory. */
export async function writeFiles(directory: string, files: Files): Promise<void> {
  for (const [name, bytes] of files) {
    const path = `${directory}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(path, bytes);
  }
}

/** The bytes of a zip archive of files that are stored as they are. */
export function zipBytes(files: Files, folder = ""): Uint8Array {
  const [bodies, directory]: Uint8Array[][] = [[], []];
  let offset = 0;
  for (const [name, bytes] of files) {
    const path = new TextEncoder().encode(folder + name);
    const head = new DataView(new ArrayBuffer(26));
    head.setUint16(0, 20, true);
    head.setUint32(10, crc32(bytes), true);
    head.setUint32(14, bytes.length, true);
    head.setUint32(18, bytes.length, true);
    head.setUint16(22, path.length, true);
    const common = new Uint8Array(head.buffer);
    const local = concat([Uint8Array.of(0x50, 0x4b, 3, 4), common, path, bytes]);
    const rest = new DataView(new ArrayBuffer(14));
    rest.setUint32(10, offset, true);
    const tail = new Uint8Array(rest.buffer);
    directory!.push(concat([Uint8Array.of(0x50, 0x4b, 1, 2, 20, 0), common, tail, path]));
    bodies!.push(local);
    offset += local.length;
  }
  const entries = concat(directory!);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.size, true);
  end.setUint16(10, files.size, true);
  end.setUint32(12, entries.length, true);
  end.setUint32(16, offset, true);
  return concat([...bodies!, entries, new Uint8Array(end.buffer)]);
}

function concat(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The forms of an AnnData file: how each is written, and what it is called. */
export const FORMS: Record<string, (directory: string, tree: Branch) => Promise<string>> = {
  async "h5ad"(directory, tree) {
    const path = `${directory}/cells.h5ad`;
    await Deno.writeFile(path, await h5Bytes(tree));
    return path;
  },
  async "Zarr 2"(directory, tree) {
    const path = `${directory}/cells2.zarr`;
    await writeFiles(path, await zarrFiles(tree, { version: 2 }));
    return path;
  },
  async "Zarr 3"(directory, tree) {
    const path = `${directory}/cells3.zarr`;
    await writeFiles(path, await zarrFiles(tree, { version: 3 }));
    return path;
  },
  async "zipped Zarr 3 in shards"(directory, tree) {
    const path = `${directory}/cells.zarr.zip`;
    const files = await zarrFiles(tree, { version: 3, sharded: true });
    await Deno.writeFile(path, zipBytes(files));
    return path;
  },
};

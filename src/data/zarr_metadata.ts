/**
 * What Zarr's metadata say, checked before the library believes it.
 *
 * @module
 */
import { sizeOf } from "../shape.ts";
import { messageOf, unreadable } from "./store.ts";
import { OWN_CODECS } from "./zarr_codecs.ts";
import type { ZarrFiles } from "./zarr_files.ts";
import { parseJson } from "./zarr_json.ts";

/** A chunk has no more values: the library makes them all where it was never written. */
const LARGEST_CHUNK = 2 ** 31;

/** A chunk of more values is no larger than its array. */
const LARGEST_MARGIN = 2 ** 26;

type Entries = Record<string, unknown>;

/** The same files, whose metadata are refused where the library would go wrong by them. */
export function checkedFiles(files: ZarrFiles): ZarrFiles {
  return {
    path: files.path,
    async get(key) {
      const bytes = await files.get(key);
      const kind = /[^/]*$/.exec(key)![0];
      if (bytes === undefined || !Object.hasOwn(CHECKS, kind)) return bytes;
      try {
        const metadata = parseJson(bytes);
        if (!isEntries(metadata)) throw new Error("it must be an object");
        return new TextEncoder().encode(JSON.stringify(CHECKS[kind]!(metadata), spelled));
      } catch (cause) {
        const why = `its metadata are damaged: ${messageOf(cause)}`;
        throw unreadable(files.path, key.slice(1), why, cause);
      }
    },
    getRange: (key, range) => files.getRange(key, range),
    folders: (key) => files.folders(key),
    close: () => files.close(),
  };
}

/** NaN and the infinities as Zarr spells them. */
function spelled(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** What is checked in each file of metadata, and how the library is to see it. */
const CHECKS: Readonly<Record<string, (metadata: Entries) => Entries>> = {
  ".zattrs": (metadata) => metadata,
  ".zarray"(metadata) {
    checkExtents(metadata["shape"], [metadata["chunks"]]);
    const { compressor } = metadata;
    if (!isEntries(compressor)) return metadata;
    const id = OWN_CODECS.get(compressor["id"])?.replace(/^numcodecs\./, "") ?? compressor["id"];
    return { ...metadata, compressor: { ...compressor, id } };
  },
  "zarr.json"(metadata) {
    const { attributes = {}, codecs, chunk_grid: grid } = metadata;
    if (!isEntries(attributes)) throw new Error("attributes must be an object");
    if (metadata["node_type"] !== "array") return { ...metadata, attributes };
    const chunks: unknown[] = [configurationOf(grid)["chunk_shape"]];
    const own = ownCodecs(codecs, chunks);
    checkExtents(metadata["shape"], chunks);
    return { ...metadata, attributes, codecs: own };
  },
};

function isEntries(value: unknown): value is Entries {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function configurationOf(part: unknown): Entries {
  const configuration = isEntries(part) ? part["configuration"] : undefined;
  return isEntries(configuration) ? configuration : {};
}

/** Codecs by the names of ours, also those within shards, whose extents are added to `chunks`. */
function ownCodecs(codecs: unknown, chunks: unknown[]): unknown[] {
  if (!Array.isArray(codecs)) throw new Error("codecs must be a list");
  return codecs.map((codec: unknown) => {
    if (!isEntries(codec)) return codec;
    const { name } = codec;
    if (name !== "sharding_indexed") return { ...codec, name: OWN_CODECS.get(name) ?? name };
    const configuration = configurationOf(codec);
    chunks.push(configuration["chunk_shape"]);
    const inner = { codecs: configuration["codecs"], index_codecs: configuration["index_codecs"] };
    const own = Object.entries(inner).map(([key, list]) => [key, ownCodecs(list, chunks)]);
    return { name, configuration: { ...configuration, ...Object.fromEntries(own) } };
  });
}

/** Throws unless an array and its chunks have extents that they can have. */
function checkExtents(shape: unknown, chunks: readonly unknown[]): void {
  if (!isCounts(shape, 0)) throw new Error(`shape must be whole numbers: ${text(shape)}`);
  for (const chunk of chunks) {
    // Of an empty array, nothing is read.
    const isEmpty = shape.includes(0);
    if (!isCounts(chunk, isEmpty ? 0 : 1) || chunk.length !== shape.length) {
      throw new Error(`chunks must be ${shape.length} positive whole numbers: ${text(chunk)}`);
    }
    const most = Math.min(LARGEST_CHUNK, Math.max(LARGEST_MARGIN, sizeOf(shape)));
    if (sizeOf(chunk) <= most) continue;
    throw new Error(`a chunk must have at most ${most} values: its extents are ${text(chunk)}`);
  }
}

const text = (value: unknown) => JSON.stringify(value) ?? "there are none";

function isCounts(value: unknown, least: number): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= least);
}

/**
 * Formats that files are in by mistake, told by their first bytes.
 *
 * @module
 */

const DECOMPRESS = "decompress it first";

/** First bytes, and what a file is that begins with them. */
const FORMATS: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], `it is compressed by gzip: ${DECOMPRESS}, but for tables`],
  [[0x28, 0xb5, 0x2f, 0xfd], `it is compressed by zstd: ${DECOMPRESS}`],
  [[0x42, 0x5a, 0x68], `it is compressed by bzip2: ${DECOMPRESS}`],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], `it is compressed by xz: ${DECOMPRESS}`],
  [
    [...new TextEncoder().encode("%%MatrixMarket")],
    "it is in the Matrix Market format (.mtx): openCells reads the folder that it lies in",
  ],
  [[...new TextEncoder().encode("PAR1")], "it is in the Parquet format: openCells reads it"],
];

/** Formats that are read, but not as text. */
const BINARY: readonly (readonly [readonly number[], string])[] = [
  [[0x89, 0x48, 0x44, 0x46], "it is an HDF5 file: openAnnData reads it where it is AnnData"],
  [[0x50, 0x4b, 0x03, 0x04], "it is a zip archive, as spreadsheets (.xlsx) are: save it as CSV"],
];

function find(
  bytes: Uint8Array,
  formats: readonly (readonly [readonly number[], string])[],
): string | undefined {
  return formats.find(([first]) => first.every((byte, i) => bytes[i] === byte))?.[1];
}

/** What a file is that is neither text nor AnnData, to complete a sentence. */
export function foreignFormat(bytes: Uint8Array): string | undefined {
  return find(bytes, FORMATS);
}

/** What a file is that is not text, to complete a sentence. */
export function otherFormat(bytes: Uint8Array): string | undefined {
  return find(bytes, [...FORMATS, ...BINARY]);
}

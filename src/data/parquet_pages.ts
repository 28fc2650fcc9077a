/**
 * The pages of Parquet files, checked before the library reads them: it takes the sizes that they
 * claim for true, makes as many values as a run says, and goes round where a count is negative.
 *
 * Source: https://parquet.apache.org/docs/file-format.
 *
 * @module
 */
import type { FileMetaData, PageHeader, SchemaTree } from "hyparquet";
import { messageOf } from "./store.ts";

type Decompress = (bytes: Uint8Array, length: number) => Uint8Array;
type ColumnMetaData = NonNullable<
  FileMetaData["row_groups"][number]["columns"][number]["meta_data"]
>;

/** How many values a table has, at most: 2 GiB of numbers. */
const MOST_VALUES = 2 ** 28;

/** A page may become this large whatever it takes in the file: 16 MiB. */
const LARGE = 2 ** 24;

/** How much a larger page may become by each of its bytes, as blocks of zstd do. */
const DENSEST = 2 ** 15;

/** What the library has for pages. */
interface Library {
  parquetHeader(reader: Reader): PageHeader;
  deltaBinaryUnpack(reader: Reader, count: number, out: Int32Array): void;
  decoders: Readonly<Record<string, Decompress | undefined>>;
}

interface Reader {
  view: DataView;
  offset: number;
}

/** The columns of a file, whose row groups must have each of them once, and their values. */
export function checkedColumns(metadata: FileMetaData, schema: SchemaTree): SchemaTree[] {
  const columns = schema.children;
  const names = columns.map(({ element }) => element.name);
  const isSame = (found: readonly string[]) =>
    found.length === names.length && new Set([...found, ...names]).size === names.length;
  for (const { element, children } of columns) {
    if (children.length === 0 && element.repetition_type !== "REPEATED") continue;
    throw new Error(
      `column "${element.name}" must hold numbers or text: it holds lists or records`,
    );
  }
  let rows = 0;
  for (const { columns: parts, num_rows: count } of metadata.row_groups) {
    rows += Number(count);
    const found = parts.map(({ meta_data: part }) => part?.path_in_schema.join(".") ?? "");
    if (!isSame(found)) throw new Error(`its row groups must have the columns ${names.join(", ")}`);
  }
  if (rows === Number(metadata.num_rows) && rows >= 0 && rows * names.length <= MOST_VALUES) {
    return columns;
  }
  throw new Error(
    `it must have the ${metadata.num_rows} rows that it claims, and at most ${MOST_VALUES} ` +
      `values: it has ${rows} rows of ${names.length} columns`,
  );
}

/** Throws unless all pages of a file are as large as they claim, and none longer than its group. */
export async function checkPages(
  file: Uint8Array,
  metadata: FileMetaData,
  columns: readonly SchemaTree[],
): Promise<Record<string, Decompress>> {
  const { parquetHeader } = await import("hyparquet/src/column.js");
  const { deltaBinaryUnpack } = await import("hyparquet/src/delta.js");
  const { compressors } = await import("hyparquet-compressors");
  const decoders = Object.fromEntries(
    Object.entries(compressors).map(([codec, decompress]) => [codec, checked(decompress!)]),
  );
  for (const { columns: parts, num_rows: rows } of metadata.row_groups) {
    for (const { meta_data: part } of parts) {
      const { element } = columns.find(({ element }) => element.name === part!.path_in_schema[0])!;
      const library = { parquetHeader, deltaBinaryUnpack, decoders };
      const isOptional = element.repetition_type === "OPTIONAL";
      try {
        new Pages(library, part!.codec, isOptional).check(chunkOf(file, part!), Number(rows));
      } catch (cause) {
        throw new Error(`column "${element.name}" is damaged: ${messageOf(cause)}`, { cause });
      }
    }
  }
  return decoders;
}

function checked(decompress: Decompress): Decompress {
  return (bytes, length) => {
    checkGrowth(bytes.length, length);
    return decompress(bytes, length);
  };
}

/** The bytes of a column in a group. */
function chunkOf(file: Uint8Array, part: ColumnMetaData): DataView {
  const start = Number(part.dictionary_page_offset || part.data_page_offset);
  const size = Number(part.total_compressed_size);
  if (start >= 0 && size >= 0 && start + size <= file.length) {
    return new DataView(file.buffer, file.byteOffset + start, size);
  }
  throw new Error(`its ${size} bytes at position ${start} lie outside the file`);
}

/** The pages of a column in a group. */
class Pages {
  readonly #library: Library;
  readonly #decompress: (bytes: Uint8Array, length: number) => Uint8Array;
  readonly #isOptional: boolean;

  constructor(library: Library, codec: string, isOptional: boolean) {
    this.#library = library;
    this.#decompress = library.decoders[codec] ?? ((bytes) => bytes);
    this.#isOptional = isOptional;
  }

  check(view: DataView, wanted: number): void {
    const reader = { view, offset: 0 };
    let rows = 0;
    while (rows < wanted && reader.offset < view.byteLength - 1) {
      const header = this.#library.parquetHeader(reader);
      const size = checkCount(header.compressed_page_size, view.byteLength - reader.offset);
      const page = new Uint8Array(view.buffer, view.byteOffset + reader.offset, size);
      reader.offset += size;
      rows += this.#page(header, page, wanted - rows);
    }
    if (rows !== wanted) throw new Error(`it has ${rows} values instead of ${wanted}`);
  }

  /** Checks a page, of at most `most` values, and counts them. */
  #page(header: PageHeader, bytes: Uint8Array, most: number): number {
    const length = Number(header.uncompressed_page_size);
    if (header.type === "DICTIONARY_PAGE") {
      const { length: size } = this.#decompress(bytes, length);
      checkCount(header.dictionary_page_header?.num_values, size);
      return 0;
    }
    const { data_page_header: first, data_page_header_v2: second } = header;
    const count = checkCount((first ?? second)?.num_values, most);
    if (first !== undefined) {
      this.#first(first.encoding, count, viewOf(this.#decompress(bytes, length)));
    } else this.#second(second!, bytes, length);
    return count;
  }

  /** A page of the second version: which values there are is not compressed. */
  #second(
    header: NonNullable<PageHeader["data_page_header_v2"]>,
    bytes: Uint8Array,
    length: number,
  ): void {
    const { num_values: count, encoding, is_compressed: isCompressed } = header;
    const repeated = checkCount(header.repetition_levels_byte_length, bytes.length);
    const defined = checkCount(header.definition_levels_byte_length, bytes.length - repeated);
    const levels = viewOf(bytes.subarray(repeated, repeated + defined));
    if (this.#isOptional) countRuns({ view: levels, offset: 0 }, 1, count);
    const values = bytes.subarray(repeated + defined);
    const rest = length - repeated - defined;
    const isPlain = isCompressed === false || rest === 0;
    const view = viewOf(isPlain ? values : this.#decompress(values, rest));
    this.#values(encoding, count - checkCount(header.num_nulls, count), { view, offset: 0 });
  }

  /** A page of the first version: which values there are, and behind that, what they are. */
  #first(encoding: string, count: number, view: DataView): void {
    if (!this.#isOptional) return this.#values(encoding, count, { view, offset: 0 });
    const length = view.getUint32(0, true);
    const present = countRuns({ view, offset: 4 }, 1, count);
    this.#values(encoding, present, { view, offset: 4 + length });
  }

  #values(encoding: string, count: number, reader: Reader): void {
    const { view, offset } = reader;
    if (count === 0) return;
    if (encoding === "RLE") countRuns({ view, offset: offset + 4 }, 1, count);
    else if (encoding.endsWith("_DICTIONARY")) {
      const width = view.getUint8(offset);
      if (width > 0) countRuns({ view, offset: offset + 1 }, width, count);
    } else if (encoding === "DELTA_BYTE_ARRAY") this.#texts(count, reader);
    else if (encoding.startsWith("DELTA_")) checkDeltas(view, offset, count);
    else if (count > 8 * (view.byteLength - offset)) {
      throw new Error(`${view.byteLength - offset} bytes do not hold ${count} values`);
    }
  }

  /** Texts that begin as those before them do: how long their beginnings are, and what follows. */
  #texts(count: number, reader: Reader): void {
    const [prefixes, suffixes] = [0, 1].map(() => {
      checkDeltas(reader.view, reader.offset, count);
      const lengths = new Int32Array(count);
      this.#library.deltaBinaryUnpack(reader, count, lengths);
      return lengths;
    });
    let [last, all] = [0, 0];
    for (let i = 0; i < count; i++) {
      last = checkCount(prefixes![i], last) + checkCount(suffixes![i], reader.view.byteLength);
      all += last;
    }
    checkGrowth(reader.view.byteLength, all);
  }
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array) =>
  new DataView(buffer, byteOffset, length);

/** A number that is in its range. */
function checkCount(count: number | undefined, most: number): number {
  if (count !== undefined && count >= 0 && count <= most) return count;
  throw new Error(`a count must be from 0 to ${most}: current value is ${count}`);
}

/** Throws where bytes claim to become more than any. */
function checkGrowth(bytes: number, length: number): void {
  if (length >= 0 && length <= Math.max(LARGE, DENSEST * bytes)) return;
  throw new Error(`${bytes} bytes cannot become ${length}`);
}

function varint(reader: Reader): number {
  for (let value = 0, scale = 1;; scale *= 128) {
    const byte = reader.view.getUint8(reader.offset++);
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}

/** How many of `count` numbers in runs are not 0; throws where a run is longer than they are. */
function countRuns(reader: Reader, width: number, count: number): number {
  const { view } = reader;
  const bytes = Math.ceil(width / 8);
  let present = 0;
  for (let seen = 0; seen < count;) {
    const head = varint(reader);
    const rest = count - seen;
    if (head % 2 === 0) {
      const length = checkCount(head / 2, rest);
      if (view.getUint8(reader.offset) !== 0) present += length;
      reader.offset += bytes;
      seen += length;
      if (length === 0) throw new Error("a run is empty");
      continue;
    }
    const groups = Math.floor(head / 2);
    if (groups === 0 || groups * width > view.byteLength - reader.offset) {
      throw new Error(`a run of ${8 * groups} values does not lie within its page`);
    }
    for (let i = 0; width === 1 && i < Math.min(rest, 8 * groups); i++) {
      present += view.getUint8(reader.offset + (i >> 3)) >> (i & 7) & 1;
    }
    reader.offset += groups * width;
    seen += 8 * groups;
  }
  return present;
}

/** Throws unless differences are in blocks as the format has them. */
function checkDeltas(view: DataView, offset: number, count: number): void {
  const reader = { view, offset };
  const [block, parts, total] = [varint(reader), varint(reader), varint(reader)];
  if (parts > 0 && parts <= block && block <= 2 ** 16 && total === count) return;
  throw new Error(`${count} values must be in blocks: these are ${total} in ${parts} × ${block}`);
}

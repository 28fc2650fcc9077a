/**
 * Parquet files as tables.
 *
 * @module
 */
import type { ColumnData } from "hyparquet";
import { describe } from "../describe.ts";
import type { TableColumn } from "./field.ts";
import { checkedColumns, checkPages } from "./parquet_pages.ts";
import { messageOf } from "./store.ts";

/** What pandas calls the column of an index without a name. */
const INDEX = /^__index_level_\d+__$/;

/** The columns of a Parquet file, and the name of that which pandas has made of an index. */
export async function parseParquet(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ columns: Map<string, TableColumn>; index: string | undefined }> {
  const found = await read(bytes).catch((cause) => {
    const why = `it is a Parquet file that cannot be read: ${messageOf(cause)}`;
    throw new SyntaxError(`Cannot read ${name} as ${why}`, { cause });
  });
  const columns = new Map<string, TableColumn>();
  for (const [column, values] of found) columns.set(column, toColumn(name, column, values));
  return { columns, index: [...columns.keys()].find((column) => INDEX.test(column)) };
}

async function read(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, unknown[]>> {
  const { parquetMetadataAsync, parquetRead, parquetSchema } = await import("hyparquet");
  const file = {
    byteLength: bytes.length,
    slice: (start: number, end?: number) => bytes.slice(start, end).buffer,
  };
  const metadata = await parquetMetadataAsync(file);
  const fields = checkedColumns(metadata, parquetSchema(metadata));
  const compressors = await checkPages(bytes, metadata, fields);
  const columns = new Map(fields.map(({ element }): [string, unknown[]] => [element.name, []]));
  const onChunk = ({ columnName, columnData, rowStart }: ColumnData) => {
    const column = columns.get(columnName)!;
    for (let i = 0; i < columnData.length; i++) column[rowStart + i] = columnData[i];
  };
  await parquetRead({ file, metadata, compressors, onChunk });
  return columns;
}

/** Numbers, NaN where there is none; or text. */
function toColumn(name: string, column: string, values: readonly unknown[]): TableColumn {
  const present = values.filter((value) => value !== null && value !== undefined);
  const isNumber = present.every((value) =>
    typeof value === "number" || typeof value === "bigint" || typeof value === "boolean"
  );
  if (isNumber && (present.length > 0 || values.length === 0)) {
    return Float64Array.from(values, (value) => value == null ? NaN : exact(name, column, value));
  }
  return values.map((value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "string") return value;
    if (value instanceof Date) return value.toISOString();
    if (typeof value !== "object") return String(value);
    throw new SyntaxError(
      `Cannot read ${name} as column "${column}" must hold numbers or text: current value is ${
        describe(value)
      }`,
    );
  });
}

function exact(name: string, column: string, value: unknown): number {
  const number = Number(value);
  if (typeof value !== "bigint" || BigInt(number) === value) return number;
  throw new RangeError(
    `Cannot read ${name} as column "${column}" holds integers beyond 2^53: current value is ${value}`,
  );
}

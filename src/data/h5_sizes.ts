/**
 * The sizes that HDF5's arrays claim, beside what their files can hold.
 *
 * @module
 */
import { sizeOf } from "../shape.ts";
import { unreadable } from "./store.ts";

/** What is no larger is read whatever the file holds: 256 MiB. */
const MARGIN = 2 ** 28;

/** Where a chunk lies takes no fewer bytes of a file. */
const PLACE = 8;

/** What the library knows of an array. */
interface Claims {
  /** The extents, `null` where there are no values. */
  readonly shape: readonly number[] | null;
  /** The extents of a chunk; none where it is not in chunks. */
  readonly chunks: readonly number[] | null;
  /** How many bytes a value takes. */
  readonly size: number;
}

/**
 * Throws where a part of an array is larger than all that the file can hold of it, or a chunk than
 * the array. Chunks of zeros take next to nothing, but each has its place.
 */
export function checkPart(
  file: { readonly path: string; readonly size: number },
  key: string,
  { shape, chunks, size }: Claims,
  part: readonly number[],
): void {
  const chunk = chunks === null ? 0 : sizeOf(chunks) * size;
  if (chunk > Math.max(MARGIN, sizeOf(shape ?? []) * size)) {
    const why = `a chunk of it would take ${chunk} bytes, more than all of the array`;
    throw unreadable(file.path, key, why);
  }
  const most = chunk === 0 ? file.size : file.size / PLACE * chunk;
  const bytes = sizeOf(part) * size;
  if (bytes <= Math.max(MARGIN, most)) return;
  const why =
    `its file cannot hold it: it would take ${bytes} bytes, and the file has ${file.size}`;
  throw unreadable(file.path, key, why);
}

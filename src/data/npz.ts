/**
 * NumPy's `.npz`: arrays by name in a zip archive.
 *
 * @module
 */
import { refuseMore } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { parseNpy } from "./npy.ts";
import { type DataSource, openSource } from "./source.ts";
import { unreadable } from "./store.ts";
import { openZip, type ZipFiles } from "./zarr_files.ts";

const ENDING = /\.npy$/;

/** The names of the arrays of an archive. */
export function arraysIn(zip: ZipFiles): string[] {
  return zip.names.filter((name) => ENDING.test(name)).map((name) => name.replace(ENDING, ""));
}

/** The bytes of an array of an archive. */
export async function npyIn(zip: ZipFiles, name: string): Promise<Uint8Array> {
  const bytes = await zip.get(`/${name}.npy`);
  if (bytes !== undefined) return bytes;
  throw unreadable(zip.path, name, "it is not there");
}

/**
 * Reads NumPy's `.npz`, as `numpy.savez` and `numpy.savez_compressed` write it: every array by its
 * name, as {@linkcode readNpy} reads one.
 *
 * @param source Where the file is: see {@linkcode DataSource}.
 * @returns The tensors by name.
 * @throws {Error} If there is no such file.
 * @throws {SyntaxError} If it is no zip archive of arrays, or an array holds what no tensor does.
 * @throws {RangeError} If an integer does not fit `int32`.
 *
 * @example An array among others
 * ```ts
 * import { readNpz } from "@cellgrad/cellgrad/data";
 * import { assertRejects } from "@std/assert";
 *
 * const load = async (path: string) => (await readNpz(path)).embedding;
 * await assertRejects(() => load("missing.npz"), Error, "does not exist");
 * ```
 */
export async function readNpz(source: DataSource): Promise<Record<string, Tensor>> {
  if (arguments.length > 1) refuseMore("readNpz", "source", 1, arguments);
  const file = await openSource(source);
  try {
    const zip = await openZip(file);
    const names = arraysIn(zip);
    if (names.length === 0) throw unreadable(file.path, "", "it holds no arrays (.npy)");
    const tensors: Record<string, Tensor> = {};
    for (const name of names) {
      tensors[name] = parseNpy(await npyIn(zip, name), `"${name}" of "${file.path}"`);
    }
    return tensors;
  } finally {
    file.close();
  }
}

/**
 * Sources as trees of groups and arrays: the content decides, not the name.
 *
 * @module
 */
import { type ByteFile, isDirectory, pathOf } from "./file.ts";
import { foreignFormat } from "./signature.ts";
import { addressOf, type KeptSource, openSource } from "./source.ts";
import { type Store, unreadable } from "./store.ts";

/** Opens HDF5 and Zarr. */
export async function openStore(source: KeptSource): Promise<Store> {
  const address = addressOf(source);
  if (address !== undefined) {
    const { findZarr } = await import("./zarr_http.ts");
    const files = await findZarr(address);
    if (files !== undefined) return await (await import("./zarr.ts")).openZarr(files);
  }
  const folder = await folderOf(source);
  if (folder !== undefined) {
    const { ZarrDirectory } = await import("./zarr_files.ts");
    const { openZarr } = await import("./zarr.ts");
    return await openZarr(new ZarrDirectory(folder));
  }
  const file = await openSource(source);
  try {
    return await openContent(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The path of a folder, where the source is one. */
export async function folderOf(source: KeptSource): Promise<string | undefined> {
  const isLocal = typeof source === "string" ||
    (source instanceof URL && source.protocol === "file:");
  if (!isLocal || addressOf(source) !== undefined) return undefined;
  const path = await pathOf(source);
  return await isDirectory(path) ? path : undefined;
}

async function openContent(file: ByteFile): Promise<Store> {
  if (await isH5(file)) {
    const { openH5 } = await import("./h5ad.ts");
    return await openH5(file);
  }
  if (await startsWith(file, 0, [0x50, 0x4b])) {
    const { openZip } = await import("./zarr_files.ts");
    const { openZarr } = await import("./zarr.ts");
    return await openZarr(await openZip(file));
  }
  const why = file.size === 0
    ? "it is empty"
    : foreignFormat(await file.read(0, Math.min(16, file.size))) ??
      "it is neither an HDF5 file (.h5ad) nor a zip archive (.zarr.zip)";
  throw unreadable(file.path, "", why);
}

/** Whether a file has the signature of HDF5, which may come after a block of the user's own. */
export async function isH5(file: ByteFile): Promise<boolean> {
  const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
  // Beyond the first MiB nobody has put it.
  for (let at = 0; at < Math.min(file.size, 2 ** 20); at = Math.max(512, 2 * at)) {
    if (await startsWith(file, at, signature)) return true;
  }
  return false;
}

async function startsWith(file: ByteFile, position: number, bytes: number[]): Promise<boolean> {
  if (position + bytes.length > file.size) return false;
  const found = await file.read(position, bytes.length);
  return bytes.every((byte, i) => byte === found[i]);
}

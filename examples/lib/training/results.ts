/**
 * Results of an example on disk: never half written, whenever the program is killed, the disk is
 * full, or another program writes the same file.
 */
import { cannotWrite, WriteError } from "../write_error.ts";

/**
 * Writes a file, its folder too, as a whole or not at all: into a temporary file in the same
 * folder, whose name no other call has, and which takes the file's name when all of it has reached
 * the disk.
 */
export async function writeAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    const folder = folderOf(path);
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
    await writeAll(temporary, bytes);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    const kept = await isFile(path) ? "the last complete one is kept" : "there is none from before";
    throw cannotWrite(path, error, kept);
  }
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((found) => found.isFile, () => false);
}

/** What the temporary files of {@linkcode writeAtomically} end in. */
export const TEMPORARY: RegExp = /\.[0-9a-f]{8}\.tmp$/;

/** The path without its last part; empty where there is no other. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"), 0));
}

async function writeAll(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
}

/**
 * Writes `metrics.json`, with nothing that differs between two runs of one seed, so no durations
 * and no dates, and `report.html`.
 */
export async function writeResults(
  folder: string,
  metrics: unknown,
  report: string,
): Promise<void> {
  await writeAtomically(`${folder}/metrics.json`, JSON.stringify(metrics, null, 2) + "\n");
  try {
    await writeAtomically(`${folder}/report.html`, report);
  } catch (error) {
    if (!(error instanceof WriteError)) throw error;
    throw new WriteError(`${error.message}; ${folder}/metrics.json is written`);
  }
}

/** Whether a folder has what {@linkcode writeResults} writes. */
export async function hasResults(folder: string): Promise<boolean> {
  return await isFile(`${folder}/metrics.json`) || await isFile(`${folder}/report.html`);
}

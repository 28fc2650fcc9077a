/**
 * Results of an example on disk: never half written, whenever the program is killed.
 *
 * @module
 */

/**
 * Writes a file as a whole or not at all: into a temporary file in the same folder, which takes the
 * file's name when all of it has reached the disk.
 *
 * @param path The file; its folder is made where there is none.
 * @param content Bytes or text.
 */
export async function writeAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const folder = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"), 0));
  if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  const temporary = `${path}.tmp`;
  {
    using file = await Deno.open(temporary, { write: true, create: true, truncate: true });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(temporary, path);
}

/**
 * Writes what a run has found: `metrics.json` and `report.html`.
 *
 * @param folder The example's own folder, such as `out/integrate`.
 * @param metrics What goes into `metrics.json`: nothing that differs between two runs of one seed,
 * so no durations and no dates. NaN and infinities become `null`.
 * @param report The text of `report.html`.
 */
export async function writeResults(
  folder: string,
  metrics: unknown,
  report: string,
): Promise<void> {
  await writeAtomically(`${folder}/metrics.json`, JSON.stringify(metrics, null, 2) + "\n");
  await writeAtomically(`${folder}/report.html`, report);
}

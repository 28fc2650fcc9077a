/** A folder for the results of one run: it can be written, and no other run writes there. */
import { UsageError } from "../arguments.ts";
import { cannotWrite, reasonOf, WriteError } from "../write_error.ts";
import { folderOf, TEMPORARY } from "./results.ts";

/** The file that the system locks; the lock ends with the process, however that ends. */
const LOCK = ".lock";

/**
 * Takes a folder for a run, before it computes anything: makes the folder, sees that its files can
 * be written, keeps other runs out, and removes what a killed one has left half written. `await
 * using` gives it back.
 */
export async function claimFolder(
  folder: string,
  files: readonly string[] = ["metrics.json", "report.html"],
): Promise<AsyncDisposable> {
  await prepareFolder(folder, files);
  const lock = await lockFolder(folder);
  await sweep(folder, (name) => files.some((file) => name.startsWith(`${file}.`)));
  await sweep(`${folder}/checkpoints`, () => true);
  return {
    async [Symbol.asyncDispose]() {
      await Deno.remove(`${folder}/${LOCK}`).catch(() => {});
      lock.close();
    },
  };
}

/** Makes a folder, empty for the current one, and sees that files can be written there. */
export async function prepareFolder(folder: string, files: readonly string[]): Promise<void> {
  const inFolder = (name: string) => folder === "" ? name : `${folder}/${name}`;
  const probe = inFolder(`probe.${crypto.randomUUID().slice(0, 8)}.tmp`);
  let path = folder;
  try {
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
    const file = await Deno.open(probe, { write: true, createNew: true });
    try {
      await file.write(new Uint8Array(1));
    } finally {
      file.close();
      await Deno.remove(probe);
    }
    for (const name of files) {
      path = inFolder(name);
      const found = await Deno.stat(path).catch(ignoreMissing);
      if (found?.isDirectory) throw new WriteError(`Cannot write "${path}" as it is a folder`);
    }
  } catch (error) {
    throw cannotWrite(path === "" ? "." : path, error);
  }
}

/** Sees that a file can be written, before what goes into it is computed. */
export async function prepareFile(path: string): Promise<void> {
  const folder = folderOf(path);
  await prepareFolder(folder, [folder === "" ? path : path.slice(folder.length + 1)]);
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** The locked file of a folder, which holds the number of the process. */
async function lockFolder(folder: string): Promise<Deno.FsFile> {
  const path = `${folder}/${LOCK}`;
  while (true) {
    const file = await Deno.open(path, { read: true, write: true, create: true });
    try {
      if (!await tryLock(file, folder)) throw inUse(folder, await Deno.readTextFile(path));
      if (await isSame(file, path)) {
        await file.truncate();
        await file.write(new TextEncoder().encode(String(Deno.pid)));
        return file;
      }
    } catch (error) {
      file.close();
      throw cannotWrite(path, error);
    }
    file.close(); // The run before has just given the folder back, and removed this file.
  }
}

async function tryLock(file: Deno.FsFile, folder: string): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch (error) {
    if (reasonOf(error) === undefined) throw error;
    console.error(`warning: "${folder}" cannot be locked on this disk: start no second run there`);
    return true;
  }
}

async function isSame(file: Deno.FsFile, path: string): Promise<boolean> {
  const [own, found] = await Promise.all([file.stat(), Deno.stat(path).catch(ignoreMissing)]);
  return found !== undefined && own.ino === found.ino;
}

function inUse(folder: string, pid: string): UsageError {
  const who = /^\d+$/.test(pid) ? ` (process ${pid})` : "";
  return new UsageError(
    `Cannot write to "${folder}" as another run does${who}: wait for its end, or choose another --out`,
  );
}

/** Removes temporary files of runs that were killed. */
async function sweep(folder: string, isOwn: (name: string) => boolean): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (TEMPORARY.test(name) && isOwn(name)) await Deno.remove(`${folder}/${name}`);
    }
  } catch (error) {
    ignoreMissing(error);
  }
}

/**
 * Zarr hierarchies in folders, put there whole or added to.
 *
 * @module
 */
import {
  cannotWrite,
  discard,
  FileOutput,
  folderOf,
  nameBeside,
  syncFolder,
  targetOf,
} from "./output.ts";
import { isMissing } from "./file.ts";
import { parseJson, toJson } from "./zarr_json.ts";
import { plainAttributes, type ZarrFile, zarrFiles, type ZarrForm } from "./zarr_writer.ts";
import type { Attributes, WrittenGroup } from "./written_tree.ts";
import { checkTaken, type Update } from "./addition.ts";

type FileSystem = typeof import("node:fs");

/** Writes a hierarchy beside its place, and puts it there by renames. */
export async function replaceZarr(path: string, root: WrittenGroup, form: ZarrForm): Promise<void> {
  const fs = await import("node:fs");
  await besides(fs, path, async (target, exists, temporary) => {
    if (exists) checkReplaceable(fs, path, target);
    await writeFolder(fs, temporary, zarrFiles(root, "", form));
    if (exists) swap(fs, target, temporary);
    else fs.renameSync(temporary, target);
    syncFolder(fs, folderOf(target));
  });
}

/** Does something with a name beside a folder's place, and tidies up. */
async function besides(
  fs: FileSystem,
  path: string,
  act: (target: string, exists: boolean, temporary: string) => Promise<void>,
): Promise<void> {
  let temporary: string | undefined;
  let exists = false;
  try {
    const target = targetOf(fs, path.replace(/[\\/]+$/, ""));
    exists = target.exists;
    temporary = nameBeside(target.path, "tmp");
    await act(target.path, exists, temporary);
  } catch (error) {
    throw cannotWrite(path, error, exists);
  } finally {
    discard(fs, temporary);
  }
}

/** Throws unless what lies there is a Zarr hierarchy, or nothing. */
function checkReplaceable(fs: FileSystem, path: string, target: string): void {
  if (!fs.statSync(target).isDirectory()) {
    throw new TypeError(
      `Cannot write "${path}" as there is a file of this name, and Zarr is a folder`,
    );
  }
  const names = fs.readdirSync(target);
  if (names.length === 0 || names.includes(".zgroup") || names.includes("zarr.json")) return;
  throw new TypeError(
    `Cannot write "${path}" as there is a folder of this name that is no Zarr hierarchy: it holds ` +
      names.slice(0, 3).join(", "),
  );
}

/** Puts a folder in the place of another. There is none between the two renames, each of which is whole. */
function swap(fs: FileSystem, target: string, folder: string): void {
  const old = nameBeside(target, "old");
  fs.renameSync(target, old);
  try {
    fs.renameSync(folder, target);
  } catch (error) {
    fs.renameSync(old, target);
    throw error;
  }
  discard(fs, old);
}

/** How many files the system is asked to keep at once. */
const AT_ONCE = 64;

/** Writes files into a new folder; the disk has them when it returns. */
async function writeFolder(
  fs: FileSystem,
  folder: string,
  files: AsyncIterable<ZarrFile>,
): Promise<void> {
  const folders = new Set([folder]);
  const written: string[] = [];
  fs.mkdirSync(folder);
  for await (const [name, bytes] of files) {
    const file = `${folder}/${name}`;
    const parent = file.slice(0, file.lastIndexOf("/"));
    if (!folders.has(parent)) fs.mkdirSync(parent, { recursive: true });
    folders.add(parent);
    writeFile(fs, file, bytes);
    written.push(file);
  }
  for (let i = 0; i < written.length; i += AT_ONCE) {
    await Promise.all(written.slice(i, i + AT_ONCE).map((file) => syncFile(fs, file)));
  }
  for (const each of folders) syncFolder(fs, each);
}

function writeFile(fs: FileSystem, file: string, bytes: Uint8Array): void {
  const descriptor = fs.openSync(file, "wx");
  try {
    new FileOutput(fs, descriptor, 0).replace(0, bytes);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Waits until the disk has a file. */
async function syncFile(fs: FileSystem, file: string): Promise<void> {
  const handle = await fs.promises.open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What the folder of the root's new members is called on the way. */
const ROOT = ".root";

/**
 * Adds members to the groups of a hierarchy. They are written beside it, then put in their places by
 * renames, one after the other; what lists them is changed last, file by file.
 */
export async function updateZarr(path: string, update: Update): Promise<void> {
  const fs = await import("node:fs");
  const version = fs.existsSync(`${path}/zarr.json`) ? 3 : 2;
  const form: ZarrForm = { version, compression: "none" };
  await besides(fs, path, async (target, _exists, temporary) => {
    checkFree(fs, target, update, form);
    fs.mkdirSync(temporary);
    const listed: ZarrFile[] = [];
    const isNew = (name: string) => name !== "" && !fs.existsSync(`${target}/${name}`);
    for (const [name, { members, group }] of update.additions) {
      const node = isNew(name) ? group : { ...group, members };
      const files = noting(listed, name, zarrFiles(node, "", form), !isNew(name));
      await writeFolder(fs, `${temporary}/${name || ROOT}`, files);
    }
    for (const [name, { members, attributes }] of update.additions) {
      const folder = `${temporary}/${name || ROOT}`;
      if (isNew(name)) {
        fs.renameSync(folder, `${target}/${name}`);
        continue;
      }
      const place = name === "" ? target : `${target}/${name}`;
      for (const member of members.keys()) {
        putInPlace(fs, `${place}/${member}`, `${folder}/${member}`, `${temporary}/${ROOT}`);
      }
      if (Object.keys(attributes).length > 0) {
        listed.push(await changeAttributes(fs, target, name, attributes, form, temporary));
      }
      syncFolder(fs, place);
    }
    await consolidate(fs, target, listed, update, form, temporary);
    syncFolder(fs, target);
  });
}

/**
 * Throws where a member has a name that is taken. Columns that their frame does not list are not
 * there: a writer that was killed has left them.
 */
function checkFree(fs: FileSystem, target: string, update: Update, form: ZarrForm): void {
  for (const [name, { members }] of update.additions) {
    const { _index: index, "column-order": listed } = attributesOf(fs, `${target}/${name}`, form);
    for (const member of members.keys()) {
      const isTaken = Array.isArray(listed)
        ? listed.includes(member)
        : fs.existsSync(`${target}/${name}/${member}`);
      checkTaken(update, name, member, isTaken, index);
    }
  }
}

/** Passes files on, and notes those that describe nodes; of the group itself only where it is new. */
async function* noting(
  listed: ZarrFile[],
  name: string,
  files: AsyncIterable<ZarrFile>,
  isOld: boolean,
): AsyncGenerator<ZarrFile> {
  for await (const file of files) {
    const isMetadata = /(?:^|\/)(?:\.z\w+|zarr\.json)$/.test(file[0]);
    if (isMetadata && !(isOld && !file[0].includes("/"))) {
      listed.push([name === "" ? file[0] : `${name}/${file[0]}`, file[1]]);
    }
    yield file;
  }
}

/** Moves a folder to its place; what lies there is moved away. */
function putInPlace(fs: FileSystem, place: string, folder: string, away: string): void {
  if (fs.existsSync(place)) fs.renameSync(place, nameBeside(away, "old"));
  fs.renameSync(folder, place);
}

/** Writes a file beside its place, and renames it. */
async function replaceSmall(
  fs: FileSystem,
  place: string,
  temporary: string,
  bytes: Uint8Array,
): Promise<void> {
  const file = nameBeside(`${temporary}/file`, "tmp");
  writeFile(fs, file, bytes);
  await syncFile(fs, file);
  fs.renameSync(file, place);
}

function parse(fs: FileSystem, file: string): Record<string, unknown> | undefined {
  try {
    return parseJson(fs.readFileSync(file)) as Record<string, unknown>;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function attributesOf(
  fs: FileSystem,
  folder: string,
  { version }: ZarrForm,
): Record<string, unknown> {
  if (version === 2) return parse(fs, `${folder}/.zattrs`) ?? {};
  return parse(fs, `${folder}/zarr.json`)?.["attributes"] as Record<string, unknown> ?? {};
}

async function changeAttributes(
  fs: FileSystem,
  target: string,
  name: string,
  attributes: Attributes,
  { version }: ZarrForm,
  temporary: string,
): Promise<ZarrFile> {
  const file = `${name}/${version === 2 ? ".zattrs" : "zarr.json"}`;
  const found = parse(fs, `${target}/${file}`) ?? {};
  const changed = plainAttributes(attributes);
  const own = found["attributes"] as Record<string, unknown> | undefined;
  const bytes = toJson(
    version === 2 ? { ...found, ...changed } : { ...found, attributes: { ...own, ...changed } },
  );
  await replaceSmall(fs, `${target}/${file}`, temporary, bytes);
  return [file, bytes];
}

/** Changes the list of all metadata that some writers keep at the root. */
async function consolidate(
  fs: FileSystem,
  target: string,
  listed: readonly ZarrFile[],
  { additions }: Update,
  { version }: ZarrForm,
  temporary: string,
): Promise<void> {
  const file = `${target}/${version === 2 ? ".zmetadata" : "zarr.json"}`;
  const found = parse(fs, file);
  const list = (version === 2 ? found : found?.["consolidated_metadata"]) as
    | { metadata?: Record<string, unknown> }
    | undefined;
  if (list?.metadata === undefined) return;
  for (const [name, { members }] of additions) {
    for (const member of members.keys()) {
      const key = name === "" ? member : `${name}/${member}`;
      for (const old of Object.keys(list.metadata)) {
        if (old === key || old.startsWith(`${key}/`)) delete list.metadata[old];
      }
    }
  }
  for (const [name, bytes] of listed) {
    const key = version === 2 ? name : name.replace(/\/?zarr\.json$/, "");
    list.metadata[key] = parseJson(bytes);
  }
  await replaceSmall(fs, file, temporary, toJson(found));
}

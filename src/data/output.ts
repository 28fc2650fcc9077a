/**
 * Where written bytes go: into memory, or onto the disk in a way that leaves the old or the new.
 *
 * @module
 */
import { isMissing } from "./file.ts";

type FileSystem = typeof import("node:fs");

/** Bytes that are written one after the other; earlier ones can be replaced. */
export interface Output {
  /** How many bytes there are. */
  readonly size: number;
  /** Writes bytes at the end. */
  append(bytes: Uint8Array): void;
  /** Writes bytes over earlier ones. */
  replace(position: number, bytes: Uint8Array): void;
}

/** Bytes in memory. */
export class MemoryOutput implements Output {
  #bytes = new Uint8Array(2 ** 16);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    const size = this.#size + bytes.length;
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, Math.ceil(1.5 * this.#bytes.length)));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#size);
    this.#size = size;
  }

  replace(position: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, position);
  }

  /** All of them. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#size);
  }
}

/** How many bytes are gathered before they go to the disk, and how many go at once. */
const GATHERED = 2 ** 20, AT_ONCE = 2 ** 26;

/** Bytes in an open file. */
export class FileOutput implements Output {
  readonly #fs: FileSystem;
  readonly #descriptor: number;
  #gathered = new Uint8Array(0);
  #count = 0;
  #written: number;

  constructor(fs: FileSystem, descriptor: number, size: number) {
    this.#fs = fs;
    this.#descriptor = descriptor;
    this.#written = size;
  }

  get size(): number {
    return this.#written + this.#count;
  }

  append(bytes: Uint8Array): void {
    if (this.#count + bytes.length > GATHERED) this.flush();
    if (bytes.length > GATHERED) {
      this.#put(this.#written, bytes);
      this.#written += bytes.length;
      return;
    }
    if (this.#gathered.length === 0) this.#gathered = new Uint8Array(GATHERED);
    this.#gathered.set(bytes, this.#count);
    this.#count += bytes.length;
  }

  replace(position: number, bytes: Uint8Array): void {
    this.flush();
    this.#put(position, bytes);
  }

  /** Hands what is gathered to the system. */
  flush(): void {
    const bytes = this.#gathered.subarray(0, this.#count);
    this.#put(this.#written, bytes);
    this.#written += this.#count;
    this.#count = 0;
  }

  #put(position: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const count = Math.min(bytes.length - done, AT_ONCE);
      done += this.#fs.writeSync(this.#descriptor, bytes, done, count, position + done);
    }
  }
}

/** Codes of the system, and what they mean. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EDQUOT: "the disk quota is used up",
  EEXIST: "there is one already",
  EFBIG: "it is too large for this disk",
  EIO: "the disk fails",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "its folder does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of its path is a file, not a folder",
  EPERM: "permission is denied",
  EROFS: "the disk is read-only",
};

/** The error for a path that cannot be written: the system's in words, any other as it is. */
export function cannotWrite(path: string, error: unknown, kept: boolean): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  const reason = error.name === "NotCapable"
    ? `this program has no permission: ${error.message.replace(/^Requires /, "it needs ")}`
    : typeof code === "string" && /^E[A-Z]+$/.test(code)
    ? REASONS[code] ?? `the system says: ${error.message}`
    : undefined;
  if (reason === undefined) return error;
  const end = kept ? ": what was there is kept" : "";
  return new Error(`Cannot write "${path}" as ${reason}${end}`, { cause: error });
}

/** Where a path leads: to itself, or to what a link there names. */
export function targetOf(fs: FileSystem, path: string): { path: string; exists: boolean } {
  try {
    return { path: fs.realpathSync(path), exists: true };
  } catch (error) {
    if (isMissing(error) && !/[\\/]$/.test(path)) return { path, exists: false };
    throw isMissing(error) ? targetOf(fs, path.replace(/[\\/]+$/, "")) : error;
  }
}

/** A name beside a path that nothing has: of its beginning, as long names have no room for more. */
export function nameBeside(path: string, end: string): string {
  const name = path.match(/[^\\/]*$/)![0];
  const random = Array.from(
    crypto.getRandomValues(new Uint32Array(2)),
    (part) => part.toString(36),
  );
  return `${path.slice(0, path.length - name.length)}${name.slice(0, 60)}.${
    random.join("")
  }.${end}`;
}

/** Takes away what was begun, if it is there. */
export function discard(fs: FileSystem, path: string | undefined): void {
  try {
    if (path !== undefined) fs.rmSync(path, { recursive: true, force: true });
  } catch {
    // What went wrong before is what is told.
  }
}

/** Makes the system keep what it was told of a folder, where it lets one ask. */
export function syncFolder(fs: FileSystem, folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(folder, "r");
    fs.fsyncSync(descriptor);
  } catch {
    // Windows cannot; the rename itself is whole all the same.
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/**
 * Writes a file beside its place, and puts it there whole by a rename once the disk has all of it.
 *
 * @param path Where it shall lie; what lies there is replaced.
 * @param write Writes its bytes.
 * @param from A file that it begins as a copy of; none by default.
 */
export async function replaceFile(
  path: string,
  write: (output: FileOutput, temporary: string) => Promise<void>,
  from?: string,
): Promise<void> {
  const fs = await import("node:fs");
  let temporary: string | undefined;
  let exists = false;
  try {
    const target = targetOf(fs, path);
    exists = target.exists;
    if (exists) checkPlain(fs, path, target.path);
    temporary = nameBeside(target.path, "tmp");
    if (from !== undefined) {
      fs.copyFileSync(from, temporary, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
    }
    await writeSynced(fs, temporary, from === undefined ? "wx" : "r+", write);
    if (exists) fs.chmodSync(temporary, fs.statSync(target.path).mode & 0o7777);
    fs.renameSync(temporary, target.path);
    temporary = undefined;
    syncFolder(fs, folderOf(target.path));
  } catch (error) {
    discard(fs, temporary);
    throw cannotWrite(path, error, exists);
  }
}

/** Throws unless a file is a plain one, that another can take the place of. */
function checkPlain(fs: FileSystem, path: string, target: string): void {
  const found = fs.statSync(target);
  if (found.isFile()) return;
  const what = found.isDirectory() ? "folder" : "device";
  throw new TypeError(`Cannot write "${path}" as there is a ${what} of this name`);
}

/** The folder that something lies in. */
export function folderOf(path: string): string {
  return path.replace(/[^\\/]*$/, "") || ".";
}

/** Writes a file, and waits until the disk has it. */
async function writeSynced(
  fs: FileSystem,
  path: string,
  flags: "wx" | "r+",
  write: (output: FileOutput, path: string) => Promise<void> | void,
): Promise<void> {
  const descriptor = fs.openSync(path, flags);
  try {
    const output = new FileOutput(fs, descriptor, fs.fstatSync(descriptor).size);
    await write(output, path);
    output.flush();
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Local files, read at any position.
 *
 * @module
 */
import { describe } from "../describe.ts";

type FileSystem = typeof import("node:fs");

/** Where a file lies: a path, or a `file:` URL where TypeScript's `lib` has `URL`. */
export type FilePath =
  | string
  | (typeof globalThis extends { URL: { prototype: infer U extends object } } ? U : never);

/** A file path as text. */
export async function pathOf(path: FilePath): Promise<string> {
  if (path === "") throw new TypeError(`Cannot read a file as its path is empty`);
  if (typeof path === "string") return path;
  if (!(path instanceof URL) || path.protocol !== "file:") {
    throw new TypeError(
      `Cannot read a file as its path must be a text or a URL that begins with file: ` +
        `current value is ${path instanceof URL ? path.href : describe(path)}`,
    );
  }
  const { fileURLToPath } = await import("node:url");
  return fileURLToPath(path);
}

/** The error for a path that leads nowhere. */
export function notFound(path: string, cause: unknown): Error {
  return new Error(`Cannot read "${path}" as it does not exist`, { cause });
}

/** Whether the path leads to a folder; throws where it leads nowhere. */
export async function isDirectory(path: string): Promise<boolean> {
  const { statSync } = await import("node:fs");
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw isMissing(error) ? notFound(path, error) : error;
  }
}

/** Whether an error of the file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}

/**
 * An open file that is read at any position. Reading is synchronous, as the HDF5 library asks for
 * bytes in the middle of a call.
 */
export class LocalFile {
  /** Where the file lies. */
  readonly path: string;
  /** How many bytes it has. */
  readonly size: number;
  readonly #fs: FileSystem;
  #descriptor: number | undefined;

  private constructor(
    fs: FileSystem,
    path: string,
    size: number,
    descriptor: number,
  ) {
    this.path = path;
    this.size = size;
    this.#fs = fs;
    this.#descriptor = descriptor;
  }

  /** Opens a file for reading. */
  static async open(path: FilePath): Promise<LocalFile> {
    const fs = await import("node:fs");
    const name = await pathOf(path);
    if (await isDirectory(name)) {
      throw new SyntaxError(`Cannot read "${name}" as it is a directory, not a file`);
    }
    const descriptor = fs.openSync(name, "r");
    return new LocalFile(fs, name, fs.fstatSync(descriptor).size, descriptor);
  }

  /** Fills `target` with the bytes from `position` on, all of them or throws. */
  readInto(target: Uint8Array, position: number): void {
    if (this.#descriptor === undefined) {
      throw new TypeError(`Cannot read "${this.path}" as it is closed`);
    }
    for (let done = 0; done < target.length;) {
      const left = target.length - done;
      const count = this.#fs.readSync(this.#descriptor, target, done, left, position + done);
      if (count === 0) throw this.#tooShort(position, target.length);
      done += count;
    }
  }

  /** The `length` bytes from `position` on. */
  read(position: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.min(length, Math.max(0, this.size - position)));
    if (bytes.length < length) throw this.#tooShort(position, length);
    this.readInto(bytes, position);
    return bytes;
  }

  #tooShort(position: number, length: number): SyntaxError {
    return new SyntaxError(
      `Cannot read "${this.path}" as it ends too early: ${length} bytes are expected at ` +
        `position ${position}, and the file has ${this.size}`,
    );
  }

  /** Closes the file; a second time does nothing. */
  close(): void {
    if (this.#descriptor === undefined) return;
    this.#fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** All bytes of a file. */
export async function readBytes(path: FilePath): Promise<Uint8Array<ArrayBuffer>> {
  const file = await LocalFile.open(path);
  try {
    return file.read(0, file.size);
  } finally {
    file.close();
  }
}

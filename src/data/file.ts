/**
 * Bytes that are read at any position: local files, and what lies in memory.
 *
 * @module
 */
import { describe } from "../describe.ts";

type FileSystem = typeof import("node:fs");

/** The instances of a class of the platform, where TypeScript's `lib` has it. */
export type Platform<K extends string> = typeof globalThis extends
  { [P in K]: { prototype: infer T extends object } } ? T : never;

/** Where a file lies: a path, or a `file:` URL where TypeScript's `lib` has `URL`. */
export type FilePath = string | Platform<"URL">;

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
  return (await fileSystem("node:url")).fileURLToPath(path);
}

/** A module of the system, which browsers do not have. */
async function fileSystem<M extends "node:fs" | "node:url">(
  name: M,
): Promise<M extends "node:fs" ? FileSystem : typeof import("node:url")> {
  try {
    const found = name === "node:fs" ? await import("node:fs") : await import("node:url");
    return found as Awaited<ReturnType<typeof fileSystem<M>>>;
  } catch (cause) {
    throw new TypeError(
      "Cannot read a path as there is no file system here: give a File, a URL that begins with " +
        "http, or bytes",
      { cause },
    );
  }
}

/** The error for a path that leads nowhere. */
export function notFound(path: string, cause: unknown): Error {
  return new Error(`Cannot read "${path}" as it does not exist`, { cause });
}

/** What a call of the file system gives for a path; where it fails, its reason in our words. */
function bySystem<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (isMissing(error)) throw notFound(path, error);
    if (error instanceof SyntaxError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read "${path}" as the system says: ${why}`, { cause: error });
  }
}

/** Whether the path leads to a folder; throws where it leads nowhere. */
export async function isDirectory(path: string): Promise<boolean> {
  const { statSync } = await fileSystem("node:fs");
  return bySystem(path, () => statSync(path).isDirectory());
}

/** The names of what is in a folder, in order. */
export async function namesIn(path: string): Promise<string[]> {
  const { readdirSync } = await fileSystem("node:fs");
  return bySystem(path, () => readdirSync(path).sort());
}

/** The names of the folders in a folder, in order. */
export async function foldersIn(path: string): Promise<string[]> {
  const { readdirSync, statSync } = await fileSystem("node:fs");
  return bySystem(
    path,
    () => readdirSync(path).filter((name) => statSync(`${path}/${name}`).isDirectory()).sort(),
  );
}

/** Whether an error of the file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Bytes that are read at any position. */
export interface ByteFile {
  /** What messages call it: a path, an address, a name. */
  readonly path: string;
  /** How many bytes it has. */
  readonly size: number;
  /** Fills `target` with the bytes from `position` on, within {@linkcode ByteFile.whole}. */
  readInto(target: Uint8Array, position: number): void;
  /** Makes a call that reads, again where bytes had to be fetched first. */
  whole<T>(call: () => T): Promise<T>;
  /** The `length` bytes from `position` on. */
  read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Closes the file; a second time does nothing. */
  close(): void;
}

/** Throws unless a file is open and has the bytes. */
export function checkRange(
  file: ByteFile,
  isOpen: boolean,
  position: number,
  length: number,
): void {
  if (!isOpen) throw new TypeError(`Cannot read "${file.path}" as it is closed`);
  if (position + length <= file.size) return;
  throw new SyntaxError(
    `Cannot read "${file.path}" as it ends too early: ${length} bytes are expected at ` +
      `position ${position}, and the file has ${file.size}`,
  );
}

/** What is at hand whenever it is asked for. */
export abstract class PresentFile implements ByteFile {
  abstract readonly path: string;
  abstract readonly size: number;
  protected abstract readonly isOpen: boolean;

  abstract readInto(target: Uint8Array, position: number): void;
  abstract close(): void;

  whole<T>(call: () => T): Promise<T> {
    return new Promise((resolve) => resolve(call()));
  }

  read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.whole(() => this.bytesAt(position, length));
  }

  /** The `length` bytes from `position` on, at once. */
  bytesAt(position: number, length: number): Uint8Array<ArrayBuffer> {
    checkRange(this, this.isOpen, position, length);
    const bytes = new Uint8Array(length);
    this.readInto(bytes, position);
    return bytes;
  }
}

/** Bytes in memory. */
export class MemoryFile extends PresentFile {
  readonly path: string;
  readonly size: number;
  #bytes: Uint8Array | undefined;

  constructor(path: string, bytes: Uint8Array) {
    super();
    this.path = path;
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  /** All of them, until the file is closed. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  protected get isOpen(): boolean {
    return this.#bytes !== undefined;
  }

  readInto(target: Uint8Array, position: number): void {
    checkRange(this, this.isOpen, position, target.length);
    target.set(this.#bytes!.subarray(position, position + target.length));
  }

  close(): void {
    this.#bytes = undefined;
  }
}

/** An open file of the file system. */
export class LocalFile extends PresentFile {
  readonly path: string;
  readonly size: number;
  readonly #fs: FileSystem;
  #descriptor: number | undefined;

  private constructor(fs: FileSystem, path: string, size: number, descriptor: number) {
    super();
    this.path = path;
    this.size = size;
    this.#fs = fs;
    this.#descriptor = descriptor;
  }

  protected get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  /** Opens a file for reading. */
  static async open(path: FilePath): Promise<LocalFile> {
    const fs = await fileSystem("node:fs");
    const name = await pathOf(path);
    if (await isDirectory(name)) {
      throw new SyntaxError(`Cannot read "${name}" as it is a directory, not a file`);
    }
    return bySystem(name, () => {
      // To open a pipe is to wait for who writes to it.
      if (!fs.statSync(name).isFile()) {
        throw new SyntaxError(`Cannot read "${name}" as it is a pipe or a device, not a file`);
      }
      const descriptor = fs.openSync(name, "r");
      return new LocalFile(fs, name, fs.fstatSync(descriptor).size, descriptor);
    });
  }

  readInto(target: Uint8Array, position: number): void {
    checkRange(this, this.isOpen, position, target.length);
    for (let done = 0; done < target.length;) {
      const left = target.length - done;
      const count = this.#fs.readSync(this.#descriptor!, target, done, left, position + done);
      if (count === 0) {
        throw new SyntaxError(
          `Cannot read "${this.path}" as it has become shorter than the ${this.size} bytes that ` +
            `it had when it was opened`,
        );
      }
      done += count;
    }
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    this.#fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

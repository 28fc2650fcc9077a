/**
 * The HDF5 library (compiled to WebAssembly), made to read local files in place and to say in its
 * exceptions, not on the console, what went wrong.
 *
 * @module
 */
import type { File } from "h5wasm";
import type { ByteFile } from "./file.ts";
import { heapGuard } from "./h5_heaps.ts";
import { type Resources, unreadable } from "./store.ts";

type H5wasm = typeof import("h5wasm");

/** The library's classes and its functions, once it has started. */
export interface H5Library {
  /** The classes for files, groups and arrays. */
  readonly h5wasm: H5wasm;
  /** The functions of the C library. */
  readonly module: Awaited<H5wasm["ready"]>;
}

/** Starts the library; at once where it has been started before. */
export async function loadH5(): Promise<H5Library> {
  const h5wasm = await import("h5wasm");
  return { h5wasm, module: await h5wasm.ready };
}

/** The parts of Emscripten's file system that its type declarations leave open. */
interface FileSystem {
  streams: { stream_ops: StreamOperations }[];
  writeFile(path: string, bytes: Uint8Array): void;
  lookupPath(path: string): { node: { usedBytes: number; stream_ops: StreamOperations } };
  unlink(path: string): void;
  ErrnoError: new (code: number) => Error;
}

type Transfer = (
  stream: unknown,
  heap: Int8Array<ArrayBuffer>,
  offset: number,
  length: number,
  position: number,
) => number;

interface StreamOperations {
  read: Transfer;
  write: Transfer;
}

const IO_ERROR = 29;

let mounted = 0;

/** What was found to be wrong with a file while the library read it. */
let fault: string | undefined;

/** What the library was refused last, unless it then made do with less. */
let shortage: string | undefined;

/**
 * Shows a file to the library under a name of its own, without reading it: bytes are read when the
 * library asks for them, so that a file may be larger than memory. The calls that ask are made
 * within {@linkcode ByteFile.whole}.
 */
function mountFile(library: H5Library, file: ByteFile): string {
  const fs = library.module.FS as unknown as FileSystem;
  const isEndless = heapGuard(file);
  const name = `/cellgrad-${mounted++}`;
  fs.writeFile(name, new Uint8Array(0));
  const { node } = fs.lookupPath(name);
  node.usedBytes = file.size;
  node.stream_ops = {
    ...node.stream_ops,
    read(_stream, heap, offset, length, position) {
      const count = Math.max(0, Math.min(length, file.size - position));
      const bytes = new Uint8Array(heap.buffer, offset, count);
      try {
        file.readInto(bytes, position);
        if (!isEndless(bytes, position)) return count;
      } catch {
        throw new fs.ErrnoError(IO_ERROR);
      }
      fault = "a heap of its names or texts is damaged";
      throw new fs.ErrnoError(IO_ERROR);
    },
  };
  return name;
}

/** Takes a file of {@linkcode mountFile} away. */
function unmountFile(library: H5Library, name: string): void {
  (library.module.FS as unknown as FileSystem).unlink(name);
}

/**
 * Opens a file in the library for messages that call it `path`; what must be undone goes to
 * `resources`.
 */
export async function openHandle(
  file: ByteFile,
  path: string,
  resources: Resources,
): Promise<{ library: H5Library; handle: File }> {
  const library = await loadH5();
  const name = mountFile(library, file);
  resources.add(() => unmountFile(library, name));
  const fail = (reason: string, cause?: unknown) => unreadable(path, "", reason, cause);
  const handle = await file.whole(() =>
    attempt(library, () => new library.h5wasm.File(name, "r"), fail)
  );
  resources.add(() => void attempt(library, () => handle.close(), fail));
  return { library, handle };
}

/** How many bytes any call of the library may need: 256 MiB. */
const SPARE = 2 ** 28;

/**
 * Calls the library, and throws what `fail` makes of the reason where it failed. Most of its
 * functions only report a failure on their error stream and go on with empty memory. The library's
 * memory, which never shrinks, grows by `need` bytes and some to spare, whatever a file claims.
 */
export function attempt<T>(
  library: H5Library,
  call: () => T,
  fail: (reason: string, cause?: unknown) => Error,
  need = 0,
): T {
  const stderr = (library.module.FS as unknown as FileSystem).streams[2]!;
  const original = stderr.stream_ops;
  let report = "";
  fault = shortage = undefined;
  stderr.stream_ops = {
    ...original,
    write(_stream, heap, offset, length) {
      report += new TextDecoder().decode(new Uint8Array(heap.buffer, offset, length));
      return length;
    },
  };
  try {
    const result = withinMemory(need + SPARE, call);
    if (report === "") return result;
  } catch (cause) {
    throw fail(reasonOf(report), cause);
  } finally {
    stderr.stream_ops = original;
  }
  throw fail(reasonOf(report));
}

const PAGE = 2 ** 16;

/** Makes a call in which memory of WebAssembly grows by so many bytes, at most. */
function withinMemory<T>(bytes: number, call: () => T): T {
  const memory = WebAssembly.Memory.prototype;
  const { grow } = memory;
  let left = Math.ceil(bytes / PAGE);
  memory.grow = function (this: WebAssembly.Memory, pages) {
    // The library asks for less where it is refused more than it needs.
    shortage = pages > left ? `it asks for ${pages * PAGE} bytes of memory to be read` : undefined;
    if (shortage !== undefined) throw new RangeError(shortage);
    left -= pages;
    return grow.call(this, pages);
  };
  try {
    return call();
  } finally {
    memory.grow = grow;
  }
}

/** The innermost reason in a report of the library. */
function reasonOf(report: string): string {
  const known = fault ?? shortage;
  if (known !== undefined) return known;
  const reasons = [...report.matchAll(/^ *#\d+: .*?\(\): (.*)$/gm)];
  return `the HDF5 library says: ${
    reasons.at(-1)?.[1]?.replace(/: time = .*/, "") ?? "unknown error"
  }`;
}

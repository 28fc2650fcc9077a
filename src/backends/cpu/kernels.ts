/**
 * The WebAssembly functions of a program, and the memory that they work on.
 *
 * @module
 */
import {
  flatten,
  nameBytes,
  readLeb128,
  sized,
  unsignedLeb128,
} from "../../../kernels/wasm/encoding.ts";
import { Memories } from "./memories.ts";

/** A function that is given addresses and counts. */
export type Kernel = (...numbers: number[]) => void;

/** Where a function comes from, so that other threads can have it too. */
export interface KernelSource {
  /** The module, which imports `env.memory` and `Math`. */
  module: WebAssembly.Module;
  /** The name by which it exports the function. */
  name: string;
}

/** Functions over one memory. */
export class Kernels {
  /** What they read and write. */
  readonly memory: WebAssembly.Memory;
  /** Where the functions come from, in the order of their numbers. */
  readonly sources: KernelSource[] = [];
  /** The modules, and the number of each one's first function. */
  readonly modules: { bytes: Uint8Array; first: number }[] = [];
  readonly #functions: Kernel[] = [];
  readonly #shared: boolean;

  constructor(bytes: number, shared: boolean, memories: Memories = new Memories()) {
    this.memory = memories.take(bytes, shared);
    this.#shared = shared;
  }

  /** Adds functions of a module; returns the number of the first. */
  add(bytes: Uint8Array<ArrayBuffer>, names: readonly string[]): number {
    this.modules.push({ bytes, first: this.sources.length });
    const module = new WebAssembly.Module(this.#shared ? importShared(bytes) : bytes);
    const { exports } = new WebAssembly.Instance(module, {
      env: { memory: this.memory },
      Math: Math as unknown as WebAssembly.ModuleImports,
    });
    for (const name of names) {
      this.sources.push({ module, name });
      this.#functions.push(exports[name] as Kernel);
    }
    return this.sources.length - names.length;
  }

  /** A function by its number. */
  get(number: number): Kernel {
    return this.#functions[number]!;
  }
}

const HEADER_BYTES = 8;
const IMPORTS = 2;
const MEMORY_IMPORT = flatten([nameBytes("env"), nameBytes("memory"), 2]);
const SHARED = 3;
/** Pages that 32 bits can address: the most that any memory has. */
const MOST_PAGES = 65536;

/** A module whose first import is a memory without a maximum, with that memory taken as shared. */
function importShared(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let start = HEADER_BYTES;
  let [size, from] = readLeb128(bytes, start + 1);
  while (bytes[start] !== IMPORTS) {
    start = from + size;
    [size, from] = readLeb128(bytes, start + 1);
  }
  const end = from + size;
  const [count, first] = readLeb128(bytes, from);
  // After the names and the kind: a byte that says that there is no maximum, and the least pages.
  const [pages, rest] = readLeb128(bytes, first + MEMORY_IMPORT.length + 1);
  const limits = [SHARED, unsignedLeb128(pages), unsignedLeb128(MOST_PAGES)];
  const imports = [unsignedLeb128(count), MEMORY_IMPORT, limits, [...bytes.subarray(rest, end)]];
  const section = flatten([IMPORTS, sized(imports)]);
  const shared = new Uint8Array(start + section.length + bytes.length - end);
  shared.set(bytes.subarray(0, start));
  shared.set(section, start);
  shared.set(bytes.subarray(end), start + section.length);
  return shared;
}

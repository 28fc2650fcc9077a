/**
 * The WebAssembly functions of a program, and the memory that they work on.
 *
 * @module
 */
import { instantiate, ModuleBuilder, PAGE_BYTES } from "../../../kernels/wasm/module.ts";
import type { StepKernel } from "./step_kernel.ts";

/** How many memories wait for someone. */
const MOST_FREE = 2;

/** Pages that 32 bits can address: the most that any memory has. */
const MOST_PAGES = 65536;

/**
 * Memory of programs for shapes that are not kept any more, for those to come: engines free it when
 * they collect garbage, and hardly see how large it is.
 */
export class Memories {
  #free: WebAssembly.Memory[] = [];

  /** A memory of that many bytes or some more; what is in it is anybody's. */
  take(bytes: number, shared: boolean): WebAssembly.Memory {
    const size = ({ buffer }: WebAssembly.Memory) => buffer.byteLength;
    const [found] = this.#free
      .filter((memory) => size(memory) >= bytes && size(memory) <= 2 * bytes + PAGE_BYTES)
      .sort((a, b) => size(a) - size(b));
    this.#free = this.#free.filter((memory) => memory !== found);
    if (found !== undefined) return found;
    const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
    // Some more, which cost nothing as long as nobody writes there, so that it fits others, too.
    const initial = Math.max(pages, Math.min(MOST_PAGES, pages + (pages >> 3)));
    return new WebAssembly.Memory(shared ? { initial, maximum: initial, shared } : { initial });
  }

  /** Takes a memory back that nobody uses. */
  give(memory: WebAssembly.Memory): void {
    this.#free.push(memory);
    if (this.#free.length > MOST_FREE) this.#free.shift();
  }

  /** Lets all go. */
  dispose(): void {
    this.#free = [];
  }
}

/** A function, and where it comes from, so that other threads can have it too. */
export interface Kernel {
  /** What is given addresses and counts. */
  readonly run: (...numbers: number[]) => void;
  /** The module, which imports `env.memory` and `Math`. */
  readonly module: WebAssembly.Module;
  /** The name by which it exports the function. */
  readonly name: string;
}

/** Functions over one memory. */
export class Kernels {
  /** What they read and write. */
  readonly memory: WebAssembly.Memory;
  /** The modules, and their bytes. */
  readonly modules: { module: WebAssembly.Module; bytes: Uint8Array }[] = [];
  readonly #known = new Map<string, Kernel>();
  readonly #shared: boolean;

  constructor(bytes: number, shared: boolean, memories: Memories = new Memories()) {
    this.memory = memories.take(bytes, shared);
    this.#shared = shared;
  }

  /** Adds those that are not there yet, as functions of one module. */
  add(kernels: readonly Pick<StepKernel, "key" | "emit">[]): void {
    const unknown = kernels.filter(({ key }) => !this.#known.has(key));
    if (unknown.length === 0) return;
    const missing = new Map(unknown.map(({ key, emit }) => [key, emit]));
    // Engines that check addresses need one comparison less where there is at least a page.
    const limits = { pages: 1, ...this.#shared ? { maximumPages: MOST_PAGES, shared: true } : {} };
    const builder = new ModuleBuilder({ from: "import", ...limits });
    const added = [...missing].map(([key, emit], i) => {
      builder.exportFunction(`kernel${i}`, emit(builder));
      return { key, name: `kernel${i}` };
    });
    const bytes = builder.encode();
    const module = new WebAssembly.Module(bytes);
    const exports = instantiate(module, this.memory);
    this.modules.push({ module, bytes });
    for (const { key, name } of added) this.#known.set(key, { run: exports[name]!, module, name });
  }

  /** The function of a kernel, in a module of its own if it is new. */
  get(kernel: Pick<StepKernel, "key" | "emit">): Kernel {
    this.add([kernel]);
    return this.#known.get(kernel.key)!;
  }
}

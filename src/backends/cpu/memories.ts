/**
 * Memory of programs for shapes that are not kept any more, for those to come: engines free it when
 * they collect garbage, and hardly see how large it is.
 *
 * @module
 */
import { PAGE_BYTES } from "../../../kernels/wasm/module.ts";

/** How many memories wait for someone. */
const MOST_FREE = 2;

/** Pages that 32 bits can address: the most that any memory has. */
export const MOST_PAGES = 65536;

/** The memories of a program. */
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

/**
 * Linear memory, which WebAssembly code reads and writes.
 *
 * @module
 */
import { PAGE_BYTES } from "./module.ts";

/** Makes the memory hold `bytes` bytes at least; growing detaches the arrays made of its buffer. */
export function reserve(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
}

/**
 * The memory through which kernels work on arrays of the host: made when first needed, and shared
 * by all of them, as only one runs at a time. It grows to what the largest call needs, which each
 * kernel bounds, and nothing in it outlives a call.
 */
export function scratchMemory(): WebAssembly.Memory {
  return scratch ??= new WebAssembly.Memory({ initial: 1 });
}

let scratch: WebAssembly.Memory | undefined;

/**
 * Device memory that holds a pattern before anyone writes to it, fresh or used before: what a program
 * gives must not depend on it. Whoever imports this module has all buffers filled.
 */
import { BufferPool, type DeviceBuffer } from "../../../src/backends/webgpu/buffers.ts";

/** Words to fill memory with: NaN and -1, a number. */
export const PATTERNS = [0xffffffff, 0x42f60000] as const;

let pattern: number = PATTERNS[0];

/** Does something while memory is filled with another pattern. */
export async function withPattern<T>(word: number, f: () => Promise<T>): Promise<T> {
  const before = pattern;
  pattern = word;
  try {
    return await f();
  } finally {
    pattern = before;
  }
}

const devices = new WeakMap<GPUBuffer, GPUDevice>();

/** Larger buffers are filled at their beginning. */
const MOST_WORDS = 2 ** 16;

function fill(buffers: readonly DeviceBuffer[]): void {
  for (const { gpu, bytes } of buffers) {
    const words = new Uint32Array(Math.min(bytes / 4, MOST_WORDS)).fill(pattern);
    devices.get(gpu)?.queue.writeBuffer(gpu, 0, words);
  }
}

if ("GPUDevice" in globalThis) {
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (this: GPUDevice, descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    devices.set(buffer, this);
    return buffer;
  };
}

const { allocate } = BufferPool.prototype;

BufferPool.prototype.allocate = async function (this: BufferPool, sizes, purpose) {
  const taken = await allocate.call(this, sizes, purpose);
  fill(taken);
  return taken;
};

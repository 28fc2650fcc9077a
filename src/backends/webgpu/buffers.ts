/**
 * Buffers: taken, given back, and taken again by the next who needs that many bytes.
 *
 * @module
 */
import { formatBytes } from "../../describe.ts";

/** A stretch of the device's memory. */
export interface DeviceBuffer {
  /** Tells buffers apart. */
  readonly id: number;
  /** The buffer. */
  readonly gpu: GPUBuffer;
  /** Its size, a multiple of 4. */
  readonly bytes: number;
}

/** A buffer is kept where free ones have up to this many bytes then, or as many as are in use. */
const KEPT_BYTES = 2 ** 26;

const SMALLEST = 256;

/** Sizes that buffers come in: at most an eighth more than what is asked for. */
export function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST;
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

/** Buffers of a device that serve for the same. */
export class BufferPool {
  /** How many bytes there are in all. */
  bytes = 0;
  /** How many bytes of these are free. */
  freeBytes = 0;
  readonly #device: GPUDevice;
  readonly #usage: number;
  readonly #free = new Map<number, DeviceBuffer[]>();
  readonly #all = new Set<DeviceBuffer>();
  #lastId = 0;
  #disposed = false;

  /** By default, kernels read and write the buffers. */
  constructor(
    device: GPUDevice,
    usage: number = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  ) {
    this.#device = device;
    this.#usage = usage;
  }

  /** How many buffers there are, free ones among them. */
  get count(): number {
    return this.#all.size;
  }

  /** How many buffers are in use. */
  get used(): number {
    return this.count - [...this.#free.values()].flat().length;
  }

  /**
   * Buffers of these sizes, for a `purpose` as messages call it: free ones where all are at hand.
   * Throws where memory is exhausted.
   */
  async allocate(sizes: readonly number[], purpose: string): Promise<DeviceBuffer[]> {
    const reused = sizes.flatMap((bytes) => this.#takeFree(bytes) ?? []);
    if (reused.length === sizes.length) return reused;
    reused.forEach((buffer) => this.give(buffer));
    const largest = Math.max(0, ...sizes);
    const { maxBufferSize } = this.#device.limits;
    if (largest > maxBufferSize) {
      throw new RangeError(
        `Cannot ${purpose} as a buffer of this device holds at most ` +
          `${formatBytes(maxBufferSize)}: current size is ${formatBytes(largest)}`,
      );
    }
    const attempt = await this.#attempt(sizes);
    if (!(attempt instanceof Error)) return attempt;
    this.trim();
    const second = await this.#attempt(sizes);
    if (!(second instanceof Error)) return second;
    const wanted = sizes.reduce((sum, bytes) => sum + bytes, 0);
    throw new RangeError(
      `Cannot ${purpose} as the memory of the WebGPU device is exhausted: ` +
        `${formatBytes(wanted)} more are needed, ${formatBytes(this.bytes)} are in use; ` +
        `dispose of tensors, donate arguments, or work on fewer rows at a time`,
      { cause: second },
    );
  }

  /** A buffer of this size, free or new; the device tells of it where memory is exhausted. */
  take(bytes: number): DeviceBuffer {
    return this.#takeFree(bytes) ?? this.#create(sizeClass(bytes));
  }

  /** Gives a buffer back; what it holds may be overwritten by later work. */
  give(buffer: DeviceBuffer): void {
    if (this.#disposed || !this.#all.has(buffer)) return;
    const inUse = this.bytes - this.freeBytes - buffer.bytes;
    if (this.freeBytes + buffer.bytes > Math.max(KEPT_BYTES, inUse)) return this.destroy(buffer);
    this.freeBytes += buffer.bytes;
    const free = this.#free.get(buffer.bytes);
    if (free === undefined) this.#free.set(buffer.bytes, [buffer]);
    else free.push(buffer);
  }

  /** Destroys all free buffers. */
  trim(): void {
    for (const buffer of [...this.#free.values()].flat()) this.destroy(buffer);
    this.#free.clear();
    this.freeBytes = 0;
  }

  /** Destroys all buffers; none are given after that. */
  dispose(): void {
    this.#disposed = true;
    this.trim();
    for (const buffer of [...this.#all]) this.destroy(buffer);
  }

  /** Destroys a buffer in use. */
  destroy(buffer: DeviceBuffer): void {
    if (!this.#all.delete(buffer)) return;
    buffer.gpu.destroy();
    this.bytes -= buffer.bytes;
  }

  #takeFree(bytes: number): DeviceBuffer | undefined {
    const buffer = this.#free.get(sizeClass(bytes))?.pop();
    if (buffer !== undefined) this.freeBytes -= buffer.bytes;
    return buffer;
  }

  async #attempt(sizes: readonly number[]): Promise<DeviceBuffer[] | Error> {
    const device = this.#device;
    for (const filter of ["internal", "validation", "out-of-memory"] as const) {
      device.pushErrorScope(filter);
    }
    const taken = sizes.map((bytes) => this.take(bytes));
    const errors = await Promise.all([1, 2, 3].map(() => device.popErrorScope()));
    const error = errors.find((found) => found !== null);
    if (error === undefined) return taken;
    taken.forEach((buffer) => this.destroy(buffer));
    return new Error(error!.message);
  }

  #create(bytes: number): DeviceBuffer {
    const size = Math.min(bytes, this.#device.limits.maxBufferSize);
    const gpu = this.#device.createBuffer({ size, usage: this.#usage });
    const buffer = { id: ++this.#lastId, gpu, bytes };
    this.#all.add(buffer);
    this.bytes += bytes;
    return buffer;
  }
}

/**
 * Reads: all that are asked for in one go share one copy and one wait.
 *
 * @module
 */
import { formatBytes } from "../../describe.ts";
import { type DeviceBuffer, sizeClass } from "./buffers.ts";
import type { Engine } from "./engine.ts";

/** What is copied to the host. */
interface Stretch {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** Whether the device's own is zero afterwards. */
  readonly isTaken?: boolean;
}

/** Something to be read. */
interface Job extends Stretch {
  resolve: (words: ArrayBuffer) => void;
  reject: (reason: unknown) => void;
}

/** Something to be taken and looked at with the next read, whatever that is of. */
export interface Watched {
  /** The buffer to look at; it is zero afterwards. */
  readonly buffer: DeviceBuffer;
  /** How many bytes of it. */
  readonly bytes: number;
  /** Throws where its values say that the results are wrong. */
  inspect(words: ArrayBuffer): void;
}

/** Staging buffers are kept for later reads up to this many bytes. */
const KEPT_BYTES = 2 ** 26;

/** The reads of a device. */
export class Reads {
  readonly #engine: Engine;
  readonly #staging = new Map<number, GPUBuffer[]>();
  readonly #watched = new Set<Watched>();
  readonly #released = new Set<Watched>();
  /** What is wrong, to be told one by one. */
  readonly #untold: unknown[] = [];
  #keptBytes = 0;
  #jobs: Job[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The first bytes of a buffer, as they are after all that has been submitted. */
  read(buffer: DeviceBuffer, bytes: number): Promise<ArrayBuffer> {
    return new Promise((resolve, reject) => {
      if (this.#jobs.length === 0) queueMicrotask(() => this.flush());
      this.#jobs.push({ buffer: buffer.gpu, bytes, resolve, reject });
    });
  }

  /** Looks at something with the next read. */
  watch(watched: Watched): void {
    this.#watched.add(watched);
  }

  /** Gives the buffer back, after the next read where that is to look at it. */
  release(watched: Watched): void {
    if (this.#watched.has(watched)) this.#released.add(watched);
    else this.#engine.pool.give(watched.buffer);
  }

  /** Copies at once what has been asked for so far, so that its buffers may be used anew. */
  flush(): void {
    const jobs = this.#jobs;
    if (jobs.length === 0) return;
    this.#jobs = [];
    const watched = [...this.#watched];
    this.#watched.clear();
    const taken = watched.map(({ buffer, bytes }) => ({
      buffer: buffer.gpu,
      bytes,
      isTaken: true,
    }));
    const copies = this.#batches([...taken, ...jobs]).map((batch) => this.#copy(batch));
    for (const item of watched) {
      if (this.#released.delete(item)) this.#engine.pool.give(item.buffer);
    }
    this.#hand(copies, jobs, watched);
  }

  /** Ends the reads; those under way fail. */
  dispose(): void {
    for (const buffers of this.#staging.values()) buffers.forEach((buffer) => buffer.destroy());
    this.#staging.clear();
    this.#watched.clear();
    this.#released.clear();
    this.flush();
  }

  /** Hands copies over when they have arrived, if nothing says that they are wrong. */
  async #hand(
    copies: readonly Promise<ArrayBuffer[]>[],
    jobs: readonly Job[],
    watched: readonly Watched[],
  ): Promise<void> {
    try {
      const words = (await Promise.all(copies)).flat();
      watched.forEach((item, i) => this.#inspect(item, words[i]!));
      if (this.#untold.length > 0) throw this.#untold.shift();
      jobs.forEach((job, i) => job.resolve(words[watched.length + i]!));
    } catch (error) {
      const reason = await this.#engine.explain(error);
      for (const job of jobs) job.reject(reason);
    }
  }

  #inspect(watched: Watched, words: ArrayBuffer): void {
    try {
      watched.inspect(words);
    } catch (error) {
      this.#untold.push(error);
    }
  }

  /** As few lots as fit one buffer each. */
  #batches(parts: readonly Stretch[]): Stretch[][] {
    const { maxBufferSize } = this.#engine.gpu.limits;
    const batches: Stretch[][] = [];
    let free = 0;
    for (const part of parts) {
      if (batches.length === 0 || part.bytes > free) {
        batches.push([]);
        free = maxBufferSize;
      }
      batches.at(-1)!.push(part);
      free -= part.bytes;
    }
    return batches;
  }

  async #copy(parts: readonly Stretch[]): Promise<ArrayBuffer[]> {
    const engine = this.#engine;
    engine.check();
    const { gpu } = engine;
    const wanted = sizeClass(parts.reduce((sum, { bytes }) => sum + bytes, 0));
    const size = Math.min(wanted, gpu.limits.maxBufferSize);
    for (const filter of ["validation", "out-of-memory"] as const) gpu.pushErrorScope(filter);
    const staging = this.#take(size);
    const encoder = gpu.createCommandEncoder({ label: "read" });
    let offset = 0;
    for (const { buffer, bytes, isTaken } of parts) {
      encoder.copyBufferToBuffer(buffer, 0, staging, offset, bytes);
      if (isTaken) encoder.clearBuffer(buffer, 0, bytes);
      offset += bytes;
    }
    engine.submit(encoder.finish());
    engine.readBacks++;
    const mapped = staging.mapAsync(GPUMapMode.READ);
    const errors = Promise.all([gpu.popErrorScope(), gpu.popErrorScope()]);
    try {
      await mapped;
    } catch (error) {
      throw memoryError(size, await errors.catch(() => [null, null])) ?? error;
    }
    engine.caughtUp();
    return this.#cut(staging, size, parts);
  }

  #cut(staging: GPUBuffer, size: number, parts: readonly Stretch[]): ArrayBuffer[] {
    const range = staging.getMappedRange();
    let at = 0;
    const copies = parts.map(({ bytes }) => range.slice(at, at += bytes));
    staging.unmap();
    this.#give(size, staging);
    return copies;
  }

  #take(size: number): GPUBuffer {
    const kept = this.#staging.get(size)?.pop();
    if (kept !== undefined) {
      this.#keptBytes -= size;
      return kept;
    }
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    return this.#engine.gpu.createBuffer({ size, usage });
  }

  #give(size: number, buffer: GPUBuffer): void {
    if (this.#keptBytes + size > KEPT_BYTES) return buffer.destroy();
    this.#keptBytes += size;
    const kept = this.#staging.get(size);
    if (kept === undefined) this.#staging.set(size, [buffer]);
    else kept.push(buffer);
  }
}

/** What to say where there was no memory for a copy; `undefined` where that was not the reason. */
function memoryError(size: number, errors: readonly (GPUError | null)[]): RangeError | undefined {
  const cause = errors.find((error) => error !== null);
  if (!cause) return undefined;
  return new RangeError(
    `Cannot read the tensors as the memory of the WebGPU device is exhausted: ` +
      `${formatBytes(size)} more are needed; read fewer at a time, or dispose of tensors`,
    { cause },
  );
}

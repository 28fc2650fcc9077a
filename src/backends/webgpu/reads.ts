/**
 * Reads: all that are asked for in one go share one copy and one wait.
 *
 * @module
 */
import { formatBytes } from "../../describe.ts";
import type { TypedArray } from "../../dtype.ts";
import type { Spec } from "../../op.ts";
import { BufferPool, type DeviceBuffer } from "./buffers.ts";
import { deviceBytes, valuesOf } from "./device_layout.ts";
import type { Engine } from "./engine.ts";

/** Something to be taken and looked at with the next read, whatever that is of; zero afterwards. */
export interface Watched {
  readonly buffer: DeviceBuffer;
  /** How many of the buffer's first bytes. */
  readonly bytes: number;
  /** Throws where its values say that the results are wrong. */
  inspect(words: ArrayBuffer): void;
}

/** Something to be read. */
interface Job extends Omit<Watched, "inspect"> {
  resolve(words: ArrayBuffer): void;
  reject(reason: unknown): void;
}

/** The reads of a device. */
export class Reads {
  readonly #engine: Engine;
  readonly #staging: BufferPool;
  readonly #watched = new Set<Watched>();
  /** What is to be given back when it has been looked at. */
  readonly #released = new Set<Watched>();
  /** What is wrong, to be told one by one. */
  readonly #untold: unknown[] = [];
  #jobs: Job[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#staging = new BufferPool(engine.gpu, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }

  /** The values in a buffer, as they are after all that has been submitted. */
  async read(buffer: DeviceBuffer, spec: Spec): Promise<TypedArray> {
    const words = await new Promise<ArrayBuffer>((resolve, reject) => {
      if (this.#jobs.length === 0) queueMicrotask(() => this.flush());
      this.#jobs.push({ buffer, bytes: deviceBytes(spec.shape), resolve, reject });
    });
    return valuesOf(words, spec);
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
    const copies = this.#copy([...watched, ...jobs]);
    for (const item of watched) {
      if (this.#released.delete(item)) this.#engine.pool.give(item.buffer);
    }
    this.#hand(copies, jobs, watched);
  }

  /** Ends the reads; those under way fail. */
  dispose(): void {
    this.#staging.dispose();
    this.#watched.clear();
    this.#released.clear();
    this.flush();
  }

  /** Hands copies over when they have arrived, if nothing says that they are wrong. */
  async #hand(
    copies: Promise<ArrayBuffer[]>,
    jobs: readonly Job[],
    watched: readonly Watched[],
  ): Promise<void> {
    try {
      const words = await copies;
      for (const [i, item] of watched.entries()) {
        try {
          item.inspect(words[i]!);
        } catch (error) {
          this.#untold.push(error);
        }
      }
      if (this.#untold.length > 0) throw this.#untold.shift();
      jobs.forEach((job, i) => job.resolve(words[watched.length + i]!));
    } catch (error) {
      const reason = await this.#engine.explain(error);
      for (const job of jobs) job.reject(reason);
    }
  }

  /** Copies to the host: at once, or one half and the other where one buffer does not hold all. */
  async #copy(parts: readonly (Watched | Job)[]): Promise<ArrayBuffer[]> {
    const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    if (parts.length > 1 && total > this.#engine.gpu.limits.maxBufferSize) {
      const middle = parts.length >> 1;
      const halves = [parts.slice(0, middle), parts.slice(middle)];
      return (await Promise.all(halves.map((half) => this.#copy(half)))).flat();
    }
    const engine = this.#engine;
    engine.check();
    const { gpu } = engine;
    for (const filter of ["validation", "out-of-memory"] as const) gpu.pushErrorScope(filter);
    const staging = this.#staging.take(total);
    const encoder = gpu.createCommandEncoder({ label: "read" });
    let end = 0;
    for (const part of parts) {
      const { buffer, bytes } = part;
      encoder.copyBufferToBuffer(buffer.gpu, 0, staging.gpu, end, bytes);
      if ("inspect" in part) encoder.clearBuffer(buffer.gpu, 0, bytes);
      end += bytes;
    }
    engine.submit(encoder.finish());
    engine.counts.readBacks++;
    const mapped = staging.gpu.mapAsync(GPUMapMode.READ);
    const errors = Promise.all([gpu.popErrorScope(), gpu.popErrorScope()]);
    try {
      await mapped;
    } catch (error) {
      this.#staging.destroy(staging);
      const cause = (await errors.catch(() => [])).find((found) => found !== null);
      if (cause === undefined) throw error;
      const size = formatBytes(staging.bytes);
      throw new RangeError(
        `Cannot read the tensors as the memory of the WebGPU device is exhausted: ${size} more ` +
          `are needed; read fewer at a time, or dispose of tensors`,
        { cause },
      );
    }
    engine.caughtUp();
    const range = staging.gpu.getMappedRange();
    let at = 0;
    const copies = parts.map(({ bytes }) => range.slice(at, at += bytes));
    staging.gpu.unmap();
    this.#staging.give(staging);
    return copies;
  }
}

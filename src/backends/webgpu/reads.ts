/**
 * Reads: all that are asked for in one go share one copy and one wait.
 *
 * @module
 */
import { type DeviceBuffer, sizeClass } from "./buffers.ts";
import type { Engine } from "./engine.ts";

/** Something to be read. */
interface Job {
  buffer: GPUBuffer;
  bytes: number;
  resolve: (words: ArrayBuffer) => void;
  reject: (reason: unknown) => void;
}

/** Something to be looked at with the next read, whatever that is of. */
export interface Watched {
  /** The buffer to look at. */
  readonly buffer: DeviceBuffer;
  /** How many bytes of it. */
  readonly bytes: number;
  /** Throws where its values say that the results are wrong. */
  inspect(words: ArrayBuffer): void;
}

/** Staging buffers of one size that are kept for later reads. */
const KEPT = 4;

/** The reads of a device. */
export class Reads {
  readonly #engine: Engine;
  readonly #staging = new Map<number, GPUBuffer[]>();
  readonly #watched = new Set<Watched>();
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

  /** Forgets about it. */
  unwatch(watched: Watched): void {
    this.#watched.delete(watched);
  }

  /** Copies at once what has been asked for so far, so that its buffers may be used anew. */
  flush(): void {
    const jobs = this.#jobs;
    if (jobs.length === 0) return;
    this.#jobs = [];
    const watched = [...this.#watched];
    this.#watched.clear();
    this.#run(jobs, watched).catch(async (error) => {
      const reason = await this.#engine.explain(error);
      for (const job of jobs) job.reject(reason);
    });
  }

  /** Ends the reads; those under way fail. */
  dispose(): void {
    for (const buffers of this.#staging.values()) buffers.forEach((buffer) => buffer.destroy());
    this.#staging.clear();
    this.#watched.clear();
    this.flush();
  }

  async #run(jobs: readonly Job[], watched: readonly Watched[]): Promise<void> {
    const engine = this.#engine;
    engine.check();
    const parts = [
      ...jobs,
      ...watched.map(({ buffer, bytes }) => ({ buffer: buffer.gpu, bytes })),
    ];
    const size = sizeClass(parts.reduce((sum, { bytes }) => sum + bytes, 0));
    const staging = this.#take(size);
    const encoder = engine.gpu.createCommandEncoder({ label: "read" });
    let offset = 0;
    for (const { buffer, bytes } of parts) {
      encoder.copyBufferToBuffer(buffer, 0, staging, offset, bytes);
      offset += bytes;
    }
    engine.submit(encoder.finish());
    engine.readBacks++;
    await staging.mapAsync(GPUMapMode.READ);
    engine.caughtUp();
    const mapped = staging.getMappedRange();
    let at = 0;
    const copies = parts.map(({ bytes }) => mapped.slice(at, at += bytes));
    staging.unmap();
    this.#give(size, staging);
    watched.forEach((item, i) => item.inspect(copies[jobs.length + i]!));
    jobs.forEach((job, i) => job.resolve(copies[i]!));
  }

  #take(size: number): GPUBuffer {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    return this.#staging.get(size)?.pop() ?? this.#engine.gpu.createBuffer({ size, usage });
  }

  #give(size: number, buffer: GPUBuffer): void {
    const kept = this.#staging.get(size) ?? [];
    this.#staging.set(size, kept);
    if (kept.length < KEPT) kept.push(buffer);
    else buffer.destroy();
  }
}

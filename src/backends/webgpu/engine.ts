/**
 * What programs need of a device: memory, pipelines, submissions, reads, and what went wrong.
 *
 * @module
 */
import type { WgslOptions } from "../../../kernels/elementwise/wgsl_rows.ts";
import type { TypedArray } from "../../dtype.ts";
import { BufferPool, type DeviceBuffer } from "./buffers.ts";
import { Pipelines } from "./pipelines.ts";
import { Reads } from "./reads.ts";
import { wordsOf } from "./device_layout.ts";

/** Submissions that may be under way before a call waits for them. */
const MAX_AHEAD = 128;

/** Bytes by which memory may grow before a call waits, so that forgotten tensors can be noticed. */
const MAX_GROWTH = 2 ** 28;

/** What kernels are made for. */
export interface Target extends Required<WgslOptions> {
  /** The most bytes of a buffer that a kernel sees. */
  readonly largestBinding: number;
}

/** A device at work. */
export class Engine {
  /** The device. */
  readonly gpu: GPUDevice;
  /** What kernels are made for. */
  readonly target: Target;
  /** Memory. */
  readonly pool: BufferPool;
  /** Kernels. */
  readonly pipelines: Pipelines;
  /** Values on their way to the host. */
  readonly reads: Reads;
  /** How often commands were handed over, tensors copied to the device, and lots of them read. */
  readonly counts = { submissions: 0, uploads: 0, readBacks: 0 };
  #ahead = 0;
  #knownBytes = 0;
  #failure: Error | undefined;
  #disposed = false;

  constructor(gpu: GPUDevice, target: Partial<Target> = {}) {
    this.gpu = gpu;
    this.target = {
      isSoftware: false,
      largestBinding: gpu.limits.maxStorageBufferBindingSize,
      mostBuffers: gpu.limits.maxStorageBuffersPerShaderStage,
      ...target,
    };
    this.pool = new BufferPool(gpu);
    this.pipelines = new Pipelines(gpu);
    this.reads = new Reads(this);
    gpu.lost.then(({ reason, message }) => {
      this.#failure = failure(`was lost (${message || reason})`);
    });
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#failure ??= failure(`failed (${(event as GPUUncapturedErrorEvent).error.message})`);
    });
  }

  /** Throws where the device is of no use any more. */
  check(): void {
    const problem = this.#problem();
    if (problem !== undefined) throw problem;
  }

  /** Copies values to a buffer. */
  write(buffer: DeviceBuffer, data: TypedArray): void {
    const words = wordsOf(data) as Float32Array & { buffer: ArrayBuffer };
    if (words.length > 0) this.gpu.queue.writeBuffer(buffer.gpu, 0, words);
    this.counts.uploads++;
  }

  /** Hands commands over. */
  submit(commands: GPUCommandBuffer): void {
    this.gpu.queue.submit([commands]);
    this.counts.submissions++;
    this.#ahead++;
  }

  /** Waits where the host is too far ahead of the device, or memory grows. */
  async keepPace(): Promise<void> {
    const grown = this.pool.bytes - this.#knownBytes;
    if (grown < 0 || grown >= MAX_GROWTH) this.#knownBytes = this.pool.bytes;
    if (this.#ahead < MAX_AHEAD && grown < MAX_GROWTH) return;
    this.caughtUp();
    try {
      await this.gpu.queue.onSubmittedWorkDone();
    } catch (error) {
      throw await this.explain(error);
    }
  }

  /** The device has done what it was given. */
  caughtUp(): void {
    this.#ahead = 0;
  }

  /** The reason why something failed: the loss of the device, where there was one. */
  async explain(error: unknown): Promise<unknown> {
    // A lost device tells of its loss a little after its first failure.
    const later = new Promise((resolve) => setTimeout(resolve, 0));
    await Promise.race([this.gpu.lost, later]);
    return this.#problem() ?? error;
  }

  /** Frees everything. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.pool.dispose();
    this.reads.dispose();
    this.gpu.destroy();
  }

  #problem(): Error | undefined {
    return this.#disposed
      ? new TypeError("Cannot use the WebGPU device as it has been disposed of")
      : this.#failure;
  }
}

function failure(what: string): Error {
  return new Error(
    `Cannot go on as the WebGPU device ${what}: ` +
      `request another by webgpu(), compile again, and go on from tensors on the host`,
  );
}

/**
 * What kernels take on a device, by its own clock.
 *
 * @module
 */
import type { Unit } from "../../program/passes/fuse.ts";
import type { Engine } from "./engine.ts";
import type { Dispatch, HostStep } from "./instructions.ts";

/** Timestamps of a set: two per kernel, and as many as WebGPU allows. */
const MOST_TIMESTAMPS = 4096;

const BYTES = 8;
const NANOSECONDS = 1e-6;

/** Timestamps before and after each kernel of a call. */
export class Clock {
  readonly #engine: Engine;
  readonly #sets: GPUQuerySet[] = [];
  readonly #dispatches: Dispatch[] = [];
  readonly #times = new Map<Unit, number>();

  constructor(engine: Engine) {
    if (!engine.gpu.features.has("timestamp-query")) {
      throw new TypeError(
        `Cannot profile the program as its device has no clock: the adapter does not offer ` +
          `"timestamp-query", or the browser hides it`,
      );
    }
    this.#engine = engine;
  }

  /** Where a kernel's pass writes when it begins and ends. */
  writesFor(dispatch: Dispatch): GPUComputePassTimestampWrites {
    const at = 2 * (this.#dispatches.push(dispatch) - 1) % MOST_TIMESTAMPS;
    if (at === 0) {
      const { gpu } = this.#engine;
      this.#sets.push(gpu.createQuerySet({ type: "timestamp", count: MOST_TIMESTAMPS }));
    }
    const querySet = this.#sets.at(-1)!;
    return { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Notes what something took, for its unit and the loops around it. */
  note({ units }: Dispatch | HostStep, milliseconds: number): void {
    for (const unit of units) this.#times.set(unit, (this.#times.get(unit) ?? 0) + milliseconds);
  }

  /** Milliseconds of all units, when they are done. */
  async read(): Promise<Map<Unit, number>> {
    for (const [i, set] of this.#sets.entries()) {
      const first = i * MOST_TIMESTAMPS / 2;
      const dispatches = this.#dispatches.slice(first, first + MOST_TIMESTAMPS / 2);
      const stamps = await this.#resolve(set, 2 * dispatches.length);
      dispatches.forEach((dispatch, k) => {
        this.note(dispatch, Number(stamps[2 * k + 1]! - stamps[2 * k]!) * NANOSECONDS);
      });
    }
    return this.#times;
  }

  async #resolve(set: GPUQuerySet, count: number): Promise<BigUint64Array> {
    const { gpu: device, reads } = this.#engine;
    const [bytes, usage] = [count * BYTES, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC];
    const gpu = device.createBuffer({ size: bytes, usage });
    const encoder = device.createCommandEncoder({ label: "clock" });
    encoder.resolveQuerySet(set, 0, count, gpu, 0);
    device.queue.submit([encoder.finish()]);
    try {
      const words = await reads.read({ id: 0, gpu, bytes }, { shape: [bytes / 4], dtype: "int32" });
      return new BigUint64Array(words.buffer as ArrayBuffer);
    } finally {
      for (const used of [set, gpu]) used.destroy();
    }
  }
}

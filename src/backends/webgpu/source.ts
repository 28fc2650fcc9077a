/**
 * Where the values of tensors on a device are found.
 *
 * @module
 */
import type { TypedArray } from "../../dtype.ts";
import type { Spec } from "../../op.ts";
import { type Source, Tensor } from "../../tensor.ts";
import type { DeviceBuffer } from "./buffers.ts";
import type { Engine } from "./engine.ts";

/** Memory from this size on comes from the system without being touched. */
const WEIGHED_BYTES = 2 ** 20;

/** Gives buffers back when their tensors have been forgotten. */
const FORGOTTEN = new FinalizationRegistry<{ engine: Engine; buffer: DeviceBuffer }>(
  ({ engine, buffer }) => engine.pool.give(buffer),
);

/** Values in a buffer of a device. */
export class DeviceSource implements Source {
  readonly #engine: Engine;
  readonly #spec: Spec;
  #buffer: DeviceBuffer | undefined;
  /**
   * As large as the buffer, and never touched: the garbage collector sees only what is on the host,
   * and would not hurry for the few bytes that a forgotten tensor has there.
   */
  #weight: ArrayBuffer | undefined;
  #gone = "disposed of";

  constructor(engine: Engine, buffer: DeviceBuffer, spec: Spec) {
    this.#engine = engine;
    this.#buffer = buffer;
    this.#spec = spec;
    if (buffer.bytes >= WEIGHED_BYTES) this.#weight = new ArrayBuffer(buffer.bytes);
    FORGOTTEN.register(this, { engine, buffer }, this);
  }

  data(): TypedArray {
    throw new TypeError(
      "Cannot read the values of a tensor at once as they are on a WebGPU device: " +
        "use await t.read()",
    );
  }

  async read(): Promise<TypedArray> {
    const buffer = this.buffer("read");
    this.#engine.check();
    return await this.#engine.reads.read(buffer, this.#spec);
  }

  /** Whether the values of a tensor are on this device. */
  static isOf(x: Tensor, engine: Engine): x is Tensor & { source: DeviceSource } {
    return x.source instanceof DeviceSource && x.source.#engine === engine;
  }

  /** The buffer; throws where it was given back. */
  buffer(what: string): DeviceBuffer {
    if (this.#buffer !== undefined) return this.#buffer;
    throw new TypeError(`Cannot ${what} the tensor as it was ${this.#gone}`);
  }

  /** Gives the buffer back; `gone` says in messages why it is not there any more. */
  dispose(gone = "disposed of"): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    this.#buffer = undefined;
    this.#weight = undefined;
    this.#gone = gone;
    FORGOTTEN.unregister(this);
    this.#engine.reads.flush();
    this.#engine.pool.give(buffer);
  }
}

/** A tensor of values on a device. */
export function deviceTensor(engine: Engine, buffer: DeviceBuffer, spec: Spec): Tensor {
  return new Tensor(spec.shape, spec.dtype, new DeviceSource(engine, buffer, spec));
}

/**
 * Fused loops on arrays of the host: WebAssembly that works on a piece of them at a time.
 *
 * @module
 */
import type { FloatArray } from "../../src/dtype.ts";
import { instantiate, ModuleBuilder, reserve, scratchMemory } from "../wasm/module.ts";
import type { LoopSpec } from "./passes.ts";
import { emitLoop } from "./wasm.ts";

/** Values that are copied to linear memory at a time: they stay in the processor's caches. */
const CHUNK = 8192;

/** A loop whose operands and stores are all of the type in which it computes. */
export class ChunkedLoop {
  readonly #loop: (...numbers: number[]) => void;
  readonly #float: LoopSpec["float"];

  constructor(spec: LoopSpec) {
    const module = new ModuleBuilder({ from: "import" });
    module.exportFunction("loop", emitLoop(module, spec));
    this.#loop = instantiate(new WebAssembly.Module(module.encode()), scratchMemory()).loop!;
    this.#float = spec.float;
  }

  /** Fills arrays of one length; operands have that length, or one value. */
  run(
    out: readonly FloatArray[],
    data: readonly FloatArray[],
    params: readonly number[] = [],
  ): void {
    const [{ length, BYTES_PER_ELEMENT }] = out as [FloatArray];
    const memory = scratchMemory();
    const bytes = CHUNK * BYTES_PER_ELEMENT;
    const addresses = [...out, ...data].map((_, i) => i * bytes);
    reserve(memory, addresses.length * bytes);
    const values = this.#float === "float32"
      ? new Float32Array(memory.buffer)
      : new Float64Array(memory.buffer);
    for (let start = 0; start < length; start += CHUNK) {
      const size = Math.min(CHUNK, length - start);
      data.forEach((x, i) => {
        const piece = x.length === length ? x.subarray(start, start + size) : x;
        values.set(piece, (out.length + i) * CHUNK);
      });
      this.#loop(...addresses, ...addresses, ...params, 1, size);
      out.forEach((y, i) => y.set(values.subarray(i * CHUNK, i * CHUNK + size), start));
    }
  }
}

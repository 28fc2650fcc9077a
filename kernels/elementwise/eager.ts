/**
 * Elementwise loops on arrays, by the form that fits their size: WebAssembly works on a piece of them
 * at a time.
 *
 * @module
 */
import { dtypeOf, type FloatArray, type NumberArray } from "../../src/dtype.ts";
import { hasSimd } from "../wasm/features.ts";
import { instantiate, ModuleBuilder, reserve, scratchMemory } from "../wasm/module.ts";
import type { Precision } from "../functions/algebra.ts";
import { COSTLY, costOfFunction, graphOf } from "../functions/mod.ts";
import { callsIn } from "./expression.ts";
import type { LoopSpec } from "./passes.ts";
import { ElementwiseKernel, OPERANDS, PARAMETERS } from "./reference.ts";
import { emitLoop } from "./wasm.ts";

/**
 * Arrays of so many values are left to WebAssembly, in expressions that call a function which takes
 * long and is made of instructions there: from there on it is a multiple as fast
 * (`bench/elementwise_bench.ts`) and makes up for being compiled within some calls. float32 results
 * are then right to the ulp that each function states, in place of half an ulp for the expression;
 * those of float64 are the same.
 */
export const LARGE = 512;

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

/** The loops of one expression; WebAssembly is made when first needed. */
export class EagerKernel extends ElementwiseKernel {
  readonly #chunked = new Map<string, ChunkedLoop>();
  readonly #isVector: Partial<Record<Precision, boolean>> = {};

  /** All operands have the output's length, or one value. */
  override runFlat(
    out: NumberArray,
    data: readonly NumberArray[],
    params: readonly number[] = [],
  ): void {
    const precision = out.length < LARGE ? undefined : precisionOf(out, data);
    if (precision !== undefined && this.#gains(precision) && hasSimd()) {
      this.#runChunks(precision, out as FloatArray, data as readonly FloatArray[], params);
    } else super.runFlat(out, data, params);
  }

  /** Whether a function that it calls takes long and needs no help of the host. */
  #gains(precision: Precision): boolean {
    return this.#isVector[precision] ??= callsIn(this.expression).some((name) =>
      costOfFunction(name) >= COSTLY && graphOf(name, precision).operation !== "host"
    );
  }

  #runChunks(
    precision: Precision,
    out: FloatArray,
    data: readonly FloatArray[],
    params: readonly number[],
  ): void {
    const moves = data.map((x) => x.length === out.length);
    const key = `${precision} ${moves}`;
    const loop = this.#chunked.get(key) ?? new ChunkedLoop({
      float: precision,
      operands: moves.map((own, i) => ({ name: OPERANDS[i]!, dtype: precision, moves: own })),
      parameters: PARAMETERS.slice(0, params.length),
      body: [{ name: "out", expression: this.expression }],
      stores: [{ name: "out", dtype: precision, moves: true }],
    });
    this.#chunked.set(key, loop);
    loop.run([out], data, params);
  }
}

/** The precision that all arrays share, if they do. */
function precisionOf(out: NumberArray, data: readonly NumberArray[]): Precision | undefined {
  const dtype = dtypeOf(out)!;
  const isPrecision = dtype === "float32" || dtype === "float64";
  return isPrecision && data.every((x) => dtypeOf(x) === dtype) ? dtype : undefined;
}

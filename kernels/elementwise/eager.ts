/**
 * Elementwise loops on arrays, by the form that fits their size.
 *
 * @module
 */
import { hasSimd } from "../wasm/features.ts";
import { reserve, scratchMemory } from "../wasm/memory.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { parseExpression } from "./expression.ts";
import { ElementwiseKernel, type NumberArray } from "./reference.ts";
import { importMath } from "./typed.ts";
import { emitLoop } from "./wasm.ts";

/**
 * Arrays of so many float32 values are left to WebAssembly, in expressions that call a function for
 * which there is a polynomial: from there on it is 5 to 9 times as fast (`bench/elementwise_bench.ts`)
 * and makes up for being compiled within a few calls. Results are then right to the ulp that
 * `polynomials.ts` states for each function, in place of half an ulp for the whole expression.
 */
const LARGE = 4096;

/** Values that are copied to linear memory at a time: they stay in the processor's caches. */
const CHUNK = 8192;

const COSTLY = /\b(exp|expm1|log|log1p|tanh|sin|cos)\(/;

/** A loop of the module: addresses, steps, parameters, extents. */
type WasmLoop = (...numbers: number[]) => void;

/** The loops of one expression. */
export class EagerKernel extends ElementwiseKernel {
  readonly #expression: string;
  readonly #loops = new Map<string, WasmLoop>();

  /** Parses the expression; WebAssembly is made when first needed. */
  constructor(name: string, expression: string) {
    super(name, expression);
    this.#expression = expression;
  }

  /** All operands have the output's length, or one value. */
  override runFlat(
    out: NumberArray,
    data: readonly NumberArray[],
    params: readonly number[] = [],
  ): void {
    const large = out.length >= LARGE && COSTLY.test(this.#expression) &&
      out instanceof Float32Array && data.every((x) => x instanceof Float32Array) && hasSimd();
    if (large) this.#runChunks(out, data as readonly Float32Array[], params);
    else super.runFlat(out, data, params);
  }

  #runChunks(
    out: Float32Array,
    data: readonly Float32Array[],
    params: readonly number[],
  ): void {
    const moves = data.map((x) => x.length === out.length);
    const key = moves.join();
    const loop = this.#loops.get(key) ?? emit(this.#expression, moves, params.length);
    this.#loops.set(key, loop);
    const memory = scratchMemory();
    const addresses = [out, ...data].map((_, i) => i * CHUNK * out.BYTES_PER_ELEMENT);
    reserve(memory, addresses.length * CHUNK * out.BYTES_PER_ELEMENT);
    const values = new Float32Array(memory.buffer);
    const steps = addresses.map(() => 0);
    for (let start = 0; start < out.length; start += CHUNK) {
      const size = Math.min(CHUNK, out.length - start);
      data.forEach((x, i) => {
        const part = moves[i] ? x.subarray(start, start + size) : x;
        values.set(part, (i + 1) * CHUNK);
      });
      loop(...addresses, ...steps, ...params, 1, size);
      out.set(values.subarray(0, size), start);
    }
  }
}

function emit(expression: string, moves: readonly boolean[], parameters: number): WasmLoop {
  const module = new ModuleBuilder({ from: "import" });
  const loop = emitLoop(module, importMath(module), {
    float: "float32",
    operands: moves.map((own, i) => ({ name: "abc"[i]!, dtype: "float32", moves: own })),
    parameters: ["p", "q"].slice(0, parameters),
    body: [{ name: "y", expression: parseExpression(expression) }],
    stores: [{ name: "y", dtype: "float32", moves: true }],
  });
  module.exportFunction("loop", loop);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory: scratchMemory() },
    Math: Math as unknown as WebAssembly.ModuleImports,
  });
  return exports.loop as WasmLoop;
}

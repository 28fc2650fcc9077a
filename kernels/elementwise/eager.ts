/**
 * Elementwise loops on arrays, by the form that fits their size.
 *
 * @module
 */
import { hasRelaxedSimd, hasSimd } from "../wasm/features.ts";
import { ModuleBuilder, reserve, scratchMemory } from "../wasm/module.ts";
import { i32, type Local, type ValueType } from "../wasm/value.ts";
import { f32x4, v128 } from "../wasm/simd.ts";
import { parseExpression } from "./expression.ts";
import { LaneCode, type Lanes } from "./lanes.ts";
import { ElementwiseKernel, type NumberArray, OPERANDS, PARAMETERS } from "./reference.ts";
import { importMath, toFloat, translate, type TypedLanes } from "./typed.ts";

/**
 * Arrays of so many float32 values are left to WebAssembly, in expressions that call a function for
 * which there is a polynomial: from there on it is 9 to 13 times as fast (`bench/elementwise_bench.ts`)
 * and makes up for being compiled within a few calls. Results are then right to the ulp that
 * `polynomials.ts` states for each function, in place of half an ulp for the whole expression.
 */
const LARGE = 4096;

/** Values that are copied to linear memory at a time: they stay in the processor's caches. */
const CHUNK = 8192;

/** Registers of four values side by side, which the loop computes at once; chunks hold whole ones. */
const REGISTERS = [0, 1, 2, 3] as const;

const COSTLY = /\b(exp|expm1|log|log1p|tanh|sin|cos)\(/;

/** A loop of the module: the addresses of the output and the operands, parameters, bytes. */
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
    for (let start = 0; start < out.length; start += CHUNK) {
      const size = Math.min(CHUNK, out.length - start);
      data.forEach((x, i) => {
        const at = (i + 1) * CHUNK;
        values.set(moves[i] ? x.subarray(start, start + size) : x, at);
        // Registers share what they do with large angles: no value of an earlier chunk has a say.
        if (moves[i] && size < CHUNK) values.fill(0, at + size, at + CHUNK);
      });
      loop(...addresses, ...params, size * out.BYTES_PER_ELEMENT);
      out.set(values.subarray(0, size), start);
    }
  }
}

/** A loop over whole registers: what lies behind the last value has room, and is computed too. */
function emit(expression: string, moves: readonly boolean[], parameterCount: number): WasmLoop {
  const module = new ModuleBuilder({ from: "import" });
  const math = importMath(module);
  const operands = OPERANDS.slice(0, moves.length);
  const parameters = PARAMETERS.slice(0, parameterCount);
  const types: Record<string, ValueType> = {
    ...Object.fromEntries(["out", ...operands].map((name) => [name, "i32"])),
    ...Object.fromEntries(parameters.map((name) => [name, "f64"])),
    bytes: "i32",
  };
  const loop = module.addFunction(types, (builder, locals) => {
    const code = new LaneCode(builder, "float32", hasRelaxedSimd());
    const address = (name: string) => locals[name] as Local<"i32">;
    const values = new Map<string, Lanes>();
    for (const name of parameters) values.set(name, code.parameter(locals[name] as Local<"f64">));
    operands.forEach((name, i) => {
      if (!moves[i]) values.set(name, code.let([f32x4.loadSplat(address(name))]));
    });
    const valueOf = (name: string): TypedLanes => ({ kind: "float", lanes: values.get(name)! });
    builder.for(address("bytes"), REGISTERS.length * 16, (at) => {
      operands.forEach((name, i) => {
        if (!moves[i]) return;
        const place = builder.let(i32.add(address(name), at));
        values.set(name, code.let(REGISTERS.map((r) => v128.load(place, 16 * r))));
      });
      const result = translate(parseExpression(expression), { code, math, valueOf });
      const lanes = code.let(toFloat(code, result));
      const place = builder.let(i32.add(address("out"), at));
      for (const r of REGISTERS) builder.store("v128", place, lanes[r]!, 16 * r);
    });
  });
  module.exportFunction("loop", loop);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory: scratchMemory() },
    Math: Math as unknown as WebAssembly.ModuleImports,
  });
  return exports.loop as WasmLoop;
}

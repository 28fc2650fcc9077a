/**
 * Elementwise loops on arrays, by the form that fits their size.
 *
 * @module
 */
import type { FloatArray, NumberArray } from "../../src/dtype.ts";
import { hasRelaxedSimd, hasSimd } from "../wasm/features.ts";
import { ModuleBuilder, reserve, scratchMemory } from "../wasm/module.ts";
import { i32, type Local, type ValueType } from "../wasm/value.ts";
import { f32x4, f64x2, v128 } from "../wasm/simd.ts";
import type { Precision } from "../functions/algebra.ts";
import { COSTLY, costOfFunction, graphOf } from "../functions/mod.ts";
import { callsIn, parseExpression } from "./expression.ts";
import { LaneCode, type Lanes } from "./lanes.ts";
import { ElementwiseKernel, OPERANDS, PARAMETERS } from "./reference.ts";
import { convert, importMath, translate, type TypedLanes } from "./typed.ts";

/**
 * Arrays of so many values are left to WebAssembly, in expressions that call a function which takes
 * long and is made of instructions there: from there on it is 9 to 13 times as fast
 * (`bench/elementwise_bench.ts`) and makes up for being compiled within a few calls. Results are then
 * right to the ulp that each function states, in place of half an ulp for the whole expression.
 */
const LARGE = 4096;

/** Values that are copied to linear memory at a time: they stay in the processor's caches. */
const CHUNK = 8192;

/** Registers side by side, which the loop computes at once; chunks hold whole ones. */
const REGISTERS = [0, 1, 2, 3] as const;

/** A loop of the module: the addresses of the output and the operands, parameters, bytes. */
type WasmLoop = (...numbers: number[]) => void;

/** The loops of one expression. */
export class EagerKernel extends ElementwiseKernel {
  readonly #expression: string;
  readonly #loops = new Map<string, WasmLoop>();
  readonly #isVector: Partial<Record<Precision, boolean>> = {};

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
    const precision = out.length < LARGE ? undefined : precisionOf(out, data);
    if (precision !== undefined && this.#gains(precision) && hasSimd()) {
      this.#runChunks(precision, out as FloatArray, data as readonly FloatArray[], params);
    } else super.runFlat(out, data, params);
  }

  /** Whether a function that it calls takes long and needs no help of the host. */
  #gains(precision: Precision): boolean {
    return this.#isVector[precision] ??= callsIn(parseExpression(this.#expression)).some((name) =>
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
    const loop = this.#loops.get(key) ?? emit(this.#expression, precision, moves, params.length);
    this.#loops.set(key, loop);
    const memory = scratchMemory();
    const bytes = CHUNK * out.BYTES_PER_ELEMENT;
    const addresses = [out, ...data].map((_, i) => i * bytes);
    reserve(memory, addresses.length * bytes);
    const values = precision === "float32"
      ? new Float32Array(memory.buffer)
      : new Float64Array(memory.buffer);
    for (let start = 0; start < out.length; start += CHUNK) {
      const size = Math.min(CHUNK, out.length - start);
      data.forEach((x, i) => {
        values.set(moves[i] ? x.subarray(start, start + size) : x, (i + 1) * CHUNK);
      });
      loop(...addresses, ...params, size * out.BYTES_PER_ELEMENT);
      out.set(values.subarray(0, size), start);
    }
  }
}

/** The precision that all arrays share, if they do. */
function precisionOf(out: NumberArray, data: readonly NumberArray[]): Precision | undefined {
  const isOf = (type: Float32ArrayConstructor | Float64ArrayConstructor) =>
    out instanceof type && data.every((x) => x instanceof type);
  return isOf(Float32Array) ? "float32" : isOf(Float64Array) ? "float64" : undefined;
}

/** A loop over whole registers: what lies behind the last value has room, and is computed too. */
function emit(
  expression: string,
  precision: Precision,
  moves: readonly boolean[],
  parameterCount: number,
): WasmLoop {
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
    const code = new LaneCode(builder, precision, hasRelaxedSimd());
    const splat = precision === "float32" ? f32x4.loadSplat : f64x2.loadSplat;
    const address = (name: string) => locals[name] as Local<"i32">;
    const values = new Map<string, Lanes>();
    for (const name of parameters) values.set(name, code.parameter(locals[name] as Local<"f64">));
    operands.forEach((name, i) => {
      if (!moves[i]) values.set(name, code.let([splat(address(name))]));
    });
    const valueOf = (name: string): TypedLanes => ({ kind: "float", lanes: values.get(name)! });
    builder.for(address("bytes"), REGISTERS.length * 16, (at) => {
      operands.forEach((name, i) => {
        if (!moves[i]) return;
        const place = builder.let(i32.add(address(name), at));
        values.set(name, code.let(REGISTERS.map((r) => v128.load(place, 16 * r))));
      });
      const result = translate(parseExpression(expression), { code, math, valueOf });
      const lanes = code.let(convert("float", code, result));
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

/** Scalar functions on arrays by each printer, with the numbers that they are tried on. */
import type { Precision } from "../../../kernels/functions/algebra.ts";
import { DOUBLES } from "../../../kernels/functions/evaluate.ts";
import { declareJavaScript } from "../../../kernels/functions/javascript.ts";
import { scalarFunction } from "./scalar_function.ts";
import { definitionOf } from "../../../kernels/functions/mod.ts";
import { declareFunctions } from "../../../kernels/functions/wgsl.ts";
import { createKernel, groupsFor, type WgslKernel } from "../../../kernels/wgsl/kernel.ts";
import { chain, prepare, ulpOf } from "../wasm_loops.ts";
import type { WgslRunner } from "../wgsl_runner.ts";

const NAMES = ["a", "b", "c"] as const;

/** A function's values in single precision, every operation rounded, by JavaScript. */
export function byJavaScript(name: string, ...x: Float32Array[]): Float32Array {
  const f = scalarFunction(name, "float32");
  return x[0]!.map((_, i) => f(...x.map((values) => values[i]!)));
}

/** The function in double precision, in generated code. */
export function generated(name: string): (...x: number[]) => number {
  return new Function("DOUBLES", `${declareJavaScript([name])}\nreturn scalar_${name};`)(DOUBLES);
}

/** The same by WebAssembly, with or without multiplying and adding at once. */
export function byWasm<A extends Float32Array | Float64Array>(
  name: string,
  relaxed: boolean,
  ...x: A[]
): A {
  const names = NAMES.slice(0, x.length);
  const float: Precision = x[0] instanceof Float32Array ? "float32" : "float64";
  const loop = chain(`${name}(${names.join(", ")})`, names.join(""), float);
  return prepare(loop, relaxed)({ rows: 1, columns: x[0]!.length, operands: x })[0] as A;
}

/** The same by WGSL. */
export async function byWgsl(
  runner: WgslRunner,
  name: string,
  ...x: Float32Array[]
): Promise<Float32Array> {
  const y = new Float32Array(x[0]!.length);
  await runner.run([{ plan: kernelOf(name, y.length), inputs: x, outputs: [y] }]);
  return y;
}

function kernelOf(name: string, size: number): WgslKernel {
  const names = NAMES.slice(0, definitionOf(name)!.arity);
  const operands = names.map((x) => `${x}[index]`).join(", ");
  return createKernel({
    name,
    inputs: names.map((x) => ({ name: x, type: "f32" })),
    outputs: [{ name: "output", type: "f32" }],
    groups: groupsFor(size),
    declarations: declareFunctions([`scalar_${name}`]),
    body: `if (index >= ${size}u) { return; }\noutput[index] = scalar_${name}(${operands});`,
  });
}

const number = new Float32Array(1);
const bits = new Int32Array(number.buffer);

function neighbours(x: number): number[] {
  return [-2, -1, 0, 1, 2].map((by) => {
    number[0] = x;
    bits[0]! += Number.isNaN(x) ? 0 : by;
    return number[0]!;
  });
}

/** Numbers around which something changes, with their neighbours. */
export const EDGES: readonly number[] = [
  ...[0, 2 ** -149, 2 ** -126, 2 ** -25, 2 ** -13, 0.25, Math.LN2 / 2, Math.SQRT1_2, 1],
  ...[Math.SQRT2, 2, Math.PI / 4, Math.PI, 9, 20, 87.33655, 88.72284, 103.97208, 104, 128],
  ...[8192, 2 ** 23, 2 ** 24, 2 ** 31, 2 ** 127, 3.4028234663852886e38, Infinity, NaN],
].flatMap((x) => [x, -x]).flatMap(neighbours);

/** Numbers over all of single precision: every `step`-th one. */
export function sweep(step = 9_973): Float32Array {
  const all = new Int32Array(Math.floor(2 ** 32 / step));
  for (let i = 0; i < all.length; i++) all[i] = i * step;
  return new Float32Array(all.buffer);
}

/** Numbers over all of double precision: every `step`-th of the upper halves of their bits. */
export function sweepDoubles(step = 99_991): Float64Array {
  const uppers = sweep(step);
  const bits = new Int32Array(uppers.buffer);
  const all = new BigInt64Array(bits.length);
  bits.forEach((upper, i) => all[i] = BigInt(upper) << 32n | BigInt(i * 2_654_435_761 % 2 ** 32));
  return new Float64Array(all.buffer);
}

/** The error of a value of double precision in units of its last place; both may be NaN. */
export function errorOfDouble(value: number, exact: number): number {
  if (Object.is(value, exact)) return 0;
  const [x, y] = [value, exact].map((z) => {
    const bits = new BigInt64Array(Float64Array.of(z).buffer)[0]!;
    return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
  });
  return Number.isNaN(value) || Number.isNaN(exact) ? Infinity : Math.abs(Number(x! - y!));
}

/** The error of a value in ulp; 0 where both are NaN, or the same zero or infinity. */
export function errorInUlp(value: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(value, rounded) && !Number.isFinite(rounded)) return 0;
  if (Object.is(value, rounded) && rounded === 0) return 0;
  if (Number.isFinite(value) && Number.isFinite(exact)) {
    return Math.abs(value - exact) / ulpOf(exact);
  }
  return Infinity;
}

/**
 * Reductions of the middle axis of an (outer, count, inner) array as WebAssembly: to the bit what
 * `reference.ts` gives, but that an extreme among zeros of both signs may have either sign.
 *
 * @module
 */
import { BYTES, type DType } from "../../src/dtype.ts";
import { emitColumnLoop } from "../elementwise/columns.ts";
import type { LoopSpec, Reduction } from "../elementwise/passes.ts";
import type { HostMath } from "../elementwise/typed.ts";
import { emitLoop, type LoopFunction } from "../elementwise/wasm.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** A reduction. */
export interface ArrayReduction extends AxisExtents {
  /** The sum, mean or norm, added up in float64, or an extreme. */
  reduce: Reduction["reduce"];
  /** What means and squared norms are divided by; 1 by default. */
  divisor?: number | undefined;
  /** The type of the elements, before and after. */
  dtype: Exclude<DType, "bool">;
}

/** Adds a function to a module that reduces; {@linkcode reductionCalls} says how to call it. */
export function emitReduction(
  module: ModuleBuilder,
  math: HostMath,
  { reduce, divisor, dtype, count, inner }: ArrayReduction,
): LoopFunction {
  const spec: LoopSpec = {
    float: dtype === "float64" ? "float64" : "float32",
    operands: [{ name: "x", dtype, moves: true }],
    body: [{ name: "y", reduce, of: "x", divisor }],
    stores: [{ name: "y", dtype, moves: false }],
    columns: count,
  };
  return inner === 1 ? emitLoop(module, math, spec) : emitColumnLoop(module, math, spec);
}

/** The arguments of each call that together reduce the array at `data` into the one at `out`. */
export function reductionCalls(
  { dtype, outer, count, inner }: ArrayReduction,
  out: number,
  data: number,
): number[][] {
  const bytes = BYTES[dtype];
  if (inner === 1) return [[out, data, bytes, count * bytes, outer, count]];
  const row = inner * bytes;
  return Array.from(
    { length: outer },
    (_, i) => [out + i * row, data + i * count * row, row, row, count, inner],
  );
}

/**
 * Reductions of the middle axis of an (outer, count, inner) array as WebAssembly: to the bit what
 * `reference.ts` gives, but that an extreme among zeros of both signs may have either sign.
 *
 * @module
 */
import { BYTES, type DType } from "../../src/dtype.ts";
import { type Reduction, reductionLoop } from "../elementwise/passes.ts";
import { emitLoop } from "../elementwise/wasm.ts";
import { integers, type Parameters, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** A reduction. */
export interface ArrayReduction
  extends Omit<AxisExtents, "outer">, Pick<Reduction, "reduce" | "divisor"> {
  /** The type of the elements, before and after. */
  dtype: Exclude<DType, "bool">;
}

/** Adds a function to a module that reduces: addresses, and the extent `outer`. */
export function emitReduction(
  module: ModuleBuilder,
  { dtype, count, inner, ...reduction }: ArrayReduction,
): WasmFunction<Parameters, null> {
  const over = inner === 1 ? "row" : "column";
  const spec = { ...reductionLoop(reduction, dtype), columns: count, over } as const;
  const row = inner * BYTES[dtype];
  const loop = emitLoop(module, spec);
  return module.addFunction(integers("out", "data", "outer"), (code, { out, data, outer }) => {
    const places = { output0: out, operand0: data, outputStep0: row };
    if (inner === 1) {
      code.call(loop, { ...places, operandStep0: count * row, rows: outer, columns: count });
      return;
    }
    code.while(outer, () => {
      code.call(loop, { ...places, operandStep0: row, rows: count, columns: inner });
      code.increase(out, row);
      code.increase(data, count * row);
      code.increase(outer, -1);
    });
  });
}

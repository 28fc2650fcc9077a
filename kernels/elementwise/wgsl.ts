/**
 * Fused loops as WGSL, from the same specifications as those on the CPU.
 *
 * @module
 */
import { sizeOf } from "../../src/shape.ts";
import { planOf, type WgslPlan } from "../wgsl/kernel.ts";
import type { LoopSpec } from "./passes.ts";
import { withSums } from "./wgsl_ranges.ts";
import { emitRows, teamFor, type WgslOptions } from "./wgsl_rows.ts";
import type { LoopSpace } from "./wgsl_space.ts";
import { SplitPlan } from "./wgsl_split.ts";

/**
 * The kernels of a loop. Inputs are the operands, outputs the stores, in the order of the
 * specification; sums of numbers run in single precision, those of integers and truth values are
 * exact. Everything that was known when the loop was made is a constant of the shader, so that
 * there are no parameters.
 *
 * Short rows have an invocation each, single elements among them, and so have rows whose columns lie
 * apart, as neighbouring rows are read together then; longer ones have a workgroup. Few rows that are
 * very long are worked on in parts, and further kernels put together what these amount to.
 */
export function planLoop(
  given: LoopSpec,
  space: LoopSpace,
  options: WgslOptions = {},
): WgslPlan {
  if (given.float !== "float32" || (given.parameters ?? []).length > 0) {
    throw new TypeError(
      `Cannot emit WGSL as loops must be in float32 and without parameters: current loop is in ` +
        `${given.float} with ${given.parameters?.length ?? 0} parameters`,
    );
  }
  const rows = sizeOf(space.rows);
  if (rows === 0) return { kernels: [], temporaries: [] };
  const spec: LoopSpec = {
    ...withSums(given),
    operands: given.operands.map((operand, i) => ({
      ...operand,
      moves: space.operands[i]!.columns.some((stride) => stride !== 0),
    })),
    stores: given.stores.map((x) => ({ ...x, moves: x.moves && space.columns.length > 0 })),
  };
  const team = teamFor(rows, space, options);
  return team.parts > 1
    ? new SplitPlan(spec, space, team, options)
    : planOf(emitRows(spec, space, team));
}

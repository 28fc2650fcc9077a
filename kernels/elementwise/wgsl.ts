/**
 * Fused loops as WGSL, from the same specifications as those on the CPU.
 *
 * @module
 */
import { sizeOf } from "../../src/shape.ts";
import type { WgslPlan } from "../wgsl/kernel.ts";
import type { LoopSpec } from "./passes.ts";
import { emitElements } from "./wgsl_elements.ts";
import { withSums } from "./wgsl_ranges.ts";
import { emitRows, teamFor, type WgslOptions } from "./wgsl_rows.ts";
import type { LoopSpace } from "./wgsl_space.ts";
import { planSplitRows } from "./wgsl_split.ts";

/**
 * The kernels of a loop. Inputs are the operands, outputs the stores, in the order of the
 * specification; sums of numbers run in single precision, those of integers and truth values are
 * exact. Everything that was known when the loop was made is a constant of the shader, so that
 * there are no parameters.
 *
 * Without reductions there is one invocation for each element. Short rows have an invocation each,
 * and so have rows whose columns lie apart, as neighbouring rows are read together then; longer ones
 * have a workgroup. Few rows that are very long are worked on in parts, and further kernels put
 * together what these amount to.
 */
export function planLoop(
  given: LoopSpec,
  space: LoopSpace,
  options: WgslOptions = {},
): WgslPlan {
  const spec = withSums(given);
  if (spec.float !== "float32" || (spec.parameters ?? []).length > 0) {
    throw new TypeError(
      `Cannot emit WGSL as loops must be in float32 and without parameters: current loop is in ` +
        `${spec.float} with ${spec.parameters?.length ?? 0} parameters`,
    );
  }
  const [rows, columns] = [sizeOf(space.rows), sizeOf(space.columns)];
  const reduces = spec.body.some((statement) => "reduce" in statement);
  if (rows === 0 || (columns === 0 && !reduces)) return { kernels: [], temporaries: [] };
  if (!reduces) return { kernels: [emitElements(spec, space)], temporaries: [] };
  const team = teamFor(rows, space, options);
  if (team.parts > 1) return planSplitRows(spec, space, team, options);
  return { kernels: [emitRows(spec, space, team)], temporaries: [] };
}

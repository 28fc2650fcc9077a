/**
 * Loops of programs without WebAssembly.
 *
 * @module
 */
import { compileLoop, type LoopCall } from "../../../kernels/elementwise/fused.ts";
import { acrossRows } from "../../../kernels/elementwise/passes.ts";
import type { Frame } from "./frame.ts";
import type { GroupLoop } from "../../program/loops.ts";
import { walkOuter } from "../../program/space.ts";

/** A loop as JavaScript; one that reduces columns goes over them as others go over rows. */
export function interpretLoop(
  { spec, space, inputs, outputs }: GroupLoop,
  frame: Frame,
): () => void {
  const { rows, columns, down } = space;
  const run = compileLoop(down ? acrossRows(spec) : spec);
  const lanes = (down ? columnLanes : rowLanes)({ spec, space, inputs, outputs });
  const call = {
    rows: down ? columns : rows,
    columns: down ? rows : columns,
    operands: inputs.map((id, i) => ({
      data: frame.view(id).data,
      start: 0,
      ...lanes.operands[i]!,
    })),
    outputs: outputs.map((id, i) => ({
      data: frame.view(id).data,
      start: 0,
      ...lanes.outputs[i]!,
    })),
  } satisfies LoopCall;
  const blocks = spec.stores.map(({ moves }) => moves ? rows * columns : down ? columns : rows);
  const starts = call.operands.map(() => 0);
  return () =>
    walkOuter(space, starts, (index) => {
      starts.forEach((start, i) => call.operands[i]!.start = start);
      call.outputs.forEach((lane, i) => lane.start = index * blocks[i]!);
      run(call);
    });
}

interface Steps {
  step: number;
  stride?: number;
}

interface Lanes {
  operands: Steps[];
  outputs: Steps[];
}

function rowLanes({ spec, space }: GroupLoop): Lanes {
  return {
    operands: space.operands.map(({ step }) => ({ step })),
    outputs: spec.stores.map(({ moves }) => ({ step: moves ? space.columns : 1 })),
  };
}

function columnLanes({ spec, space }: GroupLoop): Lanes {
  return {
    operands: space.operands.map(({ moves, step }) => ({ step: Number(moves), stride: step })),
    outputs: spec.stores.map(({ moves }) => ({ step: 1, stride: moves ? space.columns : 0 })),
  };
}

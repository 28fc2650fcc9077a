/** Loops of `kernels/elementwise/wgsl.ts` beside the same ones on the CPU. */
import type { DType, NumberArray } from "../../src/dtype.ts";
import { assert } from "@std/assert";
import type { LoopSpec } from "../../kernels/elementwise/passes.ts";
import { planLoop } from "../../kernels/elementwise/wgsl.ts";
import type { WgslOptions } from "../../kernels/elementwise/wgsl_rows.ts";
import type { WgslPlan } from "../../kernels/wgsl/kernel.ts";
import { type IterationSpace, iterationSpace, walkOuter } from "../../src/program/space.ts";
import type { LoopSpace } from "../../kernels/elementwise/wgsl_space.ts";
import { spaceOf } from "../../src/backends/webgpu/lower_loops.ts";
import { broadcastStrides, type Shape, sizeOf } from "../../src/shape.ts";
import { interpretLoop, type LoopCall } from "./interpret_loop.ts";
import { arrayOf, wave } from "./wasm_loops.ts";
import type { Job, Words } from "./wgsl_runner.ts";

const WORDS = { float32: Float32Array, int32: Int32Array, bool: Uint32Array } as const;

/** Elements as buffers have them. */
export function wordsOf(dtype: DType, values: number | ArrayLike<number>): Words {
  return new WORDS[dtype as keyof typeof WORDS](values as number);
}

/** The loop over a shape of operands that broadcast to it. */
export function iterate(
  shape: Shape,
  shapes: readonly Shape[],
  reduced?: readonly [number, number],
): IterationSpace {
  const reads = shapes.map((own) => ({ offset: 0, strides: broadcastStrides(own, shape) }));
  return iterationSpace(shape, reads, reduced);
}

/** The same in rows and columns. */
export function walk(
  shape: Shape,
  shapes: readonly Shape[],
  reduced?: readonly [number, number],
): LoopSpace {
  const reads = shapes.map((own) => ({ offset: 0, strides: broadcastStrides(own, shape) }));
  return spaceOf({ shape, reduced, reads });
}

/** A loop over a shape, and what the interpreter in double precision makes of it. */
export interface Comparison extends Job {
  plan: WgslPlan;
  outputs: Words[];
  expected: ArrayLike<number>[];
}

/** The loop on operands of some shapes; the last axes, `reduced` of them, are its rows. */
export function compareLoop(
  spec: LoopSpec,
  shape: Shape,
  shapes: readonly Shape[],
  reduced = 0,
  options: WgslOptions = {},
): Comparison {
  const axes = reduced === 0 ? undefined : [shape.length - reduced, shape.length] as const;
  const space = iterate(shape, shapes, axes);
  const operands = spec.operands.map((x, i) => ({ ...x, moves: space.operands[i]!.along > 0 }));
  const loop = { ...spec, operands, columns: space.columns };
  const values = operands.map(({ dtype }, i) => wave(dtype, sizeOf(shapes[i]!), 0.7 * i));
  const expected = computeLoop(loop, space, values);
  return {
    plan: planLoop(loop, walk(shape, shapes, axes), options),
    inputs: values.map((data, i) => wordsOf(operands[i]!.dtype, data)),
    outputs: spec.stores.map(({ dtype }, i) => wordsOf(dtype, expected[i]!.length).fill(77)),
    expected,
  };
}

/** What the interpreter on the CPU makes of a loop, in double precision. */
function computeLoop(
  spec: LoopSpec,
  space: IterationSpace,
  values: readonly NumberArray[],
): NumberArray[] {
  const { outer, rows, columns } = space;
  const count = outer.reduce((a, b) => a * b, rows);
  const outputs = spec.stores.map(({ dtype, moves }) =>
    arrayOf(dtype === "float32" ? "float64" : dtype, moves ? count * columns : count)
  );
  const call = {
    rows,
    columns,
    operands: values.map((data, i) => ({ data, start: 0, step: space.operands[i]!.step })),
    outputs: outputs.map((data, i) => ({
      data,
      start: 0,
      step: spec.stores[i]!.moves ? columns : 1,
    })),
  } satisfies LoopCall;
  const starts = values.map(() => 0);
  walkOuter(space, starts, (index) => {
    starts.forEach((start, i) => call.operands[i]!.start = start);
    for (const lane of call.outputs) lane.start = index * rows * lane.step;
    interpretLoop(spec, call);
  });
  return outputs;
}

/** Whether every value is within `error`, relative to 1 or the value, of what it is to be. */
export function assertClose({ outputs, expected }: Comparison, error: number, about: string): void {
  outputs.forEach((output, k) =>
    output.forEach((value, i) => {
      const exact = expected[k]![i]!;
      const near = Math.abs(value - exact) <= error * Math.max(1, Math.abs(exact));
      assert(near || Object.is(value, exact), `${about}: ${value} instead of ${exact} at ${i}`);
    })
  );
}

/**
 * Reductions in programs that are no part of a loop: of axes that are not the last.
 *
 * @module
 */
import { BYTES } from "../../dtype.ts";
import type { ViewCopy } from "../../../kernels/layout/reference.ts";
import { emitCopies } from "../../../kernels/layout/wasm.ts";
import { type ArrayReduction, emitReduction } from "../../../kernels/row_reduce/wasm.ts";
import { integers, type Parameters, type WasmFunction } from "../../../kernels/wasm/code.ts";
import type { ModuleBuilder } from "../../../kernels/wasm/module.ts";
import type { ReduceOp } from "../../op.ts";
import { transposeOp } from "../../ops/layout.ts";
import { extentsAroundAll, sizeOf } from "../../shape.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import type { StepKernel } from "./step_kernel.ts";

/** Nanoseconds per value, about. */
const NS = 0.25;

/** The kernel of a step that reduces; `undefined` of truth values. */
export function reduceKernel(
  { inputs, params, output }: Step,
  { reduce, over }: ReduceOp<unknown>,
  graph: Graph,
): StepKernel | undefined {
  const [x] = inputs as [ValueId];
  const { shape, dtype } = graph.values[x]!;
  if (dtype === "bool" || sizeOf(shape) === 0) return undefined;
  const { axes, divisor } = over(params);
  const around = extentsAroundAll(shape, axes);
  // Axes that are apart are put last.
  const order = [...shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const turned = order.map((axis) => shape[axis]!);
  const copies = around === undefined ? transposeOp.copies([shape], order, turned) : undefined;
  const count = sizeOf(axes.map((axis) => shape[axis]!));
  const { outer, inner } = around ?? { outer: sizeOf(shape) / count, inner: 1 };
  const reduction = { reduce, divisor, dtype, count, inner };
  const bytes = BYTES[dtype];
  return {
    key: JSON.stringify(["reduce", reduction, copies]),
    emit: (module) =>
      copies ? emitApart(module, reduction, copies) : emitReduction(module, reduction),
    scratchBytes: copies ? Math.ceil(sizeOf(shape) * bytes / 64) * 64 : 0,
    slices: copies ? 1 : outer,
    nanoseconds: (copies ? 2 : 1) * sizeOf(shape) * NS,
    calls: ([from, to], { offsets, scratch }) => [[
      offsets.get(output)! + from * inner * bytes,
      offsets.get(x)! + from * count * inner * bytes,
      ...(copies ? [scratch, outer] : [to - from]),
    ]],
  };
}

/** Adds a function that copies to scratch memory and reduces what is there. */
function emitApart(
  module: ModuleBuilder,
  reduction: ArrayReduction,
  copies: readonly ViewCopy[],
): WasmFunction<Parameters, null> {
  const run = emitReduction(module, reduction);
  const size = BYTES[reduction.dtype];
  const turn = emitCopies(module, { size, copies });
  const parameters = integers("out", "data", "scratch", "outer");
  return module.addFunction(parameters, (code, { out, data, scratch, outer }) => {
    code.call(turn, { out: scratch, x0: data });
    code.call(run, { out, data: scratch, outer });
  });
}

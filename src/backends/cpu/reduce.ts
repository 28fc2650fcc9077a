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
import { extentsAroundAll, type Shape, sizeOf, stridesOf } from "../../shape.ts";
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
  const extents = extentsAroundAll(shape, axes);
  const kind = { reduce, divisor, dtype };
  if (extents === undefined) return apartKernel(x, output, shape, kind, axes);
  const { outer, count, inner } = extents;
  const reduction = { ...kind, count, inner };
  const bytes = BYTES[dtype];
  return {
    key: JSON.stringify(["reduce", reduction]),
    emit: (module) => emitReduction(module, reduction),
    scratchBytes: 0,
    slices: outer,
    nanoseconds: sizeOf(shape) * NS,
    calls: ([from, to], { offsets }) => [[
      offsets.get(output)! + from * inner * bytes,
      offsets.get(x)! + from * count * inner * bytes,
      to - from,
    ]],
  };
}

/** Reduces axes that are apart, by putting them last. */
function apartKernel(
  x: ValueId,
  output: ValueId,
  shape: Shape,
  kind: Pick<ArrayReduction, "reduce" | "divisor" | "dtype">,
  axes: readonly number[],
): StepKernel {
  const order = [...shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const strides = stridesOf(shape);
  const turned = order.map((axis) => shape[axis]!);
  const copy: ViewCopy = {
    shape: turned,
    to: { offset: 0, strides: stridesOf(turned) },
    from: { offset: 0, strides: order.map((axis) => strides[axis]!) },
  };
  const count = sizeOf(axes.map((axis) => shape[axis]!));
  const reduction = { ...kind, count, inner: 1 };
  return {
    key: JSON.stringify(["reduce apart", reduction, copy]),
    emit: (module) => emitApart(module, reduction, copy),
    scratchBytes: Math.ceil(sizeOf(shape) * BYTES[kind.dtype] / 64) * 64,
    slices: 1,
    nanoseconds: 2 * sizeOf(shape) * NS,
    calls: (_, { offsets, scratch }) => [[
      offsets.get(output)!,
      offsets.get(x)!,
      scratch,
      sizeOf(shape) / count,
    ]],
  };
}

/** Adds a function that copies to scratch memory and reduces what is there. */
function emitApart(
  module: ModuleBuilder,
  reduction: ArrayReduction,
  copy: ViewCopy,
): WasmFunction<Parameters, null> {
  const run = emitReduction(module, reduction);
  const size = BYTES[reduction.dtype];
  const turn = emitCopies(module, { size, copies: [copy] });
  const parameters = integers("out", "data", "scratch", "outer");
  return module.addFunction(parameters, (code, { out, data, scratch, outer }) => {
    code.call(turn, { out: scratch, x0: data });
    code.call(run, { out, data: scratch, outer });
  });
}

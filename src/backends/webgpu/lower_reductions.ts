/**
 * Reductions over any axes, as kernels.
 *
 * @module
 */
import { copiesPlan } from "../../../kernels/layout/wgsl.ts";
import { planReduction } from "../../../kernels/row_reduce/wgsl.ts";
import { argSortPlan } from "../../../kernels/select/wgsl_sort.ts";
import type { WgslPlan } from "../../../kernels/wgsl/kernel.ts";
import type { Order, ReduceOp } from "../../op.ts";
import { type AxisExtents, extentsAroundAll, type Shape, sizeOf, stridesOf } from "../../shape.ts";
import type { StepContext } from "./lower.ts";

/** A sum, mean, norm or extreme. */
export function planReductionOf(
  reduce: ReduceOp<unknown>["reduce"],
  { axes, divisor }: ReturnType<ReduceOp<unknown>["over"]>,
  context: StepContext,
): WgslPlan {
  const dtype = context.element === "int32" ? "int32" : "float32";
  const { isSoftware } = context;
  return alongAxes(
    axes,
    context,
    (extents) => planReduction({ reduce, divisor, dtype, ...extents }, { isSoftware }),
  );
}

/** The positions of values in order. */
export function planSort({ axes, ...order }: Order, context: StepContext): WgslPlan {
  const [element] = context.elements;
  return alongAxes(axes, context, (extents) => argSortPlan(element!, extents, order));
}

/** The plan of a reduction of a middle axis for others: those that lie apart are moved to the end. */
function alongAxes(
  axes: readonly number[],
  { shapes: [shape], elements: [element] }: StepContext,
  plan: (extents: AxisExtents) => WgslPlan,
): WgslPlan {
  const x = shape!;
  const extents = extentsAroundAll(x, axes);
  if (extents !== undefined) return plan(extents);
  const kept = x.flatMap((_, i) => axes.includes(i) ? [] : [i]);
  const product = (some: readonly number[]): number =>
    sizeOf(some.map((axis) => x[axis]!) as Shape);
  if (sizeOf(x) === 0) return plan({ outer: product(kept), count: product(axes), inner: 1 });
  const order = [...kept, ...axes];
  const [{ kernel: moved }] = copiesPlan("transpose", element!, [{
    shape: order.map((axis) => x[axis]!),
    to: { offset: 0, strides: stridesOf(order.map((axis) => x[axis]!)) },
    from: { offset: 0, strides: order.map((axis) => stridesOf(x)[axis]!) },
  }], order.map((axis) => x[axis]!)).kernels as [WgslPlan["kernels"][number]];
  const rest = plan({ outer: product(kept), count: product(axes), inner: 1 });
  // The operation's buffers are 0 (its input), 1 (its output), and temporaries from 2 on.
  const shift = (buffer: number) => buffer === 0 ? 2 : buffer === 1 ? 1 : buffer + 1;
  return {
    kernels: [
      { kernel: moved, inputs: [0], outputs: [2] },
      ...rest.kernels.map(({ kernel, inputs, outputs }) => ({
        kernel,
        inputs: inputs.map(shift),
        outputs: outputs.map(shift),
      })),
    ],
    temporaries: [sizeOf(x), ...rest.temporaries],
  };
}

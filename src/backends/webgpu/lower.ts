/**
 * Which kernels do a step.
 *
 * @module
 */
import { accumulationPlan } from "../../../kernels/cumulative/wgsl.ts";
import { reductionLoop } from "../../../kernels/elementwise/passes.ts";
import { planLoop } from "../../../kernels/elementwise/wgsl.ts";
import { spaceOver } from "../../../kernels/elementwise/wgsl_space.ts";
import { copiesPlan } from "../../../kernels/layout/wgsl.ts";
import type { Strides } from "../../../kernels/layout/reference.ts";
import type { ProductLayout } from "../../../kernels/matmul/reference.ts";
import { innerProductPlan } from "../../../kernels/matmul/wgsl.ts";
import { categoricalKernel, permutationPlan, samplerKernel } from "../../../kernels/random/wgsl.ts";
import { gatherKernel, scatterPlan, sparseProductPlan } from "../../../kernels/select/wgsl.ts";
import { argSortPlan } from "../../../kernels/select/wgsl_sort.ts";
import {
  planOf,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
} from "../../../kernels/wgsl/kernel.ts";
import type { DType } from "../../dtype.ts";
import type { ProductOp } from "../../op.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { groupOf } from "../../program/loops.ts";
import { extentsAround, sameShape, type Shape, sizeOf } from "../../shape.ts";
import type { Target } from "./engine.ts";
import type { Bound } from "./instructions.ts";
import { inParts, lowerGroup, type RowWalk } from "./lower_loops.ts";

/** Kernels, and the values that their buffers hold. */
export interface Lowered extends WgslPlan {
  /** What is read, then what is written; temporaries are behind. */
  readonly values: readonly ValueId[];
  /** The kernels, and which bytes they see of the values; by default all. */
  readonly kernels: readonly (WgslPlan["kernels"][number] & {
    readonly ranges?: readonly Pick<Bound, "offset" | "bytes">[];
  })[];
}

/** The kernels of a step's operation; `undefined` where the host must do it. */
function emit(
  { op, inputs, params, output }: Step,
  { values }: Graph,
  isSoftware: boolean,
): WgslPlan | WgslKernel | undefined {
  const shapes = inputs.map((id) => values[id]!.shape);
  const [x, y] = shapes as [Shape, Shape];
  const [from, by] = inputs.map((id) => deviceElement(values[id]!.dtype)) as [
    WgslElement,
    WgslElement?,
  ];
  const { shape } = values[output]!;
  const element = deviceElement(values[output]!.dtype);
  switch (op.kind) {
    case "product":
      return innerProductPlan(op, op.layout(shapes, params), !isSoftware);
    case "reduce": {
      const { axes, divisor } = op.over(params);
      const loop = reductionLoop({ reduce: op.reduce, divisor }, element);
      return planLoop(loop, spaceOver(x, axes), { isSoftware });
    }
    case "sort": {
      const { axes, ...order } = op.order(params);
      return argSortPlan(from, x, axes, order);
    }
    case "cumulative": {
      const { axis, reverse } = op.along(params);
      const { combination } = op;
      return accumulationPlan({ combination, element, reverse, ...extentsAround(shape, axis) });
    }
    case "lookup": {
      const { by } = op;
      const axis = op.axis(params);
      const picked = by === "slice" ? sizeOf(y) : y[axis]!;
      return gatherKernel(by, element, extentsAround(x, axis), picked);
    }
    case "scatter": {
      const { name, by, reduce } = op;
      const axis = op.axis(params);
      const picked = by === "slice" ? sizeOf(y) : x[axis]!;
      const around = extentsAround(shape, axis);
      return scatterPlan({ name, by, reduce, element, around, picked });
    }
    case "sparseProduct": {
      const [entries] = x as [number];
      return sparseProductPlan(element, entries, shape as readonly [number, number]);
    }
    case "view":
      return copiesPlan(op.name, element, op.copies(shapes, params, shape), shape);
    case "random":
      if (op.draws === "permutation") return permutationPlan(sizeOf(shape));
      return op.draws === "categorical"
        ? categoricalKernel(shape, y.slice(0, -1), y.at(-1)!)
        : samplerKernel(op.draws, element, sizeOf(shape), y && { element: by!, count: sizeOf(y) });
    case "map":
    case "check":
    case "loop":
    case "opaque":
      return undefined;
  }
}

/** The kernels of a step; `undefined` where there are none, so that the host must do it. */
export function lowerStep(step: Step, graph: Graph, target: Target): Lowered | undefined {
  const { op, inputs, output } = step;
  const values = [...inputs, output];
  const { shape } = graph.values[output]!;
  if (sizeOf(shape) === 0) return { values, kernels: [], temporaries: [] };
  if (op.kind === "map" || op.kind === "check") {
    return lowerGroup(groupOf([step], [output], graph), graph, target);
  }
  const parts = op.kind === "product" ? productParts(op, step, graph, target) : undefined;
  const found = parts ?? emit(step, graph, target.isSoftware);
  return found && { values, ..."kernels" in found ? found : planOf(found) };
}

/** Some rows after the other of a product, or of distances, that is too large to be seen whole. */
function productParts(
  op: ProductOp<unknown>,
  { inputs, output, params }: Step,
  { values }: Graph,
  { largestBinding, isSoftware }: Target,
): WgslPlan | undefined {
  const shapes = [...inputs, output].map((id) => values[id]!.shape);
  const [left, right, all] = shapes.map((shape) => ({ step: 0, width: sizeOf(shape) }));
  const isLarge = ({ width }: RowWalk) => 4 * width > largestBinding;
  if (![left!, right!, all!].some(isLarge)) return undefined;
  const layout = op.layout(shapes.slice(0, 2), params);
  const { outer, m, k, n, a, b, out } = layout;
  if (outer.length > 0) return undefined;
  const lies = (own: Strides, ...strides: number[]) =>
    own.offset === 0 && sameShape(own.strides, strides);
  const plan = (own: Partial<ProductLayout>) =>
    innerProductPlan(op, { ...layout, ...own }, !isSoftware);
  const rowsOf = (width: number) => ({ step: width, width });
  if (lies(a, k, 1) && lies(out, n, 1) && !isLarge(right!)) {
    const walks = [rowsOf(k), right!, rowsOf(n)];
    return inParts(m, walks, largestBinding, (rows) => plan({ m: rows }));
  }
  // Columns are the rows of a product whose result is turned.
  if (!lies(b, 1, k)) return undefined;
  return inParts(n, [left!, rowsOf(k), all!], largestBinding, (columns, first) => {
    const offset = out.offset + first * out.strides[1]!;
    return plan({ n: columns, out: { ...out, offset } });
  });
}

/** What a type is on the device: constants of float64 are narrowed. */
export function deviceElement(dtype: DType): WgslElement {
  return dtype === "float64" ? "float32" : dtype;
}

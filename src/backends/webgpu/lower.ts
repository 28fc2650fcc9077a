/**
 * Which kernels do a step.
 *
 * @module
 */
import { accumulationPlan } from "../../../kernels/cumulative/wgsl.ts";
import { castKernel, copiesPlan } from "../../../kernels/layout/wgsl.ts";
import type { Strides } from "../../../kernels/layout/reference.ts";
import { innerProductPlan } from "../../../kernels/matmul/wgsl.ts";
import { categoricalKernel, permutationPlan, samplerKernel } from "../../../kernels/random/wgsl.ts";
import { planReduction } from "../../../kernels/row_reduce/wgsl.ts";
import { gatherKernel, scatterPlan, sparseProductPlan } from "../../../kernels/select/wgsl.ts";
import { argSortPlan } from "../../../kernels/select/wgsl_sort.ts";
import {
  planOf,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
} from "../../../kernels/wgsl/kernel.ts";
import type { DType } from "../../dtype.ts";
import type { Primitive, ProductOp, RandomOp } from "../../op.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { extentsAround, sameShape, type Shape, sizeOf } from "../../shape.ts";
import type { Target } from "./engine.ts";
import { asGroup, lowerGroup, rowRanges } from "./lower_loops.ts";

/** A stretch of a buffer. */
export interface Range {
  /** The first byte. */
  readonly offset: number;
  readonly bytes: number;
}

/** Kernels that do some rows of a unit, or all. */
export interface Part {
  /** The kernels. Their buffers are what is read, what is written, and temporaries. */
  readonly plan: WgslPlan;
  /** What they see of what is read and written; by default all. */
  readonly ranges?: readonly Range[];
}

/** Kernels, and the values that their buffers hold. */
export interface Lowered {
  /** The kernels, one part after the other. */
  readonly parts: readonly Part[];
  /** What is read. */
  readonly reads: readonly ValueId[];
  /** What is written. */
  readonly writes: readonly ValueId[];
}

/** What the kernels of a step depend on. */
export interface StepContext {
  /** Shapes of the inputs. */
  readonly shapes: readonly Shape[];
  /** Types of the inputs. */
  readonly elements: readonly WgslElement[];
  /** The shape of the output. */
  readonly shape: Shape;
  /** The type of the output. */
  readonly element: WgslElement;
  /** The step's parameters. */
  readonly params: unknown;
  /** Whether the processor plays the graphics card: there, workgroups share no tiles. */
  readonly isSoftware: boolean;
}

/** The kernels of a step's operation; `undefined` where the host must do it. */
function emit(op: Primitive<unknown>, context: StepContext): WgslPlan | WgslKernel | undefined {
  const { shapes, elements, shape, element, params, isSoftware } = context;
  const [x, y] = shapes as [Shape, Shape];
  switch (op.kind) {
    case "product":
      return innerProductPlan(op, op.layout(shapes, params), !isSoftware);
    case "reduce": {
      const dtype = element === "int32" ? "int32" : "float32";
      const reduction = { reduce: op.reduce, dtype, shape: x, ...op.over(params) } as const;
      return planReduction(reduction, { isSoftware });
    }
    case "sort": {
      const { axes, ...order } = op.order(params);
      return argSortPlan(elements[0]!, x, axes, order);
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
      return scatterPlan({
        ...{ name, by, reduce, element, around: extentsAround(shape, axis), picked },
      });
    }
    case "sparseProduct": {
      const [entries] = x as [number];
      return sparseProductPlan(element, entries, shape as readonly [number, number]);
    }
    case "view":
      return copiesPlan(op.name, element, op.copies(shapes, params, shape), shape);
    case "map":
    case "check":
      return castKernel(elements[0]!, element, sizeOf(shape));
    case "random":
      return emitDraws(op.draws, context);
    case "loop":
    case "opaque":
      return undefined;
  }
}

/** The kernels of a sampler. */
function emitDraws(
  draws: RandomOp<unknown>["draws"],
  { shapes: [, given], elements: [, type], shape, element }: StepContext,
): WgslPlan | WgslKernel {
  const count = sizeOf(shape);
  switch (draws) {
    case "categorical":
      return categoricalKernel(shape, given!.slice(0, -1), given!.at(-1)!);
    case "permutation":
      return permutationPlan(count);
    default:
      return samplerKernel(
        draws,
        element,
        count,
        given && { element: type!, count: sizeOf(given) },
      );
  }
}

/** The kernels of a step; `undefined` where there are none, so that the host must do it. */
export function lowerStep(
  step: Step,
  graph: Graph,
  literals: ReadonlyMap<ValueId, number>,
  target: Target,
): Lowered | undefined {
  const { op, inputs, output, params } = step;
  const elementOf = (id: ValueId) => deviceElement(graph.values[id]!.dtype);
  const { shape } = graph.values[output]!;
  const made = { reads: inputs, writes: [output] };
  if (sizeOf(shape) === 0) return { ...made, parts: [] };
  const specs = inputs.map((id) => graph.values[id]!);
  const isLoop = op.kind === "map" &&
    op.refuses?.(specs, params, graph.values[output]!) === undefined;
  if (isLoop) return lowerGroup(asGroup(step, graph), graph, literals, target);
  const context = {
    shapes: specs.map((spec) => spec.shape),
    elements: inputs.map(elementOf),
    shape,
    element: elementOf(output),
    params,
    isSoftware: target.isSoftware,
  };
  const found = emit(op, context);
  if (found === undefined) return undefined;
  const parts = op.kind === "product" ? productParts(op, context, target) : undefined;
  return { ...made, parts: parts ?? [{ plan: "kernels" in found ? found : planOf(found) }] };
}

/** Some rows after the other of a product, or of distances, that is too large to be seen whole. */
function productParts(
  op: ProductOp<unknown>,
  { shapes, shape, params, isSoftware }: StepContext,
  { largestBinding }: Target,
): Part[] | undefined {
  const [left, right, all] = [...shapes, shape].map((own) => ({
    offset: 0,
    bytes: 4 * sizeOf(own),
  }));
  if ([left!, right!, all!].every(({ bytes }) => bytes <= largestBinding)) return undefined;
  const layout = op.layout(shapes, params);
  const { outer, m, k, n, a, b, out } = layout;
  if (outer.length > 0) return undefined;
  const lies = (own: Strides, ...strides: number[]) =>
    own.offset === 0 && sameShape(own.strides, strides);
  if (lies(a, k, 1) && lies(out, n, 1) && right!.bytes <= largestBinding) {
    return rowRanges(m, 4 * Math.max(k, n), largestBinding)?.map(([first, rows]) => ({
      plan: innerProductPlan(op, { ...layout, m: rows }, !isSoftware),
      ranges: [
        { offset: 4 * first * k, bytes: 4 * rows * k },
        right!,
        { offset: 4 * first * n, bytes: 4 * rows * n },
      ],
    }));
  }
  // Columns are the rows of a product whose result is turned.
  if (!lies(b, 1, k)) return undefined;
  return rowRanges(n, 4 * k, largestBinding)?.map(([first, columns]) => ({
    plan: innerProductPlan(
      op,
      { ...layout, n: columns, out: { ...out, offset: out.offset + first * out.strides[1]! } },
      !isSoftware,
    ),
    ranges: [left!, { offset: 4 * first * k, bytes: 4 * columns * k }, all!],
  }));
}

/** What a type is on the device: constants of float64 are narrowed. */
export function deviceElement(dtype: DType): WgslElement {
  return dtype === "float64" ? "float32" : dtype;
}

/**
 * Which kernels do a step.
 *
 * @module
 */
import { lgammaKernel, polygammaKernel } from "../../../kernels/gamma/wgsl.ts";
import type { Argument, CountOptions } from "../../../kernels/negative_binomial/reference.ts";
import { negativeBinomialKernel } from "../../../kernels/negative_binomial/wgsl.ts";
import {
  broadcastToKernel,
  castKernel,
  concatPlan,
  padKernel,
  sliceKernel,
  transposeKernel,
} from "../../../kernels/layout/wgsl.ts";
import { matmulPlan } from "../../../kernels/matmul/wgsl.ts";
import { squaredDistancesKernel } from "../../../kernels/pairwise_distance/wgsl.ts";
import {
  bernoulliKernel,
  categoricalKernel,
  foldInKernel,
  normalKernel,
  permutationPlan,
  uniformKernel,
} from "../../../kernels/random/wgsl.ts";
import {
  gatherKernel,
  putAlongAxisPlan,
  scatterAddPlan,
  takeAlongAxisKernel,
} from "../../../kernels/select/wgsl.ts";
import { argSortPlan, type WgslAround } from "../../../kernels/select/wgsl_sort.ts";
import {
  planOf,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
} from "../../../kernels/wgsl/kernel.ts";
import type { DType } from "../../dtype.ts";
import { checkMaskOp, toIntegersOp } from "../../labels.ts";
import { type Block, concatOp, padOp, sliceOp } from "../../ops/join.ts";
import { lgammaOp, polygammaOp } from "../../ops/exponential.ts";
import { negativeBinomialOp, negativeBinomialSlopeOp } from "../../ops/negative_binomial.ts";
import { broadcastToOp, castOp, transposeOp } from "../../ops/layout.ts";
import { matmulOp, pairwiseSquaredDistanceOp } from "../../ops/linalg.ts";
import { maxOp, meanOp, minOp, normOp, sumOp } from "../../ops/reduce.ts";
import { argMaxOp, argMinOp } from "../../ops/arg_reduce.ts";
import { gatherOp, putAlongAxisOp, scatterAddOp, takeAlongAxisOp } from "../../ops/select.ts";
import { argSortOp, type SortParams } from "../../ops/sort.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { type Transposed, transposedMatmulOp } from "../../program/passes/transposed_matmul.ts";
import {
  bernoulliOp,
  categoricalOp,
  foldInOp,
  normalOp,
  permutationOp,
  uniformOp,
} from "../../random/ops.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import type { Target } from "./engine.ts";
import { asGroup, lowerGroup, rowRanges } from "./lower_loops.ts";
import { planArgExtreme, planReductionOf } from "./lower_reductions.ts";

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

type Emit = (context: StepContext) => WgslPlan | WgslKernel;

/** The kernels of the operations that are more than loops over elements. */
const EMITTERS: ReadonlyMap<unknown, Emit> = new Map<unknown, Emit>([
  [matmulOp, (c) => planMatmul(c, { a: false, b: false })],
  [transposedMatmulOp, (c) => planMatmul(c, c.params as Transposed)],
  [
    pairwiseSquaredDistanceOp,
    ({ shapes: [x], shape, isSoftware }) =>
      squaredDistancesKernel(shape[0]!, shape[1]!, x![1]!, { tiled: !isSoftware }),
  ],
  [sumOp, (c) => planReductionOf("sum", c)],
  [meanOp, (c) => planReductionOf("mean", c)],
  [normOp, (c) => planReductionOf("norm", c)],
  [maxOp, (c) => planReductionOf("max", c)],
  [minOp, (c) => planReductionOf("min", c)],
  [argMaxOp, (c) => planArgExtreme(true, c)],
  [argMinOp, (c) => planArgExtreme(false, c)],
  [argSortOp, ({ shapes: [x], elements: [element], params }) => {
    const { axis, descending, kept } = params as SortParams;
    return argSortPlan(element!, around(x!, axis), { descending, kept });
  }],
  [
    gatherOp,
    ({ shapes: [x, indices], element, params }) =>
      gatherKernel(element, around(x!, params as number), sizeOf(indices!)),
  ],
  [
    scatterAddOp,
    ({ shapes: [x, indices], element, params }) =>
      scatterAddPlan(element, around(x!, params as number), sizeOf(indices!)),
  ],
  [
    takeAlongAxisOp,
    ({ shapes: [x, indices], element, params }) =>
      takeAlongAxisKernel(element, around(x!, params as number), indices![params as number]!),
  ],
  [putAlongAxisOp, ({ shapes: [x], shape, element, params }) => {
    const { axis } = params as { axis: number };
    return putAlongAxisPlan(element, around(shape, axis), x![axis]!);
  }],
  [
    transposeOp,
    ({ shapes: [x], element, params }) => transposeKernel(element, x!, params as readonly number[]),
  ],
  [broadcastToOp, ({ shapes: [x], shape, element }) => broadcastToKernel(element, x!, shape)],
  [concatOp, ({ shapes, element, params }) => concatPlan(element, shapes, params as number)],
  [
    sliceOp,
    ({ shapes: [x], shape, element, params }) =>
      sliceKernel(element, x!, (params as Block).start, shape),
  ],
  [
    padOp,
    ({ shapes: [x], shape, element, params }) =>
      padKernel(element, x!, (params as Block).start, shape),
  ],
  [castOp, castOf],
  [toIntegersOp, castOf],
  [checkMaskOp, castOf],
  [lgammaOp, ({ shape }) => lgammaKernel(sizeOf(shape))],
  [polygammaOp, ({ shape, params }) => polygammaKernel(params as number, sizeOf(shape))],
  [
    negativeBinomialOp,
    ({ shape, params }) => negativeBinomialKernel("value", params as CountOptions, sizeOf(shape)),
  ],
  [negativeBinomialSlopeOp, ({ shape, params }) => {
    const options = params as CountOptions & { by: Argument };
    return negativeBinomialKernel(options.by, options, sizeOf(shape));
  }],
  [foldInOp, () => foldInKernel()],
  [uniformOp, ({ shape }) => uniformKernel(sizeOf(shape))],
  [normalOp, ({ shape }) => normalKernel(sizeOf(shape))],
  [bernoulliOp, ({ shapes: [, p], shape }) => bernoulliKernel(sizeOf(shape), sizeOf(p!))],
  [
    categoricalOp,
    ({ shapes: [, logits], shape }) =>
      categoricalKernel(shape, logits!.slice(0, -1), logits!.at(-1)!),
  ],
  [permutationOp, ({ shape }) => permutationPlan(shape[0]!)],
]);

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
  const emit = EMITTERS.get(op);
  if (emit === undefined) {
    return op.expression === undefined
      ? undefined
      : lowerGroup(asGroup(step, graph), graph, literals, target);
  }
  const context = {
    shapes: inputs.map((id) => graph.values[id]!.shape),
    elements: inputs.map(elementOf),
    shape,
    element: elementOf(output),
    params,
    isSoftware: target.isSoftware,
  };
  const plan = (own: StepContext) => {
    const found = emit(own);
    return "kernels" in found ? found : planOf(found);
  };
  return { ...made, parts: productParts(step, context, target, plan) ?? [{ plan: plan(context) }] };
}

/** Some rows after the other of a product, or of distances, that is too large to be seen whole. */
function productParts(
  { op, params }: Step,
  context: StepContext,
  { largestBinding }: Target,
  plan: (context: StepContext) => WgslPlan,
): Part[] | undefined {
  const { shapes, shape } = context;
  const isProduct = op as unknown === matmulOp || op as unknown === pairwiseSquaredDistanceOp ||
    (op as unknown === transposedMatmulOp && !(params as Transposed).a);
  const fits = [...shapes, shape].every((own) => 4 * sizeOf(own) <= largestBinding);
  if (!isProduct || fits || shapes.some((own) => own.length !== 2)) return undefined;
  const [[m, k], b] = shapes as [readonly [number, number], Shape];
  const [n, bytes] = [shape[1]!, 4 * sizeOf(b)];
  return rowRanges(m, 4 * Math.max(k, n), largestBinding)?.map(([first, rows]) => ({
    plan: plan({ ...context, shapes: [[rows, k], b], shape: [rows, n] }),
    ranges: [
      { offset: 4 * first * k, bytes: 4 * rows * k },
      { offset: 0, bytes },
      { offset: 4 * first * n, bytes: 4 * rows * n },
    ],
  }));
}

/** What a type is on the device: constants of float64 are narrowed. */
export function deviceElement(dtype: DType): WgslElement {
  return dtype === "float64" ? "float32" : dtype;
}

function planMatmul({ shapes, shape, isSoftware }: StepContext, transposed: Transposed): WgslPlan {
  const [a, b] = shapes as [Shape, Shape];
  const k = a.at(transposed.a ? -2 : -1)!;
  return matmulPlan(shape.at(-2)!, k, shape.at(-1)!, {
    tiled: !isSoftware,
    transposeA: transposed.a,
    transposeB: transposed.b,
    batchA: a.slice(0, -2),
    batchB: b.slice(0, -2),
  });
}

function castOf({ elements: [from], element, shape }: StepContext): WgslKernel {
  return castKernel(from!, element, sizeOf(shape));
}

function around(shape: Shape, axis: number): WgslAround {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    count: shape[axis]!,
    inner: sizeOf(shape.slice(axis + 1)),
  };
}

/**
 * Looks for forbidden numbers in the loops that read them anyway: what is left of a check looks at one
 * flag, and at the numbers only where there is something to tell.
 *
 * @module
 */
import type { Primitive, Spec } from "../../op.ts";
import { type Elementwise, elementwise } from "../../ops/elementwise.ts";
import { type Axes, maxOp } from "../../ops/reduce.ts";
import { sameShape, sizeOf } from "../../shape.ts";
import { type Graph, GraphBuilder, type Step, type ValueId } from "../graph.ts";

/** Fewer numbers than this are looked at one by one. */
const FEW = 1024;

/** The graph with a flag for each row before every check of many numbers. */
export function guardChecks(graph: Graph): Graph {
  const builder = new GraphBuilder(graph);
  for (const step of graph.steps) {
    const measure = measureOf(step, graph);
    if (measure === undefined) builder.steps.push(step);
    else {
      const x = step.inputs[0]!;
      const distance = builder.add(measure.op, [x], measure.params);
      const rows = builder.add(maxOp, [distance], axesLike(x, graph));
      const most = builder.add(maxOp, [rows], allAxes(builder.values[rows]!));
      const flag = builder.add(exceedsOp, [most], [measure.bound]);
      builder.add(guarded(step.op), [...step.inputs, flag], step.params, step.output);
    }
  }
  return builder.build();
}

/** How far out a number is, and from where on it may be out of range. */
interface Measure {
  op: Elementwise;
  params: readonly number[];
  bound: number;
}

/** The measure of the numbers that a check refuses; `undefined` where it looks at them one by one. */
function measureOf({ op, inputs, params, output }: Step, graph: Graph): Measure | undefined {
  const specs = inputs.map((id) => graph.values[id]!);
  const { shape, dtype } = specs[0]!;
  if (op.kind !== "check" || sizeOf(shape) < FEW || !dtype.startsWith("float")) return undefined;
  const { forbidden } = op.refuses!(specs, params, graph.values[output]!)!;
  if (forbidden.kind !== "outside" || forbidden.except !== undefined) return undefined;
  const { low, high } = forbidden;
  if (low === -Infinity) return { op: MEASURES.above, params: [high], bound: 0 };
  if (high === Infinity) return { op: MEASURES.below, params: [low], bound: 0 };
  if (high - low > LARGE) return { op: MEASURES.outside, params: [low, high], bound: 0 };
  const half = (high - low) / 2;
  return { op: MEASURES.away, params: [low + half], bound: half * (1 - ROUNDING) };
}

/** Intervals beyond this have no middle in single precision. */
const LARGE = 1e30;

/** What single precision may take off a distance. */
const ROUNDING = 2 ** -20;

/** Measures by where numbers must not be; NaN is NaN. What a mask leaves out counts, as a hint may. */
const MEASURES = {
  above: elementwise("measure", "a - p", null),
  below: elementwise("measure", "p - a", null),
  away: elementwise("measure", "abs(a - p)", null),
  outside: elementwise("measure", "a < p ? 1 : (q < a ? 1 : a * 0)", null),
};

/** 1 where a measure is beyond its bound or NaN, else 0. */
const exceedsOp = elementwise("exceeds", "a <= p ? 0 : 1", null);

/** The axes of a reduction that goes over the same numbers already; else all. */
function axesLike(id: ValueId, graph: Graph): Axes {
  const own = graph.values[id]!;
  for (const { op, inputs, params } of graph.steps) {
    if (op.kind !== "reduce" || !sameShape(graph.values[inputs[0]!]!.shape, own.shape)) continue;
    return { axes: op.over(params).axes, keepDims: false };
  }
  return allAxes(own);
}

function allAxes({ shape }: Spec): Axes {
  return { axes: shape.map((_, i) => i), keepDims: false };
}

const known = new WeakMap<Primitive<unknown>, Primitive<unknown>>();

/** The check as it is where the last input, the flag, says that there is something to find. */
function guarded(op: Primitive<unknown>): Primitive<unknown> {
  const found: Primitive<unknown> = known.get(op) ?? {
    ...op,
    forward: (inputs, params, spec) =>
      inputs.at(-1)!.data[0] === 0
        ? inputs[0]!.data
        : op.forward(inputs.slice(0, -1), params, spec),
    refuses: (inputs, params, output) => ({
      ...op.refuses!(inputs.slice(0, -1), params, output)!,
      flag: inputs.length - 1,
    }),
  };
  known.set(op, found);
  return found;
}

/**
 * Looks for forbidden numbers in the loops that read them anyway: what is left of a check looks at one
 * flag, and at the numbers only where there is something to tell.
 *
 * @module
 */
import { floorToSingle, isFloating } from "../../dtype.ts";
import type { Primitive, Spec } from "../../op.ts";
import { type Elementwise, elementwise } from "../../ops/elementwise.ts";
import { type Axes, maxOp } from "../../ops/reduce.ts";
import { sameShape, sizeOf } from "../../shape.ts";
import { type Graph, refusalOf, rewriteSteps, type Step, type ValueId } from "../graph.ts";

/** Fewer numbers than this are looked at one by one. */
const FEW = 1024;

/** The graph with a flag for each row before every check of many numbers. */
export function guardChecks(graph: Graph): Graph {
  return rewriteSteps(graph, (step, builder) => {
    const { op, inputs: [x], params, output } = step;
    const range = rangeOf(step, graph);
    if (range === undefined) return step;
    const { low, high } = range;
    const distance = builder.add(measureOf(low, high), [x!], [low, high]);
    const rows = builder.add(maxOp, [distance], axesLike(x!, graph));
    const most = builder.add(maxOp, [rows], allAxes(builder.values[rows]!));
    const flag = builder.add(exceedsOp, [most], []);
    return builder.add(guarded(op), [...step.inputs, flag], params, output);
  });
}

/** What a check lets pass of many numbers; `undefined` where it looks at them one by one. */
function rangeOf(step: Step, graph: Graph): { low: number; high: number } | undefined {
  if (step.op.kind !== "check") return undefined;
  const { shape, dtype } = graph.values[step.inputs[0]!]!;
  if (sizeOf(shape) < FEW || !isFloating(dtype)) return undefined;
  const { forbidden } = refusalOf(step, graph)!;
  if (forbidden.kind !== "outside" || forbidden.except !== undefined) return undefined;
  const { low, high } = forbidden;
  return dtype === "float64" ? forbidden : { low: -floorToSingle(-low), high: floorToSingle(high) };
}

/** How far out a number is; NaN is NaN. What a mask leaves out counts, as a hint may. */
const aboveOp = elementwise("measure", "a - q", null);
const belowOp = elementwise("measure", "p - a", null);
const outsideOp = elementwise("measure", "max(p - a, a - q)", null);
/** The same, and faster, of bounds so far apart that no product vanishes. */
const apartOp = elementwise("measure", "(a - p) * (a - q)", null);

function measureOf(low: number, high: number): Elementwise {
  if (low === -Infinity) return aboveOp;
  if (high === Infinity) return belowOp;
  return high - low >= 1 ? apartOp : outsideOp;
}

/** 1 where a number is positive or NaN, else 0. */
const exceedsOp = elementwise("exceeds", "a <= 0 ? 0 : 1", null);

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

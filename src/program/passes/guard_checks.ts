/**
 * Looks for forbidden numbers in the loops that read them anyway: what is left of a check looks at one
 * flag, and at the numbers only where there is something to tell.
 *
 * @module
 */
import type { Forbidden, Primitive, Spec } from "../../op.ts";
import { type Elementwise, elementwise } from "../../ops/elementwise.ts";
import { type Axes, maxOp, minOp, sumOp } from "../../ops/reduce.ts";
import { sameShape, sizeOf } from "../../shape.ts";
import type { Graph, Step, ValueId } from "../graph.ts";

/** Fewer numbers than this are looked at one by one. */
const FEW = 1024;

/** The graph with a flag for each row before every check of many numbers. */
export function guardChecks(graph: Graph): Graph {
  const values = [...graph.values];
  const add = (op: Primitive<never>, inputs: ValueId[], params: unknown): Step => {
    const given = inputs.map((id) => values[id]!);
    const output = values.push(op.infer(given as never, params as never)) - 1;
    return { op: op as Primitive<unknown>, inputs, params, output };
  };
  const steps = graph.steps.flatMap((step) => {
    const flag = flagOf(step, graph);
    if (flag === undefined) return [step];
    const [{ low, high }, op] = flag;
    const marked = add(op, [...step.inputs], [low, high]);
    const rows = add(maxOp, [marked.output], axesLike(step.inputs[0]!, graph));
    const any = add(maxOp, [rows.output], allAxes(values[rows.output]!));
    const guard = { ...step, op: guarded(step.op), inputs: [...step.inputs, any.output] };
    return [marked, rows, any, guard];
  });
  return { ...graph, values, steps };
}

type Limits = Forbidden & { kind: "outside" };

/** What marks the numbers that a check refuses; `undefined` where it looks at them one by one. */
function flagOf(
  { op, inputs, params, output }: Step,
  graph: Graph,
): [Limits, Elementwise] | undefined {
  const specs = inputs.map((id) => graph.values[id]!);
  const { shape, dtype } = specs[0]!;
  if (!op.isCheck || sizeOf(shape) < FEW || !dtype.startsWith("float")) return undefined;
  const forbidden = op.refuses!(specs, params, graph.values[output]!)!.forbidden;
  if (forbidden.kind !== "outside" || forbidden.except !== undefined) return undefined;
  return [forbidden, MARKS[`${forbidden.nan ?? false} ${inputs.length > 1}`]!];
}

/** Marks of what is out of range, by whether NaN is, and whether a mask says what counts. */
const MARKS: Readonly<Record<string, Elementwise>> = Object.fromEntries(
  [false, true].flatMap((nan) =>
    [false, true].map((masked) => {
      const outside = nan ? "a == a ? (a < p ? 1 : q < a) : 1" : "a < p ? 1 : q < a";
      const expression = masked ? `b == 0 ? 0 : (${outside})` : outside;
      return [`${nan} ${masked}`, elementwise("outside", expression, null)];
    })
  ),
);

/** The axes of a reduction that goes over the same numbers already; else all. */
function axesLike(id: ValueId, graph: Graph): Axes {
  const own = graph.values[id]!;
  const reductions: readonly unknown[] = [sumOp, maxOp, minOp];
  const found = graph.steps.find(({ op, inputs }) =>
    reductions.includes(op) && sameShape(graph.values[inputs[0]!]!.shape, own.shape)
  );
  return found === undefined ? allAxes(own) : { ...found.params as Axes, keepDims: false };
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

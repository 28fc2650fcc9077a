/**
 * Drops steps that change nothing: exact for every value, NaN, infinities and −0 included.
 *
 * @module
 */
import { sameShape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { divOp, mulOp, negOp, powConstantOp, subOp } from "../../ops/arithmetic.ts";
import { stopGradientOp } from "../../ops/gradient.ts";
import { broadcastToOp, castOp, reshapeOp, transposeOp } from "../../ops/layout.ts";
import { sumOp } from "../../ops/reduce.ts";
import { type Graph, replaceValues, type Step, type ValueId } from "../graph.ts";

/** The graph without steps whose result is one of their inputs, and with chains of layouts joined. */
export function simplifySteps(graph: Graph): Graph {
  const replaced = new Map<ValueId, ValueId>();
  const makers = new Map<ValueId, Step>();
  const steps: Step[] = [];
  for (const given of graph.steps) {
    const inputs = given.inputs.map((id) => replaced.get(id) ?? id);
    const step = join({ ...given, inputs }, makers);
    const same = unchanged(step, graph, makers);
    if (same !== undefined) replaced.set(step.output, same);
    else {
      steps.push(step);
      makers.set(step.output, step);
    }
  }
  return replaceValues({ ...graph, steps }, replaced);
}

/** The input that the step's result is the same as, if there is one. */
function unchanged(
  { op, inputs, params, output }: Step,
  graph: Graph,
  makers: ReadonlyMap<ValueId, Step>,
): ValueId | undefined {
  const [a, b] = inputs as [ValueId, ValueId | undefined];
  const result = graph.values[output]!;
  const like = (id: ValueId) =>
    sameShape(graph.values[id]!.shape, result.shape) && graph.values[id]!.dtype === result.dtype;
  const isNumber = (id: ValueId | undefined, value: number) =>
    id !== undefined && holds(graph.constants.get(id), value);
  const is = (...ops: readonly unknown[]) => ops.includes(op);

  if (is(stopGradientOp, reshapeOp, broadcastToOp, castOp) && like(a)) return a;
  if (is(sumOp) && (params as { axes: unknown[] }).axes.length === 0) return a;
  if (is(powConstantOp) && (params as number[])[0] === 1) return a;
  if (is(transposeOp) && (params as number[]).every((axis, i) => axis === i)) return a;
  if (is(mulOp, divOp) && isNumber(b, 1) && like(a)) return a;
  if (is(mulOp) && isNumber(a, 1) && like(b!)) return b;
  if (is(subOp) && isNumber(b, 0) && like(a)) return a;
  if (is(negOp) && makers.get(a)?.op === negOp) return makers.get(a)!.inputs[0];
  return undefined;
}

/** A reshape of a reshape as one, and a transpose of a transpose. */
function join(step: Step, makers: ReadonlyMap<ValueId, Step>): Step {
  const before = makers.get(step.inputs[0]!);
  if (before?.op !== step.op) return step;
  if (step.op === reshapeOp) return { ...step, inputs: before.inputs };
  if (step.op === transposeOp) {
    const axes = before.params as readonly number[];
    const params = (step.params as readonly number[]).map((axis) => axes[axis]!);
    return { ...step, inputs: before.inputs, params };
  }
  return step;
}

/** Whether all values of a constant are this number; `-0` is not 0. */
function holds(constant: Tensor | undefined, value: number): boolean {
  return constant !== undefined && constant.size > 0 &&
    constant.data.every((entry) => Object.is(entry, value));
}

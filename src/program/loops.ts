/**
 * Groups of steps as loops: what each computes, and how it walks over memory.
 *
 * @module
 */
import {
  type Expression,
  parseExpression,
  substitute,
} from "../../kernels/elementwise/expression.ts";
import {
  hoistLogarithms,
  type LoopOperand,
  type LoopSpec,
  withTemporaries,
} from "../../kernels/elementwise/passes.ts";
import { BYTES, type DType } from "../dtype.ts";
import type { Strides } from "../../kernels/layout/reference.ts";
import { isTiled } from "../../kernels/layout/tiles.ts";
import type { ReduceOp } from "../op.ts";
import type { Scalars } from "../ops/elementwise.ts";
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import type { Group } from "./passes/fuse.ts";
import { keyOf, type LoopPlan, planLoop, strip, type Work, workOf } from "./passes/loop_plan.ts";
import { type Source, sourceOf } from "./passes/views.ts";
import {
  type AxisRange,
  isTurned,
  type IterationSpace,
  iterationSpace,
  type OperandWalk,
} from "./space.ts";

/** A group as a loop. */
export interface GroupLoop {
  /** What it computes. */
  spec: LoopSpec;
  /** The positions that it visits, the axes that it reduces, and how operands lie along all. */
  shape: Shape;
  reduced: AxisRange | undefined;
  reads: readonly Strides[];
  /** How it walks over its operands. */
  space: IterationSpace;
  /** The values that it reads, in the order of the specification's operands. */
  inputs: readonly ValueId[];
  /** The values that it writes, in the order of the specification's stores. */
  outputs: readonly ValueId[];
}

/** The loop of a group. */
export function loopOf(group: Group, graph: Graph): GroupLoop {
  const { shape, dtype = "float32", reduced, steps, levels, uses, outputs } = group;
  const numbers = uniformReads(group, graph);
  const reads = [...group.reads.values()].filter(({ root }) => !numbers.has(root));
  const space = iterationSpace(shape, reads, reduced);
  const dtypeOf = (id: ValueId) => graph.values[id]!.dtype;
  const names = operandNames(reads);
  const valueOf = (read: Source): Expression => {
    const value = numbers.get(read.root);
    if (value !== undefined) return { kind: "number", value };
    return { kind: "name", name: names.get(keyOf(read)) ?? nameOf(read.root) };
  };
  const known = new Map<string, string>();
  const spec: LoopSpec = {
    float: dtype,
    columns: space.columns,
    over: space.over,
    operands: reads.map((read, i) =>
      operandOf(read, space.operands[i]!, space, dtypeOf(read.root), names)
    ),
    body: steps.map((step) =>
      onlyOnce(statementOf(step, uses.get(step)!.map(valueOf), group, graph), known)
    ),
    stores: outputs.map((id) => ({
      name: nameOf(id),
      dtype: dtypeOf(id),
      moves: levels.get(id)!.moves,
    })),
  };
  const inputs = reads.map(({ root }) => root);
  return { spec: hoistLogarithms(spec), shape, reduced, reads, space, inputs, outputs };
}

/** What is read, and how it changes along a row, or along what is reduced. */
function operandOf(
  read: Source,
  walk: OperandWalk,
  space: IterationSpace,
  dtype: DType,
  names: ReadonlyMap<string, string>,
): LoopOperand {
  const { along, step } = walk;
  const { over } = space;
  const { lookup } = read;
  return {
    name: names.get(keyOf(read))!,
    dtype,
    moves: (over !== "column" && along !== 0) || (over !== "row" && step !== 0),
    along,
    turned: lookup === undefined && isTurned(walk, space) && isTiled(BYTES[dtype]),
    lookup: lookup && { positions: names.get(keyOf(lookup))!, step: lookup.step },
  };
}

/** Steps over the same positions as a group; integers, too. */
export function groupOf(
  steps: readonly Step[],
  outputs: readonly ValueId[],
  graph: Graph,
): Group {
  const works = new Map(steps.map((step): [Step, Work] => {
    const own = strip(graph.values[step.output]!.shape);
    return [step, workOf(step, graph) ?? { shape: own, dtype: undefined, reduced: undefined }];
  }));
  const view = { graph, works, sourceOf: (id: ValueId) => sourceOf(id, graph) };
  return { ...planLoop(steps, works.get(steps[0]!)!.shape, view)!, outputs };
}

/** Constants that are the same number everywhere, but for those that are reduced, and positions. */
function uniformReads(plan: LoopPlan, graph: Graph): Map<ValueId, number> {
  const { steps, uses } = plan;
  const reads = [...plan.reads.values()];
  const reduced = new Set([
    ...steps.flatMap((step) =>
      step.op.kind === "reduce" ? uses.get(step)!.map(({ root }) => root) : []
    ),
    ...reads.flatMap(({ lookup }) => lookup ? [lookup.root] : []),
  ]);
  return new Map(reads.flatMap(({ root }) => {
    const constant = graph.constants.get(root);
    const value = constant && !reduced.has(root) ? uniformValue(constant) : undefined;
    return value === undefined ? [] : [[root, value] as const];
  }));
}

const UNIFORM = new WeakMap<Tensor, number | null>();

/** The number that all values of a constant are. */
export function uniformValue(constant: Tensor): number | undefined {
  let known = UNIFORM.get(constant);
  if (known === undefined) {
    const { data } = constant;
    known = data.every((value) => Object.is(value, data[0])) ? data[0] ?? null : null;
    UNIFORM.set(constant, known);
  }
  return known ?? undefined;
}

/** The loop of a group, with places for what would otherwise be computed more than once. */
export function keepingLoopOf(group: Group, graph: Graph): GroupLoop {
  const loop = loopOf(group, graph);
  return { ...loop, spec: withTemporaries(loop.spec) };
}

/** A statement, or the name of an equal reduction that there is. */
function onlyOnce(
  statement: LoopSpec["body"][number],
  known: Map<string, string>,
): LoopSpec["body"][number] {
  if (!("reduce" in statement)) return statement;
  const { name, reduce, of, divisor } = statement;
  const key = `${reduce} ${of} ${divisor}`;
  const found = known.get(key);
  if (found !== undefined) return { name, expression: { kind: "name", name: found } };
  known.set(key, name);
  return statement;
}

/** What a step does with values of these names. */
function statementOf(
  step: Step,
  values: readonly Expression[],
  { levels }: LoopPlan,
  graph: Graph,
): LoopSpec["body"][number] {
  const { op, output } = step;
  const name = nameOf(output);
  const [first] = values;
  if (op.kind === "reduce" && levels.get(output)!.reduces && first!.kind === "name") {
    return { name, reduce: op.reduce, of: first!.name, divisor: op.over(step.params).divisor };
  }
  return { name, expression: expressionOf(step, values), dtype: graph.values[output]!.dtype };
}

function nameOf(id: ValueId): string {
  return `v${id}`;
}

/** A name for each way of reading a value. */
function operandNames(reads: readonly Source[]): Map<string, string> {
  const seen = new Set<ValueId>();
  return new Map(reads.map((read, i) => {
    const name = seen.has(read.root) ? `${nameOf(read.root)}as${i}` : nameOf(read.root);
    seen.add(read.root);
    return [keyOf(read), name];
  }));
}

/** What a single value is reduced to: sums start at 0, so that of −0 alone is 0. */
const ALONE: Readonly<Record<ReduceOp<unknown>["reduce"], string>> = {
  sum: "a + 0",
  mean: "(a + 0) / p",
  norm: "abs(a) / q",
  max: "a",
  min: "a",
};

/** The expression of a step in terms of its inputs, with its parameters as numbers. */
function expressionOf({ op, params }: Step, inputs: readonly Expression[]): Expression {
  if (op.kind !== "map" && op.kind !== "reduce") return inputs[0]!;
  const { divisor = 1 } = op.kind === "reduce" ? op.over(params) : {};
  const given = Array.isArray(params) ? params as Scalars : [];
  const scalars = op.kind === "reduce" ? [divisor, Math.sqrt(divisor)] : given;
  const values: Record<string, Expression> = {};
  inputs.forEach((input, i) => values["abc"[i]!] = input);
  scalars.forEach((value, i) => values["pq"[i]!] = { kind: "number", value });
  const text = op.kind === "reduce" ? ALONE[op.reduce] : op.expression;
  return multiplied(substitute(parseExpression(text), values));
}

/** Divisions by powers of two as the products that they are to the bit, and faster. */
function multiplied(e: Expression): Expression {
  if (e.kind !== "binary" || e.operator !== "/") return e;
  const [dividend, divisor] = e.operands as [Expression, Expression];
  if (divisor.kind !== "number") return e;
  const { value } = divisor;
  const power = Math.log2(Math.abs(value));
  if (!Number.isInteger(power) || Math.abs(power) > LARGEST_POWER) return e;
  return { ...e, operator: "*", operands: [dividend, { kind: "number", value: 1 / value }] };
}

/** Powers of two with a reciprocal of full precision, in single precision too. */
const LARGEST_POWER = 126;

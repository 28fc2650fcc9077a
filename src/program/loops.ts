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
import type { LoopSpec } from "../../kernels/elementwise/passes.ts";
import type { Scalars } from "../ops/elementwise.ts";
import type { Axes } from "../ops/reduce.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import type { Group } from "./passes/fuse.ts";
import { type IterationSpace, iterationSpace } from "./space.ts";

/** A group as a loop. */
export interface GroupLoop {
  /** What it computes. */
  spec: LoopSpec;
  /** How it walks over its operands. */
  space: IterationSpace;
  /** The values that it writes, in the order of the specification's stores. */
  outputs: readonly ValueId[];
}

/** The loop of a group. */
export function loopOf(group: Group, graph: Graph): GroupLoop {
  const { shape, operands, members, reductions, stored } = group;
  const reduced = (reductions[0]?.params as Axes | undefined)?.axes.length ?? 0;
  const space = iterationSpace(shape, operands.map((id) => graph.values[id]!.shape), reduced);
  const dtypeOf = (id: ValueId) => graph.values[id]!.dtype;
  const spec: LoopSpec = {
    float: group.dtype,
    columns: space.columns,
    operands: operands.map((id, i) => ({
      name: nameOf(id),
      dtype: dtypeOf(id),
      moves: space.operands[i]!.moves,
    })),
    body: [
      ...members.map((step) => ({
        name: nameOf(step.output),
        expression: expressionOf(step),
        dtype: dtypeOf(step.output),
      })),
      ...reductions.map(({ op, inputs, output }) => ({
        name: nameOf(output),
        reduce: op.name as "sum" | "max" | "min",
        of: nameOf(inputs[0]!),
      })),
    ],
    stores: [
      ...stored.map((id) => ({ name: nameOf(id), dtype: dtypeOf(id), moves: true })),
      ...reductions.map(({ output }) => ({
        name: nameOf(output),
        dtype: dtypeOf(output),
        moves: false,
      })),
    ],
  };
  return { spec, space, outputs: [...stored, ...reductions.map((step) => step.output)] };
}

function nameOf(id: ValueId): string {
  return `v${id}`;
}

/** The expression of a step in terms of its values' names, with its parameters as numbers. */
function expressionOf({ op, inputs, params }: Step): Expression {
  if (op.expression === undefined) return { kind: "name", name: nameOf(inputs[0]!) };
  const values: Record<string, Expression> = {};
  inputs.forEach((id, i) => values["abc"[i]!] = { kind: "name", name: nameOf(id) });
  (params as Scalars).forEach((value, i) => values["pq"[i]!] = { kind: "number", value });
  return substitute(parseExpression(op.expression), values);
}

/**
 * Graphs: what a function did to its arguments, written down without values.
 *
 * @module
 */
import type { Primitive, Spec } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** The number of a value in a graph. */
export type ValueId = number;

/** One operation of a graph. */
export interface Step {
  /** What is done. */
  readonly op: Primitive<unknown>;
  /** To which values. */
  readonly inputs: readonly ValueId[];
  /** The operation's parameters. */
  readonly params: unknown;
  /** The value that it makes. */
  readonly output: ValueId;
}

/** Steps in the order in which they are done. Every value is an input, a constant or made by a step. */
export interface Graph {
  /** Shape and type of every value, by number. */
  readonly values: readonly Spec[];
  /** The values that are given at each call. */
  readonly inputs: readonly ValueId[];
  /** The values that are the same at each call. */
  readonly constants: ReadonlyMap<ValueId, Tensor>;
  /** What is done. */
  readonly steps: readonly Step[];
  /** The values that are returned. */
  readonly outputs: readonly ValueId[];
}

const MAKERS = new WeakMap<readonly Step[], ReadonlyMap<ValueId, Step>>();

/** The steps of a graph by the values that they make. */
export function makersOf({ steps }: Pick<Graph, "steps">): ReadonlyMap<ValueId, Step> {
  const known = MAKERS.get(steps) ?? new Map(steps.map((step) => [step.output, step]));
  MAKERS.set(steps, known);
  return known;
}

/** The graph with other values in the places of some: in the inputs of steps and in the outputs. */
export function replaceValues(graph: Graph, replaced: ReadonlyMap<ValueId, ValueId>): Graph {
  if (replaced.size === 0) return graph;
  const find = (id: ValueId): ValueId => {
    let found = id;
    for (let next = replaced.get(found); next !== undefined; next = replaced.get(found)) {
      found = next;
    }
    return found;
  };
  return {
    ...graph,
    steps: graph.steps.map((step) => ({ ...step, inputs: step.inputs.map(find) })),
    outputs: graph.outputs.map(find),
  };
}

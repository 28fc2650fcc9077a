/**
 * Graphs: what a function did to its arguments, written down without values.
 *
 * @module
 */
import type { Primitive, Refusal, Spec } from "../op.ts";
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

const ORDERS = new WeakMap<readonly Step[], ReadonlyMap<Step, number>>();

/** The places of steps in a graph. */
export function orderOf({ steps }: Graph): ReadonlyMap<Step, number> {
  const known = ORDERS.get(steps) ?? new Map(steps.map((step, i) => [step, i]));
  ORDERS.set(steps, known);
  return known;
}

/** Which values a step refuses when they arrive; `undefined` where nothing can be wrong. */
export function refusalOf(
  { op, inputs, params, output }: Step,
  { values }: Pick<Graph, "values">,
): Refusal | undefined {
  return op.refuses?.(inputs.map((id) => values[id]!), params, values[output]!);
}

const NOTHING: Graph = { values: [], inputs: [], constants: new Map(), steps: [], outputs: [] };

/** A graph with other steps, as recording and passes put one together. */
export class GraphBuilder {
  /** Those of the graph, and further ones. */
  readonly values: Spec[];
  /** What is done by now. */
  readonly steps: Step[] = [];
  readonly #graph: Graph;
  readonly #constants: Map<ValueId, Tensor>;
  readonly #known: Map<Tensor, ValueId>;

  /** From the values of a graph on; by default, from nothing. */
  constructor(graph: Graph = NOTHING) {
    this.#graph = graph;
    this.values = [...graph.values];
    this.#constants = new Map(graph.constants);
    this.#known = new Map([...graph.constants].map(([id, constant]) => [constant, id]));
  }

  /** A value that no step makes yet. */
  value({ shape, dtype }: Spec): ValueId {
    return this.values.push({ shape, dtype }) - 1;
  }

  /** A constant: the one that there is, or a new one. */
  constant(x: Tensor): ValueId {
    const id = this.#known.get(x) ?? this.value(x);
    this.#known.set(x, id);
    this.#constants.set(id, x);
    return id;
  }

  /** Adds a step; returns the value that it makes. */
  add<P>(
    op: Primitive<P>,
    inputs: readonly ValueId[],
    params: P,
    output: ValueId = this.value(op.infer(inputs.map((id) => this.values[id]!) as never, params)),
  ): ValueId {
    this.steps.push({ op: op as Primitive<unknown>, inputs, params, output });
    return output;
  }

  /** The graph with these steps. */
  build(): Graph {
    const { values, steps } = this;
    return { ...this.#graph, values, constants: this.#constants, steps };
  }
}

/**
 * The graph as a pass rewrites it, step by step: with another step, with the value that stands for
 * what a step makes, be it one that there is or one that the pass has added, or with the step as it is.
 */
export function rewriteSteps(
  graph: Graph,
  pass: (step: Step, builder: GraphBuilder) => Step | ValueId,
): Graph {
  const builder = new GraphBuilder(graph);
  const replaced = new Map<ValueId, ValueId>();
  const find = (id: ValueId) => replaced.get(id) ?? id;
  for (const step of graph.steps) {
    const given = replaced.size === 0 ? step : { ...step, inputs: step.inputs.map(find) };
    const made = pass(given, builder);
    if (typeof made !== "number") builder.steps.push(made);
    else if (made !== step.output) replaced.set(step.output, made);
  }
  return { ...builder.build(), outputs: graph.outputs.map(find) };
}

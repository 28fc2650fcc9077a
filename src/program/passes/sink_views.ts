/**
 * Turns what elementwise steps are made of, in place of what they make: two turns are none, and loops
 * read what is turned where it lies.
 *
 * @module
 */
import { costOf, parseExpression } from "../../../kernels/elementwise/expression.ts";
import { broadcastToOp } from "../../ops/layout.ts";
import { sameShape, sizeOf } from "../../shape.ts";
import { isAlias } from "../alias.ts";
import { type Graph, GraphBuilder, makersOf, type Step, type ValueId } from "../graph.ts";
import { eliminateCommonSubexpressions } from "./common_subexpressions.ts";
import { eliminateDeadCode } from "./dead_code.ts";
import { simplifySteps } from "./simplify.ts";

/** The most that steps may cost which are done to turned values too. */
const MOST_COST = 12;

/** As many values may be read as would be moved otherwise: once written, and once read. */
const MOST_READS = 2;

/** The graph in which cheap elementwise steps come after transposes. */
export function sinkViews(graph: Graph): Graph {
  const sinker = new Sinker(graph);
  for (const step of graph.steps) sinker.add(step);
  return sinker.build();
}

class Sinker {
  readonly #graph: Graph;
  readonly #builder: GraphBuilder;
  readonly #makers: ReadonlyMap<ValueId, Step>;
  /** Values that others than loops read. */
  readonly #others: ReadonlySet<ValueId>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#builder = new GraphBuilder(graph);
    this.#makers = makersOf(graph);
    this.#others = new Set(
      graph.steps.flatMap(({ op, inputs }) =>
        op.kind === "map" || op.kind === "reduce" ? [] : inputs
      ),
    );
  }

  build(): Graph {
    if (this.#builder.values.length === this.#graph.values.length) return this.#graph;
    return eliminateDeadCode(eliminateCommonSubexpressions(simplifySteps(this.#builder.build())));
  }

  add(step: Step): void {
    const { op, inputs: [x], output } = step;
    const turns = op.kind === "view" && op.join !== undefined && !isAlias(step, this.#graph) &&
      !this.#others.has(output);
    const chain = turns ? this.#chainTo(x!) : undefined;
    if (chain === undefined) this.#builder.steps.push(step);
    else this.#turn(x!, step, chain, new Map(), output);
  }

  /** The elementwise steps that make a value; none where they cost much, or read many values. */
  #chainTo(target: ValueId): ReadonlySet<Step> | undefined {
    const { shape } = this.#graph.values[target]!;
    const chain = new Set<Step>();
    const read = new Set<ValueId>();
    let cost = 0;
    const visit = (id: ValueId): void => {
      const step = this.#makers.get(id);
      if (!sameShape(this.#graph.values[id]!.shape, shape)) return;
      if (step?.op.kind === "map" && this.#isFree(step)) {
        if (chain.has(step)) return;
        chain.add(step);
        cost += costOf(parseExpression(step.op.expression));
        step.inputs.forEach(visit);
      } else read.add(this.#rootOf(id));
    };
    visit(target);
    const isCheap = cost <= MOST_COST && read.size <= MOST_READS;
    return chain.size > 0 && isCheap ? chain : undefined;
  }

  /** Whether a step refuses nothing. */
  #isFree({ op, inputs, params, output }: Step): boolean {
    const specs = inputs.map((id) => this.#graph.values[id]!);
    return op.refuses?.(specs, params, this.#graph.values[output]!) === undefined;
  }

  /** What a value is turned, cut or repeated from. */
  #rootOf(id: ValueId): ValueId {
    const step = this.#makers.get(id);
    const isView = step?.op.kind === "view" && step.inputs.length === 1;
    return isView ? this.#rootOf(step.inputs[0]!) : id;
  }

  /** The number of a value as a view shows it. */
  #turn(
    id: ValueId,
    view: Step,
    chain: ReadonlySet<Step>,
    known: Map<ValueId, ValueId>,
    output?: ValueId,
  ): ValueId {
    const found = known.get(id);
    if (found !== undefined) return found;
    const builder = this.#builder;
    const { values } = this.#graph;
    const { shape, dtype } = values[id]!;
    if (sizeOf(shape) === 1) return id;
    const step = this.#makers.get(id);
    const turned = { shape: values[view.output]!.shape, dtype };
    let made: ValueId;
    if (step !== undefined && chain.has(step)) {
      const inputs = step.inputs.map((input) => this.#turn(input, view, chain, known));
      made = builder.add(step.op, inputs, step.params, output ?? builder.value(turned));
    } else {
      const whole = values[view.inputs[0]!]!.shape;
      const full = sameShape(shape, whole) ? id : builder.add(broadcastToOp, [id], whole);
      made = builder.add(view.op, [full], view.params, builder.value(turned));
    }
    known.set(id, made);
    return made;
  }
}

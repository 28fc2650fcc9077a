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
import {
  type Graph,
  type GraphBuilder,
  makersOf,
  refusalOf,
  rewriteSteps,
  type Step,
  type ValueId,
} from "../graph.ts";
import { eliminateCommonSubexpressions } from "./common_subexpressions.ts";
import { eliminateDeadCode } from "./dead_code.ts";
import { simplifySteps } from "./simplify.ts";

/** The most that steps may cost which are done to turned values too. */
const MOST_COST = 12;

/** As many values may be read as would be moved otherwise: once written, and once read. */
const MOST_READS = 2;

/** The graph in which cheap elementwise steps come after transposes. */
export function sinkViews(graph: Graph): Graph {
  // Values that others than loops read.
  const others = new Set(
    graph.steps.flatMap(({ op, inputs }) =>
      op.kind === "map" || op.kind === "reduce" ? [] : inputs
    ),
  );
  let isSunk = false;
  const sunk = rewriteSteps(graph, (step, builder) => {
    const { op, inputs: [x], output } = step;
    const turns = op.kind === "view" && op.join !== undefined && !isAlias(step, graph) &&
      !others.has(output);
    const chain = turns ? chainTo(x!, graph) : undefined;
    if (chain === undefined) return step;
    isSunk = true;
    turn(x!, step, chain, builder, new Map());
    return output;
  });
  if (!isSunk) return graph;
  return eliminateDeadCode(eliminateCommonSubexpressions(simplifySteps(sunk)));
}

/** The elementwise steps that make a value, by that; none where they cost much, or read many values. */
function chainTo(target: ValueId, graph: Graph): ReadonlyMap<ValueId, Step> | undefined {
  const { values } = graph;
  const makers = makersOf(graph);
  const { shape } = values[target]!;
  const chain = new Map<ValueId, Step>();
  const read = new Set<ValueId>();
  let cost = 0;
  const visit = (id: ValueId): void => {
    const step = makers.get(id);
    if (!sameShape(values[id]!.shape, shape) || chain.has(id)) return;
    if (step?.op.kind !== "map" || refusalOf(step, graph) !== undefined) {
      return void read.add(rootOf(id, makers));
    }
    chain.set(id, step);
    cost += costOf(parseExpression(step.op.expression));
    step.inputs.forEach(visit);
  };
  visit(target);
  const isCheap = cost <= MOST_COST && read.size <= MOST_READS;
  return chain.size > 0 && isCheap ? chain : undefined;
}

/** What a value is turned, cut or repeated from. */
function rootOf(id: ValueId, makers: ReadonlyMap<ValueId, Step>): ValueId {
  const step = makers.get(id);
  const isView = step?.op.kind === "view" && step.inputs.length === 1;
  return isView ? rootOf(step.inputs[0]!, makers) : id;
}

/** The number of a value as a view shows it. */
function turn(
  id: ValueId,
  view: Step,
  chain: ReadonlyMap<ValueId, Step>,
  builder: GraphBuilder,
  known: Map<ValueId, ValueId>,
): ValueId {
  const found = known.get(id);
  if (found !== undefined) return found;
  const { values } = builder;
  const { shape, dtype } = values[id]!;
  if (sizeOf(shape) === 1) return id;
  const turned = { shape: values[view.output]!.shape, dtype };
  const step = chain.get(id);
  const made = id === view.inputs[0] ? view.output : builder.value(turned);
  known.set(id, made);
  if (step !== undefined) {
    const inputs = step.inputs.map((input) => turn(input, view, chain, builder, known));
    return builder.add(step.op, inputs, step.params, made);
  }
  const whole = values[view.inputs[0]!]!.shape;
  const full = sameShape(shape, whole) ? id : builder.add(broadcastToOp, [id], whole);
  return builder.add(view.op, [full], view.params, made);
}

/**
 * What is done to a recorded graph before it runs.
 *
 * @module
 */
import type { Graph } from "./graph.ts";
import { comparePositions } from "./passes/compare_positions.ts";
import { eliminateDeadCode } from "./passes/dead_code.ts";
import { foldConstants } from "./passes/constant_folding.ts";
import { guardChecks } from "./passes/guard_checks.ts";
import { fuseRowLoops } from "./passes/loop_fusion.ts";
import { hoistInvariants } from "./passes/hoist_invariants.ts";
import { eliminateCommonSubexpressions } from "./passes/common_subexpressions.ts";
import { sinkViews } from "./passes/sink_views.ts";
import { simplifySteps } from "./passes/simplify.ts";
import { placeProducts } from "./passes/product_layouts.ts";

/** A pass by the name of its file, or what comes before the first: the graph as it was recorded. */
export type PassName =
  | "record"
  | "deadCode"
  | "constantFolding"
  | "simplify"
  | "hoistInvariants"
  | "comparePositions"
  | "commonSubexpressions"
  | "sinkViews"
  | "loopFusion"
  | "productLayouts"
  | "guardChecks";

/** All passes, in the order in which they help each other. */
const PASSES: readonly (readonly [name: PassName, pass: (graph: Graph) => Graph])[] = [
  ["record", (graph) => graph],
  ["deadCode", eliminateDeadCode],
  ["constantFolding", foldConstants],
  ["simplify", simplifySteps],
  ["hoistInvariants", (graph) => hoistInvariants(graph, (body) => optimize(body))],
  ["comparePositions", comparePositions],
  ["commonSubexpressions", eliminateCommonSubexpressions],
  ["sinkViews", sinkViews],
  ["loopFusion", fuseRowLoops],
  ["deadCode", eliminateDeadCode],
  ["productLayouts", placeProducts],
  ["guardChecks", guardChecks],
  ["deadCode", eliminateDeadCode],
];

/** The names of the passes. */
export const PASS_NAMES: readonly PassName[] = [...new Set(PASSES.map(([name]) => name))];

/** The graph after all passes, or after the last of a name. */
export function optimize(graph: Graph, after: PassName = "deadCode"): Graph {
  const last = PASSES.findLastIndex(([name]) => name === after);
  return PASSES.slice(0, last + 1).reduce((optimized, [, pass]) => pass(optimized), graph);
}

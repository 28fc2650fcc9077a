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
import { readStretches } from "./passes/loop_inputs.ts";
import { hoistInvariants } from "./passes/hoist_invariants.ts";
import { eliminateCommonSubexpressions } from "./passes/common_subexpressions.ts";
import { sinkViews } from "./passes/sink_views.ts";
import { simplifySteps } from "./passes/simplify.ts";
import { placeProducts } from "./passes/product_layouts.ts";

/** All passes, in the order in which they help each other. */
export function optimize(graph: Graph): Graph {
  const passes = [
    eliminateDeadCode,
    foldConstants,
    simplifySteps,
    readStretches,
    (whole: Graph) => hoistInvariants(whole, optimize),
    comparePositions,
    eliminateCommonSubexpressions,
    sinkViews,
    (whole: Graph) =>
      fuseRowLoops(whole, (body) => eliminateDeadCode(eliminateCommonSubexpressions(body))),
    eliminateDeadCode,
    placeProducts,
    guardChecks,
    eliminateDeadCode,
  ];
  return passes.reduce((optimized, pass) => pass(optimized), graph);
}

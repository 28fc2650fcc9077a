/**
 * What is done to a recorded graph before it runs.
 *
 * @module
 */
import type { Graph } from "./graph.ts";
import { comparePositions } from "./passes/compare_positions.ts";
import { dropDeadSteps } from "./passes/dead.ts";
import { foldConstants } from "./passes/fold.ts";
import { guardChecks } from "./passes/guard_checks.ts";
import { mergeRowLoops } from "./passes/merge_loops.ts";
import { optimizeRowLoops } from "./passes/row_blocks.ts";
import { shareEqualSteps } from "./passes/share.ts";
import { simplifySteps } from "./passes/simplify.ts";
import { readTransposedOperands } from "./passes/transposed_matmul.ts";

/** All passes, in the order in which they help each other. */
export function optimize(graph: Graph): Graph {
  const passes = [
    dropDeadSteps,
    foldConstants,
    simplifySteps,
    (whole: Graph) => optimizeRowLoops(whole, optimize),
    comparePositions,
    shareEqualSteps,
    (whole: Graph) => mergeRowLoops(whole, (body) => dropDeadSteps(shareEqualSteps(body))),
    readTransposedOperands,
    guardChecks,
    dropDeadSteps,
  ];
  return passes.reduce((optimized, pass) => pass(optimized), graph);
}

/**
 * Turns "the value at this position of a row" into comparisons of positions, which run in the loop
 * that makes the row.
 *
 * @module
 */
import { isFloating } from "../../dtype.ts";
import { equalOp, whereOp } from "../../ops/compare.ts";
import { maxOp } from "../../ops/reduce.ts";
import { fromData, tensor } from "../../tensor.ts";
import { isBelow } from "../bounds.ts";
import { type Graph, rewriteSteps, type ValueId } from "../graph.ts";

/** In rows of more values than this it is faster to go straight to the position. */
const LONGEST = 1024;

/**
 * The graph with single values along an axis taken by the maximum over those at their position, −∞
 * elsewhere, and put by a choice between them and 0. Positions that may lie outside stay as they are:
 * taking from there throws.
 */
export function comparePositions(graph: Graph): Graph {
  const { values } = graph;
  return rewriteSteps(graph, (step, builder) => {
    const { op, inputs, params, output } = step;
    if ((op.kind !== "lookup" && op.kind !== "scatter") || op.by !== "value") return step;
    const [x, indices] = inputs as [ValueId, ValueId];
    const { shape, dtype } = values[op.kind === "lookup" ? x : output]!;
    const axis = op.axis(params);
    const extent = shape[axis]!;
    // One position per row, and surely inside of it.
    const isSingle = isFloating(dtype) && !shape.includes(0) && extent <= LONGEST &&
      values[indices]!.shape[axis] === 1 && isBelow(indices, extent, graph);
    if (!isSingle) return step;
    const places = Int32Array.from({ length: extent }, (_, i) => i);
    const line = builder.constant(
      fromData(places, shape.map((n, i) => i === axis ? n : 1), "int32"),
    );
    const own = builder.add(equalOp, [indices, line], []);
    const choose = (other: number, made?: ValueId) =>
      builder.add(whereOp, [own, x, builder.constant(tensor(other, { dtype }))], [], made);
    if (op.kind === "scatter") return choose(0, output);
    return builder.add(maxOp, [choose(-Infinity)], { axes: [axis], keepDims: true }, output);
  });
}

/**
 * Turns "the value at this position of a row" into comparisons of positions, which run in the loop
 * that makes the row.
 *
 * @module
 */
import { allocate, type DType } from "../../dtype.ts";
import { equalOp, whereOp } from "../../ops/compare.ts";
import { maxOp } from "../../ops/reduce.ts";
import { sameShape, type Shape } from "../../shape.ts";
import { fromData } from "../../tensor.ts";
import { Bounds } from "../bounds.ts";
import { type Graph, GraphBuilder, type ValueId } from "../graph.ts";

/** In rows of more values than this it is faster to go straight to the position. */
const LONGEST = 1024;

/**
 * The graph with single values along an axis taken by the maximum over those at their position, −∞
 * elsewhere, and put by a choice between them and 0. Positions that may lie outside stay as they are:
 * taking from there throws.
 */
export function comparePositions(graph: Graph): Graph {
  const { values } = graph;
  const builder = new GraphBuilder(graph);
  const bounds = new Bounds(graph);
  const constant = constantsOf(graph, builder);
  for (const step of graph.steps) {
    const { op, inputs, params, output } = step;
    const [x, indices] = inputs as [ValueId, ValueId];
    const isOne = (op.kind === "lookup" || op.kind === "scatter") && op.by === "value";
    const { shape, dtype } = values[op.kind === "lookup" ? x : output]!;
    const axis = isOne ? op.axis(params) : 0;
    const extent = shape[axis]!;
    const isFloat = dtype === "float32" || dtype === "float64";
    // One position per row, and surely inside of it.
    const isSingle = isOne && isFloat && !shape.includes(0) && extent <= LONGEST &&
      values[indices]!.shape[axis] === 1 && bounds.isBelow(indices, extent);
    if (!isSingle) {
      builder.steps.push(step);
      continue;
    }
    const places = Array.from({ length: extent }, (_, i) => i);
    const line = constant("int32", shape.map((n, i) => i === axis ? n : 1), places);
    const own = builder.add(equalOp, [indices, line], []);
    if (op.kind === "lookup") {
      const chosen = builder.add(whereOp, [own, x, constant(dtype, [], [-Infinity])], []);
      builder.add(maxOp, [chosen], { axes: [axis], keepDims: true }, output);
    } else builder.add(whereOp, [own, x, constant(values[x]!.dtype, [], [0])], [], output);
  }
  return builder.build();
}

/** Finds a constant of some values, one that there is or a new one. */
function constantsOf({ constants }: Graph, builder: GraphBuilder) {
  const known = [...constants.values()];
  return (dtype: DType, shape: Shape, values: readonly number[]): ValueId => {
    let found = known.find((constant) =>
      constant.dtype === dtype && sameShape(constant.shape, shape) &&
      values.every((value, i) => Object.is(constant.data[i], value))
    );
    if (found === undefined) {
      const data = allocate(dtype, values.length);
      values.forEach((value, i) => data[i] = value);
      known.push(found = fromData(data, shape, dtype));
    }
    return builder.constant(found);
  };
}

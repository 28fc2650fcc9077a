/**
 * Turns "the value at this position of a row" into comparisons of positions, which run in the loop
 * that makes the row.
 *
 * @module
 */
import { equalOp, whereOp } from "../../ops/compare.ts";
import { maxOp } from "../../ops/reduce.ts";
import type { TypedArray } from "../../dtype.ts";
import type { Primitive, Spec } from "../../op.ts";
import { sameShape, type Shape } from "../../shape.ts";
import { fromData, type Tensor } from "../../tensor.ts";
import { Bounds } from "../bounds.ts";
import type { Graph, Step, ValueId } from "../graph.ts";

/** In rows of more values than this it is faster to go straight to the position. */
const LONGEST = 1024;

/**
 * The graph with single values along an axis taken by the maximum over those at their position, −∞
 * elsewhere, and put by a choice between them and 0. Positions that may lie outside stay as they are:
 * taking from there throws.
 */
export function comparePositions(graph: Graph): Graph {
  const builder = new GraphBuilder(graph);
  for (const step of graph.steps) builder.add(step);
  return builder.build();
}

class GraphBuilder {
  readonly #graph: Graph;
  readonly #bounds: Bounds;
  readonly #values: Spec[];
  readonly #constants: Map<ValueId, Tensor>;
  readonly #steps: Step[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#bounds = new Bounds(graph);
    this.#values = [...graph.values];
    this.#constants = new Map(graph.constants);
  }

  build(): Graph {
    return {
      ...this.#graph,
      values: this.#values,
      constants: this.#constants,
      steps: this.#steps,
    };
  }

  add(step: Step): void {
    const { op, inputs: [x, indices], params, output } = step;
    if ((op.kind === "lookup" || op.kind === "scatter") && op.by === "value") {
      const isLookup = op.kind === "lookup";
      const { shape, dtype } = this.#values[isLookup ? x! : output]!;
      const axis = op.axis(params);
      const isFloat = dtype === "float32" || dtype === "float64";
      if (!shape.includes(0) && isFloat && this.#isSingle(shape, axis, indices!)) {
        return isLookup ? this.#take(step, shape, axis) : this.#put(step, shape, axis);
      }
    }
    this.#steps.push(step);
  }

  /** Whether there is one position per row, and surely inside of it. */
  #isSingle(shape: Shape, axis: number, indices: ValueId): boolean {
    const extent = shape[axis]!;
    return this.#values[indices]!.shape[axis] === 1 && extent <= LONGEST &&
      this.#bounds.isBelow(indices, extent);
  }

  #take({ inputs: [x, indices], output }: Step, shape: Shape, axis: number): void {
    const { dtype } = this.#values[x!]!;
    const own = this.#compare(indices!, shape, axis);
    const nothing = this.#constant(dtype, [], [-Infinity]);
    const chosen = this.#make({ shape, dtype });
    this.#push(whereOp, [own, x!, nothing], [], chosen);
    this.#push(maxOp, [chosen], { axes: [axis], keepDims: true }, output);
  }

  #put({ inputs: [x, indices], output }: Step, shape: Shape, axis: number): void {
    const own = this.#compare(indices!, shape, axis);
    const zero = this.#constant(this.#values[x!]!.dtype, [], [0]);
    this.#push(whereOp, [own, x!, zero], [], output);
  }

  /** Whether each place along an axis is the one that the positions name. */
  #compare(indices: ValueId, shape: Shape, axis: number): ValueId {
    const places = Array.from({ length: shape[axis]! }, (_, i) => i);
    const line = this.#constant("int32", shape.map((n, i) => i === axis ? n : 1), places);
    const output = this.#make({ shape, dtype: "bool" });
    this.#push(equalOp, [indices, line], [], output);
    return output;
  }

  #push<P>(op: Primitive<P>, inputs: readonly ValueId[], params: P, output: ValueId): void {
    this.#steps.push({ op: op as Primitive<unknown>, inputs, params, output });
  }

  #make(spec: Spec): ValueId {
    return this.#values.push(spec) - 1;
  }

  /** A constant of these values, one that there is or a new one. */
  #constant(dtype: Spec["dtype"], shape: Shape, values: readonly number[]): ValueId {
    for (const [id, constant] of this.#constants) {
      const same = constant.dtype === dtype && sameShape(constant.shape, shape);
      if (same && values.every((value, i) => Object.is(constant.data[i], value))) return id;
    }
    const id = this.#make({ shape, dtype });
    this.#constants.set(id, fromData(arrayOf(dtype, values), shape, dtype));
    return id;
  }
}

function arrayOf(dtype: Spec["dtype"], values: readonly number[]): TypedArray {
  if (dtype === "int32") return Int32Array.from(values);
  return dtype === "float64" ? Float64Array.from(values) : Float32Array.from(values);
}

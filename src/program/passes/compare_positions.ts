/**
 * Turns "the value at this position of a row" into comparisons of positions, which run in the loop
 * that makes the row.
 *
 * @module
 */
import { equalOp, notEqualOp, whereOp } from "../../ops/compare.ts";
import { broadcastToOp, reshapeOp } from "../../ops/layout.ts";
import { maxOp } from "../../ops/reduce.ts";
import { putAlongAxisOp, takeAlongAxisOp } from "../../ops/select.ts";
import { checkLabelsOp, type CheckLabelsParams } from "../../labels.ts";
import type { TypedArray } from "../../dtype.ts";
import type { Primitive, Spec } from "../../op.ts";
import { sameShape, type Shape } from "../../shape.ts";
import { fromData, type Tensor } from "../../tensor.ts";
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
  readonly #makers: ReadonlyMap<ValueId, Step>;
  readonly #values: Spec[];
  readonly #constants: Map<ValueId, Tensor>;
  readonly #steps: Step[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#makers = new Map(graph.steps.map((step) => [step.output, step]));
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
    const { shape, dtype } = this.#values[op as unknown === putAlongAxisOp ? output : x!]!;
    if (!shape.includes(0) && (dtype === "float32" || dtype === "float64")) {
      if (op as unknown === takeAlongAxisOp && this.#isSingle(shape, params as number, indices!)) {
        return this.#take(step, shape, params as number);
      }
      if (op as unknown === putAlongAxisOp) {
        const { axis } = params as { axis: number };
        if (this.#isSingle(shape, axis, indices!)) return this.#put(step, shape, axis);
      }
    }
    this.#steps.push(step);
  }

  /** Whether there is one position per row, and surely inside of it. */
  #isSingle(shape: Shape, axis: number, indices: ValueId): boolean {
    const extent = shape[axis]!;
    return this.#values[indices]!.shape[axis] === 1 && extent <= LONGEST &&
      this.#isBelow(indices, extent);
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

  /** Whether integers are certainly positions from 0 up to a bound. */
  #isBelow(id: ValueId, bound: number): boolean {
    const isInside = (value: number) => value >= 0 && value < bound;
    const constant = this.#constants.get(id);
    if (constant !== undefined) return constant.data.every(isInside);
    const maker = this.#makers.get(id);
    if (maker === undefined) return false;
    const [a, b, c] = maker.inputs as [ValueId, ValueId, ValueId];
    if (maker.op === reshapeOp || maker.op === broadcastToOp) return this.#isBelow(a, bound);
    if (maker.op === whereOp) {
      return this.#isBelow(c, bound) && (this.#isBelow(b, bound) || this.#isKept(a, b, bound));
    }
    if (maker.op !== checkLabelsOp) return false;
    const { count, ignore = 0 } = maker.params as CheckLabelsParams;
    return count <= bound && isInside(ignore);
  }

  /** Whether checked labels are chosen only where they are not the one to ignore. */
  #isKept(condition: ValueId, labels: ValueId, bound: number): boolean {
    const [test, check] = [this.#makers.get(condition), this.#makers.get(labels)];
    if (test?.op !== notEqualOp || check?.op !== checkLabelsOp) return false;
    const { count, ignore } = check.params as CheckLabelsParams;
    const excluded = this.#constants.get(test.inputs[1]!);
    return test.inputs[0] === labels && count <= bound && excluded?.size === 1 &&
      excluded.data[0] === ignore;
  }
}

function arrayOf(dtype: Spec["dtype"], values: readonly number[]): TypedArray {
  if (dtype === "int32") return Int32Array.from(values);
  return dtype === "float64" ? Float64Array.from(values) : Float32Array.from(values);
}

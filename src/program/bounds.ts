/**
 * Bounds of integers: which of them are certain to be positions, whatever the arguments are.
 *
 * @module
 */
import type { TypedArray } from "../dtype.ts";
import { sizeOf } from "../shape.ts";
import { type Graph, makersOf, refusalOf, type Step, type ValueId } from "./graph.ts";

/** Integers of a graph. */
export class Bounds {
  readonly #graph: Pick<Graph, "values" | "constants">;
  readonly #makers: ReadonlyMap<ValueId, Step>;

  constructor(graph: Pick<Graph, "values" | "constants" | "steps">) {
    this.#graph = graph;
    this.#makers = makersOf(graph);
  }

  /** Whether all values are certain to be from 0 on and below a bound. */
  isBelow(id: ValueId, bound: number): boolean {
    const constant = this.#graph.constants.get(id);
    if (constant !== undefined) return areBelow(constant.data, bound);
    const step = this.#makers.get(id);
    return step !== undefined && this.#isBelow(step, bound);
  }

  #isBelow(step: Step, bound: number): boolean {
    const { op, inputs, params, output } = step;
    switch (op.kind) {
      case "view":
        return bound > 0 && inputs.every((input) => this.isBelow(input, bound));
      case "lookup":
        return this.isBelow(inputs[0]!, bound);
      case "sort": {
        const { shape } = this.#graph.values[inputs[0]!]!;
        return sizeOf(op.order(params).axes.map((axis) => shape[axis]!)) <= bound;
      }
      case "random":
        return op.draws === "permutation" && this.#graph.values[output]!.shape[0]! <= bound;
      case "check":
        return this.#isAllowed(step, bound) || this.isBelow(inputs[0]!, bound);
      case "map":
        return this.#isMapped(step, op.expression, bound);
      default:
        return false;
    }
  }

  /** Whether a check lets nothing else pass, but for an exception that `besides` names. */
  #isAllowed(step: Step, bound: number, besides?: number): boolean {
    const found = step.op.kind === "check" ? refusalOf(step, this.#graph)?.forbidden : undefined;
    if (found?.kind !== "outside" || found.low < 0 || found.high >= bound) return false;
    const { except = 0 } = found;
    return except === besides || areBelow([except], bound);
  }

  #isMapped({ inputs }: Step, expression: string, bound: number): boolean {
    const [a, b, c] = inputs as [ValueId, ValueId, ValueId];
    if (expression === "a") return this.isBelow(a, bound);
    if (expression !== "a != 0 ? b : c" || !this.isBelow(c, bound)) return false;
    return this.isBelow(b, bound) || this.#isKept(a, b, bound);
  }

  /** Whether checked labels are chosen only where they are not the one to ignore. */
  #isKept(condition: ValueId, labels: ValueId, bound: number): boolean {
    const [test, check] = [this.#makers.get(condition), this.#makers.get(labels)];
    if (test?.op.kind !== "map" || test.op.expression !== "a != b") return false;
    const excluded = this.#graph.constants.get(test.inputs[1]!);
    return test.inputs[0] === labels && check !== undefined && excluded?.size === 1 &&
      this.#isAllowed(check, bound, excluded.data[0]);
  }
}

function areBelow(values: TypedArray | readonly number[], bound: number): boolean {
  return values.every((value) => value >= 0 && value < bound);
}

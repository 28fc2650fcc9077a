/**
 * Bodies of loops: a function runs once on tensors without values, and its operations, gradient rules
 * of their own included, are done again for every turn.
 *
 * @module
 */
import { isFloating, type TypedArray } from "../dtype.ts";
import type { Composite, Op, Spec } from "../op.ts";
import { sizeOf } from "../shape.ts";
import { type Source, Tensor } from "../tensor.ts";
import { apply, applyKnown, compose, nextLevel, type Trace, within } from "../trace.ts";

/** The number of a value of a body, or a tensor that is the same for all turns. */
type Ref = number | Tensor;

/** One operation of a body. */
interface BodyStep {
  readonly op: Op<unknown>;
  readonly inputs: readonly Ref[];
  readonly params: unknown;
  readonly output: number;
}

/** What a function does, written down; its last inputs are what it captured. */
export interface Body {
  /** Shape and type of every value, by number. */
  readonly values: readonly Spec[];
  readonly inputs: readonly number[];
  readonly steps: readonly BodyStep[];
  readonly outputs: readonly Ref[];
}

/** A body, and the tensors from outside that it uses. */
export interface Recorded {
  body: Body;
  captured: readonly Tensor[];
}

/** Stands for the values of a turn. */
class Unknown implements Source {
  readonly id: number;
  readonly #caller: string;

  constructor(id: number, caller: string) {
    this.id = id;
    this.#caller = caller;
  }

  data(): TypedArray {
    throw new TypeError(
      `Cannot read the values of a tensor in the function of ${this.#caller}, as it is recorded ` +
        `once for all turns: choose by where or cond instead of if`,
    );
  }

  read(): Promise<TypedArray> {
    return new Promise((resolve) => resolve(this.data()));
  }
}

/** Writes down the operations on the tensors that it has made. */
class BodyTrace implements Trace {
  readonly level: number = nextLevel();
  readonly caller: string;
  readonly values: Spec[] = [];
  readonly steps: BodyStep[] = [];
  readonly captured: Map<Tensor, number> = new Map();
  #open = true;

  constructor(caller: string) {
    this.caller = caller;
  }

  make({ shape, dtype }: Spec): Tensor {
    const id = this.values.push({ shape, dtype }) - 1;
    return new Tensor(shape, dtype, new Unknown(id, this.caller), this);
  }

  process<P>(op: Op<P>, inputs: readonly Tensor[], params: P): Tensor {
    if (!this.#open) {
      throw new TypeError(
        `Cannot compute ${op.name} as an input escaped from the function of ${this.caller}, which ` +
          `has ended: return it from the function`,
      );
    }
    const refs = inputs.map((x) => this.refOf(x));
    const spec = "compose" in op ? this.#specOf(op, inputs, params) : op.infer(inputs, params);
    const output = this.make(spec);
    const { id } = output.source as Unknown;
    this.steps.push({ op: op as Op<unknown>, inputs: refs, params, output: id });
    return output;
  }

  /** A value of this body; what other traces watch becomes an input. */
  refOf(x: Tensor): Ref {
    if (x.trace === this) return (x.source as Unknown).id;
    if (x.trace === null) return x;
    let id = this.captured.get(x);
    if (id === undefined) {
      id = this.values.push({ shape: x.shape, dtype: x.dtype }) - 1;
      this.captured.set(x, id);
    }
    return id;
  }

  close(): void {
    this.#open = false;
  }

  /** What a composite operation gives, found by doing it without values. */
  #specOf<P>(op: Composite<P>, inputs: readonly Tensor[], params: P): Spec {
    const inner = new BodyTrace(this.caller);
    const given = inputs.map((x) => x.trace === null ? x : inner.make(x));
    return compose(op.name, op.compose(given, params), inner);
  }
}

/**
 * Runs a function on tensors without values and returns what it did. What it computes of captured
 * tensors alone is done before, but for a branch.
 */
export function recordBody(
  caller: string,
  specs: readonly Spec[],
  f: (inputs: Tensor[]) => readonly Tensor[],
  isBranch = false,
): Recorded {
  const trace = new BodyTrace(caller);
  const given = specs.map((spec) => trace.make(spec));
  const inputs = given.map((_, i) => i);
  try {
    const made = isBranch ? within(trace, () => f(given)) : f(given);
    const outputs = made.map((y) => trace.refOf(y));
    const { values, captured } = trace;
    return {
      body: {
        values,
        inputs: [...inputs, ...captured.values()],
        steps: neededSteps(trace.steps, outputs),
        outputs,
      },
      captured: [...captured.keys()],
    };
  } finally {
    trace.close();
  }
}

/** The steps that an output or a check needs. */
function neededSteps(steps: readonly BodyStep[], outputs: readonly Ref[]): BodyStep[] {
  const needed = new Set<Ref>(outputs);
  return steps.toReversed().filter(({ op, inputs, output }) => {
    const isCheck = "kind" in op && op.kind === "check";
    if (!needed.has(output) && !isCheck) return false;
    for (const input of inputs) needed.add(input);
    return true;
  }).reverse();
}

/** Does what a body says to other inputs; values that are known by their numbers are not computed. */
export function interpret(
  body: Body,
  given: readonly Tensor[],
  known: ReadonlyMap<number, Tensor> = new Map(),
): Tensor[] {
  const values: Tensor[] = [];
  body.inputs.forEach((id, i) => values[id] = given[i]!);
  const find = (ref: Ref) => typeof ref === "number" ? values[ref]! : ref;
  for (const { op, inputs, params, output } of body.steps) {
    const operands = inputs.map(find);
    const value = known.get(output);
    values[output] = value === undefined
      ? apply(op, operands, params)
      : applyKnown(op, operands, params, value);
  }
  return body.outputs.map(find);
}

/** Values that are small beside what they take: products, and results of a quarter of the inputs' size. */
export function dearValues({ steps, values }: Body): number[] {
  return steps.flatMap(({ op, inputs, output }) => {
    if (op.vjp === null || ("kind" in op && op.kind === "loop")) return [];
    const { shape, dtype } = values[output]!;
    const sizes = inputs.map((ref) => sizeOf((typeof ref === "number" ? values[ref]! : ref).shape));
    const isProduct = "kind" in op && op.kind === "product";
    const isDear = isProduct || 4 * sizeOf(shape) <= Math.max(...sizes);
    return isDear && isFloating(dtype) && ("compose" in op || op.kind !== "view") ? [output] : [];
  });
}

/** Shape and type of an output. */
export function specOf({ values, outputs }: Body, output: number): Spec {
  const ref = outputs[output]!;
  return typeof ref === "number" ? values[ref]! : ref;
}

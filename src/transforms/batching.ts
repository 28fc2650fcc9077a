/**
 * Rows side by side: a function of one row, done once to all rows, each tensor of it standing for one
 * with an axis more in front.
 *
 * @module
 */
import type { TypedArray } from "../dtype.ts";
import type { Op } from "../op.ts";
import { broadcastTo, reshape } from "../ops/mod.ts";
import type { Shape } from "../shape.ts";
import { type Source, Tensor } from "../tensor.ts";
import { escapeError, nextLevel, type Trace } from "../trace.ts";

/** A tensor as an operation on rows finds it. */
export interface Operand {
  /** All rows, one behind the other; or what is the same for all. */
  readonly value: Tensor;
  /** Whether there are rows. */
  readonly isMapped: boolean;
  /** The shape of one row. */
  readonly shape: Shape;
}

/** An operation on rows. */
export interface Call<O, P = unknown> {
  readonly op: O;
  /** Its inputs, of which at least one is mapped, and those as it sees them itself. */
  readonly operands: readonly Operand[];
  readonly inputs: readonly Tensor[];
  readonly params: P;
  readonly batch: BatchTrace;
}

/** The results for all rows, one behind the other. */
export type Rule = (call: Call<Op<unknown>>) => Tensor;

/** Stands for the values of all rows. */
class Rows implements Source {
  readonly value: Tensor;
  readonly #caller: string;

  constructor(value: Tensor, caller: string) {
    this.value = value;
    this.#caller = caller;
  }

  data(): TypedArray {
    throw new TypeError(
      `Cannot read the values of a tensor in the function of ${this.#caller}, as it stands for all ` +
        `rows at once: choose by where or cond instead of if`,
    );
  }

  read(): Promise<TypedArray> {
    return new Promise((resolve) => resolve(this.data()));
  }
}

/** Does operations on one row to all rows. */
export class BatchTrace implements Trace {
  readonly level: number = nextLevel();
  readonly caller: string;
  /** How many rows there are. */
  readonly count: number;
  readonly #rule: Rule;
  #open = true;

  constructor(caller: string, count: number, rule: Rule) {
    this.caller = caller;
    this.count = count;
    this.#rule = rule;
  }

  process<P>(op: Op<P>, inputs: readonly Tensor[], params: P): Tensor {
    if (!this.#open) {
      throw new TypeError(
        `Cannot compute ${op.name} as an input escaped from the function of ${this.caller}, which ` +
          `has ended: return it from the function`,
      );
    }
    const operands = inputs.map((x) => this.operandOf(x));
    return this.#wrap(
      this.#rule({ op: op as Op<unknown>, operands, inputs, params, batch: this }),
    );
  }

  /** What a tensor is to the traces outside of this one. */
  operandOf(x: Tensor): Operand {
    if (x.trace === this) {
      return { value: (x.source as Rows).value, isMapped: true, shape: x.shape };
    }
    if (x.trace !== null && x.trace.level > this.level) {
      throw escapeError(this.caller, "the function's result", x.trace as Trace);
    }
    return { value: x, isMapped: false, shape: x.shape };
  }

  /** Runs a function on rows of some of its inputs; what it gives, as the traces outside see it. */
  run(
    values: readonly Tensor[],
    isMapped: readonly boolean[],
    f: (inputs: Tensor[]) => readonly Tensor[],
  ): Operand[] {
    try {
      return f(values.map((x, i) => isMapped[i] ? this.#wrap(x) : x)).map((y) => this.operandOf(y));
    } finally {
      this.#open = false;
    }
  }

  /** The same rows for a function that is run within an operation. */
  inner(): BatchTrace {
    return new BatchTrace(this.caller, this.count, this.#rule);
  }

  #wrap(value: Tensor): Tensor {
    return new Tensor(value.shape.slice(1), value.dtype, new Rows(value, this.caller), this);
  }
}

/** All rows, where all are the same, too. */
export function rowsOf({ value, isMapped, shape }: Operand, count: number): Tensor {
  return isMapped ? value : broadcastTo(value, [count, ...shape]);
}

/** The inputs with axes of extent 1 behind that of the rows, so that the others meet from the right. */
export function aligned({ operands }: Call<unknown>): Tensor[] {
  const rank = Math.max(...operands.map(({ shape }) => shape.length));
  return operands.map((operand) => withRank(operand, rank));
}

/** All rows, each with axes of extent 1 in front, so that it has so many. */
function withRank({ value, isMapped, shape }: Operand, rank: number): Tensor {
  if (!isMapped || shape.length === rank) return value;
  const added = Array.from({ length: rank - shape.length }, () => 1);
  return reshape(value, [value.shape[0]!, ...added, ...shape]);
}

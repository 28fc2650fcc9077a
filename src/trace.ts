/**
 * `apply`, the one place through which every operation goes, and the tape that notes what was done.
 *
 * @module
 */
import { isFloating, type TypedArray } from "./dtype.ts";
import type { Op, RowBlocks } from "./op.ts";
import { checkSize, MAX_BYTES, sizeOf } from "./shape.ts";
import { type Source, Tensor, type TraceLevel } from "./tensor.ts";

/** A transform that handles the operations on the tensors it watches. */
export interface Trace extends TraceLevel {
  /** The transform's name, for messages. */
  readonly caller: string;
  /** Does the operation on inputs of which at least one is watched by this trace. */
  process<P>(op: Op<P>, inputs: readonly Tensor[], params: P): Tensor;
  /** A tensor as if the trace watched it, where what is done to it is better written down. */
  constant?(x: Tensor): Tensor;
}

let lastLevel = 0;

/** A level above all others: traces that start later are nested deeper. */
export function nextLevel(): number {
  return ++lastLevel;
}

/** So many values fit into a tensor of any type. */
const SURELY_FITS = MAX_BYTES / 8;

let branch: Trace | null = null;

/** Runs a branch of a choice: what it computes of watched tensors from outside is the branch's, too. */
export function within<R>(trace: Trace, f: () => R): R {
  const outer = branch;
  branch = trace;
  try {
    return f();
  } finally {
    branch = outer;
  }
}

/** The values of a map over blocks of rows; `undefined` where it is left to its composition. */
type RunBlocks = (name: string, map: RowBlocks, inputs: readonly Tensor[]) => Tensor | undefined;

let runBlocks: RunBlocks | undefined;

/** Says what does maps over blocks of rows where nothing is watched. */
export function runBlocksBy(run: RunBlocks): void {
  runBlocks = run;
}

/** Does an operation: by the innermost trace that watches one of its inputs, else at once. */
export function apply<P>(op: Op<P>, inputs: readonly Tensor[], params: P): Tensor {
  const innermost = innermostOf(inputs);
  if (innermost !== null) {
    const trace = branch !== null && branch.level > innermost.level ? branch : innermost;
    return (trace as Trace).process(op, inputs, params);
  }
  if ("compose" in op) {
    const made = op.blocks === undefined ? undefined : runBlocks?.(op.name, op.blocks, inputs);
    return made ?? compose(op.name, op.compose(inputs, params), null);
  }
  const spec = op.infer(inputs, params);
  if (sizeOf(spec.shape) > SURELY_FITS) checkSize(op.name, spec.shape, spec.dtype);
  return new Tensor(spec.shape, spec.dtype, op.forward(inputs, params, spec));
}

/** Does an operation whose value, as the traces outside see it, is known: a tape notes it. */
export function applyKnown<P>(
  op: Op<P>,
  inputs: readonly Tensor[],
  params: P,
  value: Tensor,
): Tensor {
  const innermost = innermostOf(inputs);
  return innermost instanceof Tape ? innermost.note(value, op, inputs, params) : value;
}

/** The trace of the highest level. */
function innermostOf(inputs: readonly Tensor[]): TraceLevel | null {
  let innermost: TraceLevel | null = null;
  for (let i = 0; i < inputs.length; i++) {
    const trace = inputs[i]!.trace;
    if (trace !== null && (innermost === null || trace.level > innermost.level)) innermost = trace;
  }
  return innermost;
}

/** Checks that a composite used nothing that is differentiated besides its inputs. */
export function compose(name: string, output: Tensor, trace: TraceLevel | null): Tensor {
  if (!(output instanceof Tensor)) {
    throw new TypeError(`Cannot compute ${name} as its function must return one tensor`);
  }
  if (output.trace !== null && output.trace !== trace) {
    throw foreignError(name);
  }
  return output;
}

export function foreignError(name: string): TypeError {
  return new TypeError(
    `Cannot compute ${name} as its function uses a tensor under differentiation or vmap that is ` +
      `not among its arguments: pass it as an argument, or through stopGradient`,
  );
}

/** One step on a tape, and where a watched tensor finds its value. */
export class TapeEntry implements Source {
  /** The step's number on the tape. */
  readonly index: number;
  /** The value, as the traces outside of this one see it. */
  readonly value: Tensor;
  /** What was done; `null` for an input of the transform. */
  readonly op: Op<unknown> | null;
  /** The operation's inputs as this tape sees them. */
  readonly inputs: readonly Tensor[];
  /** The operation's inputs as the traces outside see them. */
  readonly rawInputs: readonly Tensor[];
  /** The operation's parameters. */
  readonly params: unknown;

  constructor(
    index: number,
    value: Tensor,
    op: Op<unknown> | null,
    inputs: readonly Tensor[],
    rawInputs: readonly Tensor[],
    params: unknown,
  ) {
    this.index = index;
    this.value = value;
    this.op = op;
    this.inputs = inputs;
    this.rawInputs = rawInputs;
    this.params = params;
  }

  data(): TypedArray {
    return this.value.data;
  }

  read(): Promise<TypedArray> {
    return this.value.read();
  }
}

/** Options of a {@linkcode Tape}. */
export interface TapeOptions {
  /** Throw as soon as an operation, or a gradient rule, makes a NaN of numbers. */
  checkNaN?: boolean;
}

/** Notes every operation on the tensors that it watches, so that it can be gone back over. */
export class Tape implements Trace {
  readonly level: number = nextLevel();
  /** The steps in the order in which they were done. */
  readonly entries: TapeEntry[] = [];
  readonly caller: string;
  /** Whether NaN is looked for. */
  readonly checkNaN: boolean;
  #open = true;

  constructor(caller: string, options: TapeOptions = {}) {
    this.caller = caller;
    this.checkNaN = options.checkNaN ?? false;
  }

  /** A tensor of the same value that this tape watches. */
  watch(value: Tensor): Tensor {
    return this.#note(value, null, [], [], null);
  }

  process<P>(op: Op<P>, inputs: readonly Tensor[], params: P): Tensor {
    if (!this.#open) throw escapeError(op.name, "an input", this);
    const rawInputs = new Array<Tensor>(inputs.length);
    for (let i = 0; i < inputs.length; i++) rawInputs[i] = this.lower(inputs[i]!);
    const { value, params: kept } = "keep" in op && op.keep !== undefined
      ? op.keep(rawInputs, params)
      : { value: apply(op, rawInputs, params), params };
    if (this.checkNaN) this.#checkValue(op.name, value, rawInputs);
    if (op.vjp === null || !isFloating(value.dtype)) return value;
    return this.#note(value, op as Op<unknown>, inputs, rawInputs, kept);
  }

  /** A step whose value is known. */
  note<P>(value: Tensor, op: Op<P>, inputs: readonly Tensor[], params: P): Tensor {
    if (op.vjp === null || !isFloating(value.dtype)) return value;
    const rawInputs = inputs.map((x) => this.lower(x));
    return this.#note(value, op as Op<unknown>, inputs, rawInputs, params);
  }

  /** The tensor as the traces outside of this one see it. */
  lower(x: Tensor): Tensor {
    if (x.trace === this) return (x.source as TapeEntry).value;
    if (x.trace === null || x.trace.level < this.level) return x;
    throw escapeError(this.caller, "the function's result", x.trace as Trace);
  }

  /** Ends the noting: from here on, operations on watched tensors throw. */
  close(): void {
    this.#open = false;
  }

  #note(
    value: Tensor,
    op: Op<unknown> | null,
    inputs: readonly Tensor[],
    rawInputs: readonly Tensor[],
    params: unknown,
  ): Tensor {
    const entry = new TapeEntry(this.entries.length, value, op, inputs, rawInputs, params);
    this.entries.push(entry);
    return new Tensor(value.shape, value.dtype, entry, this);
  }

  #checkValue(name: string, value: Tensor, inputs: readonly Tensor[]): void {
    const count = countNaN(value);
    if (count === 0) return;
    const given = inputs.some((x) => countNaN(x) > 0);
    throw new RangeError(
      `Cannot continue ${this.caller} as ${name} ${given ? "was given" : "produced"} NaN: ` +
        `${count} of ${value.size} values`,
    );
  }
}

export function escapeError(name: string, what: string, from: Trace): TypeError {
  return new TypeError(
    `Cannot compute ${name} as ${what} escaped from ${from.caller}, which has ended: ` +
      `return it from the function (with hasAux), or pass it through stopGradient there`,
  );
}

/** Whether the values are known: not those of a program or a loop that is recorded. */
export function isKnown(x: Tensor): boolean {
  let known = x;
  while (known.trace instanceof Tape) known = known.trace.lower(known);
  return known.trace === null;
}

/** How many values are NaN. */
export function countNaN(x: Tensor): number {
  if (!isFloating(x.dtype)) return 0;
  let count = 0;
  for (const value of x.data) if (value !== value) count++;
  return count;
}

/**
 * Recording: a function runs once on tensors without values, and every operation is written down.
 *
 * @module
 */
import type { TypedArray } from "../dtype.ts";
import type { Op, Primitive, Spec } from "../op.ts";
import { type Source, Tensor } from "../tensor.ts";
import type { LoopParams } from "../transforms/loop.ts";
import { compose, foreignError, nextLevel, type Trace } from "../trace.ts";
import { type Graph, GraphBuilder, type ValueId } from "./graph.ts";
import { type RecordBody, type RecordedBody, recordRowLoop, rowLoopOp } from "./row_blocks.ts";
import { recordTurns } from "./turns.ts";

/** Stands for the values of a recorded tensor, which are known only when the program runs. */
class Unknown implements Source {
  readonly id: ValueId;

  constructor(id: ValueId) {
    this.id = id;
  }

  data(): TypedArray {
    throw new TypeError(
      `Cannot read the values of a tensor while a program is recorded, as they are known only when ` +
        `it runs: choose by where instead of if, leave out checkNaN, return the tensor, or close over a ` +
        `constant`,
    );
  }

  read(): Promise<TypedArray> {
    return new Promise((resolve) => resolve(this.data()));
  }
}

/** What a body is recorded within. */
interface Enclosing {
  recorder: Recorder;
  /** The name of the operation whose body it is. */
  name: string;
}

/** Writes down every operation on the tensors that it has made. */
class Recorder implements Trace {
  readonly level: number = nextLevel();
  readonly caller = "compile";
  readonly builder: GraphBuilder = new GraphBuilder();
  /** Tensors of the recording around this one that are used here; their values are inputs too. */
  readonly captured: Map<Tensor, ValueId> = new Map();
  readonly #enclosing: Enclosing | undefined;
  #open = true;

  constructor(enclosing?: Enclosing) {
    this.#enclosing = enclosing;
  }

  /** A tensor without values. */
  make({ shape, dtype }: Spec): Tensor {
    return new Tensor(shape, dtype, new Unknown(this.builder.value({ shape, dtype })), this);
  }

  process<P>(op: Op<P>, inputs: readonly Tensor[], params: P): Tensor {
    if (!this.#open) {
      throw new TypeError(
        `Cannot compute ${op.name} as an input escaped from compile, which has ended: ` +
          `return it from the function`,
      );
    }
    const recordBody: RecordBody = (specs, f) =>
      run(new Recorder({ recorder: this, name: op.name }), specs, f);
    if (!("compose" in op)) {
      if (op.kind !== "loop") return this.#note(op, inputs, params);
      return this.#note(rowLoopOp, inputs, recordTurns(params as LoopParams, inputs, recordBody));
    }
    if (op.blocks === undefined) return compose(op.name, op.compose(inputs, params), this);
    const loop = recordRowLoop(op.name, op.blocks, inputs, recordBody);
    return this.#note(rowLoopOp, loop.inputs, loop.params);
  }

  constant(x: Tensor): Tensor {
    return new Tensor(x.shape, x.dtype, new Unknown(this.idOf(x)), this);
  }

  /** The number of a value; tensors from outside become constants. */
  idOf(x: Tensor): ValueId {
    if (x.trace === this) return (x.source as Unknown).id;
    if (x.trace === null || this.#enclosing === undefined) return this.builder.constant(x);
    return this.captured.get(x) ?? this.#capture(x, this.#enclosing);
  }

  close(): void {
    this.#open = false;
  }

  #note<P>(op: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor {
    const ids = inputs.map((x) => this.idOf(x));
    const output = this.make(op.infer(inputs, params));
    this.builder.add(op, ids, params, this.idOf(output));
    return output;
  }

  #capture(x: Tensor, { recorder, name }: Enclosing): ValueId {
    let enclosing: Enclosing | undefined = { recorder, name };
    while (enclosing !== undefined && enclosing.recorder !== x.trace) {
      enclosing = enclosing.recorder.#enclosing;
    }
    if (enclosing === undefined) throw foreignError(name);
    const id = this.builder.value(x);
    this.captured.set(x, id);
    return id;
  }
}

/** Runs a function on tensors without values and returns what it did. */
export function record(
  specs: readonly Spec[],
  f: (inputs: Tensor[]) => readonly Tensor[],
): Graph {
  return run(new Recorder(), specs, f).graph;
}

function run(
  recorder: Recorder,
  specs: readonly Spec[],
  f: (inputs: Tensor[]) => readonly Tensor[],
): RecordedBody {
  const given = specs.map((spec) => recorder.make(spec));
  try {
    const outputs = f([...given]).map((y) => recorder.idOf(y));
    const { builder, captured } = recorder;
    const inputs = [...given.map((x) => recorder.idOf(x)), ...captured.values()];
    return { graph: { ...builder.build(), inputs, outputs }, captured: [...captured.keys()] };
  } finally {
    recorder.close();
  }
}

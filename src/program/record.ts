/**
 * Recording: a function runs once on tensors without values, and every operation is written down.
 *
 * @module
 */
import type { TypedArray } from "../dtype.ts";
import type { Op, Primitive, Spec } from "../op.ts";
import { type Source, Tensor } from "../tensor.ts";
import { compose, nextLevel, type Trace } from "../trace.ts";
import type { Graph, Step, ValueId } from "./graph.ts";

/** Stands for the values of a recorded tensor, which are known only when the program runs. */
class Unknown implements Source {
  constructor(readonly id: ValueId) {}

  data(): TypedArray {
    throw new TypeError(
      `Cannot read the values of a tensor while a program is recorded, as they are known only when ` +
        `it runs: choose by where instead of if, return the tensor, or close over a constant`,
    );
  }

  read(): Promise<TypedArray> {
    return Promise.try(() => this.data());
  }
}

/** Writes down every operation on the tensors that it has made. */
class Recorder implements Trace {
  readonly level: number = nextLevel();
  readonly caller = "compile";
  readonly values: Spec[] = [];
  readonly steps: Step[] = [];
  readonly constants: Map<ValueId, Tensor> = new Map();
  readonly #constantIds = new Map<Tensor, ValueId>();
  #open = true;

  /** A tensor without values. */
  make({ shape, dtype }: Spec): Tensor {
    this.values.push({ shape, dtype });
    return new Tensor(shape, dtype, new Unknown(this.values.length - 1), this);
  }

  process<P>(op: Op<P>, inputs: readonly Tensor[], params: P): Tensor {
    if (!this.#open) {
      throw new TypeError(
        `Cannot compute ${op.name} as an input escaped from compile, which has ended: ` +
          `return it from the function`,
      );
    }
    if ("compose" in op) return compose(op.name, op.compose(inputs, params), this);
    const ids = inputs.map((x) => this.idOf(x));
    const output = this.make(op.infer(inputs, params));
    this.steps.push({
      op: op as Primitive<unknown>,
      inputs: ids,
      params,
      output: this.idOf(output),
    });
    return output;
  }

  /** The number of a value; tensors from outside become constants. */
  idOf(x: Tensor): ValueId {
    if (x.trace === this) return (x.source as Unknown).id;
    const known = this.#constantIds.get(x);
    if (known !== undefined) return known;
    const id = this.values.push({ shape: x.shape, dtype: x.dtype }) - 1;
    this.#constantIds.set(x, id);
    this.constants.set(id, x);
    return id;
  }

  close(): void {
    this.#open = false;
  }
}

/** Runs a function on tensors without values and returns what it did. */
export function record(
  specs: readonly Spec[],
  f: (inputs: Tensor[]) => readonly Tensor[],
): Graph {
  const recorder = new Recorder();
  const inputs = specs.map((spec) => recorder.make(spec));
  try {
    const outputs = f(inputs).map((y) => recorder.idOf(y));
    const { values, steps, constants } = recorder;
    return { values, inputs: inputs.map((x) => recorder.idOf(x)), constants, steps, outputs };
  } finally {
    recorder.close();
  }
}

/**
 * The way back over a tape: cotangents flow from an output to the inputs.
 *
 * @module
 */
import { full, zeros } from "../create.ts";
import { add, cast, reshape, sum } from "../ops/mod.ts";
import { formatShape, sameShape, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { countNaN, Tape, type TapeEntry, type Trace } from "../trace.ts";

/** Cotangents of the watched tensors, given those of outputs of the same tape. */
export function pullBack(
  tape: Tape,
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  watched: readonly Tensor[],
): Tensor[] {
  const found = new Array<Tensor | undefined>(tape.entries.length);
  const collect = (x: Tensor, g: Tensor) => {
    const { index } = x.source as TapeEntry;
    const sofar = found[index];
    found[index] = sofar === undefined ? g : add(sofar, g);
  };
  outputs.forEach((y, i) => {
    if (y.trace === tape) collect(y, cotangents[i]!);
  });
  for (let i = tape.entries.length - 1; i >= 0; i--) {
    const g = found[i];
    const entry = tape.entries[i]!;
    if (g === undefined || entry.op === null) continue;
    found[i] = undefined;
    const wanted = entry.inputs.map((x) => x.trace === tape);
    const results = entry.op.vjp!(g, entry.value, entry.rawInputs, entry.params, wanted);
    entry.inputs.forEach((x, k) => {
      const result = results[k];
      if (!wanted[k] || result === null || result === undefined) return;
      if (tape.checkNaN) checkGradient(tape, entry.op!.name, result, g);
      collect(x, fitCotangent(entry.op!.name, result, x));
    });
  }
  return watched.map((x) =>
    found[(x.source as TapeEntry).index] ?? zeros(x.shape, { dtype: x.dtype })
  );
}

/** A cotangent in the shape and type of its input: summed over what was broadcast. */
export function fitCotangent(name: string, g: Tensor, input: Tensor): Tensor {
  const fitted = sameShape(g.shape, input.shape) ? g : unbroadcast(g, input.shape);
  if (fitted === null) {
    throw new TypeError(
      `Cannot use the gradient rule of ${name} as each cotangent must have the shape of its input: ` +
        `current shapes are ${formatShape(g.shape)} and ${formatShape(input.shape)}`,
    );
  }
  return fitted.dtype === input.dtype ? fitted : cast(fitted, input.dtype);
}

/** The sum over the axes that broadcasting added or stretched; `null` where it does not lead here. */
function unbroadcast(g: Tensor, shape: Shape): Tensor | null {
  const offset = g.rank - shape.length;
  if (!shape.every((n, i) => n === 1 || n === g.shape[i + offset])) return null;
  const axes = g.shape.flatMap((_, i) => i < offset || shape[i - offset] === 1 ? [i] : []);
  return reshape(sum(g, { axis: axes }), shape);
}

function checkGradient(tape: Tape, name: string, result: Tensor, g: Tensor): void {
  const count = countNaN(result);
  if (count === 0) return;
  throw new RangeError(
    `Cannot continue ${tape.caller} as the gradient of ${name} ` +
      `${countNaN(g) > 0 ? "was given" : "produced"} NaN: ${count} of ${result.size} values`,
  );
}

/** The cotangent to start from: 1. A program writes down what is made of it, however large. */
export function seed(y: Tensor): Tensor {
  const one = full(y.shape, 1, { dtype: y.dtype });
  const { trace } = y.trace instanceof Tape ? (y.source as TapeEntry).value : y;
  return (trace as Trace | null)?.constant?.(one) ?? one;
}

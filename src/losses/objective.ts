/**
 * Objectives: weighted sums of losses, with the losses themselves.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { add, mul } from "../ops/mod.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { checkBoolean, checkNumber, checkSameShape } from "../options.ts";

/** What an objective returns. */
export interface Objective<Part extends string> {
  /** The weighted sum of the parts, a scalar to minimise. */
  total: Tensor;
  /** The losses that are in use, each a scalar before its weight. */
  parts: { [P in Part]?: Tensor };
}

/** Fields of an argument such as `outputs`. */
type Fields = object & { readonly [name: string]: TensorLike | undefined };

/** A loss of predictions and true values where a mask holds. */
type MaskedLoss = (input: TensorLike, target: TensorLike, mask: TensorLike) => Tensor;

/** Reads what an objective is given, with messages that name the objective and the field. */
export class ObjectiveFields {
  readonly #caller: string;
  readonly #given: Readonly<Record<string, Fields>>;

  /**
   * Checks that there are no foreign fields.
   *
   * @param caller The function's name, for messages.
   * @param given The arguments by name.
   * @param names The names of all fields of each argument.
   */
  constructor(
    caller: string,
    given: Readonly<Record<string, object>>,
    names: Readonly<Record<string, readonly string[]>>,
  ) {
    this.#caller = caller;
    this.#given = given as Record<string, Fields>;
    for (const [argument, fields] of Object.entries(given)) {
      const known = names[argument]!;
      const isObject = typeof fields === "object" && fields !== null;
      const foreign = isObject ? Object.keys(fields).find((key) => !known.includes(key)) : "";
      if (foreign === undefined) continue;
      throw new TypeError(
        `Cannot compute ${caller} as ${argument} must be an object with any of ` +
          `${known.join(", ")}: ${
            isObject ? `it has "${foreign}"` : `current value is ${describe(fields)}`
          }`,
      );
    }
  }

  /** A field, such as `outputs.mlmOutput`; where it is missing, the message says what to do. */
  need(field: string, remedy = "it is always needed"): TensorLike {
    const value = this.find(field);
    if (value !== undefined) return value;
    throw new TypeError(`Cannot compute ${this.#caller} as ${field} is missing: ${remedy}`);
  }

  /** A field, such as `outputs.mlmOutput`, that may be missing. */
  find(field: string): TensorLike | undefined {
    const [argument, name] = field.split(".") as [string, string];
    return this.#given[argument]![name];
  }

  /** A masked loss of a field of `outputs` with the values and the mask of `targets`. */
  masked(loss: MaskedLoss, field: string, remedy?: string): Tensor {
    const output = this.need(field, remedy);
    const [values, mask] = [this.need("targets.values"), this.need("targets.mask")];
    const named = { [field]: output, "targets.values": values, "targets.mask": mask };
    const tensors = Object.entries(named).map(([name, given]) =>
      [name, asOperand(this.#caller, given, name)] as const
    );
    checkSameShape(this.#caller, Object.fromEntries(tensors));
    return loss(output, values, mask);
  }
}

/** Throws a `TypeError` unless all switches are `true` or `false`. */
export function checkSwitches(caller: string, switches: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(switches)) checkBoolean(caller, name, value);
}

/** Throws unless all weights are finite numbers of at least 0. */
export function checkWeights(caller: string, weights: Readonly<Record<string, unknown>>): void {
  for (const [name, weight] of Object.entries(weights)) {
    checkNumber(caller, name, weight, { min: 0 });
  }
}

/** The sum of the parts in their order, each times its weight, 1 where none is given. */
export function weightedTotal<Part extends string>(
  parts: { [P in Part]?: Tensor },
  weights: { [P in Part]?: number },
): Objective<Part> {
  const terms = (Object.keys(parts) as Part[]).map((name) => mul(parts[name]!, weights[name] ?? 1));
  return { total: terms.reduce((a, b) => add(a, b)), parts };
}

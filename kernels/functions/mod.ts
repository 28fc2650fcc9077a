/**
 * The scalar functions that expressions may call: all that is known of each, in one place.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, Precision, Scalar } from "./algebra.ts";
import * as angles from "./angles.ts";
import { exp, exp2, expm1, log, log10, log1p, log2 } from "./elementary.ts";
import * as errorFunction from "./error_function.ts";
import { lgamma, polygamma } from "./gamma.ts";
import * as hyperbolic from "./hyperbolic.ts";
import * as likelihood from "./negative_binomial.ts";
import { logarithmHigh, logarithmLow, pow, powOfLogarithm } from "./power.ts";
import { mod } from "./rounding.ts";

/** What a function computes, as a graph of scalars. */
export type Text = (...operands: Float[]) => Float;

/** What is known of a function. */
export interface Definition {
  /** How many operands it takes; the extremes take more as well. */
  readonly arity: number;
  /** What it computes; without, printers have instructions that do. */
  readonly text?: Text;
  /** How many times as long as an addition it takes, where it has no text. */
  readonly cost?: number;
}

/** The functions that are written, with as many parameters as they take operands. */
const TEXTS: Readonly<Record<string, Text>> = {
  ...{ exp, expm1, log, log1p, exp2, log2, log10 },
  ...hyperbolic,
  ...{ pow, logarithmHigh, logarithmLow, powOfLogarithm },
  ...{ floor: a.floor, ceil: a.ceil, round: a.round, trunc: a.trunc, mod },
  ...errorFunction,
  lgamma,
  ...likelihood,
};

/** All functions, and derivatives of digamma by their names: `polygamma0` is digamma itself. */
const definitions = new Map<string, Definition>(Object.entries({
  abs: { arity: 1, cost: 1 },
  max: { arity: 2, cost: 1 },
  min: { arity: 2, cost: 1 },
  sign: { arity: 1, cost: 2 },
  sqrt: { arity: 1, cost: 4 },
}));
for (const name in TEXTS) definitions.set(name, { arity: TEXTS[name]!.length, text: TEXTS[name]! });
for (const name of a.HOST_FUNCTIONS) {
  const single: Text = angles[name];
  const text: Text = (...x) => x[0]!.precision === "float32" ? single(...x) : a.host(name, ...x);
  definitions.set(name, { arity: single.length, text });
}

/** What is known of the function of that name; `undefined` if there is none. */
export function definitionOf(name: string): Definition | undefined {
  const known = definitions.get(name);
  if (known !== undefined) return known;
  const order = /^polygamma(\d+)$/.exec(name)?.[1];
  if (order === undefined) return undefined;
  const made = { arity: 1, text: polygamma(Number(order)) };
  definitions.set(name, made);
  return made;
}

/** The names of a text's parameters. */
export const PARAMETERS = ["x", "y", "z", "w"] as const;

const graphs = new Map<string, Scalar>();

/** What a function computes of its parameters `x`, `y`, `z` and `w`. */
export function graphOf(name: string, precision: Precision): Scalar {
  const key = `${name} ${precision}`;
  const known = graphs.get(key);
  if (known !== undefined) return known;
  const { arity, text } = definitionOf(name)!;
  if (text === undefined) throw new TypeError(`Cannot print ${name} as it is an instruction`);
  const graph = text(...PARAMETERS.slice(0, arity).map((x) => a.parameter(x, precision)));
  graphs.set(key, graph);
  return graph;
}

/** What functions take that are more than a few instructions, at least. */
export const COSTLY = 15;

const costs = new Map<string, number>();

/** Roughly how many times as long as an addition a function takes. */
export function costOfFunction(name: string): number {
  const cost = costs.get(name) ?? definitionOf(name)!.cost ??
    countOf(graphOf(name, "float32"), new Set());
  costs.set(name, cost);
  return cost;
}

/** The operations of a graph, those of called functions among them; constants are free. */
function countOf(scalar: Scalar, seen: Set<Scalar>): number {
  if (seen.has(scalar)) return 0;
  seen.add(scalar);
  const { operation, operands, literal } = scalar;
  if (operands.length === 0) return 0;
  const isSlow = operation === "div" || operation === "sqrt";
  const own = operation === "call" ? costOfFunction(literal as string) : isSlow ? 4 : 1;
  return operands.reduce((sum, x) => sum + countOf(x, seen), own);
}

/**
 * The scalar functions that expressions may call: all that is known of each, in one place.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, HostFunction, Precision, Scalar } from "./algebra.ts";
import * as angles from "./angles.ts";
import * as elementary from "./elementary.ts";
import * as errorFunction from "./error_function.ts";
import * as gamma from "./gamma.ts";
import * as hyperbolic from "./hyperbolic.ts";
import { erfinv } from "./inverse_error_function.ts";
import * as likelihood from "./negative_binomial.ts";
import * as power from "./power.ts";
import { mod } from "./rounding.ts";

/** What a function computes, as a graph of scalars. */
export type Text = (x: Float, y: Float, z: Float, w: Float) => Float;

/** What is known of a function. */
export interface Definition {
  /** How many operands it takes; the extremes take more as well. */
  readonly arity: number;
  /** What it computes in each precision; without, printers have instructions that do. */
  readonly texts?: Readonly<Record<Precision, Text>>;
}

/** A function that the host has in double precision. */
function hosted(name: HostFunction, float32: Text): Definition {
  const arity = a.HOST_FUNCTIONS[name];
  const float64: Text = (x, y) => arity === 1 ? a.host(name, x) : a.host(name, x, y);
  return { arity, texts: { float32, float64 } };
}

/** A function that is written alike in both precisions. */
function written(arity: number, text: Text): Definition {
  return { arity, texts: { float32: text, float64: text } };
}

const DEFINITIONS: Readonly<Record<string, Definition>> = {
  abs: { arity: 1 },
  max: { arity: 2 },
  min: { arity: 2 },
  sign: { arity: 1 },
  sqrt: { arity: 1 },
  exp: written(1, elementary.exp),
  expm1: written(1, elementary.expm1),
  log: written(1, elementary.log),
  log1p: written(1, elementary.log1p),
  exp2: written(1, elementary.exp2),
  log2: written(1, elementary.log2),
  log10: written(1, elementary.log10),
  sinh: written(1, hyperbolic.sinh),
  cosh: written(1, hyperbolic.cosh),
  tanh: written(1, hyperbolic.tanh),
  asinh: written(1, hyperbolic.asinh),
  acosh: written(1, hyperbolic.acosh),
  atanh: written(1, hyperbolic.atanh),
  sin: hosted("sin", angles.sin),
  cos: hosted("cos", angles.cos),
  tan: hosted("tan", angles.tan),
  asin: hosted("asin", angles.asin),
  acos: hosted("acos", angles.acos),
  atan: hosted("atan", angles.atan),
  atan2: hosted("atan2", angles.atan2),
  pow: written(2, power.pow),
  logarithmHigh: written(1, power.logarithmHigh),
  logarithmLow: written(1, power.logarithmLow),
  powOfLogarithm: written(4, power.powOfLogarithm),
  floor: written(1, a.floor),
  ceil: written(1, a.ceil),
  round: written(1, a.round),
  trunc: written(1, a.trunc),
  mod: written(2, mod),
  erf: written(1, errorFunction.erf),
  erfc: written(1, errorFunction.erfc),
  erfinv: written(1, erfinv),
  lgamma: written(1, gamma.lgamma),
  binet: written(1, likelihood.binet),
  dispersionOffset: written(2, likelihood.dispersionOffset),
  offsetByDispersion: written(2, likelihood.offsetByDispersion),
  negativeBinomial: written(4, likelihood.negativeBinomial),
  negativeBinomialByCount: written(4, likelihood.byCount),
  negativeBinomialByDispersion: written(4, likelihood.byDispersion),
};

/** The derivatives of digamma, by their names: `polygamma0` is digamma itself. */
const polygammas = new Map<string, Definition>();

/** What is known of the function of that name; `undefined` if there is none. */
export function definitionOf(name: string): Definition | undefined {
  if (Object.hasOwn(DEFINITIONS, name)) return DEFINITIONS[name];
  const order = /^polygamma(\d+)$/.exec(name)?.[1];
  if (order === undefined) return undefined;
  const made = polygammas.get(name) ?? written(1, gamma.polygamma(Number(order)));
  polygammas.set(name, made);
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
  const { arity, texts } = definitionOf(name)!;
  if (texts === undefined) throw new TypeError(`Cannot print ${name} as it is an instruction`);
  const parameters = PARAMETERS.slice(0, arity).map((x) => a.parameter(x, precision));
  const graph = texts[precision](...parameters as Parameters<Text>);
  graphs.set(key, graph);
  return graph;
}

/** What functions without a text take, in additions. */
const QUICK: Readonly<Record<string, number>> = { abs: 1, max: 1, min: 1, sign: 2, sqrt: 4 };

/** What functions take that are more than a few instructions, at least. */
export const COSTLY = 15;

const costs = new Map<string, number>();

/** Roughly how many times as long as an addition a function takes. */
export function costOfFunction(name: string): number {
  const cost = costs.get(name) ?? QUICK[name] ?? countOf(graphOf(name, "float32"), new Set());
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

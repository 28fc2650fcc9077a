/**
 * The scalar functions that expressions may call: all that is known of each, in one place.
 *
 * @module
 */
import {
  type Float,
  host,
  HOST_FUNCTIONS,
  type HostFunction,
  parameter,
  type Precision,
  type Scalar,
} from "./algebra.ts";
import * as elementary from "./elementary.ts";

/** What a function computes, as a graph of scalars. */
export type Text = (x: Float, y: Float, z: Float) => Float;

/** What is known of a function. */
export interface Definition {
  /** How many operands it takes. */
  readonly arity: number;
  /** Roughly how many times as long as an addition it takes. */
  readonly cost: number;
  /** What it computes in each precision. */
  readonly texts: Readonly<Record<Precision, Text>>;
}

/** What calls of functions take that are more than a few instructions, at least. */
export const COSTLY = 20;

/** A function that the host has in double precision. */
function hosted(name: HostFunction, float32: Text): Definition {
  const float64: Text = (x, y) => HOST_FUNCTIONS[name] === 1 ? host(name, x) : host(name, x, y);
  return { arity: HOST_FUNCTIONS[name], cost: COSTLY, texts: { float32, float64 } };
}

const DEFINITIONS: Readonly<Record<string, Definition>> = {
  exp: hosted("exp", elementary.exp),
  expm1: hosted("expm1", elementary.expm1),
  log: hosted("log", elementary.log),
  log1p: hosted("log1p", elementary.log1p),
  tanh: hosted("tanh", elementary.tanh),
};

/** What is known of the function of that name; `undefined` if there is none. */
export function definitionOf(name: string): Definition | undefined {
  return Object.hasOwn(DEFINITIONS, name) ? DEFINITIONS[name] : undefined;
}

const graphs = new Map<string, Scalar>();

/** What a function computes of its parameters `x`, `y` and `z`. */
export function graphOf(name: string, precision: Precision): Scalar {
  const key = `${name} ${precision}`;
  const known = graphs.get(key);
  if (known !== undefined) return known;
  const { arity, texts } = definitionOf(name)!;
  const parameters = ["x", "y", "z"].slice(0, arity).map((x) => parameter(x, precision));
  const graph = texts[precision](...parameters as Parameters<Text>);
  graphs.set(key, graph);
  return graph;
}

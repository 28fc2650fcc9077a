/**
 * Parameters of layers: plain objects of tensors under the names of PyTorch's `state_dict`.
 *
 * @module
 */
import { type DType, isFloating } from "../dtype.ts";
import { checkNumber, checkObject, readOptions } from "../options.ts";
import { split, uniform } from "../random.ts";
import { checkFloating, checkKey } from "../random/ops.ts";
import { formatShape, type Shape } from "../shape.ts";
import { asOperand, asTensor, type Tensor, type TensorLike } from "../tensor.ts";

/** Parameters as initializers return them: tensors, and none of them left out. */
export type Initialized<P> = P extends TensorLike ? Tensor
  : { [K in keyof P]-?: Initialized<Exclude<P[K], undefined>> };

/** Options of initializers. */
export interface InitOptions {
  /** `float32` or `float64`; `float32` by default. */
  dtype?: DType | undefined;
}

/** The function that reads parameters, and the way to them among its arguments, for messages. */
export interface Place {
  /** The function's name. */
  caller: string;
  /** `params`, `params.self_attn`. */
  path: string;
}

/** The place of a branch. */
export function branchOf({ caller, path }: Place, name: string): Place {
  return { caller, path: `${path}.${name}` };
}

/** How many names a message lists. */
const MOST_LISTED = 8;

/** What is missing among names, and what is left over, in a message's words; empty for nothing. */
export function differenceOf(missing: readonly string[], left: readonly string[]): string {
  const list = (what: string, names: readonly string[]) => {
    if (names.length === 0) return [];
    const rest = names.length - MOST_LISTED;
    const shown = names.slice(0, MOST_LISTED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
    return [`${what} ${names.length > 1 ? "are" : "is"} ${shown}`];
  };
  return [...list("missing", missing), ...list("left over", left)].join("; ");
}

/** Throws a `TypeError` unless parameters are an object with all names, and no others. */
export function checkNames(
  { caller, path }: Place,
  params: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): asserts params is Record<string, unknown> {
  checkObject(caller, path, params);
  const found = Object.entries(params as object).filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  const missing = required.filter((name) => !found.includes(name));
  const left = found.filter((name) => !required.includes(name) && !optional.includes(name));
  const difference = differenceOf(missing, left);
  if (difference === "") return;
  const may = optional.length === 0 ? "" : `, and may have ${optional.join(", ")}`;
  throw new TypeError(
    `Cannot compute ${caller} as ${path} must have ${
      required.join(", ") || "nothing else"
    }${may}: ` +
      difference,
  );
}

/** Tensors by name, some of them only where they are given. */
export type Named<R extends string, O extends string> =
  & { [K in R]: Tensor }
  & { [K in O]?: Tensor };

/** The parameters of a layer without branches as tensors; others than those named are refused. */
export function readParams<R extends string, O extends string = never>(
  place: Place,
  params: unknown,
  required: readonly R[],
  optional: readonly O[] = [],
  ignored: readonly string[] = [],
): Named<R, O> {
  checkNames(place, params, required, [...optional, ...ignored]);
  return leavesOf(place, params, [...required, ...optional]);
}

/** Those of the parameters that are given as tensors, by name. */
export function leavesOf<R extends string, O extends string = never>(
  { caller, path }: Place,
  params: Record<string, unknown>,
  names: readonly (R | O)[],
): Named<R, O> {
  const given = names.filter((name) => params[name] !== undefined);
  const tensors = given.map((name) => {
    const value = params[name] as TensorLike;
    return [name, asOperand(caller, value, `${path}.${name}`)];
  });
  return Object.fromEntries(tensors) as Named<R, O>;
}

/** An input as a tensor; plain numbers take the type of the weights. */
export function takeInput(
  caller: string,
  name: string,
  x: TensorLike,
  like: Tensor | undefined,
): Tensor {
  const dtype = like !== undefined && isFloating(like.dtype) ? like.dtype : "float32";
  return asTensor(x, dtype, caller, name);
}

/** Throws a `TypeError` unless the last axis of an input has the extent that the weights take. */
export function checkFeatures(caller: string, name: string, x: Tensor, features: number): void {
  if (x.rank > 0 && x.shape.at(-1) === features) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must have ${features} features along its last axis, as ` +
      `the weights do: current shape is ${formatShape(x.shape)}`,
  );
}

/** Throws unless an argument is a number of features, heads or layers. */
export function checkCount(caller: string, name: string, value: unknown): void {
  checkNumber(caller, name, value, { min: 1, max: 2 ** 31 - 1, integer: true });
}

/** The element type that an initializer is asked for. */
export function readDType(caller: string, options: InitOptions): DType {
  const { dtype } = readOptions(caller, options, { dtype: "float32" });
  checkFloating(caller, dtype);
  return dtype;
}

/** Independent keys for the parts of a layer. */
export function keysFor(caller: string, key: Tensor, n: number): Tensor[] {
  checkKey(caller, key);
  return split(key, n);
}

/** Numbers within ±bound, all equally likely. */
export function uniformWithin(key: Tensor, shape: Shape, bound: number, dtype: DType): Tensor {
  return uniform(key, shape, { min: -bound, max: bound, dtype });
}

/**
 * Parameters by name: the flat dictionaries of PyTorch as trees, and back.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkObject, readOptions, refuseMore } from "../options.ts";
import { formatShape, sameShape } from "../shape.ts";
import { asOperand, Tensor, type TensorLike } from "../tensor.ts";
import { flattenTree } from "../tree.ts";
import { differenceOf } from "./params.ts";

/** Parameters of any model: tensors in plain objects. */
export interface ParamTree {
  /** A tensor, or a branch. */
  [name: string]: Tensor | ParamTree;
}

/** Options of {@linkcode fromStateDict}. */
export interface FromStateDictOptions<P> {
  /** Parameters that have the names and shapes that there must be; by default anything goes. */
  like?: P | undefined;
}

/**
 * The parameters of a model out of a dictionary of PyTorch, as a safetensors file holds it: names
 * are cut at their dots, numbers among them stay keys of objects. A branch is what the layer of
 * that name takes.
 *
 * @typeParam P The form of the parameters.
 * @param tensors The tensors by name: `model.state_dict()`.
 * @param options `like`, parameters of the same names and shapes, as an initializer gives them.
 * @returns The tree.
 * @throws {TypeError} If a name is empty somewhere, or one is a tensor's and a branch's; with
 * `like`, if names are missing or left over, or shapes differ: the message lists them.
 *
 * @example A file that PyTorch wrote
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { readSafetensors, writeSafetensors } from "@cellgrad/cellgrad/data";
 * import { fromStateDict, linear, type LinearParams } from "@cellgrad/cellgrad/nn";
 * import { assertEquals } from "@std/assert";
 *
 * // safetensors.torch.save_file(model.state_dict(), "model.safetensors")
 * const file = writeSafetensors({
 *   "decoder.fc.weight": tensor([[1, 2, 3], [4, 5, 6]]),
 *   "decoder.fc.bias": tensor([0.5, 0]),
 * });
 *
 * const { tensors } = await readSafetensors(file); // or the path
 * const { decoder } = fromStateDict<{ decoder: { fc: LinearParams } }>(tensors);
 * assertEquals(linear(decoder.fc, [[1, 0, -1]]).toArray(), [[-1.5, -2]]);
 * ```
 */
export function fromStateDict<P extends object = ParamTree>(
  tensors: Readonly<Record<string, TensorLike>>,
  options: FromStateDictOptions<P> = {},
): P {
  if (arguments.length > 2) refuseMore("fromStateDict", "options", 2, arguments);
  checkObject("fromStateDict", "tensors", tensors);
  const { like } = readOptions("fromStateDict", options, { like: undefined });
  const root: Branch = new Map();
  const found: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(tensors)) {
    const x = asOperand("fromStateDict", value, `tensors[${describe(name)}]`);
    found[name] = x;
    place(root, name, x);
  }
  if (like !== undefined) compare(found, namedLeaves("fromStateDict", like, "like"));
  return toObject(root) as P;
}

/** A tree while it grows. */
type Branch = Map<string, Tensor | Branch>;

/** How many dots a name may have. */
const DEEPEST = 200;

/** Puts a tensor where its name says. */
function place(root: Branch, name: string, x: Tensor): void {
  const parts = name.split(".");
  if (parts.includes("") || parts.length > DEEPEST) {
    throw new TypeError(
      `Cannot compute fromStateDict as names must have between 1 and ${DEEPEST} parts between ` +
        `dots, none of them empty: current value is ${describe(name)}`,
    );
  }
  const last = parts.pop()!;
  let branch: Tensor | Branch = root;
  for (const part of parts) {
    if (!branch.has(part)) branch.set(part, new Map());
    branch = branch.get(part)!;
    if (branch instanceof Tensor) throw twice(name);
  }
  if (branch.has(last)) throw twice(name);
  branch.set(last, x);
}

function twice(name: string): TypeError {
  return new TypeError(
    `Cannot compute fromStateDict as a name must be that of a tensor or of a branch: ` +
      `both are on the way to ${describe(name)}`,
  );
}

function toObject(branch: Branch): ParamTree {
  return Object.fromEntries(
    Array.from(branch, ([name, x]) => [name, x instanceof Tensor ? x : toObject(x)]),
  );
}

/** Lists in a `TypeError` what is missing, what is left over, and what has another shape. */
function compare(found: Record<string, Tensor>, like: Record<string, Tensor>): void {
  const has = (tensors: object, name: string) => Object.hasOwn(tensors, name);
  const missing = Object.keys(like).filter((name) => !has(found, name));
  const left = Object.keys(found).filter((name) => !has(like, name));
  const difference = differenceOf(missing, left);
  if (difference !== "") {
    throw new TypeError(
      `Cannot compute fromStateDict as tensors must have the names of like: ${difference}`,
    );
  }
  const other = Object.keys(like).find((name) => !sameShape(found[name]!.shape, like[name]!.shape));
  if (other === undefined) return;
  throw new TypeError(
    `Cannot compute fromStateDict as ${other} must have the shape ` +
      `${formatShape(like[other]!.shape)}: current shape is ${formatShape(found[other]!.shape)}`,
  );
}

/**
 * The tensors of a tree by name, as PyTorch has them in a `state_dict`: the keys on the way, joined
 * by dots. Places in arrays are numbers.
 *
 * @param tree The parameters of a model: arrays and plain objects of tensors.
 * @returns The tensors by name, in order.
 * @throws {TypeError} If something in the tree is neither a tensor nor becomes one, or a key is
 * empty or has a dot.
 *
 * @example For PyTorch's load_state_dict
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { writeSafetensors } from "@cellgrad/cellgrad/data";
 * import { toStateDict } from "@cellgrad/cellgrad/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const named = toStateDict({ encoder: { 0: { weight: tensor([[1, 2]]) } } });
 * assertEquals(Object.keys(named), ["encoder.0.weight"]);
 * const bytes = writeSafetensors(named); // safetensors.torch.load_file reads it
 * ```
 */
export function toStateDict(tree: object): Record<string, Tensor> {
  if (arguments.length > 1) refuseMore("toStateDict", "tree", 1, arguments);
  return namedLeaves("toStateDict", tree, "tree");
}

/** The leaves of a tree by the keys on the way, joined by dots. */
function namedLeaves(caller: string, tree: object, path: string): Record<string, Tensor> {
  const flat = flattenTree(caller, tree, path);
  const named: [string, Tensor][] = [];
  const visit = (node: unknown, way: readonly string[]): void => {
    if (node instanceof Tensor) return void named.push([way.join("."), node]);
    for (const [key, child] of Object.entries(node as object)) {
      if (key === "" || key.includes(".")) throw noName(caller, path, key);
      visit(child, [...way, key]);
    }
  };
  const whole = flat.rebuild(flat.leaves);
  if (whole instanceof Tensor) throw noName(caller, path, "");
  visit(whole, []);
  return Object.fromEntries(named);
}

function noName(caller: string, path: string, key: string): TypeError {
  return new TypeError(
    `Cannot compute ${caller} as ${path} must be an object or array whose keys have no dots and ` +
      `are not empty: current key is ${describe(key)}`,
  );
}

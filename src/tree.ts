/**
 * Trees: tensors in arrays and objects, nested as you like, as parameters of models are.
 *
 * A leaf is a tensor, or what becomes one: a number, a typed array, an array of (arrays of) numbers.
 * Every other array and every plain object is a branch.
 *
 * @module
 */
import { describe } from "./describe.ts";
import { checkFunction } from "./options.ts";
import { MAX_RANK } from "./shape.ts";
import { refuseMore } from "./options.ts";
import { asOperand, Tensor, type TensorLike } from "./tensor.ts";

/** A tensor, or arrays and plain objects of tensors, nested as you like. */
export type Tree = Tensor | readonly [] | readonly Tree[] | { readonly [name: string]: Tree };

/** A tree with tensors where `T` has tensors, or what becomes one. */
export type TensorTree<T> = T extends TensorLike ? Tensor
  : T extends (...args: never[]) => unknown ? T
  : T extends object ? { [K in keyof T]: TensorTree<T[K]> }
  : T;

/** What is accepted for `T`: wherever it has a tensor, anything that becomes one. */
export type LikeTree<T> = [TensorLike] extends [T] ? T
  : T extends Tensor ? TensorLike
  : T extends (...args: never[]) => unknown ? T
  : T extends readonly number[] ? T
  : T extends object ? { [K in keyof T]: LikeTree<T[K]> }
  : T;

/** A tree taken apart: its leaves in order, and how to put others in their places. */
export interface Flat {
  /** The leaves. */
  leaves: Tensor[];
  /** Where the i-th stands, as `.layers[0].weight`; empty for a tree that is a leaf. */
  placeOf: (i: number) => string;
  /** A tree of the same branches with other leaves. */
  rebuild: (leaves: readonly unknown[]) => unknown;
}

/** Whether arrays hold nothing but numbers: what else is wrong with them, `asTensor` finds. */
function isNumeric(value: unknown, known?: Set<unknown>, depth = 0): boolean {
  if (!Array.isArray(value)) return typeof value === "number" || typeof value === "boolean";
  // What was seen is not looked at again: few arrays can be entries of many.
  if (depth > MAX_RANK || known?.has(value)) return true;
  const seen = known ?? new Set();
  for (let i = 0; i < value.length; i++) {
    if (value[i] === undefined && !(i in value)) break;
    if (!isNumeric(value[i], seen, depth + 1)) return false;
  }
  if (depth > 0) seen.add(value);
  return value.length > 0;
}

function isLeaf(value: unknown): value is TensorLike {
  return value instanceof Tensor || ArrayBuffer.isView(value) || isNumeric(value);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** How many branches deep a tree may be. */
export const DEEPEST = 256;

/** How long an array in a tree may be. */
const LONGEST = 2 ** 25;

/** How many arrays and objects a tree may hold. */
const MOST_BRANCHES = 2 ** 20;

/** Takes a tree apart; throws a `TypeError` that names the caller and the place of a foreign leaf. */
export function flattenTree(caller: string, tree: unknown, path = "the tree"): Flat {
  const leaves: Tensor[] = [];
  const paths: string[] = [];
  type Branch = (take: () => unknown) => unknown;
  const above: unknown[] = [];
  let count = 0;
  const visit = (node: unknown, at: string): Branch => {
    if (isLeaf(node)) {
      leaves.push(asOperand(caller, node, at));
      paths.push(at);
      return (take) => take();
    }
    if (!Array.isArray(node) && !isPlainObject(node)) throw noTree(caller, at, node);
    if (above.length === DEEPEST) throw endless(caller, path, above);
    if (++count > MOST_BRANCHES) {
      throw new RangeError(
        `Cannot compute ${caller} as ${path} must have at most ${MOST_BRANCHES} branches`,
      );
    }
    above.push(node);
    const branch = Array.isArray(node) ? inArray(node, at) : inObject(node, at);
    above.pop();
    return branch;
  };
  const inArray = (node: readonly unknown[], at: string): Branch => {
    const branches = Array.from(node, (child, i) => visit(child, `${at}[${i}]`));
    return (take) => branches.map((branch) => branch(take));
  };
  const inObject = (node: object, at: string): Branch => {
    const branches = Object.entries(node).map(([key, child]) =>
      [key, visit(child, `${at}.${key}`)] as const
    );
    return (take) => Object.fromEntries(branches.map(([key, branch]) => [key, branch(take)]));
  };
  const root = visit(tree, path);
  return {
    leaves,
    placeOf: (i) => paths[i]!.slice(path.length),
    rebuild(values) {
      let at = 0;
      return root(() => values[at++]);
    },
  };
}

function noTree(caller: string, at: string, node: unknown): TypeError {
  return new TypeError(
    `Cannot compute ${caller} as ${at} must be a tensor, or an array or plain object of tensors: ` +
      `current value is ${describe(node)}`,
  );
}

function endless(caller: string, path: string, above: readonly unknown[]): TypeError {
  const isCycle = new Set(above).size < above.length;
  return new TypeError(
    `Cannot compute ${caller} as ${path} ` +
      (isCycle ? `must not contain itself` : `must be at most ${DEEPEST} branches deep`),
  );
}

/** Leaves that follow one another, put into their trees. */
export function rebuildAll(flats: readonly Flat[], leaves: readonly unknown[]): unknown[] {
  let at = 0;
  return flats.map((flat) => flat.rebuild(leaves.slice(at, at += flat.leaves.length)));
}

/**
 * Calls a function on the leaves of a tree, and on those in the same places of others.
 *
 * @param f Called with one leaf of each tree.
 * @param tree A tensor, or arrays and plain objects of tensors.
 * @param others Trees with the same branches.
 * @returns A tree of the results.
 * @throws {TypeError} If a tree has foreign leaves, or the trees have different branches.
 *
 * @example A step of gradient descent
 * ```ts
 * import { tensor, type Tensor, treeMap } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const params = { w: tensor([1, 2]), b: tensor(0) };
 * const grads = { w: tensor([1, 1]), b: tensor(1) };
 * const next = treeMap((p: Tensor, g: Tensor) => p.sub(g.mul(0.5)), params, grads);
 * assertEquals(next.w.toArray(), [0.5, 1.5]);
 * ```
 */
export function treeMap<T>(
  f: (leaf: Tensor, ...others: Tensor[]) => Tensor,
  tree: T,
  ...others: readonly unknown[]
): TensorTree<T> {
  checkFunction("treeMap", "f", f);
  const flat = flattenTree("treeMap", tree);
  const rest = others.map((other, i) => leavesLike("treeMap", other, flat, `tree ${i + 2}`));
  const results = flat.leaves.map((leaf, i) => f(leaf, ...rest.map((leaves) => leaves[i]!)));
  return flat.rebuild(results) as TensorTree<T>;
}

/**
 * The leaves of a tree in the order of another one of the same branches, by keys; else throws an error
 * that names both trees where the other has a name.
 */
export function leavesLike(
  caller: string,
  tree: unknown,
  like: Flat,
  path: string,
  likePath?: string,
): Tensor[] {
  const own = flattenTree(caller, tree, path);
  const [expected, found] = [outline(like), outline(own)];
  if (found !== expected) {
    throw new TypeError(
      `Cannot compute ${caller} as ` +
        (likePath === undefined ? "the trees must have" : `${likePath} and ${path} must have`) +
        " the same branches: " +
        `current values are ${expected} and ${found}`,
    );
  }
  const aligned = new Array<Tensor>(own.leaves.length);
  const visit = (place: unknown, at: unknown): void => {
    if (typeof place === "number") aligned[place] = own.leaves[at as number]!;
    else {
      for (const key of Object.keys(place as object)) {
        visit((place as Record<string, unknown>)[key], (at as Record<string, unknown>)[key]);
      }
    }
  };
  const positions = own.leaves.map((_, i) => i);
  visit(like.rebuild(positions), own.rebuild(positions));
  return aligned;
}

/** The branches of a tree as text, with 0 for the leaves and keys in order. */
export function outline({ leaves, rebuild }: Pick<Flat, "leaves" | "rebuild">): string {
  return JSON.stringify(sortKeys(rebuild(leaves.map(() => 0))));
}

function sortKeys(node: unknown): unknown {
  if (!isPlainObject(node)) return Array.isArray(node) ? node.map(sortKeys) : node;
  return Object.fromEntries(Object.keys(node).sort().map((key) => [key, sortKeys(node[key])]));
}

/** All leaves of a tree, in order. */
export function treeLeaves(tree: unknown): Tensor[] {
  if (arguments.length > 1) refuseMore("treeLeaves", "tree", 1, arguments);
  return flattenTree("treeLeaves", tree).leaves;
}

/** Replaces the tensors in any arrays and plain objects, and leaves everything else as it is. */
export function mapTensors(
  caller: string,
  path: string,
  value: unknown,
  f: (x: Tensor) => unknown,
): unknown {
  const above: unknown[] = [];
  const done = new Map<unknown, unknown>();
  const visit = (node: unknown): unknown => {
    if (node instanceof Tensor) return f(node);
    if (!Array.isArray(node) && !isPlainObject(node)) return node;
    if (done.has(node)) return done.get(node);
    if (above.length === DEEPEST) throw endless(caller, path, above);
    if (Array.isArray(node) && node.length > LONGEST) {
      throw new RangeError(
        `Cannot compute ${caller} as ${path} must hold arrays of at most ${LONGEST} entries: ` +
          `current length is ${node.length}`,
      );
    }
    above.push(node);
    const mapped = Array.isArray(node)
      ? node.map(visit)
      : Object.fromEntries(Object.entries(node).map(([key, child]) => [key, visit(child)]));
    above.pop();
    done.set(node, mapped);
    return mapped;
  };
  return visit(value);
}

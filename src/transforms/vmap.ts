/**
 * Functions of one row as functions of many.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkFunction, isPlainObject, readOptions, refuseMore } from "../options.ts";
import { moveAxis } from "../ops/mod.ts";
import { formatShape, normalizeAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import {
  DEEPEST,
  type Flat,
  flattenTree,
  type LikeTree,
  rebuildAll,
  type TensorTree,
} from "../tree.ts";
import { BatchTrace, type Operand, rowsOf } from "./batching.ts";
import { batchRule } from "./batching_rules.ts";

/** An axis for all tensors of a tree, `null` for none; or a tree of axes whose branches it has. */
export type MappedAxes =
  | (number | null)
  | readonly MappedAxes[]
  | { readonly [name: string]: MappedAxes };

/** Options of {@linkcode vmap}. */
export interface VmapOptions<A extends MappedAxes = MappedAxes> {
  /**
   * Which axis of the arguments is mapped over, 0 by default: one for all, or an array with one for
   * each argument. `null` hands an argument on as it is; a tree of axes is for the branches of one.
   */
  inAxes?: A | undefined;
  /** Where the rows lie in the result, axis 0 by default; `null` where all are the same. */
  outAxes?: MappedAxes | undefined;
}

/** The arguments, with anything that becomes a tensor where they are mapped over. */
export type VmapArguments<Args extends readonly unknown[], A> = {
  [I in keyof Args]: A extends readonly unknown[]
    ? A[I & keyof A] extends null ? Args[I] : LikeTree<Args[I]>
    : LikeTree<Args[I]>;
};

const CALLER = "vmap";

/**
 * A function of one row as a function of many: `vmap(f)(x)` is what `f` gives for `x[0]`, `x[1]`, …,
 * stacked. `f` is called once, on tensors that stand for all rows, and each of its operations is done
 * to all of them at once. It may be nested, and stand within or around gradients of any order,
 * compiled programs, loops and choices: a `whileLoop` ends for each row by itself, a `cond` chooses
 * for each. A random key that is mapped over gives each row its own numbers, those that `f` would
 * draw from it alone; one that is not gives all rows the same.
 *
 * @param f The function of one row; it takes and returns tensors, or arrays and plain objects of
 * them.
 * @param options `inAxes`, which axis of each argument is mapped over, 0 by default; `outAxes`,
 * where the rows lie in the result, 0 by default.
 * @returns A function of the same arguments, each mapped one with one axis more, and of as many rows
 * as the others. Its results have one axis more, too; what does not depend on the rows is repeated.
 * @throws {TypeError} When called, if the axes have other branches than the arguments or the result,
 * nothing is mapped, the mapped axes have different extents, `f` reads values, or a result under
 * `outAxes: null` differs from row to row.
 * @throws {RangeError} When called, if an axis does not exist.
 *
 * @example The gradient of every cell by itself
 * ```ts
 * import { grad, type Tensor, tensor, vmap } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const loss = (w: Tensor, cell: Tensor) => w.mul(cell).sum().square();
 * const perCell = vmap(grad(loss), { inAxes: [null, 0] });
 * assertEquals(perCell(tensor([1, 2]), [[1, 0], [0, 1]]).toArray(), [[2, 0], [0, 4]]);
 * ```
 */
export function vmap<Args extends unknown[], R, const A extends MappedAxes = 0>(
  f: (...args: Args) => R,
  options: VmapOptions<A> = {},
): (...args: VmapArguments<Args, A>) => TensorTree<R> {
  checkFunction(CALLER, "f", f);
  if (arguments.length > 2) refuseMore(CALLER, "options", 2, arguments);
  const { inAxes, outAxes } = readOptions(CALLER, options, { inAxes: 0, outAxes: 0 });
  checkAxes("inAxes", inAxes);
  checkForArguments(inAxes);
  checkAxes("outAxes", outAxes);
  return (...args) => {
    const given = readArguments(args, inAxes);
    const count = countRows(given);
    const values = given.flatMap(({ rows }) => rows);
    const isMapped = given.flatMap(({ axes }) => axes.map((axis) => axis !== null));
    let flat: Flat | undefined;
    const found = new BatchTrace(CALLER, count, batchRule).run(values, isMapped, (live) => {
      const result: unknown = f(...rebuildAll(given.map(({ flat }) => flat), live) as Args);
      flat = flattenTree(CALLER, result, "the function's result");
      return flat.leaves;
    });
    const axes = axesLike("outAxes", outAxes, flat!, "the function's result");
    return flat!.rebuild(found.map((y, k) => placeRows(y, axes[k]!, count))) as TensorTree<R>;
  };
}

/** An argument, taken apart. */
interface Argument {
  /** What is handed on as it is has no leaves. */
  flat: Flat;
  /** Which axis of each leaf is mapped over. */
  axes: readonly (number | null)[];
  /** The leaves, with that axis in front. */
  rows: readonly Tensor[];
}

/** The arguments with their rows in front. */
function readArguments(args: readonly unknown[], inAxes: MappedAxes): Argument[] {
  if (Array.isArray(inAxes) && inAxes.length !== args.length) {
    throw new TypeError(
      `Cannot compute ${CALLER} as inAxes must have one entry for each argument: ` +
        `current numbers are ${inAxes.length} and ${args.length}`,
    );
  }
  return args.map((arg, i) => {
    const own: MappedAxes = Array.isArray(inAxes) ? inAxes[i] : inAxes;
    if (own === null) {
      return { flat: { leaves: [], placeOf: () => "", rebuild: () => arg }, axes: [], rows: [] };
    }
    const what = `argument ${i}`;
    const flat = flattenTree(CALLER, arg, what);
    const axes = axesLike(Array.isArray(inAxes) ? `inAxes[${i}]` : "inAxes", own, flat, what);
    const rows = flat.leaves.map((x, k) => frontRows(x, axes[k]!, what));
    return { flat, axes, rows };
  });
}

/** A leaf with the axis that is mapped over in front. */
function frontRows(x: Tensor, axis: number | null, what: string): Tensor {
  if (axis === null) return x;
  if (axis < -x.rank || axis >= x.rank) {
    throw new RangeError(
      `Cannot compute ${CALLER} as ${what} must have an axis ${axis} to be mapped over: current ` +
        `shape is ${formatShape(x.shape)}; inAxes null hands an argument on as it is`,
    );
  }
  return moveAxis(x, normalizeAxis(CALLER, axis, x.rank), 0);
}

/** How many rows there are. */
function countRows(given: readonly Argument[]): number {
  const mapped = given.flatMap(({ axes, rows }) => rows.filter((_, k) => axes[k] !== null));
  const counts = new Set(mapped.map(({ shape }) => shape[0]!));
  const [count, ...others] = counts;
  if (count !== undefined && others.length === 0) return count;
  throw new TypeError(
    count === undefined
      ? `Cannot compute ${CALLER} as inAxes must map over an axis of at least one tensor: there is none`
      : `Cannot compute ${CALLER} as all axes that are mapped over must have the same extent: ` +
        `current extents are ${[count, ...others].join(" and ")}`,
  );
}

/** A result with its rows along an axis, or the one that they all are. */
function placeRows(y: Operand, axis: number | null, count: number): Tensor {
  if (axis !== null) {
    return moveAxis(rowsOf(y, count), 0, normalizeAxis(CALLER, axis, y.shape.length + 1));
  }
  if (!y.isMapped) return y.value;
  throw new TypeError(
    `Cannot compute ${CALLER} as outAxes must be a number where the result depends on the rows: ` +
      `current value is null`,
  );
}

/** Throws a `TypeError` unless a value is a whole number or `null`, or a tree of them. */
function checkAxes(name: string, axes: unknown): asserts axes is MappedAxes {
  // What was seen is not looked at again: few arrays can be entries of many.
  const seen = new Set<unknown>();
  const isAxes = (node: unknown, depth = 0): boolean => {
    if (node === null || Number.isInteger(node) || seen.has(node)) return true;
    if (depth > DEEPEST || (!Array.isArray(node) && !isPlainObject(node))) return false;
    seen.add(node);
    // Unlike every(), find() sees the holes of arrays.
    const entries = Array.isArray(node) ? node : Object.values(node);
    return entries.findIndex((entry) => !isAxes(entry, depth + 1)) < 0;
  };
  if (isAxes(axes)) return;
  throw new TypeError(
    `Cannot compute ${CALLER} as ${name} must be a whole number, null, or arrays and plain objects ` +
      `of them: current value is ${describe(axes)}`,
  );
}

/** Throws a `TypeError` unless axes are for arguments, and not for none of them. */
function checkForArguments(inAxes: MappedAxes): void {
  if (typeof inAxes === "number" || Array.isArray(inAxes)) return;
  throw new TypeError(
    `Cannot compute ${CALLER} as inAxes must be a whole number, or an array with an entry for each ` +
      `argument: current value is ${describe(inAxes)}`,
  );
}

/** The axis of every leaf of a tree. */
function axesLike(
  name: string,
  axes: MappedAxes,
  { leaves, rebuild }: Flat,
  what: string,
): (number | null)[] {
  const found = new Array<number | null>(leaves.length);
  const visit = (own: MappedAxes, node: unknown): void => {
    if (typeof node === "number") {
      if (typeof own !== "number" && own !== null) throw otherBranches(name, what);
      found[node] = own;
      return;
    }
    const branches = Object.entries(node as object);
    const isSame = own === null || typeof own === "number" ||
      (Array.isArray(own) === Array.isArray(node) && Object.keys(own).length === branches.length &&
        branches.every(([key]) => Object.hasOwn(own, key)));
    if (!isSame) throw otherBranches(name, what);
    const at = own as Readonly<Record<string, MappedAxes>>;
    for (const [key, child] of branches) {
      visit(own === null || typeof own === "number" ? own : at[key]!, child);
    }
  };
  visit(axes, rebuild(leaves.map((_, i) => i)));
  return found;
}

function otherBranches(name: string, what: string): TypeError {
  return new TypeError(
    `Cannot compute ${CALLER} as ${name} must have the branches of ${what}, or be a number or null`,
  );
}

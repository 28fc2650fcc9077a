/**
 * Settings for single parameters, by where they stand in their tree.
 *
 * @module
 */
import { zeros } from "../create.ts";
import { describe } from "../describe.ts";
import { checkFunction, checkObject, refuseMore } from "../options.ts";
import { add } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import { type Flat, flattenTree, leavesLike, type TensorTree } from "../tree.ts";
import type { Optimizer, OptimizerState } from "./optimizer.ts";

/** Some of the leaves of a tree, and what moves them. */
interface Group {
  optimizer: Optimizer;
  places: number[];
}

/**
 * An optimizer that moves each parameter by another one, chosen by its path in the tree.
 *
 * Paths are names and positions, joined by dots: `"layers.0.weight"`; that of a single tensor is empty.
 * Where the choice is `null` the parameter stays as it is, and its gradient is not looked at. All
 * parameters of the same optimizer are one tree for it.
 *
 * @param choose The optimizer of the parameter at a path, or `null`.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moments of all chosen
 * optimizers, without elements where a parameter's own one has none of that name.
 * @throws {TypeError} If `choose` is no function; from `init` and `update`, if it returns something
 * else, and what the chosen optimizers throw.
 *
 * @example No decay of biases, and a frozen encoder
 * ```ts
 * import { ones } from "@cellgrad/cellgrad";
 * import { adamw, byPath } from "@cellgrad/cellgrad/optim";
 * import { assertEquals } from "@std/assert";
 *
 * const decayed = adamw({ learningRate: 0.01, weightDecay: 0.1 });
 * const plain = adamw({ learningRate: 0.01, weightDecay: 0 });
 * const optimizer = byPath((path) =>
 *   path.startsWith("encoder") ? null : path.endsWith("bias") ? plain : decayed
 * );
 * const layer = { weight: ones([2]), bias: ones([1]) };
 * const params = { encoder: layer, head: layer };
 * const { params: next } = optimizer.update(params, optimizer.init(params), params);
 * assertEquals(next.encoder.weight.toArray(), [1, 1]);
 * ```
 */
export function byPath(choose: (path: string) => Optimizer | null): Optimizer {
  if (arguments.length > 1) refuseMore("byPath", "choose", 1, arguments);
  checkFunction("byPath", "choose", choose);
  return makeByPath("byPath", choose);
}

/**
 * An optimizer that moves only the parameters whose path is chosen; the others stay as they are.
 *
 * @param optimizer What moves them.
 * @param isMoved Whether the parameter at a path is moved: paths are names and positions, joined by
 * dots, `"layers.0.weight"`.
 * @returns `{ init(params), update(grads, state, params) }`. The state has the moments of the
 * optimizer, without elements where a parameter stays.
 * @throws {TypeError} If the arguments are no optimizer and no function; from `init` and `update`, if
 * the choice is not `true` or `false`, and what the optimizer throws.
 *
 * @example Only the head learns
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { masked, sgd } from "@cellgrad/cellgrad/optim";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = masked(sgd({ learningRate: 1 }), (path) => path === "head");
 * const params = { body: tensor([1]), head: tensor([2]) };
 * const { params: next } = optimizer.update(params, optimizer.init(params), params);
 * assertEquals([next.body.item(), next.head.item()], [1, 0]);
 * ```
 */
export function masked(optimizer: Optimizer, isMoved: (path: string) => boolean): Optimizer {
  if (arguments.length > 2) refuseMore("masked", "isMoved", 2, arguments);
  checkOptimizer("masked", "optimizer", optimizer);
  checkFunction("masked", "isMoved", isMoved);
  return makeByPath("masked", (path) => {
    const choice: unknown = isMoved(path);
    if (typeof choice === "boolean") return choice ? optimizer : null;
    throw new TypeError(
      `Cannot compute masked as isMoved must return true or false: ` +
        `current value for "${path}" is ${describe(choice)}`,
    );
  });
}

function makeByPath(caller: string, choose: (path: string) => Optimizer | null): Optimizer {
  return {
    init<T>(params: T) {
      if (arguments.length > 1) refuseMore(caller, "params", 1, arguments);
      const flat = flattenTree(caller, params, "params");
      const parts = groupsOf(caller, flat, choose).map(({ optimizer, places }) => ({
        places,
        moments: optimizer.init(places.map((at) => flat.leaves[at]!)).moments,
      }));
      return { step: zeros([], { dtype: "int32" }), moments: joinMoments(flat, parts) };
    },
    update<T>(grads: unknown, state: OptimizerState<TensorTree<T>>, params: T) {
      if (arguments.length > 3) refuseMore(caller, "params", 3, arguments);
      checkObject(caller, "state", state);
      checkObject(caller, "state.moments", state.moments);
      const flat = flattenTree(caller, params, "params");
      const given = leavesLike(caller, grads, flat, "grads", "params");
      const known = Object.fromEntries(
        Object.entries(state.moments).map(([name, tree]) =>
          [name, leavesLike(caller, tree, flat, `state.moments.${name}`, "params")] as const
        ),
      );
      const next = [...flat.leaves];
      const parts = groupsOf(caller, flat, choose).map(({ optimizer, places }) => {
        const pick = (leaves: readonly Tensor[]) => places.map((at) => leaves[at]!);
        const names = Object.keys(optimizer.init([]).moments).filter((name) => name in known);
        const moments = Object.fromEntries(names.map((name) => [name, pick(known[name]!)]));
        const own = { step: state.step, moments };
        const updated = optimizer.update(pick(given), own, pick(flat.leaves));
        places.forEach((at, i) => next[at] = updated.params[i]!);
        return { places, moments: updated.state.moments };
      });
      return {
        params: flat.rebuild(next) as TensorTree<T>,
        state: { step: add(state.step, 1), moments: joinMoments<T>(flat, parts) },
      };
    },
  };
}

/** The moments of groups as trees like the parameters, without elements where there are none. */
function joinMoments<T>(
  flat: Flat,
  parts: readonly { places: number[]; moments: Record<string, Tensor[]> }[],
): Record<string, TensorTree<T>> {
  const names = [...new Set(parts.flatMap(({ moments }) => Object.keys(moments)))];
  return Object.fromEntries(names.map((name) => {
    const leaves = flat.leaves.map(({ dtype }) => zeros([0], { dtype }));
    for (const { places, moments } of parts) {
      moments[name]?.forEach((moment, i) => leaves[places[i]!] = moment);
    }
    return [name, flat.rebuild(leaves) as TensorTree<T>];
  }));
}

/** The leaves of a tree by what moves them. */
function groupsOf(
  caller: string,
  flat: Flat,
  choose: (path: string) => Optimizer | null,
): Group[] {
  const groups = new Map<Optimizer, number[]>();
  pathsOf(flat).forEach((path, at) => {
    const optimizer = choose(path);
    if (optimizer === null) return;
    checkOptimizer(caller, `what is chosen for "${path}"`, optimizer);
    groups.set(optimizer, [...groups.get(optimizer) ?? [], at]);
  });
  return [...groups].map(([optimizer, places]) => ({ optimizer, places }));
}

/** Where the leaves stand, in their order. */
function pathsOf({ leaves, rebuild }: Flat): string[] {
  const paths: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node === "number") paths[node] = path;
    else {
      for (const [name, child] of Object.entries(node as object)) {
        visit(child, path === "" ? name : `${path}.${name}`);
      }
    }
  };
  visit(rebuild(leaves.map((_, i) => i)), "");
  return paths;
}

/** Throws a `TypeError` unless a value is a pair of `init` and `update`. */
export function checkOptimizer(caller: string, name: string, value: unknown): void {
  const found = value as Partial<Optimizer> | null | undefined;
  if (typeof found?.init === "function" && typeof found.update === "function") return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be an optimizer, such as sgd(…) returns: ` +
      `current value is ${describe(value)}`,
  );
}

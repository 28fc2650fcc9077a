/**
 * Loops whose function is recorded once: over rows, so many times, and while a condition holds.
 *
 * @module
 */
import { check } from "../check.ts";
import { arange } from "../create.ts";
import { describe } from "../describe.ts";
import type { Spec } from "../op.ts";
import { cast, concat, reshape, slice } from "../ops/mod.ts";
import { checkBoolean, checkFunction, checkNumber, readOptions, refuseMore } from "../options.ts";
import { checkSize, formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { type Flat, flattenTree, type LikeTree, type TensorTree, type Tree } from "../tree.ts";
import { recordBody, type Recorded } from "./body.ts";
import { carryLike, truth } from "./carry.ts";
import { type LoopResults, rowSpec, runLoop } from "./loop.ts";

/** What a loop keeps for the way back: `"all"` carries, those of about √n, or of every n-th turn. */
export type LoopCheckpoint = "all" | "sqrt" | number;

/** Options of {@linkcode forLoop}. */
export interface ForLoopOptions {
  /**
   * Which carries are kept for the way back: `"all"`, by default, with products and reductions of
   * their turns where they are not larger; or the first of every segment of so many turns, which is
   * done again there; `"sqrt"` has about as many segments as turns in each.
   */
  checkpoint?: LoopCheckpoint | undefined;
}

/** Options of {@linkcode scan}. */
export interface ScanOptions extends ForLoopOptions {
  /** How many turns, where `xs` is `null`; else it is the number of rows. */
  length?: number | undefined;
  /** Whether the last row comes first; `false` by default. */
  reverse?: boolean | undefined;
}

/** Options of {@linkcode whileLoop}. */
export interface WhileLoopOptions {
  /** The most turns; needed where the loop is differentiated, as so many carries are kept. */
  max?: number | undefined;
}

/**
 * Goes over rows with a carry: each turn makes the next carry and one row of the results. The
 * function is recorded once, eagerly too, and done for every turn; a program has it once, whatever
 * the length. Gradients of any order reach `init`, `xs` and what `f` closes over; the way back is a
 * loop in the other direction over the carries that were kept.
 *
 * @param f Called once as `f(carry, x)` on tensors without values, `x` being a row of `xs`; returns
 * the next carry, like `init` in branches, shapes and types, and a tree of results, or `null`.
 * @param init The first carry: a tensor, or arrays and plain objects of them.
 * @param xs What is gone over along axis 0, a tree of tensors with equally many rows; or `null`.
 * @param options `length`, `reverse` and `checkpoint`.
 * @returns The last carry, and the results with a row per turn, in the places of their `xs`.
 * @throws {TypeError} If the carry changes its branches, shapes or types, the rows are unequally
 * many, or `f` reads values; if an option does not exist or is of another kind.
 * @throws {RangeError} If `length` or `checkpoint` is not a whole number in its range.
 *
 * @example Running sums
 * ```ts
 * import { scan, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const step = (sum: Tensor, x: Tensor) => [sum.add(x), sum.add(x)] as const;
 * const [total, sums] = scan(step, 0, [1, 2, 3]);
 * assertEquals([total.item(), sums.toArray()], [6, [1, 3, 6]]);
 * ```
 */
export function scan<C extends Tree, X extends Tree, Y>(
  f: (carry: C, x: X) => readonly [NoInfer<C>, Y],
  init: C,
  xs: X,
  options?: ScanOptions,
): [C, TensorTree<Y>];
/** The same from what becomes tensors, or over no rows: `f` says what it takes. */
export function scan<C, X, Y>(
  f: (carry: C, x: X) => readonly [C, Y],
  init: LikeTree<NoInfer<C>>,
  xs: LikeTree<NoInfer<X>> | null,
  options?: ScanOptions,
): [TensorTree<C>, TensorTree<Y>];
export function scan<C, X, Y>(
  f: (carry: C, x: X) => readonly [C, Y],
  init: LikeTree<NoInfer<C>>,
  xs: LikeTree<NoInfer<X>> | null,
  options: ScanOptions = {},
): [TensorTree<C>, TensorTree<Y>] {
  if (arguments.length > 4) refuseMore("scan", "options", 4, arguments);
  checkFunction("scan", "f", f);
  const defaults = { length: undefined, reverse: false, checkpoint: "all" as const };
  const { length: given, reverse, checkpoint } = readOptions("scan", options, defaults);
  checkBoolean("scan", "reverse", reverse);
  const treeOrNull = (tree: unknown, name: string): Flat =>
    tree === null
      ? { leaves: [], placeOf: () => "", rebuild: () => null }
      : flattenTree("scan", tree, name);
  const rows = treeOrNull(xs, "xs");
  const length = countTurns(rows.leaves, given);
  const carry = flattenTree("scan", init, "init");
  let results: Flat | undefined;
  const specs = [...carry.leaves, ...rows.leaves.map(rowSpec)];
  const recorded = recordBody("scan", specs, (live) => {
    const own = carry.rebuild(live.slice(0, carry.leaves.length));
    const pair: unknown = f(own as C, rows.rebuild(live.slice(carry.leaves.length)) as X);
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(
        `Cannot compute scan as f must return [carry, y]: current value is ${describe(pair)}`,
      );
    }
    results = treeOrNull(pair[1], "y");
    return [...carryLike("scan", pair[0], carry), ...results.leaves];
  });
  const settings = {
    name: "scan",
    length,
    reverse,
    segment: segmentOf("scan", checkpoint, length),
  };
  const { carry: last, ys } = runSegments(recorded, carry.leaves, rows.leaves, settings);
  return [carry.rebuild(last) as TensorTree<C>, results!.rebuild(ys) as TensorTree<Y>];
}

/**
 * Does the same so many times: the carry of one turn is what the next one is given. As
 * {@linkcode scan}, it records its function once, and gradients of any order go back over it.
 *
 * @param n How many turns.
 * @param f Called once as `f(carry, i)`, `i` being the number of the turn, an `int32` tensor of rank
 * 0; returns the next carry, like the first in branches, shapes and types.
 * @param carry The first carry: a tensor, or arrays and plain objects of them.
 * @param options `checkpoint`, which carries are kept for the way back; `"all"` by default.
 * @returns The last carry.
 * @throws {TypeError} If the carry changes its branches, shapes or types, or `f` reads values.
 * @throws {RangeError} If `n` is not a whole number of at least 0, or `checkpoint` is out of range.
 *
 * @example Compound interest
 * ```ts
 * import { forLoop, grad, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const grown = (rate: Tensor) => forLoop(3, (sum: Tensor) => sum.mul(rate.add(1)), 1);
 * assertEquals(grown(tensor(0.5)).item(), 3.375);
 * assertEquals(grad(grown)(1).item(), 12);
 * ```
 */
export function forLoop<C extends Tree>(
  n: number,
  f: (carry: C, i: Tensor) => NoInfer<C>,
  carry: C,
  options?: ForLoopOptions,
): C;
/** The same from what becomes tensors: `f` says what it takes. */
export function forLoop<C>(
  n: number,
  f: (carry: C, i: Tensor) => C,
  carry: LikeTree<NoInfer<C>>,
  options?: ForLoopOptions,
): TensorTree<C>;
export function forLoop<C>(
  n: number,
  f: (carry: C, i: Tensor) => C,
  carry: LikeTree<NoInfer<C>>,
  options: ForLoopOptions = {},
): TensorTree<C> {
  if (arguments.length > 4) refuseMore("forLoop", "options", 4, arguments);
  checkNumber("forLoop", "n", n, { min: 0, integer: true });
  checkFunction("forLoop", "f", f);
  const { checkpoint } = readOptions("forLoop", options, { checkpoint: "all" as const });
  checkSize("forLoop", [n], "float64");
  const first = flattenTree("forLoop", carry, "carry");
  const specs: Spec[] = [...first.leaves, { shape: [], dtype: "int32" }];
  const recorded = recordBody("forLoop", specs, (live) => {
    const next: unknown = f(first.rebuild(live) as C, live.at(-1)!);
    return carryLike("forLoop", next, first);
  });
  const numbers = arange(n, { dtype: "int32" });
  const segment = segmentOf("forLoop", checkpoint, n);
  const settings = { name: "forLoop", length: n, reverse: false, segment };
  const { carry: last } = runSegments(recorded, first.leaves, [numbers], settings);
  return first.rebuild(last) as TensorTree<C>;
}

/**
 * Does the same while a condition holds. Both functions are recorded once; eagerly and in programs
 * there are as many turns as it takes. Gradients need `max`: so many carries are kept, and the way
 * back passes over the turns that did not happen.
 *
 * @param cond Called once as `cond(carry)`; returns a `bool` tensor of one value, whether there is
 * another turn.
 * @param f Called once as `f(carry)`; returns the next carry, like the first in branches, shapes and
 * types.
 * @param carry The first carry: a tensor, or arrays and plain objects of them.
 * @param options `max`, the most turns.
 * @returns The first carry for which the condition does not hold.
 * @throws {TypeError} If the carry changes its branches, shapes or types, `cond` does not return one
 * `bool`, or a gradient is asked for without `max`.
 * @throws {RangeError} If the condition still holds after `max` turns; in a program, the next read
 * of a result tells. If `max` is not a whole number of at least 1.
 *
 * @example The first power of 2 above 100
 * ```ts
 * import { type Tensor, whileLoop } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const power = whileLoop((x: Tensor) => x.lessEqual(100), (x: Tensor) => x.mul(2), 1);
 * assertEquals(power.item(), 128);
 * ```
 */
export function whileLoop<C extends Tree>(
  cond: (carry: C) => Tensor,
  f: (carry: C) => NoInfer<C>,
  carry: C,
  options?: WhileLoopOptions,
): C;
/** The same from what becomes tensors: `cond` and `f` say what they take. */
export function whileLoop<C>(
  cond: (carry: C) => Tensor,
  f: (carry: C) => C,
  carry: LikeTree<NoInfer<C>>,
  options?: WhileLoopOptions,
): TensorTree<C>;
export function whileLoop<C>(
  cond: (carry: C) => Tensor,
  f: (carry: C) => C,
  carry: LikeTree<NoInfer<C>>,
  options: WhileLoopOptions = {},
): TensorTree<C> {
  if (arguments.length > 4) refuseMore("whileLoop", "options", 4, arguments);
  checkFunction("whileLoop", "cond", cond);
  checkFunction("whileLoop", "f", f);
  const { max } = readOptions("whileLoop", options, { max: undefined });
  if (max !== undefined) checkNumber("whileLoop", "max", max, { min: 1, integer: true });
  const first = flattenTree("whileLoop", carry, "carry");
  const goesOn = (leaves: Tensor[]) => truth("whileLoop", "cond", cond(first.rebuild(leaves) as C));
  const last = iterate("whileLoop", goesOn(first.leaves), first.leaves, (live) => {
    const next = carryLike("whileLoop", f(first.rebuild(live) as C), first);
    return [goesOn(next), ...next];
  }, { max, must: "cond must not hold" });
  return first.rebuild(last) as TensorTree<C>;
}

/** When a loop ends at the latest, and what must be so then. */
interface End {
  max: number | undefined;
  must: string;
}

/** The last carry of a loop that goes on as its turns say, which give that and the next carry. */
export function iterate(
  name: string,
  begin: Tensor,
  first: readonly Tensor[],
  turn: (carry: Tensor[]) => [Tensor, ...Tensor[]],
  { max, must }: End,
): Tensor[] {
  // Whether it would go on is told in the type of another result, so that there is one loop for both.
  const tell = (goesOn: Tensor) =>
    max === undefined ? [] : [cast(goesOn, first[0]?.dtype ?? "int32")];
  const init = [begin, ...first, ...tell(begin)];
  const { body, captured } = recordBody(name, init, (live) => {
    const [goesOn, ...next] = turn(live.slice(1, 1 + first.length));
    return [goesOn, ...next, ...tell(goesOn)];
  });
  const loop = { name, body, length: max ?? Infinity, reverse: false, ends: true };
  const { carry } = runLoop(loop, init, [], captured);
  if (max !== undefined) apply(checkEndOp, [carry.at(-1)!], { name, must, max });
  return carry.slice(1, 1 + first.length);
}

/** Refuses a loop that would go on after the most turns. */
const checkEndOp = check<{ name: string; must: string; max: number }>({
  name: "checkEnd",
  forbidden: () => ({ kind: "outside", low: 0, high: 0 }),
  forward({ data }, { name, must, max }) {
    if (data.every((value) => value === 0)) return data;
    throw new RangeError(
      `Cannot compute ${name} as ${must} after max turns: current value is ${max}`,
    );
  },
});

/** How many rows there are, or turns where there are none. */
function countTurns(rows: readonly Tensor[], length: number | undefined): number {
  if (length !== undefined) checkNumber("scan", "length", length, { min: 0, integer: true });
  const counts = new Set(rows.map(({ shape }) => shape[0]));
  if (length !== undefined) counts.add(length);
  const [count, ...others] = counts;
  if (count !== undefined && others.length === 0) return count;
  const shapes = rows.map(({ shape }) => formatShape(shape)).join(" and ");
  throw new TypeError(
    `Cannot compute scan as ` +
      (counts.size === 0
        ? `it needs xs, or length where xs is null: there is neither`
        : `xs must hold tensors with equally many rows${
          length === undefined ? "" : `, as many as length`
        }: current shapes are ${shapes}${length === undefined ? "" : `, length is ${length}`}`),
  );
}

/** How many turns a segment has. */
function segmentOf(caller: string, checkpoint: unknown, length: number): number {
  if (checkpoint === "all") return length;
  if (checkpoint === "sqrt") return Math.ceil(Math.sqrt(length));
  if (typeof checkpoint !== "number") {
    throw new TypeError(
      `Cannot compute ${caller} as checkpoint must be "all", "sqrt" or a number of turns: ` +
        `current value is ${describe(checkpoint)}`,
    );
  }
  checkNumber(caller, "checkpoint", checkpoint, { min: 1, integer: true });
  return checkpoint;
}

interface Settings {
  name: string;
  length: number;
  reverse: boolean;
  segment: number;
}

/** A loop of loops, of which the outer one keeps the carries; what remains follows. */
function runSegments(
  { body, captured }: Recorded,
  init: readonly Tensor[],
  xs: readonly Tensor[],
  { name, length, reverse, segment }: Settings,
): LoopResults {
  const turns = (first: readonly Tensor[], rows: readonly Tensor[], count: number) =>
    runLoop({ name, body, length: count, reverse }, first, rows, captured);
  const count = segment < length ? Math.floor(length / segment) : 0;
  if (count < 2) return turns(init, xs, length);
  const rest = length - count * segment;
  const from = reverse ? rest : 0;
  const whole = xs.map((x) =>
    reshape(slice(x, from, from + count * segment), [count, segment, ...x.shape.slice(1)])
  );
  const outer = recordBody(name, [...init, ...whole.map(rowSpec)], (live) => {
    const { carry, ys } = turns(live.slice(0, init.length), live.slice(init.length), segment);
    return [...carry, ...ys];
  });
  const found = runLoop(
    { name, body: outer.body, length: count, reverse },
    init,
    whole,
    outer.captured,
  );
  const ys = found.ys.map((y) => reshape(y, [count * segment, ...y.shape.slice(2)]));
  if (rest === 0) return { carry: found.carry, ys };
  const left = xs.map((x) => reverse ? slice(x, 0, rest) : slice(x, length - rest));
  const end = turns(found.carry, left, rest);
  return {
    carry: end.carry,
    ys: ys.map((y, k) => concat(reverse ? [end.ys[k]!, y] : [y, end.ys[k]!])),
  };
}

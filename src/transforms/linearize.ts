/**
 * Functions of trees run under a tape: what the transforms have in common.
 *
 * @module
 */
import { pullBack } from "./backward.ts";
import { isFloating } from "../dtype.ts";
import { formatShape, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { Tape, type TapeOptions } from "../trace.ts";
import { type Flat, flattenTree, leavesLike, type LikeTree, rebuildAll } from "../tree.ts";

/** Arguments with anything that becomes a tensor wherever the function takes one. */
export type LikeArguments<Args extends readonly unknown[]> = {
  [I in keyof Args]: LikeTree<Args[I]>;
};

/** A function run under a tape. */
export interface Run {
  tape: Tape;
  watched: Tensor[];
  result: unknown;
}

/** Runs `f` on leaves, which a new tape watches where they are floating. */
export function run(
  caller: string,
  leaves: readonly Tensor[],
  f: (leaves: Tensor[]) => unknown,
  options: TapeOptions = {},
): Run {
  const tape = new Tape(caller, options);
  const watched = leaves.map((x) => isFloating(x.dtype) ? tape.watch(x) : x);
  try {
    return { tape, watched, result: f(watched) };
  } finally {
    tape.close();
  }
}

/** Throws a `TypeError` that names the leaf unless all leaves are floating. */
export function requireFloating(
  caller: string,
  what: string,
  flat: Pick<Flat, "leaves" | "placeOf">,
): void {
  const at = flat.leaves.findIndex((x) => !isFloating(x.dtype));
  if (at < 0) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${what}${flat.placeOf(at)} must be floating: ` +
      `current dtype is ${flat.leaves[at]!.dtype}`,
  );
}

/** The output of a function on trees, and how to pull cotangents of it back. */
export interface Linearized {
  output: unknown;
  inputs: readonly Flat[];
  outputs: Flat;
  pull: (cotangents: readonly Tensor[]) => unknown[];
  /** The size of the largest tensor on the way back. */
  largest: () => number;
}

export function linearize(
  caller: string,
  f: (...args: never[]) => unknown,
  primals: readonly unknown[],
): Linearized {
  const flats = primals.map((primal, i) => flattenTree(caller, primal, `argument ${i}`));
  const leaves = flats.flatMap((flat) => flat.leaves);
  flats.forEach((flat, i) => requireFloating(caller, `argument ${i}`, flat));
  const { tape, watched, result } = run(
    caller,
    leaves,
    (inputs) => f(...rebuildAll(flats, inputs) as never[]),
  );
  const outputs = flattenTree(caller, result, "the function's result");
  const lowered = outputs.leaves.map((y) => tape.lower(y));
  return {
    output: outputs.rebuild(lowered),
    inputs: flats,
    outputs: { ...outputs, leaves: lowered },
    pull: (cotangents) => rebuildAll(flats, pullBack(tape, outputs.leaves, cotangents, watched)),
    largest: () => tape.entries.reduce((most, { value }) => Math.max(most, value.size), 1),
  };
}

/** The leaves of a tree that must be like another one, in its element types. */
export function likeLeaves(caller: string, what: string, tree: unknown, like: Flat): Tensor[] {
  return leavesLike(caller, tree, like, what).map((leaf, i) => {
    const { shape, dtype } = like.leaves[i]!;
    if (sameShape(leaf.shape, shape)) return leaf.cast(dtype);
    throw new TypeError(
      `Cannot compute ${caller} as ${what}${like.placeOf(i)} must have the shape ` +
        `${formatShape(shape)}: ` +
        `current shape is ${formatShape(leaf.shape)}`,
    );
  });
}

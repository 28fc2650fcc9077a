/**
 * What loops hand on from turn to turn, and what ends them.
 *
 * @module
 */
import { describe } from "../describe.ts";
import type { Spec } from "../op.ts";
import { reshape } from "../ops/layout.ts";
import { formatShape, sameShape } from "../shape.ts";
import { asTensor, Tensor } from "../tensor.ts";
import { type Flat, leavesLike } from "../tree.ts";

/** A `bool` tensor of one value. */
export function truth(caller: string, name: string, value: unknown): Tensor {
  const found = typeof value === "boolean" ? asTensor(value) : value;
  if (found instanceof Tensor && found.dtype === "bool" && found.size === 1) {
    return found.rank === 0 ? found : reshape(found, []);
  }
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be one bool: current value is ` +
      (found instanceof Tensor ? formatSpec(found) : describe(found)),
  );
}

/** The leaves of a carry, which must be like those of the first one. */
export function carryLike(
  caller: string,
  tree: unknown,
  first: Flat,
  must = "f must keep the shapes and types of the carry",
): Tensor[] {
  const leaves = leavesLike(caller, tree, first, "the result of its function");
  leaves.forEach((leaf, i) => {
    const own = first.leaves[i]!;
    if (sameShape(leaf.shape, own.shape) && leaf.dtype === own.dtype) return;
    const place = first.placeOf(i) && ` at ${first.placeOf(i)}`;
    throw new TypeError(
      `Cannot compute ${caller} as ${must}: current values${place} are ${formatSpec(own)} and ` +
        formatSpec(leaf),
    );
  });
  return leaves;
}

function formatSpec({ shape, dtype }: Spec): string {
  return `${dtype}${formatShape(shape)}`;
}

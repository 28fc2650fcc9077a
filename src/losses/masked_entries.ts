/**
 * Tensors and the mask that says which of their entries count, as the masked losses share them.
 *
 * @module
 */
import { checkMask } from "../labels.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkSameShape } from "../options.ts";

/** Tensors of one shape and floating type, and a mask of that shape. */
export interface MaskedEntries {
  /** The tensors, in the order in which they were given. */
  values: [Tensor, Tensor];
  /** `bool`. */
  mask: Tensor;
}

/**
 * Checks two tensors and a mask against each other.
 *
 * @param caller The function's name, for messages.
 * @param tensors Two tensors by the names that messages give them.
 * @param mask Booleans, or zeros and ones, of the same shape.
 * @returns The tensors in the stronger of their types, and the mask as `bool`.
 */
export function readMasked(
  caller: string,
  tensors: Readonly<Record<string, TensorLike>>,
  mask: TensorLike,
): MaskedEntries {
  const values = promoteAll(...Object.values(tensors)).map(floating) as [Tensor, Tensor];
  const selected = checkMask(caller, mask);
  const named = Object.keys(tensors).map((name, i) => [name, values[i]!] as const);
  checkSameShape(caller, { ...Object.fromEntries(named), mask: selected });
  return { values, mask: selected };
}

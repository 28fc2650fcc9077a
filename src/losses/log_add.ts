/**
 * Sums of probabilities from their logarithms.
 *
 * @module
 */
import { add, greater, softplus, sub, where } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";

/** `log(e^a + e^b)`. */
export function logAdd(a: Tensor, b: Tensor): Tensor {
  const isFirst = greater(sub(a, b), 0);
  const [larger, smaller] = [where(isFirst, a, b), where(isFirst, b, a)];
  return add(larger, softplus(sub(smaller, larger)));
}

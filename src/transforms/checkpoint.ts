/**
 * Functions that are computed again on the way back instead of being remembered.
 *
 * @module
 */
import { mapBlocks } from "./map_row_blocks.ts";
import type { RowBlocks } from "../op.ts";
import { checkFunction, refuseMore } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { mapTensors } from "../tree.ts";

/**
 * The same function, whose intermediate results are not kept for the way back but computed again.
 * Trades time for memory; values and gradients stay the same, to any order.
 *
 * @param f A function that returns one tensor. What it differentiates must come in through its
 * arguments: tensors, or arrays and plain objects of them; other arguments are constants.
 * @returns A function of the same arguments.
 * @throws {TypeError} When called, if f uses a tensor under differentiation or vmap that is not among
 * its arguments.
 *
 * @example A layer that is not remembered
 * ```ts
 * import { checkpoint, grad, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = checkpoint((x: Tensor) => x.square().add(1));
 * assertEquals(grad((x: Tensor) => layer(x).sum())([1, 2]).toArray(), [2, 4]);
 * ```
 */
export function checkpoint<Args extends unknown[]>(
  f: (...args: Args) => Tensor,
): (...args: Args) => Tensor {
  checkFunction("checkpoint", "f", f);
  if (arguments.length > 1) refuseMore("checkpoint", "f", 1, arguments);
  return (...args) => {
    const inputs: Tensor[] = [];
    mapTensors("checkpoint", "the arguments", args, (x) => inputs.push(x));
    const compose = (live: readonly Tensor[]) => {
      let at = 0;
      return f(...mapTensors("checkpoint", "the arguments", args, () => live[at++]) as Args);
    };
    const blocks: RowBlocks = {
      f: (_block, live) => [compose(live)],
      combine: ["sum"],
      rowInputs: 0,
      height: 1,
    };
    return mapBlocks("checkpoint", blocks, inputs)[0]!;
  };
}

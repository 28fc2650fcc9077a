/**
 * A choice between two functions, of which one is done.
 *
 * @module
 */
import { zeros } from "../create.ts";
import { equal } from "../ops/mod.ts";
import { checkFunction } from "../options.ts";
import { asOperand, type Tensor, tensor, type TensorLike } from "../tensor.ts";
import { isKnown } from "../trace.ts";
import { type Flat, flattenTree, rebuildAll, type TensorTree } from "../tree.ts";
import { type Body, recordBody, type Recorded, specOf } from "./body.ts";
import type { LikeArguments } from "./linearize.ts";
import { runLoop } from "./loop.ts";
import { carryLike, truth } from "./carry.ts";

const CALLER = "cond";

/**
 * One of two results, by a condition. Only the function that is chosen is done: eagerly at once; in
 * programs and in functions of loops, where the condition is known only later, both are recorded.
 * (WebGPU computes both, and keeps one.) Gradients reach the operands and what the chosen function
 * closes over, and are zero for the other one, whatever it would have computed.
 *
 * @param predicate Which one: a `bool` of one value, true or false.
 * @param onTrue Called as `onTrue(...operands)` where the condition holds.
 * @param onFalse Called as `onFalse(...operands)` where it does not; in programs its result must be
 * like that of `onTrue` in branches, shapes and types.
 * @param operands Tensors, or arrays and plain objects of them.
 * @returns The result of the function that is chosen.
 * @throws {TypeError} If the predicate is not one `bool`, or the results differ in branches, shapes
 * or types where both are recorded.
 *
 * @example A step back where the loss has grown
 * ```ts
 * import { cond, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const step = (loss: Tensor, before: Tensor, x: Tensor) =>
 *   cond(loss.greater(before), (x: Tensor) => x.div(2), (x: Tensor) => x.mul(1.5), x);
 * assertEquals(step(tensor(3), tensor(2), tensor(8)).item(), 4);
 * assertEquals(step(tensor(1), tensor(2), tensor(8)).item(), 12);
 * ```
 */
export function cond<Args extends unknown[], R>(
  predicate: TensorLike,
  onTrue: (...operands: Args) => R,
  onFalse: (...operands: Args) => NoInfer<R>,
  ...operands: LikeArguments<NoInfer<Args>>
): TensorTree<R> {
  checkFunction(CALLER, "onTrue", onTrue);
  checkFunction(CALLER, "onFalse", onFalse);
  const chosen = truth(CALLER, "predicate", asOperand(CALLER, predicate, "predicate"));
  const flats = (operands as unknown[]).map((x, i) => flattenTree(CALLER, x, `operand ${i}`));
  const inputs = flats.flatMap((flat) => flat.leaves);
  if (isKnown(chosen)) {
    const result = (chosen.item() === 0 ? onFalse : onTrue)(...rebuildAll(flats, inputs) as Args);
    const { leaves, rebuild } = flattenTree(CALLER, result, "the result");
    return rebuild(leaves) as TensorTree<R>;
  }
  let like: Flat | undefined;
  const whenTrue = recordBody(CALLER, inputs, (live) => {
    like = flattenTree(CALLER, onTrue(...rebuildAll(flats, live) as Args), "the result of onTrue");
    return like.leaves;
  }, true);
  const leaves = whenTrue.body.outputs.map((_, k) => {
    const { shape, dtype } = specOf(whenTrue.body, k);
    return zeros(shape, { dtype });
  });
  const expected = { ...like!, leaves };
  const whenFalse = recordBody(CALLER, inputs, (live) => {
    const must = "onFalse must return the shapes and types that onTrue does";
    const result = onFalse(...rebuildAll(flats, live) as Args);
    return carryLike(CALLER, result, expected, must);
  }, true);
  const either = doIf(chosen, whenTrue, inputs, leaves);
  return expected.rebuild(doIf(equal(chosen, false), whenFalse, inputs, either)) as TensorTree<R>;
}

/** What a recorded function gives if a condition holds, else what there is: a loop of at most one turn. */
function doIf(
  holds: Tensor,
  { body, captured }: Recorded,
  inputs: readonly Tensor[],
  before: readonly Tensor[],
): Tensor[] {
  const carry = [holds, ...before];
  const ids = carry.map((_, k) => body.values.length + k);
  const turn: Body = {
    values: [...body.values, ...carry.map(({ shape, dtype }) => ({ shape, dtype }))],
    inputs: [...ids, ...body.inputs],
    steps: body.steps,
    outputs: [tensor(false), ...body.outputs],
  };
  const loop = { name: CALLER, body: turn, length: 1, reverse: false, ends: true };
  return runLoop(loop, carry, [], [...inputs, ...captured]).carry.slice(1);
}

/**
 * Functions of rows, a block of rows at a time.
 *
 * @module
 */
import type { RowBlocks } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { add } from "./arithmetic.ts";
import { concat, slice } from "./join.ts";

/** How many rows there are; without row inputs, there is one block without any. */
export function countRows({ rowInputs }: RowBlocks, inputs: readonly Tensor[]): number {
  return rowInputs === 0 ? 0 : inputs[0]!.shape[0]!;
}

/** The results of all blocks, one after the other: nothing of a block is left when it is done. */
export function runBlocks(blocks: RowBlocks, inputs: readonly Tensor[]): Tensor[] {
  const { f, combine, rowInputs, height } = blocks;
  const [own, shared] = [inputs.slice(0, rowInputs), inputs.slice(rowInputs)];
  const count = countRows(blocks, inputs);
  const found: Tensor[][] = combine.map(() => []);
  // Without rows there is one empty block, so that there is a result.
  for (let offset = 0; offset === 0 || offset < count; offset += height) {
    const end = Math.min(count, offset + height);
    const results = f(own.map((x) => slice(x, offset, end)), shared, offset);
    results.forEach((y, k) => {
      const sofar = found[k]!;
      if (combine[k] === "concat" || sofar.length === 0) sofar.push(y);
      else sofar[0] = add(sofar[0]!, y);
    });
  }
  return found.map((parts, k) => combine[k] === "concat" ? concat(parts) : parts[0]!);
}

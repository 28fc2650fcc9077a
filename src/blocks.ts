/**
 * Functions that are done to one block of rows after the other, and again on the way back.
 *
 * @module
 */
import { linearize } from "./linearize.ts";
import type { Composite, RowBlocks } from "./op.ts";
import { add, concat, reshape, slice, split } from "./ops/mod.ts";
import { type Shape, sizeOf } from "./shape.ts";
import type { Tensor } from "./tensor.ts";
import { apply } from "./trace.ts";

/**
 * The results of all blocks, as one operation. Its gradient is again such a map: over the blocks of
 * the inputs and of the cotangents, to the blocks' cotangents of the inputs.
 */
export function mapBlocks(
  name: string,
  given: RowBlocks,
  inputs: readonly Tensor[],
): Tensor[] {
  const { combine, rowInputs } = given;
  const count = countRows(given, inputs);
  let shapes: Shape[] = [];
  const f: RowBlocks["f"] = (block, shared, offset) => {
    const results = given.f(block, shared, offset);
    if (offset === 0) {
      shapes = results.map(({ shape }, k) =>
        combine[k] === "sum" ? shape : [count, ...shape.slice(1)]
      );
    }
    return results;
  };
  const blocks = { ...given, f };
  const op: Composite<null> = {
    name,
    blocks,
    compose: (live) => pack(runBlocks(blocks, live)),
    vjp(g, _output, live, _params, wanted) {
      const cotangents = unpack(g, shapes);
      const combined = (how: "concat" | "sum") => cotangents.filter((_, k) => combine[k] === how);
      const [own, all] = cut(live, rowInputs);
      const rows = [...own, ...combined("concat")];
      const gradients = mapBlocks(
        name,
        reverse(name, given, rows.length, wanted),
        [...rows, ...all, ...combined("sum")],
      );
      return wanted.map((isWanted) => isWanted ? gradients.shift()! : null);
    },
  };
  return unpack(apply(op, inputs, null), shapes);
}

/** From blocks of inputs and of cotangents, `rows` in all, to the cotangents of the wanted inputs. */
function reverse(
  name: string,
  blocks: RowBlocks,
  rows: number,
  wanted: readonly boolean[],
): RowBlocks {
  const { combine, rowInputs, height } = blocks;
  return {
    f(block, shared, offset) {
      const [own, rowCotangents] = cut(block, rowInputs);
      const [all, sharedCotangents] = cut(shared, wanted.length - rowInputs);
      const inputs = [...own, ...all];
      const again = (...live: Tensor[]) => {
        const [own, all] = cut(inputs.map((x, i) => wanted[i] ? live.shift()! : x), rowInputs);
        return blocks.f(own, all, offset);
      };
      const { pull } = linearize(name, again, inputs.filter((_, i) => wanted[i]));
      return pull(
        combine.map((how) => (how === "concat" ? rowCotangents : sharedCotangents).shift()!),
      ) as Tensor[];
    },
    combine: wanted.flatMap((isWanted, i) => isWanted ? [i < rowInputs ? "concat" : "sum"] : []),
    rowInputs: rows,
    height,
  };
}

/** How many rows there are; without row inputs, there is one block without any. */
export function countRows({ rowInputs }: RowBlocks, inputs: readonly Tensor[]): number {
  return rowInputs === 0 ? 0 : inputs[0]!.shape[0]!;
}

function cut<T>(values: readonly T[], at: number): [T[], T[]] {
  return [values.slice(0, at), values.slice(at)];
}

/** The results of all blocks, one after the other: nothing of a block is left when it is done. */
function runBlocks(
  blocks: RowBlocks,
  inputs: readonly Tensor[],
): Tensor[] {
  const { f, combine, rowInputs, height } = blocks;
  const [own, shared] = cut(inputs, rowInputs);
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

/** Several tensors as one, as operations have one result. */
function pack(tensors: readonly Tensor[]): Tensor {
  return tensors.length === 1 ? tensors[0]! : concat(tensors.map((x) => reshape(x, [-1])));
}

function unpack(packed: Tensor, shapes: readonly Shape[]): Tensor[] {
  if (shapes.length === 1) return [packed];
  return split(packed, shapes.map(sizeOf)).map((x, i) => reshape(x, shapes[i]!));
}

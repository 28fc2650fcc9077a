/**
 * Functions of many rows, a block of rows at a time and again on the way back, so that memory is one
 * block's.
 *
 * @module
 */
import type { Composite, RowBlocks } from "../op.ts";
import { checkChoice, checkFunction, checkNumber, readOptions, refuseMore } from "../options.ts";
import { formatShape, sameShape, type Shape, sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { flattenTree, type LikeTree } from "../tree.ts";
import { linearize } from "./linearize.ts";
import { cast, concat, reshape, split } from "../ops/mod.ts";
import { countRows, runBlocks } from "../ops/row_blocks.ts";
import { apply } from "../trace.ts";

/** Options of {@linkcode mapRowBlocks}. */
export interface MapRowBlocksOptions {
  /** How many rows a block has, at least 1; the last block may have fewer. */
  rows: number;
  /** `"concat"`, results one behind the other along axis 0, by default; or `"sum"`. */
  combine?: "concat" | "sum" | undefined;
}

const CALLER = "mapRowBlocks";

/**
 * Evaluates a function block by block over rows, and puts the results one behind the other or adds
 * them up. Nothing of a block is kept: on the way back each block is computed again, and so are the
 * gradients' own gradients, to any order. Where `f` compares the rows of its block with all cells,
 * the matrix of all pairs is never there; the price is one more evaluation of `f` per gradient.
 *
 * For an `f` that treats its rows independently, as below, `rows` does not change the result. What is
 * summed over blocks, and the gradients of what they share, differ by the order of the additions
 * only: relative to the largest terms by at most 1e-12 in float64, about 1e-6 in float32.
 *
 * Where there is much to do and `compile` was called before, which loads what makes programs, the
 * blocks run as a small program on the CPU, several times as fast. It is recorded at each call, so
 * what `f` closes over counts as it is then. Values are the same in float64, and differ by rounding
 * in float32. An `f` that reads values (`data`, `item`) runs as it is.
 *
 * @param f Called as `f(block, shared, offset)`: `block` has the rows from `offset` on of every row
 * input, `shared` is all of the shared inputs. It returns one tensor, of one type: with `"concat"`,
 * with one row per row of the block; with `"sum"`, of the same shape for every block, where booleans
 * are counted. What it differentiates must come in through `rowInputs` and `sharedInputs`; it is
 * called again on the way back, so it must be pure.
 * @param rowInputs What is cut into blocks along axis 0: a tensor, or arrays and plain objects of
 * tensors with equally many rows, floating or integer.
 * @param sharedInputs What every block sees whole: a tensor, or arrays and plain objects of them.
 * @param options `rows`, the rows of a block; `combine`, `"concat"` by default.
 * @returns The combined result. Gradients reach all floating row inputs and shared inputs.
 * @throws {TypeError} If the row inputs have no rows or unequally many, `f` returns no tensor, or one
 * of a shape or type that does not fit, or uses a tensor under differentiation or vmap that is not
 * among its inputs; if an option does not exist, or `combine` is neither.
 * @throws {RangeError} If `rows` is not a whole number of at least 1.
 *
 * @example Each cell's mean squared distance to all cells, two cells at a time
 * ```ts
 * import { grad, mapRowBlocks, pairwiseSquaredDistance, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const spread = (block: Tensor, all: Tensor) =>
 *   pairwiseSquaredDistance(block, all).mean({ axis: 1 });
 * const spreads = (cells: Tensor) => mapRowBlocks(spread, cells, cells, { rows: 2 });
 * const cells = [[0], [3], [6]];
 * assertEquals(mapRowBlocks(spread, cells, cells, { rows: 2 }).toArray(), [15, 6, 15]);
 * assertEquals(grad((x: Tensor) => spreads(x).sum())(cells).toArray(), [[-12], [0], [12]]);
 * ```
 */
export function mapRowBlocks<R, S>(
  f: (block: R, shared: S, offset: number) => Tensor,
  rowInputs: LikeTree<NoInfer<R>>,
  sharedInputs: LikeTree<NoInfer<S>>,
  options: MapRowBlocksOptions,
): Tensor {
  if (arguments.length > 4) refuseMore(CALLER, "options", 4, arguments);
  checkFunction(CALLER, "f", f);
  const defaults = { rows: undefined, combine: "concat" };
  const { rows, combine } = readOptions(CALLER, options, defaults);
  checkNumber(CALLER, "rows", rows, { min: 1, integer: true });
  checkChoice(CALLER, "combine", combine, ["concat", "sum"]);
  const own = flattenTree(CALLER, rowInputs, "rowInputs");
  const all = flattenTree(CALLER, sharedInputs, "sharedInputs");
  checkRows(own.leaves);
  let first: Tensor | undefined;
  const checked: RowBlocks["f"] = (block, shared, offset) => {
    const y = f(own.rebuild(block) as R, all.rebuild(shared) as S, offset);
    checkResult(y, combine, block[0]!.shape[0]!, offset === 0 ? undefined : first);
    if (offset === 0) first = y;
    return [combine === "sum" && y.dtype === "bool" ? cast(y, "int32") : y];
  };
  const blocks = { f: checked, combine: [combine], rowInputs: own.leaves.length, height: rows };
  return mapBlocks(CALLER, blocks, [...own.leaves, ...all.leaves])[0]!;
}

function checkRows(rowInputs: readonly Tensor[]): void {
  const counts = new Set<number | undefined>(rowInputs.map(({ shape }) => shape[0]));
  if (counts.size === 1 && !counts.has(undefined)) return;
  throw new TypeError(
    `Cannot compute ${CALLER} as rowInputs must hold tensors with equally many rows: ` +
      (rowInputs.length === 0
        ? "there is no tensor"
        : `current shapes are ${rowInputs.map(({ shape }) => formatShape(shape)).join(" and ")}`),
  );
}

/** Checks that a block's result can be combined with the first one. */
function checkResult(
  y: unknown,
  combine: "concat" | "sum",
  rows: number,
  first: Tensor | undefined,
): void {
  if (!(y instanceof Tensor)) {
    throw new TypeError(
      `Cannot compute ${CALLER} as f must return one tensor: current value is ${typeof y}`,
    );
  }
  if (combine === "concat" && y.shape[0] !== rows) {
    throw new TypeError(
      `Cannot compute ${CALLER} as f must return one row for each of the ${rows} rows of its block: ` +
        `current shape is ${formatShape(y.shape)}; combine "sum" adds results up`,
    );
  }
  const rest = (shape: Shape) => combine === "concat" ? shape.slice(1) : shape;
  if (first === undefined) return;
  if (first.dtype === y.dtype && sameShape(rest(first.shape), rest(y.shape))) return;
  const [one, other] = [first, y].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`);
  throw new TypeError(
    `Cannot compute ${CALLER} as the results of all blocks must fit together: ` +
      `current results are ${one} and ${other}`,
  );
}

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

function cut<T>(values: readonly T[], at: number): [T[], T[]] {
  return [values.slice(0, at), values.slice(at)];
}

/** Several tensors as one, as operations have one result. */
function pack(tensors: readonly Tensor[]): Tensor {
  return tensors.length === 1 ? tensors[0]! : concat(tensors.map((x) => reshape(x, [-1])));
}

function unpack(packed: Tensor, shapes: readonly Shape[]): Tensor[] {
  if (shapes.length === 1) return [packed];
  return split(packed, shapes.map(sizeOf)).map((x, i) => reshape(x, shapes[i]!));
}

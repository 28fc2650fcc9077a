/**
 * Tensors with labelled axes: sums of products over the labels that they share, two at a time.
 *
 * @module
 */
import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { mul } from "./arithmetic.ts";
import { sliceOp } from "./join.ts";
import { reshape, transpose } from "./layout.ts";
import { contractionOrder, type Tree } from "./contraction_order.ts";
import { matmulOp } from "./linalg.ts";
import { sum } from "./reduce.ts";

/** A tensor with a label per axis. */
export interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/** Contracts tensors to the labels of the output, in the order of least cost. */
export function contractAll(
  operands: readonly Labelled[],
  output: readonly string[],
  extents: ReadonlyMap<string, number>,
): Tensor {
  const whole = operands.map((operand) => diagonal(withoutOnes(operand, extents)));
  const single = whole.map((operand, i) => {
    const others = whole.flatMap(({ labels }, j) => i === j ? [] : labels);
    return sumLonely(operand, new Set([...others, ...output]));
  });
  const run = (tree: Tree): [Labelled, members: readonly number[]] => {
    if (typeof tree === "number") return [single[tree]!, [tree]];
    const [[a, left], [b, right]] = [run(tree[0]), run(tree[1])];
    const members = [...left, ...right];
    const others = single.flatMap(({ labels }, i) => members.includes(i) ? [] : labels);
    return [contract(a, b, [...output, ...others], extents), members];
  };
  const order = contractionOrder(single.map(({ labels }) => labels), output, extents);
  return layOut(run(order)[0], output);
}

/** Without the axes of extent 1 that meet a larger one in other tensors. */
function withoutOnes(
  { tensor, labels }: Labelled,
  extents: ReadonlyMap<string, number>,
): Labelled {
  const isKept = (i: number) => tensor.shape[i] === extents.get(labels[i]!);
  if (labels.every((_, i) => isKept(i))) return { tensor, labels };
  return {
    tensor: reshape(tensor, tensor.shape.filter((_, i) => isKept(i))),
    labels: labels.filter((_, i) => isKept(i)),
  };
}

/** The values whose positions along axes of the same label agree. */
function diagonal({ tensor, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (second < 0) return { tensor, labels };
  const first = labels.indexOf(labels[second]!);
  const rest = labels.flatMap((_, i) => i === first || i === second ? [] : [i]);
  const [shape, n] = [rest.map((i) => tensor.shape[i]!), tensor.shape[first]!];
  const flat = reshape(transpose(tensor, [...rest, first, second]), [...shape, n * n]);
  const block = {
    start: flat.shape.map(() => 0),
    shape: [...shape, n],
    step: [...shape.map(() => 1), n + 1],
  };
  return diagonal({
    tensor: apply(sliceOp, [flat], block),
    labels: [...rest.map((i) => labels[i]!), labels[first]!],
  });
}

/** With the axes added up that nothing else names. */
function sumLonely({ tensor, labels }: Labelled, needed: ReadonlySet<string>): Labelled {
  const axis = labels.flatMap((label, i) => needed.has(label) ? [] : [i]);
  if (axis.length === 0) return { tensor, labels };
  return { tensor: sum(tensor, { axis }), labels: labels.filter((label) => needed.has(label)) };
}

/** The sum of the products of two tensors over the labels that they share and nothing else needs. */
export function contract(
  x: Labelled,
  y: Labelled,
  kept: readonly string[],
  extents: ReadonlyMap<string, number>,
): Labelled {
  const own = (z: Labelled, other: Labelled) =>
    z.labels.filter((label) => !other.labels.includes(label));
  const place = (labels: readonly string[]) =>
    Math.min(...labels.map((label) => kept.indexOf(label)));
  // The one whose labels come first in the result goes to the left.
  const [a, b] = place(own(y, x)) < place(own(x, y)) ? [y, x] : [x, y];
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const groups: Groups = {
    batch: shared.filter((label) => kept.includes(label)),
    summed: shared.filter((label) => !kept.includes(label)),
    rows: own(a, b),
    columns: own(b, a),
  };
  const { batch, summed, rows, columns } = groups;
  const isRowwise = batch.length > 0 && rows.length + columns.length === 0;
  const shapeOf = (labels: readonly string[]) => labels.map((label) => extents.get(label)!);
  return {
    tensor: summed.length === 0 || isRowwise
      ? multiplyOut(a, b, groups, shapeOf)
      : multiplyMatrices(a, b, groups, shapeOf),
    labels: [...batch, ...rows, ...columns],
  };
}

/** The labels of two tensors: in both and kept, in both and summed over, in one only. */
type Groups = Record<"batch" | "summed" | "rows" | "columns", readonly string[]>;

/** Products of single values, added up. */
function multiplyOut(
  a: Labelled,
  b: Labelled,
  { batch, summed, rows, columns }: Groups,
  shapeOf: (labels: readonly string[]) => Shape,
): Tensor {
  const ones = (labels: readonly string[]) => labels.map(() => 1);
  const [outer, inner] = [shapeOf(batch), shapeOf(summed)];
  const left = layOut(a, [...batch, ...rows, ...summed]);
  const right = layOut(b, [...batch, ...columns, ...summed]);
  const products = mul(
    reshape(left, [...outer, ...shapeOf(rows), ...ones(columns), ...inner]),
    reshape(right, [...outer, ...ones(rows), ...shapeOf(columns), ...inner]),
  );
  return summed.length === 0 ? products : sum(products, { axis: summed.map((_, i) => -1 - i) });
}

/** Products of matrices, read transposed where that saves to turn them. */
function multiplyMatrices(
  a: Labelled,
  b: Labelled,
  { batch, summed, rows, columns }: Groups,
  shapeOf: (labels: readonly string[]) => Shape,
): Tensor {
  const matrices = (x: Labelled, first: readonly string[], last: readonly string[]) => {
    const swapped = [...batch, ...last, ...first];
    const plain = [...batch, ...first, ...last];
    const transposed = !isInOrder(x, plain) && isInOrder(x, swapped);
    const [r, c] = (transposed ? [last, first] : [first, last]).map((some) =>
      sizeOf(shapeOf(some))
    );
    const lying = layOut(x, transposed ? swapped : plain);
    return { matrix: reshape(lying, [...shapeOf(batch), r!, c!]), transposed };
  };
  const [left, right] = [matrices(a, rows, summed), matrices(b, summed, columns)];
  const transposed = { a: left.transposed, b: right.transposed };
  const products = apply(matmulOp, [left.matrix, right.matrix], transposed);
  return reshape(products, shapeOf([...batch, ...rows, ...columns]));
}

function isInOrder({ labels }: Labelled, order: readonly string[]): boolean {
  return order.every((label, i) => labels[i] === label);
}

/** The tensor with its axes in the order of the labels. */
function layOut(x: Labelled, order: readonly string[]): Tensor {
  if (isInOrder(x, order)) return x.tensor;
  return transpose(x.tensor, order.map((label) => x.labels.indexOf(label)));
}

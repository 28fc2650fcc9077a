/**
 * Families of graphs whose compilation must take time in proportion to their steps.
 *
 * @module
 */
import { add, concat, layerNorm, scan, slice, type Tensor, zeros } from "@cellgrad/cellgrad";

/** Functions of any size. */
export interface Family {
  /** What they do. */
  readonly name: string;
  /** The arguments' shapes, for `n` of whatever there are many. */
  shapes(n: number): readonly (readonly number[])[];
  /** The function. */
  f(n: number): (...inputs: Tensor[]) => Tensor | Tensor[];
}

const times = (n: number) => Array.from({ length: n }, (_, i) => i);
const sum = (xs: readonly Tensor[]) => xs.reduce((a, b) => add(a, b));

/** The families. */
export const FAMILIES: readonly Family[] = [
  {
    name: "chain of elementwise steps",
    shapes: () => [[16]],
    f: (n) => (x) => times(n).reduce((y) => y.mul(1.001).add(0.1), x!),
  },
  {
    name: "fan of one value",
    shapes: () => [[16]],
    f: (n) => (x) => sum(times(n).map((i) => x!.mul(i + 0.5))),
  },
  {
    name: "slices of one matrix",
    shapes: (n) => [[n, 8]],
    f: (n) => (x) => sum(times(n).map((i) => slice(x!, i, i + 1).sum({ axis: 0 }))),
  },
  {
    name: "many small tensors",
    shapes: (n) => times(n).map(() => [8]),
    f: () => (...xs) => xs.map((x) => x.mul(2)),
  },
  {
    name: "concat of many pieces",
    shapes: () => [[4]],
    f: (n) => (x) => concat(times(n).map((i) => x!.mul(i))),
  },
  {
    name: "many constants",
    shapes: () => [[8]],
    f: (n) => {
      const constants = times(n).map((i) => zeros([8]).add(i));
      return (x) => constants.reduce((y, c) => y.mul(c), x!);
    },
  },
  {
    name: "chain of products",
    shapes: (n) => [[4, 8], ...times(n).map(() => [8, 8])],
    f: () => (x, ...ws) => ws.reduce((y, w) => y.matmul(w), x!),
  },
  {
    name: "layers: product, layer norm, tanh",
    shapes: (n) => [[8, 16], ...times(n).map(() => [16, 16])],
    f: () => (x, ...ws) => ws.reduce((y, w) => layerNorm(y.matmul(w)).tanh(), x!),
  },
  {
    name: "softmax of softmax",
    shapes: () => [[4, 8]],
    f: (n) => (x) => times(n).reduce((y) => y.softmax(), x!),
  },
  {
    name: "loops one after the other",
    shapes: () => [[4, 8]],
    f: (n) => (x) => {
      const before = (c: Tensor, row: Tensor): [Tensor, Tensor] => [c.add(row), c];
      return times(n).reduce((y): Tensor => scan(before, y.sum({ axis: 0 }), y)[1], x!);
    },
  },
  {
    name: "loops side by side",
    shapes: () => [[4, 8]],
    f: (n) => (x) => {
      const before = (c: Tensor, row: Tensor): [Tensor, Tensor] => [c.mul(0.5).add(row), c];
      return sum(times(n).map((i) => scan(before, x!.sum({ axis: 0 }).mul(i), x!)[0]));
    },
  },
];

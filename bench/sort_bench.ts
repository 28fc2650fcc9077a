/**
 * How fast is sorting along the last axis: by comparing, eagerly, and in a program?
 *
 * @module
 */
import { argSort, compile, type Tensor, tensor, topK } from "@cellgrad/cellgrad";
import { argSortRows as eagerly } from "../kernels/select/eager.ts";
import { argSortRows as byComparing } from "../kernels/select/reference.ts";

/** Rows, values in a row, and how many of them are wanted. */
const CASES: readonly [rows: number, count: number, kept: number][] = [
  [2000, 16, 16],
  [1000, 64, 64],
  [1000, 1000, 1000],
  [1000, 1000, 15],
  [1, 100_000, 100_000],
];

for (const [rows, count, kept] of CASES) {
  const data = Float32Array.from({ length: rows * count }, (_, i) => Math.sin(i * i));
  const out = new Int32Array(rows * kept);
  const around = { outer: rows, count, inner: 1 };
  const x = tensor(data, { shape: [rows, count] });
  const order = (x: Tensor) => kept === count ? argSort(x) : topK(x, kept).indices;
  const program = await compile(order, [x]);
  const group = `${kept} of ${count} values in ${rows} rows`;
  Deno.bench({ name: `${group}, by comparing`, group, baseline: true }, () => {
    byComparing(out, data, around, { descending: false, kept, nanFirst: false });
  });
  Deno.bench({ name: `${group}, eagerly`, group }, () => {
    eagerly(out, data, around, { descending: false, kept, nanFirst: false });
  });
  Deno.bench({ name: `${group}, program`, group }, async () => {
    await program(x);
  });
}

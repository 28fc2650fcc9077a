/**
 * How fast are squared distances between all pairs of rows, by which kernel, from which size on?
 *
 * The names give the millions of squared differences, three floating-point operations each.
 *
 * @module
 */
import type { FloatArray } from "../src/dtype.ts";
import { tensor } from "@cellgrad/cellgrad";
import { squaredDistances } from "../kernels/matmul/reference.ts";
import { innerProductsWasm } from "../kernels/matmul/wasm.ts";
import { hasRelaxedSimd } from "../kernels/wasm/features.ts";

/** Cells in principal components: few, a mini-batch, a sample; then a batch in many genes. */
const CASES: readonly [rows: number, dimensions: number][] = [
  [16, 50],
  [64, 50],
  [256, 50],
  [1000, 50],
  [2000, 50],
  [4000, 50],
  [256, 2000],
];

const relaxed = innerProductsWasm("squaredDifference", true);
const strict = innerProductsWasm("squaredDifference", false);

function numbers<A extends FloatArray>(data: A): A {
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(i);
  return data;
}

function benchCase(rows: number, dimensions: number, dtype: "float32" | "float64"): void {
  const allocate = (size: number) =>
    dtype === "float32" ? new Float32Array(size) : new Float64Array(size);
  const [a, out] = [numbers(allocate(rows * dimensions)), allocate(rows * rows)];
  const left = { data: a, offset: 0, rowStride: dimensions, columnStride: 1 };
  const right = { ...left, rowStride: 1, columnStride: dimensions };
  const x = tensor(a, { shape: [rows, dimensions] });
  const millions = Number((rows * rows * dimensions / 1e6).toPrecision(3));
  const group = `distances of ${rows} rows, d = ${dimensions}, ${dtype}, ${millions} M squares`;
  if (rows <= 1000) {
    Deno.bench({ name: `${group}, TypeScript`, group, baseline: true }, () => {
      squaredDistances(out, 0, left, right, rows, dimensions, rows);
    });
  }
  if (dtype === "float32" && hasRelaxedSimd()) {
    Deno.bench({ name: `${group}, relaxed WebAssembly`, group }, () => {
      relaxed(out, 0, left, right, rows, dimensions, rows);
    });
  }
  Deno.bench({ name: `${group}, WebAssembly`, group }, () => {
    strict(out, 0, left, right, rows, dimensions, rows);
  });
  Deno.bench({ name: `${group}, tensors`, group }, () => {
    x.pairwiseSquaredDistance();
  });
}

for (const [rows, dimensions] of CASES) benchCase(rows, dimensions, "float32");
benchCase(1000, 50, "float64");

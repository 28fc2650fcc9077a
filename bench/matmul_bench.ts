/**
 * How fast are matrix products, by which kernel, from which size on?
 *
 * The names give the millions of floating-point operations: MFLOP by milliseconds is GFLOP/s.
 *
 * @module
 */
import type { FloatArray } from "../src/dtype.ts";
import { tensor } from "@cellgrad/cellgrad";
import { matmul } from "../kernels/matmul/reference.ts";
import { innerProductsWasm } from "../kernels/matmul/wasm.ts";
import { hasRelaxedSimd } from "../kernels/wasm/features.ts";

type Shape = readonly [m: number, k: number, n: number];

const SQUARES: readonly Shape[] = [[16, 16, 16], [32, 32, 32], [64, 64, 64], [256, 256, 256]];

/** The products of an MLP step with a batch of 256: forward, and to the gradient of its weights. */
const LAYERS: readonly Shape[] = [[256, 2000, 128], [2000, 256, 128], [256, 128, 20]];

/** A matrix by a vector, a vector by a matrix, and an outer product: nothing is used twice. */
const THIN: readonly Shape[] = [[1000, 1000, 1], [1, 1000, 1000], [1000, 1, 1000]];

const LARGE: readonly Shape[] = [[512, 512, 512], [1024, 1024, 1024], [2048, 2048, 2048]];

function numbers<A extends FloatArray>(data: A): A {
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(i);
  return data;
}

function benchShape([m, k, n]: Shape, dtype: "float32" | "float64", withReference: boolean): void {
  const allocate = (size: number) =>
    dtype === "float32" ? new Float32Array(size) : new Float64Array(size);
  const [a, b, out] = [numbers(allocate(m * k)), numbers(allocate(k * n)), allocate(m * n)];
  const left = { data: a, offset: 0, rowStride: k, columnStride: 1 };
  const right = { data: b, offset: 0, rowStride: n, columnStride: 1 };
  const [x, y] = [tensor(a, { shape: [m, k] }), tensor(b, { shape: [k, n] })];
  const megaflop = Number((2 * m * k * n / 1e6).toPrecision(4));
  const group = `matmul ${m}×${k} by ${k}×${n}, ${dtype}, ${megaflop} MFLOP`;
  if (withReference) {
    Deno.bench({ name: `${group}, TypeScript`, group, baseline: true }, () => {
      matmul(out, 0, left, right, m, k, n);
    });
  }
  if (dtype === "float32" && hasRelaxedSimd()) {
    Deno.bench({ name: `${group}, relaxed WebAssembly`, group }, () => {
      innerProductsWasm("product", true)(out, 0, left, right, m, k, n);
    });
  }
  Deno.bench({ name: `${group}, WebAssembly`, group }, () => {
    innerProductsWasm("product", false)(out, 0, left, right, m, k, n);
  });
  Deno.bench({ name: `${group}, tensors`, group }, () => {
    x.matmul(y);
  });
}

for (const shape of [...SQUARES, ...LAYERS, ...THIN]) benchShape(shape, "float32", true);
for (const shape of LARGE) benchShape(shape, "float32", shape[0] === 512);
for (const shape of [...SQUARES.slice(1), LARGE[0]!]) benchShape(shape, "float64", true);

import { assert, assertEquals } from "@std/assert";
import { addSparseProduct, type Entries } from "../../kernels/sparse_product/reference.ts";
import {
  emitSparseProduct,
  type SparseProduct,
  sparseScratchBytes,
} from "../../kernels/sparse_product/wasm.ts";
import { sparseProductPlan } from "../../kernels/sparse_product/wgsl.ts";
import { ModuleBuilder, PAGE_BYTES } from "../../kernels/wasm/module.ts";
import { BYTES, type NumberArray } from "../../src/dtype.ts";
import { arrayOf, wave } from "./wasm_loops.ts";
import { gpuTest, type Job, type Words } from "./wgsl_runner.ts";

/** Whole numbers in [0, below) that are the same every time. */
function positions(length: number, below: number, step: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => (i * step + (i * i) % 7) % below);
}

/** Rows without entries and with many, columns that fill strips, groups, and neither. */
const PRODUCTS = [0, 1, 40, 300].flatMap((entries) =>
  [1, 5, 60].flatMap((count) =>
    [1, 3, 4, 16, 32, 39, 70].map((inner) => ({ entries, count, inner }))
  )
);

const HEIGHT = 9;

type Dtype = SparseProduct["dtype"];

function inputsOf(dtype: Dtype, { entries, count, inner }: Omit<SparseProduct, "dtype">) {
  const values = wave(dtype, entries);
  const table = wave(dtype, HEIGHT * inner, 1);
  // A gap: every other row has no entry.
  const rows = positions(entries, Math.ceil(count / 2), 5).map((row) => 2 * row);
  return { values, rows, columns: positions(entries, HEIGHT, 11), table };
}

function expectedOf(
  dtype: Dtype,
  { table, ...entries }: Entries & { table: NumberArray },
  { count, inner }: Omit<SparseProduct, "dtype">,
): Float32Array | Float64Array {
  const sums = arrayOf(dtype, count * inner) as Float32Array;
  addSparseProduct(sums, entries, table, inner);
  return sums;
}

/** Multiplies in a memory, between bytes that must stay as they are, columns in two parts. */
function runWasm(
  product: SparseProduct,
  { values, rows, columns, table }: Entries & { table: NumberArray },
): NumberArray {
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("run", emitSparseProduct(module, product));
  const { dtype, count, inner } = product;
  const bytes = count * inner * BYTES[dtype];
  const sizes = [bytes, ...[values, rows, columns, table].map((x) => x.byteLength)];
  sizes.push(sparseScratchBytes(product));
  let end = 64;
  const at = sizes.map((size) => {
    const start = end;
    end += Math.ceil(size / 64) * 64 + 64;
    return start;
  });
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE_BYTES) });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory },
  });
  const view = new Uint8Array(memory.buffer).fill(0xa5);
  [values, rows, columns, table].forEach((data, i) =>
    view.set(new Uint8Array(data.buffer), at[i + 1]!)
  );
  const half = Math.floor(inner / 2);
  for (const part of [[0, half], [half, inner]]) {
    (exports.run as (...args: number[]) => void)(...at, ...part);
  }
  const out = arrayOf(dtype, count * inner);
  new Uint8Array(out.buffer).set(view.subarray(at[0]!, at[0]! + bytes));
  at.forEach((start, i) => {
    const behind = view.subarray(start + sizes[i]!, at[i + 1] ?? end);
    assert(behind.every((byte) => byte === 0xa5));
  });
  return out;
}

for (const dtype of ["float32", "float64"] as const) {
  Deno.test(`emitSparseProduct() of ${dtype} gives the bits of the reference`, () => {
    for (const shape of PRODUCTS) {
      const inputs = inputsOf(dtype, shape);
      if (shape.entries > 3) inputs.values[2] = NaN;
      const expected = expectedOf(dtype, inputs, shape);
      assertEquals([...runWasm({ dtype, ...shape }, inputs)], [...expected]);
    }
  });
}

gpuTest("sparseProductPlan() adds as the reference does", async (runner) => {
  const checks = PRODUCTS.filter(({ entries }) => entries > 0).map((shape) => {
    const inputs = inputsOf("float32", shape);
    // Sums of products of eighths are exact, and known without an order.
    const eighths = (x: NumberArray) => Float32Array.from(x, (v) => Math.round(8 * v) / 8);
    const exact = { ...inputs, values: eighths(inputs.values), table: eighths(inputs.table) };
    const { values, rows, columns, table } = exact;
    const output = new Float32Array(shape.count * shape.inner);
    const plan = sparseProductPlan("float32", shape.entries, [shape.count, shape.inner]);
    const job: Job = {
      plan,
      inputs: [values, rows, columns, table] as Words[],
      outputs: [output],
    };
    return { job, expected: expectedOf("float32", exact, shape) };
  });
  await runner.run(checks.map(({ job }) => job));
  for (const { job, expected } of checks) assertEquals([...job.outputs[0]!], [...expected]);
});

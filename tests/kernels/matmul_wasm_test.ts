import type { Precision } from "../../kernels/functions/algebra.ts";
import type { FloatArray } from "../../src/dtype.ts";
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { matmul as matmulEager } from "../../kernels/matmul/eager.ts";
import { blockShape, emitKernel, tileRowsFor } from "../../kernels/matmul/emit.ts";
import { InnerProduct, innerProductsWasm, kernelOptions } from "../../kernels/matmul/wasm.ts";
import { matmul, type MatrixView, type Term } from "../../kernels/matmul/reference.ts";
import { fill } from "../../kernels/random/eager.ts";
import { hasRelaxedSimd } from "../../kernels/wasm/features.ts";
import { reserve, scratchMemory } from "../../kernels/wasm/module.ts";
import * as cg from "../../mod.ts";

/** Sizes around tiles of 3, 5, 6, 8 and 12, blocks of 95 and 96, and vectors. */
const SIZES = [
  0,
  1,
  2,
  3,
  4,
  5,
  6,
  7,
  8,
  9,
  13,
  24,
  63,
  64,
  65,
  95,
  96,
  97,
  256,
  257,
  300,
] as const;

/** Products along all three axes of which lie beyond one block. */
const LARGE = [[1000, 3, 1000], [3, 1000, 3], [1, 2500, 9], [1100, 5, 7], [7, 300, 2100]] as const;

/** The kernels: float32 with and without multiplication and addition at once, and float64. */
const KERNELS: { name: string; dtype: Precision; relaxed: boolean }[] = [
  ...(hasRelaxedSimd()
    ? [{ name: "relaxed float32", dtype: "float32", relaxed: true }] as const
    : []),
  { name: "float32", dtype: "float32", relaxed: false },
  { name: "float64", dtype: "float64", relaxed: false },
];

const allocate = (dtype: Precision, length: number): FloatArray =>
  dtype === "float32" ? new Float32Array(length) : new Float64Array(length);

/** Normal numbers as the type holds them. */
function random(dtype: Precision, length: number, seed: number): FloatArray {
  const data = allocate(dtype, length);
  fill("normal", data, [seed, length]);
  return data;
}

/** A matrix at an offset: by rows, by columns, with gaps between them, or every other value. */
function view(
  dtype: Precision,
  rows: number,
  columns: number,
  layout: "rows" | "columns" | "gaps" | "sparse",
  seed: number,
): MatrixView {
  const offset = 3;
  const strides = {
    rows: [columns, 1],
    columns: [1, rows],
    gaps: [1, rows + 5],
    sparse: [2 * columns, 2],
  } as const;
  const [rowStride, columnStride] = strides[layout];
  const data = random(dtype, offset + 2 * (rows + 5) * (columns + 5), seed);
  return { data, offset, rowStride, columnStride };
}

const at = (x: MatrixView, i: number, j: number) =>
  x.data[x.offset + i * x.rowStride + j * x.columnStride]!;

/** The sums in float64 (exact enough for float32), and those of the absolute values. */
function sums(a: MatrixView, b: MatrixView, m: number, k: number, n: number) {
  const [exact, absolute] = [new Float64Array(m * n), new Float64Array(m * n)];
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      for (let j = 0; j < n; j++) {
        const product = at(a, i, l) * at(b, l, j);
        exact[i * n + j]! += product;
        absolute[i * n + j]! += Math.abs(product);
      }
    }
  }
  return { exact, absolute };
}

/** Asserts the bound that `innerProductsWasm` states; float64 equals the reference bit for bit. */
function check(out: FloatArray, a: MatrixView, b: MatrixView, m: number, k: number, n: number) {
  if (out instanceof Float64Array) {
    const expected = new Float64Array(m * n);
    matmul(expected, 0, a, b, m, k, n);
    assertEquals(out, expected);
    return;
  }
  const { exact, absolute } = sums(a, b, m, k, n);
  const bound = (Math.min(k, 256) + Math.ceil(k / 256) + 1) * 2 ** -24;
  for (let i = 0; i < out.length; i++) {
    assertLessOrEqual(Math.abs(out[i]! - exact[i]!), bound * absolute[i]!);
  }
}

const sizes = fc.constantFrom(...SIZES);
const layouts = fc.constantFrom("rows", "columns", "gaps", "sparse");

for (const { name, dtype, relaxed } of KERNELS) {
  Deno.test(`innerProductsWasm() is within its bound of the reference in any layout: ${name}`, () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, layouts, layouts, (m, k, n, left, right) => {
        if (m * k * n > 4e6) return;
        const [a, b] = [view(dtype, m, k, left, 1), view(dtype, k, n, right, 2)];
        const out = allocate(dtype, m * n).fill(NaN);
        innerProductsWasm("product", relaxed)(out, 0, a, b, m, k, n);
        check(out, a, b, m, k, n);
      }),
      { seed: 41, numRuns: 150 },
    );
  });

  for (const [m, k, n] of LARGE) {
    Deno.test(`innerProductsWasm() of ${m}×${k} by ${k}×${n} is right block by block: ${name}`, () => {
      for (const [left, right] of [["rows", "rows"], ["columns", "gaps"]] as const) {
        const [a, b] = [view(dtype, m, k, left, 3), view(dtype, k, n, right, 4)];
        const out = allocate(dtype, m * n);
        innerProductsWasm("product", relaxed)(out, 0, a, b, m, k, n);
        check(out, a, b, m, k, n);
      }
    });
  }

  Deno.test(`innerProductsWasm() reads rows a power of two apart: ${name}`, () => {
    const [m, k, n] = [33, 512, 128];
    const [a, b] = [view(dtype, m, k, "rows", 5), view(dtype, k, n, "columns", 6)];
    const out = allocate(dtype, m * n);
    innerProductsWasm("product", relaxed)(out, 0, a, b, m, k, n);
    check(out, a, b, m, k, n);
  });

  Deno.test(`innerProductsWasm() gives the same bits each time, and for each block of rows: ${name}`, () => {
    const [m, k, n] = [203, 300, 65];
    const [a, b] = [view(dtype, m, k, "rows", 7), view(dtype, k, n, "rows", 8)];
    const [first, again, parts] = [0, 1, 2].map(() => allocate(dtype, m * n)) as [
      FloatArray,
      FloatArray,
      FloatArray,
    ];
    innerProductsWasm("product", relaxed)(first, 0, a, b, m, k, n);
    // Enough rounds for the engine to compile the kernel anew, with optimizations.
    for (let round = 0; round < 30; round++) {
      innerProductsWasm("product", relaxed)(again, 0, a, b, m, k, n);
    }
    for (let row = 0; row < m; row += 37) {
      const part = { ...a, offset: a.offset + row * k };
      innerProductsWasm("product", relaxed)(parts, row * n, part, b, Math.min(37, m - row), k, n);
    }
    assertEquals(again, first);
    assertEquals(parts, first);
  });

  Deno.test(`innerProductsWasm() passes NaN and infinities on, to their rows and columns only: ${name}`, () => {
    const [m, k, n] = [7, 6, 10];
    const [a, b] = [view(dtype, m, k, "rows", 9), view(dtype, k, n, "rows", 10)];
    a.data[a.offset + 2 * k + 1] = NaN;
    b.data[b.offset + 9] = Infinity;
    const out = allocate(dtype, m * n);
    innerProductsWasm("product", relaxed)(out, 0, a, b, m, k, n);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const expected = i === 2 ? NaN : j === 9 ? Math.sign(at(a, i, 0)) * Infinity : 0;
        const value = out[i * n + j]!;
        assertEquals(Number.isFinite(value) ? 0 : value, expected);
      }
    }
  });
}

Deno.test("innerProductsWasm() writes at its place and leaves the rest alone", () => {
  const out = Float64Array.of(9, 9, 0, 9);
  const one = { data: Float64Array.of(2, 3), offset: 0, rowStride: 2, columnStride: 1 };
  innerProductsWasm("product")(out, 2, one, { ...one, rowStride: 1 }, 1, 2, 1);
  assertEquals([...out], [9, 9, 13, 9]);
});

Deno.test("innerProductsWasm() of mixed types computes in float64", () => {
  const a = { data: Float32Array.of(2 ** 24, 1), offset: 0, rowStride: 2, columnStride: 1 };
  const b = { data: Float64Array.of(1, 1), offset: 0, rowStride: 1, columnStride: 1 };
  const out = new Float64Array(1);
  innerProductsWasm("product")(out, 0, a, b, 1, 2, 1);
  assertEquals(out[0], 2 ** 24 + 1);
});

Deno.test("innerProductsWasm() needs no more linear memory than it says, however large the matrices", () => {
  const n = 2100;
  const a = view("float64", n, 1030, "rows", 11);
  const b = { ...view("float64", 1030, 3, "rows", 12), columnStride: 0 };
  const out = new Float64Array(n * n);
  innerProductsWasm("product")(out, 0, a, b, n, 1030, n);
  assertLess(scratchMemory().buffer.byteLength, 28 * 2 ** 20);
  const column = new Float64Array(n);
  matmul(column, 0, a, b, n, 1030, 1);
  for (let i = 0; i < n; i += 7) assertEquals(out[i * n + (i * 31) % n], column[i]);
});

/** A linear memory with matrices in it, and where they are. */
function inMemory(dtype: Precision, m: number, k: number, n: number) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const kernel = new InnerProduct(memory, kernelOptions("product", dtype, m));
  const bytes = dtype === "float32" ? 4 : 8;
  const [a, b] = [random(dtype, m * k, 13), random(dtype, k * n, 14)];
  const atA = 64;
  const atB = atA + a.byteLength;
  const out = atB + b.byteLength;
  const scratch = out + m * n * bytes + 64;
  const end = scratch + kernel.scratchBytes(k, n);
  reserve(memory, end + 64);
  const whole = new Uint8Array(memory.buffer);
  whole.fill(0xab);
  whole.set(new Uint8Array(a.buffer), atA);
  whole.set(new Uint8Array(b.buffer), atB);
  const values = dtype === "float32"
    ? new Float32Array(memory.buffer, out, m * n)
    : new Float64Array(memory.buffer, out, m * n);
  return { kernel, whole, a, b, atA, atB, out, scratch, end, values };
}

for (const dtype of ["float32", "float64"] as const) {
  for (const [m, k, n] of [[13, 29, 11], [101, 257, 70], [5, 1, 1]] as const) {
    Deno.test(`InnerProduct works on ${dtype} in linear memory and on nothing else: ${m}×${k}×${n}`, () => {
      const { kernel, whole, a, b, atA, atB, out, scratch, end, values } = inMemory(dtype, m, k, n);
      const [left, right] = [
        { data: a, offset: 0, rowStride: k, columnStride: 1 },
        { data: b, offset: 0, rowStride: n, columnStride: 1 },
      ];
      kernel.run(
        { at: out, rowStride: n },
        { at: atA, rowStride: k, columnStride: 1 },
        { at: atB, rowStride: n, columnStride: 1 },
        m,
        k,
        n,
        scratch,
      );
      check(values.slice(), left, right, m, k, n);
      const rest = [whole.subarray(0, atA), whole.subarray(out + values.byteLength, scratch)];
      for (const bytes of [...rest, whole.subarray(end)]) {
        assert(bytes.every((byte) => byte === 0xab));
      }
      assertEquals(whole.slice(atA, atB), new Uint8Array(a.buffer));
    });
  }
}

Deno.test("InnerProduct.run() adds to its output where told so, depth after depth", () => {
  const [m, k, n] = [11, 768, 10];
  const { kernel, atA, atB, out, scratch, values } = inMemory("float32", m, k, n);
  const a = { at: atA, rowStride: k, columnStride: 1 };
  const b = { at: atB, rowStride: n, columnStride: 1 };
  const output = { at: out, rowStride: n };
  kernel.run(output, a, b, m, k, n, scratch);
  const whole = values.slice();
  for (let p = 0; p < k; p += 256) {
    const [left, right] = [{ ...a, at: atA + 4 * p }, { ...b, at: atB + 4 * p * n }];
    kernel.run(output, left, right, m, 256, n, scratch, { add: p > 0 });
  }
  assertEquals(values, whole);
  kernel.run(output, a, b, m, 0, n, scratch, { add: true });
  assertEquals(values, whole);
  kernel.run(output, a, b, m, 0, n, scratch);
  assert(values.every((value) => value === 0));
});

for (const dtype of ["float32", "float64"] as const) {
  Deno.test(`InnerProduct.run() mirrors symmetric products of ${dtype}, bit for bit`, () => {
    const bytes = dtype === "float32" ? 4 : 8;
    // 2100 rows of float32, and 1100 of float64, are more than are packed at a time.
    const sizes = [1, 2, 3, 13, 97, 100, 203, dtype === "float32" ? 2100 : 1100];
    for (const term of ["product", "squaredDifference"] as const) {
      for (const n of sizes) {
        for (const k of n > 1000 ? [7] : [0, 1, 50, 300]) {
          const memory = new WebAssembly.Memory({ initial: 1 });
          const kernel = new InnerProduct(memory, kernelOptions(term, dtype, n));
          const [out, scratch] = [n * k, n * (k + n)].map((count) => bytes * count);
          reserve(memory, scratch! + kernel.scratchBytes(k, n));
          const all = dtype === "float32"
            ? new Float32Array(memory.buffer)
            : new Float64Array(memory.buffer);
          for (let i = 0; i < n * k; i++) all[i] = Math.sin(i * i);
          const values = all.subarray(n * k, n * (k + n));
          const [rows, columns] = [
            { at: 0, rowStride: k, columnStride: 1 },
            { at: 0, rowStride: 1, columnStride: k },
          ];
          const output = { at: out!, rowStride: n };
          kernel.run(output, rows, columns, n, k, n, scratch!);
          const expected = values.slice();
          values.fill(NaN);
          kernel.run(output, rows, columns, n, k, n, scratch!, { symmetric: true });
          assertEquals(values, expected);
        }
      }
    }
  });
}

Deno.test("InnerProduct.run() reads nothing beyond its operands, up to the end of the memory", () => {
  const memory = new WebAssembly.Memory({ initial: 40 });
  const end = memory.buffer.byteLength;
  for (const dtype of ["float32", "float64"] as const) {
    for (const [m, k, n] of [[7, 9, 13], [5, 4, 8], [1, 1, 1], [13, 3, 2]] as const) {
      const kernel = new InnerProduct(memory, kernelOptions("product", dtype, m));
      for (const transposed of [false, true]) {
        const last = (rows: number, columns: number) => {
          const at = end - rows * columns * (dtype === "float32" ? 4 : 8);
          const [rowStride, columnStride] = transposed ? [1, rows] : [columns, 1];
          return { at, rowStride, columnStride };
        };
        kernel.run({ at: 0, rowStride: n }, last(m, k), last(k, n), m, k, n, 8192);
      }
    }
  }
});

Deno.test("InnerProduct.run() leaves the gaps between the rows of its output alone", () => {
  const [m, k, n] = [7, 5, 9];
  const { kernel, atA, atB, out, scratch, values } = inMemory("float32", m, k, n + 2);
  values.fill(-1);
  const output = { at: out, rowStride: n + 2 };
  const a = { at: atA, rowStride: k, columnStride: 1 };
  kernel.run(output, a, { at: atB, rowStride: n, columnStride: 1 }, m, k, n, scratch);
  assertEquals(values.filter((_, i) => i % (n + 2) >= n), new Float32Array(2 * m).fill(-1));
});

Deno.test("kernelOptions() multiplies and adds at once in float32 only", () => {
  assertEquals(kernelOptions("product", "float64", 9, true).relaxed, false);
  assertEquals(kernelOptions("product", "float32", 9, true).relaxed, true);
  assertEquals(kernelOptions("product", "float32", 9).relaxed, hasRelaxedSimd());
});

/** The options of every kind of kernel. */
const OPTIONS = (["product", "squaredDifference"] satisfies Term[]).flatMap((term) =>
  KERNELS.flatMap(({ dtype, relaxed }) =>
    [1, 2, 3, 4, 1000].map((m) => kernelOptions(term, dtype, m, relaxed))
  )
);

Deno.test("emitKernel() gives small valid modules for every kind of kernel", () => {
  for (const options of OPTIONS) {
    const bytes = emitKernel(options);
    assert(WebAssembly.validate(bytes));
    assertLess(bytes.length, 6000);
    assert(bytes.join().includes("253,133,2") === options.relaxed);
  }
});

Deno.test("blockShape() gives tiles of 15 registers at most, and blocks of whole tiles", () => {
  for (const options of OPTIONS) {
    const s = blockShape(options);
    const vectors = s.tileColumns * s.bytes / 16;
    assertLessOrEqual((s.tileRows + 1) * vectors + 2, 15);
    assertEquals([s.rows % s.tileRows, s.columns % s.tileColumns, vectors % 1], [0, 0, 0]);
  }
});

Deno.test("tileRowsFor() leaves no more than a little of the tiles without use", () => {
  for (const relaxed of [false, true]) {
    for (let m = 1; m < 300; m++) {
      const used = (rows: number) => Math.ceil(m / rows) * rows;
      const rows = tileRowsFor(m, { term: "product", relaxed });
      const least = Math.min(...[1, 2, 3, ...relaxed ? [4, 5] : []].map(used));
      assertLessOrEqual(used(rows), 1.03 * least);
    }
  }
  assertEquals(
    [1, 2, 6, 8, 32, 1000].map((m) => tileRowsFor(m, { term: "product", relaxed: true })),
    [
      ...[1, 2, 3, 4, 4, 5],
    ],
  );
});

Deno.test("kernels add up products of matrices that lie anywhere, short ones side by side", () => {
  const sizes = fc.constantFrom(1, 2, 3, 4, 5, 7, 17, 33, 64);
  const depths = fc.constantFrom(0, 1, 3, 4, 30, 85, 128, 129, 256, 300);
  fc.assert(
    fc.property(
      sizes,
      depths,
      sizes,
      fc.nat(11),
      fc.constantFrom(...KERNELS),
      (m, k, n, more, how) => {
        const [count, { dtype, relaxed }] = [1 + more, how];
        const options = kernelOptions("product", dtype, m, relaxed);
        const memory = new WebAssembly.Memory({ initial: 80 });
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(emitKernel(options)), {
          env: { memory },
        });
        // Matrices that overlap, from the second one on a number and two further.
        const [a, b] = [random(dtype, m * k + count, 21), random(dtype, k * n + 2 * count, 22)];
        const all = dtype === "float32"
          ? new Float32Array(memory.buffer)
          : new Float64Array(memory.buffer);
        const [atB, atOut, scratch] = [10_000 + a.length, 120_000, 140_000];
        all.set(a, 10_000);
        all.set(b, atB);
        const bytes = all.BYTES_PER_ELEMENT;
        (exports.run as (...numbers: number[]) => void)(
          ...[
            atOut * bytes,
            n,
            10_000 * bytes,
            k,
            1,
            atB * bytes,
            n,
            1,
            m,
            k,
            n,
            scratch * bytes,
            0,
            0,
          ],
          ...[count, 0, 1, 2],
        );
        const expected = new Float64Array(m * n);
        const sizes = new Float64Array(m * n);
        for (let term = 0; term < count; term++) {
          const one = { data: a, offset: term, rowStride: k, columnStride: 1 };
          const other = { data: b, offset: 2 * term, rowStride: n, columnStride: 1 };
          const { exact, absolute } = sums(one, other, m, k, n);
          exact.forEach((x, i) => expected[i]! += x);
          absolute.forEach((x, i) => sizes[i]! += x);
        }
        const rounding = dtype === "float32" ? 2 ** -24 : 2 ** -53;
        const bound = (Math.min(count * k, 256) + count * Math.ceil(k / 256) + 2) * rounding;
        expected.forEach((x, i) =>
          assertLessOrEqual(Math.abs(all[atOut + i]! - x), bound * sizes[i]!)
        );
      },
    ),
    { seed: 61, numRuns: 150 },
  );
});

Deno.test("InnerProduct makes a kernel for each memory", () => {
  const memory = new WebAssembly.Memory({ initial: 40 });
  const kernel = new InnerProduct(memory, kernelOptions("product", "float64", 2));
  const values = new Float64Array(memory.buffer);
  values.set([2, 3, 5, 7]);
  const matrix = { at: 0, rowStride: 2, columnStride: 1 };
  kernel.run({ at: 64, rowStride: 2 }, matrix, matrix, 2, 2, 2, 128);
  assertEquals([...values.subarray(8, 12)], [19, 27, 45, 64]);
});

Deno.test("the eager product keeps small sums in float64 and large ones within the bound", () => {
  for (const [m, k, n] of [[1, 1001, 1], [31, 31, 31], [33, 33, 33]] as const) {
    const [a, b] = [view("float32", m, k, "rows", 15), view("float32", k, n, "rows", 16)];
    const [out, reference] = [new Float32Array(m * n), new Float32Array(m * n)];
    matmulEager(out, 0, a, b, m, k, n);
    matmul(reference, 0, a, b, m, k, n);
    check(out, a, b, m, k, n);
    assertEquals(String(out) === String(reference), m * k * n < 2 ** 15);
  }
});

Deno.test("matmul() of tensors multiplies large matrices of a batch that broadcasts", () => {
  const x = cg.normal(cg.key(17), [3, 1, 40, 30]);
  const y = cg.normal(cg.key(18), [2, 30, 50]);
  const batch = cg.matmul(x, y);
  assertEquals(batch.shape, [3, 2, 40, 50]);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 2; j++) {
      const one = cg.matmul(
        x.slice([i, 0], [i + 1, 1]).squeeze([0, 1]),
        y.slice([j], [j + 1]).squeeze([0]),
      );
      assertEquals(batch.slice([i, j], [i + 1, j + 1]).squeeze([0, 1]).data, one.data);
    }
  }
});

Deno.test("matmul() of large tensors has the gradients of the reference", () => {
  const [m, k, n] = [40, 70, 30];
  const [a, b] = [view("float64", m, k, "rows", 19), view("float64", k, n, "rows", 20)];
  const tensorOf = ({ data, offset }: MatrixView, rows: number, columns: number) =>
    cg.tensor(data.slice(offset, offset + rows * columns), { shape: [rows, columns] });
  const [x, y] = [tensorOf(a, m, k), tensorOf(b, k, n)];
  const [gx, gy] = cg.grad((p: cg.Tensor, q: cg.Tensor) => p.matmul(q).sum(), { argnums: [0, 1] })(
    x,
    y,
  );
  const ones = { data: new Float64Array(m * n).fill(1), offset: 0, rowStride: n, columnStride: 1 };
  const [left, right] = [new Float64Array(m * k), new Float64Array(k * n)];
  matmul(left, 0, ones, { ...b, rowStride: 1, columnStride: n }, m, n, k);
  matmul(right, 0, { ...a, rowStride: 1, columnStride: k }, ones, k, m, n);
  assertEquals([gx!.data, gy!.data], [left, right]);
});

Deno.test("matmul() does without WebAssembly where there is none", async () => {
  const program = `import { matmul, ones } from "${new URL("../../mod.ts", import.meta.url)}";
    console.log(typeof WebAssembly, matmul(ones([64, 64]), ones([64, 64])).sum().item());`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--v8-flags=--jitless", program],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(new TextDecoder().decode(stdout).trim(), "undefined 262144");
});

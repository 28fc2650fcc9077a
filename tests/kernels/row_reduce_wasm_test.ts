import type { NumberArray } from "../../src/dtype.ts";
import { assert, assertEquals } from "@std/assert";
import { type LoopSpec, planPasses, withTemporaries } from "../../kernels/elementwise/passes.ts";
import { extremeRows, sumRows } from "../../kernels/row_reduce/reference.ts";
import { type ArrayReduction, emitReduction } from "../../kernels/row_reduce/wasm.ts";
import { ModuleBuilder, PAGE_BYTES } from "../../kernels/wasm/module.ts";
import { arrayOf, assign, chain, prepare, softmaxLoop, wave } from "./wasm_loops.ts";
import { interpretLoop } from "./interpret_loop.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** Reduces an array at the end of a memory, between bytes that must stay as they are. */
function reduceArray(plan: ArrayReduction & { outer: number }, data: NumberArray): NumberArray {
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("reduce", emitReduction(module, plan));
  const out = arrayOf(plan.dtype, plan.outer * plan.inner);
  const pages = Math.ceil((data.byteLength + out.byteLength + 256) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory },
    Math: Math as unknown as WebAssembly.ModuleImports,
  });
  const bytes = new Uint8Array(memory.buffer).fill(0xa5);
  const at = bytes.length - data.byteLength;
  bytes.set(new Uint8Array(data.buffer), at);
  (exports.reduce as (...numbers: number[]) => void)(64, at, plan.outer);
  new Uint8Array(out.buffer).set(bytes.subarray(64, 64 + out.byteLength));
  const guards = [...bytes.subarray(0, 64), ...bytes.subarray(64 + out.byteLength, at)];
  assertEquals(guards.every((byte) => byte === 0xa5), true);
  return out;
}

const EXTENTS: AxisExtents[] = [1, 3].flatMap((outer) =>
  [0, 1, 3, 4, 63, 64, 65, 1000].flatMap((count) =>
    [1, 3, 4, 16, 17, 65].map((inner) => ({ outer, count, inner }))
  )
).filter(({ outer, count, inner }) => outer * count * inner < 70_000);

for (const dtype of ["float32", "float64", "int32"] as const) {
  Deno.test(`emitReduction() sums ${dtype} as the reference does, to the bit`, () => {
    for (const extents of EXTENTS) {
      const data = wave(dtype, extents.outer * extents.count * extents.inner);
      const expected = arrayOf(dtype, extents.outer * extents.inner);
      sumRows(expected, data, extents);
      assertEquals(reduceArray({ reduce: "sum", dtype, ...extents }, data), expected);
    }
  });

  Deno.test(`emitReduction() finds extremes of ${dtype} as the reference does`, () => {
    for (const extents of EXTENTS.filter(({ count }) => count > 0)) {
      const data = wave(dtype, extents.outer * extents.count * extents.inner);
      for (const [reduce, sign] of [["max", 1], ["min", -1]] as const) {
        const expected = arrayOf(dtype, extents.outer * extents.inner);
        extremeRows(expected, data, extents, sign);
        assertEquals(reduceArray({ reduce, dtype, ...extents }, data), expected);
      }
    }
  });
}

for (const dtype of ["float32", "float64"] as const) {
  for (const kind of ["mean", "norm"] as const) {
    Deno.test(`emitReduction() finds the ${kind} of ${dtype} as the reference does, to the bit`, () => {
      for (const extents of EXTENTS) {
        const data = wave(dtype, extents.outer * extents.count * extents.inner);
        const divisor = kind === "mean" ? extents.count : 3;
        const expected = arrayOf(dtype, extents.outer * extents.inner);
        sumRows(expected, data, extents, { kind, divisor });
        assertEquals(reduceArray({ reduce: kind, divisor, dtype, ...extents }, data), expected);
      }
    });

    Deno.test(`loops in JavaScript find the ${kind} of ${dtype}, generated or not`, () => {
      const spec: LoopSpec = {
        float: dtype,
        operands: [{ name: "x", dtype, moves: true }],
        body: [{ name: "y", reduce: kind, of: "x", divisor: 3 }],
        stores: [{ name: "y", dtype, moves: false }],
      };
      const data = wave(dtype, 5 * 7);
      const expected = Array.from({ length: 5 }, (_, i) => {
        const row = Array.from(data).slice(7 * i, 7 * i + 7);
        const sum = row.reduce((total, v) => total + (kind === "mean" ? v : v * v), 0) / 3;
        return kind === "mean" ? sum : Math.sqrt(sum);
      });
      const out = arrayOf(dtype, 5);
      interpretLoop(spec, {
        rows: 5,
        columns: 7,
        operands: [{ data, start: 0, step: 7 }],
        outputs: [{ data: out, start: 0, step: 1 }],
      });
      assertEquals(out, arrayOf(dtype, expected));
    });
  }
}

Deno.test("emitReduction() lets NaN win over any extreme of a column, wherever it is", () => {
  for (const dtype of ["float32", "float64"] as const) {
    for (let at = 0; at < 7 * 19; at++) {
      const data = wave(dtype, 7 * 19);
      data[at] = NaN;
      const plan = { reduce: "min", dtype, outer: 1, count: 7, inner: 19 } as const;
      const found = [...reduceArray(plan, data)].map(Number.isNaN);
      assertEquals(found.indexOf(true), at % 19);
      assertEquals(found.filter((isNaN) => isNaN).length, 1);
    }
  }
});

Deno.test("emitLoop() sums columns of what it computes, and computes with the sums", () => {
  for (const float of ["float32", "float64"] as const) {
    const spec: LoopSpec = {
      float,
      operands: [
        { name: "a", dtype: float, moves: true },
        { name: "weight", dtype: float, moves: true, along: 0 },
        { name: "shift", dtype: float, moves: true },
      ],
      over: "column",
      parameters: ["n"],
      body: [
        assign("y", "weight * (a - shift)"),
        { name: "sum", reduce: "sum", of: "y" },
        { name: "top", reduce: "max", of: "y" },
        assign("mean", "sum / n"),
      ],
      stores: [
        { name: "y", dtype: float, moves: true },
        { name: "mean", dtype: float, moves: false },
        { name: "top", dtype: float, moves: false },
      ],
    };
    for (const columns of [1, 2, 3, 4, 7, 16, 37]) {
      const [a, weight, shift] = [
        wave(float, 5 * columns),
        wave(float, 5, 1),
        wave(float, columns),
      ];
      const [y, mean, top] = prepare(spec)({
        rows: 5,
        columns,
        operands: [a, weight, shift],
        steps: [columns, 1, 0],
        parameters: [5],
        once: columns,
      });
      const expected = a.map((x, at) => {
        const difference = arrayOf(float, [x - shift[at % columns]!])[0]!;
        return weight[Math.floor(at / columns)]! * difference;
      });
      assertEquals(y, expected);
      for (let j = 0; j < columns; j++) {
        const column = [0, 1, 2, 3, 4].map((i) => expected[i * columns + j]!);
        const sum = arrayOf(float, [column.reduce((total, x) => total + x, 0)])[0]!;
        assertEquals([mean![j], top![j]], [arrayOf(float, [sum / 5])[0], Math.max(...column)]);
      }
    }
  }
});

Deno.test("emitLoop() goes down again for what needs the results of columns", () => {
  for (const float of ["float32", "float64"] as const) {
    const spec = softmaxLoop(float);
    const sizes = [[1, 1], [2, 3], [5, 16], [4, 37], [7, 64]] as const;
    for (const [rows, columns] of sizes) {
      const x = wave(float, rows * columns);
      const run = prepare({ ...spec, over: "column" });
      const [y, logs] = run({ rows, columns, operands: [x], once: columns });
      // Column by column, the loop over rows gives what this one has to give.
      const turned = x.map((_, at) => x[(at % rows) * columns + Math.floor(at / rows)]!);
      const byRows = prepare(spec)({ rows: columns, columns: rows, operands: [turned] });
      const close = (a: number, b: number) => Math.abs(a - b) <= 2e-7 * Math.abs(b);
      y!.forEach((value, at) => {
        const expected = byRows[0]![(at % columns) * rows + Math.floor(at / columns)]!;
        assert(close(value, expected), `${value} instead of ${expected}`);
      });
      logs!.forEach((value, j) => assert(close(value, byRows[1]![j]!)));
    }
  }
});

Deno.test("emitLoop() reads what all rows share once for each column", () => {
  const spec: LoopSpec = {
    ...chain("a"),
    operands: [
      { name: "a", dtype: "float32", moves: true },
      { name: "own", dtype: "int32", moves: false },
      { name: "row", dtype: "int32", moves: true, along: 0 },
      { name: "factor", dtype: "float32", moves: false, along: 0 },
    ],
    over: "column",
    body: [
      assign("chosen", "own == row ? a : 0"),
      { name: "sum", reduce: "sum", of: "chosen" },
      assign("y", "(a - sum) * factor"),
    ],
    stores: [
      { name: "y", dtype: "float32", moves: true },
      { name: "sum", dtype: "float32", moves: false },
    ],
  };
  const [rows, columns] = [3, 21];
  const a = wave("float32", rows * columns);
  const own = Int32Array.from({ length: columns }, (_, j) => j % rows);
  const [y, sum] = prepare(spec)({
    rows,
    columns,
    operands: [a, own, Int32Array.of(0, 1, 2), Float32Array.of(2)],
    steps: [columns, 0, 1, 0],
    once: columns,
  });
  const picked = Float32Array.from(own, (row, j) => a[row * columns + j]!);
  assertEquals(sum, picked);
  assertEquals(y, a.map((value, at) => Math.fround(value - picked[at % columns]!) * 2));
});

Deno.test("emitLoop() keeps costly values of columns in temporary stores", () => {
  const spec = withTemporaries({
    ...chain("a"),
    body: [
      assign("e", "exp(a)"),
      { name: "sum", reduce: "sum", of: "e" },
      assign("d", "e - sum"),
      { name: "top", reduce: "max", of: "d" },
    ],
    stores: [{ name: "top", dtype: "float32", moves: false }],
    over: "column",
  });
  assertEquals(spec.stores.map(({ name, temporary }) => [name, temporary ?? false]), [
    ["top", false],
    ["e", true],
  ]);
  const moving = planPasses(spec).flatMap((pass) => pass.moving.map(({ name }) => name));
  assertEquals(moving, ["e", "d"]);
});

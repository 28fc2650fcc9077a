import { assertEquals, assertThrows } from "@std/assert";
import { emitColumnLoop } from "../../kernels/elementwise/columns.ts";
import type { LoopSpec } from "../../kernels/elementwise/passes.ts";
import { importMath } from "../../kernels/elementwise/typed.ts";
import { type Extents, extremeRows, sumRows } from "../../kernels/row_reduce/reference.ts";
import {
  type ArrayReduction,
  emitReduction,
  reductionCalls,
} from "../../kernels/row_reduce/wasm.ts";
import { ModuleBuilder, PAGE_BYTES } from "../../kernels/wasm/module.ts";
import type { NumberArray } from "../../kernels/elementwise/reference.ts";
import { arrayOf, assign, chain, prepare, wave } from "./wasm_loops.ts";

/** Reduces an array at the end of a memory, between bytes that must stay as they are. */
function reduceArray(plan: ArrayReduction, data: NumberArray): NumberArray {
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("reduce", emitReduction(module, importMath(module), plan));
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
  for (const call of reductionCalls(plan, 64, at)) {
    (exports.reduce as (...numbers: number[]) => void)(...call);
  }
  new Uint8Array(out.buffer).set(bytes.subarray(64, 64 + out.byteLength));
  const guards = [...bytes.subarray(0, 64), ...bytes.subarray(64 + out.byteLength, at)];
  assertEquals(guards.every((byte) => byte === 0xa5), true);
  return out;
}

const EXTENTS: Extents[] = [1, 3].flatMap((outer) =>
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

Deno.test("emitColumnLoop() sums what it computes, and computes with the sums", () => {
  for (const float of ["float32", "float64"] as const) {
    const spec: LoopSpec = {
      float,
      operands: [
        { name: "a", dtype: float, moves: true },
        { name: "weight", dtype: float, moves: false },
        { name: "shift", dtype: float, moves: true },
      ],
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
      const [y, mean, top] = prepare(spec, {}, emitColumnLoop)({
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

Deno.test("emitColumnLoop() refuses what needs another way down the columns", () => {
  const module = new ModuleBuilder({ from: "import" });
  const math = importMath(module);
  const sum = { name: "s", reduce: "sum", of: "a" } as const;
  const refuse = (body: LoopSpec["body"], store: string, moves: boolean, why: string) =>
    assertThrows(
      () => {
        const stores = [{ name: store, dtype: "float32", moves } as const];
        emitColumnLoop(module, math, { ...chain("a"), body, stores });
      },
      TypeError,
      `Cannot emit a loop over columns as ${why}`,
    );
  refuse(
    [sum, assign("y", "s * 2"), { ...sum, name: "t", of: "y" }],
    "t",
    false,
    "t reduces results of columns",
  );
  refuse(
    [sum, assign("y", "a - s")],
    "y",
    false,
    "y needs results of columns at each of their positions",
  );
  refuse([sum], "s", true, "s is stored at each position: there is one per column");
  refuse([sum], "a", false, "a is stored once per column: it changes along it");
});

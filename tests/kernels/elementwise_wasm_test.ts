import type { DType } from "../../src/dtype.ts";
import { assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import type { Assignment, LoopSpec } from "../../kernels/elementwise/passes.ts";
import { emitLoop } from "../../kernels/elementwise/wasm.ts";
import { ModuleBuilder } from "../../kernels/wasm/module.ts";
import {
  arrayOf,
  assertSame,
  assign,
  chain,
  HINTS,
  prepare,
  reduction,
  rounded,
  SIZES,
  softmaxLoop,
  wave,
} from "./wasm_loops.ts";

/** What a number from 0 to 7 says about three operands. */
function flags(pattern: number): boolean[] {
  return [1, 2, 4].map((bit) => (pattern & bit) > 0);
}

Deno.test("emitLoop() reads operands that move, repeat along rows or along columns", () => {
  const spec = chain("a + 10 * b - c / 7", "abc");
  const { expression } = spec.body[0] as Assignment;
  for (let pattern = 0; pattern < 8 * HINTS.length; pattern++) {
    const moves = flags(pattern & 7);
    const operands = spec.operands.map((x, i) => ({ ...x, moves: moves[i]! }));
    const run = prepare({ ...spec, operands, columns: HINTS[pattern >> 3] });
    for (const [rows, columns] of SIZES.flatMap((n) => [[1, n], [6, Math.min(n, 65)]])) {
      for (let repeats = 0; repeats < 8; repeats++) {
        const steps = flags(repeats).map((own, i) => own ? (moves[i] ? columns! : 1) : 0);
        const data = moves.map((own, i) =>
          wave("float32", own ? Math.max(columns!, rows! * steps[i]!) : rows!, i)
        );
        const [y] = run({ rows: rows!, columns: columns!, operands: data, steps });
        const expected = y!.map((_, at) => {
          const [i, j] = [Math.floor(at / columns!), at % columns!];
          const [a, b, c] = data.map((x, k) => x[i * steps[k]! + (moves[k] ? j : 0)]!);
          return rounded(expression, { a: a!, b: b!, c: c! }, Math.fround);
        });
        assertSame(y!, expected, `${rows} × ${columns}, moves ${moves}, steps ${steps}`);
      }
    }
  }
});

const TYPES: DType[] = ["float32", "float64", "int32", "bool"];

for (const float of ["float32", "float64"] as const) {
  const types = TYPES.filter((dtype) => float === "float64" || dtype !== "float64");
  Deno.test(`emitLoop() in ${float} reads elements of every type, at every size`, () => {
    for (const dtype of types) {
      const spec = chain("a * 0.5 + 1", "a", float);
      const run = prepare({ ...spec, operands: [{ name: "a", dtype, moves: true }] });
      for (const columns of SIZES) {
        const a = wave(dtype, 3 * columns);
        const [y] = run({ rows: 3, columns, operands: [a] });
        assertSame(
          y!,
          arrayOf(float, a.map((x) => x).length).map((_, i) => {
            const half = float === "float32" ? Math.fround(a[i]! * 0.5) : a[i]! * 0.5;
            return half + 1;
          }),
          `${dtype}, ${columns} columns`,
        );
      }
    }
  });

  Deno.test(`emitLoop() in ${float} writes truth values as bytes, at every size`, () => {
    const spec = chain("a < b", "ab", float);
    const run = prepare({ ...spec, stores: [{ name: "y", dtype: "bool", moves: true }] });
    for (const columns of SIZES) {
      const [a, b] = [wave(float, columns), wave(float, columns, 2)];
      const [y] = run({ rows: 1, columns, operands: [a, b] });
      assertSame(y!, a.map((x, i) => Number(x < b[i]!)), `${columns} columns`);
    }
  });

  Deno.test(`emitLoop() in ${float} chooses by bytes, and among them`, () => {
    const spec: LoopSpec = {
      float,
      operands: [
        { name: "a", dtype: "bool", moves: true },
        { name: "b", dtype: float, moves: true },
        { name: "c", dtype: "bool", moves: false },
      ],
      body: [
        assign("x", "a != 0 ? b : 0"),
        assign("y", "c != 0 ? a : 0", "bool"),
        assign("z", "a == c"),
      ],
      stores: [
        { name: "x", dtype: float, moves: true },
        { name: "y", dtype: "bool", moves: true },
        { name: "z", dtype: "bool", moves: true },
      ],
    };
    const [a, b] = [wave("bool", 22), wave(float, 22)];
    const [x, y, z] = prepare(spec)({
      rows: 2,
      columns: 11,
      operands: [a, b, Uint8Array.of(0, 1)],
    });
    assertSame(x!, b.map((v, i) => a[i] ? v : 0), "x");
    assertSame(y!, a.map((v, i) => i < 11 ? 0 : v), "y");
    assertSame(z!, a.map((v, i) => Number(v === (i < 11 ? 0 : 1))), "z");
  });

  Deno.test(`emitLoop() in ${float} sums rows in the order of the reference, at every size`, () => {
    for (const columns of SIZES) {
      for (const hint of HINTS) {
        const loop = { ...reduction("sum", "a * a", float), columns: hint };
        const a = wave(float, 6 * columns);
        const [y] = prepare(loop)({ rows: 6, columns, operands: [a] });
        const expected = arrayOf(float, 6).map((_, i) => {
          const squares = a.map((x) => x * x).subarray(i * columns, (i + 1) * columns);
          const sums = [0, 0, 0, 0];
          const partial = float === "float32" ? columns - columns % 4 : 0;
          squares.forEach((x, j) => sums[j < partial ? j % 4 : 0]! += x);
          return (sums[0]! + sums[1]!) + (sums[2]! + sums[3]!);
        });
        assertSame(y!, expected, `${columns} columns`);
      }
    }
  });

  Deno.test(`emitLoop() in ${float} finds extremes of rows, at every size`, () => {
    for (const reduce of ["max", "min"] as const) {
      for (const columns of SIZES) {
        for (const hint of HINTS) {
          const loop = { ...reduction(reduce, "a - 1", float), columns: hint };
          const a = wave(float, 6 * columns);
          const [y] = prepare(loop)({ rows: 6, columns, operands: [a] });
          const expected = arrayOf(float, 6).map((_, i) =>
            Math[reduce](...a.map((x) => x - 1).subarray(i * columns, (i + 1) * columns))
          );
          assertSame(y!, expected, `${reduce}, ${columns} columns`);
        }
      }
    }
  });

  Deno.test(`emitLoop() in ${float} lets NaN win over any extreme, wherever it is`, () => {
    for (const reduce of ["max", "min"] as const) {
      for (const hint of HINTS) {
        const run = prepare({ ...reduction(reduce, "a", float), columns: hint });
        for (let at = 0; at < 37; at++) {
          const a = wave(float, 3 * 37);
          a[37 + at] = NaN;
          const [y] = run({ rows: 3, columns: 37, operands: [a] });
          assertEquals([...y!].map(Number.isNaN), [false, true, false]);
        }
      }
    }
  });

  Deno.test(`emitLoop() in ${float} takes rows of one value as they are`, () => {
    const spec = reduction("sum", "a", float);
    const run = prepare({ ...spec, operands: [{ ...spec.operands[0]!, moves: false }] });
    const [y] = run({ rows: 2, columns: 37, operands: [arrayOf(float, [1, 3])] });
    assertEquals([...y!], [37, 111]);
  });

  for (const hint of HINTS) {
    const size = hint ?? "many";
    Deno.test(`emitLoop() in ${float} computes softmax and logSumExp of rows of ${size}`, () => {
      const run = prepare({ ...softmaxLoop(float), columns: hint });
      for (const columns of SIZES.slice(1)) {
        const x = wave(float, 7 * columns);
        const [y, l] = run({ rows: 7, columns, operands: [x] });
        for (let i = 0; i < 7; i++) {
          const row = [...x.subarray(i * columns, (i + 1) * columns)];
          const [exact, logSum] = softmax(row);
          const epsilon = float === "float32" ? 2 ** -24 : 2 ** -53;
          assertLessOrEqual(Math.abs(l![i]! - logSum), 8 * epsilon * Math.max(1, Math.abs(logSum)));
          exact.forEach((p, j) =>
            assertLessOrEqual(Math.abs(y![i * columns + j]! - p), 12 * epsilon * p)
          );
        }
      }
    });
  }
}

function softmax(row: readonly number[]): [number[], number] {
  const top = Math.max(...row);
  const powers = row.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return [powers.map((p) => p / sum), top + Math.log(sum)];
}

Deno.test("emitLoop() writes what does not move at each position where that is asked", () => {
  const spec: LoopSpec = {
    float: "float32",
    operands: [{ name: "b", dtype: "float32", moves: false }],
    body: [assign("y", "b + 1")],
    stores: [{ name: "y", dtype: "float32", moves: true }],
  };
  for (const columns of [3, 21]) {
    for (const hint of HINTS) {
      const operands = [Float32Array.of(1, 2, 3, 4, 5)];
      const [y] = prepare({ ...spec, columns: hint })({ rows: 5, columns, operands });
      assertEquals([...y!], Array.from(y!, (_, i) => Math.floor(i / columns) + 2));
    }
  }
});

Deno.test("emitLoop() may write where it reads", () => {
  const module = new ModuleBuilder({ from: "export", pages: 1 });
  module.exportFunction("loop", emitLoop(module, chain("a + b", "ab")));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    Math: Math as unknown as WebAssembly.ModuleImports,
  });
  const { buffer } = exports.memory as WebAssembly.Memory;
  const [a, b] = [new Float32Array(buffer, 0, 37), new Float32Array(buffer, 1024, 37)];
  a.set(wave("float32", 37));
  b.set(wave("float32", 37, 1));
  const expected = a.map((x, i) => x + b[i]!);
  (exports.loop as (...numbers: number[]) => void)(0, 0, 1024, 148, 148, 148, 1, 37);
  assertSame(a, expected, "sum");
});

Deno.test("emitLoop() gives the same bits each time", () => {
  const run = prepare(softmaxLoop("float32"));
  const x = wave("float32", 5 * 67);
  const first = run({ rows: 5, columns: 67, operands: [x] });
  for (let i = 0; i < 20; i++) {
    const again = run({ rows: 5, columns: 67, operands: [x] });
    again.forEach((y, k) => assertSame(y, first[k]!, `output ${k}`));
  }
});

Deno.test("emitLoop() refuses types that the loop cannot compute with", () => {
  assertThrows(
    () => prepare({ ...chain("a"), operands: [{ name: "a", dtype: "float64", moves: true }] }),
    TypeError,
    "Cannot emit a loop as it computes in float32: current element type is float64",
  );
  assertThrows(
    () => prepare({ ...chain("a"), stores: [{ name: "y", dtype: "int32", moves: true }] }),
    TypeError,
    "Cannot emit a loop as numbers of a float32 loop are no integers",
  );
  assertThrows(
    () => prepare({ ...chain("a"), body: [assign("y", "a", "float64")] }),
    TypeError,
    "Cannot emit a loop as it computes in float32: current type is float64",
  );
});

/** Selection as WebAssembly: exactly what `reference.ts` gives, and nothing beside it is written. */
import type { DType, NumberArray } from "../../src/dtype.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { sparseProduct } from "../../kernels/select/eager.ts";
import * as reference from "../../kernels/select/reference.ts";
import {
  emitLineSort,
  type LineSort,
  sortNumbers,
  sortScratchBytes,
} from "../../kernels/select/sort.ts";
import {
  emitRowGroups,
  groupScratchBytes,
  type RowGroups,
} from "../../kernels/select/row_groups.ts";
import { groupBytes } from "../../kernels/select/threshold.ts";
import {
  emitGather,
  emitScatter,
  scatterScratchBytes,
  type ScatterSum,
  type Selection,
} from "../../kernels/select/wasm.ts";
import type { Parameters, WasmFunction } from "../../kernels/wasm/code.ts";
import { ModuleBuilder, PAGE_BYTES } from "../../kernels/wasm/module.ts";
import { arrayOf } from "./wasm_loops.ts";

const GUARD = 0xa5;

/** Runs a function on arrays in a memory that is full of guards; returns the first array after it. */
function run(
  emit: (module: ModuleBuilder) => WasmFunction<Parameters, null>,
  out: NumberArray,
  inputs: readonly (NumberArray | undefined)[],
  scratchBytes: number | undefined,
  ...numbers: number[]
): NumberArray {
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("run", emit(module));
  const places: number[] = [];
  let end = 64;
  for (const x of [out, ...inputs, { byteLength: scratchBytes ?? 0 }]) {
    places.push(end);
    // An odd distance: nothing may depend on how arrays are aligned.
    end += (x?.byteLength ?? 0) + 8 + 64;
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE_BYTES) });
  const bytes = new Uint8Array(memory.buffer).fill(GUARD);
  inputs.forEach((x, i) => x && bytes.set(new Uint8Array(x.buffer), places[i + 1]));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory },
  });
  const given = scratchBytes === undefined ? places.slice(0, -1) : places;
  (exports.run as (...numbers: number[]) => void)(...given, ...numbers);
  const result = bytes.slice(places[0], places[0]! + out.byteLength);
  bytes.fill(GUARD, places[0], places[0]! + out.byteLength);
  inputs.forEach((x, i) => {
    if (x === undefined) return;
    const at = places[i + 1]!;
    assertEquals(bytes.slice(at, at + x.byteLength), new Uint8Array(x.buffer));
    bytes.fill(GUARD, at, at + x.byteLength);
  });
  bytes.fill(GUARD, places.at(-1), places.at(-1)! + (scratchBytes ?? 0));
  assert(bytes.every((byte) => byte === GUARD), "bytes beside the arrays were written");
  new Uint8Array(out.buffer).set(result);
  return out;
}

const INTEGER_EXTREMES = [2 ** 31 - 1, -(2 ** 31), 0, -1];

/** Values with ties, NaN, zeros of both signs and infinities, more or less of them. */
function values(dtype: DType, size: number): fc.Arbitrary<NumberArray> {
  const special = dtype === "int32"
    ? fc.constantFrom(...INTEGER_EXTREMES)
    : fc.constantFrom(NaN, 0, -0, Infinity, -Infinity, 1);
  const ordinary = dtype === "int32" ? fc.integer() : fc.double({ min: -9, max: 9, noNaN: true });
  const bits = fc.constantFrom(0, 1);
  return fc.constantFrom(0, 1, 5, 10).chain((share) => {
    const value = dtype === "bool" ? bits : fc.oneof({ weight: 10 - share, arbitrary: ordinary }, {
      weight: share,
      arbitrary: special,
    });
    return fc.array(value, { minLength: size, maxLength: size })
      .map((list) => arrayOf(dtype, list));
  });
}

const lines = fc.record({
  dtype: fc.constantFrom<LineSort["dtype"]>("float32", "float64", "int32"),
  count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 400 })),
  inner: fc.constantFrom(1, 1, 3),
  outer: fc.integer({ min: 0, max: 2 }),
  descending: fc.boolean(),
  nanFirst: fc.boolean(),
  part: fc.constantFrom(0, 0.02, 0.1, 0.5, 1),
});

/** The positions that the kernel writes, and those of the reference. */
function sortBoth(sort: LineSort, data: NumberArray, outer: number): [NumberArray, NumberArray] {
  const [given, expected] = [0, 1].map(() => new Int32Array(outer * sort.kept * sort.inner));
  reference.argSortRows(expected!, data, { ...sort, outer }, sort);
  const emit = (module: ModuleBuilder) => emitLineSort(module, sort.dtype);
  run(emit, given!, [data], sortScratchBytes(sort), outer, ...sortNumbers(sort));
  return [given!, expected!];
}

const sorts = lines.chain(({ outer, part, ...line }) => {
  const sort: LineSort = { ...line, kept: Math.max(1, Math.floor(line.count * part)) };
  const size = outer * line.count * line.inner;
  return fc.tuple(fc.constant({ sort, outer }), values(line.dtype, size));
});

Deno.test("emitLineSort() gives the positions of the reference", () => {
  fc.assert(
    fc.property(sorts, ([{ sort, outer }, data]) => {
      const [given, expected] = sortBoth(sort, data, outer);
      assertEquals(given, expected);
    }),
    { seed: 1, numRuns: 400 },
  );
});

Deno.test("emitLineSort() sorts many values by digits", () => {
  const data = Float32Array.from({ length: 5000 }, (_, i) => i < 2000 ? i : (i * 7919) % 4999);
  const order = { descending: false, kept: 5000, nanFirst: false };
  const [given, expected] = sortBoth(
    { dtype: "float32", count: 5000, inner: 1, ...order },
    data,
    1,
  );
  assertEquals(given, expected);
});

Deno.test("emitLineSort() takes the first of many equals", () => {
  const order = { descending: true, kept: 15, nanFirst: false };
  const sort: LineSort = { dtype: "float32", count: 1000, inner: 1, ...order };
  const [given] = sortBoth(sort, new Float32Array(1000).fill(2), 1);
  assertEquals([...given], [...Array(15).keys()]);
});

Deno.test("groupBytes() is for few out of many", () => {
  const has = (kept: number, count: number) => groupBytes(4, count, kept) > 0;
  assertEquals([has(15, 1000), has(124, 1000), has(125, 1000)], [true, true, false]);
  assertEquals([has(1, 31), has(1, 32)], [false, true]);
});

const selections = fc.record({
  by: fc.constantFrom<Selection["by"]>("slice", "value"),
  dtype: fc.constantFrom<DType>("float32", "float64", "int32", "bool"),
  count: fc.integer({ min: 1, max: 9 }),
  picked: fc.integer({ min: 0, max: 12 }),
  inner: fc.constantFrom(1, 2, 3, 7, 40),
  outer: fc.integer({ min: 0, max: 3 }),
}).chain((spec) => {
  const { by, dtype, count, picked, inner, outer } = spec;
  const size = by === "slice" ? picked : outer * picked * inner;
  return fc.record({
    spec: fc.constant(spec),
    indices: fc.array(fc.integer({ min: 0, max: count - 1 }), { minLength: size, maxLength: size })
      .map((list) => Int32Array.from(list)),
    whole: values(dtype, outer * count * inner),
    part: values(dtype, outer * picked * inner),
  });
});

Deno.test("emitGather() picks what the reference picks", () => {
  fc.assert(
    fc.property(selections, ({ spec: { dtype, outer, ...spec }, indices, whole }) => {
      const expected = arrayOf(dtype, outer * spec.picked * spec.inner);
      reference.gatherRows(expected, whole, indices, spec.by, { ...spec, outer });
      const bytes = expected.BYTES_PER_ELEMENT as Selection["bytes"];
      const out = arrayOf(dtype, expected.length);
      const emit = (module: ModuleBuilder) => emitGather(module, { ...spec, bytes });
      assertEquals(run(emit, out, [whole, indices], undefined, outer), expected);
    }),
    { seed: 2, numRuns: 300 },
  );
});

Deno.test("emitScatter() adds up values as the reference does, to the bit", () => {
  const floats = selections.filter(({ spec: { by, dtype } }) =>
    by === "value" && /float/.test(dtype)
  );
  fc.assert(
    fc.property(floats, ({ spec: { by: _, outer, ...rest }, indices, whole, part }) => {
      const sum = rest as ScatterSum;
      const sums = new Float64Array(whole.length);
      const kind = { by: "value", reduce: "sum" } as const;
      reference.scatterRows(sums, part, indices, kind, { ...sum, outer });
      const out = arrayOf(sum.dtype, whole.length);
      const scratch = scatterScratchBytes(sum);
      const given = run((module) => emitScatter(module, sum), out, [part, indices], scratch, outer);
      // As numbers: NaN has many bits.
      assertEquals([...given], [...arrayOf(sum.dtype, sums)]);
    }),
    { seed: 3, numRuns: 300 },
  );
});

/** Groups of slices: sums onto values or zeros, and maxima. */
const groups = selections.filter(({ spec: { by, dtype } }) => by === "slice" && dtype !== "bool")
  .chain((selection) =>
    fc.record({
      selection: fc.constant(selection),
      combine: fc.constantFrom<RowGroups["combine"]>("sum", "max"),
      onto: fc.boolean(),
    })
  );

/** What the reference makes of groups. */
function groupsByReference(
  { dtype, combine, onto, ...around }: RowGroups & { outer: number },
  { whole, part, indices }: Record<"whole" | "part", NumberArray> & { indices: Int32Array },
): NumberArray {
  const lowest = combine === "sum" ? 0 : dtype === "int32" ? -(2 ** 31) : -Infinity;
  const start = onto ? whole : arrayOf(dtype, whole.length).fill(lowest);
  const results = Float64Array.from(start);
  const kind = { by: "slice", reduce: combine as "sum" | "max" } as const;
  reference.scatterRows(results, part, indices, kind, around);
  return arrayOf(dtype, results);
}

/** What the kernel makes of them, of columns in two parts. */
function runGroups(
  spec: RowGroups,
  inputs: readonly (NumberArray | undefined)[],
  outer: number,
): NumberArray {
  const { dtype, count, inner } = spec;
  const half = Math.floor(inner / 2);
  const [left, right] = [[0, half], [half, inner]].map((part) => {
    const out = arrayOf(dtype, outer * count * inner);
    const emit = (module: ModuleBuilder) => emitRowGroups(module, spec);
    const all = Array.from({ length: 5 }, (_, i) => inputs[i]);
    return run(emit, out, all, groupScratchBytes(spec), outer, ...part);
  });
  return right!.map((value, i) => i % inner < half ? left![i]! : value);
}

Deno.test("emitRowGroups() adds up and compares slices as the reference does, to the bit", () => {
  fc.assert(
    fc.property(groups, ({ selection: { spec, indices, whole, part }, combine, onto }) => {
      const { by: _, outer, ...rest } = spec;
      const own = { ...rest, combine, onto } as RowGroups;
      const given = runGroups(own, [onto ? whole : undefined, part, indices], outer);
      const expected = groupsByReference({ ...own, outer }, { whole, part, indices });
      assertEquals([...given], [...expected]);
    }),
    { seed: 5, numRuns: 600 },
  );
});

Deno.test("emitRowGroups() multiplies sparse matrices as the reference does, to the bit", () => {
  const products = selections.filter(({ spec: { by, dtype, outer } }) =>
    by === "slice" && /float/.test(dtype) && outer === 1
  );
  fc.assert(
    fc.property(
      products,
      fc.constantFrom(1, 5, 33, 70),
      fc.nat(),
      ({ spec: { dtype, picked, count }, indices: rows, part }, inner, seed) => {
        const height = 6;
        const own = { dtype, combine: "product", onto: false, count, picked, inner } as RowGroups;
        const columns = rows.map((row, i) => (row * seed + i) % height);
        const table = arrayOf(dtype, Float64Array.from({ length: height * inner }, Math.sin));
        const values = arrayOf(dtype, Float64Array.from(rows, (_, i) => part[i]!));
        const expected = arrayOf(dtype, count * inner) as Float32Array;
        reference.addSparseProduct(expected, { values, rows, columns }, table, inner);
        const given = runGroups(own, [undefined, table, rows, columns, values], 1);
        assertEquals([...given], [...expected]);
      },
    ),
    { seed: 6, numRuns: 300 },
  );
});

Deno.test("sparseProduct() gives the bits of the reference, whatever does it", () => {
  for (const dtype of ["float32", "float64", "int32"] as const) {
    for (
      const [picked, count, inner] of [[30, 4, 5], [40_000, 7, 33], [30_000, 500, 40]] as const
    ) {
      const rows = Int32Array.from({ length: picked }, (_, i) => (i * i) % count);
      const columns = rows.map((row, i) => (row + i) % 11);
      const values = arrayOf(dtype, Float64Array.from(rows, (_, i) => i % 97 - 40));
      const table = arrayOf(
        dtype,
        Float64Array.from({ length: 11 * inner }, (_, i) => i % 13 - 5.5),
      );
      const [expected, given] = [0, 1].map(() => arrayOf(dtype, count * inner));
      reference.addSparseProduct(expected!, { values, rows, columns }, table, inner);
      sparseProduct(given!, { values, rows, columns }, table, inner);
      assertEquals(given, expected);
    }
  }
});

Deno.test("sums of float32 by position are float64 until the end", () => {
  const around = { dtype: "float32", count: 9, picked: 3, inner: 1 } as const;
  const inputs = [Float32Array.of(2 ** 24, 1, -(2 ** 24)), Int32Array.of(4, 4, 4)];
  const expected = [0, 0, 0, 0, 1, 0, 0, 0, 0];
  const out = new Float32Array(9);
  run((m) => emitScatter(m, around), out, inputs, scatterScratchBytes(around), 1);
  assertEquals([...out], expected);
  const spec: RowGroups = { ...around, combine: "sum", onto: false };
  assertEquals([...runGroups(spec, [undefined, ...inputs], 1)], expected);
});

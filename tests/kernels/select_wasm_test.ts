/** Selection as WebAssembly: exactly what `reference.ts` gives, and nothing beside it is written. */
import type { DType, NumberArray } from "../../src/dtype.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { KEYS, type SortType } from "../../kernels/select/keys.ts";
import * as reference from "../../kernels/select/reference.ts";
import { emitLineSort, type LineSort, sortScratchBytes } from "../../kernels/select/sort.ts";
import { emitMaxima, type SliceMaximum } from "../../kernels/select/maxima.ts";
import { emitScatter, scatterScratchBytes, type ScatterSum } from "../../kernels/select/sums.ts";
import { hasThreshold } from "../../kernels/select/threshold.ts";
import { emitGather, type Selection } from "../../kernels/select/wasm.ts";
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
  outer: number,
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
  (exports.run as (...numbers: number[]) => void)(...given, outer);
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
  dtype: fc.constantFrom<SortType>("float32", "float64", "int32"),
  count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 400 })),
  inner: fc.constantFrom(1, 1, 3),
  outer: fc.integer({ min: 0, max: 2 }),
  descending: fc.boolean(),
  part: fc.constantFrom(0, 0.02, 0.1, 0.5, 1),
});

const sorts = lines.chain(({ outer, part, ...line }) => {
  const sort: LineSort = { ...line, kept: Math.max(1, Math.floor(line.count * part)) };
  const size = outer * line.count * line.inner;
  return fc.tuple(fc.constant({ sort, outer }), values(line.dtype, size));
});

Deno.test("emitLineSort() gives the positions of the reference", () => {
  fc.assert(
    fc.property(sorts, ([{ sort, outer }, data]) => {
      const expected = new Int32Array(outer * sort.kept * sort.inner);
      reference.argSortRows(expected, data, { ...sort, outer }, sort.descending, sort.kept);
      const out = new Int32Array(expected.length);
      const scratch = sortScratchBytes(sort);
      assertEquals(run((m) => emitLineSort(m, sort), out, [data], scratch, outer), expected);
    }),
    { seed: 1, numRuns: 400 },
  );
});

Deno.test("emitLineSort() sorts many values by merging, runs in order among them", () => {
  const data = Float32Array.from({ length: 5000 }, (_, i) => i < 2000 ? i : (i * 7919) % 4999);
  const sort: LineSort = { dtype: "float32", count: 5000, inner: 1, descending: false, kept: 5000 };
  const expected = new Int32Array(5000);
  reference.argSortRows(expected, data, { ...sort, outer: 1 }, false, 5000);
  const out = new Int32Array(5000);
  assertEquals(run((m) => emitLineSort(m, sort), out, [data], sortScratchBytes(sort), 1), expected);
});

Deno.test("emitLineSort() takes the first of many equals", () => {
  const sort: LineSort = { dtype: "float32", count: 1000, inner: 1, descending: true, kept: 15 };
  const data = new Float32Array(1000).fill(2);
  const out = new Int32Array(15);
  const given = run((m) => emitLineSort(m, sort), out, [data], sortScratchBytes(sort), 1);
  assertEquals([...given], [...Array(15).keys()]);
});

Deno.test("hasThreshold() is for few out of many", () => {
  const has = (kept: number, count: number) => hasThreshold(KEYS.float32(), { kept, count });
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
      const gather = spec.by === "slice" ? reference.gatherSlices : reference.gatherAlong;
      gather(expected, whole, indices, { ...spec, outer });
      const bytes = expected.BYTES_PER_ELEMENT as Selection["bytes"];
      const out = arrayOf(dtype, expected.length);
      const emit = (module: ModuleBuilder) => emitGather(module, { ...spec, bytes });
      assertEquals(run(emit, out, [whole, indices], undefined, outer), expected);
    }),
    { seed: 2, numRuns: 300 },
  );
});

Deno.test("emitScatter() adds up as the reference does, to the bit", () => {
  const floats = selections.filter(({ spec: { dtype } }) => /float/.test(dtype));
  fc.assert(
    fc.property(floats, fc.boolean(), ({ spec, indices, whole, part }, fromZeros) => {
      const { outer, ...rest } = spec;
      const dtype = spec.dtype as ScatterSum["dtype"];
      const sum: ScatterSum = { ...rest, dtype, onto: fromZeros ? "zeros" : "values" };
      const sums = fromZeros ? new Float64Array(whole.length) : Float64Array.from(whole);
      const scatter = spec.by === "slice" ? reference.scatterAddSlices : reference.scatterAddAlong;
      scatter(sums, part, indices, spec);
      const out = arrayOf(dtype, whole.length);
      const inputs = [fromZeros ? undefined : whole, part, indices];
      const scratch = scatterScratchBytes(sum);
      const given = run((module) => emitScatter(module, sum), out, inputs, scratch, outer);
      // As numbers: NaN has many bits.
      assertEquals([...given], [...arrayOf(dtype, sums)]);
    }),
    { seed: 3, numRuns: 400 },
  );
});

Deno.test("emitMaxima() finds what the reference finds, NaN among it", () => {
  const numbers = selections.filter(({ spec: { by, dtype } }) =>
    by === "slice" && dtype !== "bool"
  );
  fc.assert(
    fc.property(numbers, ({ spec, indices, part }) => {
      const { outer, by: _, ...rest } = spec;
      const maximum = rest as SliceMaximum;
      const lowest = spec.dtype === "int32" ? -(2 ** 31) : -Infinity;
      const expected = arrayOf(spec.dtype, outer * spec.count * spec.inner).fill(lowest);
      reference.maxSlices(expected, part, indices, spec);
      const out = arrayOf(spec.dtype, expected.length);
      const inputs = [undefined, part, indices];
      const given = run((module) => emitMaxima(module, maximum), out, inputs, 0, outer);
      assertEquals([...given], [...expected]);
    }),
    { seed: 5, numRuns: 300 },
  );
});

for (const by of ["slice", "value"] as const) {
  Deno.test(`emitScatter() keeps sums of float32 in float64 until the end, by ${by}`, () => {
    const sum: ScatterSum = {
      ...{ by, dtype: "float32", onto: "zeros" },
      ...{ count: 9, picked: 3, inner: 1 },
    };
    const part = Float32Array.of(2 ** 24, 1, -(2 ** 24));
    const indices = Int32Array.of(4, 4, 4);
    const out = new Float32Array(9);
    run((m) => emitScatter(m, sum), out, [undefined, part, indices], scatterScratchBytes(sum), 1);
    assertEquals([...out], [0, 0, 0, 0, 1, 0, 0, 0, 0]);
  });
}

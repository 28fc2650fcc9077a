/** Sorting arrays of the host, by counting and by digits: exactly what comparing gives. */
import type { NumberArray } from "../../src/dtype.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { argSortRows } from "../../kernels/select/eager.ts";
import { argSortRows as byComparing } from "../../kernels/select/reference.ts";
import { arrayOf } from "./wasm_loops.ts";
import type { AxisExtents } from "../../src/shape.ts";

function assertSorted(data: NumberArray, around: AxisExtents, kept: number): void {
  for (const descending of [false, true]) {
    for (const nanFirst of [false, true]) {
      const [out, expected] = [0, 1].map(() => new Int32Array(around.outer * kept * around.inner));
      argSortRows(out!, data, around, { descending, kept, nanFirst });
      byComparing(expected!, data, around, { descending, kept, nanFirst });
      assertEquals(out, expected);
    }
  }
}

const CASES = [
  { outer: 3, count: 5, inner: 2, kept: 5 },
  { outer: 1, count: 9000, inner: 1, kept: 9000 },
  { outer: 60, count: 20, inner: 1, kept: 7 },
  { outer: 3, count: 70, inner: 50, kept: 70 },
  { outer: 14, count: 1000, inner: 1, kept: 15 },
  { outer: 2, count: 999, inner: 70, kept: 2 },
  { outer: 2, count: 900, inner: 1, kept: 0 },
  { outer: 2, count: 900, inner: 1, kept: 64 },
  { outer: 2, count: 900, inner: 1, kept: 65 },
  { outer: 2, count: 31, inner: 3, kept: 31 },
  { outer: 2, count: 32, inner: 3, kept: 32 },
  { outer: 2, count: 0, inner: 3, kept: 0 },
  { outer: 2, count: 1, inner: 3, kept: 1 },
];

for (const { kept, ...around } of CASES) {
  const { outer, count, inner } = around;
  for (const dtype of ["float32", "float64", "int32", "bool"] as const) {
    Deno.test(`argSortRows() of ${dtype} ${outer}×${count}×${inner}, ${kept} kept`, () => {
      const size = outer * count * inner;
      const wave = (_: unknown, i: number) =>
        dtype === "bool" ? i % 3 & 1 : i % 17 === 0 && dtype !== "int32" ? NaN : (i * 7919) % 1009;
      assertSorted(arrayOf(dtype, Array.from({ length: size }, wave)), around, kept);
    });
  }
}

/** NaN of either sign, zeros of either sign, infinities and what surrounds them. */
const SPECIAL = [
  NaN,
  0,
  -0,
  Infinity,
  -Infinity,
  1,
  -1,
  5e-324,
  -5e-324,
  1e-45,
  -1e-45,
  3e38,
  -3e38,
];

const LINES = fc.tuple(
  fc.constantFrom("float32", "float64", "int32"),
  // Half of them long enough to be sorted by digits.
  fc.array(fc.oneof(fc.constantFrom(...SPECIAL), fc.double()), { maxLength: 300, size: "max" }),
  fc.nat(),
);

Deno.test("argSortRows() orders numbers of all kinds as comparisons do", () => {
  fc.assert(
    fc.property(LINES, ([dtype, values, some]) => {
      const data = arrayOf(dtype as "float32", values);
      if (data instanceof Float64Array || data instanceof Float32Array) {
        const bytes = new Uint8Array(data.buffer);
        // A NaN whose sign is set: what 0 / 0 gives on many processors.
        data.forEach((x, i) => {
          if (x !== x && i % 2 === 0) bytes[(i + 1) * data.BYTES_PER_ELEMENT - 1]! |= 0x80;
        });
      }
      const around = { outer: 1, count: values.length, inner: 1 };
      for (const kept of [values.length, some % (values.length + 1), Math.min(3, values.length)]) {
        assertSorted(data, around, kept);
      }
    }),
    { numRuns: 300, seed: 1 },
  );
});

Deno.test("argSortRows() tells apart integers at both ends of their range", () => {
  const data = Int32Array.from({ length: 256 }, (_, i) => [-(2 ** 31), 2 ** 31 - 1, -1, 0][i % 4]!);
  assertSorted(data, { outer: 1, count: 256, inner: 1 }, 256);
  assertSorted(data, { outer: 1, count: 256, inner: 1 }, 5);
});

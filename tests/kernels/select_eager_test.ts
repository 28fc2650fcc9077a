/** Sorting arrays of the host: exactly what `reference.ts` gives, whatever the size. */
import { assertEquals } from "@std/assert";
import { argSortRows } from "../../kernels/select/eager.ts";
import * as reference from "../../kernels/select/reference.ts";
import { arrayOf } from "./wasm_loops.ts";

const CASES = [
  { outer: 3, count: 5, inner: 2, kept: 5 },
  { outer: 1, count: 9000, inner: 1, kept: 9000 },
  { outer: 600, count: 20, inner: 1, kept: 7 },
  { outer: 3, count: 70, inner: 50, kept: 70 },
  { outer: 140, count: 1000, inner: 1, kept: 15 },
  { outer: 2, count: 999, inner: 70, kept: 2 },
  { outer: 2, count: 9000, inner: 1, kept: 0 },
];

for (const { kept, ...around } of CASES) {
  const { outer, count, inner } = around;
  for (const dtype of ["float32", "float64", "int32", "bool"] as const) {
    Deno.test(`argSortRows() of ${dtype} ${outer}×${count}×${inner}, ${kept} kept`, () => {
      const size = outer * count * inner;
      const wave = (_: unknown, i: number) =>
        dtype === "bool" ? i % 3 & 1 : i % 17 === 0 && dtype !== "int32" ? NaN : (i * 7919) % 1009;
      const data = arrayOf(dtype, Array.from({ length: size }, wave));
      for (const descending of [false, true]) {
        const [out, expected] = [0, 1].map(() => new Int32Array(outer * kept * inner));
        argSortRows(out!, data, around, descending, kept);
        reference.argSortRows(expected!, data, around, descending, kept);
        assertEquals(out, expected);
      }
    });
  }
}

Deno.test("argSortRows() sorts more kinds of lines than it keeps kernels for", () => {
  const data = new Float32Array(9000).map((_, i) => (i * 7919) % 1009);
  for (let kept = 100; kept < 170; kept++) {
    const [out, expected] = [0, 1].map(() => new Int32Array(kept * 30));
    argSortRows(out!, data, { outer: 30, count: 300, inner: 1 }, false, kept);
    reference.argSortRows(expected!, data, { outer: 30, count: 300, inner: 1 }, false, kept);
    assertEquals(out, expected);
  }
});

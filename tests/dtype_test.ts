import { assertEquals, assertThrows } from "@std/assert";
import {
  allocate,
  checkDType,
  type DType,
  dtypeOf,
  isFloating,
  machineEpsilon,
  promoteTypes,
} from "../src/dtype.ts";
import { cast, tensor } from "../mod.ts";

/** From the weakest to the strongest. */
const DTYPES: DType[] = ["bool", "int32", "float32", "float64"];

Deno.test("promoteTypes() gives the stronger of the two in either order", () => {
  DTYPES.forEach((a, i) =>
    DTYPES.forEach((b, j) => assertEquals(promoteTypes(a, b), DTYPES[Math.max(i, j)]))
  );
});

Deno.test("allocate() makes the array that dtypeOf() recognizes, filled with zeros", () => {
  for (const dtype of DTYPES) {
    assertEquals(dtypeOf(allocate(dtype, 3)), dtype);
    assertEquals([...allocate(dtype, 3)], [0, 0, 0]);
  }
});

Deno.test("dtypeOf() recognizes nothing else", () => {
  for (
    const other of [
      [1],
      1,
      null,
      Int8Array.of(1),
      BigInt64Array.of(1n),
      new DataView(new ArrayBuffer(1)),
    ]
  ) {
    assertEquals(dtypeOf(other), undefined);
  }
});

Deno.test("isFloating() holds for the two types that have gradients", () => {
  assertEquals(DTYPES.map(isFloating), [false, false, true, true]);
});

Deno.test("checkDType() lets the four names pass", () => {
  for (const dtype of DTYPES) checkDType("f", dtype);
});

Deno.test("checkDType() refuses anything else, names of object properties too", () => {
  for (const other of ["float16", "Float32", "", "constructor", "__proto__", 32, null, undefined]) {
    assertEquals(
      assertThrows(() => checkDType("f", other), TypeError).message,
      "Cannot compute f as dtype must be one of bool, int32, float32, float64: " +
        `current value is ${other}`,
    );
  }
});

Deno.test("machineEpsilon() is the gap above 1", () => {
  const one = Float32Array.of(1);
  new Int32Array(one.buffer)[0]! += 1;
  assertEquals(machineEpsilon("float32"), one[0]! - 1);
  assertEquals(machineEpsilon("float64"), Number.EPSILON);
});

Deno.test("cast() goes between all types where the values allow it", () => {
  for (const from of DTYPES) {
    for (const to of DTYPES) {
      const x = cast(tensor([1, 0], { dtype: from }), to);
      assertEquals([x.dtype, [...x.data]], [to, [1, 0]]);
    }
  }
});

import { assertEquals, assertThrows } from "@std/assert";
import {
  allocate,
  checkDType,
  type DType,
  dtypeOf,
  floorToSingle,
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

Deno.test("floorToSingle() gives the next number of single precision at or below", () => {
  const after = (x: number) => -floorToSingle(-(x + Math.max(Math.abs(x) * 2 ** -26, 2 ** -160)));
  const some = [0, 1, 1.001, 0.1, 1 / 3, 2 ** -126, 1e-40, 1e-50, 1e30];
  for (const value of some.flatMap((x) => [x, -x])) {
    const below = floorToSingle(value);
    assertEquals(Math.fround(below), below);
    assertEquals(below <= value && after(below) > value, true, `${value} gives ${below}`);
  }
  for (const value of [Infinity, -Infinity, NaN]) assertEquals(floorToSingle(value), value);
  assertEquals(floorToSingle(Number.MAX_VALUE), (2 - 2 ** -23) * 2 ** 127);
  assertEquals(floorToSingle(-Number.MAX_VALUE), -Infinity);
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

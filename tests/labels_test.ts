import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { grad, type Tensor, tensor, type TensorLike } from "../mod.ts";
import { checkLabels, checkMask, distinctLabels, requireSome, toIntegers } from "../src/labels.ts";

const message = (f: () => unknown, kind: new () => Error) => assertThrows(f, kind).message;

Deno.test("checkLabels() gives int32 of numbers, typed arrays and tensors", () => {
  const given: TensorLike[] = [
    [0, 2],
    Int32Array.of(0, 2),
    Float64Array.of(0, 2),
    Float32Array.of(0, 2),
    tensor([0, 2]),
    tensor([0, 2], { dtype: "int32" }),
  ];
  for (const labels of given) {
    const checked = checkLabels("f", labels, 3);
    assertEquals([checked.dtype, checked.shape, checked.toArray()], ["int32", [2], [0, 2]]);
  }
});

Deno.test("checkLabels() keeps any shape, an empty one too", () => {
  assertEquals(checkLabels("f", [[0], [1]], 2).shape, [2, 1]);
  assertEquals(checkLabels("f", [], 2).shape, [0]);
  assertEquals(checkLabels("f", 1, 2).shape, []);
});

Deno.test("checkLabels() refuses labels that name no class", () => {
  for (const [labels, position, label] of [[[0, 3], 1, 3], [[-1, 0], 0, -1]] as const) {
    assertEquals(
      message(() => checkLabels("crossEntropyLoss", labels, 3), RangeError),
      "Cannot compute crossEntropyLoss as labels must be in [0, 2]: " +
        `current value at position ${position} is ${label}`,
    );
  }
});

Deno.test("checkLabels() lets one value stand for no label", () => {
  assertEquals(checkLabels("f", [0, -100], 2, { ignore: -100 }).toArray(), [0, -100]);
  assertEquals(
    message(() => checkLabels("f", [0, 5], 2, { ignore: -100 }), RangeError),
    "Cannot compute f as labels must be in [0, 1] or ignoreIndex -100: " +
      "current value at position 1 is 5",
  );
});

Deno.test("checkLabels() names the argument, and says what to do", () => {
  assertEquals(
    message(
      () => checkLabels("f", [2], 2, { argument: "batchLabels", remedy: "raise nBatches" }),
      RangeError,
    ),
    "Cannot compute f as batchLabels must be in [0, 1]: current value at position 0 is 2; " +
      "raise nBatches",
  );
});

Deno.test("toIntegers() refuses fractions and NaN, naming the first", () => {
  for (const value of [0.5, NaN, Infinity]) {
    assertEquals(
      message(() => toIntegers("gather", [1, value], "indices"), TypeError),
      "Cannot compute gather as indices must be whole numbers (int32): " +
        `current value at position 1 is ${value}`,
    );
  }
});

Deno.test("toIntegers() refuses booleans", () => {
  assertEquals(
    message(() => toIntegers("gather", [true, false], "indices"), TypeError),
    "Cannot compute gather as indices must be whole numbers (int32): current dtype is bool",
  );
});

Deno.test("toIntegers() refuses numbers under differentiation", () => {
  const f = (x: Tensor) => {
    toIntegers("gather", x, "indices");
    return x.sum();
  };
  assertEquals(
    message(() => grad(f)([1, 2]), TypeError),
    "Cannot compute gather as indices must be whole numbers (int32): current dtype is float32",
  );
});

Deno.test("toIntegers() gives an int32 tensor back as it is", () => {
  const x = tensor([1], { dtype: "int32" });
  assertStrictEquals(toIntegers("f", x, "labels"), x);
});

Deno.test("distinctLabels() numbers labels in increasing order without gaps", () => {
  const { codes, count } = distinctLabels("f", [[7, 3], [7, 10]]);
  assertEquals([codes.toArray(), codes.dtype, count], [[[1, 0], [1, 2]], "int32", 3]);
});

Deno.test("distinctLabels() of nothing are none", () => {
  const { codes, count } = distinctLabels("f", []);
  assertEquals([codes.shape, count], [[0], 0]);
});

Deno.test("distinctLabels() refuses negative labels", () => {
  assertEquals(
    message(() => distinctLabels("mmdLoss", [0, -2, 1], "batchLabels"), RangeError),
    "Cannot compute mmdLoss as batchLabels must be at least 0: current value at position 1 is -2",
  );
});

Deno.test("checkMask() takes booleans, and zeros and ones of any type", () => {
  for (const mask of [[true, false], [1, 0], Int32Array.of(1, 0), Uint8Array.of(1, 0)]) {
    const checked = checkMask("f", mask);
    assertEquals([checked.dtype, checked.toArray()], ["bool", [true, false]]);
  }
});

Deno.test("checkMask() refuses other values", () => {
  for (const value of [0.5, 2, -1, NaN]) {
    assertEquals(
      message(() => checkMask("maskedMseLoss", [1, value]), RangeError),
      "Cannot compute maskedMseLoss as mask must hold only zeros and ones: " +
        `current value at position 1 is ${value}`,
    );
  }
});

Deno.test("checkMask() refuses a mask under differentiation", () => {
  const f = (x: Tensor) => {
    checkMask("maskedMseLoss", x);
    return x.sum();
  };
  assertEquals(
    message(() => grad(f)([1, 0]), TypeError),
    "Cannot compute maskedMseLoss as mask must be a constant of zeros and ones: " +
      "it is under differentiation",
  );
});

Deno.test("requireSome() wants one entry selected", () => {
  requireSome("f", tensor([false, true]), "mask");
  assertEquals(
    message(() => requireSome("maskedMseLoss", tensor([false, false]), "mask"), RangeError),
    "Cannot compute maskedMseLoss as mask must select at least one entry: " +
      '0 of 2 are selected; emptyMask "zero" or "nan" allows this',
  );
});

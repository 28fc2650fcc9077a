import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { arange, type DType, eye, full, ones, type Shape, zeros } from "../mod.ts";

const message = (f: () => unknown, kind: new () => Error) => assertThrows(f, kind).message;

const DTYPES: DType[] = ["float32", "float64", "int32", "bool"];

Deno.test("zeros() and ones() fill any shape, float32 by default", () => {
  assertEquals(zeros([2, 2]).toArray(), [[0, 0], [0, 0]]);
  assertEquals(ones([2]).toArray(), [1, 1]);
  assertEquals([zeros([]).item(), ones([]).item(), zeros([1]).dtype], [0, 1, "float32"]);
});

Deno.test("zeros(), ones(), eye() and full() make every type", () => {
  for (const dtype of DTYPES) {
    for (const x of [zeros([2], { dtype }), ones([2], { dtype }), full([2], 1, { dtype })]) {
      assertEquals([x.dtype, x.shape], [dtype, [2]]);
    }
    assertEquals(eye(2, { dtype }).data.constructor, zeros([1], { dtype }).data.constructor);
    assertEquals([...eye(2, { dtype }).data], [1, 0, 0, 1]);
  }
});

Deno.test("constructors treat undefined options as left out", () => {
  const options = { dtype: undefined };
  const made = [zeros([1], options), ones([1], options), eye(1, options), arange(1, options)];
  assertEquals(made.map((x) => x.dtype), ["float32", "float32", "float32", "float32"]);
});

Deno.test("constructors handle empty shapes", () => {
  assertEquals<unknown>(zeros([0, 3]).toArray(), []);
  assertEquals<unknown>(full([2, 0], 5).toArray(), [[], []]);
  assertEquals([eye(0).shape, arange(0).shape], [[0, 0], [0]]);
});

Deno.test("full() takes bool for a boolean", () => {
  assertEquals([full([1], true).dtype, full([1], true).toArray()], ["bool", [true]]);
  assertEquals(full([1], true, { dtype: "float32" }).toArray(), [1]);
});

Deno.test("full() takes NaN and infinities where the type is floating", () => {
  assertEquals(full([2], NaN).toArray(), [NaN, NaN]);
  assertEquals(full([1], -Infinity, { dtype: "float64" }).toArray(), [-Infinity]);
});

Deno.test("full() refuses a value that the type cannot hold, for an empty shape too", () => {
  for (const shape of [[2], [0]]) {
    assertEquals(
      message(() => full(shape, 2.5, { dtype: "int32" }), RangeError),
      "Cannot compute full as int32 cannot hold the value 2.5 at position 0: round the values first",
    );
  }
  assertEquals(
    message(() => full([1], 2, { dtype: "bool" }), RangeError),
    "Cannot compute full as bool cannot hold the value 2 at position 0: " +
      "choose another dtype, or compare with 0",
  );
});

Deno.test("arange() counts from 0", () => {
  assertEquals(arange(4).toArray(), [0, 1, 2, 3]);
  assertEquals(arange(3, { dtype: "int32" }).dtype, "int32");
  assertEquals(arange(2, { dtype: "bool" }).toArray(), [false, true]);
});

Deno.test("arange() refuses a type that cannot hold its numbers", () => {
  assertEquals(
    message(() => arange(3, { dtype: "bool" }), RangeError),
    "Cannot compute arange as bool cannot hold the value 2 at position 2: " +
      "choose another dtype, or compare with 0",
  );
});

Deno.test("constructors name themselves where the shape is none", () => {
  const made = {
    zeros: (shape: Shape) => zeros(shape),
    ones: (shape: Shape) => ones(shape),
    full: (shape: Shape) => full(shape, 1),
  };
  for (const [name, make] of Object.entries(made)) {
    for (const shape of [[2, -1], [0.5], 3, undefined]) {
      assertEquals(
        message(() => make(shape as Shape), TypeError),
        `Cannot compute ${name} as shape must be an array of non-negative integers: ` +
          `current value is ${Array.isArray(shape) ? `[${shape.join(", ")}]` : shape}`,
      );
    }
  }
});

Deno.test("eye() and arange() refuse what is no extent", () => {
  for (const [name, make] of Object.entries({ eye, arange })) {
    for (const n of [-1, 1.5, NaN, Infinity]) {
      assertEquals(
        message(() => make(n), TypeError),
        `Cannot compute ${name} as n must be a non-negative integer: current value is ${n}`,
      );
    }
  }
});

Deno.test("constructors name themselves where the dtype is none", () => {
  const dtype = "float16" as DType;
  const made = {
    zeros: () => zeros([1], { dtype }),
    ones: () => ones([1], { dtype }),
    full: () => full([1], 1, { dtype }),
    eye: () => eye(1, { dtype }),
    arange: () => arange(1, { dtype }),
  };
  for (const [name, make] of Object.entries(made)) {
    assertEquals(
      message(make, TypeError),
      `Cannot compute ${name} as dtype must be one of bool, int32, float32, float64: ` +
        "current value is float16",
    );
  }
});

Deno.test("constructors refuse more than a tensor holds, naming shape and bytes", () => {
  const cases: Record<string, () => unknown> = {
    "zeros as [1000000, 1000000], 3730 GiB of float32": () => zeros([1e6, 1e6]),
    "full as [1099511627776], 4100 GiB of float32": () => full([2 ** 40], 1),
    "eye as [1000000, 1000000], 3730 GiB of float32": () => eye(1e6),
    "arange as [1000000000000], 7450 GiB of float64": () => arange(1e12),
  };
  for (const [found, call] of Object.entries(cases)) {
    const [name, shape] = found.split(" as ");
    assertEquals(
      message(call, RangeError),
      `Cannot compute ${name} as a tensor must take at most 4 GiB: current shape is ${shape}`,
    );
  }
});

Deno.test("full() refuses a value that is no number", () => {
  for (const value of [1n, new Date(0), "1", null, Symbol("x")] as unknown[]) {
    assertMatch(
      message(() => full([2], value as number), TypeError),
      /^Cannot compute full as value must be a number or boolean: current value is /,
    );
  }
});

import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import {
  add,
  type DType,
  equal,
  grad,
  mul,
  type NestedArray,
  ones,
  reshape,
  sub,
  Tensor,
  tensor,
  type TensorLike,
  type TypedArray,
} from "../mod.ts";
import { asTensor, promote } from "../src/tensor.ts";

const message = (f: () => unknown, kind: new () => Error) => assertThrows(f, kind).message;

Deno.test("tensor() makes float32 of numbers and bool of booleans", () => {
  assertEquals([tensor(1).dtype, tensor([[1, 2]]).dtype], ["float32", "float32"]);
  assertEquals([tensor(true).dtype, tensor([true, false]).dtype], ["bool", "bool"]);
  assertEquals(tensor([true, 2]).toArray(), [1, 2]);
});

Deno.test("tensor() takes the type of a typed array", () => {
  const cases: [TypedArray, DType][] = [
    [Float32Array.of(1), "float32"],
    [Float64Array.of(1), "float64"],
    [Int32Array.of(1), "int32"],
    [Uint8Array.of(1), "bool"],
  ];
  for (const [data, dtype] of cases) {
    const x = tensor(data);
    assertEquals([x.dtype, x.shape, x.data], [dtype, [1], data]);
  }
});

Deno.test("tensor() keeps the values of nested arrays in row-major order", () => {
  const nested = [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]];
  const x = tensor(nested);
  assertEquals([x.shape, x.rank, x.size], [[2, 2, 3], 3, 12]);
  assertEquals([...x.data], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assertEquals(x.toArray(), nested);
});

Deno.test("tensor() of any nested arrays has their shape and gives them back", () => {
  const nest = (shape: number[], next: () => number): NestedArray =>
    shape.length === 0
      ? next()
      : Array.from({ length: shape[0]! }, () => nest(shape.slice(1), next));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 5 }), (shape) => {
      let count = 0;
      const nested = nest(shape, () => count++);
      const x = tensor(nested, { dtype: "float64" });
      assertEquals(x.shape, shape);
      assertEquals([...x.data], Array.from({ length: count }, (_, i) => i));
      assertEquals(x.toArray(), nested);
    }),
    { seed: 1, numRuns: 50 },
  );
});

Deno.test("tensor() handles empty arrays", () => {
  assertEquals([tensor([]).shape, tensor([]).dtype, tensor([]).toArray()], [[0], "float32", []]);
  assertEquals(tensor([[], []]).shape, [2, 0]);
  assertEquals<unknown>(tensor([], { shape: [0, 3] }).toArray(), []);
  assertEquals<unknown>(tensor([], { shape: [2, 0] }).toArray(), [[], []]);
});

Deno.test("tensor() copies a typed array", () => {
  const data = Float32Array.of(1, 2);
  const x = tensor(data);
  data[0] = 9;
  assertEquals(x.toArray(), [1, 2]);
});

Deno.test("tensor() copies only the part that a view shows", () => {
  const whole = Float64Array.of(1, 2, 3, 4);
  assertEquals(tensor(whole.subarray(1, 3)).toArray(), [2, 3]);
});

Deno.test("tensor() copies the shape that it is given", () => {
  const shape = [2, 1];
  const x = tensor([1, 2], { shape });
  shape[0] = 7;
  assertEquals(x.shape, [2, 1]);
});

Deno.test("reshape(), broadcastTo() and constructors copy the shape that they are given", () => {
  const shape = [2, 2];
  const made = [tensor([1, 2, 3, 4]).reshape(shape), tensor(1).broadcastTo(shape), ones(shape)];
  shape[0] = 7;
  for (const x of made) assertEquals(x.shape, [2, 2]);
});

Deno.test("tensor() gives numbers another shape and another type", () => {
  const x = tensor([1, 0, 1, 1], { shape: [2, 2], dtype: "bool" });
  assertEquals([x.dtype, x.toArray()], ["bool", [[true, false], [true, true]]]);
  assertEquals(tensor(Uint8Array.of(3, 255), { dtype: "int32" }).toArray(), [3, 255]);
  assertEquals(tensor(5, { shape: [1, 1] }).toArray(), [[5]]);
});

Deno.test("tensor() rounds to float32 and keeps float64", () => {
  assertEquals(tensor(0.1).item(), Math.fround(0.1));
  assertEquals(tensor(0.1, { dtype: "float64" }).item(), 0.1);
});

Deno.test("tensor() treats undefined options as left out", () => {
  const x = tensor(Int32Array.of(1, 2), { shape: undefined, dtype: undefined });
  assertEquals([x.shape, x.dtype], [[2], "int32"]);
});

Deno.test("tensor() of a tensor keeps, casts and reshapes it", () => {
  const x = tensor([1, 2], { dtype: "float64" });
  assertEquals([tensor(x).dtype, tensor(x).toArray()], ["float64", [1, 2]]);
  const y = tensor(x, { dtype: "int32", shape: [2, 1] });
  assertEquals([y.dtype, y.toArray()], ["int32", [[1], [2]]]);
});

Deno.test("tensor() of a tensor under differentiation stays under differentiation", () => {
  const f = (x: Tensor) => tensor(x, { dtype: "float64", shape: [2, 1] }).square().sum();
  assertEquals(grad(f)([1, 2]).toArray(), [2, 4]);
});

Deno.test("tensor() refuses ragged arrays, naming the place", () => {
  assertEquals(
    message(() => tensor([[1, 2], [3]]), TypeError),
    "Cannot create a tensor as data[1] must have 2 entries, as its arrays must not be ragged: " +
      "it has 1",
  );
  assertEquals(
    message(() => tensor([[1], [2, 3]]), TypeError),
    "Cannot create a tensor as data[1] must have 1 entries, as its arrays must not be ragged: " +
      "it has 2",
  );
  assertEquals(
    message(() => tensor([[[1], [2]], [[3], 4]]), TypeError),
    "Cannot create a tensor as data[1][1] must have 1 entries, as its arrays must not be ragged: " +
      "it has none",
  );
});

Deno.test("tensor() refuses what is no number, naming the place and the kind", () => {
  const cases: [unknown, string][] = [
    [[[1, "2"]], "data[0][1] must be a number or boolean: current value is a string"],
    [[1, null], "data[1] must be a number or boolean: current value is null"],
    [[1, undefined], "data[1] must be a number or boolean: current value is undefined"],
    [[1, [2]], "data[1] must be a number or boolean: current value is an array"],
    [[1n], "data[0] must be a number or boolean: current value is a bigint: Number(x) converts it"],
    [
      [tensor(1)],
      "data[0] must be a number or boolean: current value is a tensor (stack joins tensors)",
    ],
  ];
  for (const [data, text] of cases) {
    assertEquals(
      message(() => tensor(data as TensorLike), TypeError),
      `Cannot create a tensor as ${text}`,
    );
  }
});

Deno.test("tensor() refuses other kinds of data", () => {
  const cases: [unknown, string][] = [
    ["12", "a string"],
    [null, "null"],
    [undefined, "undefined"],
    [{ length: 2 }, "an object"],
    [new Date(0), "a Date"],
    [Int8Array.of(1), "an Int8Array: Int32Array.from(x) converts it"],
    [BigInt64Array.of(1n), "a BigInt64Array: Float64Array.from(x, Number) converts it"],
    [new ArrayBuffer(4), "an ArrayBuffer: new Float32Array(x) reads it"],
    [Promise.resolve(1), "a promise: await it"],
    [() => 1, "a function"],
  ];
  for (const [data, kind] of cases) {
    assertEquals(
      message(() => tensor(data as TensorLike), TypeError),
      "Cannot create a tensor as data must be a tensor, a number, nested arrays, a Float32Array, " +
        `Float64Array, Int32Array or Uint8Array: current value is ${kind}`,
    );
  }
});

Deno.test("tensor() refuses a shape that the data do not fill", () => {
  assertEquals(
    message(() => tensor([1, 2, 3], { shape: [2, 2] }), TypeError),
    "Cannot create a tensor as shape [2, 2] needs 4 values: data holds 3",
  );
  assertEquals(
    message(() => tensor(Float32Array.of(1, 2), { shape: [] }), TypeError),
    "Cannot create a tensor as shape [] needs 1 values: data holds 2",
  );
});

Deno.test("tensor() refuses what is no shape and no dtype", () => {
  for (const shape of [[-1], [1.5], [NaN], "2", 2, null]) {
    assertEquals(
      message(() => tensor([1], { shape: shape as number[] }), TypeError),
      "Cannot compute tensor as shape must be an array of non-negative integers: " +
        `current value is ${Array.isArray(shape) ? `[${shape}]` : JSON.stringify(shape)}`,
    );
  }
  for (const dtype of ["float", "toString", 32, null]) {
    assertEquals(
      message(() => tensor([1], { dtype: dtype as DType }), TypeError),
      "Cannot compute tensor as dtype must be one of bool, int32, float32, float64: " +
        `current value is ${dtype}`,
    );
  }
});

Deno.test("tensor() refuses values that int32 cannot hold", () => {
  for (const value of [1.5, NaN, Infinity, 2 ** 31, -(2 ** 31) - 1]) {
    assertEquals(
      message(() => tensor([0, value], { dtype: "int32" }), RangeError),
      `Cannot compute tensor as int32 cannot hold the value ${value} at position 1: ` +
        "round the values first",
    );
  }
  assertEquals(tensor([2 ** 31 - 1, -(2 ** 31)], { dtype: "int32" }).toArray(), [
    2 ** 31 - 1,
    -(2 ** 31),
  ]);
});

Deno.test("tensor() refuses values that bool cannot hold, of a Uint8Array too", () => {
  const refused = "Cannot compute tensor as bool cannot hold the value 2 at position 1: ";
  for (const data of [[1, 2], Float64Array.of(1, 2)]) {
    assertEquals(
      message(() => tensor(data, { dtype: "bool" }), RangeError),
      `${refused}choose another dtype, or compare with 0`,
    );
  }
  assertEquals(
    message(() => tensor(Uint8Array.of(1, 2)), RangeError),
    `${refused}a Uint8Array holds booleans; Int32Array.from(x) holds whole numbers`,
  );
});

Deno.test("item() gives the only value", () => {
  assertEquals(tensor(3).item(), 3);
  assertEquals(tensor([[4]]).item(), 4);
  assertEquals([tensor(true).item(), tensor([false]).item()], [1, 0]);
});

Deno.test("item() refuses tensors of more or fewer values", () => {
  for (const [x, shape] of [[tensor([1, 2]), "[2]"], [tensor([]), "[0]"]] as const) {
    assertEquals(
      message(() => x.item(), TypeError),
      `Cannot compute item as the tensor must hold exactly one value: current shape is ${shape}`,
    );
  }
});

Deno.test("toArray() gives a number or boolean for rank 0", () => {
  assertEquals([tensor(2.5).toArray(), tensor(true).toArray()], [2.5, true]);
});

Deno.test("toArray() gives arrays that the caller may change", () => {
  const x = tensor([[1, 2]]);
  (x.toArray() as number[][])[0]![0] = 9;
  assertEquals(x.toArray(), [[1, 2]]);
});

Deno.test("read() gives a copy of the values", async () => {
  const x = tensor([[1, 2]], { dtype: "float64" });
  const data = await x.read();
  assertEquals(data, Float64Array.of(1, 2));
  data[0] = 9;
  assertEquals(x.toArray(), [[1, 2]]);
});

Deno.test("read() gives the values of a tensor under differentiation", async () => {
  let reading: Promise<TypedArray> | undefined;
  const gradient = grad((x: Tensor) => {
    reading = x.mul(2).read();
    return x.sum();
  })([1, 2]);
  const data = await reading!;
  assertEquals(data, Float32Array.of(2, 4));
  data[0] = 9;
  assertEquals(gradient.toArray(), [1, 1]);
});

Deno.test("data and item() can be looked at under differentiation", () => {
  const seen: unknown[] = [];
  grad((x: Tensor) => {
    seen.push([...x.square().data], x.sum().item());
    return x.sum();
  })([1, 2]);
  assertEquals(seen, [[1, 4], 3]);
});

Deno.test("operations leave their inputs as they are", () => {
  const x = tensor([[3, 1], [2, 4]]);
  const before = x.data.slice();
  for (const f of [x.sort, x.neg, x.square, x.transpose] as ((this: Tensor) => Tensor)[]) f.call(x);
  x.scatterAdd([0], [[1, 1]]);
  assertEquals(x.data, before);
});

Deno.test("reshape() shares the values, and no operation changes them", () => {
  const x = tensor([1, 2, 3, 4]);
  const y = reshape(x, [2, 2]);
  assertStrictEquals(y.data, x.data);
  y.add(1);
  assertEquals(x.toArray(), [1, 2, 3, 4]);
});

Deno.test("numbers and nested arrays adopt the type of a tensor", () => {
  const x = tensor([1, 2], { dtype: "float64" });
  assertEquals(mul(x, 0.1).toArray(), [0.1, 0.2]);
  assertEquals(add([0.1, 0.2], x).toArray(), [1.1, 2.2]);
  assertEquals(sub(true, x).dtype, "float64");
});

Deno.test("numbers adopt the type of a typed array", () => {
  assertEquals(add(Float64Array.of(1), 0.1).toArray(), [1.1]);
});

Deno.test("whole numbers stay whole beside int32, others make float32", () => {
  const x = tensor([1, 2], { dtype: "int32" });
  assertEquals([x.add(1).dtype, x.add([1, 2]).dtype, x.add(0.5).dtype], [
    "int32",
    "int32",
    "float32",
  ]);
  assertEquals(x.mul(true).dtype, "int32");
  assertEquals(x.add(2 ** 31).dtype, "float32");
});

Deno.test("whole numbers beside int32 keep all 32 bits", () => {
  const x = tensor([2 ** 31 - 1, 2 ** 24 + 1], { dtype: "int32" });
  assertEquals(equal(x, 2 ** 31 - 1).toArray(), [true, false]);
  assertEquals(equal(x, [0, 2 ** 24 + 1]).toArray(), [false, true]);
  assertEquals(add(tensor([1], { dtype: "int32" }), [2 ** 24 + 0.5]).dtype, "float32");
});

Deno.test("numbers beside bool become int32 where whole, else float32", () => {
  const x = tensor([true, false]);
  assertEquals([x.add(1).dtype, x.mul(0.5).dtype, x.equal(true).dtype], [
    "int32",
    "float32",
    "bool",
  ]);
});

Deno.test("promote() meets in the strongest type among tensors and typed arrays", () => {
  const types = (...values: TensorLike[]) => promote(values, "promote", []).map((x) => x.dtype);
  assertEquals(types(1, 2), ["float32", "float32"]);
  assertEquals(types(tensor([1]), 2, [3]), ["float32", "float32", "float32"]);
  assertEquals(types(Float64Array.of(1), 2), ["float64", "float64"]);
});

Deno.test("asTensor() gives numbers the type asked for, and leaves others alone", () => {
  assertEquals(asTensor([1], "float64").dtype, "float64");
  assertEquals(asTensor(Int32Array.of(1), "float64").dtype, "int32");
  const x = tensor(1);
  assertStrictEquals(asTensor(x, "float64"), x);
});

Deno.test("tensors are instances of Tensor, those of operations too", () => {
  assert(tensor(1) instanceof Tensor);
  assert(tensor(1).add(1) instanceof Tensor);
});

Deno.test("tensor() refuses arrays with a hole, a cycle or no end, at once", () => {
  const cyclic: unknown[] = [[1], [2]];
  cyclic[0] = cyclic;
  const deep = Array.from({ length: 1000 }).reduce<unknown>((inner) => [inner], 1);
  const doubled = Array.from({ length: 60 }).reduce<unknown>((inner) => [inner, inner], 1);
  const hole = [1, 2, 3];
  delete hole[1];
  const cases: [unknown, string][] = [
    [hole, "data[1] must be a number or boolean: current value is a hole"],
    [[[1, 2, 3], hole], "data[1][1] must be a number or boolean: current value is a hole"],
    [new Array(1e9), "data[0] must be a number or boolean: current value is a hole"],
    [cyclic, "data is an array that contains itself"],
    [deep, "data must be nested at most 64 arrays deep"],
  ];
  for (const [data, text] of cases) {
    assertEquals(
      message(() => tensor(data as TensorLike), TypeError),
      `Cannot create a tensor as ${text}`,
    );
  }
  assertStringIncludes(
    message(() => tensor(doubled as TensorLike), RangeError),
    "Cannot compute tensor as a tensor must take at most 4 GiB: current shape is [2, 2, 2, 2",
  );
});

Deno.test("tensor() refuses a typed array whose buffer is gone, and takes one on any other buffer", () => {
  const moved = Float32Array.of(1, 2);
  structuredClone(moved, { transfer: [moved.buffer] });
  const buffer = new ArrayBuffer(8, { maxByteLength: 16 });
  const [cut, growing] = [new Float32Array(buffer, 0, 2), new Float32Array(buffer)];
  assertEquals(tensor(growing).shape, [2]);
  buffer.resize(4);
  for (const data of [moved, cut]) {
    assertEquals(
      message(() => tensor(data), TypeError),
      "Cannot create a tensor as data must still have its buffer: it was transferred, or made shorter",
    );
  }
  assertEquals(tensor(growing).shape, [1]);
  assertEquals(tensor(new Int32Array(new SharedArrayBuffer(8))).toArray(), [0, 0]);
  assertEquals(tensor(new Float32Array(0)).shape, [0]);
});

Deno.test("operations refuse results that take more than a tensor holds, naming shape and bytes", () => {
  const column = tensor(new Float32Array(100_000), { shape: [100_000, 1] });
  assertEquals(
    message(() => column.matmul(column.transpose()), RangeError),
    "Cannot compute matmul as a tensor must take at most 4 GiB: current shape is [100000, 100000], " +
      "37.3 GiB of float32",
  );
  assertStringIncludes(
    message(() => column.broadcastTo([100_000, 100_000]), RangeError),
    "Cannot compute broadcastTo as a tensor must take at most 4 GiB",
  );
});

Deno.test("tensors of another copy of the library are named as such", () => {
  class Foreign {
    readonly shape = [1];
  }
  const brand = { [Symbol.for("cellgrad.tensor")]: Symbol("another copy") };
  const value = Object.assign(new Foreign(), brand) as unknown as Tensor;
  const another = "a tensor of another copy of the library: import it from one place";
  assertEquals(
    message(() => add(value, 1), TypeError),
    `Cannot compute add as a is ${another}, or pass its toArray() on`,
  );
  assertEquals(
    message(() => grad((x: Tensor) => x.sum())({ w: value } as never), TypeError),
    "Cannot compute grad as argument 0.w must be a tensor, or an array or plain object of tensors: " +
      `current value is ${another}`,
  );
});

Deno.test("item() and toArray() take no arguments", () => {
  const x = tensor([7]) as unknown as Record<"item" | "toArray", (n: number) => unknown>;
  for (const name of ["item", "toArray"] as const) {
    assertThrows(
      () => x[name](0),
      TypeError,
      `Cannot compute ${name} as it takes nothing after the tensor: current value is 0`,
    );
  }
});

Deno.test("tensors of the same values are equal, whatever has been read of one", () => {
  const [x, y] = [tensor([1, 2]), tensor([1, 2])];
  assertEquals(x.data.length, 2);
  assertEquals(x, y);
  assertEquals(Object.keys(x), ["shape", "dtype", "size", "source", "trace"]);
});

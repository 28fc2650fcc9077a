import { assertEquals } from "@std/assert";
import { compile, forLoop, grad, ones, Tensor, tensor, vmap, zeros } from "../mod.ts";

const f64 = (data: number[]) => tensor(data, { dtype: "float64" });

Deno.test("a vector shows its type, shape and values on one line", () => {
  assertEquals(String(tensor([1, 2.5, -3])), "Tensor float32 [3] [1, 2.5, -3]");
});

Deno.test("a single number shows an empty shape", () => {
  assertEquals(String(tensor(2)), "Tensor float32 [] 2");
});

Deno.test("a matrix shows a row per line", () => {
  assertEquals(
    String(tensor([[1, 2], [3, 4]], { dtype: "int32" })),
    "Tensor int32 [2, 2]\n[[1, 2],\n [3, 4]]",
  );
});

Deno.test("a stack of matrices shows its nesting", () => {
  assertEquals(
    String(zeros([2, 1, 2])),
    "Tensor float32 [2, 1, 2]\n[[[0, 0]],\n [[0, 0]]]",
  );
});

Deno.test("booleans show as such", () => {
  assertEquals(String(tensor([true, false])), "Tensor bool [2] [true, false]");
});

Deno.test("NaN and infinities show by name", () => {
  assertEquals(
    String(tensor([NaN, Infinity, -Infinity])),
    "Tensor float32 [3] [NaN, Infinity, -Infinity]",
  );
});

Deno.test("empty tensors show their shape", () => {
  assertEquals(String(tensor([])), "Tensor float32 [0] []");
  assertEquals(String(zeros([0, 3])), "Tensor float32 [0, 3] []");
  assertEquals(String(zeros([2, 0])), "Tensor float32 [2, 0]\n[[],\n []]");
});

Deno.test("digits are as many as the type has", () => {
  assertEquals(String(tensor([1 / 3, 1e-7])), "Tensor float32 [2] [0.33333, 1e-7]");
  assertEquals(String(f64([1 / 3, 1e-7])), "Tensor float64 [2] [0.33333333, 1e-7]");
  assertEquals(String(tensor([123456])), "Tensor float32 [1] [123456]");
});

Deno.test("seven values show in full, of more the first and last three", () => {
  const count = (n: number) => tensor(Array.from({ length: n }, (_, i) => i));
  assertEquals(String(count(7)), "Tensor float32 [7] [0, 1, 2, 3, 4, 5, 6]");
  assertEquals(String(count(8)), "Tensor float32 [8] [0, 1, 2, …, 5, 6, 7]");
});

Deno.test("a large matrix shows its corners", () => {
  const x = tensor(Array.from({ length: 1000 }, (_, i) => i), { shape: [10, 100] });
  assertEquals(
    String(x),
    `Tensor float32 [10, 100]
[[0, 1, 2, …, 97, 98, 99],
 [100, 101, 102, …, 197, 198, 199],
 [200, 201, 202, …, 297, 298, 299],
 …,
 [700, 701, 702, …, 797, 798, 799],
 [800, 801, 802, …, 897, 898, 899],
 [900, 901, 902, …, 997, 998, 999]]`,
  );
});

Deno.test("a large tensor of many axes shows the corners of each", () => {
  assertEquals(String(ones([100, 100, 100])).match(/1/g)?.length, 3 + 6 ** 3);
});

Deno.test("Deno's console shows what toString() gives, inside of objects too", () => {
  const x = tensor([1, 2]);
  assertEquals(Deno.inspect(x), "Tensor float32 [2] [1, 2]");
  assertEquals(Deno.inspect({ x }), "{ x: Tensor float32 [2] [1, 2] }");
});

Deno.test("Node's console shows what toString() gives", () => {
  const show = Reflect.get(tensor([1]), Symbol.for("nodejs.util.inspect.custom")) as () => string;
  assertEquals(show.call(tensor([1])), "Tensor float32 [1] [1]");
});

Deno.test("a notebook shows what toString() gives, as plain text", () => {
  const x = tensor([1, 2]);
  const show = Reflect.get(x, Symbol.for("Jupyter.display")) as (this: Tensor) => unknown;
  assertEquals(show.call(x), { "text/plain": "Tensor float32 [2] [1, 2]" });
});

Deno.test("a tensor under differentiation shows its values", () => {
  let shown = "";
  grad((x: Tensor) => {
    shown = Deno.inspect(x.mul(2));
    return x.sum();
  })([1, 2]);
  assertEquals(shown, "Tensor float32 [2] [2, 4]");
});

Deno.test("JSON holds shape, type and values", () => {
  const json = (x: Tensor) => JSON.stringify({ x });
  assertEquals(
    json(tensor([[1, 2.5], [-3, 0]])),
    '{"x":{"shape":[2,2],"dtype":"float32","values":[1,2.5,-3,0]}}',
  );
  assertEquals(json(f64([0.1]).reshape([])), '{"x":{"shape":[],"dtype":"float64","values":[0.1]}}');
  assertEquals(
    json(tensor([true, false])),
    '{"x":{"shape":[2],"dtype":"bool","values":[true,false]}}',
  );
  assertEquals(json(zeros([0, 3])), '{"x":{"shape":[0,3],"dtype":"float32","values":[]}}');
});

Deno.test("JSON loses no value: Number reads what JSON itself cannot write", () => {
  const values = [NaN, Infinity, -Infinity, -0, 0, 5e-324, 1 / 3, -1e308];
  const text = JSON.stringify(f64(values));
  assertEquals(JSON.parse(text).values.slice(0, 5), ["NaN", "Infinity", "-Infinity", "-0", 0]);
  assertEquals(JSON.parse(text).values.map(Number), values);
});

Deno.test("JSON holds at most 1000 values, and none that are on a device", () => {
  assertEquals(ones([1000]).toJSON().values?.length, 1000);
  assertEquals(JSON.stringify(ones([7, 143])), '{"shape":[7,143],"dtype":"float32"}');
  const unread = () => {
    throw new Error("read");
  };
  const there = new Tensor([2], "float32", { data: unread, read: unread, dispose() {} });
  assertEquals(JSON.stringify(there), '{"shape":[2],"dtype":"float32"}');
});

Deno.test("a tensor under differentiation is written as JSON with its values", () => {
  let written = "";
  grad((x: Tensor) => {
    written = JSON.stringify(x.mul(2));
    return x.sum();
  })([1, 2]);
  assertEquals(written, '{"shape":[2],"dtype":"float32","values":[2,4]}');
});

Deno.test("a tensor without values is shown by its kind and shape wherever something is recorded", async () => {
  const shown: unknown[] = [];
  const look = (x: Tensor) => {
    shown.push([`${x}`, Deno.inspect({ x }), JSON.stringify(x)]);
    return x.mul(2);
  };
  await using _program = await compile(look, [ones([2, 3])]);
  vmap(look)(ones([4, 2, 3]));
  forLoop(2, look, ones([2, 3]));
  const text = "Tensor float32 [2, 3] whose values are not there yet";
  const json = '{"shape":[2,3],"dtype":"float32"}';
  assertEquals(shown, [1, 2, 3].map(() => [text, `{ x: ${text} }`, json]));
});

import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import {
  bernoulli,
  categorical,
  choice,
  exponential,
  foldIn,
  gamma,
  integers,
  key,
  laplace,
  normal,
  permutation,
  poisson,
  split,
  uniform,
} from "../../src/random.ts";
import { hashValues } from "../../src/hash.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { meanOf } from "./statistics.ts";

const words = (k: Tensor): number[] => [...k.data].map((word) => word >>> 0);

Deno.test("key() holds the seed's upper and lower words, as in JAX", () => {
  assertEquals(words(key(0)), [0, 0]);
  assertEquals(words(key(42)), [0, 42]);
  assertEquals(words(key(2 ** 32 + 5)), [1, 5]);
  assertEquals(words(key(2 ** 32 - 1)), [0, 2 ** 32 - 1]);
  assertEquals([key(0).shape, key(0).dtype], [[2], "int32"]);
});

Deno.test("key() refuses seeds that are no whole numbers", () => {
  for (const [seed, text] of [[-1, "-1"], [0.5, "0.5"]] as const) {
    assertThrows(
      () => key(seed),
      RangeError,
      "Cannot compute key as seed must be a whole number at least 0 and at most " +
        `9007199254740991: current value is ${text}`,
    );
  }
  assertThrows(
    () => key(NaN),
    TypeError,
    "Cannot compute key as seed must be a whole number: current value is NaN",
  );
});

Deno.test("split() gives the keys that jax.random.split gives", () => {
  // jax.random.split(jax.random.key(seed)) of JAX 0.5 and later (jax_threefry_partitionable).
  const expected = [
    [[1797259609, 2579123966], [928981903, 3453687069]],
    [[507451445, 1853169794], [1948878966, 4237131848]],
    [[1821159224, 3364244817], [637334850, 3278974502]],
  ];
  assertEquals([0, 1, 2].map((seed) => split(key(seed)).map(words)), expected);
});

Deno.test("split() gives distinct keys, the first ones the same whatever the number", () => {
  const keys = split(key(3), 1000).map((k) => words(k).join());
  assertEquals(new Set(keys).size, 1000);
  assertEquals(split(key(3), 4).map((k) => words(k).join()), keys.slice(0, 4));
});

Deno.test("split() gives keys whose numbers are not correlated", () => {
  const [a, b] = split(key(9)).map((k) => normal(k, [20000]).data) as [
    Float32Array,
    Float32Array,
  ];
  const parent = normal(key(9), [20000]).data;
  const correlation = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    meanOf(Array.from(x, (v, i) => v * y[i]!));
  for (const r of [correlation(a, b), correlation(a, parent), correlation(b, parent)]) {
    assertLess(Math.abs(r), 3.3 / Math.sqrt(20000));
  }
});

Deno.test("split() refuses bad arguments", () => {
  assertThrows(
    () => split(key(0), -1),
    RangeError,
    "Cannot compute splitKey (split of ./random) as n must be a whole number at least 0 and at most 1048576: " +
      "current value is -1",
  );
  assertThrows(
    () => split(tensor([0, 1, 2])),
    TypeError,
    "Cannot compute splitKey (split of ./random) as key must be a random key, made by key, splitKey (split of ./random) or foldIn: " +
      "current value is a tensor of dtype float32 and shape [3]",
  );
});

Deno.test("foldIn() gives distinct keys for distinct numbers", () => {
  const numbers = [0, 1, 2, 3, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
  const keys = numbers.map((n) => words(foldIn(key(0), n)).join());
  assertEquals(new Set(keys).size, numbers.length);
  assertEquals(words(foldIn(key(0), 0)), [1797259609, 2579123966]);
});

Deno.test("foldIn() takes a number or an int32 tensor with one value", () => {
  const step = tensor(7, { dtype: "int32" });
  assertEquals(words(foldIn(key(0), step)), words(foldIn(key(0), 7)));
  assertThrows(
    () => foldIn(key(0), tensor([1, 2])),
    TypeError,
    "Cannot compute foldIn as data must be a number or an int32 tensor with one value: " +
      "current dtype is float32, current shape [2]",
  );
  assertThrows(
    () => foldIn(key(0), -1),
    RangeError,
    "Cannot compute foldIn as data must be a whole number at least 0 and at most 4294967295: " +
      "current value is -1",
  );
});

Deno.test("samplers give these very numbers on every platform", () => {
  const f64 = { dtype: "float64" } as const;
  assertEquals([...uniform(key(0), [2], f64).data], [0.41845711171638644, 0.21629545460551136]);
  assertEquals([...uniform(key(1), [2], { min: -2, max: 5 }).data], [
    1.070427417755127,
    1.7362704277038574,
  ]);
  assertEquals([...normal(key(123), [3], f64).data], [
    -0.753078376100012,
    -0.030498035918842707,
    -0.14703254798980062,
  ]);
  assertEquals([...normal(key(123), [3]).data], [
    -0.753078281879425,
    -0.030498037114739418,
    -0.14703252911567688,
  ]);
  assertEquals([...gamma(key(1), [0.5, 1, 20], f64).data], [
    0.008342500829740057,
    2.0776119998499145,
    20.195854764072184,
  ]);
  assertEquals([...poisson(key(1), [0.5, 3, 200, 1e6]).data], [0, 3, 203, 1001083]);
  assertEquals([...bernoulli(key(1), 0.5, { shape: [6] }).data], [1, 1, 0, 0, 1, 0]);
  assertEquals([...categorical(key(1), [0, 1, 2], { shape: [6] }).data], [1, 2, 2, 2, 1, 2]);
  assertEquals([...permutation(key(1), 10).data], [2, 9, 5, 6, 7, 8, 3, 1, 4, 0]);
});

Deno.test("samplers say what a key is when given something else", () => {
  const cases: [unknown, string][] = [
    [42, "42: key(42) makes one"],
    [undefined, "undefined"],
    [split(key(0)), "an array (of several keys, take one)"],
    ["seed", "a string"],
    [tensor([0, 1]), "a tensor of dtype float32 and shape [2]"],
  ];
  for (const [given, text] of cases) {
    assertThrows(
      () => normal(given as Tensor, [2]),
      TypeError,
      "Cannot compute normal as key must be a random key, made by key, splitKey (split of ./random) or foldIn: " +
        `current value is ${text}`,
    );
  }
});

Deno.test("samplers draw other numbers from other keys", () => {
  const drawn = [0, 1, 2, 3].map((seed) => poisson(key(seed), 50, { shape: [20] }).data.join());
  assertEquals(new Set(drawn).size, 4);
  assertGreater(new Set([...normal(key(0), [1000]).data]).size, 990);
});

Deno.test("what is drawn keeps its bits from release to release", () => {
  const [k, f64, shape] = [key(3), { dtype: "float64" } as const, [5000]];
  const rates = uniform(key(9), shape, { max: 60, ...f64 });
  const draws: [Tensor, hash: [number, number]][] = [
    [foldIn(k, 4_000_000_000), [-767034728, -1658856343]],
    [uniform(k, shape), [-198484749, 497671191]],
    [uniform(k, shape, f64), [1648391209, 401833086]],
    [normal(k, shape), [2061510531, 78102635]],
    [normal(k, shape, f64), [-1535819592, -1748729195]],
    [bernoulli(k, 0.3, { shape }), [1641000042, 1354906207]],
    [bernoulli(k, rates.div(60)), [-1635434750, 1982556435]],
    [gamma(k, rates.add(0.1), f64), [751478992, 946139549]],
    [poisson(k, rates), [-1831631346, 234731458]],
    [categorical(k, [0, 1, -Infinity, 0.5], { shape }), [-1779501603, -1258859391]],
    [permutation(k, 5000), [-1004667919, 99713320]],
    [integers(k, -1000, 2 ** 30, { shape }), [1919115872, -95614657]],
    [choice(k, 77, { shape, replace: true }), [-1660282131, 522761031]],
    [exponential(k, shape), [933148024, 1442105293]],
    [laplace(k, shape, f64), [743401663, 1185867574]],
  ];
  assertEquals(draws.map(([x]) => hashValues(x.data)), draws.map(([, hash]) => hash));
});

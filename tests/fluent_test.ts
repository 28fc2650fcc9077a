import { assertEquals } from "@std/assert";
import { arange, Tensor, tensor } from "../mod.ts";
import { Fluent } from "../src/fluent.ts";
import { FluentElementwise } from "../src/fluent_elementwise.ts";
import * as functions from "../src/ops/mod.ts";
import { assertListed } from "./guards.ts";

/** Functions that are no methods: their first argument is no tensor, or they are about gradients
 * or images. */
const FUNCTIONS_ONLY = [
  "avgPool",
  "clipGradient",
  "conv",
  "customVjp",
  "debugGradient",
  "einsum",
  "gradientReversal",
  "maxPool",
  "meshgrid",
  "oneHot",
  "resize",
  "slidingWindow",
  "stopGradient",
  "trace",
  "where",
];

/** Methods that are no functions. */
const METHODS_ONLY = ["at"];

const methods = [Fluent, FluentElementwise].flatMap(({ prototype }) =>
  Object.getOwnPropertyNames(prototype)
).filter((name) => name !== "constructor");

const x = tensor([[0.5, 1.5, 2.5], [3.5, 0.25, 0.75]], { dtype: "float64" });
const y = tensor([[2, 0.5, 2.5], [1, 3, 0.25]], { dtype: "float64" });
const rows = { axis: 1, keepDims: true };

/** Calls with which every argument and option makes a difference to the result. */
const CALLS: Record<string, { on?: Tensor; with: unknown[] }> = {
  add: { with: [y] },
  sub: { with: [y] },
  mul: { with: [y] },
  div: { with: [y] },
  neg: { with: [] },
  abs: { on: x.neg(), with: [] },
  sign: { on: x.neg(), with: [] },
  pow: { with: [y] },
  maximum: { with: [y] },
  minimum: { with: [y] },
  clip: { with: [0.7, 1.6] },
  square: { with: [] },
  sqrt: { with: [] },
  rsqrt: { with: [] },
  exp: { with: [] },
  expm1: { with: [] },
  log: { with: [] },
  log1p: { with: [] },
  sin: { with: [] },
  cos: { with: [] },
  tanh: { with: [] },
  sigmoid: { with: [] },
  logSigmoid: { with: [] },
  softplus: { with: [] },
  relu: { on: x.sub(1), with: [] },
  leakyRelu: { on: x.sub(1), with: [{ negativeSlope: 0.5 }] },
  lgamma: { with: [] },
  digamma: { with: [] },
  erf: { with: [] },
  erfc: { with: [] },
  log2: { with: [] },
  atan2: { with: [y] },
  floor: { with: [] },
  ceil: { with: [] },
  round: { with: [] },
  trunc: { with: [] },
  mod: { with: [y] },
  reciprocal: { with: [] },
  exp2: { with: [] },
  log10: { with: [] },
  tan: { with: [] },
  asin: { on: x.div(5), with: [] },
  acos: { on: x.div(5), with: [] },
  atan: { with: [] },
  sinh: { with: [] },
  cosh: { with: [] },
  asinh: { with: [] },
  acosh: { on: x.add(1), with: [] },
  atanh: { on: x.div(5), with: [] },
  erfinv: { on: x.div(5), with: [] },
  silu: { with: [] },
  gelu: { with: [{ approximate: "tanh" }] },
  elu: { on: x.sub(1), with: [{ alpha: 0.5 }] },
  hardtanh: { with: [{ min: 0.7, max: 1.6 }] },
  isFinite: { on: x.sub(0.5).log(), with: [] },
  isInf: { on: x.sub(0.5).log(), with: [] },
  logicalNot: { on: x.sub(0.5), with: [] },
  logicalAnd: { on: x.sub(0.5), with: [y] },
  logicalOr: { on: x.sub(0.5), with: [y.sub(2)] },
  logicalXor: { on: x.sub(0.5), with: [y] },
  nanToNum: { on: x.sub(1).log().div(0), with: [{ nan: 1, posInf: 2, negInf: 3 }] },
  equal: { with: [y] },
  notEqual: { with: [y] },
  less: { with: [y] },
  lessEqual: { with: [y] },
  greater: { with: [y] },
  greaterEqual: { with: [y] },
  isNaN: { on: x.sub(1).log(), with: [] },
  sum: { with: [rows] },
  mean: { with: [rows] },
  max: { with: [rows] },
  min: { with: [rows] },
  variance: { with: [{ ...rows, correction: 1 }] },
  std: { with: [{ ...rows, correction: 1 }] },
  prod: { with: [rows] },
  any: { on: x.sub(0.5).relu(), with: [rows] },
  all: { on: x.sub(0.5).relu(), with: [rows] },
  median: { with: [rows] },
  quantile: { with: [0.3, rows] },
  cumsum: { with: [{ axis: 0, reverse: true }] },
  cumprod: { with: [{ axis: 0, reverse: true }] },
  cumMax: { with: [{ axis: 0, reverse: true }] },
  cumLogSumExp: { with: [{ axis: 0, reverse: true }] },
  norm: { with: [rows] },
  argMax: { with: [rows] },
  argMin: { with: [rows] },
  logSumExp: { with: [rows] },
  softmax: { with: [{ axis: 0 }] },
  logSoftmax: { with: [{ axis: 0 }] },
  l2Normalize: { with: [{ axis: 0, epsilon: 3 }] },
  layerNorm: { with: [{ axis: 0, epsilon: 0.5, scale: 2, shift: y }] },
  cast: { with: ["float32"] },
  reshape: { with: [[3, -1]] },
  transpose: { on: x.reshape([1, 2, 3]), with: [[1, 0, 2]] },
  expandDims: { with: [[0, -1]] },
  squeeze: { on: x.reshape([1, 2, 1, 3]), with: [2] },
  broadcastTo: { with: [[2, 2, 3]] },
  concat: { with: [[y, x], { axis: 1 }] },
  stack: { with: [[y, x], { axis: 1 }] },
  slice: { with: [[0, 0], [1, 3], { step: [1, 2] }] },
  flatten: { with: [] },
  moveAxis: { with: [0, 1] },
  pad: { with: [[[0, 1], [1, 0]], { value: 3 }] },
  flip: { with: [{ axis: 1 }] },
  roll: { with: [1, { axis: 1 }] },
  tile: { with: [[1, 2]] },
  repeat: { with: [2, { axis: 1 }] },
  diag: { with: [] },
  tril: { with: [{ diagonal: 1 }] },
  triu: { with: [{ diagonal: 1 }] },
  outer: { with: [y] },
  scatterSet: { with: [[2, 0], [[1, 2], [3, 4]], { axis: 1 }] },
  segmentSum: { with: [[1, 0], 3] },
  segmentMax: { with: [[1, 0], 3] },
  split: { with: [[1, 2], { axis: 1 }] },
  gather: { with: [[2, 0], { axis: 1 }] },
  scatterAdd: { with: [[2, 0], [[1, 2], [3, 4]], { axis: 1 }] },
  takeAlongAxis: { with: [[[1, 0, 1]], { axis: 0 }] },
  topK: { with: [1, { axis: 0, largest: false }] },
  argSort: { with: [{ axis: 0, descending: true }] },
  sort: { with: [{ axis: 0, descending: true }] },
  matmul: { with: [y.transpose()] },
  dot: { with: [y.transpose()] },
  tensordot: { with: [y, [[0], [0]]] },
  pairwiseSquaredDistance: { with: [y] },
  pairwiseDistance: { with: [y, { p: 1, squared: true }] },
  cosineSimilarity: { with: [y, { epsilon: 3 }] },
};

/** Shapes, types and values, for comparison. */
function plain(result: unknown): unknown {
  if (result instanceof Tensor) return [result.shape, result.dtype, result.toArray()];
  if (Array.isArray(result)) return result.map(plain);
  return Object.fromEntries(Object.entries(result as object).map(([k, v]) => [k, plain(v)]));
}

const method = (on: Tensor, name: string, args: unknown[]) =>
  (Reflect.get(on, name) as (...args: unknown[]) => unknown).apply(on, args);

const free = (name: string, args: unknown[]) =>
  (Reflect.get(functions, name) as (...args: unknown[]) => unknown)(...args);

Deno.test("the methods of tensors are the functions on tensors, by the same names", () => {
  const expected = Object.keys(functions).filter((name) => !FUNCTIONS_ONLY.includes(name));
  assertListed("src/fluent.ts", methods, [...expected, ...METHODS_ONLY]);
});

Deno.test("every method is called below", () => {
  const expected = methods.filter((name) => !METHODS_ONLY.includes(name));
  assertListed("CALLS in tests/fluent_test.ts", Object.keys(CALLS), expected);
});

for (const [name, { on = x, with: args }] of Object.entries(CALLS)) {
  Deno.test(`${name}() gives the same as a method and as a function`, () => {
    const joins = name === "concat" || name === "stack";
    const given = joins ? [[on, ...args[0] as Tensor[]], ...args.slice(1)] : [on, ...args];
    assertEquals(plain(method(on, name, args)), plain(free(name, given)));
  });

  if (args.length === 0) continue;
  Deno.test(`${name}() passes on every argument as a method`, () => {
    const all = plain(method(on, name, args));
    for (let count = 0; count < args.length; count++) {
      let fewer: unknown;
      try {
        fewer = plain(method(on, name, args.slice(0, count)));
      } catch {
        continue;
      }
      let same = true;
      try {
        assertEquals(fewer, all);
      } catch {
        same = false;
      }
      assertEquals(same, false, `${name} with ${count} arguments`);
    }
  });
}

Deno.test("methods chain", () => {
  assertEquals(
    tensor([[1, 2], [3, 4]]).sub([1, 1]).square().sum({ axis: 1, keepDims: true }).toArray(),
    [[1], [13]],
  );
});

Deno.test("methods with optional arguments have the defaults of their functions", () => {
  const z = arange(6).reshape([2, 3]);
  const wantShapes = ["reshape", "broadcastTo"];
  for (const name of methods.filter((name) => Reflect.get(z, name).length === 0)) {
    if (METHODS_ONLY.includes(name) || wantShapes.includes(name)) continue;
    if (CALLS[name]!.with.length === 0) continue;
    assertEquals(plain(method(z, name, [])), plain(free(name, [z])), name);
  }
});

Deno.test("at() takes whole numbers, negative ones from the end", () => {
  assertEquals(plain(x.at(-1)), [[3], "float64", [3.5, 0.25, 0.75]]);
  assertEquals(plain(x.at(0, -3)), [[], "float64", 0.5]);
  assertEquals(plain(tensor([true, false]).at(1)), [[], "bool", false]);
});

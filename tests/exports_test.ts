import { assertEquals, assertGreater } from "@std/assert";
import * as cg from "../mod.ts";
import * as linalg from "../src/linalg/mod.ts";
import * as losses from "../src/losses/mod.ts";
import * as metrics from "../src/metrics/mod.ts";
import * as nn from "../src/nn/mod.ts";
import * as optim from "../src/optim/mod.ts";
import * as random from "../src/random.ts";

const CONSTRUCTORS = ["tensor", "zeros", "ones", "full", "eye", "arange", "linspace", "oneHot"];

const OPERATIONS = [
  ["add", "sub", "mul", "div", "neg", "abs", "sign", "pow", "maximum", "minimum", "clip"],
  ["square", "sqrt", "rsqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sigmoid"],
  ["logSigmoid", "softplus", "relu", "leakyRelu", "lgamma", "digamma", "erf", "erfc", "log2"],
  ["atan2", "floor", "ceil", "round", "trunc", "mod", "reciprocal", "exp2", "log10", "tan", "asin"],
  ["acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erfinv", "silu", "gelu", "elu"],
  ["hardtanh", "isFinite", "isInf", "logicalNot", "logicalAnd", "logicalOr", "logicalXor"],
  ["nanToNum", "pad", "flip", "roll", "tile", "repeat", "moveAxis", "flatten", "meshgrid", "diag"],
  ["trace", "tril", "triu", "outer", "scatterSet", "segmentSum", "segmentMax"],
  ["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual", "where", "isNaN"],
  ["sum", "mean", "max", "min", "variance", "norm", "argMax", "argMin", "logSumExp"],
  ["std", "prod", "any", "all", "median", "quantile", "cumsum", "cumprod", "cumMax"],
  ["cumLogSumExp", "einsum", "tensordot", "dot"],
  ["softmax", "logSoftmax", "reshape", "transpose", "expandDims", "squeeze", "broadcastTo"],
  ["concat", "stack", "slice", "split", "gather", "takeAlongAxis", "scatterAdd", "topK"],
  ["argSort", "sort", "matmul", "pairwiseSquaredDistance", "cosineSimilarity", "l2Normalize"],
  ["layerNorm", "cast", "pairwiseDistance"],
].flat();

const WINDOWS = ["slidingWindow", "conv", "maxPool", "avgPool", "resize"];

const TRANSFORMS = [
  ["grad", "valueAndGrad", "vjp", "jvp", "hvp", "jacobian", "hessian", "linearize", "vmap"],
  ["stopGradient", "gradientReversal", "clipGradient", "customVjp", "checkpoint"],
  ["debugGradient", "mapRowBlocks", "compile"],
  ["scan", "forLoop", "whileLoop", "fixedPoint", "cond"],
].flat();

const kinds = (names: string[], module: object) =>
  Object.fromEntries(names.map((name) => [name, typeof Reflect.get(module, name)]));

const functions = (names: string[]) => Object.fromEntries(names.map((name) => [name, "function"]));

Deno.test("mod.ts exports the tensors and what makes them", () => {
  assertEquals(kinds(["Tensor", ...CONSTRUCTORS], cg), functions(["Tensor", ...CONSTRUCTORS]));
});

Deno.test("mod.ts exports every operation", () => {
  const all = [...OPERATIONS, ...WINDOWS];
  assertEquals(kinds(all, cg), functions(all));
});

Deno.test("mod.ts exports every transform", () => {
  assertEquals(kinds(TRANSFORMS, cg), functions(TRANSFORMS));
});

Deno.test("every operation but where(), einsum(), meshgrid() and trace() is a method as well", () => {
  const others = ["where", "einsum", "meshgrid", "trace"];
  const methods = OPERATIONS.filter((name) => !others.includes(name));
  assertEquals(kinds(methods, cg.Tensor.prototype), functions(methods));
  for (const name of others) assertEquals(name in cg.Tensor.prototype, false);
});

Deno.test("at() is a method only", () => {
  assertEquals(["at" in cg.Tensor.prototype, "at" in cg], [true, false]);
});

Deno.test("mod.ts exports what the other entry points do, split() of keys as splitKey()", () => {
  for (const entry of [losses, metrics, optim, random]) {
    for (const [name, value] of Object.entries(entry)) {
      const found = Reflect.get(cg, value === random.split ? "splitKey" : name);
      assertEquals([name, found === value], [name, true]);
    }
  }
});

Deno.test("mod.ts leaves the layers to ./nn, as one has the name of an operation", () => {
  const shared = Object.keys(nn).filter((name) => name in cg);
  assertEquals(shared, ["layerNorm"]);
  assertEquals(nn.layerNorm as unknown === cg.layerNorm, false);
});

Deno.test("mod.ts leaves linear algebra to ./linalg", () => {
  const names = ["cholesky", "det", "eigh", "inverse", "logDet", "pinv", "qr", "solve"];
  assertEquals(Object.keys(linalg).sort(), [...names, "solveTriangular", "svd"]);
  assertEquals(Object.keys(linalg).filter((name) => name in cg), []);
});

/** Runs in a fresh realm: what is global before and after the import. */
const LOOK_AROUND = `
const objects = [globalThis, Object, Array, Function, Float32Array, Promise, Math, Symbol];
const look = () => [
  objects.map((o) => [Reflect.ownKeys(o), Reflect.ownKeys(o.prototype ?? {})].flat().map(String)),
  [globalThis.onerror, globalThis.onunhandledrejection].map(String),
];
const before = look();
await import(${JSON.stringify(new URL("../mod.ts", import.meta.url).href)});
postMessage([before, look()]);
`;

Deno.test("importing mod.ts changes nothing global", async () => {
  const url = `data:application/javascript,${encodeURIComponent(LOOK_AROUND)}`;
  const worker = new Worker(url, { type: "module" });
  const { data: [before, after] } = await new Promise<MessageEvent>((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = reject;
  });
  worker.terminate();
  assertEquals(after, before);
  assertGreater(before[0][0].length, 50);
});

/**
 * One valid call of every function of the core, of `./optim`, `./random` and `./testing`, and of what
 * they return: what tests of misuse spoil, argument by argument.
 */
import * as cg from "../../mod.ts";
import * as testing from "../../src/testing.ts";

/** A function with arguments that it accepts. */
export interface ValidCall {
  /** As its messages name it; with `()` where it is what the function of this name returns. */
  name: string;
  // deno-lint-ignore no-explicit-any
  f: (...args: any[]) => unknown;
  /** Fresh arguments: tests may change them. */
  args: () => unknown[];
  /** The place of the options among the arguments, where there are any. */
  options?: number;
  /** Takes any number of arguments. */
  variadic?: true;
}

const MATRIX = [[1, 2, 3], [4, 5, 7]];
const matrix = () => cg.tensor(MATRIX);
const square = (x: cg.Tensor) => cg.sum(cg.square(x));

/** The functions of one tensor, and no more. */
const UNARY = [
  ["neg", "abs", "sign", "square", "sqrt", "rsqrt", "exp", "expm1", "log", "log1p", "sin", "cos"],
  ["tanh", "sigmoid", "logSigmoid", "softplus", "relu", "lgamma", "digamma", "isNaN"],
  ["erf", "erfc", "log2", "floor", "ceil", "round", "stopGradient", "trunc", "reciprocal"],
  ["exp2", "log10", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"],
  ["erfinv", "silu", "isFinite", "isInf", "logicalNot"],
].flat() as (keyof typeof cg)[];

/** The functions of two tensors of one shape, and no more. */
const BINARY = [
  ["add", "sub", "mul", "div", "pow", "maximum", "minimum", "equal", "notEqual", "less"],
  ["lessEqual", "greater", "greaterEqual", "atan2", "mod", "logicalAnd", "logicalOr"],
  ["logicalXor"],
].flat() as (keyof typeof cg)[];

const row = (
  name: keyof typeof cg,
  args: () => unknown[],
  options?: number,
): ValidCall => ({
  name,
  f: cg[name] as ValidCall["f"],
  args,
  ...(options === undefined ? {} : { options }),
});

const OPERATIONS: ValidCall[] = [
  ...UNARY.map((name) => row(name, () => [matrix()])),
  ...BINARY.map((name) => row(name, () => [matrix(), matrix()])),
  row("clip", () => [matrix(), 2, 4]),
  row("leakyRelu", () => [matrix(), { negativeSlope: 0.1 }], 1),
  row("gelu", () => [matrix(), { approximate: "tanh" }], 1),
  row("elu", () => [matrix(), { alpha: 0.5 }], 1),
  row("hardtanh", () => [matrix(), { min: -2, max: 2 }], 1),
  row("nanToNum", () => [matrix(), { nan: 1, posInf: 2, negInf: -2 }], 1),
  row("where", () => [[true, false, true], matrix(), matrix()]),
  row("sum", () => [matrix(), { axis: 1, keepDims: true }], 1),
  row("mean", () => [matrix(), { axis: [0, 1], keepDims: false }], 1),
  row("max", () => [matrix(), { axis: 0, keepDims: true }], 1),
  row("min", () => [matrix(), { axis: -1, keepDims: true }], 1),
  row("norm", () => [matrix(), { axis: 1, keepDims: true }], 1),
  row("logSumExp", () => [matrix(), { axis: 1, keepDims: true }], 1),
  row("variance", () => [matrix(), { axis: 1, keepDims: true, correction: 1 }], 1),
  row("std", () => [matrix(), { axis: 1, keepDims: true, correction: 1 }], 1),
  row("prod", () => [matrix(), { axis: [0, 1], keepDims: true }], 1),
  row("any", () => [matrix(), { axis: 1, keepDims: true }], 1),
  row("all", () => [matrix(), { axis: 1, keepDims: true }], 1),
  row("median", () => [matrix(), { axis: 1, keepDims: true }], 1),
  row("quantile", () => [matrix(), [0.1, 0.5], { axis: 1, keepDims: true }], 2),
  row("cumsum", () => [matrix(), { axis: 0, reverse: true }], 1),
  row("cumprod", () => [matrix(), { axis: 0, reverse: true }], 1),
  row("cumMax", () => [matrix(), { axis: 0, reverse: true }], 1),
  row("cumLogSumExp", () => [matrix(), { axis: 0, reverse: true }], 1),
  row("dot", () => [matrix(), matrix().transpose()]),
  row("tensordot", () => [matrix(), matrix(), [[1], [1]]]),
  { ...row("einsum", () => ["ij,kj->ik", matrix(), matrix()]), variadic: true },
  row("argMax", () => [matrix(), { axis: 1, keepDims: true }], 1),
  row("argMin", () => [matrix(), { axis: [0, 1], keepDims: true }], 1),
  row("softmax", () => [matrix(), { axis: 0 }], 1),
  row("logSoftmax", () => [matrix(), { axis: 0 }], 1),
  row("l2Normalize", () => [matrix(), { axis: 0, epsilon: 1e-6 }], 1),
  row("layerNorm", () => [matrix(), { axis: 1, epsilon: 1e-6, scale: [1, 2, 3], shift: 1 }], 1),
  row("cast", () => [matrix(), "float64"]),
  row("reshape", () => [matrix(), [3, 2]]),
  row("transpose", () => [matrix(), [1, 0]]),
  row("expandDims", () => [matrix(), 1]),
  row("squeeze", () => [cg.ones([2, 1]), 1]),
  row("broadcastTo", () => [matrix(), [2, 2, 3]]),
  row("concat", () => [[matrix(), matrix()], { axis: 1 }], 1),
  row("stack", () => [[matrix(), matrix()], { axis: 1 }], 1),
  row("slice", () => [matrix(), [0, 1], [2, 3], { step: [1, 2] }], 3),
  row("pad", () => [matrix(), [[1, 0], [0, 2]], { mode: "constant", value: 2 }], 2),
  row("flip", () => [matrix(), { axis: 1 }], 1),
  row("roll", () => [matrix(), 1, { axis: 1 }], 2),
  row("tile", () => [matrix(), [2, 1]]),
  row("repeat", () => [matrix(), 2, { axis: 1 }], 2),
  row("moveAxis", () => [matrix(), 0, 1]),
  row("flatten", () => [matrix()]),
  { ...row("meshgrid", () => [[1, 2], [3, 4, 5]]), variadic: true },
  row("diag", () => [matrix()]),
  row("trace", () => [matrix()]),
  row("tril", () => [matrix(), { diagonal: 1 }], 1),
  row("triu", () => [matrix(), { diagonal: 1 }], 1),
  row("outer", () => [[1, 2], [3, 4, 5]]),
  row("scatterSet", () => [matrix(), [1], [[1, 1, 1]], { axis: 0 }], 3),
  row("segmentSum", () => [matrix(), [1, 0], 2]),
  row("segmentMax", () => [matrix(), [1, 0], 2]),
  row("split", () => [matrix(), 3, { axis: 1 }], 2),
  row("gather", () => [matrix(), [2, 0], { axis: 1 }], 2),
  row("scatterAdd", () => [matrix(), [1], [[1, 1, 1]], { axis: 0 }], 3),
  row("takeAlongAxis", () => [matrix(), [[1], [0]], { axis: 1 }], 2),
  row("oneHot", () => [[0, 2], 3, { dtype: "int32" }], 2),
  row("argSort", () => [matrix(), { axis: 1, descending: true }], 1),
  row("sort", () => [matrix(), { axis: 1, descending: true }], 1),
  row("topK", () => [matrix(), 2, { axis: 1, largest: false }], 2),
  row("matmul", () => [matrix(), matrix().transpose()]),
  row("pairwiseSquaredDistance", () => [matrix(), matrix()]),
  row("pairwiseDistance", () => [matrix(), matrix(), { p: 1, squared: true }], 2),
  row("cosineSimilarity", () => [matrix(), matrix(), { epsilon: 1e-6 }], 2),
  row("slidingWindow", () => [matrix(), { size: 2, stride: 1, dilation: 1, axes: 1 }], 1),
  row("conv", () => [
    cg.ones([1, 2, 5]),
    cg.ones([2, 2, 3]),
    { stride: 1, padding: 1, dilation: 1, groups: 1, transposed: true },
  ], 2),
  row("maxPool", () => [cg.ones([1, 2, 6]), 2, { stride: 2, padding: 1 }], 2),
  row("avgPool", () => [cg.ones([1, 2, 6]), [2], { stride: 2, padding: 1 }], 2),
  row("resize", () => [cg.ones([1, 2, 6]), 4, { mode: "linear" }], 2),
  row("gradientReversal", () => [matrix(), { scale: 2 }], 1),
  row("clipGradient", () => [matrix(), -1, 1]),
  row("debugGradient", () => [matrix(), "x", { report: () => {} }], 2),
];

const CREATION: ValidCall[] = [
  row("tensor", () => [[1, 2, 3, 4], { shape: [2, 2], dtype: "float64" }], 1),
  row("zeros", () => [[2, 3], { dtype: "int32" }], 1),
  row("ones", () => [[2, 3], { dtype: "int32" }], 1),
  row("full", () => [[2, 3], 4, { dtype: "int32" }], 2),
  row("eye", () => [2, { dtype: "int32" }], 1),
  row("arange", () => [3, { dtype: "int32" }], 1),
  row("linspace", () => [0, 1, 3, { dtype: "float64" }], 3),
];

const custom = () => ({
  forward: (x: cg.Tensor) => cg.square(x),
  vjp: (g: cg.Tensor) => [g],
  name: "example",
});

const TRANSFORMS: ValidCall[] = [
  row("grad", () => [square, { argnums: 0, hasAux: false, checkNaN: true }], 1),
  row("valueAndGrad", () => [square, { argnums: 0, hasAux: false, checkNaN: true }], 1),
  { ...row("vjp", () => [square, matrix()]), variadic: true },
  row("jvp", () => [square, [matrix()], [matrix()]]),
  { ...row("linearize", () => [square, matrix()]), variadic: true },
  row("vmap", () => [square, { inAxes: 0, outAxes: 0 }], 1),
  row("hvp", () => [square]),
  row("jacobian", () => [square]),
  row("hessian", () => [square]),
  row("checkpoint", () => [square]),
  row("customVjp", () => [custom()], 0),
  row("mapRowBlocks", () => [
    (x: cg.Tensor, w: cg.Tensor) => x.mul(w),
    matrix(),
    2,
    { rows: 1, combine: "concat" },
  ], 3),
  row("scan", () => [
    (sum: cg.Tensor, x: cg.Tensor) => [cg.add(sum, cg.sum(x)), x],
    0,
    matrix(),
    { length: 2, reverse: true, checkpoint: 1 },
  ], 3),
  row("forLoop", () => [2, (x: cg.Tensor) => cg.mul(x, 2), matrix(), { checkpoint: "sqrt" }], 3),
  row("whileLoop", () => [
    (x: cg.Tensor) => cg.less(x, 9),
    (x: cg.Tensor) => cg.mul(x, 2),
    1,
    { max: 5 },
  ], 3),
  row("fixedPoint", () => [
    (x: cg.Tensor) => cg.mul(x, 0.5),
    matrix(),
    { tolerance: 1e-3, max: 50 },
  ], 2),
  {
    ...row("cond", () => [
      true,
      (x: cg.Tensor) => cg.mul(x, 2),
      (x: cg.Tensor) => cg.neg(x),
      matrix(),
    ]),
    variadic: true,
  },
  row("compile", () => [
    square,
    [matrix()],
    { device: "cpu", threads: 1, donate: false, shapes: "bucket" },
  ], 2),
  row("webgpu", () => [{ powerPreference: "low-power" }], 0),
  row("treeLeaves", () => [{ a: matrix(), b: [1, 2] }]),
  { ...row("treeMap", () => [(x: cg.Tensor) => x, { a: matrix() }]), variadic: true },
];

/** What transforms return: they pass on as many arguments as the function takes. */
const TRANSFORMED: ValidCall[] = [
  { name: "grad()", f: cg.grad(square), args: () => [matrix()], variadic: true },
  { name: "valueAndGrad()", f: cg.valueAndGrad(square), args: () => [matrix()], variadic: true },
  { name: "vjp()", f: cg.vjp(square, MATRIX)[1], args: () => [cg.tensor(1)] },
  { name: "linearize()", f: cg.linearize(square, MATRIX)[1], args: () => [matrix()] },
  { name: "vmap()", f: cg.vmap(square), args: () => [matrix()], variadic: true },
  {
    name: "vmap()",
    f: (axes: cg.VmapOptions) => cg.vmap(square, axes)(matrix() as never),
    args: () => [{ inAxes: 0, outAxes: 0 }],
    options: 0,
    variadic: true,
  },
  { name: "hvp()", f: cg.hvp(square), args: () => [matrix(), matrix()] },
  { name: "jacobian()", f: cg.jacobian(square), args: () => [matrix()] },
  { name: "hessian()", f: cg.hessian(square), args: () => [matrix()] },
  { name: "checkpoint()", f: cg.checkpoint(square), args: () => [matrix()], variadic: true },
  { name: "customVjp()", f: cg.customVjp(custom()), args: () => [matrix()], variadic: true },
];

const RANDOM: ValidCall[] = [
  row("key", () => [1]),
  row("splitKey", () => [cg.key(1), 3]),
  row("foldIn", () => [cg.key(1), 3]),
  row("uniform", () => [cg.key(1), [2, 3], { min: -1, max: 2, dtype: "float64" }], 2),
  row("normal", () => [
    cg.key(1),
    [2, 3],
    { mean: 1, standardDeviation: 2, dtype: "float64" },
  ], 2),
  row("gamma", () => [cg.key(1), 2, { shape: [3], scale: 2, dtype: "float64" }], 2),
  row("bernoulli", () => [cg.key(1), 0.5, { shape: [3] }], 2),
  row("categorical", () => [cg.key(1), [0, 1, 2], { shape: [3] }], 2),
  row("poisson", () => [cg.key(1), 4, { shape: [3] }], 2),
  row("permutation", () => [cg.key(1), 4]),
  row("integers", () => [cg.key(1), 2, 9, { shape: [3] }], 3),
  row("choice", () => [
    cg.key(1),
    4,
    { shape: [3], replace: false, weights: [1, 2, 3, 4] },
  ], 2),
  row("exponential", () => [cg.key(1), [2, 3], { dtype: "float64" }], 2),
  row("laplace", () => [cg.key(1), [2, 3], { dtype: "float64" }], 2),
  row("gumbel", () => [cg.key(1), [2, 3], { dtype: "float64" }], 2),
  row("truncatedNormal", () => [cg.key(1), [2, 3], { low: -1, high: 2, dtype: "float64" }], 2),
  row("beta", () => [cg.key(1), 2, 3, { shape: [3], dtype: "float64" }], 3),
  row("dirichlet", () => [cg.key(1), [2, 3], { shape: [3], dtype: "float64" }], 2),
  row("multivariateNormal", () => [
    cg.key(1),
    [2, 3],
    [[2, 1], [1, 2]],
    { shape: [3], dtype: "float64" },
  ], 3),
];

const params = () => ({ w: cg.tensor([1, 2]), b: cg.tensor(0) });
const optimizer = cg.adam({ learningRate: 0.1 });
const follower = cg.movingAverage();

const OPTIM: ValidCall[] = [
  row("sgd", () => [{ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 }], 0),
  row("adam", () => [{ learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-7 }], 0),
  row("adamw", () => [
    { learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-7, weightDecay: 0.1 },
  ], 0),
  row("rmsprop", () => [
    {
      ...{ learningRate: 0.1, alpha: 0.8, epsilon: 1e-7 },
      ...{ momentum: 0.9, centered: true, weightDecay: 0.1 },
    },
  ], 0),
  row("adagrad", () => [
    {
      ...{ learningRate: 0.1, learningRateDecay: 0.1, initialAccumulator: 0.1 },
      ...{ epsilon: 1e-7, weightDecay: 0.1 },
    },
  ], 0),
  row("nadam", () => [
    {
      ...{ learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-7 },
      ...{ weightDecay: 0.1, momentumDecay: 1e-3 },
    },
  ], 0),
  row("lion", () => [{ learningRate: 0.1, beta1: 0.8, beta2: 0.9, weightDecay: 0.1 }], 0),
  row("lamb", () => [
    { learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-7, weightDecay: 0.1 },
  ], 0),
  row("accumulateGradients", () => [optimizer, { steps: 2 }], 1),
  row("movingAverage", () => [{ decay: 0.9, debias: false }], 0),
  row("byPath", () => [() => optimizer]),
  row("masked", () => [optimizer, () => true]),
  row("exponentialDecay", () => [
    0.1,
    { factor: 0.5, steps: 10, staircase: true, final: 0.01 },
  ], 1),
  row("polynomialDecay", () => [0.1, { steps: 10, power: 2, final: 0.01 }], 1),
  row("joinSchedules", () => [[0.1, cg.constant(0.2)], [5]]),
  ...Object.entries({
    accumulateGradients: cg.accumulateGradients(optimizer, { steps: 2 }),
    byPath: cg.byPath(() => optimizer),
    masked: cg.masked(optimizer, () => true),
  }).flatMap(([name, made]): ValidCall[] => [
    { name: `${name}().init`, f: made.init, args: () => [params()] },
    {
      name: `${name}().update`,
      f: made.update,
      args: () => [params(), made.init(params()), params()],
    },
  ]),
  { name: "movingAverage().init", f: follower.init, args: () => [params()] },
  {
    name: "movingAverage().update",
    f: follower.update,
    args: () => [params(), follower.init(params())],
  },
  { name: "exponentialDecay()", f: cg.exponentialDecay(0.1, { factor: 0.5 }), args: () => [3] },
  { name: "polynomialDecay()", f: cg.polynomialDecay(0.1, { steps: 9 }), args: () => [3] },
  { name: "joinSchedules()", f: cg.joinSchedules([0.1, 0.2], [5]), args: () => [3] },
  row("globalNorm", () => [params()]),
  row("clipByGlobalNorm", () => [params(), 1]),
  row("constant", () => [0.1]),
  row("cosine", () => [0.1, { steps: 10, final: 0.01 }], 1),
  row("step", () => [0.1, { milestones: [2, 4], factor: 0.5 }], 1),
  row("warmup", () => [0.1, { steps: 10, initial: 0.01 }], 1),
  { name: "adam().init", f: optimizer.init, args: () => [params()] },
  {
    name: "adam().update",
    f: optimizer.update,
    args: () => [params(), optimizer.init(params()), params()],
  },
  { name: "constant()", f: cg.constant(0.1), args: () => [3] },
  { name: "cosine()", f: cg.cosine(0.1, { steps: 10 }), args: () => [3] },
  { name: "step()", f: cg.step(0.1, { milestones: [2] }), args: () => [3] },
  { name: "warmup()", f: cg.warmup(0.1, { steps: 10 }), args: () => [3] },
];

const TESTING: ValidCall[] = [
  {
    name: "checkGradients",
    f: testing.checkGradients,
    args: () => [square, [matrix()], { order: 2, rtol: 1e-4, atol: 1e-6, maxSkipped: 0.2 }],
    options: 2,
  },
  {
    name: "assertAllClose",
    f: testing.assertAllClose,
    args: () => [matrix(), matrix(), { rtol: 1e-4, atol: 1e-6 }],
    options: 2,
  },
];

/** All of them. */
export const VALID_CALLS: readonly ValidCall[] = [
  ...OPERATIONS,
  ...CREATION,
  ...TRANSFORMS,
  ...TRANSFORMED,
  ...RANDOM,
  ...OPTIM,
  ...TESTING,
];

/** The same as methods of a tensor: the first argument is what the method is called on. */
const OPERATION_METHODS: readonly ValidCall[] = OPERATIONS.filter(({ name }) =>
  name in cg.Tensor.prototype
).map(({ name, args, options }): ValidCall => {
  const joins = name === "concat" || name === "stack";
  return {
    name,
    f: (x, ...rest) => cg.tensor(x)[name as "exp"](...rest as []),
    args: () => {
      const [first, ...rest] = args();
      return joins
        ? [(first as unknown[])[0], (first as unknown[]).slice(1), ...rest]
        : [first, ...rest];
    },
    ...(options === undefined ? {} : { options: options + (joins ? 1 : 0) }),
  };
});

/** All methods that operations are. */
export const METHOD_CALLS: readonly ValidCall[] = [
  ...OPERATION_METHODS,
  {
    name: "at",
    f: (x, ...positions) => cg.tensor(x).at(...positions),
    args: () => [matrix(), 1, -1],
    variadic: true,
  },
];

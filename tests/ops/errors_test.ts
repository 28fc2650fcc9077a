/** The full text of every message of the operations. */
import { assertEquals, assertThrows } from "@std/assert";
import * as cg from "../../mod.ts";

type Kind = new () => Error;

/** What messages say after "Cannot compute NAME as ", and the calls that give them. */
type Failures = Record<string, () => unknown>;

function fails(title: string, name: string, kind: Kind, failures: Failures): void {
  Deno.test(`${name}() ${title}`, () => {
    for (const [text, call] of Object.entries(failures)) {
      assertEquals(assertThrows(call, kind).message, `Cannot compute ${name} as ${text}`);
    }
  });
}

/** The same failure of several functions, each under its own name. */
function allFail(title: string, functions: Failures, kind: Kind, text: string): void {
  Deno.test(title, () => {
    for (const [name, call] of Object.entries(functions)) {
      assertEquals(assertThrows(call, kind).message, `Cannot compute ${name} as ${text}`);
    }
  });
}

function bind<F>(functions: Record<string, F>, call: (f: F) => unknown): Failures {
  return Object.fromEntries(Object.entries(functions).map(([name, f]) => [name, () => call(f)]));
}

const matrix = cg.ones([2, 3]);

const { add, sub, mul, div, pow, maximum, minimum, equal, notEqual, less, lessEqual } = cg;
const { std, prod, any, all, median, cumsum, cumprod, cumMax, cumLogSumExp } = cg;
const { greater, greaterEqual, sum, mean, max, min, variance, norm, argMax, argMin } = cg;
const { logSumExp, softmax, logSoftmax, l2Normalize, layerNorm, argSort, sort } = cg;

const { atan2, mod } = cg;
const pairs = { atan2, mod };
const comparisons = { equal, notEqual, less, lessEqual, greater, greaterEqual };

allFail(
  "operations on two tensors name themselves and both shapes where these do not broadcast",
  bind(
    { add, sub, mul, div, pow, maximum, minimum, ...comparisons, ...pairs },
    (f) => f(matrix, [1, 2]),
  ),
  TypeError,
  "the shapes do not broadcast: current shapes are [2, 3] and [2]",
);

fails("names all three shapes", "where", TypeError, {
  "the shapes do not broadcast: current shapes are [2] and [3] and []": () =>
    cg.where([true, false], [1, 2, 3], 0),
});

const overAxes = {
  ...{ sum, mean, max, min, variance, norm, logSumExp, softmax, logSoftmax },
  ...{ std, prod, any, all, median, argMax, argMin },
  quantile: (x: cg.TensorLike, options: cg.ReduceOptions) => cg.quantile(x, 0.5, options),
};
const running = { cumsum, cumprod, cumMax, cumLogSumExp };
const scaled = { l2Normalize, layerNorm };
const alongAxis: Record<string, (x: cg.Tensor, options: cg.AxisOptions) => unknown> = {
  ...overAxes,
  ...scaled,
  ...running,
  argSort,
  sort,
  gather: (x, options) => cg.gather(x, [0], options),
  scatterAdd: (x, options) => cg.scatterAdd(x, [0], x, options),
  takeAlongAxis: (x, options) => cg.takeAlongAxis(x, x.argSort(), options),
  topK: (x, options) => cg.topK(x, 1, options),
  concat: (x, options) => cg.concat([x, x], options),
  split: (x, options) => cg.split(x, 1, options),
};

for (const axis of [2, -3]) {
  allFail(
    `functions along an axis name themselves where axis ${axis} does not exist`,
    bind(alongAxis, (f) => f(matrix, { axis })),
    RangeError,
    `axis must be an integer in [-2, 1] for a tensor of rank 2: current value is ${axis}`,
  );
}

allFail(
  "functions along an axis say that a single number has none",
  bind({ ...overAxes, ...scaled, ...running, argSort, sort }, (f) => f(1, { axis: -1 })),
  RangeError,
  "a tensor of rank 0 has no axes: current value of axis is -1",
);

allFail(
  "functions along the last axis say that a single number has none",
  bind({ softmax, logSoftmax, ...scaled, ...running, argSort, sort }, (f) => f(1)),
  RangeError,
  "a tensor of rank 0 has no axes: current value of axis is -1",
);

allFail(
  "functions over axes refuse an axis that is named twice",
  bind({ ...overAxes, ...scaled }, (f) => f(matrix, { axis: [1, -1] })),
  RangeError,
  "axis names an axis twice: current value is [1,-1]",
);

allFail(
  "extremes, medians and logSumExp() refuse to reduce nothing",
  bind({ max, min, argMax, argMin, logSumExp, median }, (f) => f(cg.zeros([0, 2]))),
  TypeError,
  "there are no values to reduce: current shape is [0, 2]",
);

allFail(
  "extremes, softmax() and logSumExp() refuse an empty axis",
  bind(
    { max, min, argMax, argMin, logSumExp, softmax, logSoftmax },
    (f) => f(cg.zeros([2, 0]), { axis: 1 }),
  ),
  TypeError,
  "there are no values to reduce: current shape is [2, 0]",
);

Deno.test("extremes, softmax() and logSumExp() of no rows are no rows", () => {
  const none = cg.zeros([0, 2]);
  for (const f of [max, min, argMax, argMin, logSumExp, median]) {
    assertEquals(f(none, { axis: 1 }).shape, [0]);
  }
  assertEquals([softmax(none).shape, logSoftmax(none).shape], [[0, 2], [0, 2]]);
});

fails("wants shares from 0 to 1", "quantile", RangeError, {
  "q must be a finite number at least 0 and at most 1: current value is 1.5": () =>
    cg.quantile([1], 1.5),
  "q must be a finite number at least 0 and at most 1: current value is -1": () =>
    cg.quantile([1], [0.5, -1]),
});

fails("wants shares that are numbers", "quantile", TypeError, {
  "q must be a finite number: current value is undefined": () =>
    cg.quantile([1], undefined as never),
  "q must be a finite number: current value is NaN": () => cg.quantile([1], [0.5, NaN]),
  "q must be an array without holes: current value is [, , ]": () => cg.quantile([1], new Array(3)),
});

fails("wants an interval", "clip", RangeError, {
  "min must be at most max: current values are 2 and 1": () => cg.clip([1], 2, 1),
});

fails("wants an interval", "hardtanh", RangeError, {
  "min must be at most max: current values are 2 and 1": () => cg.hardtanh([1], { min: 2 }),
});

fails("knows two forms", "gelu", TypeError, {
  "approximate must be one of none, tanh: current value is exact": () =>
    cg.gelu([1], { approximate: "exact" as never }),
});

fails("wants numbers for limits", "clip", TypeError, {
  "min must be a number: current value is NaN": () => cg.clip([1], NaN, 1),
  "max must be a number: current value is undefined": () => cg.clip([1], 0, undefined as never),
});

fails("wants an interval", "clipGradient", RangeError, {
  "min must be at most max: current values are 1 and -1": () => cg.clipGradient([1], 1, -1),
});

fails("wants a dtype", "cast", TypeError, {
  "dtype must be one of bool, int32, float32, float64: current value is float": () =>
    cg.cast([1], "float" as cg.DType),
});

fails("wants values that the dtype can hold", "cast", RangeError, {
  "int32 cannot hold the value 0.5 at position 1: round the values first": () =>
    cg.cast([1, 0.5], "int32"),
  "int32 cannot hold the value NaN at position 0: round the values first": () =>
    cg.cast([NaN], "int32"),
  "bool cannot hold the value 3 at position 1: choose another dtype, or compare with 0": () =>
    cg.cast([1, 3], "bool"),
});

fails("wants equally many values", "reshape", TypeError, {
  "the shapes must hold equally many values: current shapes are [2, 3] and [4, 2]": () =>
    cg.reshape(matrix, [4, 2]),
  "the shapes must hold equally many values: current shapes are [2, 3] and [4, -1]": () =>
    cg.reshape(matrix, [4, -1]),
  "the shapes must hold equally many values: current shapes are [2, 3] and [-1, -1]": () =>
    cg.reshape(matrix, [-1, -1]),
  "the shapes must hold equally many values: current shapes are [0] and [-1, 0]": () =>
    cg.reshape([], [-1, 0]),
  "shape must be whole numbers, in an array or one by one: current value is [1.5, 4]": () =>
    cg.reshape(matrix, [1.5, 4]),
  "shape must be whole numbers, in an array or one by one: current value is undefined": () =>
    cg.reshape(matrix, undefined as never),
  "shape must be whole numbers, in an array or one by one: current value is []": () =>
    cg.reshape(cg.tensor(1)),
  "it takes nothing after shape: current value is 3": () =>
    cg.reshape(matrix, ...[[2], 3] as never),
});

fails("wants a permutation", "transpose", RangeError, {
  "axes must be a permutation of the 2 axes: current value is [0,0]": () =>
    cg.transpose(matrix, [0, 0]),
  "axes must be a permutation of the 2 axes: current value is [1]": () => cg.transpose(matrix, [1]),
  "axis must be an integer in [-2, 1] for a tensor of rank 2: current value is 2": () =>
    cg.transpose(matrix, [0, 2]),
});

fails("wants axes of the result", "expandDims", RangeError, {
  "axis must be an integer in [-3, 2] for a tensor of rank 3: current value is 3": () =>
    cg.expandDims(matrix, 3),
  "axis names an axis twice: current value is [0,-4]": () => cg.expandDims(matrix, [0, -4]),
});

fails("wants axes of extent 1", "squeeze", TypeError, {
  "axis 1 must have extent 1: current shape is [1, 2]": () => cg.squeeze([[1, 2]], 1),
});

fails("wants axes that exist", "squeeze", RangeError, {
  "axis must be an integer in [-2, 1] for a tensor of rank 2: current value is 2": () =>
    cg.squeeze([[1, 2]], 2),
});

fails("wants a shape that x broadcasts to", "broadcastTo", TypeError, {
  "the shapes do not broadcast: current shapes are [2] and [3]": () => cg.broadcastTo([1, 2], [3]),
  "shape must be one that x broadcasts to: current shapes are [2] and [1]": () =>
    cg.broadcastTo([1, 2], [1]),
  "shape must be one that x broadcasts to: current shapes are [1, 2] and [2]": () =>
    cg.broadcastTo([[1, 2]], [2]),
  "shape must be an array of non-negative integers: current value is [-1]": () =>
    cg.broadcastTo([1, 2], [-1]),
});

fails("wants tensors whose shapes agree", "concat", TypeError, {
  "xs must be an array of at least one tensor: current value is []": () => cg.concat([]),
  "all shapes must agree except along axis 0: current shapes are [2, 3] and [3, 2]": () =>
    cg.concat([matrix, matrix.transpose()]),
  "all shapes must agree except along axis 1: current shapes are [2, 3] and [2]": () =>
    cg.concat([matrix, [1, 2]], { axis: -1 }),
});

fails("wants an axis", "concat", RangeError, {
  "a tensor of rank 0 has no axes: current value of axis is 0": () => cg.concat([1, 2]),
});

fails("wants tensors of one shape", "stack", TypeError, {
  "xs must be an array of at least one tensor: current value is []": () => cg.stack([]),
  "all shapes must be the same: current shapes are [2] and [3]": () =>
    cg.stack([[1, 2], [1, 2, 3]]),
});

fails("wants an axis of the result", "stack", RangeError, {
  "axis must be an integer in [-2, 1] for a tensor of rank 2: current value is 2": () =>
    cg.stack([[1, 2], [3, 4]], { axis: 2 }),
});

fails("wants positions within the axes", "slice", RangeError, {
  "a position along axis 0 must be an integer in [-2, 2]: current value is 3": () =>
    cg.slice(matrix, 3),
  "a position along axis 1 must be an integer in [-3, 3]: current value is -4": () =>
    cg.slice(matrix, [0, 0], [2, -4]),
});

fails("wants positions that are whole", "slice", TypeError, {
  "start must be a whole number or an array of them: current value is 0.5": () =>
    cg.slice(matrix, 0.5),
  "end must be a whole number or an array of them: current value is [1, NaN]": () =>
    cg.slice(matrix, 0, [1, NaN]),
});

fails("wants at most one position per axis", "slice", TypeError, {
  "there are more positions than axes: current shape is [2, 3], start [0,0,0], end []": () =>
    cg.slice(matrix, [0, 0, 0]),
  "there are more positions than axes: current shape is [], start [0], end [1]": () =>
    cg.slice(1, 0, 1),
});

fails("wants parts that add up", "split", RangeError, {
  "the parts must add up to the extent 3 of axis 1: current value is 2": () =>
    cg.split(matrix, 2, { axis: 1 }),
  "the parts must add up to the extent 3 of axis 1: current value is [1, 1]": () =>
    cg.split(matrix, [1, 1], { axis: 1 }),
  "the parts must add up to the extent 2 of axis 0: current value is [3, -1]": () =>
    cg.split(matrix, [3, -1]),
  "the parts must add up to the extent 2 of axis 0: current value is 0": () => cg.split(matrix, 0),
});

const indexed: Record<string, (indices: cg.TensorLike) => unknown> = {
  gather: (indices) => cg.gather([1, 2, 3], indices),
  scatterAdd: (indices) => cg.scatterAdd([1, 2, 3], indices, [1, 1]),
  takeAlongAxis: (indices) => cg.takeAlongAxis([1, 2, 3], indices),
};

for (const index of [3, -1]) {
  allFail(
    `gather(), scatterAdd() and takeAlongAxis() refuse the position ${index} of three`,
    bind(indexed, (f) => f([0, index])),
    RangeError,
    `indices must be in [0, 2]: current value at position 1 is ${index}`,
  );
}

allFail(
  "gather(), scatterAdd() and takeAlongAxis() refuse fractions as positions",
  bind(indexed, (f) => f([0, 0.5])),
  TypeError,
  "indices must be whole numbers (int32): current value at position 1 is 0.5",
);

allFail(
  "gather(), scatterAdd() and takeAlongAxis() refuse booleans as positions",
  bind(indexed, (f) => f([true, false])),
  TypeError,
  "indices must be whole numbers (int32): current dtype is bool",
);

fails("wants updates that fit", "scatterAdd", TypeError, {
  "updates must have the shape [2, 2]: current shape is [2, 3]": () =>
    cg.scatterAdd(matrix, [0, 1], matrix, { axis: 1 }),
});

fails("wants indices that fit", "takeAlongAxis", TypeError, {
  "x and indices must have the same rank: current shapes are [2, 3] and [2]": () =>
    cg.takeAlongAxis(matrix, [0, 1]),
  "the shapes do not broadcast: current shapes are [2, 1] and [3, 1]": () =>
    cg.takeAlongAxis(matrix, [[0], [1], [2]]),
});

fails("wants labels that name a class", "oneHot", RangeError, {
  "labels must be in [0, 2]: current value at position 1 is 3": () => cg.oneHot([0, 3], 3),
  "labels must be in [0, 2]: current value at position 0 is -1": () => cg.oneHot([-1, 3], 3),
});

fails("wants whole numbers", "oneHot", TypeError, {
  "labels must be whole numbers (int32): current value at position 0 is 0.5": () =>
    cg.oneHot([0.5], 3),
  "numClasses must be a non-negative integer: current value is 2.5": () => cg.oneHot([0], 2.5),
  "numClasses must be a non-negative integer: current value is undefined": () =>
    cg.oneHot([0], undefined as unknown as number),
});

fails("wants a number that the axis has", "topK", RangeError, {
  "k must be an integer in [0, 3]: current value is 4": () => cg.topK(matrix, 4),
  "k must be an integer in [0, 2]: current value is -1": () => cg.topK(matrix, -1, { axis: 0 }),
  "k must be an integer in [0, 3]: current value is 1.5": () => cg.topK(matrix, 1.5),
});

fails("names both shapes where they do not fit", "matmul", TypeError, {
  "a and b must agree in the columns of a and the rows of b: current shapes are [2, 3] and [2, 3]":
    () => cg.matmul(matrix, matrix),
  "a and b must agree in the columns of a and the rows of b: current shapes are [2, 3] and [2]":
    () => cg.matmul(matrix, [1, 2]),
  "a and b must be of rank 1 or more: current shapes are [] and [2]": () => cg.matmul(2, [1, 2]),
  "the shapes do not broadcast: current shapes are [2] and [3]": () =>
    cg.matmul(cg.ones([2, 1, 1]), cg.ones([3, 1, 1])),
});

const { pairwiseSquaredDistance, pairwiseDistance, cosineSimilarity } = cg;

allFail(
  "distances and cosineSimilarity() of pairs want equally many columns",
  bind(
    { pairwiseSquaredDistance, pairwiseDistance, cosineSimilarity },
    (f) => f(matrix, cg.ones([3, 2])),
  ),
  TypeError,
  "x and y must be matrices with the same number of columns: current shapes are [2, 3] and [3, 2]",
);

allFail(
  "distances and cosineSimilarity() of pairs want matrices",
  bind({ pairwiseSquaredDistance, pairwiseDistance, cosineSimilarity }, (f) => f([1, 2, 3])),
  TypeError,
  "x and y must be matrices with the same number of columns: current shapes are [3] and [3]",
);

fails("wants an order of at least 1", "pairwiseDistance", RangeError, {
  "p must be a number at least 1: current value is 0.5": () =>
    cg.pairwiseDistance(matrix, matrix, { p: 0.5 }),
  "p must be a number at least 1: current value is -Infinity": () =>
    cg.pairwiseDistance(matrix, matrix, { p: -Infinity }),
});

fails("wants known options", "pairwiseDistance", TypeError, {
  "p must be a number: current value is NaN": () => cg.pairwiseDistance(matrix, matrix, { p: NaN }),
  "squared must be true or false: current value is 1": () =>
    cg.pairwiseDistance(matrix, matrix, { squared: 1 as never }),
  "there is no option ord: did you mean p? The options are p, squared": () =>
    cg.pairwiseDistance(matrix, matrix, { ord: 1 } as never),
});

Deno.test("operations refuse what does not become a tensor", () => {
  assertEquals(
    assertThrows(() => cg.add("1" as unknown as number, 2), TypeError).message,
    "Cannot compute add as a must be a tensor, a number, nested arrays, a Float32Array, " +
      "Float64Array, Int32Array or Uint8Array: current value is a string",
  );
});

Deno.test("operations under differentiation fail with the same messages", () => {
  assertEquals(
    assertThrows(() => cg.grad((x: cg.Tensor) => x.add([1, 2, 3]).sum())([1, 2]), TypeError)
      .message,
    "Cannot compute add as the shapes do not broadcast: current shapes are [2] and [3]",
  );
});

fails("wants a pair for each axis", "pad", TypeError, {
  "widths must be a pair of whole numbers for each axis: current shape is [2, 3], widths are [1, 1]":
    () => cg.pad(matrix, [1, 1] as never),
  "only the mode constant has a value: current mode is edge": () =>
    cg.pad([1], [[1, 1]], { mode: "edge", value: 2 }),
  "mode must be one of constant, edge, reflect: current value is wrap": () =>
    cg.pad([1], [[1, 1]], { mode: "wrap" as never }),
});

Deno.test("operations of several parts tell in their own name that shapes do not broadcast", () => {
  const whole = (data: number[]) => cg.tensor(data, { dtype: "int32" });
  const calls: Record<string, () => unknown> = {
    logicalAnd: () => cg.logicalAnd([1, 2], [1, 2, 3]),
    logicalOr: () => cg.logicalOr([1, 2], [1, 2, 3]),
    logicalXor: () => cg.logicalXor([1, 2], [1, 2, 3]),
    mod: () => cg.mod(whole([1, 2]), whole([1, 2, 3])),
    layerNorm: () => cg.layerNorm([1, 2], { scale: [1, 2, 3] }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const message =
      `Cannot compute ${name} as the shapes do not broadcast: current shapes are [2] ` +
      "and [3]";
    assertEquals(assertThrows(call, TypeError).message, message);
  }
  assertThrows(
    () => cg.layerNorm([1, 2], { shift: [1, 2, 3] }),
    TypeError,
    "Cannot compute layerNorm as the shapes do not broadcast",
  );
});

Deno.test("pad() and gather() refuse arrays with holes", () => {
  const hole = new Array(1).concat(1);
  for (const mode of ["constant", "edge", "reflect"] as const) {
    const call = () => cg.pad(matrix, [hole, [0, 0]] as never, { mode });
    assertThrows(call, TypeError, "Cannot compute pad as widths must be a pair of whole numbers");
  }
  for (const indices of [hole, new Array(2)]) {
    assertThrows(
      () => cg.gather(matrix, indices, { axis: [0, 1] }),
      TypeError,
      "gather as indices[",
    );
  }
});

fails("wants enough to repeat or reflect", "pad", RangeError, {
  "widths must not be negative: current value is -1": () => cg.pad([1], [[-1, 1]]),
  "axis 0 of extent 2 has only 1 values to reflect: current width is 2": () =>
    cg.pad([1, 2], [[0, 2]], { mode: "reflect" }),
  "axis 0 of extent 0 has only 0 values to repeat: current width is 1": () =>
    cg.pad(cg.zeros([0]), [[0, 1]], { mode: "edge" }),
});

fails("goes forwards", "slice", RangeError, {
  "step must be a whole number at least 1: current value is 0": () =>
    cg.slice([1, 2], 0, 2, { step: 0 }),
  "step must be a whole number at least 1: current value is -1": () =>
    cg.slice([1, 2], 0, 2, { step: [-1] }),
});

fails("has a step for each axis at most", "slice", TypeError, {
  "there are more positions than axes: current shape is [2], start [0], end [2], step [1,1]": () =>
    cg.slice([1, 2], 0, 2, { step: [1, 1] }),
});

fails("wants positions inside", "at", RangeError, {
  "a position along axis 1 must be in [-3, 2]: current value is 3": () => matrix.at(0, 3),
});

fails("wants positions of axes", "at", TypeError, {
  "there are more positions than axes: current shape is [2, 3], positions [0,0,0]": () =>
    matrix.at(0, 0, 0),
});

fails("wants a vector or a matrix", "diag", TypeError, {
  "x must have rank 1 or 2: current shape is []": () => cg.diag(1),
});

fails("wants a matrix", "trace", TypeError, {
  "x must have rank 2: current shape is [2]": () => cg.trace([1, 2]),
});

fails("wants matrices", "tril", TypeError, {
  "x must have rank 2 or more: current shape is [2]": () => cg.tril([1, 2]),
});

fails("wants vectors", "meshgrid", TypeError, {
  "it needs tensors of rank 1: there are none": () => cg.meshgrid(),
  "it needs tensors of rank 1: current shape is [2, 3]": () => cg.meshgrid([1], matrix),
});

fails("wants a number for each slice", "segmentSum", TypeError, {
  "segments must hold one number for each slice of x: current shapes are [3] and [2, 3]": () =>
    cg.segmentSum(matrix, [0, 1, 0], 2),
});

fails("wants numbers of segments", "segmentMax", RangeError, {
  "segments must be in [0, 1]: current value at position 1 is 2": () =>
    cg.segmentMax(matrix, [0, 2], 2),
});

fails("wants values that fit", "scatterSet", TypeError, {
  "values must have the shape [2, 1]: current shape is [2]": () =>
    cg.scatterSet(matrix, [0], [1, 2], { axis: 1 }),
});

fails("wants positions inside", "scatterSet", RangeError, {
  "indices must be in [0, 1]: current value at position 0 is -1": () =>
    cg.scatterSet(matrix, [-1], [[1, 2, 3]]),
});

fails("wants numbers of a range", "linspace", TypeError, {
  "start must be a finite number: current value is NaN": () => cg.linspace(NaN, 1, 2),
  "n must be a non-negative integer: current value is 1.5": () => cg.linspace(0, 1, 1.5),
});

Deno.test("what no tensor can hold is refused in the name of the function that would make it", () => {
  const [few, many, matrix] = [cg.ones([4]), cg.ones([70_000]), cg.ones([4, 4])];
  const [codes, far] = [[0, 1, 0, 1], 2 ** 31];
  const calls: Record<string, () => unknown> = {
    repeat: () => cg.repeat(few, far),
    tile: () => cg.tile(few, far),
    meshgrid: () => cg.meshgrid(many, many),
    outer: () => cg.outer(many, many),
    diag: () => cg.diag(many),
    add: () => cg.add(many, cg.expandDims(many, 1)),
    matmul: () => cg.matmul(cg.expandDims(many, 1), cg.expandDims(many, 0)),
    pairwiseSquaredDistance: () => cg.pairwiseSquaredDistance(cg.expandDims(many, 1)),
    oneHot: () => cg.oneHot(codes, far),
    segmentSum: () => cg.segmentSum(few, codes, far),
    segmentMax: () => cg.segmentMax(few, codes, far),
    forLoop: () => cg.forLoop(far, (x: cg.Tensor) => x, few),
    conv: () => cg.conv(cg.ones([1, 1, 4]), cg.ones([1, 1, 2]), { padding: far }),
    resize: () => cg.resize(cg.ones([1, 1, 4]), far),
    mmdLoss: () => cg.mmdLoss(matrix, codes, { nBatches: far }),
    batchMixingLoss: () => cg.batchMixingLoss(matrix, codes, { nBatches: far }),
    slicedWasserstein: () =>
      cg.slicedWasserstein(matrix, matrix, { key: cg.key(1), projections: far }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const why = `Cannot compute ${name} as a tensor must take at most 4 GiB: current shape is [`;
    assertThrows(call, RangeError, why);
  }
});

/** Functions of rows of six values: those that treat rows one by one, and those that do not. */
import * as cg from "../../mod.ts";
import * as nn from "../../src/nn/mod.ts";

type Tensor = cg.Tensor;

const weights = cg.normal(cg.key(3), [6, 4]);
const bias = cg.normal(cg.key(4), [4]);
const table = cg.normal(cg.key(5), [6, 3]);
const labels = (x: Tensor) => cg.argMax(x, { axis: 1 });
const layer = nn.initTransformerEncoderLayer(cg.key(1), { dModel: 6, heads: 2, feedForward: 16 });

/** What has a row for each row that it is given. */
export const ROW_WISE: Record<string, (x: Tensor) => unknown> = {
  "a network": (x) => x.matmul(weights).add(bias).relu().matmul(weights.transpose()).softmax(),
  "a layer of a transformer": (x) =>
    nn.transformerEncoderLayer(layer, x.reshape([-1, 1, 6]), { heads: 2 }),
  "losses of rows": (x) => cg.crossEntropyLoss(x, labels(x), { reduction: "none" }),
  "their gradients": (x) => cg.grad((y: Tensor) => y.matmul(weights).tanh().square().sum())(x),
  "sums of rows": (x) => cg.sum(x, { axis: 1 }),
  "variances": (x) => cg.variance(x, { axis: 1, keepDims: true }),
  "the largest": (x) => cg.topK(x, 2),
  "the order": (x) => cg.argSort(x),
  "running sums of rows": (x) => cg.cumsum(x),
  "sorted values and their gradients": (x) => cg.grad((y: Tensor) => cg.sort(y).mul(y).sum())(x),
  "distances to fixed cells": (x) => cg.pairwiseSquaredDistance(x, weights.transpose()),
  "turned rows": (x) => x.reshape([-1, 2, 3]).transpose([0, 2, 1]).sum({ axis: 2 }),
  "longer rows": (x) => cg.concat([x, x.mul(2)], { axis: 1 }),
  "parts of rows": (x) => x.slice([0, 1], [x.shape[0]!, 3]),
  "picked columns": (x) => cg.gather(x, [0, 2], { axis: 1 }),
  "gradients of picked columns": (x) =>
    cg.grad((y: Tensor) => cg.gather(y, [0, 2, 2], { axis: 1 }).square().sum())(x),
  "rows of a table": (x) => cg.gather(table, labels(x)),
  "values of a table": (x) =>
    cg.takeAlongAxis(table.slice([0, 0], [6, 1]), cg.expandDims(labels(x), 1), { axis: 0 }),
  "classes": (x) => cg.oneHot(labels(x), 6),
  "numbers of rows": (x) => x.add(cg.expandDims(cg.arange(x.shape[0]!), 1)),
  "stacks of matrices": (x) => x.reshape([-1, 2, 3]).matmul(x.reshape([-1, 3, 2])),
  "noise of a fixed key": (x) => x.add(cg.normal(cg.key(1), x.shape)),
};

/** What would notice further rows, or may. */
export const OTHERS: Record<string, (x: Tensor) => unknown> = {
  "a mean": (x) => x.mean(),
  "a sum": (x) => x.sum({ axis: 0 }),
  "the gradient of a mean": (x) => cg.grad((y: Tensor) => y.square().mean())(x),
  "the gradient of weights": (x) => cg.grad((w: Tensor) => x.matmul(w).square().sum())(weights),
  "the number of rows": (x) => x.div(x.shape[0]!),
  "the number of values": (x) => x.mul(x.size),
  "the number of rows, as a tensor": (x) => x.mul(cg.full([], x.shape[0]!)),
  "positions counted from the end": (x) =>
    x.add(cg.expandDims(cg.arange(x.shape[0]!).sub(x.shape[0]!), 1)),
  "centred columns": (x) => x.sub(x.mean({ axis: 0 })),
  "columns by rows": (x) => x.transpose(),
  "products of all rows": (x) => x.matmul(x.transpose()),
  "distances of all rows": (x) => cg.pairwiseSquaredDistance(x),
  "the last row": (x) => x.slice(x.shape[0]! - 1, x.shape[0]!),
  "rows in turns": (x) => cg.concat([x.slice(1, x.shape[0]!), x.slice(0, 1)]),
  "rows twice": (x) => cg.concat([x, x]),
  "rows cut otherwise": (x) => x.reshape([2, -1]),
  "sorted columns": (x) => cg.sort(x, { axis: 0 }),
  "running sums of columns": (x) => cg.cumsum(x, { axis: 0, reverse: true }),
  "the best of each column": (x) => cg.argMax(x, { axis: 0 }),
  "the place of the best": (x) => cg.argMax(x),
  "rows by their order": (x) =>
    cg.gather(x, cg.argSort(x.slice([0, 0], [x.shape[0]!, 1]).reshape([-1]))),
  "rows added up by class": (x) => cg.scatterAdd(cg.zeros([6, 6]), labels(x), x),
  "a norm of all": (x) => cg.div(x, cg.norm(x)),
  "steps from row to row": (x) =>
    cg.scan((h: Tensor, row: Tensor) => [h.add(row), h], cg.zeros([6], { dtype: x.dtype }), x)[1],
  "noise of a key": (x) => cg.normal(labels(x).slice(0, 2), x.shape),
};

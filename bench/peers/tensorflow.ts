/**
 * TensorFlow.js on its WebAssembly backend, with one thread: `tf.valueAndGrads`.
 *
 * Imported by computed names and without types, as in `jax.ts`.
 *
 * @module
 */
import { type Call, type Inputs, makeSide, type Side } from "./side.ts";

const VERSION = "4.22.0";

// deno-lint-ignore no-explicit-any
type Untyped = any;

const { default: tf }: Untyped = await import(`npm:@tensorflow/tfjs@${VERSION}`);
const wasm: Untyped = await import(`npm:@tensorflow/tfjs-backend-wasm@${VERSION}`);
wasm.setThreadsCount(1);
await tf.setBackend("wasm");
await tf.ready();

/** Inputs as tensors; those that are named hold whole numbers. */
function tensors(inputs: Inputs, whole: string[] = []): Untyped[] {
  return Object.entries(inputs).map(([name, { shape, data }]) =>
    tf.tensor(data, shape, whole.includes(name) ? "int32" : "float32")
  );
}

async function read(outputs: Untyped[]): Promise<Float32Array[]> {
  const numbers = await Promise.all(outputs.map((output) => output.data()));
  tf.dispose(outputs);
  return numbers;
}

function forward(f: (...args: Untyped[]) => Untyped, args: Untyped[]): Call {
  return () => read([tf.tidy(() => f(...args))]);
}

/** With gradients of the first `count` arguments. */
function gradient(f: (...args: Untyped[]) => Untyped, count: number, args: Untyped[]): Call {
  const [live, fixed] = [args.slice(0, count), args.slice(count)];
  const run = tf.valueAndGrads((...xs: Untyped[]) => f(...xs, ...fixed));
  return () => {
    const { value, grads } = run(live);
    return read([value, ...grads]);
  };
}

/** Squared distances as the square of a difference. */
function direct(square: (x: Untyped, y: Untyped) => Untyped, x: Untyped): Untyped {
  return tf.sum(square(tf.expandDims(x, 1), tf.expandDims(x, 0)), -1);
}

/** The product with a transposed matrix: `transposeB` takes a path that is ten times slower. */
function across(x: Untyped, y: Untyped): Untyped {
  return tf.matMul(x, tf.transpose(y));
}

function expanded(x: Untyped, y: Untyped): Untyped {
  const lengths = tf.add(tf.sum(tf.square(x), 1, true), tf.sum(tf.square(y), 1));
  return tf.sub(lengths, tf.mul(2, across(x, y)));
}

/** In two steps: one sum of millions of numbers in float32 is off by percents. */
function meanOfRows(x: Untyped): Untyped {
  return tf.mean(tf.mean(x, 1));
}

function unit(x: Untyped, epsilon: number): Untyped {
  return tf.div(x, tf.maximum(tf.sqrt(tf.sum(tf.square(x), 1, true)), epsilon));
}

function crossEntropy(logits: Untyped, oneHot: Untyped): Untyped {
  return tf.losses.softmaxCrossEntropy(oneHot, logits);
}

function kernelMean(x: Untyped, y: Untyped): Untyped {
  const squared = expanded(x, y);
  const kernels = [1, 2, 4, 8, 16].map((s) => tf.exp(tf.mul(squared, -0.5 / s ** 2)));
  return meanOfRows(tf.div(tf.addN(kernels), 5));
}

function mmd(x: Untyped, y: Untyped): Untyped {
  return tf.sub(tf.add(kernelMean(x, x), kernelMean(y, y)), tf.mul(2, kernelMean(x, y)));
}

function batchMixing(cells: Untyped, batches: Untyped, self: Untyped): Untyped {
  const away = tf.add(expanded(cells, cells), tf.mul(self, 1e10));
  const shares = tf.matMul(tf.softmax(tf.neg(away)), batches);
  const entropy = tf.sum(tf.mul(shares, tf.log(tf.add(shares, 1e-8))), -1);
  return tf.div(tf.mean(entropy), Math.log(3));
}

function elastic(cells: Untyped, self: Untyped): Untyped {
  const units = unit(cells, 1e-12);
  const similarity = tf.relu(across(units, units));
  const others = tf.mul(similarity, tf.sub(1, self));
  return meanOfRows(tf.sub(1, tf.square(tf.sub(others, 0.3))));
}

function contrastive(first: Untyped, second: Untyped, own: Untyped): Untyped {
  return crossEntropy(tf.mul(across(unit(first, 1e-8), unit(second, 1e-8)), 2), own);
}

function focalAndDice(logits: Untyped, oneHot: Untyped): Untyped {
  const logs = tf.logSoftmax(tf.transpose(logits, [0, 2, 3, 1]));
  const nll = tf.neg(tf.sum(tf.mul(logs, oneHot), -1));
  const focal = tf.mean(tf.mul(tf.square(tf.sub(1, tf.exp(tf.neg(nll)))), nll));
  const p = tf.exp(logs);
  const both = tf.sum(tf.mul(p, oneHot), [0, 1, 2]);
  const either = tf.add(tf.sum(p, [0, 1, 2]), tf.sum(oneHot, [0, 1, 2]));
  const dice = tf.div(tf.add(tf.mul(2, both), 1), tf.add(either, 1));
  return tf.mul(0.5, tf.add(focal, tf.mean(tf.sub(1, dice))));
}

function bernoulliAndMse(x: Untyped, p: Untyped, targets: Untyped, mask: Untyped): Untyped {
  const squares = tf.sum(tf.mul(tf.square(tf.sub(x, targets)), mask));
  const limited = tf.clipByValue(p, 2 ** -23, 1 - 2 ** -23);
  const present = tf.greater(targets, 0);
  const logs = tf.where(present, tf.log(limited), tf.log(tf.sub(1, limited)));
  return tf.div(tf.sub(squares, tf.sum(tf.mul(logs, mask))), tf.sum(mask));
}

function symmetricSquares(x: Untyped): Untyped {
  return tf.sum(tf.sum(tf.square(tf.mul(x, tf.transpose(x))), 1));
}

/** Channels come last, as the backend wants them, and first in what is compared. */
function conv({ x, kernel }: Inputs): Call {
  const [images, weights] = tensors({ x: x!, kernel: kernel! });
  const last = tf.transpose(images, [0, 2, 3, 1]);
  const kernels = tf.transpose(weights, [2, 3, 1, 0]);
  return forward((x, w) => tf.transpose(tf.conv2d(x, w, 1, "same"), [0, 3, 1, 2]), [last, kernels]);
}

/** On the backend in JavaScript: that of WebAssembly has no gradient of kernels. */
async function convGradient({ x, kernel }: Inputs): Promise<Call> {
  await tf.setBackend("cpu");
  const args = tensors({ x: x!, kernel: kernel! });
  const loss = (x: Untyped, w: Untyped) => {
    const last = tf.transpose(x, [0, 2, 3, 1]);
    return tf.mean(tf.square(tf.conv2d(last, tf.transpose(w, [2, 3, 1, 0]), 1, "same")));
  };
  const run = gradient(loss, 2, args);
  await tf.setBackend("wasm");
  return async () => {
    await tf.setBackend("cpu");
    const outputs = await run();
    await tf.setBackend("wasm");
    return outputs;
  };
}

function mlpStep(inputs: Inputs): Call {
  const [cells, labels, ...start] = tensors(inputs, ["types"]);
  const types = oneHot(labels, 20);
  const [w1, b1, w2, b2] = start.map((p) => tf.variable(p));
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
  const loss = () => {
    const hidden = tf.relu(tf.add(tf.matMul(cells, w1), b1));
    return crossEntropy(tf.add(tf.matMul(hidden, w2), b2), types);
  };
  return () => read([optimizer.minimize(loss, true, [w1, b1, w2, b2])]);
}

function oneHot(labels: Untyped, count: number): Untyped {
  return tf.cast(tf.oneHot(labels, count), "float32");
}

/** Arguments of which the second one is labels, as one-hot floats. */
function withOneHot(inputs: Inputs, count: number): [Untyped, Untyped] {
  const [x, labels] = tensors(inputs, Object.keys(inputs).slice(1));
  return [x, oneHot(labels, count)];
}

/** Arguments, and the matrix that is 1 where a cell meets itself. */
function withSelf(args: Untyped[]): Untyped[] {
  return [...args, tf.eye(args[0].shape[0])];
}

/** TensorFlow.js. */
export const SIDE: Side = makeSide("tensorflow.js", VERSION, {
  "matmul": (inputs) => forward((a, b) => tf.matMul(a, b), tensors(inputs)),
  "squared distances": (inputs) =>
    forward((x) => direct((a, b) => tf.pow(tf.sub(a, b), 2), x), tensors(inputs)),
  "squared distances, squaredDifference": (inputs) =>
    forward((x) => direct(tf.squaredDifference, x), tensors(inputs)),
  "squared distances, expanded": (inputs) => forward((x) => expanded(x, x), tensors(inputs)),
  "cross entropy": (inputs) => gradient(crossEntropy, 1, withOneHot(inputs, 20)),
  "gaussian mmd": (inputs) => gradient(mmd, 2, tensors(inputs)),
  "batch mixing softmax": (inputs) => gradient(batchMixing, 1, withSelf(withOneHot(inputs, 3))),
  "elastic cell similarity": (inputs) => gradient(elastic, 1, withSelf(tensors(inputs))),
  "contrastive cell embedding": (inputs) => gradient(contrastive, 2, withSelf(tensors(inputs))),
  "focal and dice": (inputs) => gradient(focalAndDice, 1, withOneHot(inputs, 4)),
  "bernoulli and masked mse": (inputs) => gradient(bernoulliAndMse, 2, tensors(inputs)),
  "mlp step": mlpStep,
  "normal": ({ like }) => forward(() => tf.randomNormal(like!.shape), []),
  "conv": convGradient,
  "conv value": conv,
  "symmetric squares": (inputs) => gradient(symmetricSquares, 1, tensors(inputs)),
});

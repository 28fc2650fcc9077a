/**
 * jax-js on its WebAssembly backend: `jit(valueAndGrad(f))`. Every use of an array but the last is
 * of its `ref`, as the library counts references.
 *
 * The package is imported by a computed name and without types, so that it is in no module graph and
 * in no lock file: whoever runs the tests or the demo need not download it.
 *
 * @module
 */
import { type Call, type Inputs, makeSide, type Side } from "./side.ts";

const VERSION = "0.1.25";

// deno-lint-ignore no-explicit-any
type Untyped = any;

const jax: Untyped = await import(`npm:@jax-js/jax@${VERSION}`);
await jax.init("wasm");
jax.defaultDevice("wasm");
const { numpy: np, nn, jit, random, valueAndGrad } = jax;

/** Inputs as arrays; those that are named hold whole numbers. */
function arrays(inputs: Inputs, whole: string[] = []): Untyped[] {
  return Object.entries(inputs).map(([name, { shape, data }]) =>
    np.array(whole.includes(name) ? Int32Array.from(data) : data, { shape: [...shape] })
  );
}

function read(outputs: Untyped[]): Promise<Float32Array[]> {
  return Promise.all(outputs.map((output) => output.data()));
}

function forward(f: (...args: Untyped[]) => Untyped, args: Untyped[]): Call {
  const compiled = jit(f);
  return () => read([compiled(...args.map((x) => x.ref))]);
}

function gradient(f: (...args: Untyped[]) => Untyped, argnums: number[], args: Untyped[]): Call {
  const compiled = jit(valueAndGrad(f, { argnums }));
  return () => {
    const [value, gradients] = compiled(...args.map((x) => x.ref));
    return read([value, ...gradients]);
  };
}

function direct(x: Untyped, y: Untyped): Untyped {
  return np.square(np.expandDims(x, 1).sub(np.expandDims(y, 0))).sum(-1);
}

function expanded(x: Untyped, y: Untyped): Untyped {
  const across = np.matmul(x.ref, np.transpose(y.ref));
  return np.square(x).sum(1, { keepdims: true }).add(np.square(y).sum(1)).sub(across.mul(2));
}

/** In two steps: one sum of millions of numbers in float32 is off by percents. */
function meanOfRows(x: Untyped): Untyped {
  return x.mean(1).mean();
}

function unit(x: Untyped, epsilon: number): Untyped {
  const length = np.sqrt(np.square(x.ref).sum(1, { keepdims: true }));
  return x.div(np.maximum(length, epsilon));
}

function diagonal(n: number): Untyped {
  return np.eye(n, undefined, { dtype: np.bool });
}

function crossEntropy(logits: Untyped, oneHot: Untyped): Untyped {
  return nn.logSoftmax(logits, -1).mul(oneHot).sum(-1).mean().neg();
}

function kernelMean(x: Untyped, y: Untyped): Untyped {
  const squared = expanded(x, y);
  const kernels = [1, 2, 4, 8, 16].map((s) => np.exp(squared.ref.mul(-0.5 / s ** 2)));
  squared.dispose();
  return meanOfRows(kernels.reduce((a, b) => a.add(b)).div(5));
}

function mmd(x: Untyped, y: Untyped): Untyped {
  return kernelMean(x.ref, x.ref).add(kernelMean(y.ref, y.ref)).sub(kernelMean(x, y).mul(2));
}

function batchMixing(cells: Untyped, batches: Untyped): Untyped {
  const squared = expanded(cells.ref, cells);
  const others = np.where(diagonal(squared.shape[0]), -1e10, squared.neg());
  const shares = np.matmul(nn.softmax(others, -1), batches);
  return shares.ref.mul(np.log(shares.add(1e-8))).sum(-1).mean().div(Math.log(3));
}

function elastic(cells: Untyped): Untyped {
  const units = unit(cells, 1e-12);
  const similarity = nn.relu(np.matmul(units.ref, np.transpose(units)));
  const others = np.where(diagonal(similarity.shape[0]), 0, similarity);
  return meanOfRows(np.square(others.sub(0.3)).neg().add(1));
}

function contrastive(first: Untyped, second: Untyped): Untyped {
  const similarity = np.matmul(unit(first, 1e-8), np.transpose(unit(second, 1e-8))).mul(2);
  const own = np.diagonal(similarity.ref);
  return nn.logsumexp(similarity, -1).sub(own).mean();
}

function focalAndDice(logits: Untyped, oneHot: Untyped): Untyped {
  const logs = nn.logSoftmax(logits, 1);
  const nll = logs.ref.mul(oneHot.ref).sum(1).neg();
  const focal = np.square(np.exp(nll.ref.neg()).neg().add(1)).mul(nll).mean();
  const p = np.exp(logs);
  const both = p.ref.mul(oneHot.ref).sum([0, 2, 3]);
  const either = p.sum([0, 2, 3]).add(oneHot.sum([0, 2, 3]));
  const dice = both.mul(2).add(1).div(either.add(1)).neg().add(1).mean();
  return focal.add(dice).mul(0.5);
}

function bernoulliAndMse(x: Untyped, p: Untyped, targets: Untyped, mask: Untyped): Untyped {
  const count = mask.ref.sum();
  const squares = np.square(x.sub(targets.ref)).mul(mask.ref).sum();
  const limited = np.clip(p, 2 ** -23, 1 - 2 ** -23);
  // log1p is several times slower here, and no better that far from 0.
  const absent = np.log(limited.ref.neg().add(1));
  const logs = np.where(targets.greater(0), np.log(limited), absent);
  return squares.sub(logs.mul(mask).sum()).div(count);
}

function symmetricSquares(x: Untyped): Untyped {
  return np.square(x.ref.mul(np.transpose(x))).sum(1).sum();
}

function embedding(table: Untyped, genes: Untyped, targets: Untyped): Untyped {
  const rows = np.take(table, genes, 0);
  return meanOfRows(np.square(nn.standardize(rows, -1).sub(targets)).mean(-1));
}

/** What Adam changes: trees of arrays. */
interface State {
  params: Untyped[];
  first: Untyped[];
  second: Untyped[];
  count: Untyped;
}

/** Adam written out; everything that is passed is used up. */
function adam({ params, first: m, second: v, count: t }: State, gradients: Untyped[]): State {
  const first = m.map((moment, i) => moment.mul(0.9).add(gradients[i].ref.mul(0.1)));
  const second = v.map((moment, i) => moment.mul(0.999).add(np.square(gradients[i]).mul(0.001)));
  const count = t.add(1);
  const corrections = [0.9, 0.999].map((beta) =>
    np.exp(count.ref.mul(Math.log(beta))).neg().add(1)
  );
  const next = params.map((p, i) => {
    const root = np.sqrt(second[i].ref.div(corrections[1].ref)).add(1e-8);
    return p.sub(first[i].ref.div(corrections[0].ref).div(root).mul(1e-3));
  });
  for (const correction of corrections) correction.dispose();
  return { params: next, first, second, count };
}

function mlpStep(inputs: Inputs): Call {
  const [cells, labels, ...params] = arrays(inputs, ["types"]);
  const types = nn.oneHot(labels, 20);
  const loss = ([w1, b1, w2, b2]: Untyped[], x: Untyped, y: Untyped) =>
    crossEntropy(np.matmul(nn.relu(np.matmul(x, w1).add(b1)), w2).add(b2), y);
  const step = jit((state: State, x: Untyped, y: Untyped) => {
    const [value, gradients] = valueAndGrad(loss)(state.params.map((p) => p.ref), x, y);
    return [value, adam(state, gradients)];
  });
  const zeros = () => params.map((p) => np.zerosLike(p.ref));
  let state: State = { params, first: zeros(), second: zeros(), count: np.array(0) };
  return () => {
    const [value, next] = step(state, cells.ref, types.ref);
    state = next;
    return read([value]);
  };
}

/** Arguments of which the second one is labels, as one-hot floats. */
function withOneHot(inputs: Inputs, count: number): [Untyped, Untyped] {
  const [x, labels] = arrays(inputs, Object.keys(inputs).slice(1));
  return [x, nn.oneHot(labels, count)];
}

/** jax-js. */
export const SIDE: Side = makeSide("jax-js", VERSION, {
  "matmul": (inputs) => forward((a, b) => np.matmul(a, b), arrays(inputs)),
  "squared distances": (inputs) => forward((x) => direct(x.ref, x), arrays(inputs)),
  "cross entropy": (inputs) => gradient(crossEntropy, [0], withOneHot(inputs, 20)),
  "gaussian mmd": (inputs) => gradient(mmd, [0, 1], arrays(inputs)),
  "batch mixing softmax": (inputs) => gradient(batchMixing, [0], withOneHot(inputs, 3)),
  "elastic cell similarity": (inputs) => gradient(elastic, [0], arrays(inputs)),
  "contrastive cell embedding": (inputs) => gradient(contrastive, [0, 1], arrays(inputs)),
  "focal and dice": (inputs) => {
    const [logits, oneHot] = withOneHot(inputs, 4);
    return gradient(focalAndDice, [0], [logits, np.moveaxis(oneHot, -1, 1)]);
  },
  "bernoulli and masked mse": (inputs) => gradient(bernoulliAndMse, [0, 1], arrays(inputs)),
  "mlp step": mlpStep,
  "normal": ({ like }) => {
    const draw = jit(() => random.normal(random.key(1), [...like!.shape]));
    return () => read([draw()]);
  },
  "symmetric squares": (inputs) => gradient(symmetricSquares, [0], arrays(inputs)),
  "embedding and layer norm": (inputs) => gradient(embedding, [0], arrays(inputs, ["genes"])),
});

/**
 * Our side: losses and operations as a user calls them, compiled where there is a gradient. The
 * library is an argument, so that another checkout of it can be a side as well.
 *
 * @module
 */
import type * as cellgrad from "@cellgrad/cellgrad";
import type { Tensor } from "@cellgrad/cellgrad";
import type * as linalg from "@cellgrad/cellgrad/linalg";
import type * as nn from "@cellgrad/cellgrad/nn";
import { type Call, type Inputs, makeSide, type Side } from "./side.ts";

/** This library, of some checkout, with entry points of its own. */
export type Library = typeof cellgrad & { linalg: typeof linalg; nn: typeof nn };

/** Turns the inputs into tensors of a library, and returns the call. */
type Form = (cg: Library, inputs: Inputs) => Promise<Call> | Call;

/** Inputs as tensors; those of the named types are no floats. */
function tensors(
  cg: Library,
  inputs: Inputs,
  dtypes: Record<string, "int32" | "bool"> = {},
): Tensor[] {
  return Object.entries(inputs).map(([name, { shape, data }]) => {
    const numbers = cg.tensor(data, { shape });
    const dtype = dtypes[name];
    if (dtype === undefined) return numbers;
    return dtype === "bool" ? numbers.notEqual(0) : cg.tensor(Int32Array.from(data), { shape });
  });
}

/** Inputs as tensors in double precision. */
function doubles(cg: Library, inputs: Inputs): Tensor[] {
  return tensors(cg, inputs).map((x) => x.cast("float64"));
}

/** A function of tensors as a compiled program. */
async function compiled(
  cg: Library,
  f: (...args: Tensor[]) => Tensor,
  args: Tensor[],
): Promise<Call> {
  const program = await cg.compile(f, args);
  return async () => [(await program(...args)).data as Float32Array];
}

/** The value and gradients of a loss, as a compiled program. */
async function gradient(
  cg: Library,
  loss: (...args: Tensor[]) => Tensor,
  argnums: number[],
  args: Tensor[],
): Promise<Call> {
  const program = await cg.compile(cg.valueAndGrad(loss, { argnums }), args);
  return async () => {
    const [value, gradients] = await program(...args);
    return [value, ...gradients].map((x) => x.data as Float32Array);
  };
}

function batchMixing(neighbours: (cells: number) => number): Form {
  return (cg, inputs) =>
    gradient(
      cg,
      (cells, batches) =>
        cg.batchMixingLoss(cells!, batches!, { nNeighbors: neighbours(cells!.shape[0]!) }),
      [0],
      tensors(cg, inputs, { batches: "int32" }),
    );
}

/** How a function is called: as a program, or as it is. */
type Way = <Args extends unknown[], R>(
  cg: Library,
  f: (...args: Args) => R,
  args: Args,
) => Promise<(...args: Args) => R | Promise<R>>;

const asProgram: Way = async <Args extends unknown[], R>(
  cg: Library,
  f: (...args: Args) => R,
  args: Args,
) => await cg.compile(f as never, args as never) as never;

const asItIs: Way = (_cg, f) => Promise.resolve(f);

/** The value and gradient of a loss of ten thousand cells. */
function manyCells(
  loss: (cg: Library, cells: Tensor, batches: Tensor) => Tensor,
): (way: Way) => Form {
  return (way) => async (cg, inputs) => {
    const [cells, batches] = tensors(cg, inputs, { batches: "int32" }) as [Tensor, Tensor];
    const f = (x: Tensor) => cg.valueAndGrad((y: Tensor) => loss(cg, y, batches))(x);
    const call = await way(cg, f, [cells]);
    return async () => (await call(cells)).map((x) => x.data as Float32Array);
  };
}

/** Forms that are measured as programs and without. */
const BOTH_WAYS: Readonly<Record<string, (way: Way) => Form>> = {
  "batch mixing 10000": manyCells((cg, cells, batches) => cg.batchMixingLoss(cells, batches)),
  "mmd 10000": manyCells((cg, cells, batches) => cg.mmdLoss(cells, batches, { kernel: "rbf" })),
  "mlp step with adam": (way) => (cg, inputs) => mlpStep(cg, inputs, way),
};

/** A training step as one program; parameters and optimizer state go in and come out. */
async function trainingStep(
  cg: Library,
  loss: (params: Tensor[], ...data: Tensor[]) => Tensor,
  data: Tensor[],
  start: Tensor[],
  way: Way = asProgram,
): Promise<Call> {
  const optimizer = cg.adam({ learningRate: 1e-3 });
  let params = start;
  let state = optimizer.init(params);
  const step = (p: Tensor[], s: typeof state, ...data: Tensor[]) => {
    const [value, gradients] = cg.valueAndGrad(loss)(p, ...data);
    return { value, ...optimizer.update(gradients, s, p) };
  };
  const call = await way(cg, step, [params, state, ...data]);
  return async () => {
    const { value, ...next } = await call(params, state, ...data);
    ({ params, state } = next);
    return [value.data as Float32Array];
  };
}

function mlpStep(cg: Library, inputs: Inputs, way?: Way): Promise<Call> {
  const [cells, types, ...params] = tensors(cg, inputs, { types: "int32" });
  const loss = ([w1, b1, w2, b2]: Tensor[], x: Tensor, labels: Tensor) =>
    cg.crossEntropyLoss(x.matmul(w1!).add(b1!).relu().matmul(w2!).add(b2!), labels);
  return trainingStep(cg, loss, [cells!, types!], params, way);
}

/** An autoencoder of counts: scVI's model with a layer of 128 on each side. */
function vaeStep(cg: Library, inputs: Inputs): Promise<Call> {
  const [counts, noise, ...start] = tensors(cg, inputs);
  const loss = (params: Tensor[], x: Tensor, noise: Tensor) => {
    const layer = (i: number, input: Tensor) =>
      input.matmul(params[2 * i]!).add(params[2 * i + 1]!);
    const hidden = layer(0, cg.log1p(x)).relu();
    const [mean, logVariance] = [layer(1, hidden), layer(2, hidden)];
    const decoded = layer(3, mean.add(logVariance.mul(0.5).exp().mul(noise))).relu();
    const error = cg.zinbLoss(x, layer(4, decoded), layer(5, decoded), layer(6, decoded));
    const divergence = mean.square().add(logVariance.expm1()).sub(logVariance).sum().mul(0.5);
    return error.add(divergence).div(x.shape[0]!);
  };
  return trainingStep(cg, loss, [counts!, noise!], start);
}

/** A long short-term memory in PyTorch's order of gates; the inputs' part is one product. */
function lstm(cg: Library, inputs: Inputs): Promise<Call> {
  const loss = (x: Tensor, wi: Tensor, wh: Tensor, b: Tensor) => {
    const [steps, batch, width] = x.shape as [number, number, number];
    const given = x.reshape([steps * batch, width]).matmul(wi).add(b);
    const start = cg.zeros([batch, wh.shape[0]!]);
    const turn = ([h, c]: Tensor[], x: Tensor): [Tensor[], Tensor] => {
      const [input, forget, update, output] = cg.split(x.add(h!.matmul(wh)), 4, { axis: 1 });
      const next = forget!.sigmoid().mul(c!).add(input!.sigmoid().mul(update!.tanh()));
      const shown = output!.sigmoid().mul(next.tanh());
      return [[shown, next], shown];
    };
    const rows = given.reshape([steps, batch, wh.shape[1]!]);
    return cg.scan(turn, [start, start], rows)[1].square().mean();
  };
  return gradient(cg, loss as never, [0, 1, 2, 3], tensors(cg, inputs));
}

/** Logistic growth by the classical Runge–Kutta method, in double precision. */
function rungeKutta(cg: Library, inputs: Inputs): Promise<Call> {
  const step = 1e-3;
  const loss = (start: Tensor, rate: Tensor) => {
    const slope = (y: Tensor) => y.mul(rate).mul(cg.sub(1, y));
    const turn = (y: Tensor) => {
      const k1 = slope(y);
      const k2 = slope(y.add(k1.mul(step / 2)));
      const k3 = slope(y.add(k2.mul(step / 2)));
      const k4 = slope(y.add(k3.mul(step)));
      return y.add(k1.add(k2.mul(2)).add(k3.mul(2)).add(k4).mul(step / 6));
    };
    return cg.forLoop(10_000, turn, start).square().sum();
  };
  return gradient(cg, loss as never, [0, 1], doubles(cg, inputs));
}

/** The potentials of optimal transport between two clouds of points. */
function sinkhorn(cg: Library, inputs: Inputs): Promise<Call> {
  const loss = (x: Tensor, y: Tensor) => {
    const nearness = cg.pairwiseSquaredDistance(x, y).mul(-2);
    const turn = ([, g]: Tensor[]) => {
      const f = cg.logSumExp(nearness.add(g!), { axis: 1 }).neg();
      return [f, cg.logSumExp(nearness.add(f.expandDims(1)), { axis: 0 }).neg()];
    };
    const start = [cg.zeros([x.shape[0]!]), cg.zeros([y.shape[0]!])];
    const [f, g] = cg.forLoop(50, turn, start);
    return f!.mean().add(g!.mean());
  };
  return gradient(cg, loss as never, [0, 1], tensors(cg, inputs));
}

/** Factors of matrices in double precision, each as an array. */
function factors(f: (cg: Library, ...matrices: Tensor[]) => Tensor[]): Form {
  return (cg, inputs) => {
    const matrices = tensors(cg, inputs).map((x) => x.cast("float64"));
    return () => f(cg, ...matrices).map((x) => new Float32Array(x.data));
  };
}

/** Minus the logarithm of the density of a normal distribution, up to a constant. */
function normalLikelihood(cg: Library, inputs: Inputs): Promise<Call> {
  const loss = (a: Tensor, x: Tensor) => {
    const l = cg.linalg.cholesky(a);
    const energy = cg.linalg.solveTriangular(l, x).square().sum().mul(0.5);
    return energy.add(cg.linalg.logDet(l).logAbs);
  };
  const double = tensors(cg, inputs).map((x) => x.cast("float64"));
  return gradient(cg, loss as never, [0, 1], double);
}

/** How far a network on the tokens is from the targets; its parameters have PyTorch's names. */
function transformerLoss(cg: Library, names: string[], heads: number) {
  return (params: Tensor[], x: Tensor, targets: Tensor) => {
    const tree = cg.nn.fromStateDict<never>(
      Object.fromEntries(names.map((name, i) => [name, params[i]!])),
    );
    const network = names[0]!.startsWith("layers")
      ? cg.nn.transformerEncoder
      : cg.nn.transformerEncoderLayer;
    return network(tree, x, { heads, activation: "gelu" }).sub(targets).square().mean();
  };
}

function transformerLayer(heads: number): Form {
  return (cg, inputs) => {
    const loss = transformerLoss(cg, Object.keys(inputs).slice(1, -1), heads);
    const args = tensors(cg, inputs);
    const differentiated = args.slice(1).map((_, i) => i);
    const ofAll = (x: Tensor, ...rest: Tensor[]) => loss(rest.slice(0, -1), x, rest.at(-1)!);
    return gradient(cg, ofAll as never, differentiated, args);
  };
}

function transformerStep(cg: Library, inputs: Inputs): Promise<Call> {
  const [x, targets, ...params] = tensors(cg, inputs);
  const loss = transformerLoss(cg, Object.keys(inputs).slice(2), 4);
  return trainingStep(cg, loss, [x!, targets!], params);
}

/** Where the entries of a lower triangle are in a row of them: its diagonal, then its columns. */
function trianglePlaces(d: number): number[][] {
  const rows = [...Array(d).keys()];
  const columnStart = (j: number) => d + j * (d - 1) - j * (j - 1) / 2 - j - 1;
  const nothing = d * (d + 1) / 2;
  return rows.map((i) => rows.map((j) => i === j ? i : i > j ? columnStart(j) + i : nothing));
}

/** The log likelihood of points in a mixture of Gaussians, parametrized as ADBench does. */
function gaussianMixture(cg: Library, inputs: Inputs): Promise<Call> {
  const [n, d] = inputs.x!.shape as [number, number];
  const places = cg.tensor(trianglePlaces(d), { dtype: "int32" });
  const loss = (alphas: Tensor, means: Tensor, icf: Tensor, x: Tensor) => {
    const [logDiagonal, below] = cg.split(icf, [d, d * (d - 1) / 2], { axis: 1 });
    const nothing = cg.zeros([icf.shape[0]!, 1], { dtype: "float64" });
    const entries = cg.concat([logDiagonal!.exp(), below!, nothing], { axis: 1 });
    const roots = cg.gather(entries, places, { axis: 1 });
    const scaled = x.sub(means.expandDims(1)).matmul(roots.transpose([0, 2, 1]));
    const weights = alphas.add(logDiagonal!.sum({ axis: 1 })).expandDims(1);
    const logs = weights.sub(scaled.square().sum({ axis: 2 }).mul(0.5));
    const normalizer = cg.logSumExp(alphas).mul(n).add(n * d * 0.5 * Math.log(2 * Math.PI));
    return cg.logSumExp(logs, { axis: 0 }).sum().sub(normalizer);
  };
  return gradient(cg, loss as never, [0, 1, 2], doubles(cg, inputs));
}

/** A polynomial through the sign of numbers (GradBench's least squares). */
function leastSquares(cg: Library, inputs: Inputs): Promise<Call> {
  const loss = (w: Tensor, t: Tensor) => {
    const powers = cg.pow(t.expandDims(1), cg.arange(w.shape[0]!, { dtype: "float64" }));
    return powers.matmul(w.expandDims(1)).squeeze(1).sub(cg.sign(t)).pow(2).sum().mul(0.5);
  };
  return gradient(cg, loss as never, [0], doubles(cg, inputs));
}

/** A function of numbers of double precision. */
function inDouble(f: (cg: Library, x: Tensor) => Tensor): Form {
  return (cg, inputs) => compiled(cg, (x) => f(cg, x!), doubles(cg, inputs));
}

const COMPILED: Readonly<Record<string, Form>> = {
  "exp, float64": inDouble((cg, x) => cg.exp(x)),
  "log1p, float64": inDouble((cg, x) => cg.log1p(x)),
  "tanh, float64": inDouble((cg, x) => cg.tanh(x)),
  "lgamma": (cg, inputs) => compiled(cg, (x) => cg.lgamma(x!), tensors(cg, inputs)),
  "digamma": (cg, inputs) => compiled(cg, (x) => cg.digamma(x!), tensors(cg, inputs)),
};

/** The forms of a way. */
function formsBy(way: Way): Record<string, Form> {
  const forms = Object.entries(BOTH_WAYS).map(([form, make]) => [form, make(way)] as const);
  return Object.fromEntries(forms);
}

/** Forms as they are called without compiling. */
function eager(forms: Readonly<Record<string, Form>>): Record<string, Form> {
  const named = Object.entries(forms).map(([form, make]) => [`${form}, eager`, make] as const);
  return Object.fromEntries(named);
}

const FORMS: Readonly<Record<string, Form>> = {
  ...COMPILED,
  ...eager(formsBy(asItIs)),
  "matmul": (cg, inputs) => {
    const [a, b] = tensors(cg, inputs) as [Tensor, Tensor];
    return () => [a.matmul(b).data as Float32Array];
  },
  "squared distances": (cg, inputs) => {
    const [x] = tensors(cg, inputs) as [Tensor];
    return () => [cg.pairwiseSquaredDistance(x).data as Float32Array];
  },
  "cross entropy": (cg, inputs) =>
    gradient(
      cg,
      (logits, labels) => cg.crossEntropyLoss(logits!, labels!),
      [0],
      tensors(cg, inputs, { labels: "int32" }),
    ),
  "gaussian mmd": (cg, inputs) => {
    const batches = Object.values(inputs).flatMap(({ shape }, i) => Array(shape[0]!).fill(i));
    return gradient(
      cg,
      (x, y) => cg.mmdLoss(cg.concat([x!, y!]), batches, { kernel: "rbf" }),
      [0, 1],
      tensors(cg, inputs),
    );
  },
  "energy distance": (cg, inputs) =>
    gradient(cg, (x, y) => cg.energyDistance(x!, y!), [0, 1], tensors(cg, inputs)),
  "batch mixing softmax": batchMixing((cells) => cells - 1),
  "batch mixing topk": batchMixing(() => 15),
  "elastic cell similarity": (cg, inputs) =>
    gradient(cg, (cells) => cg.elasticCellSimilarityLoss(cells!), [0], tensors(cg, inputs)),
  "contrastive cell embedding": (cg, inputs) =>
    gradient(
      cg,
      (first, second) => cg.contrastiveCellEmbeddingLoss(first!, second!),
      [0, 1],
      tensors(cg, inputs),
    ),
  "supervised contrastive": (cg, inputs) =>
    gradient(
      cg,
      (cells, types) => cg.supervisedContrastiveLoss(cells!, types!),
      [0],
      tensors(cg, inputs, { types: "int32" }),
    ),
  "focal and dice": (cg, inputs) =>
    gradient(
      cg,
      (logits, labels) => cg.focalDiceLoss(logits!, labels!),
      [0],
      tensors(cg, inputs, { labels: "int32" }),
    ),
  "lovasz": (cg, inputs) =>
    gradient(
      cg,
      (logits, labels) => cg.lovaszLoss(logits!, labels!),
      [0],
      tensors(cg, inputs, { labels: "int32" }),
    ),
  "hausdorff": (cg, inputs) =>
    gradient(
      cg,
      (logits, labels) => cg.hausdorffLoss(logits!, labels!),
      [0],
      tensors(cg, inputs, { labels: "int32" }),
    ),
  "bernoulli and masked mse": (cg, inputs) =>
    gradient(
      cg,
      (predictions, probabilities, targets, mask) =>
        cg.maskedMseLoss(predictions!, targets!, mask!)
          .add(cg.negLogBernoulliLoss(probabilities!, targets!, mask!)),
      [0, 1],
      tensors(cg, inputs, { mask: "bool" }),
    ),
  "mlp step": (cg, inputs) => mlpStep(cg, inputs),
  lstm,
  "runge kutta": rungeKutta,
  sinkhorn,
  "sinkhorn divergence": (cg, inputs) => {
    const options = { epsilon: 5, iterations: 100, tolerance: 0 };
    const loss = (x: Tensor, y: Tensor) => cg.sinkhornDivergence(x, y, options);
    return gradient(cg, loss as never, [0, 1], tensors(cg, inputs));
  },
  "transformer layer of 4 heads": transformerLayer(4),
  "transformer layer of 8 heads": transformerLayer(8),
  "transformer step": transformerStep,
  "gaussian mixture": gaussianMixture,
  "least squares": leastSquares,
  "negative binomial": (cg, inputs) =>
    gradient(
      cg,
      (mu, theta, counts) => cg.negativeBinomialLoss(counts!, mu!, theta!),
      [0, 1],
      tensors(cg, inputs),
    ),
  "zinb": (cg, inputs) =>
    gradient(
      cg,
      (rate, theta, pi, counts) => cg.zinbLoss(counts!, rate!, theta!, pi!),
      [0, 1, 2],
      tensors(cg, inputs),
    ),
  "vae step": vaeStep,
  "jacobian, eager": (cg, inputs) => {
    const [x, w1, w2] = tensors(cg, inputs) as [Tensor, Tensor, Tensor];
    const rows = cg.jacobian((x: Tensor) => x.matmul(w1).tanh().matmul(w2).tanh());
    return () => [rows(x).data as Float32Array];
  },
  "lgamma, eager": (cg, inputs) => {
    const [x] = tensors(cg, inputs);
    return () => [cg.lgamma(x!).data as Float32Array];
  },
  "digamma, eager": (cg, inputs) => {
    const [x] = tensors(cg, inputs);
    return () => [cg.digamma(x!).data as Float32Array];
  },
  "normal": (cg, { like }) => compiled(cg, (key) => cg.normal(key!, like!.shape), [cg.key(1)]),
  // One number comes out: fresh memory for a million would cost more than to add them up.
  "cumsum": (cg, inputs) => compiled(cg, (x) => cg.cumsum(x!).square().mean(), tensors(cg, inputs)),
  "quantile": (cg, inputs) =>
    compiled(cg, (x) => cg.quantile(x!, [0.1, 0.5, 0.9]), tensors(cg, inputs)),
  "symmetric squares": (cg, inputs) =>
    gradient(cg, (x) => x!.mul(x!.transpose()).square().sum(), [0], tensors(cg, inputs)),
  "embedding and layer norm": (cg, inputs) =>
    gradient(
      cg,
      (table, genes, targets) =>
        cg.layerNorm(cg.gather(table!, genes!)).sub(targets!).square().mean(),
      [0],
      tensors(cg, inputs, { genes: "int32" }),
    ),
  "cholesky": factors((cg, a) => [cg.linalg.cholesky(a!)]),
  "eigh": factors((cg, a) => Object.values(cg.linalg.eigh(a!))),
  "svd": factors((cg, a) => Object.values(cg.linalg.svd(a!))),
  "solve": factors((cg, a, b) => [cg.linalg.solve(a!, b!)]),
  "normal likelihood": normalLikelihood,
  conv: (cg, inputs) =>
    gradient(
      cg,
      (x, kernel) => cg.conv(x!, kernel!, { padding: "same" }).square().mean(),
      [0, 1],
      tensors(cg, inputs),
    ),
  "conv value": (cg, inputs) =>
    compiled(cg, (x, kernel) => cg.conv(x!, kernel!, { padding: "same" }), tensors(cg, inputs)),
};

/** A side that does some forms with a checkout of this library. */
function sideOf(
  name: string,
  cg: Library,
  forms: Readonly<Record<string, Form>>,
  clock?: () => number,
): Side {
  const bound = Object.entries(forms).map(([form, make]) =>
    [form, (inputs: Inputs) => make(cg, inputs)] as const
  );
  return makeSide(name, "checkout", Object.fromEntries(bound), clock);
}

/** Everything that we do. */
export function makeOurs(name: string, cg: Library, threads = 1): Side {
  if (threads === 1) return sideOf(name, cg, FORMS);
  const compile: Library["compile"] = (f, args, options) =>
    cg.compile(f, args, { threads, ...options });
  return sideOf(name, { ...cg, compile }, FORMS, () => performance.now());
}

/** Programs beside what we do without compiling. */
export function makeCompiled(cg: Library): Side {
  return sideOf("compiled", cg, eager({ ...COMPILED, ...formsBy(asProgram) }));
}

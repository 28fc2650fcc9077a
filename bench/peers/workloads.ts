/**
 * What is compared: shapes, numbers, and the ratios to reach.
 *
 * @module
 */
import {
  between,
  counts,
  covariance,
  encoderLayer,
  gaussian,
  labels,
  layers,
  normal,
  numbers,
  positive,
  uniform,
} from "./numbers.ts";
import type { Inputs } from "./side.ts";

/** A peer that does a workload. */
export interface Rival {
  /** The peer's name. */
  peer: string;
  /** The ratio to reach; `null` for none. */
  target: number | null;
  /** Which of the peer's expressions, where it has several. */
  variant?: string;
}

/** A computation that every side does on the same numbers. */
export interface Workload {
  /** What it is called in results and by `--only`. */
  name: string;
  /** Which implementation of each side does it. */
  form: string;
  /** Makes the inputs. */
  inputs: () => Inputs;
  /** Who is compared with. */
  rivals: readonly Rival[];
  /** How far outputs may be apart, in proportion to the largest; 1e-4 by default. */
  tolerance?: number;
  /** What is compared of an output, where outputs are random: the output itself by default. */
  summary?: (output: Float32Array) => Float32Array;
  /** How many calls are compared before timing: several where a call changes the state; 1. */
  steps?: number;
  /** Floating-point operations of the products that it cannot do without, where they are most of it. */
  products?: number;
}

const JAX = "jax-js";
const TENSORFLOW = "tensorflow.js";
const PYTORCH = "pytorch";
const COMPILED = "compiled";

/** Peers with their targets; `undefined` for a peer that cannot, `null` for one without a target. */
function rivals(
  jax: number | undefined,
  tensorflow: number | undefined,
  pytorch: number | null,
): Rival[] {
  const all = [[JAX, jax], [TENSORFLOW, tensorflow], [PYTORCH, pytorch]] as const;
  return all.flatMap(([peer, target]) => target === undefined ? [] : [{ peer, target }]);
}

function withoutTargets(...peers: string[]): Rival[] {
  return peers.map((peer) => ({ peer, target: null }));
}

/** Mean, variance, and the share above 1. */
function moments(output: Float32Array): Float32Array {
  const mean = (f: (x: number) => number) =>
    output.reduce((sum, x) => sum + f(x), 0) / output.length;
  const center = mean((x) => x);
  return Float32Array.of(center, mean((x) => (x - center) ** 2), mean((x) => Number(x > 1)));
}

function matmul(n: number): Workload {
  return {
    name: `matmul ${n}`,
    form: "matmul",
    inputs: () => ({ a: gaussian(1, [n, n]), b: gaussian(2, [n, n]) }),
    rivals: rivals(1.5, 1.5, 0.4),
    products: 2 * n ** 3,
  };
}

function distances(n: number, pytorch: number | null): Workload {
  return {
    name: `squared distances ${n}x50`,
    form: "squared distances",
    inputs: () => ({ x: gaussian(1, [n, 50]) }),
    rivals: [
      ...rivals(10, 50, pytorch),
      // The targets were set beside (a − b)² summed; these are what a user in a hurry would write.
      { peer: TENSORFLOW, target: null, variant: "squaredDifference" },
      { peer: TENSORFLOW, target: null, variant: "expanded" },
      { peer: PYTORCH, target: null, variant: "cdist" },
    ],
  };
}

function crossEntropy(n: number, targets: Parameters<typeof rivals>): Workload {
  return {
    name: `cross entropy ${n}x20`,
    form: "cross entropy",
    inputs: () => ({ logits: gaussian(1, [n, 20]), labels: labels([n], 20) }),
    rivals: rivals(...targets),
  };
}

/** Cells whose neighbours are near enough for a temperature of 1. */
function batchMixing(selection: string, targets: Parameters<typeof rivals>): Workload {
  return {
    name: `batch mixing ${selection} 1000x50`,
    form: `batch mixing ${selection}`,
    inputs: () => ({ cells: gaussian(1, [1000, 50], 0.15), batches: labels([1000], 3) }),
    rivals: rivals(...targets),
  };
}

/** Ten thousand cells of three batches. */
function manyCells(scale: number): Inputs {
  return { cells: gaussian(1, [10_000, 50], scale), batches: labels([10_000], 3) };
}

/** Cells and their types, and a network of two layers. */
function mlp(): Inputs {
  return {
    cells: gaussian(1, [256, 2000]),
    types: labels([256], 20),
    w1: gaussian(2, [2000, 128], 0.03),
    b1: gaussian(3, [128], 0.01),
    w2: gaussian(4, [128, 20], 0.1),
    b2: gaussian(5, [20], 0.01),
  };
}

/** Negative binomials with a dispersion for each count, or for each gene. */
function vaeStep(cells: number): Workload {
  return {
    name: `vae step ${cells}x2000-128-10`,
    form: "vae step",
    inputs: () => ({
      counts: counts(1, [cells, 2000]),
      noise: gaussian(2, [cells, 10]),
      ...layers(3, [
        [2000, 128],
        [128, 10],
        [128, 10],
        [10, 128],
        [128, 2000],
        [128, 2000],
        [128, 2000],
      ]),
    }),
    rivals: rivals(undefined, undefined, 1),
    steps: 3,
  };
}

function negativeBinomial(name: string, dispersions: number[]): Workload {
  return {
    name: `${name} 256x1000`,
    form: "negative binomial",
    inputs: () => ({
      mu: positive(1, COUNTED),
      theta: positive(2, dispersions),
      counts: counts(3, COUNTED),
    }),
    rivals: rivals(undefined, undefined, 2.5),
  };
}

/** A function of positive numbers, compiled and not. */
function gammaFunction(name: string, pytorch: number): Workload[] {
  const inputs = () => ({ x: positive(1, COUNTED) });
  return [
    { name: `${name} 256x1000`, form: name, inputs, rivals: rivals(undefined, undefined, pytorch) },
    {
      name: `${name}, eager 256x1000`,
      form: `${name}, eager`,
      inputs,
      rivals: [{ peer: COMPILED, target: 0.67 }],
    },
  ];
}

/** Linear algebra in double precision; vectors may have either sign. */
function factors(form: string, inputs: () => Inputs, pytorch: number | null): Workload {
  const [first] = Object.values(inputs());
  return {
    name: `${form} ${first!.shape[0]}`,
    form,
    inputs,
    rivals: rivals(undefined, undefined, pytorch),
    summary: (output) => output.map((x) => x * x),
    // Engines compile the loops of an algorithm while they are called.
    steps: 60,
  };
}

/** A computation beside the same one compiled. */
function eagerly(name: string, inputs: () => Inputs): Workload {
  return {
    name: `${name}, eager`,
    form: `${name}, eager`,
    inputs,
    rivals: [{ peer: COMPILED, target: 0.5 }],
  };
}

const FEED_FORWARD = 512;

/** Products of a layer: forwards, and two of the same size for each on the way back. */
function layerProducts([batch, tokens, width]: [number, number, number]): number {
  const weights = 4 * width ** 2 + 2 * width * FEED_FORWARD;
  return 3 * 2 * batch * tokens * (weights + 2 * tokens * width);
}

/** Products of energy distances: of points among themselves half, then one for each gradient. */
function energyProducts(points: number, width: number): number {
  const product = 2 * points ** 2 * width;
  return (0.5 + 0.5 + 1) * product + 4 * product;
}

/** A layer of a transformer's encoder on tokens of so many features. */
function transformerLayer(shape: [number, number, number], heads: number, pytorch: number) {
  const width = shape[2];
  return {
    name: `transformer layer ${shape.join("x")}`,
    form: `transformer layer of ${heads} heads`,
    inputs: () => ({
      x: gaussian(1, shape),
      ...encoderLayer(3, width, FEED_FORWARD),
      targets: gaussian(2, shape),
    }),
    rivals: rivals(undefined, undefined, pytorch),
    products: layerProducts(shape),
  };
}

/** The parameters of twelve layers under their names. */
function twelveLayers(width: number, feedForward: number): Inputs {
  const all = Array.from(
    { length: 12 },
    (_, i) =>
      Object.entries(encoderLayer(3 + 12 * i, width, feedForward))
        .map(([name, value]) => [`layers.${i}.${name}`, value] as const),
  );
  return Object.fromEntries(all.flat());
}

/** Points in 10 dimensions, and a mixture of 25 Gaussians: inverse roots of covariances by rows. */
function mixture(): Inputs {
  return {
    alphas: gaussian(1, [25]),
    means: between(2, [25, 10], 0, 1),
    icf: gaussian(3, [25, 55]),
    x: gaussian(4, [1000, 10]),
  };
}

/**
 * A batch of 32 images of 64×64 with 32 channels, which become 32 others. TensorFlow.js has no
 * gradient of kernels on its WebAssembly backend: beside that there is the value alone, and one image
 * beside its JavaScript, which takes seconds for it.
 */
function convolution(): Workload[] {
  const inputs = (batch: number) => () => ({
    x: gaussian(1, [batch, 32, 64, 64]),
    kernel: gaussian(2, [32, 32, 3, 3], 0.06),
  });
  const all = { name: "conv 3x3 32x32x64x64", inputs: inputs(32) };
  return [
    { ...all, form: "conv", rivals: rivals(undefined, undefined, 0.35) },
    {
      ...all,
      name: `${all.name}, value`,
      form: "conv value",
      rivals: withoutTargets(TENSORFLOW, PYTORCH),
    },
    {
      name: "conv 3x3 1x32x64x64",
      form: "conv",
      inputs: inputs(1),
      rivals: rivals(undefined, 2, null),
    },
  ];
}

const MASKED = [64, 2000];
const COUNTED = [256, 1000];

/** Everything that is compared, in the order in which it is measured. */
export const WORKLOADS: readonly Workload[] = [
  matmul(512),
  matmul(1024),
  matmul(2048),
  distances(1000, null),
  distances(2000, 1.5),
  crossEntropy(4096, [5, 7, 1.5]),
  {
    name: "gaussian mmd 2x2000x32",
    form: "gaussian mmd",
    inputs: () => ({ x: gaussian(1, [2000, 32]), y: gaussian(2, [2000, 32], 1, 0.5) }),
    rivals: rivals(3, 8, 2),
  },
  {
    name: "energy distance 2x2000x50",
    form: "energy distance",
    inputs: () => ({ x: gaussian(1, [2000, 50]), y: gaussian(2, [2000, 50], 1, 0.5) }),
    // torch.cdist expands squares into products; as accurate as ours are distances from differences.
    // GeomLoss, with which State trains, has the tensorised form.
    rivals: [
      ...rivals(undefined, undefined, 4),
      { peer: PYTORCH, target: 4, variant: "differences" },
      { peer: PYTORCH, target: null, variant: "tensorised" },
    ],
    products: energyProducts(2000, 50),
  },
  batchMixing("softmax", [15, 7, 1]),
  batchMixing("topk", [undefined, undefined, 1.2]),
  {
    name: "elastic cell similarity 2000x64",
    form: "elastic cell similarity",
    inputs: () => ({ cells: gaussian(1, [2000, 64], 1, 0.7) }),
    rivals: rivals(1.7, 2, 1.5),
  },
  {
    name: "contrastive cell embedding 1024x128",
    form: "contrastive cell embedding",
    inputs: () => ({ first: gaussian(1, [1024, 128]), second: gaussian(2, [1024, 128]) }),
    rivals: [
      ...rivals(2, 2, 0.6),
      { peer: PYTORCH, target: 300, variant: "broadcast" },
    ],
  },
  {
    name: "supervised contrastive 2048x128",
    form: "supervised contrastive",
    inputs: () => ({ cells: gaussian(1, [2048, 128]), types: labels([2048], 20) }),
    rivals: rivals(undefined, undefined, 0.8),
  },
  {
    name: "focal and dice 1x4x256x256",
    form: "focal and dice",
    inputs: () => ({
      logits: gaussian(1, [1, 4, 256, 256], 2),
      labels: labels([1, 256, 256], 4),
    }),
    rivals: rivals(4, 4, 2),
  },
  {
    name: "lovasz 1x4x1000x250",
    form: "lovasz",
    inputs: () => ({
      logits: gaussian(1, [1, 4, 1000, 250], 2),
      labels: labels([1, 1000, 250], 4),
    }),
    rivals: rivals(undefined, undefined, 1),
    // Their code subtracts Jaccard losses that are nearly equal: 2 % of its gradient are rounding.
    tolerance: 0.03,
  },
  {
    name: "hausdorff 1x2x256x256",
    form: "hausdorff",
    inputs: () => ({
      logits: gaussian(1, [1, 2, 256, 256], 2),
      labels: labels([1, 256, 256], 2),
    }),
    rivals: withoutTargets(PYTORCH),
  },
  {
    name: "bernoulli and masked mse 64x2000",
    form: "bernoulli and masked mse",
    inputs() {
      const [share, value, chance] = [uniform(2), normal(3), uniform(4)];
      return {
        predictions: gaussian(1, MASKED),
        probabilities: numbers(MASKED, () => 0.98 * share() + 0.01),
        targets: numbers(MASKED, () => Math.max(0, value())),
        mask: numbers(MASKED, () => Number(chance() < 0.4)),
      };
    },
    rivals: rivals(3, 4, 1.5),
  },
  crossEntropy(64, [5, 5, 1]),
  {
    name: "mlp step 256x2000-128-20",
    form: "mlp step",
    inputs: mlp,
    rivals: rivals(1.5, 7, 0.35),
    steps: 3,
  },
  negativeBinomial("negative binomial", COUNTED),
  negativeBinomial("negative binomial by gene", COUNTED.slice(1)),
  {
    name: "zinb 256x1000",
    form: "zinb",
    inputs: () => ({
      logRate: gaussian(1, COUNTED),
      logTheta: gaussian(2, COUNTED),
      piLogit: gaussian(3, COUNTED),
      counts: counts(4, COUNTED),
    }),
    rivals: rivals(undefined, undefined, 2),
  },
  vaeStep(128),
  vaeStep(512),
  {
    name: "lstm 64x32x128-256",
    form: "lstm",
    inputs: () => ({
      x: gaussian(1, [64, 32, 128]),
      wi: gaussian(2, [128, 1024], 0.06),
      wh: gaussian(3, [256, 1024], 0.06),
      b: gaussian(4, [1024], 0.06),
    }),
    rivals: rivals(undefined, undefined, 0.5),
  },
  {
    name: "runge kutta 10000x100",
    form: "runge kutta",
    inputs: () => ({ start: between(1, [100], 0.1, 0.6), rate: between(2, [100], 0.5, 1.5) }),
    rivals: rivals(undefined, undefined, 4),
  },
  {
    name: "sinkhorn 2x1000x2",
    form: "sinkhorn",
    inputs: () => ({ x: gaussian(1, [1000, 2]), y: gaussian(2, [1000, 2], 1, 0.5) }),
    rivals: rivals(undefined, undefined, 2),
  },
  {
    name: "sinkhorn divergence 2x1000x50",
    form: "sinkhorn divergence",
    inputs: () => ({ x: gaussian(1, [1000, 50]), y: gaussian(2, [1000, 50], 1, 0.5) }),
    rivals: rivals(undefined, undefined, 2),
  },
  {
    name: "jacobian, eager 128 of 64-256",
    form: "jacobian, eager",
    inputs: () => ({
      x: gaussian(1, [64]),
      w1: gaussian(2, [64, 256], 0.1),
      w2: gaussian(3, [256, 128], 0.1),
    }),
    rivals: withoutTargets(PYTORCH),
  },
  eagerly("batch mixing 10000", () => manyCells(0.15)),
  eagerly("mmd 10000", () => manyCells(1)),
  { ...eagerly("mlp step with adam", mlp), steps: 3 },
  transformerLayer([32, 64, 128], 4, 3),
  transformerLayer([2, 1200, 512], 8, 1.8),
  {
    name: "12 transformer layers, step 32x64x128",
    form: "transformer step",
    inputs: () => ({
      x: gaussian(1, [32, 64, 128]),
      targets: gaussian(2, [32, 64, 128]),
      ...twelveLayers(128, FEED_FORWARD),
    }),
    rivals: rivals(undefined, undefined, 2),
    steps: 3,
    // The input of the first layer, and its projections to 3 · 128, need no gradient.
    products: 12 * layerProducts([32, 64, 128]) - 2 * 32 * 64 * 128 * 3 * 128,
  },
  {
    name: "gaussian mixture 1000x10, 25",
    form: "gaussian mixture",
    inputs: mixture,
    rivals: rivals(undefined, undefined, 1.2),
  },
  {
    name: "least squares 16392x128",
    form: "least squares",
    inputs: () => ({ w: gaussian(1, [128]), t: between(2, [16_392], -1, 1) }),
    rivals: rivals(undefined, undefined, 1.2),
  },
  ...["exp", "log1p", "tanh"].map((name): Workload => ({
    name: `${name}, float64 256x1000`,
    form: `${name}, float64`,
    // Exponentials of positive numbers of all sizes would be infinite.
    inputs: () => ({ x: name === "exp" ? gaussian(1, COUNTED) : positive(1, COUNTED) }),
    rivals: rivals(undefined, undefined, null),
  })),
  ...gammaFunction("lgamma", 1.5),
  ...gammaFunction("digamma", 3),
  {
    name: "normal 256x1000",
    form: "normal",
    inputs: () => ({ like: { shape: COUNTED, data: new Float32Array(256_000) } }),
    rivals: [...rivals(undefined, undefined, 0.3), ...withoutTargets(JAX, TENSORFLOW)],
    summary: moments,
    tolerance: 0.02,
  },
  ...["cumsum", "quantile"].map((form): Workload => ({
    name: `${form} 1000000`,
    form,
    inputs: () => ({ x: gaussian(1, [1_000_000], 1, 0.5) }),
    rivals: rivals(undefined, undefined, 0.5),
  })),
  {
    name: "symmetric squares 2048",
    form: "symmetric squares",
    inputs: () => ({ x: gaussian(1, [2048, 2048]) }),
    rivals: [...rivals(undefined, undefined, 3), ...withoutTargets(JAX, TENSORFLOW)],
  },
  {
    name: "embedding and layer norm 256x40x128",
    form: "embedding and layer norm",
    inputs: () => ({
      table: gaussian(1, [20_000, 128]),
      genes: labels([256, 40], 3000),
      targets: gaussian(2, [256, 40, 128]),
    }),
    rivals: [...rivals(undefined, undefined, 1), ...withoutTargets(JAX)],
  },
  factors("cholesky", () => ({ a: covariance(1, 256) }), 0.2),
  factors("eigh", () => ({ a: covariance(2, 128) }), 0.2),
  factors("svd", () => ({ a: gaussian(3, [128, 128]) }), null),
  factors("solve", () => ({ a: gaussian(4, [256, 256]), b: gaussian(5, [256, 256]) }), null),
  factors("normal likelihood", () => ({ a: covariance(6, 256), x: gaussian(7, [256]) }), null),
  ...convolution(),
];

/** The workload of a name, else those whose names contain the text; all by default. */
export function chooseWorkloads(
  workloads: readonly Workload[],
  text: string | undefined,
): readonly Workload[] {
  const wanted = (text ?? "").toLowerCase();
  const exact = workloads.filter(({ name }) => name === wanted);
  return exact.length > 0 ? exact : workloads.filter(({ name }) => name.includes(wanted));
}

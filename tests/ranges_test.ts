/** Values outside their meaning are told: every argument that has one, in all ways of running. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import * as cg from "../mod.ts";
import * as losses from "../src/losses/mod.ts";
import { gpuTest, narrow } from "./backends/webgpu/gpu.ts";
import { assertError } from "./losses/laws.ts";

type Tensor = cg.Tensor;

const f64 = (values: cg.NestedArray) => cg.tensor(values, { dtype: "float64" });
const shares = f64([[0.5, 0.25, 0.25], [0, 1, 0]]);
const waves = cg.tensor([[0.3, -1, 2], [1, 0.5, -0.2]]);
const ones = [[1, 1, 1], [1, 1, 1]];
const hierarchy = {
  levels: Int32Array.of(0, 1, 1),
  membership: [[[1], [1], [1]], [[0, 0], [1, 0], [0, 1]]],
};
const two = f64([[0.5, 0.25], [0, 1]]);
const single = (x: Tensor) => x.cast("float32");

interface RangeCase {
  /** The function, the argument, and what must hold, as messages put it. */
  readonly name: string;
  readonly must: string;
  readonly remedy?: string;
  /** Allowed values, and the loss of them. */
  readonly values: Tensor;
  readonly loss: (x: Tensor, options: { check?: boolean }) => Tensor;
  /** What is refused at any position. */
  readonly bad: readonly number[];
  /** Whether `check: false` allows it. */
  readonly optional?: true;
  /** Whether NaN is refused, too. */
  readonly nan?: true;
}

const UNIT = [5, -3, 1.0011, -0.0011, Infinity, -Infinity];
const sigmoid = "; pass probabilities, such as sigmoid(logits)";
const softmax = "; pass probabilities, such as softmax(logits)";

const positive = (name: string, argument: string) => ({
  name,
  must: `${argument} must be above 0, at least 2^-126`,
  values: f64([0.5, 1.5, 3]),
  bad: [0, -3, -Infinity],
});
const counted = (name: string, argument: string) => ({
  name,
  must: `${argument} must be at least 0`,
  values: f64([0, 1, 5]),
  bad: [-1, -Infinity],
});
const ofRows = { values: shares, bad: [5, -0.0001, 1.0011, Infinity], remedy: softmax };
const latent = { mean: [[0]], logVariance: [[0]] };

/** Losses of regression, counts and divergence. */
const COUNT_RANGES: readonly RangeCase[] = [
  {
    ...positive("gaussianNllLoss", "variance"),
    remedy: "; pass variances, such as exp(logVariance)",
    loss: (v, options) => losses.gaussianNllLoss([1, 2, 3], [3, 2, 2], v, options),
    optional: true,
  },
  ...(["nu", "alpha", "beta"] as const).map((name, i): RangeCase => ({
    ...positive("evidentialLoss", name),
    remedy: "; make it so, as by softplus",
    loss: (x, options) => {
      const [nu, alpha, beta] = [0, 1, 2].map((at) => at === i ? x : [1, 2, 3]);
      return losses.evidentialLoss([1, 2, 3], [3, 2, 2], nu!, alpha!, beta!, options);
    },
    optional: true,
  })),
  {
    ...counted("poissonLoss", "counts"),
    loss: (x, options) => losses.poissonLoss([0, 1, 2], x, options),
    optional: true,
  },
  {
    ...counted("poissonDeviance", "counts"),
    loss: (x, options) => losses.poissonDeviance([1, 1, 2], x, options),
    optional: true,
  },
  {
    ...counted("poissonDeviance", "mu"),
    values: f64([2, 1, 5]),
    loss: (mu, options) => losses.poissonDeviance(mu, [1, 0, 3], options),
    optional: true,
  },
  {
    ...counted("negativeBinomialMixtureLoss", "counts"),
    loss: (x, options) => {
      const [one, other, theta] = [[1, 1, 2], [2, 3, 4], [1, 2, 3]];
      return losses.negativeBinomialMixtureLoss(x, one, other, theta, 0, options);
    },
    optional: true,
  },
  {
    ...counted("scviObjective", "targets.counts"),
    loss: (x, options) => {
      const outputs = { ...latent, logRate: [[0, 1, 2]] };
      const settled = { likelihood: "poisson", ...options } as const;
      return losses.scviObjective(outputs, { counts: x.reshape(1, 3) }, settled).total;
    },
    optional: true,
  },
  {
    ...positive("scviObjective", "targets.libraryPriorVariance"),
    loss: (libraryPriorVariance) =>
      losses.scviObjective(
        { ...latent, logRate: [[0]], libraryMean: [1], libraryLogVariance: [1] },
        {
          ...{ counts: [[2]], batchLabels: [1] },
          ...{ libraryPriorMean: [1, 2, 3], libraryPriorVariance },
        },
        { likelihood: "poisson" },
      ).total,
  },
  ...(["klDivergence", "jensenShannonDivergence"] as const).flatMap((name): RangeCase[] => [
    {
      ...ofRows,
      name,
      must: "p must be in [0, 1]",
      loss: (p, options) => losses[name](p, [[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]], options),
      optional: true,
    },
    {
      ...ofRows,
      name,
      must: "q must be in [0, 1]",
      values: f64([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]),
      loss: (q, options) => losses[name]([[0.5, 0.25, 0.25], [0, 1, 0]], q, options),
      optional: true,
    },
  ]),
  ...(["mu", "totalCount", "dispersion", "probs"] as const).map((argument): RangeCase => ({
    ...(argument === "mu" ? counted : positive)("negativeBinomialParameters", argument),
    ...argument === "dispersion" && { remedy: "; for none, take poissonLoss" },
    ...argument === "probs" &&
      { ...ofRows, values: f64([0.1, 0.2, 0.9]), must: "probs must be in [0, 1]" },
    loss: (x) => {
      const other = argument === "mu"
        ? { theta: [1, 2, 3] }
        : argument === "dispersion"
        ? { mu: [1, 2, 3] }
        : argument === "probs"
        ? { totalCount: [1, 2, 3] }
        : { logits: [0, 1, 2] };
      const names = { ...other, [argument]: x } as never;
      const { mu, theta } = losses.negativeBinomialParameters(names);
      return mu.add(theta).sum();
    },
  })),
];

const CASES: readonly RangeCase[] = [
  {
    name: "negLogBernoulliLoss",
    must: "probs must be in [0, 1]",
    remedy: sigmoid,
    values: shares,
    loss: (p, options) => losses.negLogBernoulliLoss(p, waves, ones, options),
    bad: UNIT,
    optional: true,
  },
  ...(["mlmZeroProbs", "mvcZeroProbs"] as const).map((field): RangeCase => ({
    name: "negLogBernoulliLoss",
    must: "probs must be in [0, 1]",
    remedy: sigmoid,
    values: shares,
    loss: (p, options) =>
      losses.scgptObjective(
        {
          mlmOutput: waves,
          mvcOutput: waves,
          mlmZeroProbs: single(shares),
          mvcZeroProbs: single(shares),
          [field]: p,
        },
        { values: waves, mask: ones },
        { ecsThreshold: 0, ...options },
      ).total,
    bad: UNIT,
    optional: true,
  })),
  {
    name: "hmcnLoss",
    must: "globalOutput must be in [0, 1]",
    remedy: sigmoid,
    values: two,
    loss: (p, options) => losses.hmcnLoss(p, [single(two)], [1, 2], hierarchy, options).global,
    bad: UNIT,
    optional: true,
  },
  {
    name: "hmcnLoss",
    must: "localOutputs[0] must be in [0, 1]",
    remedy: sigmoid,
    values: two,
    loss: (p, options) => losses.hmcnLoss(single(two), [p], [1, 2], hierarchy, options).local,
    bad: UNIT,
    optional: true,
  },
  {
    name: "clusteringCompactnessLoss",
    must: "assignments must be in [0, 1]",
    remedy: softmax,
    values: shares,
    loss: (a, options) => losses.clusteringCompactnessLoss(waves, a, options),
    bad: UNIT,
    optional: true,
  },
  ...(["shannonDiversityLoss", "simpsonDiversityLoss"] as const).map((name): RangeCase => ({
    name,
    must: "assignments must be in [0, 1]",
    remedy: softmax,
    values: shares,
    loss: (a, options) => losses[name](a, options),
    bad: UNIT,
    optional: true,
  })),
  {
    name: "vaeLoss",
    must: "x must be in [0, 1]",
    remedy: '; scale it, or take reconstructionLoss "mse"',
    values: shares,
    loss: (x, options) =>
      losses.vaeLoss(x, waves, waves, waves, { reconstructionLoss: "bce", ...options }),
    bad: UNIT,
    optional: true,
  },
  {
    name: "negativeBinomialLoss",
    must: "counts must be at least 0",
    values: f64([[0, 3, 1], [2, 0, 7]]),
    loss: (x, options) => losses.negativeBinomialLoss(x, ones, ones, options),
    bad: [-1, -0.5],
    optional: true,
  },
  {
    name: "zinbLoss",
    must: "counts must be at least 0",
    values: f64([[0, 3, 1], [2, 0, 7]]),
    loss: (x, options) => losses.zinbLoss(x, ones, ones, ones, options),
    bad: [-1, -0.5],
    optional: true,
  },
  ...(["crossEntropyLoss", "focalLoss", "focalDiceLoss"] as const).map((name): RangeCase => ({
    name,
    must: "weight must be at least 0",
    values: f64([1, 2, 0.5]),
    loss: (weight) => losses[name](waves, [1, 2], { weight }),
    bad: [-1, -0.5, -Infinity],
  })),
  ...[
    ...[
      "diceLoss",
      "jaccardLoss",
      "tverskyLoss",
      "focalTverskyLoss",
      "generalizedDiceLoss",
    ] as const,
    ...["crossEntropyLoss", "focalLoss", "diceCrossEntropyLoss", "unifiedFocalLoss"] as const,
  ].map((name): RangeCase => ({
    name,
    must: "targets must be in [0, 1]",
    remedy: "; labels have the shape [N, …spatial]",
    values: shares,
    loss: (y) => losses[name](waves, y),
    bad: UNIT,
  })),
  {
    name: "binaryCrossEntropyWithLogitsLoss",
    must: "targets must be in [0, 1]",
    values: shares,
    loss: (y) => losses.binaryCrossEntropyWithLogitsLoss(waves, y),
    bad: UNIT,
  },
  {
    name: "binaryCrossEntropyLoss",
    must: "targets must be in [0, 1]",
    values: shares,
    loss: (y) => losses.binaryCrossEntropyLoss([[0.5, 0.2, 0.7], [0.1, 0.9, 0.3]], y),
    bad: UNIT,
  },
  {
    name: "binaryCrossEntropyLoss",
    must: "probs must be in [0, 1]",
    remedy: sigmoid,
    values: shares,
    loss: (p) => losses.binaryCrossEntropyLoss(p, [[1, 0, 1], [0, 1, 0]]),
    bad: UNIT,
  },
  ...(["weight", "positiveWeight"] as const).map((option): RangeCase => ({
    name: "binaryCrossEntropyWithLogitsLoss",
    must: `${option} must be at least 0`,
    values: f64([1, 2, 0.5]),
    loss: (x) => losses.binaryCrossEntropyWithLogitsLoss(waves, ones, { [option]: x }),
    bad: [-1, -0.5, -Infinity],
  })),
  ...(["diceLoss", "generalizedDiceLoss", "diceCrossEntropyLoss"] as const).map((
    name,
  ): RangeCase => ({
    name,
    must: "weight must be at least 0",
    values: f64([1, 2, 0.5]),
    loss: (weight) => losses[name](waves, [1, 2], { weight }),
    bad: [-1, -0.5, -Infinity],
  })),
  {
    name: "maskedVoxelLoss",
    must: "weight must be at least 0",
    values: f64([1, 2, 0.5]),
    loss: (weight) => losses.maskedVoxelLoss(waves, [1, 2], [1, 1], { weight }),
    bad: [-1, -0.5, -Infinity],
  },
  {
    name: "classWeights",
    must: "counts must be finite and at least 0",
    values: f64([1, 2, 0.5]),
    loss: (counts) => losses.classWeights(counts).sum(),
    bad: [-1, Infinity, -Infinity, NaN],
    nan: true,
  },
  ...COUNT_RANGES,
];

function withValue(x: Tensor, at: number, value: number): Tensor {
  const data = Float64Array.from(x.data);
  data[at] = value;
  return cg.tensor(data, { shape: x.shape, dtype: x.dtype });
}

/** A value as the element type has it. */
const as = ({ dtype }: Tensor, value: number) => dtype === "float32" ? Math.fround(value) : value;

function messageOf({ name, must, remedy = "" }: RangeCase, at: number, value: number): string {
  return `Cannot compute ${name} as ${must}: current value at position ${at} is ${value}${remedy}`;
}

for (const own of CASES) {
  const { name, must, values, loss, bad } = own;
  const title = `${name}(): ${must}`;

  Deno.test(`${title}, wherever it is, and under every transform`, () => {
    const ways: ((x: Tensor) => unknown)[] = [
      (x) => loss(x, {}),
      (x) => loss(x.cast("float32"), {}),
      (x) => cg.grad((y: Tensor) => loss(y, {}))(x),
      (x) => cg.jvp((y: Tensor) => loss(y, {}), [x], [x]),
      (x) => cg.hvp((y: Tensor) => loss(y, {}))(x, x),
      (x) => cg.grad(cg.checkpoint((y: Tensor) => loss(y, {})))(x),
    ];
    ways.forEach((way, i) => {
      for (const value of bad) {
        for (const at of [0, values.size - 1]) {
          const found = i === 1 ? Math.fround(value) : value;
          const message = messageOf(own, at, found);
          assertError(() => way(withValue(values, at, value)), RangeError, message);
        }
      }
    });
  });

  Deno.test(`${title}, in programs`, async () => {
    const f = (x: Tensor) => cg.valueAndGrad((y: Tensor) => loss(y.mul(1), {}))(x);
    await using program = await cg.compile(f, [values]);
    assertEquals((await program(values))[0].item(), loss(values, {}).item());
    for (const value of bad) {
      const at = values.size - 1;
      const error = await assertRejects(
        async () => await program(withValue(values, at, value)),
        RangeError,
      );
      assertEquals((error as Error).message, messageOf(own, at, value));
    }
  });

  gpuTest(`${title}, on a device`, async (gpu) => {
    const narrowed = narrow(values);
    const f = (x: Tensor) => loss(x, {});
    for (const g of [f, (x: Tensor) => f(x.neg().neg()), (x: Tensor) => f(x.exp().log())]) {
      await using program = await cg.compile(g, [narrowed], { device: gpu });
      await (await program(narrowed) as Tensor).read();
      if (own.nan === undefined) {
        const unknown = await gpu.put(withValue(narrowed, 1, NaN)) as Tensor;
        assertEquals((await (await program(unknown) as Tensor).read())[0], NaN);
        const late = withValue(withValue(narrowed, 0, NaN), values.size - 1, bad[0]!);
        const run = async () => await (await program(await gpu.put(late)) as Tensor).read();
        await assertRejects(run, RangeError);
      }
      for (const value of bad) {
        const at = values.size - 1;
        const given = withValue(narrowed, at, value);
        for (const x of [given, await gpu.put(given) as Tensor]) {
          const run = async () => await (await program(x) as Tensor).read();
          const error = await assertRejects(run, RangeError) as Error;
          assert(error.message.includes(`${must}: current value at position ${at} is `));
          const isExact = g === f;
          if (isExact) assertEquals(error.message, messageOf(own, at, as(narrowed, value)));
        }
      }
    }
  });

  Deno.test(`${title}, but for NaN${own.optional ? ", and unless check is false" : ""}`, () => {
    if (own.nan === undefined) {
      assertEquals(loss(withValue(values, 1, NaN), {}).item(), NaN);
    }
    if (own.optional === undefined) return;
    for (const value of bad) loss(withValue(values, 0, value), { check: false });
    for (const value of [-0.0009, 1.0009]) {
      if (/Diver[sg]/.test(name) || /at least/.test(must)) continue;
      loss(withValue(values, 0, value), {});
    }
  });
}

for (const name of ["shannonDiversityLoss", "simpsonDiversityLoss"] as const) {
  const rows = f64([[0.5, 0.25, 0.25], [0.5, 0.5, 0.5]]);
  const message = `Cannot compute ${name} as rows of assignments must sum to 1: ` +
    `current sum of row 1 is 1.5; pass probabilities, such as softmax(logits)`;

  Deno.test(`${name}() tells of rows that do not sum to 1`, async () => {
    const loss = (a: Tensor) => losses[name](a);
    assertError(() => loss(rows), RangeError, message);
    assertError(() => cg.grad(loss)(rows), RangeError, message);
    assertError(
      () => loss(f64([[0, 0]])),
      RangeError,
      message.replace("row 1 is 1.5", "row 0 is 0"),
    );
    loss(f64([[0.5, 0.5009]]));
    await using program = await cg.compile(loss, [shares]);
    const error = await assertRejects(async () => await program(rows), RangeError);
    assertEquals((error as Error).message, message);
  });

  gpuTest(`${name}() tells on a device of rows that do not sum to 1`, async (gpu) => {
    const program = await cg.compile((a: Tensor) => losses[name](a), [narrow(shares)], {
      device: gpu,
    });
    const run = async () => await (await program(narrow(rows)) as Tensor).read();
    const error = await assertRejects(run, RangeError) as Error;
    assertEquals(error.message, message);
    program.dispose();
  });
}

Deno.test("probabilities off the mask may be anything", () => {
  const p = f64([[0.5, 7, NaN]]);
  const f = (x: Tensor) => losses.negLogBernoulliLoss(x, [[1, 1, 1]], [[1, 0, 0]]);
  assertEquals(f(p).item(), Math.LN2);
  assertEquals(cg.grad(f)(p).toArray(), [[-2, 0, 0]]);
});

gpuTest("probabilities off the mask may be anything on a device", async (gpu) => {
  const f = (x: Tensor, m: Tensor) => losses.negLogBernoulliLoss(x, [[1, 1, 1]], m);
  const [p, mask] = [cg.tensor([[0.5, 7, NaN]]), cg.tensor([[1, 0, 0]])];
  for (const put of [false, true]) {
    const given = put
      ? await gpu.put([p, mask] as [Tensor, Tensor])
      : [p, mask] as [Tensor, Tensor];
    await using program = await cg.compile(f, given, { device: gpu });
    const [value] = await (await program(...given)).read();
    assert(Math.abs(value! - Math.LN2) < 1e-6);
    const both = cg.tensor([[1, 1, 0]]);
    const run = async () =>
      await (await program(given[0]!, put ? await gpu.put(both) : both)).read();
    const error = await assertRejects(run, RangeError) as Error;
    assert(error.message.includes("current value at position 1 is 7"), error.message);
  }
});

Deno.test("recall and precision that are no shares give no verdict", () => {
  for (const value of [NaN, 1.2, -0.1]) {
    assertError(
      () => losses.diagnoseClasses({ recall: [0.5, value], precision: [0.5, 0.5] }),
      RangeError,
      `Cannot compute diagnoseClasses as recall must be in [0, 1]: ` +
        `current value at position 1 is ${value}`,
    );
  }
});

import { grad, log, type Tensor, tensor } from "@cellgrad/cellgrad";
import {
  negativeBinomialLoss,
  normalKl,
  poissonLoss,
  scviObjective,
  zinbLoss,
} from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, integers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/scvi_objective.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  counts: integers([3, 4], 0, 9),
  logRate: floats([3, 4]),
  logTheta: floats([4]),
  dropoutLogits: floats([3, 4]),
  mean: floats([3, 2]),
  logVariance: floats([3, 2]),
  libraryMean: floats([3]),
  libraryLogVariance: floats([3]),
});
const prior = { libraryPriorMean: [0.5, 1], libraryPriorVariance: [0.7, 2] };
const batchLabels = [0, 1, 1];
const f64 = (values: number[]) => tensor(values, { dtype: "float64" });

Deno.test("scviObjective() agrees with the golden vectors", () => {
  checkGolden(golden, COUNT_FUNCTIONS.scvi_objective!);
});

Deno.test("scviObjective() returns each loss before its weight, a mean over cells", () => {
  fc.assert(
    fc.property(cases, ({ counts, ...outputs }) => {
      const { libraryMean, libraryLogVariance, ...plain } = outputs;
      const { total, parts } = scviObjective(
        { ...plain, libraryMean, libraryLogVariance },
        { counts, batchLabels, ...prior },
        { klWeight: 0.25 },
      );
      const { logRate, logTheta, dropoutLogits, mean, logVariance } = plain;
      assertEquals(Object.keys(parts), ["reconstruction", "klZ", "klLibrary"]);
      assertSame(parts.reconstruction!, zinbLoss(counts, logRate, logTheta, dropoutLogits).div(3));
      assertSame(parts.klZ!, normalKl(mean, logVariance));
      // KL(N(m, s²) | N(p, q²)) = log(q / s) + (s² + (m − p)²) / 2q² − ½
      const [p, q2] = [f64([0.5, 1, 1]), f64([0.7, 2, 2])];
      const s2 = libraryLogVariance.exp();
      const expected = log(q2.div(s2)).add(s2.add(libraryMean.sub(p).square()).div(q2)).sub(1);
      assertAllClose(parts.klLibrary!, expected.mean().div(2), { rtol: 1e-12 });
      const sum = parts.reconstruction!.add(parts.klZ!.mul(0.25)).add(parts.klLibrary!);
      assertSame(total, sum);
    }),
    RUNS,
  );
});

Deno.test("scviObjective() takes negative binomials, and Poissons with log counts!", () => {
  fc.assert(
    fc.property(cases, ({ counts, logRate, logTheta, mean, logVariance }) => {
      const outputs = { logRate, logTheta, mean, logVariance };
      const part = (likelihood: "nb" | "poisson") =>
        scviObjective(outputs, { counts }, { likelihood }).parts.reconstruction!;
      const nb = negativeBinomialLoss(counts, logRate.exp(), logTheta.exp());
      assertAllClose(part("nb"), nb.mul(4), { rtol: 1e-9 });
      const factorials = counts.cast("float64").add(1).lgamma();
      const poisson = poissonLoss(logRate, counts, { reduction: "sum" }).add(factorials.sum());
      assertAllClose(part("poisson"), poisson.div(3), { rtol: 1e-9 });
    }),
    RUNS,
  );
});

Deno.test("scviObjective() is zinb by default, and nb where nothing drops out", () => {
  fc.assert(
    fc.property(cases, ({ counts, logRate, logTheta, dropoutLogits, mean, logVariance }) => {
      const outputs = { logRate, logTheta, mean, logVariance };
      const never = dropoutLogits.mul(0).sub(1e4);
      const inflated = scviObjective({ ...outputs, dropoutLogits: never }, { counts }).total;
      assertSame(inflated, scviObjective(outputs, { counts }, { likelihood: "nb" }).total);
    }),
    RUNS,
  );
});

Deno.test("scviObjective() weighs the divergence of z by 1 by default", () => {
  fc.assert(
    fc.property(cases, ({ counts, logRate, mean, logVariance }) => {
      const options = { likelihood: "poisson" } as const;
      const { total, parts } = scviObjective({ logRate, mean, logVariance }, { counts }, options);
      assertSame(total, parts.reconstruction!.add(parts.klZ!));
    }),
    FEW_RUNS,
  );
});

Deno.test("scviObjective() keeps logTheta within ±10", () => {
  const total = (logTheta: Tensor) =>
    scviObjective(
      { logRate: [[0.5]], logTheta, mean: [[0]], logVariance: [[0]] },
      { counts: [[3]] },
      { likelihood: "nb" },
    ).total;
  assertSame(total(f64([12])), total(f64([10])));
  assertSame(total(f64([-12])), total(f64([-10])));
  assert(total(f64([9])).item() !== total(f64([10])).item());
  assert(total(f64([-9])).item() !== total(f64([-10])).item());
});

Deno.test("scviObjective() does not depend on the order of cells and genes", () => {
  fc.assert(
    fc.property(cases, permutations(3), permutations(4), (c, cells, genes) => {
      const byGene = (x: Tensor) => x.transpose().gather(genes).transpose();
      const { counts, logTheta, ...others } = c;
      const moved = Object.fromEntries(
        Object.entries(others).map(([name, x]) => [name, x.gather(cells)]),
      );
      const total = scviObjective({ ...others, logTheta }, {
        counts,
        batchLabels,
        ...prior,
      }).total;
      const found = scviObjective(
        {
          ...moved as typeof others,
          logRate: byGene(moved.logRate!),
          dropoutLogits: byGene(moved.dropoutLogits!),
          logTheta: logTheta.gather(genes),
        },
        {
          ...{ counts: byGene(counts.gather(cells)), ...prior },
          batchLabels: cells.map((i) => batchLabels[i]!),
        },
      ).total;
      assertAllClose(found, total, { rtol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("scviObjective() has the right first derivatives", () => {
  fc.assert(
    fc.property(cases, ({ counts, ...outputs }) => {
      const names = Object.keys(outputs) as (keyof typeof outputs)[];
      for (const likelihood of ["zinb", "nb", "poisson"] as const) {
        checkGradients(
          (...xs) =>
            scviObjective(
              Object.fromEntries(names.map((name, i) => [name, xs[i]!])) as typeof outputs,
              { counts, batchLabels, ...prior },
              { likelihood },
            ).total,
          names.map((name) => outputs[name]),
          { rtol: 1e-5, atol: 1e-7 },
        );
      }
    }),
    FEW_RUNS,
  );
});

Deno.test("scviObjective() is finite for rates and dropout logits of ±1e4", () => {
  const outputs = (rate: Tensor, logits: Tensor) => ({
    ...{ logRate: rate, logTheta: [0, 9, -9], dropoutLogits: logits },
    ...{ mean: [[1e3]], logVariance: [[-1e4]] },
  });
  const counts = [[0, 1e4, 3]];
  const f = (rate: Tensor, logits: Tensor) =>
    scviObjective(outputs(rate, logits), { counts }).total;
  assertFinite(f, [tensor([[1e4, -1e4, 0]]), tensor([[-1e4, 1e4, 1e4]])]);
});

Deno.test("scviObjective() keeps digits in float32 where theta and counts are large", () => {
  const [counts, rates, theta] = [[[1e6, 1037]], tensor([[13.8, 7]]), tensor([9.9, 9.9])];
  for (const likelihood of ["nb", "poisson"] as const) {
    const at = (dtype: "float32" | "float64") => {
      const [logRate, logTheta] = [rates, theta].map((x) => x.cast(dtype));
      const outputs = { logRate: logRate!, logTheta, mean: [[0]], logVariance: [[0]] };
      return scviObjective(outputs, { counts }, { likelihood }).total.item();
    };
    assertAllClose(at("float32"), at("float64"), { rtol: 1e-5 });
  }
});

Deno.test("scviObjective() gives targets of counts no part in the gradient of z", () => {
  const slope = grad((mean: Tensor) =>
    scviObjective({ logRate: [[1]], mean, logVariance: [[0]] }, { counts: [[2]] }, {
      likelihood: "poisson",
      klWeight: 3,
    }).total
  );
  assertEquals(slope([[2]]).toArray(), [[6]]);
});

const outputs = { logRate: [[0, 0]], logTheta: [0, 0], mean: [[0]], logVariance: [[0]] };
const counts = [[1, 0]];
const fields =
  "logRate, logTheta, dropoutLogits, libraryMean, libraryLogVariance, mean, logVariance";

testMisuse("scviObjective", [
  [
    "no dropout logits",
    () => scviObjective(outputs, { counts }),
    TypeError,
    "Cannot compute scviObjective as outputs.dropoutLogits is missing: give it, or set likelihood " +
    'to "nb" or "poisson"',
  ],
  [
    "no dispersions",
    () => scviObjective({ ...outputs, logTheta: undefined }, { counts }, { likelihood: "nb" }),
    TypeError,
    "Cannot compute scviObjective as outputs.logTheta is missing: give it, or set likelihood to " +
    '"poisson"',
  ],
  [
    "no counts",
    () => scviObjective(outputs, {} as never),
    TypeError,
    "Cannot compute scviObjective as targets.counts is missing: it is always needed",
  ],
  [
    "no means",
    () => scviObjective({ ...outputs, mean: undefined as never }, { counts }, { likelihood: "nb" }),
    TypeError,
    "Cannot compute scviObjective as outputs.mean is missing: it is always needed",
  ],
  [
    "no variances",
    () =>
      scviObjective({ ...outputs, logVariance: undefined as never }, { counts }, {
        likelihood: "nb",
      }),
    TypeError,
    "Cannot compute scviObjective as outputs.logVariance is missing: it is always needed",
  ],
  [
    "variances of another shape",
    () => scviObjective({ ...outputs, logVariance: [[0, 0]] }, { counts }, { likelihood: "nb" }),
    TypeError,
    "Cannot compute scviObjective as outputs.mean and outputs.logVariance must have the same shape: " +
    "current shapes are [1, 1] and [1, 2]",
  ],
  [
    "latent variables of other cells",
    () =>
      scviObjective({ ...outputs, mean: [[0], [0]], logVariance: [[0], [0]] }, { counts }, {
        likelihood: "nb",
      }),
    TypeError,
    "Cannot compute scviObjective as outputs.logRate and outputs.mean must have the same number of " +
    "cells: current values are 1 and 2",
  ],
  [
    "rates of other genes",
    () => scviObjective({ ...outputs, logRate: [[0]] }, { counts }),
    TypeError,
    "Cannot compute scviObjective as targets.counts and outputs.logRate must have the same shape: " +
    "current shapes are [1, 2] and [1, 1]",
  ],
  [
    "dispersions of other genes",
    () => scviObjective({ ...outputs, logTheta: [[0], [0]] }, { counts }, { likelihood: "nb" }),
    TypeError,
    "Cannot compute scviObjective as outputs.logTheta must broadcast to the shape of targets.counts: " +
    "current shapes are [2, 1] and [1, 2]",
  ],
  [
    "a part of what library sizes need",
    () => scviObjective({ ...outputs, libraryMean: [0] }, { counts }, { likelihood: "nb" }),
    TypeError,
    "Cannot compute scviObjective as outputs.libraryLogVariance is missing: give all of " +
    "outputs.libraryMean, outputs.libraryLogVariance, targets.batchLabels, " +
    "targets.libraryPriorMean and targets.libraryPriorVariance, or none",
  ],
  ...(["batchLabels", "libraryPriorMean", "libraryPriorVariance"] as const).map((name) =>
    [
      `${name} without a library size`,
      () => scviObjective(outputs, { counts, [name]: [1] }, { likelihood: "nb" }),
      TypeError,
      "Cannot compute scviObjective as outputs.libraryMean is missing: give all of " +
      "outputs.libraryMean, outputs.libraryLogVariance, targets.batchLabels, " +
      "targets.libraryPriorMean and targets.libraryPriorVariance, or none",
    ] as const
  ),
  ...([
    [
      "library sizes of other cells",
      { libraryMean: [0, 0] },
      {},
      TypeError,
      "outputs.libraryMean must have the shape [1]: current shape is [2]",
    ],
    [
      "library variances of other cells",
      { libraryLogVariance: [0, 0] },
      {},
      TypeError,
      "outputs.libraryLogVariance must have the shape [1]: current shape is [2]",
    ],
    [
      "a variance for one batch of two",
      {},
      { libraryPriorVariance: [1] },
      TypeError,
      "targets.libraryPriorVariance must have the shape [2]: current shape is [1]",
    ],
    [
      "a batch that has no prior",
      {},
      { batchLabels: [2] },
      RangeError,
      "targets.batchLabels must be in [0, 1]: current value at position 0 is 2",
    ],
    [
      "batches of other cells",
      {},
      { batchLabels: [1, 0] },
      TypeError,
      "outputs.logRate and targets.batchLabels must have the same number of cells: " +
      "current values are 1 and 2",
    ],
    [
      "a prior that is a column",
      {},
      { libraryPriorMean: [[0], [1]], libraryPriorVariance: [[1], [1]] },
      TypeError,
      "targets.libraryPriorMean must have the shape [batches]: current shape is [2, 1]",
    ],
    [
      "a variance of 0",
      {},
      { libraryPriorVariance: [1, 0] },
      RangeError,
      "targets.libraryPriorVariance must be above 0, at least 2^-126: current value at position 1 is 0",
    ],
  ] as const).map(([what, own, given, kind, message]) =>
    [
      what,
      () =>
        scviObjective(
          { ...outputs, libraryMean: [0], libraryLogVariance: [0], ...own },
          { counts, batchLabels: [0], ...prior, ...given },
          { likelihood: "nb" },
        ),
      kind,
      `Cannot compute scviObjective as ${message}`,
    ] as const
  ),
  [
    "a negative count",
    () => scviObjective(outputs, { counts: [[1, -1]] }, { likelihood: "nb" }),
    RangeError,
    "Cannot compute scviObjective as targets.counts must be at least 0: " +
    "current value at position 1 is -1",
  ],
  [
    "an unknown likelihood",
    () => scviObjective(outputs, { counts }, { likelihood: "normal" as never }),
    TypeError,
    "Cannot compute scviObjective as likelihood must be one of zinb, nb, poisson: " +
    "current value is normal",
  ],
  [
    "a negative weight",
    () => scviObjective(outputs, { counts }, { klWeight: -1 }),
    RangeError,
    "Cannot compute scviObjective as klWeight must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a check that is no boolean",
    () => scviObjective(outputs, { counts }, { check: 1 as never }),
    TypeError,
    "Cannot compute scviObjective as check must be true or false: current value is 1",
  ],
  [
    "scvi-tools' names",
    () => scviObjective({ ...outputs, px_rate: [[1]] } as never, { counts }),
    TypeError,
    `Cannot compute scviObjective as outputs must be an object with any of ${fields}: ` +
    'it has "px_rate"',
  ],
  [
    "foreign targets",
    () => scviObjective(outputs, { counts, labels: [1] } as never),
    TypeError,
    "Cannot compute scviObjective as targets must be an object with any of counts, batchLabels, " +
    'libraryPriorMean, libraryPriorVariance: it has "labels"',
  ],
  [
    "no cells",
    () =>
      scviObjective({ ...outputs, logRate: tensor([], { shape: [0, 2] }) }, {
        counts: tensor([], { shape: [0, 2] }),
      }),
    TypeError,
    "Cannot compute scviObjective as targets.counts must hold at least one cell: " +
    "current shape is [0, 2]",
  ],
]);

Deno.test("scviObjective() does not look at counts when told not to", () => {
  for (const likelihood of ["zinb", "nb", "poisson"] as const) {
    const all = { ...outputs, dropoutLogits: [[0, 0]] };
    const { parts } = scviObjective(all, { counts: [[-1, 0]] }, { likelihood, check: false });
    assertEquals(parts.klZ!.item(), 0);
  }
});

Deno.test("scviObjective() has the right second derivatives", () => {
  const x = [[2, 0], [0, 5]];
  for (const likelihood of ["zinb", "nb", "poisson"] as const) {
    checkGradients(
      (logRate, logTheta, dropoutLogits, mean) =>
        scviObjective(
          { logRate, logTheta, dropoutLogits, mean, logVariance: mean.sin() },
          { counts: x },
          { likelihood },
        ).total,
      [[[0.3, -1], [1, 0.5]], [0.4, -0.3], [[0.2, -0.7], [1, 0]], [[0.5], [-1]]],
      { order: 2, rtol: 1e-4, atol: 1e-6 },
    );
  }
});

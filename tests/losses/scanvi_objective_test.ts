import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import {
  crossEntropyLoss,
  klDivergence,
  normalKl,
  scanviObjective,
  scviObjective,
} from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, integers, RUNS } from "../arbitraries.ts";
import golden from "../golden/scanvi_objective.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

const outputs = {
  logRate: floats([3, 4]),
  logTheta: floats([4]),
  dropoutLogits: floats([3, 4]),
  z1: floats([3, 2]),
  mean: floats([3, 2]),
  logVariance: floats([3, 2]),
  z2Mean: floats([2, 3, 3]),
  z2LogVariance: floats([2, 3, 3]),
  priorMean: floats([2, 3, 2]),
  priorLogVariance: floats([2, 3, 2]),
  classLogits: floats([3, 2]),
};
const cases = fc.record({ counts: integers([3, 4], 0, 9), outputs: fc.record(outputs) });
const labels = [1, -1, 0];
const f64 = (values: number[]) => tensor(values, { dtype: "float64" });

/** `log N(z | m, e^v)` of each row. */
function logNormal(z: Tensor, m: Tensor, v: Tensor): Tensor {
  return z.sub(m).square().div(v.exp()).add(v).add(Math.log(2 * Math.PI)).sum({ axis: -1 }).div(-2);
}

Deno.test("scanviObjective() agrees with the golden vectors", () => {
  checkGolden(golden, COUNT_FUNCTIONS.scanvi_objective!);
});

Deno.test("scanviObjective() returns each loss before its weight, a mean over cells", () => {
  fc.assert(
    fc.property(cases, ({ counts, outputs: o }) => {
      const weights = { klWeight: 0.5, classificationRatio: 3 };
      const { total, parts: p } = scanviObjective(o, { counts, labels }, weights);
      assertEquals(Object.keys(p), ["reconstruction", "z1", "klZ2", "klLabels", "classification"]);
      const scvi = scviObjective(
        {
          ...{ logRate: o.logRate, logTheta: o.logTheta, dropoutLogits: o.dropoutLogits },
          ...{ mean: o.mean, logVariance: o.logVariance },
        },
        { counts },
      );
      const shares = o.classLogits.softmax();
      const expected = (byType: Tensor) => shares.transpose().mul(byType).sum({ axis: 0 }).mean();
      const prior = logNormal(o.z1, o.priorMean, o.priorLogVariance);
      const own = logNormal(o.z1, o.mean, o.logVariance).mean();
      assertSame(p.reconstruction!, scvi.parts.reconstruction!);
      assertAllClose(p.z1!, own.sub(expected(prior)), { rtol: 1e-9, atol: 1e-9 });
      assertSame(
        p.klZ2!,
        expected(normalKl(o.z2Mean, o.z2LogVariance, { reduction: "none" })),
      );
      assertAllClose(p.klLabels!, klDivergence(shares, shares.mul(0).add(0.5)), { atol: 1e-12 });
      assertSame(
        p.classification!,
        crossEntropyLoss(o.classLogits, labels, { ignoreIndex: -1 }),
      );
      const weighted = p.klZ2!.add(p.klLabels!).mul(0.5).add(p.classification!.mul(3));
      assertAllClose(total, p.reconstruction!.add(p.z1!).add(weighted), { rtol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("scanviObjective() weighs by 1, and the classifier by 50, by default", () => {
  fc.assert(
    fc.property(cases, ({ counts, outputs }) => {
      const { total, parts: p } = scanviObjective(outputs, { counts, labels });
      const bound = p.reconstruction!.add(p.z1!).add(p.klZ2!).add(p.klLabels!);
      assertAllClose(total, bound.add(p.classification!.mul(50)), { rtol: 1e-12 });
      assertAllClose(scanviObjective(outputs, { counts }).total, bound, { rtol: 1e-12 });
    }),
    FEW_RUNS,
  );
});

Deno.test("scanviObjective() weighs the divergence of library sizes, where scviObjective() does not", () => {
  fc.assert(
    fc.property(cases, ({ counts, outputs }) => {
      const library = { libraryMean: f64([1, 2, 3]), libraryLogVariance: f64([0, 1, -1]) };
      const prior = {
        batchLabels: [0, 1, 1],
        libraryPriorMean: [1, 2],
        libraryPriorVariance: [1, 2],
      };
      const found = scanviObjective({ ...outputs, ...library }, { counts, ...prior }, {
        klWeight: 0.5,
      });
      const without = scanviObjective(outputs, { counts }, { klWeight: 0.5 }).total;
      const scvi = scviObjective({ ...outputs2(outputs), ...library }, { counts, ...prior });
      assertSame(found.parts.klLibrary!, scvi.parts.klLibrary!);
      assertAllClose(found.total, without.add(scvi.parts.klLibrary!.div(2)), { rtol: 1e-12 });
    }),
    FEW_RUNS,
  );
});

function outputs2<O extends Record<keyof typeof outputs, Tensor>>(o: O) {
  const { logRate, logTheta, dropoutLogits, mean, logVariance } = o;
  return { logRate, logTheta, dropoutLogits, mean, logVariance };
}

Deno.test("scanviObjective() takes known labels for certain on request", () => {
  fc.assert(
    fc.property(cases, ({ counts, outputs: o }) => {
      const options = { conditionOnLabels: true, classificationRatio: 0 };
      const { parts } = scanviObjective(o, { counts, labels }, options);
      // As if the classifier were certain of them, but for the divergence of the types.
      const certain = tensor([[-1e4, 1e4], [0, 0], [1e4, -1e4]], { dtype: "float64" });
      const unknown = tensor([[0], [1], [0]], { dtype: "float64" });
      const classLogits = o.classLogits.mul(unknown).add(certain);
      const same = scanviObjective({ ...o, classLogits }, { counts }).parts;
      assertSame(parts.z1!, same.z1!);
      assertSame(parts.klZ2!, same.klZ2!);
      const shares = o.classLogits.at(1).softmax();
      assertAllClose(parts.klLabels!, klDivergence(shares, [0.5, 0.5]).div(3), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("scanviObjective() takes a prior of types", () => {
  fc.assert(
    fc.property(cases, ({ counts, outputs }) => {
      const labelPrior = f64([0.2, 0.8]);
      const { parts } = scanviObjective(outputs, { counts, labelPrior });
      const shares = outputs.classLogits.softmax();
      const prior = shares.mul(0).add(labelPrior);
      assertAllClose(parts.klLabels!, klDivergence(shares, prior), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("scanviObjective() takes labelled cells that are others", () => {
  fc.assert(
    fc.property(cases, floats([5, 2]), ({ counts, outputs }, classificationLogits) => {
      const others = [0, 1, 1, 0, -1];
      const found = scanviObjective({ ...outputs, classificationLogits }, {
        counts,
        labels: others,
      });
      const expected = crossEntropyLoss(classificationLogits, others, { ignoreIndex: -1 });
      assertSame(found.parts.classification!, expected);
    }),
    RUNS,
  );
});

Deno.test("scanviObjective() of one type that is sure is scVI's with two levels", () => {
  const z = [[0.5]];
  const one = {
    z2Mean: [[[0]]],
    z2LogVariance: [[[0]]],
    priorMean: [z],
    priorLogVariance: [[[0]]],
  };
  const { parts } = scanviObjective(
    { logRate: [[0]], z1: z, mean: z, logVariance: [[0]], classLogits: [[3]], ...one },
    { counts: [[1]] },
    { likelihood: "poisson" },
  );
  for (const name of ["z1", "klZ2", "klLabels"] as const) {
    assertAlmostEquals(parts[name]!.item(), 0, 1e-6);
  }
});

Deno.test("scanviObjective() moves the classifier by the divergence of z, without any label", () => {
  const slope = grad((classLogits: Tensor) =>
    scanviObjective(
      {
        ...{ logRate: [[0]], z1: [[0]], mean: [[0]], logVariance: [[0]], classLogits },
        ...{ z2Mean: [[[0]], [[2]]], z2LogVariance: [[[0]], [[0]]] },
        ...{ priorMean: [[[0]], [[0]]], priorLogVariance: [[[0]], [[0]]] },
      },
      { counts: [[0]] },
      { likelihood: "poisson" },
    ).total
  )(tensor([[0, 0]], { dtype: "float64" }));
  // p (1 − p) times the difference of the divergences, 2.
  assertSame(slope, tensor([[-0.5, 0.5]], { dtype: "float64" }));
});

Deno.test("scanviObjective() has the right first derivatives", () => {
  const names = Object.keys(outputs) as (keyof typeof outputs)[];
  fc.assert(
    fc.property(cases, fc.boolean(), ({ counts, outputs }, conditionOnLabels) => {
      checkGradients(
        (...xs) =>
          scanviObjective(
            Object.fromEntries(names.map((name, i) => [name, xs[i]!])) as typeof outputs,
            { counts, labels },
            { conditionOnLabels, klWeight: 0.5 },
          ).total,
        names.map((name) => outputs[name]),
        { rtol: 1e-5, atol: 1e-6 },
      );
    }),
    FEW_RUNS,
  );
});

Deno.test("scanviObjective() is finite for logits of ±1e4", () => {
  const byType = tensor([[[100]], [[-100]]]);
  assertFinite(
    (classLogits, z) =>
      scanviObjective(
        {
          ...{ logRate: [[1e4]], logTheta: [0], z1: z, mean: z, logVariance: [[-50]], classLogits },
          ...{ z2Mean: byType, z2LogVariance: byType.mul(0.5) },
          ...{ priorMean: byType, priorLogVariance: byType.mul(0.5) },
        },
        { counts: [[3]], labels: [0] },
        { likelihood: "nb" },
      ).total,
    [tensor([[1e4, -1e4]]), tensor([[50]])],
  );
});

const z = [[0, 0]];
const byType = [[[0, 0]], [[0, 0]]];
const some = {
  ...{ logRate: [[0]], z1: z, mean: z, logVariance: z, classLogits: [[0, 0]] },
  ...{ z2Mean: byType, z2LogVariance: byType, priorMean: byType, priorLogVariance: byType },
};
const call = (own: object, targets: object = {}, options: object = {}) => () =>
  scanviObjective({ ...some, ...own }, { counts: [[0]], ...targets }, {
    likelihood: "poisson",
    ...options,
  });
const ours = "Cannot compute scanviObjective as ";

testMisuse("scanviObjective", [
  ...(["z1", "mean", "logVariance", "z2Mean", "z2LogVariance", "priorMean", "priorLogVariance"]
    .concat("classLogits")).map((name) =>
      [
        `no ${name}`,
        call({ [name]: undefined }),
        TypeError,
        `${ours}outputs.${name} is missing: it is always needed`,
      ] as const
    ),
  [
    "labels that are needed",
    call({}, {}, { conditionOnLabels: true }),
    TypeError,
    `${ours}targets.labels is missing: give it, or set conditionOnLabels to false`,
  ],
  [
    "labels of other cells than those that they condition",
    call({ classificationLogits: [[0, 0], [0, 0]] }, { labels: [0, 1] }, {
      conditionOnLabels: true,
    }),
    TypeError,
    `${ours}targets.labels must have the shape [1]: current shape is [2]`,
  ],
  [
    "a label that is no type",
    call({}, { labels: [2] }, { conditionOnLabels: true }),
    RangeError,
    `${ours}targets.labels must be in [0, 1] or ignoreIndex -1: current value at position 0 is 2`,
  ],
  [
    "types of other cells",
    call({ classLogits: [[0, 0], [0, 0]] }),
    TypeError,
    `${ours}outputs.logRate and outputs.classLogits must have the same number of cells: ` +
    "current values are 1 and 2",
  ],
  [
    "z1 of other cells",
    call({ z1: [[0], [0]], mean: [[0], [0]], logVariance: [[0], [0]] }),
    TypeError,
    `${ours}outputs.z1 must have the shape [1, dimensions]: current shape is [2, 1]`,
  ],
  [
    "a prior of z1 with other dimensions",
    call({ priorMean: [[[0]], [[0]]], priorLogVariance: [[[0]], [[0]]] }),
    TypeError,
    `${ours}outputs.priorMean must have the shape [2, 1, 2]: current shape is [2, 1, 1]`,
  ],
  [
    "z2 with cells before types",
    call({ z2Mean: [[[0], [0]]], z2LogVariance: [[[0], [0]]] }),
    TypeError,
    `${ours}outputs.z2Mean must have the shape [2, 1, dimensions]: current shape is [1, 2, 1]`,
  ],
  [
    "a prior of other types",
    call({}, { labelPrior: [1] }),
    TypeError,
    `${ours}targets.labelPrior must have the shape [2]: current shape is [1]`,
  ],
  [
    "a prior that does not sum to 1",
    call({}, { labelPrior: [0.5, 0.25] }),
    RangeError,
    `${ours}rows of targets.labelPrior must sum to 1: current sum of row 0 is 0.75; ` +
    "pass probabilities, such as softmax(logits)",
  ],
  [
    "a negative count",
    call({}, { counts: [[-1]] }),
    RangeError,
    `${ours}targets.counts must be at least 0: current value at position 0 is -1`,
  ],
  [
    "a negative ratio",
    call({}, {}, { classificationRatio: -1 }),
    RangeError,
    `${ours}classificationRatio must be a finite number at least 0: current value is -1`,
  ],
  [
    "a negative weight",
    call({}, {}, { klWeight: -1 }),
    RangeError,
    `${ours}klWeight must be a finite number at least 0: current value is -1`,
  ],
  [
    "a switch that is no boolean",
    call({}, {}, { conditionOnLabels: 1 }),
    TypeError,
    `${ours}conditionOnLabels must be true or false: current value is 1`,
  ],
  [
    "a check that is no boolean",
    call({}, {}, { check: 1 }),
    TypeError,
    `${ours}check must be true or false: current value is 1`,
  ],
  [
    "an unknown likelihood",
    call({}, {}, { likelihood: "normal" }),
    TypeError,
    `${ours}likelihood must be one of zinb, nb, poisson: current value is normal`,
  ],
  [
    "a foreign output",
    call({ qz1: 1 }),
    TypeError,
    `${ours}outputs must be an object with any of logRate, logTheta, dropoutLogits, libraryMean, ` +
    "libraryLogVariance, z1, mean, logVariance, z2Mean, z2LogVariance, priorMean, " +
    'priorLogVariance, classLogits, classificationLogits: it has "qz1"',
  ],
]);

import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import {
  diceLoss,
  focalTverskyLoss,
  generalizedDiceLoss,
  jaccardLoss,
  tverskyLoss,
} from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, RUNS } from "../arbitraries.ts";
import { assertAllZero, assertFinite, assertSame } from "./laws.ts";
import {
  type Counted,
  generalizedPlainly,
  type OverlapCase,
  overlapCases,
  ratio,
  ratioLoss,
  shareCases,
} from "./overlap_cases.ts";

const MANY_RUNS = { ...RUNS, numRuns: 300 };

/** Which of the options a loss has. */
interface Family {
  name: string;
  // deno-lint-ignore no-explicit-any
  loss: (logits: Tensor, targets: any, options: any) => Tensor;
  plain: (c: OverlapCase) => number[];
  squared?: true;
  pooled?: true;
}

const tversky = ({ tp, fp, fn }: Counted, s: number) =>
  1 - ratio(tp + s, tp + 0.7 * fp + 0.3 * fn + s);

const FAMILY: Family[] = [
  {
    name: "diceLoss",
    loss: diceLoss,
    plain: (c) =>
      ratioLoss(
        c,
        ({ tp, fp, fn }) =>
          1 - ratio(2 * tp + c.options.smooth, 2 * tp + fp + fn + c.options.smooth),
      ),
    squared: true,
    pooled: true,
  },
  {
    name: "jaccardLoss",
    loss: jaccardLoss,
    plain: (c) =>
      ratioLoss(
        c,
        ({ tp, fp, fn }) => 1 - ratio(tp + c.options.smooth, tp + fp + fn + c.options.smooth),
      ),
    squared: true,
    pooled: true,
  },
  {
    name: "tverskyLoss",
    loss: tverskyLoss,
    plain: (c) => ratioLoss(c, (counts) => tversky(counts, c.options.smooth)),
    pooled: true,
  },
  {
    name: "focalTverskyLoss",
    loss: focalTverskyLoss,
    plain: (c) => ratioLoss(c, (counts) => Math.abs(tversky(counts, c.options.smooth)) ** 0.75),
    pooled: true,
  },
  {
    name: "generalizedDiceLoss",
    loss: generalizedDiceLoss,
    plain: generalizedPlainly,
    squared: true,
  },
];

/** A case with more of what the loss can be told. */
function withMore(
  c: OverlapCase,
  { squared, pooled }: Family,
  flags: [boolean, boolean],
): OverlapCase {
  const options = { ...c.options };
  if (squared) options.squared = flags[0];
  if (pooled && flags[1]) {
    options.perClass = false;
    delete options.weight;
  }
  return { ...c, options };
}

for (const family of FAMILY) {
  const { name, loss, plain } = family;

  Deno.test(`${name}() is what its formula says, with any options`, () => {
    fc.assert(
      fc.property(overlapCases, fc.boolean(), fc.boolean(), (given, squared, pooled) => {
        const c = withMore(given, family, [squared, pooled]);
        const found = loss(c.logits, c.targets, c.options);
        const expected = plain(c);
        assertEquals(found.size, expected.length);
        const samples = c.options.perSample ? [c.logits.shape[0]!] : [];
        const classes = name === "generalizedDiceLoss" || c.options.perClass === false
          ? []
          : [c.logits.shape[1]! - (c.options.includeBackground ? 0 : 1)];
        const shape = c.options.reduction === "none" ? [...samples, ...classes] : [];
        assertEquals(found.shape, shape);
        const tolerance = name === "focalTverskyLoss" ? 1e-7 : 1e-11;
        assertAllClose(found.reshape(-1), expected, { rtol: 1e-9, atol: tolerance });
      }),
      MANY_RUNS,
    );
  });

  Deno.test(`${name}() has the right derivatives with any options`, () => {
    fc.assert(
      fc.property(overlapCases, fc.boolean(), fc.boolean(), (given, squared, pooled) => {
        const { logits, targets, options } = withMore(given, family, [squared, pooled]);
        const smooth = Math.max(options.smooth, 0.1); // an exact hit is a corner of the power
        const { weight, ...others } = { ...options, smooth };
        const f = (z: Tensor, w?: Tensor) => loss(z, targets, { ...others, weight: w });
        checkGradients(f, weight ? [logits, weight] : [logits], { order: 2, rtol: 1e-5 });
      }),
      { ...FEW_RUNS, numRuns: 12 },
    );
  });

  Deno.test(`${name}() has derivatives by shares`, () => {
    fc.assert(
      fc.property(shareCases, fc.boolean(), ({ logits, shares, weight }, perSample) => {
        const f = (z: Tensor, y: Tensor, w: Tensor) => loss(z, y, { weight: w, perSample });
        checkGradients(f, [logits, shares, weight], { order: 2, rtol: 1e-5 });
      }),
      FEW_RUNS,
    );
  });

  Deno.test(`${name}() has derivatives by shares of 0 and 1`, () => {
    const options = { dtype: "float64" } as const;
    const logits = tensor([[1, 0, 2], [0, 1, -1]], options);
    const shares = tensor([[0, 0.5, 1], [1, 0, 0.25]], options);
    checkGradients((z, y) => loss(z, y, {}), [logits, shares]);
  });

  Deno.test(`${name}() lies in [0, 1]`, () => {
    fc.assert(
      fc.property(classCases(), fc.boolean(), ({ logits, labels }, perSample) => {
        for (const activation of ["softmax", "sigmoid"]) {
          const value = loss(logits, labels, { activation, perSample, smooth: 0 }).item();
          assertGreaterOrEqual(value, -1e-15);
          assertLessOrEqual(value, 1);
        }
      }),
      RUNS,
    );
  });

  Deno.test(`${name}() of one sample is the same per sample and per batch`, () => {
    fc.assert(
      fc.property(classCases(), ({ logits, labels, weight }) => {
        const [z, y] = [logits.slice(0, 1), labels.slice(0, 1)];
        assertSame(loss(z, y, { perSample: true, weight }), loss(z, y, { weight }));
      }),
      RUNS,
    );
  });

  Deno.test(`${name}() per sample is the mean of the samples`, () => {
    fc.assert(
      fc.property(classCases(), ({ logits, labels }) => {
        const n = logits.shape[0]!;
        const each = Array.from(
          { length: n },
          (_, i) => loss(logits.slice(i, i + 1), labels.slice(i, i + 1), {}).item(),
        );
        const mean = each.reduce((a, b) => a + b, 0) / n;
        assertSame(loss(logits, labels, { perSample: true }), mean);
      }),
      RUNS,
    );
  });

  Deno.test(`${name}() of certain and right logits is 0, by any activation`, () => {
    const logits = tensor([[[99, -99]], [[-99, 99]]]).reshape([1, 2, 2]);
    for (const activation of ["softmax", "sigmoid"] as const) {
      for (const absent of ["count", "skip"] as const) {
        for (const smooth of [0, 1]) {
          const f = (z: Tensor) => loss(z, [[0, 1]], { activation, absent, smooth });
          assertLess(assertFinite(f, [logits]), 1e-6);
        }
      }
    }
  });

  Deno.test(`${name}() is finite for logits of ±1e4 and tiny masses, by labels and one-hot`, () => {
    const logits = [1e4, -1e4, 0, 88.5, -88.5, -95, -103, 80].flatMap((z) => [
      [[z, -z, 0], [z, 0, 0]],
      [[z, z, z], [z, z, z]],
    ]);
    for (const targets of [[0, 0], [[1, 0, 0], [1, 0, 0]], [[0, 0, 0], [0, 0, 0]]]) {
      for (const activation of ["softmax", "sigmoid"] as const) {
        for (const absent of ["count", "skip"] as const) {
          for (const smooth of [0, 1e-5, 1]) {
            const options = { activation, absent, smooth, perSample: true };
            for (const z of logits) assertFinite((x) => loss(x, targets, options), [tensor(z)]);
          }
        }
      }
    }
  });

  Deno.test(`${name}() has no gradient where what it skips is all there is`, () => {
    const f = (z: Tensor) => loss(z, zeros([2, 3]), { absent: "skip" });
    const logits = tensor([[1, 2, 3], [3, 2, 1]]);
    assertEquals(f(logits).item(), 0);
    assertAllZero(grad(f)(logits));
  });

  Deno.test(`${name}() of no samples is 0`, () => {
    const none = zeros([0, 2, 3]);
    for (const perSample of [true, false]) {
      for (const absent of ["count", "skip"]) {
        assertEquals(loss(none, none, { perSample, absent }).item(), 0);
      }
    }
  });

  Deno.test(`${name}() takes one-hot integers and booleans as labels`, () => {
    const logits = tensor([[1, 0, 2], [0, 1, 0]]);
    const expected = loss(logits, [2, 0], {});
    const rows = [[0, 0, 1], [1, 0, 0]];
    for (const dtype of ["int32", "bool", "float32", "float64"] as const) {
      const found = loss(logits, tensor(rows, { dtype }), {});
      assertEquals([found.item(), found.dtype], [expected.item(), "float32"]);
    }
  });
}

Deno.test("sums of squares are the same by labels and one-hot", () => {
  const logits = tensor([[3, 1], [0, 2]], { dtype: "float64" });
  for (const loss of [diceLoss, jaccardLoss, generalizedDiceLoss]) {
    const [labels, oneHot] = [[0, 1], [[1, 0], [0, 1]]];
    const options = { squared: true };
    assertSame(loss(logits, labels, options), loss(logits, oneHot, options));
  }
});

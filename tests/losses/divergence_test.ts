import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { jensenShannonDivergence, klDivergence } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
} from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, permutations, RUNS } from "../arbitraries.ts";
import js from "../golden/jensen_shannon.json" with { type: "json" };
import kl from "../golden/kl_divergence.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertReductions, assertSame, testMisuse } from "./laws.ts";
import published from "./published_counts.json" with { type: "json" };

const shares = (shape: number[]) => floats(shape).map((x) => x.softmax());
const cases = fc.record({ p: shares([2, 4]), q: shares([2, 4]), r: shares([2, 4]) });
const f64 = (values: number[][]) => tensor(values, { dtype: "float64" });

Deno.test("klDivergence() agrees with the golden vectors", () => {
  checkGolden(kl, COUNT_FUNCTIONS.kl_divergence!);
});

Deno.test("jensenShannonDivergence() agrees with the golden vectors", () => {
  checkGolden(js, COUNT_FUNCTIONS.jensen_shannon!);
});

Deno.test("klDivergence() agrees with optax's tables", () => {
  const { logQ, p, logP, expected, expectedOfLogarithms, expectedConvex, tolerance } = published.kl;
  const q = f64(logQ).exp();
  const rows = (x: Tensor) => klDivergence(x, q, { reduction: "none" });
  const within = { atol: tolerance };
  assertAllClose(rows(f64(p)), expected, within);
  assertAllClose(klDivergence(p[0]!, q.at(0)), expected[0]!, within);
  assertAllClose(rows(f64(logP).exp()), expectedOfLogarithms, within);
  // Its convex form adds what the rows' sums differ by.
  const convex = rows(f64(p)).add(q.sum({ axis: 1 })).sub(f64(p).sum({ axis: 1 }));
  assertAllClose(convex, expectedConvex, within);
});

Deno.test("jensenShannonDivergence() is the square of SciPy's", () => {
  for (const { p, q, expected } of published.jensenShannon.rows) {
    assertSame(jensenShannonDivergence(f64([p]), f64([q])), expected ** 2);
  }
});

Deno.test("klDivergence() is the sum of p log(p / q), at least 0, and 0 of equal rows", () => {
  fc.assert(
    fc.property(cases, ({ p, q }) => {
      const expected = p.mul(p.div(q).log()).sum({ axis: 1 });
      assertAllClose(klDivergence(p, q, { reduction: "none" }), expected, { atol: 1e-13 });
      assertGreaterOrEqual(klDivergence(p, q).item(), -1e-15);
      assertEquals(klDivergence(p, p).item(), 0);
    }),
    RUNS,
  );
});

Deno.test("jensenShannonDivergence() is symmetric, in [0, log 2], and made of two klDivergence()", () => {
  fc.assert(
    fc.property(cases, ({ p, q }) => {
      const loss = jensenShannonDivergence(p, q);
      const middle = p.add(q).div(2);
      assertSame(jensenShannonDivergence(q, p), loss);
      assertSame(loss, klDivergence(p, middle).add(klDivergence(q, middle)).div(2));
      assertGreaterOrEqual(loss.item(), 0);
      assertLessOrEqual(loss.item(), Math.LN2);
      assertEquals(jensenShannonDivergence(p, p).item(), 0);
    }),
    RUNS,
  );
});

Deno.test("the root of jensenShannonDivergence() is a distance", () => {
  fc.assert(
    fc.property(cases, ({ p, q, r }) => {
      const root = (x: Tensor, y: Tensor) =>
        Math.sqrt(jensenShannonDivergence(x.at(0), y.at(0)).item());
      assertLessOrEqual(root(p, r), root(p, q) + root(q, r) + 1e-12);
    }),
    RUNS,
  );
});

Deno.test("divergences do not depend on the order of classes, and are means of sums over rows", () => {
  fc.assert(
    fc.property(cases, permutations(4), ({ p, q }, order) => {
      for (const loss of [klDivergence, jensenShannonDivergence]) {
        const moved = [p, q].map((x) => x.transpose().gather(order).transpose());
        assertAllClose(loss(moved[0]!, moved[1]!), loss(p, q), { atol: 1e-14 });
        assertReductions((reduction) => loss(p, q, { reduction }), 2);
        assertSame(loss(p.at(0), q.at(0)), loss(p, q, { reduction: "none" }).at(0));
      }
    }),
    RUNS,
  );
});

Deno.test("klDivergence() keeps its digits in float32 where rows are close", () => {
  const shares = [0.1, 0.2, 0.3, 0.4];
  const off = [1e-5, -1e-5, 2e-5, -2e-5];
  const [p, q] = [tensor([shares]), tensor([shares.map((x, i) => x + off[i]!)])];
  // Of the numbers that float32 holds, which do not add up to 1 exactly.
  const exact = klDivergence(p.cast("float64"), q.cast("float64")).item();
  const plain = p.mul(p.div(q).log()).sum().item();
  const own = klDivergence(p, q).item();
  const excess = p.cast("float64").sum().sub(q.cast("float64").sum()).item();
  assertAlmostEquals((own - exact) / (exact - excess), 0, 1e-4);
  assertGreaterOrEqual(Math.abs((plain - exact) / (exact - excess)), 1);
  const symmetric = jensenShannonDivergence(p, q).item();
  const wide = jensenShannonDivergence(p.cast("float64"), q.cast("float64")).item();
  assertAlmostEquals(symmetric / wide, 1, 1e-5);
});

Deno.test("probabilities of 0 cost nothing, and get gradient 0", () => {
  const [p, q] = [f64([[0, 0.5, 0.5]]), f64([[0.2, 0.3, 0.5]])];
  const slopes = grad((a: Tensor, b: Tensor) => klDivergence(a, b), { argnums: [0, 1] })(p, q);
  assertSame(slopes[0]!, f64([[0, Math.log(0.5 / 0.3) + 1, 1]]));
  assertSame(slopes[1]!, f64([[0, -0.5 / 0.3, -1]]));
  assertSame(klDivergence(p, q), 0.5 * Math.log(0.5 / 0.3));
  const both = [f64([[0, 0, 1]]), f64([[0, 0.5, 0.5]])];
  const by = grad((a: Tensor, b: Tensor) => jensenShannonDivergence(a, b), { argnums: [0, 1] })(
    ...both as [Tensor, Tensor],
  );
  const log = (x: number) => Math.log(x) / 2;
  assertSame(by[0]!, f64([[0, 0, log(1 / 0.75)]]));
  assertSame(by[1]!, f64([[0, log(2), log(0.5 / 0.75)]]));
});

Deno.test("klDivergence() is ∞ where q rules out what p has, and 0 where both are 0", () => {
  assertEquals(klDivergence([[0.5, 0.5]], [[1, 0]]).item(), Infinity);
  assertEquals(klDivergence([[1, 0]], [[1, 0]]).item(), 0);
  assertEquals(klDivergence([[1, 0]], [[1, NaN]]).item(), NaN);
});

Deno.test("divergences of probabilities that softmax made are finite for logits of ±1e4", () => {
  const [a, b] = [tensor([[1e4, -1e4, 0], [-1e4, 0, 1e4]]), tensor([[0, 1e4, 0], [0, 1, 2]])];
  assertFinite((x, y) => jensenShannonDivergence(x.softmax(), y.softmax()), [a, b]);
  assertFinite((x) => klDivergence(x.softmax(), [[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]), [a]);
});

Deno.test("divergences have the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ p, q }) => {
      for (const loss of [klDivergence, jensenShannonDivergence]) {
        const f = (a: Tensor, b: Tensor) => loss(a, b, { check: false });
        checkGradients(f, [p, q], { order: 2, rtol: 1e-5, atol: 1e-6 });
      }
    }),
    FEW_RUNS,
  );
});

Deno.test("divergences of nothing are 0, and of unnormalised rows what the formula gives", () => {
  const none = zeros([0, 3]);
  assertEquals(klDivergence(none, none).item(), 0);
  assertEquals(jensenShannonDivergence(none, none).item(), 0);
  assertSame(klDivergence(f64([[0.5, 0.2]]), f64([[0.1, 0.1]])), Math.log(5) / 2 + Math.LN2 / 5);
  assert(klDivergence([[2]], [[1]], { check: false }).item() > 1);
});

testMisuse("klDivergence", [
  [
    "logarithms",
    () => klDivergence([[0.5, 0.5]], [[-0.7, -0.7]]),
    RangeError,
    "Cannot compute klDivergence as q must be in [0, 1]: current value at position 0 is " +
    `${Math.fround(-0.7)}; pass probabilities, such as softmax(logits)`,
  ],
  [
    "counts",
    () => klDivergence([[0, 2]], [[0.5, 0.5]]),
    RangeError,
    "Cannot compute klDivergence as p must be in [0, 1]: current value at position 1 is 2; " +
    "pass probabilities, such as softmax(logits)",
  ],
  [
    "scalars",
    () => klDivergence(0.5, 0.5),
    TypeError,
    "Cannot compute klDivergence as p must have a last axis to sum over: current shape is []",
  ],
  [
    "shapes that differ",
    () => klDivergence([[1, 0]], [1, 0]),
    TypeError,
    "Cannot compute klDivergence as p and q must have the same shape: " +
    "current shapes are [1, 2] and [2]",
  ],
  [
    "PyTorch's batchmean",
    () => klDivergence([[1, 0]], [[1, 0]], { reduction: "batchmean" as never }),
    TypeError,
    "Cannot compute klDivergence as reduction must be one of mean, sum, none: " +
    "current value is batchmean",
  ],
  [
    "a check that is no boolean",
    () => klDivergence([[1, 0]], [[1, 0]], { check: 1 as never }),
    TypeError,
    "Cannot compute klDivergence as check must be true or false: current value is 1",
  ],
]);

testMisuse("jensenShannonDivergence", [
  [
    "a negative probability",
    () => jensenShannonDivergence([[-0.5, 1]], [[0.5, 0.5]]),
    RangeError,
    "Cannot compute jensenShannonDivergence as p must be in [0, 1]: current value at position 0 " +
    "is -0.5; pass probabilities, such as softmax(logits)",
  ],
  [
    "SciPy's base",
    () => jensenShannonDivergence([[1, 0]], [[1, 0]], { base: 2 } as never),
    TypeError,
    "Cannot compute jensenShannonDivergence as there is no option base: " +
    "the options are reduction, check",
  ],
]);

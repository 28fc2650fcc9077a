import {
  grad,
  key,
  normal,
  type Tensor,
  tensor,
  uniform,
  valueAndGrad,
  vmap,
  zeros,
} from "@cellgrad/cellgrad";
import { coxLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, integers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/cox.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";
import published from "./published_counts.json" with { type: "json" };

const cases = fc.record({
  h: floats([6]),
  times: integers([6], 1, 4),
  events: integers([6], 0, 1),
});
const f64 = (...values: number[]) => tensor(values, { dtype: "float64" });

/** The formula over all pairs: one term per cell, 0 where censored. */
function terms(h: Tensor, times: Tensor, events: Tensor): number[] {
  return [...times.data].map((t, i) => {
    if (events.data[i] === 0) return 0;
    const risk = [...h.data].filter((_, j) => times.data[j]! >= t)
      .reduce((sum: number, value: number) => sum + Math.exp(value), 0);
    return Math.log(risk) - h.data[i]!;
  });
}

Deno.test("coxLoss() agrees with the golden vectors", () => {
  checkGolden(golden, COUNT_FUNCTIONS.cox!);
});

Deno.test("coxLoss() agrees with the published test data, ties by Breslow's method", () => {
  const { times, events, x, rows } = published.cox;
  for (const { beta, logLikelihood } of rows) {
    const loss = coxLoss(f64(...x).mul(beta), times, events, { reduction: "sum" });
    assertAlmostEquals(loss.item(), -logLikelihood, 1e-6);
  }
  const slope = grad((b: Tensor) => coxLoss(b.mul(x), times, events));
  assertAlmostEquals(slope(f64(Math.log((3 + Math.sqrt(33)) / 2))).item(), 0, 1e-12);
});

Deno.test("coxLoss() follows its formula, cell by cell", () => {
  fc.assert(
    fc.property(cases, ({ h, times, events }) => {
      const expected = terms(h, times, events);
      const total = expected.reduce((a, b) => a + b);
      const count = events.sum().item();
      assertSame(coxLoss(h, times, events, { reduction: "none" }), f64(...expected));
      assertSame(coxLoss(h, times, events, { reduction: "sum" }), total);
      assertSame(coxLoss(h, times, events), count === 0 ? 0 : total / count);
      assertGreaterOrEqual(coxLoss(h, times, events).item(), 0);
    }),
    RUNS,
  );
});

Deno.test("coxLoss() does not depend on the order of the cells", () => {
  fc.assert(
    fc.property(cases, permutations(6), ({ h, times, events }, order) => {
      const moved = coxLoss(h.gather(order), times.gather(order), events.gather(order));
      assertSame(moved, coxLoss(h, times, events));
    }),
    RUNS,
  );
});

Deno.test("coxLoss() depends on the order of times alone, and not on what is added to all hazards", () => {
  fc.assert(
    fc.property(cases, gridNumbers(-50, 50), ({ h, times, events }, shift) => {
      const loss = coxLoss(h, times, events);
      assertAllClose(coxLoss(h, times.square().sub(20), events), loss, { rtol: 1e-12 });
      assertAllClose(coxLoss(h.add(shift), times, events), loss, { rtol: 1e-10, atol: 1e-10 });
    }),
    RUNS,
  );
});

Deno.test("coxLoss() of events at one time is the cross entropy against all", () => {
  fc.assert(
    fc.property(floats([4]), (h) => {
      const expected = h.logSoftmax().neg().mean();
      assertSame(coxLoss(h, [2, 2, 2, 2], [1, 1, 1, 1]), expected);
    }),
    RUNS,
  );
});

Deno.test("coxLoss() keeps those who are censored at a time for the events of that time", () => {
  assertAlmostEquals(coxLoss(f64(0, 0), [3, 3], [1, 0]).item(), Math.LN2, 1e-12);
  assertEquals(coxLoss(f64(0, 0), [3, 2], [1, 0]).item(), 0);
});

Deno.test("coxLoss() without events is 0 with gradient 0, and so is coxLoss() of nobody", () => {
  const loss = (h: Tensor) => coxLoss(h, [1, 2], [0, 0]);
  assertEquals(loss(f64(1, 2)).item(), 0);
  assertAllZero(grad(loss)(f64(1, 2)));
  assertEquals(coxLoss(zeros([0]), zeros([0]), zeros([0])).item(), 0);
});

Deno.test("coxLoss() is the mean over events, not over cells", () => {
  assertAlmostEquals(coxLoss(f64(0, 0, 0), [1, 2, 3], [1, 0, 0]).item(), Math.log(3), 1e-12);
});

Deno.test("coxLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ h, times, events }) => {
      checkGradients((x: Tensor) => coxLoss(x, times, events), [h], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("coxLoss() is finite for log-hazards of ±1e4", () => {
  assertFinite(
    (h) => coxLoss(h, [1, 2, 3, 2], [1, 1, 1, 0]),
    [tensor([-1e4, 1e4, -1e4, 0])],
  );
});

Deno.test("coxLoss() keeps low hazards, which a sum relative to the largest loses", () => {
  // The last two are 30 below the first, who has gone before: e^−30 is below the original's 1e-7.
  const loss = coxLoss([0, -30, -30], [1, 2, 3], [0, 1, 0]);
  assertAlmostEquals(loss.item(), Math.LN2, 1e-6);
});

Deno.test("coxLoss() does not see who leaves before the first event, NaN or not", () => {
  for (const hazard of [NaN, Infinity, -Infinity, 7]) {
    const h = tensor([hazard, 1, 2], { dtype: "float64" });
    const f = (h: Tensor) => coxLoss(h, [1, 2, 3], [0, 1, 0]);
    const [loss, gradient] = valueAndGrad(f)(h);
    const [other, expected] = valueAndGrad((h: Tensor) => coxLoss(h, [2, 3], [1, 0]))(h.slice(1));
    assertEquals(loss.item(), other.item());
    assertEquals([...gradient.data], [0, ...expected.data]);
  }
  const counted = grad((h: Tensor) => coxLoss(h, [1, 2, 3], [1, 1, 0]))(tensor([NaN, 1, 2]));
  assert(Number.isNaN(counted.data[0]));
});

Deno.test("coxLoss() of a time of NaN is NaN", () => {
  assert(Number.isNaN(coxLoss([0, 0], [1, NaN], [1, 0]).item()));
});

Deno.test("coxLoss() takes 1e5 cells", () => {
  const n = 100_000;
  const times = uniform(key(1), [n]).mul(1000).floor().cast("int32");
  const events = uniform(key(2), [n]).less(0.5);
  const loss = (h: Tensor) => coxLoss(h, times, events);
  const value = assertFinite(loss, [normal(key(3), [n])]);
  // Of equal hazards, those at risk are counted.
  const counts = new Float64Array(1001);
  times.data.forEach((t: number) => counts[t]!++);
  const atRisk = Float64Array.from(counts, (_, t) => {
    let sum = 0;
    for (let s = t; s < counts.length; s++) sum += counts[s]!;
    return sum;
  });
  let expected = 0;
  times.data.forEach((t: number, i: number) => {
    if (events.data[i]) expected += Math.log(atRisk[t]!);
  });
  const flat = coxLoss(zeros([n], { dtype: "float64" }), times, events, { reduction: "sum" });
  assertAllClose(flat, expected, { rtol: 1e-12 });
  assertGreaterOrEqual(value, 0);
});

Deno.test("coxLoss() is done to many cohorts at once by vmap()", () => {
  const [h, times] = [normal(key(4), [3, 5]), uniform(key(5), [3, 5]).mul(3).floor()];
  const events = uniform(key(6), [3, 5]).less(0.7);
  const all = vmap((x: Tensor, t: Tensor, e: Tensor) => coxLoss(x, t, e))(h, times, events);
  [0, 1, 2].forEach((i) =>
    assertAllClose(all.at(i), coxLoss(h.at(i), times.at(i), events.at(i)), { rtol: 1e-6 })
  );
});

testMisuse("coxLoss", [
  [
    "hazards that are a column",
    () => coxLoss([[1], [2]], [1, 2], [1, 0]),
    TypeError,
    "Cannot compute coxLoss as logHazard must have the shape [cells]: current shape is [2, 1]",
  ],
  [
    "times of another length",
    () => coxLoss([1, 2], [1], [1, 0]),
    TypeError,
    "Cannot compute coxLoss as logHazard, times and events must have the same shape: " +
    "current shapes are [2], [1] and [2]",
  ],
  [
    "kinds of events",
    () => coxLoss([1, 2], [1, 2], [1, 2]),
    RangeError,
    "Cannot compute coxLoss as events must hold only zeros and ones: " +
    "current value at position 1 is 2",
  ],
  [
    "an unknown reduction",
    () => coxLoss([1], [1], [1], { reduction: "avg" as never }),
    TypeError,
    "Cannot compute coxLoss as reduction must be one of mean, sum, none: current value is avg",
  ],
  [
    "another way to handle ties",
    () => coxLoss([1], [1], [1], { ties: "efron" } as never),
    TypeError,
    "Cannot compute coxLoss as there is no option ties: the options are reduction",
  ],
]);

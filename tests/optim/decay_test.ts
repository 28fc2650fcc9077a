import { assertEquals, assertThrows } from "@std/assert";
import {
  cosine,
  exponentialDecay,
  joinSchedules,
  polynomialDecay,
  type Schedule,
} from "../../src/optim/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { tensor } from "../../src/tensor.ts";

const at = (schedule: Schedule, ...steps: number[]) =>
  steps.map((step) => schedule(tensor(step, { dtype: "float64" })).item());

Deno.test("exponentialDecay() falls by its factor, in stairs where asked to, and to its end", () => {
  const options = { factor: 0.5, steps: 10, final: 0.1 };
  assertAllClose(at(exponentialDecay(0.8, options), 0, 5, 10, 20, 30, 99), [
    ...[0.8, 0.8 * Math.SQRT1_2, 0.4, 0.2, 0.1, 0.1],
  ]);
  const stairs = exponentialDecay(0.8, { ...options, staircase: true });
  assertAllClose(at(stairs, 0, 9, 10, 19, 20, 99), [0.8, 0.8, 0.4, 0.4, 0.2, 0.1]);
});

Deno.test("polynomialDecay() is a straight line by default, and stays at its end", () => {
  const schedule = polynomialDecay(1, { steps: 4, final: 0.2 });
  assertAllClose(at(schedule, 0, 1, 2, 4, 9), [1, 0.8, 0.6, 0.2, 0.2]);
  assertAllClose(at(polynomialDecay(1, { steps: 4, power: 0.5 }), 3, 4), [0.5, 0]);
  assertAllClose(at(polynomialDecay(0, { steps: 4, final: 1 }), 1), [0.25]);
});

Deno.test("joinSchedules() hands over at each boundary, to a schedule at its own 0", () => {
  const [a, b] = [cosine(1, { steps: 5 }), exponentialDecay(0.5, { factor: 0.5 })];
  const joined = joinSchedules([a, 0.3, b], [3, 7]);
  assertEquals(at(joined, 0, 2), at(a, 0, 2));
  assertEquals(at(joined, 3, 6), [0.3, 0.3]);
  assertEquals(at(joined, 7, 8, 20), at(b, 0, 1, 13));
  assertEquals(at(joinSchedules([a], []), 0, 4), at(a, 0, 4));
});

Deno.test("schedules that fall keep the shape and the floating type of the step", () => {
  const schedules = [
    exponentialDecay(1, { factor: 0.5 }),
    polynomialDecay(1, { steps: 3, power: 2 }),
    joinSchedules([1, 0.5], [2]),
  ];
  for (const schedule of schedules) {
    const steps = tensor(new Float64Array(4), { shape: [2, 2] });
    assertEquals([schedule(steps).shape, schedule(steps).dtype], [[2, 2], "float64"]);
    const one = tensor(1, { dtype: "int32" });
    assertEquals([schedule(one).shape, schedule(one).dtype], [[], "float32"]);
  }
});

Deno.test("schedules that fall refuse values out of range", () => {
  const cases: [() => unknown, string][] = [
    [
      () => exponentialDecay(1, { factor: 0 }),
      "exponentialDecay as factor must be a finite number above 0: current value is 0",
    ],
    [
      () => exponentialDecay(1, { factor: 0.5, decayRate: 2 } as never),
      "exponentialDecay as there is no option decayRate: did you mean factor? The options are " +
      "factor, steps, staircase, final",
    ],
    [
      () => polynomialDecay(1, { steps: 2, power: 0 }),
      "polynomialDecay as power must be a finite number above 0: current value is 0",
    ],
    [
      () => joinSchedules([1, 2], []),
      "joinSchedules as there must be one boundary between each two schedules: " +
      "current numbers are 2 and 0",
    ],
    [
      () => joinSchedules([1, 2, 3], [5, 5]),
      "joinSchedules as boundaries[1] must be a whole number above 5: current value is 5",
    ],
    [
      () => joinSchedules([1, -2], [5]),
      "joinSchedules as learningRate must be a finite number at least 0: current value is -2",
    ],
  ];
  for (const [act, text] of cases) {
    assertEquals(assertThrows(act, Error).message, `Cannot compute ${text}`);
  }
});

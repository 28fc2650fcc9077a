import { assertAlmostEquals, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { tensor } from "../../src/tensor.ts";
import {
  adam,
  constant,
  cosine,
  joinSchedules,
  type LearningRate,
  type Schedule,
  step,
  warmup,
} from "../../src/optim/mod.ts";
import { assertAllClose } from "../../src/testing.ts";

const RUNS = { seed: 1, numRuns: 100 };
const rate = fc.double({ min: 0, max: 2, noNaN: true });
const count = fc.integer({ min: 1, max: 200 });

function at(schedule: Schedule, step: number): number {
  return schedule(tensor(step, { dtype: "float64" })).item();
}

Deno.test("constant() gives its number at every step", () => {
  fc.assert(fc.property(rate, count, (r, n) => assertEquals(at(constant(r), n), r)), RUNS);
});

Deno.test("schedules keep the shape and the floating type of the step", () => {
  const schedules = [
    constant(1),
    cosine(1, { steps: 3 }),
    step(1, { milestones: [2] }),
    step(1, { milestones: [] }),
    warmup(1, { steps: 3 }),
  ];
  for (const schedule of schedules) {
    const steps = tensor(new Float64Array(4), { shape: [2, 2] });
    assertEquals([schedule(steps).shape, schedule(steps).dtype], [[2, 2], "float64"]);
    const one = tensor(1, { dtype: "int32" });
    assertEquals([schedule(one).shape, schedule(one).dtype], [[], "float32"]);
  }
});

Deno.test("a function that returns a number is a schedule, in both types", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const params = tensor([1, 2], { dtype });
    const next = (learningRate: LearningRate) => {
      const { init, update } = adam({ learningRate });
      return update(params, init(params), params).params;
    };
    for (
      const [plain, known] of [
        [() => 0.1, 0.1],
        [warmup(() => 0.1, { steps: 3, initial: 0.1 }), warmup(0.1, { steps: 3, initial: 0.1 })],
        [joinSchedules([() => 0.1, 1], [9]), joinSchedules([0.1, 1], [9])],
        [joinSchedules([() => 0.1], []), 0.1],
      ] as const
    ) {
      assertEquals(next(plain).toArray(), next(known).toArray());
    }
  }
});

Deno.test("cosine() falls from its first value to its last, and stays there", () => {
  fc.assert(
    fc.property(rate, rate, count, (a, b, steps) => {
      const [first, final] = [Math.max(a, b), Math.min(a, b)];
      const schedule = cosine(first, { steps, final });
      assertAlmostEquals(at(schedule, 0), first, 1e-12);
      assertEquals(at(schedule, steps), final);
      assertEquals(at(schedule, steps * 2), final);
      for (let i = 0; i < steps; i++) {
        assertLessOrEqual(at(schedule, i + 1), at(schedule, i) + 1e-15);
      }
    }),
    { seed: 1, numRuns: 20 },
  );
});

Deno.test("cosine() is half way after half of the steps, and ends at 0 by default", () => {
  const schedule = cosine(0.8, { steps: 10 });
  assertAlmostEquals(at(schedule, 5), 0.4, 1e-15);
  assertEquals(at(schedule, 10), 0);
});

Deno.test("step() multiplies at each milestone, and by 0.1 by default", () => {
  const schedule = step(1, { milestones: [0, 2, 5] });
  assertAllClose([0, 1, 2, 4, 5, 9].map((i) => at(schedule, i)), [
    0.1,
    0.1,
    0.01,
    0.01,
    1e-3,
    1e-3,
  ]);
});

Deno.test("step() without milestones is constant()", () => {
  assertEquals(at(step(0.3, { milestones: [] }), 9), 0.3);
});

Deno.test("warmup() rises in equal steps to where the schedule starts", () => {
  fc.assert(
    fc.property(rate, rate, count, (target, initial, steps) => {
      const schedule = warmup(target, { steps, initial });
      assertEquals(at(schedule, 0), initial);
      assertAlmostEquals(at(schedule, steps / 2), (target + initial) / 2, 1e-12);
      assertEquals(at(schedule, steps), target);
    }),
    RUNS,
  );
});

Deno.test("warmup() hands over to a schedule that starts at its own 0", () => {
  const after = cosine(1, { steps: 20, final: 0.1 });
  const schedule = warmup(after, { steps: 5 });
  for (let i = 0; i <= 30; i++) assertEquals(at(schedule, i + 5), at(after, i));
});

Deno.test("warmup() never asks the schedule for a step before its first", () => {
  const seen: number[] = [];
  const schedule = warmup((step) => {
    seen.push(step.item());
    return step.add(1).rsqrt();
  }, { steps: 4 });
  assertAlmostEquals(at(schedule, 1), 0.25, 1e-15);
  assertAlmostEquals(at(schedule, 7), 0.5, 1e-15);
  assertEquals(seen, [0, 0, 0, 3]);
});

Deno.test("warmup() can follow a warmup()", () => {
  const schedule = warmup(warmup(1, { steps: 10, initial: 0.5 }), { steps: 10 });
  assertAllClose([5, 10, 15, 20, 25].map((i) => at(schedule, i)), [0.25, 0.5, 0.75, 1, 1]);
});

Deno.test("schedules want values in range", () => {
  const messages: readonly (readonly [() => unknown, string])[] = [
    [
      () => constant(-1),
      "Cannot compute constant as learningRate must be a finite number at least 0: " +
      "current value is -1",
    ],
    [
      () => cosine(1, { steps: 0 }),
      "Cannot compute cosine as steps must be a whole number at least 1: current value is 0",
    ],
    [
      () => cosine(1, { steps: 10, final: -1 }),
      "Cannot compute cosine as final must be a finite number at least 0: current value is -1",
    ],
    [
      () => step(1, { milestones: [5, 5] }),
      "Cannot compute step as milestones[1] must be a whole number above 5: current value is 5",
    ],
    [
      () => step(1, { milestones: [0.5] }),
      "Cannot compute step as milestones[0] must be a whole number at least 0: " +
      "current value is 0.5",
    ],
    [
      () => step(1, { milestones: [], factor: 0 }),
      "Cannot compute step as factor must be a finite number above 0: current value is 0",
    ],
    [
      () => warmup(1, { steps: 1.5 }),
      "Cannot compute warmup as steps must be a whole number at least 1: current value is 1.5",
    ],
    [
      () => warmup(-1, { steps: 1 }),
      "Cannot compute warmup as learningRate must be a finite number at least 0: " +
      "current value is -1",
    ],
    [
      () => warmup(1, { steps: 1, initial: -1 }),
      "Cannot compute warmup as initial must be a finite number at least 0: current value is -1",
    ],
  ];
  for (const [act, message] of messages) {
    assertEquals(assertThrows(act, RangeError).message, message);
  }
});

Deno.test("schedules want options that they know, of the right kind", () => {
  const messages: readonly (readonly [() => unknown, string])[] = [
    [
      () => cosine(1, { step: 1 } as unknown as { steps: number }),
      "Cannot compute cosine as there is no option step: did you mean steps? The options " +
      "are steps, final",
    ],
    [
      () => cosine(1, {} as unknown as { steps: number }),
      "Cannot compute cosine as steps must be a whole number: current value is undefined",
    ],
    [
      () => step(1, { every: 1 } as unknown as { milestones: number[] }),
      "Cannot compute step as there is no option every: the options are milestones, factor",
    ],
    [
      () => step(1, { milestones: 3 } as unknown as { milestones: number[] }),
      "Cannot compute step as milestones must be an array of whole numbers: " +
      "current value is 3",
    ],
    [
      () => warmup(1, 10 as unknown as { steps: number }),
      "Cannot compute warmup as options must be an object with any of steps, initial: " +
      "current value is 10",
    ],
  ];
  for (const [act, message] of messages) {
    assertEquals(assertThrows(act, TypeError).message, message);
  }
});

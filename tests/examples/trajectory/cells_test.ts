import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { UsageError } from "../../../examples/lib/arguments.ts";
import {
  readTrajectory,
  simulatedTrajectory,
  type Trajectory,
} from "../../../examples/lib/trajectory/cells.ts";
import { baselines, measureVelocity } from "../../../examples/lib/trajectory/velocity.ts";

/** Reads text as if it were a file. */
async function read(text: string): Promise<Trajectory> {
  const file = await Deno.makeTempFile({ suffix: ".txt" });
  try {
    await Deno.writeTextFile(file, text);
    return await readTrajectory(file);
  } finally {
    await Deno.remove(file);
  }
}

/** Two runs of 90 steps along straight lines, 0.01 and −0.02 per step. */
const STRAIGHT = "# model = x\n# it  a  b\n" +
  [0.01, -0.02].map((slope) =>
    Array.from({ length: 90 }, (_, t) => `  ${t} ${(slope * t).toFixed(6)} ${2 - slope * t}\n`)
      .join("")
  ).join("");

Deno.test("readTrajectory() reads runs, genes and futures", async () => {
  const { genes, expression, future, dt, fates, labels } = await read(STRAIGHT);
  assertEquals([genes, fates], [["a", "b"], ["run 1", "run 2"]]);
  assertEquals(expression.shape, [172, 2]);
  assertEquals([labels[85], labels[86]], [0, 1]);
  assertAlmostEquals(dt, 0.4);
  assertAlmostEquals(future.data[0]! - expression.data[0]!, 0.04, 1e-6);
});

Deno.test("readTrajectory() finds the slope of straight lines, also at their ends", async () => {
  const { velocity } = await read(STRAIGHT);
  for (let cell = 0; cell < 172; cell++) {
    const slope = cell < 86 ? 0.1 : -0.2; // per ten steps
    assertAlmostEquals(velocity.data[2 * cell]!, slope, 1e-5);
    assertAlmostEquals(velocity.data[2 * cell + 1]!, -slope, 1e-5);
  }
});

Deno.test("readTrajectory() keeps held-out cells and their futures apart from training", async () => {
  const { train, test, time, labels } = await read(STRAIGHT);
  const held = new Set(Array.from(test, (cell) => `${labels[cell]} ${time[cell]!.toFixed(1)}`));
  assertGreater(test.length, 20);
  for (const cell of train) {
    for (const ahead of [0, 0.4]) {
      assert(!held.has(`${labels[cell]} ${(time[cell]! + ahead).toFixed(1)}`));
    }
  }
});

for (
  const [what, text, message] of [
    ["a line with a number missing", "# it a b\n0 1 2\n1 3\n", "line 3"],
    ["words", "# it a b\n0 1 x\n", "line 2"],
    ["a gap between steps", "# it a\n0 1\n2 1\n", "line 3"],
    ["a run that begins late", "# it a\n1 1\n", "line 2"],
    ["short runs", "# it a\n0 1\n1 1\n", "runs of at least 80 steps"],
    ["nothing", "", "runs of at least 80 steps"],
  ] as const
) {
  Deno.test(`readTrajectory() refuses ${what}`, async () => {
    const error = await assertRejects(() => read(text), UsageError);
    assertStringIncludes(error.message, message);
  });
}

Deno.test("readTrajectory() says that a file is missing", async () => {
  const error = await assertRejects(() => readTrajectory("no/such/file.txt"), UsageError);
  assertStringIncludes(error.message, 'Cannot read "no/such/file.txt" of option --data');
});

Deno.test("simulatedTrajectory() moves cells as their velocity says, but for noise", () => {
  const cells = simulatedTrajectory(300, 1);
  const { observed } = baselines(cells);
  assertGreater(observed.cosine, 0.5);
  assertEquals(cells.train.length + cells.test.length, 300);
  assertEquals(new Set([...cells.train, ...cells.test]).size, 300);
});

Deno.test("measureVelocity() knows right, opposite and half the length", () => {
  const cells = simulatedTrajectory(100, 2);
  const measure = (factor: number) =>
    measureVelocity(cells, cells.velocity.mul(factor), cells.test);
  const [right, opposite, half] = [1, -1, 0.5].map(measure);
  assertAlmostEquals(right!.cosine, 1, 1e-6);
  assertAlmostEquals(opposite!.cosine, -1, 1e-6);
  assertAlmostEquals(half!.lengthRatio, 0.5, 1e-6);
  assert(right!.moving <= cells.test.length);
  assertEquals(right!.cosines.length, right!.moving);
});

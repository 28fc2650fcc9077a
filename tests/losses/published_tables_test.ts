/** The tables that MONAI, segmentation_models.pytorch and optax test their losses with. */
import { logSoftmax, tanh, type Tensor, tensor, where } from "@cellgrad/cellgrad";
import * as losses from "@cellgrad/cellgrad/losses";
import { assert, assertEquals, assertGreater } from "@std/assert";
import tables from "./published_tables.json" with { type: "json" };

type Numbers = number | string | null | Numbers[];

interface Row {
  source: string;
  test: string;
  row: number | string;
  loss: string;
  logits: Numbers;
  targets: Numbers;
  options: Record<string, unknown>;
  expected: Numbers;
  rtol: number;
  atol: number;
  /** What is done to the logits before. */
  before?: keyof typeof BEFORE;
  /** How many times smaller the original's value is, by its mean. */
  divideBy?: number;
  /** Factors of entries without and with their class, of which the mean is then taken. */
  weigh?: [number, number];
  /** The targets that stand for the same without smoothing. */
  smoothed?: Numbers;
}

const BEFORE = { tanh, logSoftmax: (x: Tensor) => logSoftmax(x, { axis: 1 }) };

/** Nested numbers, infinite ones as texts. */
function read(x: Numbers): number[] {
  return Array.isArray(x) ? x.flatMap(read) : [Number(x)];
}

function shapeOf(x: Numbers): number[] {
  return Array.isArray(x) ? [x.length, ...shapeOf(x[0]!)] : [];
}

function f64(x: Numbers): Tensor {
  return tensor(read(x), { shape: shapeOf(x), dtype: "float64" });
}

function computeRow({ loss, before, divideBy = 1, weigh, options, ...row }: Row): Tensor {
  const f = losses[loss as "diceLoss"];
  const logits = before === undefined ? f64(row.logits) : BEFORE[before](f64(row.logits));
  const targets = f64(row.targets);
  const value = f(logits, targets, options).div(divideBy);
  if (weigh === undefined) return value;
  const columns = [0, 1, 2].map((c) => targets.equal(c));
  const factors = columns.map((own, c) =>
    value.slice([0, c], [1, c + 1]).mul(
      where(own, weigh[1], weigh[0]),
    )
  );
  return factors.reduce((sum, part) => sum.add(part.mean()), tensor(0)).div(columns.length);
}

function expectedOf({ expected, smoothed, loss, logits, options }: Row): Numbers {
  if (smoothed === undefined) return expected;
  const plain = { ...options, labelSmoothing: 0 } as object;
  return losses[loss as "diceLoss"](f64(logits), f64(smoothed), plain).toArray() as Numbers;
}

const rows = tables.rows as unknown as Row[];

for (const row of rows) {
  Deno.test(`${row.loss}() has row ${row.row} of ${row.source}'s ${row.test}`, () => {
    const expected = expectedOf(row);
    const found = computeRow(row);
    assertEquals(found.shape, shapeOf(expected));
    read(expected).forEach((x, i) => {
      const value = found.data[i]!;
      const near = value === x || Math.abs(value - x) <= row.atol + row.rtol * Math.abs(x) + 1e-12;
      assert(near, `entry ${i} is ${value}, not ${x}`);
    });
  });
}

Deno.test("what of the tables cannot be said has a reason", () => {
  assertGreater(rows.length, 90);
  for (const { test, reason } of tables.left) assertGreater(reason.length, 10, test);
});

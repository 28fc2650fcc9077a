import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { countBatches, EpochOrder, type EpochPlan } from "../../src/data/epoch_order.ts";
import { RUNS } from "../arbitraries.ts";

const PLANS: fc.Arbitrary<EpochPlan> = fc.record({
  count: fc.nat(90),
  batchSize: fc.integer({ min: 1, max: 9 }),
  batches: fc.integer({ min: 1, max: 5 }),
  shuffle: fc.boolean(),
  seed: fc.nat(),
  block: fc.integer({ min: 1, max: 12 }),
  drop: fc.boolean(),
  ranks: fc.integer({ min: 1, max: 6 }),
}).map(({ batches, ...plan }) => ({ ...plan, window: plan.batchSize * batches, rank: 0 }));

/** The rows of a rank in all windows. */
function rowsOf(plan: EpochPlan, epoch = 0): number[] {
  const order = new EpochOrder(plan, epoch);
  const windows = Math.ceil(order.length / plan.window);
  return Array.from({ length: windows }, (_, i) => [...order.window(i)]).flat();
}

const ranksOf = (plan: EpochPlan) =>
  Array.from({ length: plan.ranks }, (_, rank) => ({ ...plan, rank }));

Deno.test("EpochOrder gives every row to one rank, once", () =>
  fc.assert(
    fc.property(PLANS, fc.nat(3), (plan, epoch) => {
      const rows = ranksOf(plan).flatMap((plan) => rowsOf(plan, epoch));
      assertEquals(rows.sort((a, b) => a - b), Array.from({ length: plan.count }, (_, i) => i));
    }),
    RUNS,
  ));

Deno.test("countBatches() is the same for every rank, and covers its rows unless they are dropped", () =>
  fc.assert(
    fc.property(PLANS, (plan) => {
      const batches = countBatches(plan);
      for (const own of ranksOf(plan)) {
        const { length } = new EpochOrder(own, 0);
        if (plan.drop) assert(batches * plan.batchSize <= length);
        else assert(batches * plan.batchSize >= length);
        assert(Math.abs(batches - length / plan.batchSize) < 1 + 1 / plan.batchSize);
      }
    }),
    RUNS,
  ));

Deno.test("EpochOrder keeps the order of rows unless they are shuffled", () =>
  fc.assert(
    fc.property(PLANS, (plan) => {
      const rows = ranksOf({ ...plan, shuffle: false }).flatMap((plan) => rowsOf(plan));
      assertEquals(rows, Array.from({ length: plan.count }, (_, i) => i));
    }),
    RUNS,
  ));

Deno.test("EpochOrder draws the same order from the same seed and epoch", () =>
  fc.assert(
    fc.property(PLANS, fc.nat(5), (plan, epoch) => {
      assertEquals(rowsOf(plan, epoch), rowsOf(plan, epoch));
    }),
    RUNS,
  ));

Deno.test("EpochOrder keeps blocks in a window, but for those at its ends", () => {
  const plan = {
    count: 960,
    batchSize: 16,
    window: 96,
    block: 8,
    shuffle: true,
    seed: 3,
    drop: false,
    rank: 0,
    ranks: 1,
  };
  const order = new EpochOrder(plan, 0);
  for (let i = 0; i < 10; i++) {
    const rows = order.window(i);
    assertEquals(new Set(Array.from(rows, (row) => row >> 3)).size, 12);
    assertNotEquals([...rows], [...rows].sort((a, b) => a - b));
  }
});

Deno.test("EpochOrder draws other orders for other epochs, seeds, windows and ranks", () => {
  const plan = {
    count: 512,
    batchSize: 8,
    window: 64,
    block: 4,
    shuffle: true,
    seed: 0,
    drop: false,
    rank: 0,
    ranks: 2,
  };
  const first = rowsOf(plan);
  assertNotEquals(rowsOf(plan, 1), first);
  assertNotEquals(rowsOf({ ...plan, seed: 1 }), first);
  // The same rows in another window, or of another rank, would come in another order.
  const ranksOf = (rows: number[]) => {
    const sorted = rows.toSorted((a, b) => a - b);
    return rows.map((row) => sorted.indexOf(row));
  };
  const patterns = [0, 1].flatMap((rank) => {
    const order = new EpochOrder({ ...plan, block: 512, rank }, 0);
    return [0, 1].map((window) => ranksOf([...order.window(window)]).join());
  });
  assertEquals(new Set(patterns).size, 4);
});

Deno.test("EpochOrder brings every row to every place about as often", () => {
  const plan = {
    count: 24,
    batchSize: 4,
    window: 8,
    block: 2,
    shuffle: true,
    seed: 5,
    drop: false,
    rank: 0,
    ranks: 1,
  };
  const counts = new Int32Array(24);
  const epochs = 1200;
  for (let epoch = 0; epoch < epochs; epoch++) counts[rowsOf(plan, epoch)[0]!]!++;
  // Fifty are expected: five standard deviations on either side.
  for (const count of counts) assert(Math.abs(count - 50) < 5 * Math.sqrt(50));
});

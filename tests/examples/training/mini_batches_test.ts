import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { key } from "@cellgrad/cellgrad/random";
import { groupedBatches, shuffledBatches } from "../../../examples/lib/training/mod.ts";

const RUNS = { seed: 1, numRuns: 60 };
const sorted = (batches: readonly Int32Array[]) =>
  batches.flatMap((batch) => [...batch]).sort((a, b) => a - b);

Deno.test("shuffledBatches() holds every item once where the remainder is kept", () => {
  fc.assert(
    fc.property(fc.nat(80), fc.integer({ min: 1, max: 20 }), (count, size) => {
      const batches = shuffledBatches(key(count), count, { size, remainder: "keep" });
      assertEquals(sorted(batches), Array.from({ length: count }, (_, i) => i));
      assert(batches.slice(0, -1).every((batch) => batch.length === size));
    }),
    RUNS,
  );
});

Deno.test("shuffledBatches() drops what fills no batch, unless there is no other", () => {
  assertEquals(shuffledBatches(key(0), 23, { size: 5 }).map((batch) => batch.length), [5, 5, 5, 5]);
  assertEquals(shuffledBatches(key(0), 4, { size: 5 }).map((batch) => batch.length), [4]);
});

Deno.test("shuffledBatches() depends on the key alone", () => {
  const [a, b, c] = [1, 1, 2].map((seed) => shuffledBatches(key(seed), 40, { size: 8 }));
  assertEquals(a, b);
  assertNotEquals(a, c);
});

Deno.test("groupedBatches() fills each batch from one group, and holds every item once", () => {
  const groups = fc.array(fc.nat(4), { maxLength: 60 });
  fc.assert(
    fc.property(groups, fc.integer({ min: 1, max: 9 }), (groups, size) => {
      const batches = groupedBatches(key(3), groups, { size, remainder: "keep" });
      assertEquals(sorted(batches), groups.map((_, i) => i));
      for (const batch of batches) {
        assertEquals(new Set(Array.from(batch, (item) => groups[item])).size, 1);
      }
    }),
    RUNS,
  );
});

Deno.test("groupedBatches() mixes the order of groups and of items", () => {
  const groups = Array.from({ length: 200 }, (_, i) => Number(i >= 100));
  const batches = groupedBatches(key(0), groups, { size: 10 });
  const order = batches.map(([item]) => groups[item!]!);
  assert(String(order) !== String(order.toSorted()));
  assert(batches.some((batch) => String(batch) !== String(batch.toSorted())));
});

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { shardRange, shardRows } from "../../src/mpi/mod.ts";
import { tensor } from "../../src/tensor.ts";

const ranksOf = (size: number) => Array.from({ length: size }, (_, rank) => ({ rank, size }));

Deno.test("shardRange() gives every row to exactly one rank, in order", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 200 }), (count, size) => {
      let next = 0;
      for (const comm of ranksOf(size)) {
        const { start, end } = shardRange(count, comm);
        assertEquals(start, next);
        next = end;
      }
      assertEquals(next, count);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("shardRange() gives no rank more than one row more than another", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.integer({ min: 1, max: 200 }), (count, size) => {
      const lengths = ranksOf(size).map((comm) => {
        const { start, end } = shardRange(count, comm);
        return end - start;
      });
      assertEquals(Math.max(...lengths) - Math.min(...lengths), count % size === 0 ? 0 : 1);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("shardRange() rejects counts and ranks that cannot be", () => {
  const complaint = (count: number, rank: number, size: number) =>
    assertThrows(() => shardRange(count, { rank, size }), RangeError).message;
  assertEquals(
    complaint(-1, 0, 1),
    "Cannot compute shardRange as count must be a whole number at least 0: current value is -1",
  );
  assertEquals(
    complaint(5, 3, 3),
    "Cannot compute shardRange as comm.rank must be a whole number at least 0 and at most 2: " +
      "current value is 3",
  );
  assertEquals(
    complaint(5, 0, 0),
    "Cannot compute shardRange as comm.size must be a whole number at least 1: current value is 0",
  );
});

Deno.test("shardRows() cuts all tensors of a tree alike, and the shards join to the whole", () => {
  const tree = { cells: tensor([[1, 2], [3, 4], [5, 6]]), labels: [tensor([7, 8, 9])] };
  const shards = ranksOf(2).map((comm) => shardRows(tree, comm));
  assertEquals(shards.map((s) => s.cells.toArray()), [[[1, 2], [3, 4]], [[5, 6]]]);
  assertEquals(shards.map((s) => s.labels[0]!.toArray()), [[7, 8], [9]]);
});

Deno.test("shardRows() gives ranks without rows empty tensors", () => {
  assertEquals(shardRows(tensor([[1, 2]]), { rank: 2, size: 3 }).shape, [0, 2]);
});

Deno.test("shardRows() rejects tensors with different numbers of rows", () => {
  const error = assertThrows(
    () => shardRows([tensor([1, 2]), tensor([[1]])], { rank: 0, size: 2 }),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot compute shardRows as all tensors of tree must have the same number of rows: " +
      "current shapes are [2], [1, 1]",
  );
});

Deno.test("shardRows() names itself and what is no tree, or no rank", () => {
  const comm = { rank: 0, size: 2 };
  const calls: [() => unknown, string][] = [
    [() => shardRows(null, comm), "tree must be a tensor, or an array or plain object of tensors"],
    [() => shardRows({ x: "a" }, comm), "tree.x must be a tensor"],
    [
      () => shardRows(tensor([1]), null as unknown as typeof comm),
      "comm.size must be a whole number",
    ],
  ];
  for (const [call, text] of calls) {
    assertThrows(call, TypeError, `Cannot compute shardRows as ${text}`);
  }
});

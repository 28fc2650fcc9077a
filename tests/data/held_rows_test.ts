import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { joinRanges, sortedRows } from "../../src/data/held_rows.ts";
import { RUNS } from "../arbitraries.ts";

Deno.test("joinRanges() covers every range by its run, and splits no chunk between two", () =>
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(300), { maxLength: 20 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(5),
      (numbers, chunk, gap) => {
        const rows = numbers.toSorted((a, b) => a - b);
        const { runs, of } = joinRanges(
          rows.length,
          (i) => rows[i]!,
          (i) => rows[i]! + 1,
          chunk,
          gap,
        );
        rows.forEach((row, i) => {
          const { from, to } = runs[of[i]!]!;
          assert(from <= row && row < to);
        });
        for (let i = 1; i < runs.length; i++) {
          assert(runs[i]!.from - runs[i - 1]!.to > gap);
          assert(Math.floor(runs[i]!.from / chunk) > Math.floor((runs[i - 1]!.to - 1) / chunk));
        }
        // Whatever is read beside the ranges lies in a chunk of theirs, or in a small gap.
        const read = runs.reduce((sum, { from, to }) => sum + to - from, 0);
        assert(read <= rows.length * Math.max(chunk, gap + 1));
      },
    ),
    RUNS,
  ));

Deno.test("sortedRows() leads from each row of a list to its place among all", () =>
  fc.assert(
    fc.property(fc.array(fc.nat(30)), (rows) => {
      const { sorted, places } = sortedRows(rows);
      assertEquals([...sorted], [...new Set(rows)].sort((a, b) => a - b));
      assertEquals(Array.from(places, (place) => sorted[place]), rows);
    }),
    RUNS,
  ));

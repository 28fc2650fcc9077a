import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { log1p, type Tensor, tensor } from "@cellgrad/cellgrad";
import { csr, normalizeTotal, sparse } from "@cellgrad/cellgrad/data";
import {
  countEmpty,
  type Expression,
  logNormalized,
  placeOf,
  takeCells,
  takeGenes,
  varies,
} from "../../../examples/lib/cells/matrix.ts";

const RUNS = { seed: 1, numRuns: 200 };

/** Few small counts, so that cells are empty and genes constant. */
const COUNTS = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }))
  .chain(([cells, genes]) =>
    fc.array(
      fc.array(fc.constantFrom(0, 0, 1, 2), { minLength: genes, maxLength: genes }),
      { minLength: cells, maxLength: cells },
    )
  );

function rows(x: Expression): unknown {
  return ("indptr" in x ? x.toDense() : x).toArray();
}

/** A matrix with its zeros, without them, and with those held that `isHeld` names. */
function forms(counts: number[][], isHeld: (at: number) => boolean): Expression[] {
  const x: Tensor = tensor(counts);
  const all = counts.flatMap((row, cell) => row.map((value, gene) => ({ value, cell, gene })));
  const held = all.filter(({ value }, at) => value !== 0 || isHeld(at));
  const some = csr({
    data: Float32Array.from(held, ({ value }) => value),
    indices: Int32Array.from(held, ({ gene }) => gene),
    indptr: Int32Array.from(
      { length: counts.length + 1 },
      (_, row) => held.filter(({ cell }) => cell < row).length,
    ),
    shape: x.shape as [number, number],
  });
  return [x, sparse(x), some];
}

Deno.test("expression is the same with its zeros, without them, and with some of them", () => {
  fc.assert(
    fc.property(COUNTS, fc.infiniteStream(fc.boolean()), (counts, stream) => {
      const differs = counts[0]!.some((first, gene) => counts.some((row) => row[gene] !== first));
      const empty = counts.filter((row) => row.every((value) => value === 0)).length;
      const [cells, genes] = [counts, counts[0]!].map(({ length }) =>
        Int32Array.from({ length }, (_, i) => length - 1 - i)
      ) as [Int32Array, Int32Array];
      for (const x of forms(counts, () => stream.next().value)) {
        assertEquals([varies(x), countEmpty(x)], [differs, empty]);
        assertEquals(rows(takeCells(x, cells)), counts.toReversed());
        assertEquals(rows(takeGenes(x, genes)), counts.map((row) => row.toReversed()));
        assertEquals(rows(logNormalized(x)), log1p(normalizeTotal(counts)).toArray());
        x.data.forEach((value, at) => {
          const { cell, gene } = placeOf(x, at);
          assertEquals(value, counts[cell]![gene]);
        });
      }
    }),
    RUNS,
  );
});

Deno.test("placeOf() gives each value that is held a place of its own, in order", () => {
  fc.assert(
    fc.property(COUNTS, (counts) => {
      for (const x of forms(counts, () => false)) {
        const places = Array.from(x.data, (_, at) => placeOf(x, at));
        const order = places.map(({ cell, gene }) => cell * counts[0]!.length + gene);
        assert(order.every((place, i) => i === 0 || place > order[i - 1]!));
      }
    }),
    RUNS,
  );
});

/** What the tests of metrics share. */
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";

/** Runs that are the same every time. */
export const RUNS = { seed: 1, numRuns: 100 };

/** Labels of equal numbers of predictions and targets, of up to five classes. */
export const labelPairs: fc.Arbitrary<{ pred: number[]; target: number[]; numClasses: number }> = fc
  .record({ numClasses: fc.integer({ min: 1, max: 5 }), size: fc.integer({ min: 0, max: 30 }) })
  .chain(({ numClasses, size }) => {
    const labels = fc.array(fc.integer({ min: 0, max: numClasses - 1 }), {
      minLength: size,
      maxLength: size,
    });
    return fc.record({ pred: labels, target: labels, numClasses: fc.constant(numClasses) });
  });

/** Points in the plane with labels of up to four groups. */
export const labelledPoints: fc.Arbitrary<{ points: number[][]; labels: number[] }> = fc
  .array(
    fc.tuple(
      fc.tuple(coordinate(), coordinate()),
      fc.integer({ min: 0, max: 3 }),
    ),
    { minLength: 1, maxLength: 25 },
  )
  .map((cells) => ({
    points: cells.map(([point]) => [...point]),
    labels: cells.map(([, label]) => label),
  }));

function coordinate(): fc.Arbitrary<number> {
  return fc.double({ min: -10, max: 10, noNaN: true });
}

/** A fixed order of the positions of a list, the same for lists of the same length. */
export function shuffled<T>(list: readonly T[]): T[] {
  return list.map((item, i) => ({ item, at: (i * 7919 + 13) % 1009 }))
    .sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/** Asserts that each call throws an error of the kind with exactly the message. */
export function assertMessages(
  kind: typeof TypeError | typeof RangeError,
  cases: readonly (readonly [() => unknown, string])[],
): void {
  for (const [act, message] of cases) assertEquals(assertThrows(act, kind).message, message);
}

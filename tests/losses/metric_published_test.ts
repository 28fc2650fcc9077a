/**
 * What the tests of MONAI, optax and pytorch-metric-learning expect: rows and numbers as facts.
 * `cannot` in the file beside this one says why the other rows have no counterpart here.
 */
import { tensor } from "@cellgrad/cellgrad";
import * as losses from "@cellgrad/cellgrad/losses";
import { assert, assertAlmostEquals } from "@std/assert";
import published from "./metric_published.json" with { type: "json" };

interface Row {
  from: string;
  loss: string;
  args: readonly unknown[];
  options: object;
  expected: number;
  atol: number;
}

function compute({ loss, args, options }: Row): number {
  const given = args.map((x) => tensor(x as number[][], { dtype: "float64" }));
  const f = losses[loss as keyof typeof losses] as (...given: unknown[]) => { item(): number };
  return f(...given, options).item();
}

for (const row of published.agree) {
  Deno.test(`${row.loss}() agrees with ${row.from}`, () => {
    assertAlmostEquals(compute(row), row.expected, row.atol * Math.max(1, row.expected));
  });
}

for (const row of published.differ) {
  Deno.test(`${row.loss}() differs from ${row.from} as ${row.why}`, () => {
    assertAlmostEquals(compute(row), row.expected, row.atol);
    assert(Math.abs(row.expected - row.theirs) > 1e-2);
  });
}

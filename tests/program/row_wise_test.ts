/** Which functions treat rows one by one, as their recorded operations tell. */
import { assertEquals } from "@std/assert";
import * as cg from "../../mod.ts";
import { record } from "../../src/program/record.ts";
import { rowWiseOutputs } from "../../src/program/row_wise.ts";
import { OTHERS, ROW_WISE } from "./row_functions.ts";

type Tensor = cg.Tensor;

/** What is found of a function for the first of two numbers of rows. */
function outputsOf(f: (x: Tensor) => unknown, few: number, many: number) {
  const graph = (rows: number) =>
    record([{ shape: [rows, 6], dtype: "float32" }], ([x]) => cg.treeLeaves(f(x!)));
  return rowWiseOutputs(graph(few), graph(many), few, many);
}

for (const [name, f] of Object.entries(ROW_WISE)) {
  Deno.test(`rowWiseOutputs() finds that rows are on their own: ${name}`, () => {
    for (const [few, many] of [[3, 4], [6, 8], [10, 16]] as const) {
      const found = outputsOf(f, few, many);
      assertEquals(found, found?.map(() => true) ?? [true]);
    }
  });
}

for (const [name, f] of Object.entries(OTHERS)) {
  Deno.test(`rowWiseOutputs() finds no rows on their own: ${name}`, () => {
    // Also where rows are as many as columns, and where one is added to few.
    for (const [few, many] of [[2, 4], [3, 5], [6, 7], [6, 8], [4, 8]] as const) {
      let found: boolean[] | undefined;
      try {
        found = outputsOf(f, few, many);
      } catch (error) {
        if (!/reshape/.test(String(error))) throw error;
      }
      assertEquals(found, undefined, `${few} and ${many} rows`);
    }
  });
}

Deno.test("rowWiseOutputs() tells outputs with rows from those that are the same", () => {
  const fixed = cg.tensor([1, 2]);
  assertEquals(outputsOf((x) => [x.mul(2), fixed, x.slice(0, 1), fixed.exp()], 3, 8), [
    ...[true, false, false, false],
  ]);
});

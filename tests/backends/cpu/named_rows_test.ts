/** Gradients of tables of which a program names few rows: what eager gives, to the bit. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../../mod.ts";
import { namedRows } from "../../../src/backends/cpu/named_rows.ts";
import { optimize } from "../../../src/program/optimize.ts";
import { record } from "../../../src/program/record.ts";

type Tensor = cg.Tensor;

const ROWS = 4096;

const int = (values: readonly number[]) => cg.tensor(Int32Array.from(values));

/** The gradient of a loss of rows by the table that they come from. */
const byTable = (table: Tensor, genes: Tensor) =>
  cg.grad((t: Tensor) => cg.gather(t, genes).square().sum())(table);

/** How many results of a function name the rows that they have. */
function countNamed(f: (...inputs: Tensor[]) => Tensor[], ...inputs: Tensor[]): number {
  const specs = inputs.map(({ shape, dtype }) => ({ shape, dtype }));
  return namedRows(optimize(record(specs, (given) => f(...given)))).size;
}

for (const dtype of ["float32", "float64"] as const) {
  Deno.test(`compile() gives the ${dtype} gradient of any rows, call after call`, async () => {
    const table = cg.normal(cg.key(1), [ROWS, 64], { dtype });
    const count = 12;
    const start = int(new Array(count).fill(0));
    assertEquals(countNamed((t, at) => [byTable(t!, at!)], table, start), 1);
    await using program = await cg.compile(byTable, [table, start]);
    const position = fc.oneof(fc.nat(ROWS - 1), fc.constantFrom(0, 1, 2, ROWS - 1));
    const positions = fc.array(position, { minLength: count, maxLength: count });
    await fc.assert(
      fc.asyncProperty(positions, async (at) => {
        const given = await program(table, int(at));
        assertEquals(given.data, byTable(table, int(at)).data);
      }),
      { numRuns: 20 },
    );
  });
}

Deno.test("compile() gives the same rows with two threads", async () => {
  const table = cg.normal(cg.key(2), [ROWS, 96]);
  const genes = int(Array.from({ length: 5000 }, (_, i) => i * i % 1500 + ROWS - 1500));
  await using program = await cg.compile(byTable, [table, genes], { threads: 2 });
  assertEquals((await program(table, genes)).data, byTable(table, genes).data);
});

Deno.test("compile() sums integers by rows", async () => {
  const f = (x: Tensor, at: Tensor) =>
    cg.scatterAdd(cg.zeros([ROWS, 64], { dtype: "int32" }), at, x);
  const x = cg.ones([3, 64], { dtype: "int32" });
  assertEquals(countNamed((x, at) => [f(x!, at!)], x, int([7, 7, 9])), 1);
  await using program = await cg.compile(f, [x, int([7, 7, 9])]);
  for (const at of [[7, 7, 9], [0, 5, 0]]) {
    assertEquals((await program(x, int(at))).data, f(x, int(at)).data);
  }
});

Deno.test("namedRows() leaves out what is read, small, or named by what does not stay", () => {
  const [table, small] = [cg.zeros([ROWS, 64]), cg.zeros([ROWS, 8])];
  const genes = int([3, 5]);
  assertEquals(countNamed((t) => [byTable(t!, genes)], table), 1);
  assertEquals(countNamed((t, at) => [byTable(t!, at!).mul(2)], table, genes), 0);
  assertEquals(
    countNamed(
      (t, at) => {
        const gradient = byTable(t!, at!);
        return [gradient, gradient.sum()];
      },
      table,
      genes,
    ),
    0,
  );
  assertEquals(countNamed((t, at) => [byTable(t!, at!)], small, genes), 0);
  assertEquals(countNamed((t, at) => [byTable(t!, at!.add(1))], table, genes), 0);
  const onto = (t: Tensor, at: Tensor) => cg.scatterAdd(t, at, cg.ones([2, 64]));
  assertEquals(countNamed((t, at) => [onto(t!, at!)], table, genes), 0);
});

Deno.test("the results of a program that names rows are the caller's own", async () => {
  const table = cg.ones([ROWS, 64]);
  await using program = await cg.compile(byTable, [table, int([1, 2])]);
  const first = await program(table, int([1, 2]));
  const again = await program(table, int([2, 2]));
  assert(first.data !== again.data);
  assertEquals([first.data[64], again.data[64], again.data[128]], [2, 0, 4]);
});

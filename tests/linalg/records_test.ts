import { assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { compile, grad, hessian, jvp, type Tensor } from "../../mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { assertListed } from "../guards.ts";
import { checkAll, closeWithin, RECORDS, ROWS, smoothly } from "./table.ts";

const RUNS = { seed: 20240, numRuns: 15 };

Deno.test("every record of linear algebra has one row, and the name of its constant", () => {
  const listed = RECORDS.filter(([, record]) => ROWS.some(({ op }) => op as unknown === record));
  assertListed(
    "tests/linalg/table.ts",
    listed.map(([name]) => name),
    RECORDS.map(([name]) => name),
  );
  assertEquals(ROWS.length, RECORDS.length);
  for (const [name, record] of RECORDS) assertEquals(name, `${record.name}Op`);
});

for (const row of ROWS) {
  const label = `${row.op.name}()`;
  const sum = (...xs: Tensor[]) => smoothly(row, xs).square().sum();

  Deno.test(`${label} gives for each matrix what its definition says`, () => {
    fc.assert(
      fc.property(row.inputs, (inputs) => {
        checkAll(row, inputs, row.call(...inputs), closeWithin(1e-11));
      }),
      { ...RUNS, numRuns: 60 },
    );
  });

  Deno.test(`${label} keeps float32, and computes in float64`, () => {
    fc.assert(
      fc.property(row.inputs, (inputs) => {
        const results = row.call(...inputs.map((x) => x.cast("float32")));
        assertEquals(results.map(({ dtype }) => dtype), results.map(() => "float32"));
        checkAll(row, inputs, results, closeWithin(2e-5));
      }),
      RUNS,
    );
  });

  for (const order of [1, 2] as const) {
    Deno.test(`${label} has the right gradient of order ${order}`, () => {
      let checked = 0;
      fc.assert(
        fc.property(row.inputs, (inputs) => {
          const options = { order, rtol: 1e-5, atol: 1e-6 };
          checked += checkGradients((...xs) => smoothly(row, xs), inputs, options).checked;
        }),
        RUNS,
      );
      assertGreater(checked, RUNS.numRuns);
    });
  }

  Deno.test(`${label} gives the same in programs: values, gradients, tangents, second order`, async () => {
    const [inputs] = fc.sample(row.inputs, { ...RUNS, numRuns: 1 }) as [Tensor[]];
    const f = (...xs: Tensor[]) => {
      const [first, ...others] = xs as [Tensor, ...Tensor[]];
      return {
        results: row.call(...xs),
        gradients: grad(sum, { argnums: xs.map((_, i) => i) })(...xs),
        tangent: jvp((x: Tensor) => smoothly(row, [x, ...others]), [first], [first.mul(0.5)])[1],
        second: hessian((x: Tensor) => sum(x, ...others))(first),
      };
    };
    const expected = f(...inputs);
    for (const threads of [1, 2]) {
      await using program = await compile(f, inputs, { threads });
      const found = await program(...inputs);
      for (const kind of Object.keys(expected) as (keyof typeof expected)[]) {
        const [a, b] = [found[kind], expected[kind]].map((x) => [x].flat() as Tensor[]);
        a!.forEach((x, i) => assertAllClose(x, b![i]!, { rtol: 1e-9, atol: 1e-9 }));
      }
    }
  });
}

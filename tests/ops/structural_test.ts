import { assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { cast } from "../../src/ops/mod.ts";
import { sizeOf, stridesOf } from "../../src/shape.ts";
import { fromData } from "../../src/tensor.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { RUNS } from "./arbitraries.ts";
import { type Case, ROWS } from "./structural_table.ts";

function expected({ shape, value }: Case) {
  const strides = stridesOf(shape);
  const data = Float64Array.from(
    { length: sizeOf(shape) },
    (_, flat) => value(shape.map((n, d) => Math.floor(flat / strides[d]!) % n)),
  );
  return fromData(data, shape);
}

for (const row of ROWS) {
  const label = `${row.op.name}()`;

  Deno.test(`${label} gives at every position what its definition says`, () => {
    fc.assert(
      fc.property(row.cases, (found) => {
        const y = found.call(...found.inputs);
        assertAllClose(cast(y, "float64"), expected(found), { rtol: 1e-12, atol: 1e-12 });
      }),
      { ...RUNS, numRuns: 60 },
    );
  });

  Deno.test(`${label} keeps float32`, () => {
    fc.assert(
      fc.property(row.cases, (found) => {
        const y = found.call(...found.inputs.map((x) => cast(x, "float32")));
        if (y.dtype !== "int32" && row.op.name !== "cast") assertEquals(y.dtype, "float32");
        assertAllClose(cast(y, "float64"), expected(found), { rtol: 1e-5, atol: 1e-5 });
      }),
      RUNS,
    );
  });

  Deno.test(`${label} handles empty tensors, rank 0 and other edges`, () => {
    for (const { call, expected } of row.edges) {
      const y = call();
      assertEquals([y.shape, y.dtype], [expected.shape, expected.dtype]);
      assertAllClose(y, expected);
    }
  });

  for (const order of [1, 2] as const) {
    if (order > row.order) continue;
    Deno.test(`${label} has the right gradient of order ${order}`, () => {
      let checked = 0;
      fc.assert(
        fc.property(row.cases, ({ inputs, call }) => {
          // The square makes second derivatives differ from 0 where the operation is linear.
          const f = (...xs: typeof inputs) => call(...xs).square();
          checked += checkGradients(f, inputs, { order, atol: order === 1 ? 1e-8 : 1e-7 }).checked;
        }),
        RUNS,
      );
      assertGreater(checked, RUNS.numRuns);
    });
  }
}

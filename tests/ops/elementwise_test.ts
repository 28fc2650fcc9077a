import { assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { ElementwiseKernel } from "../../kernels/elementwise/reference.ts";
import { cast } from "../../src/ops/mod.ts";
import { broadcastShapes, broadcastStrides, sizeOf, stridesOf } from "../../src/shape.ts";
import { fromData, type Tensor, tensor } from "../../src/tensor.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { broadcastingTensors, numbers, RUNS } from "./arbitraries.ts";
import { type Row, ROWS } from "./elementwise_table.ts";

/** Operands for a row: broadcasting shapes, values in its domain and away from its kinks. */
function operands(row: Row): fc.Arbitrary<Tensor[]> {
  const found = broadcastingTensors(row.domain.map((interval) => numbers(interval, row.kinks)));
  if (!row.distinct) return found;
  return found.filter((xs) => {
    const [a, b] = xs.map((x) => Array.from(x.data));
    return a!.every((v) => b!.every((w) => Math.abs(v - w) > 1e-3));
  });
}

/** The value at each position of the broadcast shape, by walking it one position at a time. */
function expected(row: Row, inputs: readonly Tensor[]): Tensor {
  const shape = broadcastShapes("expected", ...inputs.map((x) => x.shape));
  const own = inputs.map((x) => broadcastStrides(x.shape, shape));
  const strides = stridesOf(shape);
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, flat) => {
    const position = shape.map((n, d) => Math.floor(flat / strides[d]!) % n);
    return row.reference(
      ...inputs.map((x, i) => x.data[position.reduce((at, p, d) => at + p * own[i]![d]!, 0)]!),
    );
  });
  return fromData(data, shape);
}

for (const row of ROWS) {
  const label = row.op === ROWS.find((r) => r.op.name === row.op.name)!.op
    ? `${row.op.name}()`
    : `${row.op.name}() with a constant`;

  Deno.test(`${label} gives the reference value, broadcast by NumPy's rules`, () => {
    fc.assert(
      fc.property(operands(row), (inputs) => {
        assertAllClose(cast(row.call(...inputs), "float64"), expected(row, inputs), {
          rtol: 1e-12,
          atol: 1e-13,
        });
      }),
      RUNS,
    );
  });

  Deno.test(`${label} keeps float32, and agrees with float64 to its precision`, () => {
    fc.assert(
      fc.property(operands(row), (inputs) => {
        const narrow = inputs.map((x) => cast(x, "float32"));
        const wide = narrow.map((x) => cast(x, "float64"));
        const y = row.call(...narrow);
        if (y.dtype !== "bool") assertEquals(y.dtype, "float32");
        assertAllClose(cast(y, "float64"), cast(row.call(...wide), "float64"), {
          rtol: 1e-6,
          atol: 1e-6,
        });
      }),
      RUNS,
    );
  });

  Deno.test(`${label} handles empty tensors`, () => {
    const empty = row.domain.map(() => tensor([], { shape: [0, 2] }));
    assertEquals(row.call(...empty).shape, [0, 2]);
  });

  Deno.test(`${label} handles rank 0`, () => {
    const inputs = row.domain.map(([min, max], i) =>
      tensor(min + (max - min) * (0.3 + 0.3 * i), { dtype: "float64" })
    );
    const y = row.call(...inputs);
    assertEquals(y.shape, []);
    assertAlmostEquals(y.item(), row.reference(...inputs.map((x) => x.item())), 1e-12);
  });

  if (row.differentiable.length === 0) {
    Deno.test(`${label} has no gradient`, () => assertEquals(row.op.vjp, null));
  } else {
    for (const order of [1, 2] as const) {
      Deno.test(`${label} has the right gradient of order ${order}`, () => {
        let checked = 0;
        fc.assert(
          fc.property(operands(row), (inputs) => {
            const live = row.differentiable.map((i) => inputs[i]!);
            const f = (...xs: Tensor[]) => {
              const all = [...inputs];
              row.differentiable.forEach((i, k) => all[i] = xs[k]!);
              return row.call(...all);
            };
            checked += checkGradients(f, live, { order, atol: order === 1 ? 1e-8 : 1e-7 }).checked;
          }),
          RUNS,
        );
        assertGreater(checked, RUNS.numRuns);
      });
    }
  }

  const { expression } = row.op as { expression?: string };
  if (expression === undefined) continue;
  Deno.test(`${label} is the same where code cannot be generated`, () => {
    const slow = new ElementwiseKernel(row.op.name, expression, { generate: false });
    const fast = new ElementwiseKernel(row.op.name, expression);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(...row.domain.map((interval) => numbers(interval)))),
        fc.nat({ max: 2 ** row.domain.length - 1 }),
        (points, repeated) => {
          const data = row.domain.map((_, i) =>
            Float64Array.from(
              repeated >> i & 1 ? points.slice(0, 1) : points,
              (point) => point[i]!,
            )
          );
          if (data.some((d) => d.length === 0)) return;
          const length = Math.max(...data.map((d) => d.length));
          const [a, b] = [new Float64Array(length), new Float64Array(length)];
          fast.runFlat(a, data, [3, 2]);
          slow.runFlat(b, data, [3, 2]);
          assertEquals(a, b);
        },
      ),
      RUNS,
    );
  });
}

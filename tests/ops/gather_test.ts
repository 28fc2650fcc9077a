import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { compile, gather, grad, sin, sum, type Tensor, tensor, vmap } from "../../mod.ts";
import { checkGradients } from "../../src/testing.ts";
import { stridesOf } from "../../src/shape.ts";

/** All different values of a shape. */
const valuesOf = (shape: readonly number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(Float64Array.from({ length: size }, (_, i) => i / 4), { shape });
};

/** Shapes of three axes, some of the axes in any order, and positions along each of them. */
const calls = fc.record({
  shape: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constant(3), fc.integer({ min: 1, max: 3 })),
  axes: fc.shuffledSubarray([0, 1, 2], { minLength: 1 }),
  seed: fc.nat(999),
  isColumn: fc.boolean(),
});

/** Positions that lie in each axis; the first ones may stand in a column, so that they broadcast. */
function positionsOf(
  shape: readonly number[],
  axes: readonly number[],
  seed: number,
  column: boolean,
) {
  return axes.map((axis, k) => {
    const found = Array.from({ length: 4 }, (_, i) => (seed + i * (k + 2)) % shape[axis]!);
    return column && k === 0 && axes.length > 1 ? found.slice(0, 2).map((at) => [at]) : found;
  });
}

const at = (positions: number[] | number[][], i: number, j: number): number => {
  const row = positions[positions.length === 1 ? 0 : i]!;
  return Array.isArray(row) ? row[0]! : positions[j] as number;
};

Deno.test("gather() along several axes picks by its definition", () => {
  fc.assert(
    fc.property(calls, ({ shape, axes, seed, isColumn }) => {
      const x = valuesOf(shape);
      const positions = positionsOf(shape, axes, seed, isColumn);
      const isWide = isColumn && axes.length > 1;
      const found = gather(x, positions as number[][], { axis: axes });
      const first = Math.min(...axes);
      const kept = [0, 1, 2].filter((axis) => !axes.includes(axis));
      const [before, behind] = [kept.filter((a) => a < first), kept.filter((a) => a > first)];
      const own = isWide ? [2, 4] : [4];
      const extents = (list: number[]) => list.map((axis) => shape[axis]!);
      assertEquals(found.shape, [...extents(before), ...own, ...extents(behind)]);
      const strides = stridesOf(found.shape);
      found.data.forEach((value, flat) => {
        const place = strides.map((stride, d) => Math.floor(flat / stride) % found.shape[d]!);
        const from = [0, 0, 0];
        before.forEach((axis, d) => from[axis] = place[d]!);
        behind.forEach((axis, d) => from[axis] = place[before.length + own.length + d]!);
        const [i, j] = isWide
          ? [place[before.length]!, place[before.length + 1]!]
          : [0, place[before.length]!];
        axes.forEach((axis, k) => from[axis] = at(positions[k] as number[], i, j));
        const source = stridesOf(shape).reduce((sum, stride, d) => sum + stride * from[d]!, 0);
        assertEquals(value, x.data[source]);
      });
    }),
    { seed: 4, numRuns: 300 },
  );
});

const [ROWS, COLUMNS] = [[0, 1, 1, 0], [2, 0, 0, 2]];
const pick = (x: Tensor) => gather(x, [ROWS, COLUMNS], { axis: [0, 1] });

Deno.test("gather() along several axes adds gradients up, of first and second order", () => {
  const x = valuesOf([2, 3, 2]);
  assertEquals(grad((y: Tensor) => sum(pick(y)))(x).toArray(), [
    [[0, 0], [0, 0], [2, 2]],
    [[2, 2], [0, 0], [0, 0]],
  ]);
  checkGradients((y) => sum(sin(pick(y))), [x], { order: 2 });
});

Deno.test("gather() along several axes is compiled, and mapped over rows", async () => {
  const x = valuesOf([2, 3]);
  const f = (y: Tensor, i: Tensor, j: Tensor) => y.gather([i, j], { axis: [0, 1] });
  const [i, j] = [ROWS, COLUMNS].map((list) => tensor(list, { dtype: "int32" })) as [
    Tensor,
    Tensor,
  ];
  await using program = await compile(f, [x, i, j]);
  assertEquals(await program(x, i, j), f(x, i, j));
  const batch = valuesOf([4, 2, 3]);
  const mapped = vmap((y: Tensor) => pick(y))(batch);
  assertEquals(mapped.toArray(), [0, 1, 2, 3].map((k) => pick(batch.at(k)).toArray()));
});

Deno.test("gather() along several axes says what does not fit", () => {
  const x = valuesOf([2, 3]);
  const refused = (
    indices: unknown,
    axis: readonly number[],
    kind: typeof RangeError,
    why: string,
  ) =>
    assertEquals(
      assertThrows(() => gather(x, indices as number[], { axis }), kind).message,
      `Cannot compute gather as ${why}`,
    );
  refused(
    [[0], [3]],
    [0, 1],
    RangeError,
    "indices[1] must be in [0, 2]: current value at position 0 is 3",
  );
  refused(
    [[0], [-1]],
    [0, 1],
    RangeError,
    "indices[1] must be in [0, 2]: current value at position 0 is -1",
  );
  refused(
    [[0]],
    [0, 1],
    TypeError,
    "indices must be an array of positions for each of the axes [0, 1]: current number is 1",
  );
  refused(
    3,
    [1],
    TypeError,
    "indices must be an array of positions for each of the axes [1]: current value is 3",
  );
  refused([[0], [0]], [1, -1], RangeError, "axis names an axis twice: current value is [1,-1]");
  refused(
    [],
    [],
    TypeError,
    "indices must be an array of positions for each of the axes []: current number is 0",
  );
  assertThrows(() => gather(x, [[0, 1], [0, 1, 2]], { axis: [0, 1] }), TypeError, "broadcast");
});

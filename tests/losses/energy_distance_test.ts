import { concat, grad, pairwiseDistance, type Tensor } from "@cellgrad/cellgrad";
import { energyDistance } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertAlmostEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { energyOf } from "../../src/losses/energy_distance.ts";
import { FEW_RUNS, floats, gridNumbers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/energy_distance.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

Deno.test("energyDistance() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.energy_distance!);
});

const clouds = fc.record({
  x: floats([4, 2]),
  y: floats([3, 2]),
  weightsX: floats([4], 0.1, 2),
  weightsY: floats([3], 0.1, 2),
  order: permutations(4),
  unbiased: fc.boolean(),
});

Deno.test("energyDistance() is the distance by definition", () => {
  fc.assert(
    fc.property(clouds, ({ x, y, weightsX, weightsY, unbiased }) => {
      const [w, v] = [weightsX.div(weightsX.sum()), weightsY.div(weightsY.sum())];
      const mean = (a: Tensor, b: Tensor, of: Tensor, at: Tensor) =>
        pairwiseDistance(a, b).mul(of.expandDims(1)).mul(at).sum().item();
      const others = (of: Tensor) => unbiased ? 1 - of.square().sum().item() : 1;
      assertAlmostEquals(
        energyDistance(x, y, { weightsX, weightsY, unbiased }).item(),
        2 * mean(x, y, w, v) - mean(x, x, w, w) / others(w) - mean(y, y, v, v) / others(v),
        1e-12,
      );
    }),
    RUNS,
  );
});

Deno.test("energyDistance() is at least 0, symmetric, and does not depend on the order", () => {
  fc.assert(
    fc.property(clouds, ({ x, y, weightsX, weightsY, order }) => {
      const distance = energyDistance(x, y, { weightsX, weightsY });
      assertGreaterOrEqual(distance.item(), -1e-14);
      assertSame(energyDistance(y, x, { weightsX: weightsY, weightsY: weightsX }), distance);
      const moved = { weightsX: reorder(weightsX, order), weightsY };
      assertSame(energyDistance(reorder(x, order), y, moved), distance);
    }),
    RUNS,
  );
});

Deno.test("energyDistance() moves with both clouds, and grows with their scale", () => {
  fc.assert(
    fc.property(clouds, floats([1, 2]), gridNumbers(0.1, 9), ({ x, y, unbiased }, shift, scale) => {
      const distance = energyDistance(x, y, { unbiased });
      const close = { rtol: 1e-10, atol: 1e-11 };
      assertAllClose(energyDistance(x.add(shift), y.add(shift), { unbiased }), distance, close);
      const scaled = energyDistance(x.mul(scale), y.mul(-scale), { unbiased });
      assertAllClose(scaled, energyDistance(x, y.neg(), { unbiased }).mul(scale), close);
    }),
    RUNS,
  );
});

Deno.test("energyDistance() of a cloud with itself is 0 with gradient 0, and its root as well", () => {
  const x = f64([[0.5, 1], [2, -3], [0.25, 4]]);
  for (const squared of [true, false]) {
    const toItself = (a: Tensor) => energyDistance(a, x, { squared });
    assertSame(toItself(x), 0);
    assertAllClose(grad(toItself)(x), x.mul(0), { atol: 1e-15 });
  }
});

Deno.test("energyDistance() takes the root where it is above 0, and 0 where it is not", () => {
  fc.assert(
    fc.property(clouds, ({ x, y, unbiased }) => {
      const energy = energyDistance(x, y, { unbiased });
      const root = energyDistance(x, y, { unbiased, squared: false });
      assertSame(root.square(), Math.max(0, energy.item()));
    }),
    RUNS,
  );
  const [x, y] = [f64([[0], [4]]), f64([[1], [3]])];
  const root = (a: Tensor) => energyDistance(a, y, { unbiased: true, squared: false });
  assert(energyDistance(x, y, { unbiased: true }).item() < 0);
  assertSame(root(x), 0);
  assertAllZero(grad(root)(x));
});

Deno.test("energyDistance() takes a whole weight for so many points, and 0 for none", () => {
  fc.assert(
    fc.property(clouds, ({ x, y }) => {
      const doubled = concat([x, reorder(x, [0, 2, 2])]);
      const weighted = energyDistance(x, y, { weightsX: [2, 1, 3, 1] });
      assertSame(weighted, energyDistance(doubled, y));
      const some = energyDistance(x, y, { weightsX: [0, 1, 1, 0] });
      assertSame(some, energyDistance(reorder(x, [1, 2]), y));
      const scaled = { weightsX: [2, 2, 2, 2], weightsY: [0.1, 0.1, 0.1] };
      assertSame(energyDistance(x, y, scaled), energyDistance(x, y));
    }),
    RUNS,
  );
});

Deno.test("energyDistance() of single points is twice their distance, unbiased too", () => {
  for (const unbiased of [false, true]) {
    assertSame(energyDistance(f64([[0, 0]]), f64([[3, 4]]), { unbiased }), 10);
    const alone = energyDistance(f64([[0, 0]]), f64([[3, 4], [3, 4]]), {
      unbiased,
      weightsY: [0, 7],
    });
    assertSame(alone, 10);
  }
});

Deno.test("energyDistance() sees a difference that means and variances do not", () => {
  const distance = energyDistance(
    f64([[-1], [1], [-1], [1]]),
    f64([[-2], [0], [0], [0], [0], [0], [0], [2]]),
  );
  assertGreater(distance.item(), 0.1);
});

Deno.test("energyDistance() has right gradients of first and second order", () => {
  for (const squared of [true, false]) {
    fc.assert(
      fc.property(clouds, ({ x, y, weightsX, weightsY, unbiased }) => {
        if (unbiased && !squared) return;
        const loss = (a: Tensor, b: Tensor, w: Tensor, v: Tensor) =>
          energyDistance(a, b, { weightsX: w, weightsY: v, unbiased, squared });
        checkGradients(loss, [x, y, weightsX, weightsY], { order: 2 });
      }),
      FEW_RUNS,
    );
  }
});

Deno.test("energyDistance() in blocks has the derivatives of all points at once, to second order", () => {
  fc.assert(
    fc.property(clouds, fc.integer({ min: 1, max: 11 }), (c, largest) => {
      const { unbiased } = c;
      const inputs = [c.x, c.y, c.weightsX.expandDims(1), c.weightsY.expandDims(1)];
      const along = inputs.map((x, i) => x.mul(3).add(i).sin());
      const derivatives = (most: number) => {
        const loss = (a: Tensor, b: Tensor, w: Tensor, v: Tensor) =>
          energyOf([a, w], [b, v], { squared: true, unbiased: false }, most).square();
        const slopes = grad(loss, { argnums: [0, 1, 2, 3] }) as unknown as (
          ...x: Tensor[]
        ) => Tensor[];
        const pushed = (...x: Tensor[]) =>
          slopes(...x).map((slope, i) => slope.mul(along[i]!).sum()).reduce((a, b) => a.add(b));
        const bends = grad(pushed, { argnums: [0, 1, 2, 3] }) as unknown as typeof slopes;
        const [a, b, w, v] = inputs as [Tensor, Tensor, Tensor, Tensor];
        const value = energyOf([a, w], [b, v], { squared: false, unbiased }, most);
        return [value, ...slopes(...inputs), ...bends(...inputs)];
      };
      const whole = derivatives(Infinity);
      derivatives(largest).forEach((found, i) =>
        assertAllClose(found, whole[i]!, { rtol: 1e-10, atol: 1e-10 })
      );
    }),
    RUNS,
  );
});

Deno.test("energyDistance() is finite for extreme points", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const x = f64([[1e4, -1e4], [0, 0], [0, 0], [1e-30, 0]]).cast(dtype);
    for (const options of [{}, { unbiased: true }, { squared: false }]) {
      assertFinite((a, b) => energyDistance(a, b, options), [x, x.mul(-1)]);
    }
  }
});

Deno.test("energyDistance() keeps its digits far from the origin in float32", () => {
  const [x, y] = [f64([[0, 0], [1, 0]]).cast("float32"), f64([[0, 2], [1, 2]]).cast("float32")];
  assertAllClose(energyDistance(x.add(4096), y.add(4096)), energyDistance(x, y));
});

testMisuse("energyDistance", [
  [
    "another number of columns",
    () => energyDistance([[1, 2]], [[1]]),
    TypeError,
    "Cannot compute energyDistance as y must have the shape [points, 2]: current shape is [1, 1]",
  ],
  [
    "points that are no matrix",
    () => energyDistance([1, 2], [[1]]),
    TypeError,
    "Cannot compute energyDistance as x must have the shape [points, features]: " +
    "current shape is [2]",
  ],
  [
    "no points",
    () => energyDistance([[1]], f64([]).reshape([0, 1])),
    TypeError,
    "Cannot compute energyDistance as y must hold at least 1 point: current shape is [0, 1]",
  ],
  [
    "another number of weights",
    () => energyDistance([[1], [2]], [[1]], { weightsX: [1] }),
    TypeError,
    "Cannot compute energyDistance as x and weightsX must have the same number of cells: " +
    "current values are 2 and 1",
  ],
  [
    "a negative weight",
    () => energyDistance([[1]], [[1], [2]], { weightsY: [1, -1] }),
    RangeError,
    "Cannot compute energyDistance as weightsY must be at least 0: " +
    "current value at position 1 is -1",
  ],
  [
    "weights of 0",
    () => energyDistance([[1]], [[1], [2]], { weightsY: [0, 0] }),
    RangeError,
    "Cannot compute energyDistance as weightsY must have a finite sum above 0: " +
    "current sum of row 0 is 0",
  ],
  [
    "infinite weights",
    () => energyDistance([[1]], [[1], [2]], { weightsY: [1, Infinity] }),
    RangeError,
    "Cannot compute energyDistance as weightsY must have a finite sum above 0: " +
    "current sum of row 0 is Infinity",
  ],
  [
    "squared that is neither true nor false",
    () => energyDistance([[1]], [[1]], { squared: 2 as never }),
    TypeError,
    "Cannot compute energyDistance as squared must be true or false: current value is 2",
  ],
  [
    "unbiased that is neither true nor false",
    () => energyDistance([[1]], [[1]], { unbiased: 2 as never }),
    TypeError,
    "Cannot compute energyDistance as unbiased must be true or false: current value is 2",
  ],
  [
    "an unknown option",
    () => energyDistance([[1]], [[1]], { weights: [1] } as never),
    TypeError,
    "Cannot compute energyDistance as there is no option weights: did you mean weightsX? The " +
    "options are weightsX, weightsY, squared, unbiased",
  ],
]);
